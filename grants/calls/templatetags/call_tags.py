"""How a call's figures and rules are written on its pages."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django import template
from django.utils.translation import get_language

from grants.documents.capitals import AmountNotWritable
from grants.documents.capitals import capitals as in_capitals

register = template.Library()


@register.filter
def percent(share: Decimal | None) -> str:
    """60.00 → 60%, 12.50 → 12.5%; a dash for none."""
    return "—" if share is None else f"{share.normalize():f}%"


def _chinese() -> bool:
    return (get_language() or "zh").startswith("zh")


@register.filter
def label(shape: Any) -> str:
    """What a key of the rules is called, in the reader's language: its Chinese title, or its name in files."""
    return str(shape.title if _chinese() else shape.english)


@register.filter
def note(shape: Any) -> str:
    """What the model says of the key. The descriptions are English; Chinese pages do with the title."""
    return "" if _chinese() else str(shape.note)


@register.filter
def capitals(text: Any) -> str:
    """150,000.00 → 壹拾伍万元整; empty for what is no amount (yet)."""
    try:
        return in_capitals(Decimal(str(text).replace(",", "")))
    except (InvalidOperation, AmountNotWritable):
        return ""


@register.filter
def row_name(node: Any) -> str:
    """What an element calls itself: its name, title, label or number; empty for a blank one."""
    texts = {child.shape.key: child for child in node.children}
    for key in ("name", "title", "label", "text", "action", "kind", "by", "code", "no", "at"):
        if key in texts and texts[key].value:
            return spoken(texts[key])
    return ""


@register.filter
def spoken(node: Any) -> str:
    """A control's value as a person says it: the words of a choice instead of its code."""
    return dict(node.options).get(node.value, str(node.value))
