"""How values of a frozen bid are written on a page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django import template
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from grants.documents.writing import yuan

register = template.Library()


@register.filter
def answer(field: Mapping[str, Any]) -> str:
    """One answer of a section as text; empty when unanswered. Tables are laid out by the template."""
    return written(field["kind"], field["value"])


@register.filter
def cell(row: Mapping[str, Any], column: Mapping[str, Any]) -> str:
    """One cell of an answered table as text."""
    return written(column["kind"], row.get(column["code"]))


@register.filter
def amount(text: str) -> str:
    """"150000.00" → ¥150,000.00."""
    return yuan(Decimal(text))


@register.filter
def paste_data(rows: Any) -> str:
    """How a spreadsheet's rows are read into this table, for the browser (`web/pasting.js`)."""
    from bidding.paste_columns import columns_of, for_page, is_priced  # noqa: PLC0415 - tags are loaded before the models are

    form = rows.empty_form
    return json.dumps(for_page(columns_of(form), priced=is_priced(form)), ensure_ascii=False)


@register.inclusion_tag("bidding/_outstanding.html")
def outstanding(bid: Any, person: Any, *, on_page: bool = False) -> dict[str, Any]:
    """What stands between this bid and its submission besides its own pages, the burden meter, and other ways of filling it in."""
    from bidding.one_page import fits_one_page  # noqa: PLC0415 - tags are loaded before the models are
    from bidding.prefilled import of_bid, unsettled  # noqa: PLC0415
    from grants.calls.rulebook.effort import effort  # noqa: PLC0415
    from grants.people.permissions import permissions_of  # noqa: PLC0415

    signs = "sign_for" in permissions_of(person, bid.organisation)
    return {"bid": bid, "waits": len(unsettled(bid)), "share": of_bid(bid), "burden": effort(bid.rules), "signs": signs,
            "one_page": fits_one_page(bid.rules) and not on_page}  # fmt: skip


@register.simple_tag
def carried_in(bid: Any, section: str) -> dict[str, Any]:
    """Question's code → the mark of its carried answer, where nobody has confirmed or changed it yet."""
    from bidding.prefilled import unsettled  # noqa: PLC0415 - as above

    return {mark.field: mark for mark in unsettled(bid) if mark.section == section}


@register.filter
def for_question(marks: dict[str, Any], code: str) -> Any:
    """The mark on one question, or nothing."""
    return marks.get(code) if marks else None


@register.simple_tag
def vault_of(bid: Any) -> list[Any]:
    """The files that the applicant keeps in its vault, newest first."""
    return list(bid.organisation.vault.select_related("file").order_by("-added_at"))


@register.filter
def fitting(vault: list[Any], asked: Any) -> list[Any]:
    """Files of the vault that an item of the attachment list accepts and that have not expired; the same kind of paper first."""
    from bidding.services.attaching import fits  # noqa: PLC0415 - as above
    from grants import clock  # noqa: PLC0415

    today = clock.today()
    good = [k for k in vault if fits(asked, k) and (k.expires_on >= today if k.expires_on else not asked.expires)]
    return sorted(good, key=lambda kept: not _alike(kept.kind, asked.code))


@register.filter
def offers(kept: list[Any], asked: Any) -> bool:
    """Whether a file of the very kind that the item asks for is among them."""
    return any(_alike(each.kind, asked.code) for each in kept)


ALIKE = {"licences": "qualification", "record": "registration", "proof": "registration", "sponsor_agreement": "agreement",
         "partner_letter": "agreement", "joint_agreement": "agreement"}  # fmt: skip
"""Codes that calls give to items, and the vault's kind of paper; codes equal to a kind need no entry."""


def _alike(kind: str, code: str) -> bool:
    return kind in (code, ALIKE.get(code))


@register.filter
def times(count: int) -> range:
    """As many rows as `count`, for tables to be filled in on paper."""
    return range(int(count))


@register.filter
def points(lines: int) -> int:
    """The height of so many handwritten lines, in points."""
    return int(lines) * 16


@register.filter
def plain(text: str) -> str:
    """"80.00" → 80; "0.50" → 0.5."""
    return f"{Decimal(text).normalize():f}"


@register.simple_tag
def seal_refusal(rule: str, name: str = "") -> str:
    """Why a sealed bid did not open, in the reader's language."""
    from bidding.sealing.refusals import SealRefused  # noqa: PLC0415 - it brings the age library

    refusal = SealRefused(rule, name)
    return refusal.sentence if (get_language() or "zh").startswith("zh") else refusal.english


def written(kind: str, value: Any) -> str:
    """A JSON value of a question of `kind` as text."""
    if value in (None, "", []):
        return ""
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if kind == "file":
        return _("%(n)d 个文件，见附件") % {"n": len(value) if isinstance(value, list) else 1}
    if isinstance(value, list):
        return "、".join(map(str, value))
    return _money(value) if kind == "money" else str(value)


def _money(value: Any) -> str:
    try:
        return yuan(Decimal(str(value)))
    except InvalidOperation:
        return str(value)
