"""Rows from a spreadsheet in the columns of a table page."""

from __future__ import annotations

from typing import Any

from django import forms

from bidding.forms import RowForm
from bidding.models import Bid
from bidding.pasting import Column, Pasted, read
from bidding.services.tables import MOST_ROWS

MOST_CHARS = 500_000


def read_into(row: type[RowForm], bid: Bid, text: str) -> Pasted:
    """What `text` says in the columns of a table."""
    return read(text[:MOST_CHARS], columns_of(row(bid=bid)), priced="unit_price" in row.base_fields)


def columns_of(form: RowForm) -> list[Column]:
    """The columns of a table as pasting reads them: headings are the labels and what else people call them."""
    return [
        Column(
            code=name,
            names=(str(field.label), *form.called.get(name, ())),
            choices={str(said): str(code) for code, said in getattr(field, "choices", ()) if code},
            number=name in form.figures,
            tick=isinstance(field, forms.BooleanField),
        )
        for name, field in form.fields.items()
    ]


def paste_into(data: Any, row: type[RowForm], bid: Bid) -> Pasted:
    """Put the rows of the text box `pasted` behind the rows of a posted table (a mutable QueryDict) that are written on."""
    pasted = read_into(row, bid, data.get("pasted", ""))
    total = data.get("form-TOTAL_FORMS", "")
    place = _last_written(data, int(total) if total.isdigit() else 0, row.counts)
    for cells in pasted.rows[: MOST_ROWS - place]:
        for name, value in cells.items():
            data[f"form-{place}-{name}"] = value
        place += 1
    data["form-TOTAL_FORMS"] = str(max(place, int(total) if total.isdigit() else 0))
    return pasted


def _last_written(data: Any, total: int, counts: tuple[str, ...]) -> int:
    """How many rows there are up to the last one in which something of `counts` was typed."""
    written = [i for i in range(min(total, MOST_ROWS)) if any(data.get(f"form-{i}-{name}", "").strip() for name in counts)]
    return max(written, default=-1) + 1
