"""Filters and tags of the document templates."""

from __future__ import annotations

from decimal import Decimal

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from grants.documents.capitals import capitals
from grants.documents.writing import percent, yuan, zh_date, zh_datetime, zh_number

register = template.Library()
for written in (capitals, percent, yuan, zh_date, zh_datetime, zh_number):
    register.filter(written.__name__, written)


@register.filter
def figure(amount: Decimal) -> str:
    """150,000.00: for table columns whose head names the unit."""
    return yuan(amount, symbol=False)


@register.simple_tag(takes_context=True)
def clause(context: template.Context, title: str) -> SafeString:
    """The heading of the next clause: 第十二条 title. Needs a contract.Numbering as `numbering`."""
    return format_html("<h2>{} {}</h2>", context["numbering"].next_clause(), title)


@register.simple_tag(takes_context=True)
def point(context: template.Context) -> str:
    """The number of the next paragraph of the clause: 12.3."""
    return f"{context['numbering'].next_point()} "
