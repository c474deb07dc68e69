"""The sheet on which a clerk concludes several open rules in one sitting: one row per rule, one evidence for many where one look-up told all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bidding.forms import show
from bidding.services.screening import Conclusion
from grants.documents.files import MEBIBYTE, store
from grants.documents.inspection import FileRefused

EVIDENCE = frozenset({"pdf", "jpg", "png"})
EVIDENCE_BYTES = 10 * MEBIBYTE
OUTCOMES = [("", _("先不结论")), ("pass", _("合格")), ("fail", _("不合格"))]


class ScreeningSheet(forms.Form):
    """`outcome_<rule>`, `note_<rule>`, `file_<rule>` for every open finding, and `note_all`, `file_all` for rows without their own."""

    note_all = forms.CharField(
        label=_("共用的凭证说明"), required=False, max_length=300,
        help_text=_("一次查询说明了几项时，只写一次：查询的网站、时间和结果。各行另有说明的，以各行为准。"),
    )  # fmt: skip
    file_all = forms.FileField(label=_("共用的凭证文件"), required=False, help_text=_("PDF、JPG 或 PNG，10 MB 以内。"))

    def __init__(self, findings: Sequence[Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.findings = list(findings)
        for finding in self.findings:
            self._add(finding)
        self.order_fields([name for name in self.fields if not name.endswith("_all")] + ["note_all", "file_all"])

    def _add(self, finding: Any) -> None:
        where = {"aria-label": f"{gettext('凭证说明')}：{finding.sentence}"}
        self.fields[f"outcome_{finding.rule}"] = forms.ChoiceField(
            label=finding.sentence, choices=OUTCOMES, required=False, widget=forms.Select(attrs={"aria-label": f"{gettext('结论')}：{finding.sentence}"})
        )
        self.fields[f"note_{finding.rule}"] = forms.CharField(label=finding.sentence, required=False, max_length=300, widget=forms.TextInput(attrs=where))
        self.fields[f"file_{finding.rule}"] = forms.FileField(
            label=finding.sentence, required=False, widget=forms.ClearableFileInput(attrs={"aria-label": f"{gettext('凭证文件')}：{finding.sentence}"})
        )

    def rows(self) -> list[dict[str, Any]]:
        """Per open finding: the finding and its three controls, for the table."""
        return [{"finding": f, **{name: self[f"{name}_{f.rule}"] for name in ("outcome", "note", "file")}} for f in self.findings]

    def conclusions(self) -> list[Conclusion] | None:
        """What was concluded, files kept; None when a file was refused (said beside its field)."""
        given, kept = self.cleaned_data, {}
        for name in [n for n in self.fields if n.startswith("file_") and given.get(n)]:
            try:
                kept[name] = store(given[name], name=given[name].name, allowed=EVIDENCE, max_bytes=EVIDENCE_BYTES)
            except FileRefused as refused:
                self.add_error(name, refused.sentence)
        if self.errors:
            return None
        return [self._conclusion(f.rule, given, kept) for f in self.findings if given[f"outcome_{f.rule}"]]

    @staticmethod
    def _conclusion(rule: str, given: Mapping[str, Any], kept: Mapping[str, Any]) -> Conclusion:
        note, file = given[f"note_{rule}"], kept.get(f"file_{rule}")
        if not note and file is None:  # nothing of its own: the evidence shared by all
            note, file = given["note_all"], kept.get("file_all")
        return Conclusion(rule, given[f"outcome_{rule}"], note, file)

    def tell(self, refusal: Any) -> None:
        """Put a refusal beside its row: evidence_note_<rule> belongs to the note's box."""
        problems = {name.replace("evidence_note_", "note_"): told for name, told in getattr(refusal, "problems", {}).items()}
        show(self, problems, str(refusal))
