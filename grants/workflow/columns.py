"""Columns every stage shares: money in 元 with two places, and the CHECK that keeps it from going below zero."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Q


class Money(models.DecimalField):  # type: ignore[type-arg]
    """元， Decimal with two places, up to 999 999 999 999.99. Pair it with `not_negative` in the model's Meta."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 14)
        kwargs.setdefault("decimal_places", 2)
        kwargs.setdefault("default", Decimal("0.00"))
        super().__init__(*args, **kwargs)


def not_negative(model: str, *names: str) -> models.CheckConstraint:
    """CHECK: none of the named columns is below zero."""
    condition = Q()
    for name in names:
        condition &= Q(**{f"{name}__gte": 0})
    return models.CheckConstraint(name=f"{model}_not_negative", condition=condition)
