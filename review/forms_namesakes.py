"""The form that settles suggestions by name: which, why, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from grants.people.models import User
from review import services
from review.models import ConflictHit

Settle = Callable[..., ConflictHit]


def _agree(hit: ConflictHit, reason: str, *, by: User) -> ConflictHit:
    """As proposed, whichever it was."""
    settle = services.confirm_hit if hit.proposed_outcome == ConflictHit.Outcome.CONFIRM else services.dismiss_hit
    return settle(hit, reason, by=by)


ACTS: Final[Mapping[str, Settle]] = {
    "confirm": services.propose_confirmation, "dismiss": services.propose_dismissal, "agree": _agree, "refuse": services.keep_hit,
}  # fmt: skip


class SettleForm(forms.Form):
    """Several suggestions at once with one reason: one person looks up a namesake once for all its bids."""

    hit = forms.ModelMultipleChoiceField(
        ConflictHit.objects.none(), label=_("要办理的线索"), error_messages={"required": _("请勾选至少一条线索。")}
    )
    reason = forms.CharField(
        label=_("核实经过和理由"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}), error_messages={"required": _("请写明理由。")},
        help_text=_("写明怎样核实的，例如电话核实、核对身份证后四位不同。不要写身份证号。"),
    )  # fmt: skip
    do = forms.ChoiceField(choices=[(name, name) for name in ACTS], widget=forms.HiddenInput)

    def __init__(self, *args: Any, rows: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["hit"].queryset = rows  # type: ignore[attr-defined]

    @property
    def chosen(self) -> set[str]:
        """What was ticked, for the page that comes back."""
        return set(self.data.getlist("hit")) if self.is_bound else set()  # type: ignore[attr-defined]

    def carry_out(self, by: User) -> int:
        """Settle what was ticked, all or none; how many. Raises a refusal."""
        data = self.cleaned_data
        return len(services.settle_all(data["hit"], ACTS[data["do"]], data["reason"], by=by))
