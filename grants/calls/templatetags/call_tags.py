"""How a call's figures and rules are written on its pages."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.translation import get_language, gettext

from grants.documents.capitals import AmountNotWritable
from grants.documents.capitals import capitals as in_capitals
from grants.web import speaking

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
def flaw(problem: Any) -> str:
    """What a problem says. On an English page the name of the contradiction comes first; the figures follow as the linter said them."""
    if _chinese():
        return str(problem.message)
    from grants.calls.rulebook.lint.registry import CONTRADICTIONS  # noqa: PLC0415 - the rules are slow to import

    name = next((gettext(each.name) for each in CONTRADICTIONS if each.code == problem.code), "")
    said = speaking.spoken(problem.message)
    return format_html('{} <span lang="zh-Hans">{}</span>', f"{name}:", said) if name and said == problem.message else said


@register.filter
def changed(change: Any) -> str:
    """A change between two versions of the rules; on an English page the way to it is told by the keys, whose names are English."""
    sentence = str(change["sentence"] if isinstance(change, dict) else change.sentence)
    said = speaking.spoken(sentence)
    if said == sentence:
        return sentence
    path = str(change["path"] if isinstance(change, dict) else change.path)
    way = " · ".join(re.sub(r"\[(.*)\]", r" “\1”", step).replace("_", " ") for step in re.split(r"\.(?![^\[]*\])", path))
    return f"{way}: {said.partition(': ')[2]}"


@register.filter
def bracketed(text: Any) -> str:
    """What stands in brackets: full-width in Chinese, half-width after a space elsewhere."""
    return format_html("（{}）" if _chinese() else " ({})", text)


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
