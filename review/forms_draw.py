"""Forms of a draw and of a bidder's challenge; one form per step that asks for details."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.widgets import Script
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from grants.people.models import User
from grants.workflow.machine import Machine
from grants.workflow.pages import StepForm
from review.models import Challenge, Draw, Expert

PARTIES = 5
MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
KINDS = (("named", _("指名的某期彩票、某日指数等")), ("drand", _("drand quicknet 的某一轮")))
NOT_ASKED = {"drand": ("source", "due"), "said": ("round",)}
"""Kind of beacon → what it has none of."""
HEX = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "gc-hash"})


class BeaconTerms(forms.Form):
    """Which beacon decides, when it falls, and why the same matter is drawn once more where it was drawn before."""

    beacon_kind = forms.ChoiceField(label=_("公共随机源"), choices=KINDS, help_text=_("公布之后才产生，任何人都查得到。"))
    source = forms.CharField(label=_("名称"), max_length=60, help_text=_("如：中国福利彩票双色球开奖号码。drand 不填。"))
    round = forms.CharField(label=_("期号或轮次"), max_length=30, help_text=_("如：2026039；drand 填轮次。"))
    due = forms.DateTimeField(label=_("产生时间"), widget=MOMENT, help_text=_("北京时间；drand 由轮次算出，不填。"))
    reason = forms.CharField(
        label=_("再次抽取的理由"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("这件事以前抽取过，不论是否抽定。理由与第几次一并公布。"),
    )  # fmt: skip

    def __init__(self, *args: Any, again: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not again:
            del self.fields["reason"]
        for name in NOT_ASKED.get(str(self.data.get("beacon_kind")), ()):
            self.fields[name].required = False

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        number = str(data.get("round", ""))
        if data.get("beacon_kind") == "drand" and number and not (number.isdecimal() and number.isascii() and 0 < int(number) < 10**10):
            self.add_error("round", _("drand 的轮次是一个正整数。"))
        return data

    def terms(self) -> dict[str, Any]:
        """Keyword arguments for `services.announce` and `services.publish`."""
        data = self.cleaned_data
        beacon = {"kind": data["beacon_kind"], "source": data["source"], "round": data["round"], "due": data["due"]}
        return {"beacon": beacon, "reason": data.get("reason", "")}


class AnnounceForm(BeaconTerms):
    """Announce a simple draw: a public beacon, or what will be thrown in the room, which two people then have to vouch for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind: Any = self.fields["beacon_kind"]
        kind.choices = [*KINDS, ("said", _("现场当众产生（如掷骰子）"))]
        kind.help_text = _("公布之后才产生。公开可查的，一个人就能办完；现场产生的，一个人填写，另一个人核对后抽取。")
        self.fields["source"].help_text = _("如：中国福利彩票双色球开奖号码；现场产生的写明由谁怎样产生。drand 不填。")
        self.fields["round"].help_text = _("如：2026039；drand 填轮次。现场产生的不填。")


class PublishForm(BeaconTerms):
    """Parties by public name and account, the beacon, how long bidders may challenge, and why again."""

    challenge_until = forms.DateTimeField(
        label=_("申请回避截止"), required=False, widget=MOMENT, help_text=_("北京时间；此前不能开始承诺。不填则随时可以开始。")
    )

    def __init__(self, *args: Any, me: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["beacon_kind"].help_text = _("须在各方承诺截止之后才产生，任何人都查得到。")
        named = [_now("主办方"), _now("监督"), _now("申报方代表")]
        for n in range(1, PARTIES + 1):
            first = n <= len(named)
            self.fields[f"name_{n}"] = forms.CharField(label=_("承诺方 %(n)d") % {"n": n}, max_length=60, required=first, initial=named[n - 1] if first else "")
            self.fields[f"user_{n}"] = forms.CharField(
                label=_("承诺方 %(n)d 的用户名") % {"n": n}, max_length=150, required=first, initial=me.username if n == 1 else ""
            )
        order = [f"{what}_{n}" for n in range(1, PARTIES + 1) for what in ("name", "user")]
        rest = [name for name in self.fields if name not in (*order, "challenge_until", "reason")]
        self.order_fields([*order, *rest, "challenge_until", "reason"])

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        for n in range(1, PARTIES + 1):
            username = data.get(f"user_{n}", "")
            if bool(username) != bool(data.get(f"name_{n}")):
                self.add_error(f"user_{n}", _("承诺方的名称和用户名要一起填。"))
            elif username:
                data[f"party_{n}"] = User.objects.filter(username=username, is_active=True).first()
                if data[f"party_{n}"] is None:
                    self.add_error(f"user_{n}", _("没有这个用户名。"))
        return data

    def terms(self) -> dict[str, Any]:
        data = self.cleaned_data
        parties = [(data[f"name_{n}"], data[f"party_{n}"]) for n in range(1, PARTIES + 1) if data.get(f"party_{n}")]
        return {**super().terms(), "parties": parties, "challenge_until": data.get("challenge_until")}


class CommitForm(StepForm):
    """Commit: the number itself, or only its hash with a paper envelope."""

    secret = forms.CharField(
        label=_("随机数（64 位十六进制）"), required=False, max_length=64, widget=forms.TextInput(attrs={**HEX.attrs, "data-secret": _("生成")}),
        help_text=_("点“生成”，或在自己的电脑上运行 openssl rand -hex 32。请另存一份，公开时要用。系统只公布它的 SHA-256，并加密保存一份密封副本。"),
    )  # fmt: skip
    sha256 = forms.CharField(label=_("或者只提交 SHA-256"), required=False, max_length=64, widget=HEX, help_text=_("不愿让系统保存密封副本时填写。"))
    envelope = forms.CharField(label=_("纸质信封由谁保管"), required=False, max_length=200, help_text=_("只提交 SHA-256 时必填，逾期不公开时启用。"))

    class Media:
        js = (Script("review/secret.js", type="module"),)


class RevealForm(StepForm):
    """Reveal what was committed to."""

    value = forms.CharField(label=_("您承诺的随机数"), max_length=64, widget=HEX)


class SubstituteForm(StepForm):
    """Open the sealed copy of a silent party."""

    party: Any = forms.ModelChoiceField(label=_("承诺方"), queryset=None)
    value = forms.CharField(label=_("纸质信封里的数"), required=False, max_length=64, widget=HEX, help_text=_("系统里有密封副本的不填。"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["party"].queryset = self.obj.parties.filter(revealed="")  # type: ignore[attr-defined]


class BeaconForm(StepForm):
    """The beacon's value with its evidence."""

    value = forms.CharField(label=_("结果"), max_length=200, help_text=_("照公告逐字填写；drand 填 randomness。"))
    evidence = forms.CharField(label=_("依据"), max_length=500, help_text=_("网址、公告名称和日期；drand 填 signature。"))


class DrawForm(StepForm):
    """Draw: what the panel is called, where one comes of it."""

    name = forms.CharField(label=_("评审组名称"), max_length=60, required=False, initial=_("评审组"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.obj.about != Draw.About.PANEL:  # type: ignore[attr-defined]
            del self.fields["name"]


class FailForm(StepForm):
    """Stop: the note is the reason."""

    def details(self) -> dict[str, Any]:
        return {"reason": self.cleaned_data["note"]}


class ChallengeForm(forms.Form):
    """Who should step aside, and why."""

    name = forms.CharField(label=_("专家姓名"), max_length=40)
    employer = forms.CharField(label=_("工作单位"), max_length=100, required=False)
    reason = forms.CharField(
        label=_("理由和证据"), max_length=2000, widget=forms.Textarea(attrs={"rows": 6}), help_text=_("写明什么关系、什么时间、依据是什么。")
    )


class UpholdForm(StepForm):
    """Uphold: who in the pool is meant."""

    expert: Any = forms.ModelChoiceField(label=_("专家"), queryset=Expert.objects.filter(is_active=True).order_by("code"))
    reason = forms.CharField(label=_("决定的理由"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["expert"].label_from_instance = lambda e: f"{e.code} {e}"  # type: ignore[attr-defined]


class RejectForm(StepForm):
    """Reject: why."""

    reason = forms.CharField(label=_("决定的理由"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4}))


STEP_FORMS: dict[tuple[type[Machine], str], type[StepForm]] = {
    (Draw, "commit"): CommitForm, (Draw, "reveal"): RevealForm, (Draw, "substitute"): SubstituteForm, (Draw, "enter_beacon"): BeaconForm,
    (Draw, "draw"): DrawForm, (Draw, "fail"): FailForm, (Challenge, "uphold"): UpholdForm, (Challenge, "reject"): RejectForm,
}  # fmt: skip
