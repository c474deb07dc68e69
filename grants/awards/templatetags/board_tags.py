"""The dot strip of the ranking board: every expert's points on one scale, drawn by the server, readable without seeing it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from grants.awards.board_figures import Dot

register = template.Library()
WIDTH, HEIGHT, EDGE = 144, 24, 6


@register.simple_tag
def dot_strip(dots: Sequence[Dot], mean: Decimal, scale: tuple[Any, Any]) -> SafeString:
    """SVG: a dot per ballot (hollow: dropped by the trimming), a bar at the score. scale: lowest and highest ballot of the board."""
    if not dots:
        return SafeString("—")
    words = _("各专家评分：%(all)s") % {"all": "、".join(f"{d.total}{_('（去掉）') if d.dropped else ''}" for d in dots)}
    marks = format_html_join("", '<circle class="gc-dots__mark{}" cx="{}" cy="12" r="4"></circle>', _circles(dots, scale))
    bar = _place(mean, scale)
    return format_html(
        '<svg class="gc-dots" viewBox="0 0 {w} {h}" role="img" aria-label="{words}"><line class="gc-dots__rule" x1="0" x2="{w}" y1="12" y2="12"></line>'
        '<line class="gc-dots__mean" x1="{bar}" x2="{bar}" y1="2" y2="22"></line>{marks}</svg>',
        w=WIDTH, h=HEIGHT, words=words, bar=bar, marks=marks,
    )  # fmt: skip


def _circles(dots: Sequence[Dot], scale: tuple[Any, Any]) -> list[tuple[str, str]]:
    return [(" gc-dots__mark--dropped" if d.dropped else "", _place(d.total, scale)) for d in dots]


def _place(value: Decimal, scale: tuple[Any, Any]) -> str:
    low, high = Decimal(scale[0]), Decimal(scale[1])
    share = (Decimal(value) - low) / (high - low) if high > low else Decimal("0.5")
    return f"{EDGE + min(max(share, Decimal(0)), Decimal(1)) * (WIDTH - 2 * EDGE):.1f}"
