"""What an auditor types: which list to draw from, how many and by which beacon; then the beacon's value."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from grants.desk.audit.tables import SAMPLED
from review.forms_draw import BeaconTerms


class FreezeForm(BeaconTerms):
    """Freeze a list. `reason` is needed only where the list was drawn from before."""

    of = forms.ChoiceField(label=_("从什么里面抽"))
    size = forms.IntegerField(label=_("抽几项"), min_value=1, max_value=10_000)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, again=True, **options)
        self.fields["of"].choices = [(code, name) for code, (name, _rows) in SAMPLED.items()]  # type: ignore[attr-defined]
        self.fields["reason"].required = False
        self.fields["reason"].help_text = _("同一名单第二次抽取时必填。")
        self.order_fields(["of", "size", "beacon_kind", "source", "round", "due", "reason"])

    def terms(self) -> dict[str, Any]:
        """Keyword arguments for `samples.freeze`."""
        return {"of": self.cleaned_data["of"], "size": self.cleaned_data["size"], **super().terms()}


class SayForm(forms.Form):
    """The beacon's value, as it was published, and where."""

    said = forms.CharField(label=_("结果"), max_length=200, help_text=_("照公告逐字填写；drand 填 randomness。填写后不能再改。"))
    evidence = forms.CharField(label=_("依据"), max_length=500, help_text=_("网址、公告名称和日期；drand 填 signature。"))

    def __init__(self, *args: Any, thrown: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        if thrown:  # an older list: the number is said in the room
            self.fields["evidence"].required = False
