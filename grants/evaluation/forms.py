"""Forms of evaluation: nominating an evaluator, the sheet, evidence."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as now
from django.utils.translation import gettext_lazy as _

from grants.evaluation.grades import sheet
from grants.evaluation.models import Evaluation
from grants.evaluation.reports import papers_of
from grants.people.models import User
from grants.workflow.machine import Machine
from grants.workflow.pages import StepForm


class NominateForm(StepForm):
    """指定评估人： by user name, so that nobody browses a list of people."""

    username = forms.CharField(
        label=_("评估人用户名"), max_length=150, help_text=_("评估人不得来自受助方、托管组织、承办方，也不得经办本项目。")
    )

    def clean_username(self) -> User:
        found = User.objects.filter(username=self.cleaned_data["username"].strip(), is_active=True).first()
        if found is None:
            raise forms.ValidationError(_("没有这个账号，请核对用户名。"))
        return found

    def details(self) -> dict[str, Any]:
        return {"evaluator": self.cleaned_data["username"]}


class GradeForm(StepForm):
    """评估表： a score per criterion up to its weight, bonus and penalty within the rules' limits."""

    def __init__(self, *args: Any, obj: Any, **kwargs: Any) -> None:
        super().__init__(*args, obj=obj, **kwargs)
        asked = sheet(obj)
        for c in asked.criteria:
            label = now("%(name)s(0–%(weight)s 分）") % {"name": c.name, "weight": c.weight.normalize()}
            self.fields[f"c_{c.code}"] = _points(label, c.weight, c.note)
        if asked.bonus_max:
            self.fields["bonus"] = _points(
                now("加分（不超过 %(n)s)") % {"n": asked.bonus_max.normalize()}, asked.bonus_max, "", initial=0
            )
        if asked.penalty_max:
            self.fields["penalty"] = _points(
                now("扣分（不超过 %(n)s)") % {"n": asked.penalty_max.normalize()}, asked.penalty_max, "", initial=0
            )
        self.fields["comment"] = forms.CharField(label=now("评语"), required=False, widget=forms.Textarea(attrs={"rows": 4}))
        self.order_fields([name for name in self.fields if name != "note"] + ["note"])

    def details(self) -> dict[str, Any]:
        data = self.cleaned_data
        scores = {name[2:]: value for name, value in data.items() if name.startswith("c_")}
        return {
            "scores": scores,
            "bonus": data.get("bonus") or 0,
            "penalty": data.get("penalty") or 0,
            "comment": data.get("comment", ""),
        }


def _points(label: str, most: Decimal, note: str, **more: Any) -> forms.DecimalField:
    return forms.DecimalField(label=label, min_value=0, max_value=most, decimal_places=2, help_text=note, **more)


class EvidenceForm(forms.Form):
    """A paper for the project's file."""

    code = forms.ChoiceField(label=_("材料"))
    file = forms.FileField(label=_("文件"), help_text=_("PDF、图片、DOCX 或 XLSX，不超过 20 MB。"))

    def __init__(self, *args: Any, award: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choices = papers_of(award)
        self.fields["code"].choices = list(self.choices.items())  # type: ignore[attr-defined]


STEP_FORMS: dict[tuple[type[Machine], str], type[StepForm]] = {
    (Evaluation, "nominate"): NominateForm,
    (Evaluation, "grade"): GradeForm,
}
