"""Forms of awards: the public's objection, the notice, the reduction, and one per step that asks for details."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from grants.awards import frozen_bid
from grants.awards.models import Award, Contract, Objection, PublicNotice
from grants.documents.files import store
from grants.people.privacy import Leak
from grants.web.fields import YuanField
from grants.workflow.machine import Machine
from grants.workflow.pages import StepForm
from grants.workflow.refusals import Invalid, Refusal

PAPERS = ("pdf", "jpg", "png")


def show_refusal(form: forms.Form, refusal: Refusal) -> None:
    """Put a refusal's sentences on the fields they name, and whatever is left on the form as a whole."""
    problems = refusal.problems if isinstance(refusal, Invalid) else {}
    for name, sentences in problems.items():
        for sentence in sentences:
            form.add_error(name if name in form.fields else None, sentence)
    if not problems:
        form.add_error(None, str(refusal))


class ScanField(forms.FileField):
    """A scan: PDF, JPG or PNG. Cleans to the StoredFile kept, or None."""

    def clean(self, data: Any, initial: Any = None) -> Any:
        upload = super().clean(data, None)
        if not upload:
            return None
        return store(upload, name=upload.name, allowed=PAPERS, max_bytes=settings.MAX_UPLOAD_BYTES)


class ReplyForm(StepForm):
    """The written answer to an objection."""

    reply = forms.CharField(
        label=_("书面答复"), max_length=5000, widget=forms.Textarea(attrs={"rows": 8}), help_text=_("写明查明的事实、依据和结论，将送达异议人。")
    )


class SealedScanForm(StepForm):
    """打印、签字盖章、扫描、上传: which contract it is, copied from the paper."""

    number = forms.CharField(label=_("协议编号"), max_length=60, help_text=_("抄写扫描件首页的协议编号。"))
    text_hash = forms.CharField(
        label=_("内容摘要前 8 位"), min_length=8, max_length=64, help_text=_("抄写页脚“SHA-256”后的前 8 位，证明打印的是这一份定稿。")
    )
    scan = ScanField(label=_("签章扫描件"), help_text=_("PDF、JPG 或 PNG；须包含全部页面、签字、公章和骑缝章。"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text_hash"].widget.attrs.update({"autocomplete": "off", "spellcheck": "false"})


class ElectronicForm(StepForm):
    """电子签署: read, meant, and in whose name. The person has just shown again who they are."""

    proves = True

    read = forms.BooleanField(label=_("我已阅读协议全文，有权代表本单位签署，愿意受其约束。"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["read"].help_text = signature_words()

    def details(self) -> dict[str, Any]:
        return {}


def signature_words() -> str:
    """What such a signature is and is not, before one gives it."""
    return gettext(
        "签名由本站用单位证书生成，能证明文件未被改动、由本单位在本站的签署人提出。用开发证书生成的签名不是《电子签名法》第十三条所说的、"
        "经第三方认证（第十六条）的可靠电子签名；需要时请使用依法设立的电子认证机构的证书，或打印、盖章签署。"
    )


class ReduceForm(StepForm):
    """One amount and one reason per line of the agreed budget, and one figure per target."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines = list(self.obj.lines.all())
        self.promised = frozen_bid.targets(self.obj.bid.latest.content)
        for line in self.lines:
            self._add_line(line)
        for key, (name, least, unit) in self.promised.items():
            now = self.obj.agreed_targets.get(key, least)
            label = _("指标：%(name)s（%(unit)s）") % {"name": name, "unit": unit}
            self.fields[f"target_{key}"] = forms.IntegerField(label=label, min_value=0, max_value=least, initial=now)
        self.order_fields([name for name in self.fields if name != "note"] + ["note"])

    def _add_line(self, line: Any) -> None:
        given = {"name": line.name, "asked": f"{line.asked:,.2f}"}
        label = _("%(name)s：核定金额") % given
        self.fields[f"agreed_{line.pk}"] = YuanField(label=label, initial=line.agreed, help_text=_("申请 %(asked)s 元") % given)
        self.fields[f"reason_{line.pk}"] = forms.CharField(
            label=_("%(name)s：核减理由") % given, required=False, max_length=200, initial=line.reason
        )

    def rows(self) -> list[tuple[Any, Any, Any]]:
        """(line, bound amount, bound reason) for the table."""
        return [(line, self[f"agreed_{line.pk}"], self[f"reason_{line.pk}"]) for line in self.lines]

    def target_rows(self) -> list[tuple[str, int, str, Any]]:
        """(name, figure in the bid, unit, bound figure) for the table."""
        return [(name, least, unit, self[f"target_{key}"]) for key, (name, least, unit) in self.promised.items()]

    def details(self) -> dict[str, Any]:
        """Only what differs from what stands, so that the ledger counts real changes."""
        cleaned = self.cleaned_data
        given = {line.pk: (cleaned[f"agreed_{line.pk}"], cleaned[f"reason_{line.pk}"]) for line in self.lines}
        changed = {line.pk: given[line.pk] for line in self.lines if given[line.pk] != (line.agreed, line.reason)}
        targets = {key: cleaned[f"target_{key}"] for key in self.promised}
        fewer = {key: value for key, value in targets.items() if value != self._standing(key)}
        return {"lines": changed, "reason": cleaned["note"], "targets": fewer}

    def _standing(self, key: str) -> int:
        return int(self.obj.agreed_targets.get(key, self.promised[key][1]))


class ObjectionForm(forms.Form):
    """提出异议: open to everybody. What a field must hold depends on who objects; the service says so field by field."""

    kind = forms.ChoiceField(label=_("异议人类别"), choices=Objection.Objector.choices, widget=forms.RadioSelect)
    name = forms.CharField(label=_("姓名或单位全称"), max_length=100, required=False)
    contact = forms.CharField(
        label=_("联系方式"), max_length=100, required=False, help_text=_("电话或通信地址，只用于答复，不对外公开。")
    )
    award = forms.ModelChoiceField(
        label=_("针对的项目"), queryset=Award.objects.none(), required=False, empty_label=_("整份公示（程序或全部项目）")
    )
    facts = forms.CharField(label=_("事实和理由"), max_length=5000, widget=forms.Textarea(attrs={"rows": 8}))
    upload = ScanField(label=_("书面材料扫描件"), required=False, help_text=_("单位提出的须加盖公章；PDF、JPG 或 PNG。"))

    def __init__(self, *args: Any, notice: PublicNotice, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Award.objects.filter(notice=notice).select_related("bid").order_by("number")
        self.fields["award"].queryset = rows  # type: ignore[attr-defined]


class NoticeForm(forms.Form):
    """公示: the paragraph above the table, and another name for projects whose own name may not be published."""

    intro = forms.CharField(
        label=_("说明文字"), required=False, max_length=600, widget=forms.Textarea(attrs={"rows": 3}), help_text=_("不填写则使用通用文字。")
    )

    def __init__(self, *args: Any, leaking: dict[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.leaking = leaking or {}
        for number, title in self.leaking.items():
            label = _("%(number)s 的公示名称") % {"number": number}
            self.fields[f"title_{number}"] = forms.CharField(label=label, max_length=120, initial=title)

    def titles(self) -> dict[str, str]:
        """Award number → name to show."""
        return {number: self.cleaned_data[f"title_{number}"] for number in self.leaking}


def leaking_titles(leaks: list[Leak], rows: list[dict[str, Any]]) -> dict[str, str]:
    """Award number → project name of the rows in which the gate found something (`rows.<n>.project`, from 1)."""
    places = {int(parts[1]) for leak in leaks if (parts := leak.field.split("."))[0] == "rows" and parts[-1] == "project"}
    return {rows[n - 1]["number"]: rows[n - 1]["project"] for n in sorted(places)}


STEP_FORMS: dict[tuple[type[Machine], str], type[StepForm]] = {
    (Award, "reduce"): ReduceForm,
    (Objection, "refuse"): ReplyForm,
    (Objection, "uphold"): ReplyForm,
    (Objection, "dismiss"): ReplyForm,
    (Contract, "sign_grantee"): SealedScanForm,
    (Contract, "countersign"): SealedScanForm,
    (Contract, "ask_executor"): ElectronicForm,
    (Contract, "ask_grantee"): ElectronicForm,
    (Contract, "ask_grantor"): ElectronicForm,
}
