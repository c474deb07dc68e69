"""Tags and filters of the pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms, template
from django.core.paginator import Page
from django.forms.boundfield import BoundField
from django.template import Context
from django.template.loader import render_to_string
from django.template.loader_tags import BLOCK_CONTEXT_KEY
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from grants.documents.writing import yuan as yuan_text
from grants.web import masking, rendering, speaking
from grants.web.charts import Chart
from grants.web.moments import day_text, moment_text
from grants.web.tables import Table

register = template.Library()
for masked in (masking.mask_phone, masking.mask_id, masking.mask_bank, masking.mask_name):
    register.filter(masked.__name__, masked)
register.filter("kind_of", rendering.kind_of)
register.filter("is_group", rendering.is_group)
register.filter("control", rendering.control)
register.filter("said", speaking.spoken)


@register.filter
def yuan(amount: Decimal | None) -> str:
    """¥150,000.00; a dash for no amount. Refuses floats (TypeError)."""
    return "—" if amount is None or amount == "" else yuan_text(amount)


@register.filter
def zh_datetime(moment: dt.datetime | None) -> str:
    """2026年9月30日 17:00, on an English page 30 September 2026 17:00; Beijing time; a dash for none."""
    return moment_text(moment) if moment else "—"


@register.filter
def term(word: str) -> str:
    """A word of a choice in a call's rules, in the reader's language."""
    return pgettext("rules", word) if word else ""


@register.filter
def moment(text: str) -> dt.datetime | None:
    """A moment that was kept as ISO text, in a session for instance; None for nothing."""
    return dt.datetime.fromisoformat(text) if text else None


@register.filter
def zh_date(day: dt.date | None) -> str:
    """2026年9月30日, on an English page 30 September 2026; a dash for none."""
    return day_text(day) if day else "—"


@register.simple_tag
def field(bound: BoundField, **extra: Any) -> SafeString:
    """One field with label, hint, error and control. `{% field form.name rows=4 %}` passes attributes to the control."""
    bound.field.widget.attrs.update(extra)
    return render_to_string("web/forms/field.html", {"field": bound})


@register.simple_tag
def form_errors(form: forms.BaseForm) -> SafeString:
    """The error summary: every error of the form in order, each a link to its control. Nothing when there is none."""
    errors = list(_linked_errors(form))
    return render_to_string("web/partials/error_summary.html", {"errors": errors}) if errors else SafeString("")


def _linked_errors(form: forms.BaseForm) -> Iterable[tuple[str, str]]:
    """(address of the control, sentence); the first choice stands for a group of choices."""
    for sentence in form.non_field_errors():
        yield "", str(sentence)
    for bound in form:
        first = f"{bound.auto_id}_0" if rendering.is_group(bound) else bound.auto_id
        for sentence in bound.errors:
            yield f"#{first}", f"{str(bound.label).rstrip('。：')}：{sentence}"


@register.simple_tag
def tag(state: str, label: str) -> SafeString:
    """A state as a tag. Never a link; the words carry the meaning, the colour repeats it."""
    return format_html('<strong class="govuk-tag gc-tag-{}">{}</strong>', state, label)


@register.simple_tag
def money(amount: Decimal | None) -> SafeString:
    """An amount that never breaks over a line, in figures of one width."""
    return format_html('<span class="gc-money">{}</span>', yuan(amount))


@register.inclusion_tag("web/partials/file_link.html")
def file_link(url: str, name: str, stored: Any) -> dict[str, Any]:
    """A stored file as a download link with size and the head of its hash. stored: has `size` and `sha256`."""
    return {"url": url, "name": name, "size": stored.size, "sha256": stored.sha256}


@register.simple_tag
def page_numbers(page: Page[Any]) -> list[int | str]:
    """The page numbers to offer around the current one, with gaps elided."""
    return list(page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1))


@register.simple_tag
def required_note(form: forms.BaseForm) -> str:
    """One sentence when only some fields are optional; most forms of ours ask for everything."""
    return _("没有注明“选填”的都要填写。") if any(not bound.field.required for bound in form.visible_fields()) else ""


@register.inclusion_tag("web/partials/data_table.html")
def data_table(table: Table) -> dict[str, Any]:
    """A list with filter, sorting, pages, a choice of columns and its files (`grants.web.tables`)."""
    return {"table": table}


@register.inclusion_tag("web/forms/small.html")
def filter_field(bound: BoundField) -> dict[str, Any]:
    """One field of a filter: a short label above the control, never marked as optional, since all of them are."""
    return {"field": bound}


@register.inclusion_tag("web/partials/chart.html")
def chart(drawn: Chart) -> dict[str, Any]:
    """A chart of `grants.web.charts`: picture, what it says, and the table of the same values."""
    return {"chart": drawn, "picture": mark_safe(drawn.svg)}  # noqa: S308 - every word in it was escaped by grants.web.drawing


@register.simple_tag(takes_context=True)
def page_title(context: Context) -> str:
    """What the page's own `title` block says, so that the trail can end with it without every page saying it twice."""
    blocks = context.render_context.get(BLOCK_CONTEXT_KEY)
    block = blocks.get_block("title") if blocks is not None else None
    return mark_safe(" ".join(block.render(context).split())) if block is not None else ""  # noqa: S308 - rendered, so escaped


@register.inclusion_tag("web/partials/record_mark.html")
def record_mark(obj: Any) -> dict[str, Any]:
    """The head of a record: its number, and – where it has them at hand, without asking the database – its version and digest."""
    rules = getattr(getattr(obj, "_state", None), "fields_cache", {}).get("rules_version")
    number = next((str(found) for name in ("number", "code", "key") if (found := getattr(obj, name, ""))), "")
    return {
        "number": number if not number.isdigit() else str(obj),  # a tranche's number is just its place in the plan
        "version": getattr(obj, "version", "") or getattr(rules, "version", ""),
        "sha256": getattr(obj, "text_hash", "") or getattr(rules, "hash", ""),
    }
