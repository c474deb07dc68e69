"""What officers and the dealer send: keys that their browsers made, and layers that they took off. Nothing here is a secret."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bidding.models import SealKey
from bidding.sealing import handover
from bidding.sealing.ceremony import LEAST, MOST
from bidding.services.ceremonies import Made, Seat, bytes_of, candidates
from grants.web.fields import DayField
from grants.workflow.refusals import Invalid

SLOTS = MOST


class KeyForm(forms.Form):
    """An officer's key as the browser made it. protected: base64 of the age file under the passphrase."""

    recipient = forms.CharField(label=gettext_lazy("公钥（以 age1 开头）"), max_length=120)
    protected = forms.CharField(label=gettext_lazy("口令保护的钥匙文件（base64）"), max_length=20_000, required=False, widget=forms.Textarea(attrs={"rows": 4}))

    def clean_protected(self) -> bytes:
        return _bytes(self.cleaned_data["protected"], "protected")


class MakeForm(forms.Form):
    """Who the officers are, how many open, and what the dealer's browser made of it.

    made: JSON {"recipient", "test": base64, "test_hash": hex, "shares": [{"officers": [names], "blob": base64}]}.
    """

    threshold = forms.TypedChoiceField(label=gettext_lazy("几个人一起才能开标"), coerce=int, initial=2)
    made = forms.CharField(max_length=400_000, widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.keys = list(candidates())
        self.people = [key.user for key in self.keys]
        self.fields["threshold"].choices = [(n, n) for n in range(LEAST, MOST + 1)]  # type: ignore[attr-defined]
        choices = [("", _("不设")), *((str(user.pk), str(user)) for user in self.people)]
        for i in range(SLOTS):
            self.fields[f"user-{i}"] = forms.ChoiceField(label=_("开标人 %(n)d") % {"n": i + 1}, choices=choices, required=False)
            self.fields[f"name-{i}"] = forms.CharField(label=_("岗位（印在公告里）"), max_length=30, required=False)

    def slots(self) -> list[Any]:
        return [(self[f"user-{i}"], self[f"name-{i}"]) for i in range(SLOTS)]

    def recipients(self) -> dict[str, str]:
        """User id → the public half of the key in use, for the dealer's browser."""
        return {str(key.user_id): key.recipient for key in self.keys}

    def seats(self) -> list[Seat]:
        """Raises Invalid when an officer has no office or appears twice."""
        people = {str(user.pk): user for user in self.people}
        chosen = [(self.cleaned_data[f"user-{i}"], self.cleaned_data[f"name-{i}"].strip()) for i in range(SLOTS)]
        for i, (user, name) in enumerate(chosen):
            if user and not name:
                sentence = _("请写明岗位，例如：财务、纪检、办公室。")
                raise Invalid(sentence, rule="officers", problems={f"name-{i}": [sentence]})
        return [Seat(people[user], name) for user, name in chosen if user]

    def hand_over(self) -> Made:
        """What the browser made. Raises Invalid."""
        try:
            told = json.loads(self.cleaned_data["made"])
            shares = {tuple(map(str, row["officers"])): bytes_of(row["blob"], "made") for row in told["shares"]}
            return Made(str(told["recipient"]), shares, bytes_of(told["test"], "made"), str(told["test_hash"]))
        except (ValueError, KeyError, TypeError) as wrong:
            sentence = _("密钥没有在浏览器里做成；请用新版浏览器并允许脚本，或在离线电脑上用 manage.py seal 制作。")
            raise Invalid(sentence, rule="made") from wrong


class OfflineForm(forms.Form):
    """The file of a ceremony on an offline machine."""

    file = forms.FileField(label=gettext_lazy("离线制作的密钥文件（hand-over.json）"), help_text=gettext_lazy("里面没有任何秘密。"))

    def clean_file(self) -> bytes:
        if self.cleaned_data["file"].size > handover.MOST:
            raise forms.ValidationError(_("文件过大，不是密钥文件；请选 manage.py seal ceremony 写出的 hand-over.json。"))
        return bytes(self.cleaned_data["file"].read())


class TurnForm(forms.Form):
    """What is left of a share after one layer: base64 of an age file for the next officer."""

    rest = forms.CharField(label=gettext_lazy("解开一层后的内容（base64）"), max_length=40_000, widget=forms.Textarea(attrs={"rows": 4}))

    def clean_rest(self) -> bytes:
        return _bytes(self.cleaned_data["rest"], "rest")


class FinishForm(forms.Form):
    """The end of a group's turns: in a rehearsal what was in the test envelope (base64), at the opening the call's key."""

    content = forms.CharField(label=gettext_lazy("测试信封的内容（base64）"), max_length=4_000, required=False)
    secret = forms.CharField(label=gettext_lazy("征集密钥"), max_length=200, required=False, widget=forms.PasswordInput(attrs={"autocomplete": "off"}))

    def clean_content(self) -> bytes:
        return _bytes(self.cleaned_data["content"], "content")


class CopyForm(forms.Form):
    """投标留存包."""

    kept = forms.FileField(label=gettext_lazy("投标留存包（ZIP）"), help_text=gettext_lazy("封标时下载到您电脑上的文件。"))


class EnvelopeForm(forms.Form):
    """离线封好的投标: the sealed ZIP, and the pledges once more, because handing in signs them."""

    envelope = forms.FileField(label=gettext_lazy("封好的投标（sealed-bid.zip）"), help_text=gettext_lazy("只有密文。投标留存包不要传到这里。"))
    declarations = forms.MultipleChoiceField(
        label=gettext_lazy("承诺书"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("请逐条确认。确认即为签署，与回执一并存档。"),
    )  # fmt: skip

    def __init__(self, pledges: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["declarations"].choices = [(each.code, each.text) for each in pledges]  # type: ignore[attr-defined]
        self.fields["declarations"].required = bool(pledges)


class LostForm(forms.Form):
    """报告密钥丢失: whose keys, and how it came about. act: which form this is, so that a page that was overtaken says so."""

    act = "report_lost"
    offices = forms.MultipleChoiceField(
        label=gettext_lazy("哪些岗位的钥匙已经丢失"), widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("剩下的仍够人数开标的，请他们开标，不必报告。"),
    )  # fmt: skip
    note = forms.CharField(
        label=gettext_lazy("经过"), max_length=1000, widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("钥匙文件和口令怎样、何时丢失，找过哪里。主办方、承办方、监督、审计和开标人看得到，不写进公开的开标记录。"),
    )  # fmt: skip

    def __init__(self, key: SealKey, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["offices"].choices = [(row.name, row.name) for row in key.officers.all()]  # type: ignore[attr-defined]

    def details(self) -> dict[str, Any]:
        return {"offices": self.cleaned_data["offices"]}


class DeclareForm(forms.Form):
    """宣布密钥丢失: what the second person has checked, and that they know what follows."""

    act = "declare_lost"
    note = forms.CharField(
        label=gettext_lazy("您核对了什么"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("例如：已逐一问过开标人本人，备份和封存的口令也已查找。不写进公开的开标记录。"),
    )  # fmt: skip
    last = DayField(
        label=gettext_lazy("留存包收到哪一天为止"), required=False,
        help_text=gettext_lazy("不填就是十个工作日；可以更晚，不能更早。印在信里和公开页面上，过了这一天不能再恢复。"),
    )  # fmt: skip
    sure = forms.BooleanField(label=gettext_lazy("我知道：宣布以后不能撤销，找回的钥匙也不再用来开标，没有留存包的投标不能恢复。"))

    def __init__(self, key: SealKey, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    def details(self) -> dict[str, Any]:
        return {}


def _bytes(text: str, field: str) -> bytes:
    try:
        return bytes_of("".join(text.split()), field)
    except Invalid as refusal:
        raise forms.ValidationError(str(refusal)) from refusal
