"""What an auditor types: which list to draw from and how many; then the number that was thrown."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from grants.desk.audit.tables import SAMPLED


class FreezeForm(forms.Form):
    """Freeze a list. `reason` is asked for only where the list was drawn from before."""

    of = forms.ChoiceField(label=_("从什么里面抽"))
    size = forms.IntegerField(label=_("抽几项"), min_value=1, max_value=10_000)
    source = forms.CharField(
        label=_("随机数从哪里来"), max_length=100,
        help_text=_("锁定名单之后才产生的数，例如“由监督员当场掷骰子四次”或“下一期福彩双色球开奖号码”。"),
    )  # fmt: skip
    reason = forms.CharField(label=_("再次抽取的理由"), max_length=200, required=False, help_text=_("同一名单第二次抽取时必填。"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["of"].choices = [(code, name) for code, (name, _rows) in SAMPLED.items()]  # type: ignore[attr-defined]


class SayForm(forms.Form):
    """The number, as it was read out."""

    said = forms.CharField(label=_("当场产生的随机数"), max_length=100, help_text=_("照实填写，例如“骰子 3 6 2 5”。填写后不能再改。"))
