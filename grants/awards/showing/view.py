"""One call's ranking as one person sees it, and the shape of an exhibit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from grants.awards.board import Board, Row, board
from grants.awards.showing.audience import Audience, own_bids
from grants.calls.models import Call
from grants.web.cells import Column
from grants.web.charts import Chart
from review.analysing import kept
from review.analysis import Analysis
from review.models import Panel

FEW = 3
"""Fewer ballots of one expert, or experts behind a cell, are not shown (review.md §5)."""
MOST = 300
"""Bids in one picture; the file has all of them."""


@dataclass
class Exhibit:
    """One thing shown. rows: of the file, by column; chart: None for a table alone; note: what to know about it."""

    key: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Any]
    charts: Sequence[Chart] = ()
    note: str = ""
    total_of: tuple[str, ...] = ()

    @property
    def shown(self) -> list[list[tuple[str, str]]]:
        """The first `MOST` rows as (text, kind) cells, for a page: amounts grouped, nothing as a dash."""
        return [[(_cell(c.value(row), c.kind), c.kind) for c in self.columns] for row in self.rows[:MOST]]


def _cell(value: Any, kind: str) -> str:
    if value is None or value == "":
        return "—"
    return f"{value:,.2f}" if kind == "money" else f"{value:f}" if isinstance(value, Decimal) else str(value)


@dataclass
class View:
    """A call as one person sees it: the board, every opened panel's analysis, own bids."""

    call: Call
    who: Audience
    actor: Any
    _kept: dict[Any, Analysis | None] = field(default_factory=dict)

    @cached_property
    def board(self) -> Board:
        return board(self.call)

    @cached_property
    def own(self) -> frozenset[Any]:
        return own_bids(self.call, self.actor) if self.who is Audience.BIDDER else frozenset()

    @cached_property
    def panels(self) -> list[tuple[Panel, list[Row]]]:
        """Panels with their rows, in the order of the board."""
        found: dict[Any, tuple[Panel, list[Row]]] = {}
        for row in self.board.rows:
            found.setdefault(row.result.panel_id, (row.result.panel, []))[1].append(row)
        return list(found.values())

    def analysis(self, panel: Panel) -> Analysis | None:
        if panel.pk not in self._kept:
            self._kept[panel.pk] = kept(panel)
        return self._kept[panel.pk]

    def name(self, row: Row) -> str:
        """What a bid is called here: its number for those inside, for its bidder, and where it stands in the public notice."""
        public = row.award is not None and row.award.notice_id is not None
        if self.who >= Audience.STAFF or public or row.bid.pk in self.own:
            return str(row.bid.number)
        return _("第 %(place)s 名") % {"place": row.result.rank or "—"}


def suffix(panel: Panel, view: View) -> str:
    """The panel's name where there are several."""
    return f"（{panel.name}）" if len(view.panels) > 1 else ""


def key_of(code: str, panel: Panel) -> str:
    return f"{code}-{panel.pk.hex[:6]}"


def plain(value: Any) -> str:
    """A number for a picture: grouped, no idle zeros."""
    return f"{Decimal(value).normalize():,f}"


def said(words: Any) -> str:
    """A sentence of the analysis in the reader's language."""
    return str(words.en if (get_language() or "").startswith("en") else words.zh)
