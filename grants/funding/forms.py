"""Forms of funding: receipts, expenses, references; and what the tranche's steps ask for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from grants.funding.expenses import Nature
from grants.funding.models import Expense, Receipt, Tranche
from grants.web.fields import YuanField
from grants.workflow.machine import Machine
from grants.workflow.pages import StepForm


class ReceiptForm(forms.ModelForm):  # type: ignore[type-arg]
    """票据."""

    def __init__(self, *args: Any, accepted: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = {k.value for k in accepted}
        self.fields["kind"].choices = [c for c in Receipt.Kind.choices if c[0] in kinds]  # type: ignore[attr-defined]

    file = forms.FileField(label=_("票据扫描件"), help_text=_("PDF、JPG 或 PNG，不超过 10 MB。"))

    class Meta:
        model = Receipt
        fields = ("kind", "number", "issued_on", "payer_title", "amount")
        widgets = {"issued_on": forms.DateInput(attrs={"type": "date"})}  # noqa: RUF012 - Django's own shape


class ExpenseForm(forms.ModelForm):  # type: ignore[type-arg]
    """支出： grant money is booked on an agreed line, match money is not."""

    nature = forms.ChoiceField(
        label=_("是否属于不得列支事项"), required=False, choices=[("", _("都不是")), *((n.value, n.zh) for n in Nature)],
        help_text=_("如实选择；属于其中一项的，资助资金不能列支。"),
    )  # fmt: skip
    voucher_file = forms.FileField(label=_("凭证扫描件"), required=False, help_text=_("PDF、JPG 或 PNG，可以以后补交。"))

    class Meta:
        model = Expense
        fields = ("money", "line", "spent_on", "category", "purpose", "payee", "amount", "method", "voucher_no")
        widgets = {"spent_on": forms.DateInput(attrs={"type": "date"})}  # noqa: RUF012 - Django's own shape

    def __init__(self, *args: Any, award: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["line"].queryset = award.lines.all()  # type: ignore[attr-defined]
        self.fields["line"].required = False
        self.fields["line"].label = _("核定预算行")
        categories = [(c.code, c.name) for c in award.bid.rules.budget.categories]
        self.fields["category"] = forms.ChoiceField(label=_("费用类别"), choices=categories)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("money") == "grant" and cleaned.get("line") is None:
            self.add_error("line", _("资助资金的支出须选择核定预算行。"))
        return cleaned


class ReferenceForm(forms.Form):
    """A bank reference."""

    bank_reference = forms.CharField(label=_("银行流水号"), max_length=60)


class VoucherForm(forms.Form):
    """A voucher's scan, handed in later."""

    file = forms.FileField(label=_("凭证扫描件"), help_text=_("PDF、JPG 或 PNG，不超过 10 MB。"))


class ReasonForm(forms.Form):
    """A reason."""

    reason = forms.CharField(label=_("原因"), max_length=200, widget=forms.Textarea(attrs={"rows": 2}))


class ChangeForm(forms.Form):
    """变更: one amount per agreed line, one figure per target, months, people, and why."""

    extension_months = forms.IntegerField(label=_("延期（月）"), min_value=0, required=False, initial=0)
    people = forms.CharField(
        label=_("人员变更"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 3}), help_text=_("谁换成谁、资质如何。没有变更不填。")
    )
    reason = forms.CharField(label=_("原因"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4}))

    def __init__(self, *args: Any, award: Any, targets: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines, self.targets = list(award.lines.all()), targets
        for line in self.lines:
            self.fields[f"line_{line.pk}"] = YuanField(label=line.name, initial=line.agreed)
        for key, (name, figure, unit) in targets.items():
            self.fields[f"target_{key}"] = forms.IntegerField(label=f"{name}（{unit}）", min_value=0, initial=figure)

    @property
    def line_fields(self) -> list[Any]:
        return [self[f"line_{line.pk}"] for line in self.lines]

    @property
    def target_fields(self) -> list[Any]:
        return [self[f"target_{key}"] for key in self.targets]

    def details(self) -> dict[str, Any]:
        """Keyword arguments of `propose_change`."""
        given = self.cleaned_data
        return {
            "lines": {line.pk: given[f"line_{line.pk}"] for line in self.lines},
            "targets": {key: given[f"target_{key}"] for key in self.targets},
            "extension_months": given["extension_months"] or 0, "people": given["people"], "reason": given["reason"],
        }  # fmt: skip


class ConfirmPaidForm(StepForm):
    """确认已付： the bank's slip."""

    bank_reference = forms.CharField(label=_("银行回单流水号"), max_length=60, help_text=_("一笔回单只能核销一张付款单。"))


STEP_FORMS: dict[tuple[type[Machine], str], type[StepForm]] = {(Tranche, "confirm_paid"): ConfirmPaidForm}
