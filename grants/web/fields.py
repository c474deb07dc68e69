"""Form fields for the way numbers and dates are typed in Chinese offices: full width, with separators, with blanks."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

AMOUNT = re.compile(r"^-?\d+(\.\d+)?$")  # no exponents: 1e3 is a slip of the finger, not an amount
SEPARATORS = re.compile(r"[\s,，、￥¥元]")


def plain_digits(value: str) -> str:
    """１５０，０００．００ 元 → 150000.00: what a person means by what an input method types."""
    return SEPARATORS.sub("", unicodedata.normalize("NFKC", value))


class YuanInput(forms.TextInput):
    """An amount: ¥ before the box, a number keyboard on telephones."""

    prefix = "¥"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"inputmode": "decimal", "spellcheck": "false", "class": "govuk-input--width-10", **(attrs or {})})


class YuanField(forms.DecimalField):
    """An amount in 元: at most two places, not negative, at most 9999亿. Accepts full-width digits, separators and 元.

    Cleans to Decimal with exactly two places. More than two places is refused rather than rounded: the amount is what was written.
    """

    widget = YuanInput

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_value": Decimal(0), "max_digits": 14, "decimal_places": 2, **options})
        for validator in self.validators:
            if isinstance(validator, MaxValueValidator):
                validator.message = _("金额不能超过 %(limit_value)s 元。")
            elif isinstance(validator, MinValueValidator):
                validator.message = _("金额不能低于 %(limit_value)s 元。")

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]  # the stubs say int
        typed = plain_digits(value) if isinstance(value, str) else value
        if isinstance(typed, float) or (isinstance(typed, str) and typed and not AMOUNT.match(typed)):
            raise ValidationError(_("请输入金额，例如 150,000.00。"), code="invalid")
        return super().to_python(typed)

    def clean(self, value: Any) -> Decimal | None:
        found = super().clean(value)
        return None if found is None else found.quantize(Decimal("0.01"))


class DayInput(forms.DateInput):
    """A day, with the browser's calendar where it has one."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"class": "govuk-input--width-10", **(attrs or {})}, format="%Y-%m-%d")


class DayField(forms.DateField):
    """A day; also accepts 2026年9月30日, 2026.9.30, 2026/9/30 and full-width digits."""

    widget = DayInput

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            text = unicodedata.normalize("NFKC", value).strip()
            value = re.sub(r"^(\d{4})[年./-](\d{1,2})[月./-](\d{1,2})日?$", r"\1-\2-\3", text)
        return super().to_python(value)
