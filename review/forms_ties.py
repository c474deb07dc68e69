"""Forms of the graph: one tie, its end, its withdrawal, and a file of many. One tie is checked by what checks a row of a file."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from grants.web.speaking import spoken
from review import tie_kinds, tie_sheet
from review.conflicts import KINSHIP
from review.models import Tie
from review.services.tie_import import compared
from review.tie_sheet import AT, BODY, EVIDENCE, EXPERT, KIND, NAME, NUMBER, PERSON, SIDES, SINCE, TYPE, UNTIL

TYPES = [(EXPERT, gettext_lazy("专家")), (PERSON, gettext_lazy("个人")), (BODY, gettext_lazy("单位"))]
PARTS = {"type": TYPE, "name": NAME, "number": NUMBER, "at": AT}
FIELDS = {KIND: "kind", SINCE: "since", UNTIL: "until", EVIDENCE: "evidence"}
FIELDS |= {
    f"{side}{part}": f"{name}_{code}" for side, name in zip(SIDES, ("left", "right"), strict=True) for code, part in PARTS.items()
}
"""Heading of a file → field of the page."""
DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
_NAME = gettext_lazy("专家填专家代码，个人填姓名，单位填全称")
_NUMBER = gettext_lazy("个人填身份证号，单位填统一社会信用代码或备案号；专家不填。身份证号不保存，只用来认出同一个人")
_AT = gettext_lazy("个人没有身份证号时必填：所在单位的全称或信用代码")


def _type(label: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=TYPES)


def _text(label: Any, most: int, help_text: Any = "", *, needed: bool = False) -> forms.CharField:
    return forms.CharField(label=label, max_length=most, required=needed, help_text=help_text)


class TieForm(forms.Form):
    """One tie."""

    kind = forms.ChoiceField(label=gettext_lazy("关系"))
    left_type = _type(gettext_lazy("甲方是"))
    left_name = _text(gettext_lazy("甲方"), 100, _NAME, needed=True)
    left_number = _text(gettext_lazy("甲方证件号码"), 60, _NUMBER)
    left_at = _text(gettext_lazy("甲方所在单位"), 100, _AT)
    right_type = _type(gettext_lazy("乙方是"))
    right_name = _text(gettext_lazy("乙方"), 100, _NAME, needed=True)
    right_number = _text(gettext_lazy("乙方证件号码"), 60, _NUMBER)
    right_at = _text(gettext_lazy("乙方所在单位"), 100, _AT)
    since = forms.DateField(label=gettext_lazy("起"), required=False, widget=DAY, help_text=gettext_lazy("不清楚的留空"))
    until = forms.DateField(label=gettext_lazy("止"), required=False, widget=DAY, help_text=gettext_lazy("仍然存在的留空"))
    source = forms.ChoiceField(label=gettext_lazy("来源"), choices=[c for c in Tie.Source.choices if c[0] != Tie.Source.IMPORTED])
    evidence = _text(gettext_lazy("依据"), 300, gettext_lazy("如：登记证书、官网名单、本人书面申报；加密保存"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(k.value, f"{_(k.zh)}（{_ends(k)}）") for k in tie_kinds.KINDS]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if self.errors:
            return found
        row, problems = tie_sheet.row_of(0, {column: _cell(found.get(name)) for column, name in FIELDS.items()})
        incoming = compared([row]) if row is not None else None
        for problem in [*problems, *(incoming.problems if incoming else ())]:
            self.add_error(FIELDS[problem.column], spoken(problem.sentence))
        if incoming is not None and incoming.lines:
            self._line = incoming.lines[0]
        return found

    def tie(self) -> dict[str, Any]:
        """Arguments of `record_tie`."""
        data, line = self.cleaned_data, self._line
        return {
            "left": line.left, "right": line.right, "kind": line.row.kind, "since": data["since"], "until": data["until"],
            "evidence": data["evidence"], "source": data["source"],
        }  # fmt: skip


def _cell(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _ends(kind: Any) -> str:
    """Which parties a kind joins, so that nobody has to try."""
    if kind in tie_kinds.OF_PERSON:
        return _("个人—单位")
    if kind in tie_kinds.OF_BODIES:
        return _("单位—单位")
    return _("个人—个人") if kind in KINSHIP else _("个人或单位—单位") if kind in tie_kinds.TO_BODY else _("不限")


class EndForm(forms.Form):
    """The last day of a tie."""

    until = forms.DateField(label=gettext_lazy("结束日期"), widget=DAY, help_text=gettext_lazy("最后一天；此后三年内仍计入回避"))


class WithdrawForm(forms.Form):
    """Why a tie should not have been recorded."""

    reason = forms.CharField(label=gettext_lazy("撤回的理由"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))


class TieFileForm(forms.Form):
    """A filled-in file."""

    file = forms.FileField(label=gettext_lazy("填好的关系表（CSV）"))

    def clean_file(self) -> Any:
        found = self.cleaned_data["file"]
        if found.size > tie_sheet.MOST_BYTES:
            raise forms.ValidationError(_("文件超过 %(n)d KB，请分成几份。") % {"n": tie_sheet.MOST_BYTES // 1024})
        return found
