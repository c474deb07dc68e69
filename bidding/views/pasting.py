"""Rows from a spreadsheet in the columns of a table page, for a browser without scripts; one with scripts reads them itself."""

from __future__ import annotations

from typing import Any

from bidding.forms import RowForm
from bidding.models import Bid
from bidding.paste_columns import columns_of, is_priced
from bidding.pasting import Pasted, read
from bidding.services.tables import MOST_ROWS

MOST_CHARS = 500_000


def paste_into(data: Any, row: type[RowForm], bid: Bid) -> Pasted:
    """Put the rows of the text box `pasted` behind the rows of a posted table (a mutable QueryDict) that are written on."""
    pasted = read(data.get("pasted", "")[:MOST_CHARS], columns_of(row(bid=bid)), priced=is_priced(row(bid=bid)))
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
