"""分期: an award into tranches, tranches into sources, and the payment clock — to the fen, nothing lost, nothing made. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from grants.awards.shares import AwardMoney, SourceMoney, SplitRefused, finance, split, units
from grants.money import FEN, ZERO, total, yuan
from grants.sentences import marked as _
from review.flow import Network

__all__ = ["AwardMoney", "PaymentClock", "SourceMoney", "SplitRefused", "finance", "matrix", "payment_clock", "split"]

SENTENCES: Final[Mapping[str, str]] = {
    "waiting": _("等待验收，约定验收期至 %(day)s。"),
    "running": _("应于 %(day)s 前付款，还有 %(days)d 天。"),
    "today": _("今天（%(day)s）是付款期限的最后一天。"),
    "late": _("应于 %(day)s 前付款，已逾期 %(days)d 天。"),
    "paid": _("已于 %(paid)s 付款，期限 %(day)s，按期。"),
    "paid_late": _("已于 %(paid)s 付款，期限 %(day)s，逾期 %(days)d 天。"),
}


def matrix(rows: Sequence[Decimal], columns: Sequence[Decimal]) -> tuple[tuple[Decimal, ...], ...]:
    """Tranches × sources in 元: row i adds up to rows[i], column j to columns[j], every cell within one fen of its fair share.

    The fair share is rows[i] × columns[j] ÷ total. Each cell is that share rounded down, plus at most one fen; for the odd fen
    larger remainders are tried first (controlled rounding by a flow, which always exists: the fair shares are one).
    Same input, same matrix. Raises SplitRefused (negative, sums), NotMoney.
    """
    heights, widths = units(rows), units(columns)
    if (whole := sum(heights)) != sum(widths):
        figures = {"rows": yuan(total(rows)), "columns": yuan(total(columns))}
        raise SplitRefused("sums", **figures, gap=yuan(abs(total(rows) - total(columns))))
    if not whole:
        return tuple(tuple(ZERO for _ in columns) for _ in rows)
    shares = [[divmod(h * w, whole) for w in widths] for h in heights]
    odd = _odd_fen([[rest for _, rest in row] for row in shares], whole)
    return tuple(tuple((q + ((i, j) in odd)) * FEN for j, (q, _) in enumerate(row)) for i, row in enumerate(shares))


def _odd_fen(rests: Sequence[Sequence[int]], whole: int) -> set[tuple[int, int]]:
    """Cells that get one fen more. rests: remainders of the fair shares; every row and column adds up to a multiple of whole."""
    network = Network()
    cells = [(rest, i, j) for i, row in enumerate(rests) for j, rest in enumerate(row) if rest]
    arcs = {(i, j): network.arc(("row", i), ("column", j), 1) for _, i, j in sorted(cells, key=lambda c: (-c[0], c[1], c[2]))}
    for i, row in enumerate(rests):
        network.arc("source", ("row", i), sum(row) // whole)
    for j in range(len(rests[0])):
        network.arc(("column", j), "sink", sum(row[j] for row in rests) // whole)
    network.push("source", "sink")
    return {cell for cell, arc in arcs.items() if network.flow_on(arc)}


@dataclass(frozen=True)
class PaymentClock:
    """When a tranche is to be paid, and how it stands on the day asked. days_late is 0 while in time; no interest runs."""

    due_on: date | None
    days_late: int
    days_left: int
    rule: str
    sentence: str


def _calendar(start: date, days: int) -> date:
    return start + timedelta(days=days)


def payment_clock(
    requested_on: date,
    *,
    today: date,
    pay_within: int,
    inspect_within: int = 0,
    inspected_on: date | None = None,
    paid_on: date | None = None,
    add_days: Callable[[date, int], date] = _calendar,
) -> PaymentClock:
    """The clock of one payment: due `pay_within` days after inspection; an agency that delays inspecting does not stop it.

    Shape of 保障中小企业款项支付条例 §8–9 (it protects enterprises; here a published service level, without interest): the clock
    runs from the inspection, or from the end of the agreed inspection period when that passes unused. Days are Shanghai dates;
    `add_days(start, n)` gives the n-th day after: calendar days by default, or `grants.clock.calendar.add_working_days`.
    """
    inspect_by = add_days(requested_on, inspect_within) if inspect_within else requested_on
    in_time = inspected_on is not None and (not inspect_within or inspected_on <= inspect_by)
    starts = inspected_on if in_time and inspected_on else inspect_by
    if inspected_on is None and today <= inspect_by and inspect_within and paid_on is None:
        return PaymentClock(None, 0, 0, "waiting", SENTENCES["waiting"] % {"day": inspect_by.isoformat()})
    due = add_days(starts, pay_within)
    late = max(((paid_on or today) - due).days, 0)
    left = max((due - today).days, 0) if paid_on is None else 0
    rule = _clock_rule(late, left, paid=paid_on is not None)
    words = {"day": due.isoformat(), "days": late or left, "paid": paid_on.isoformat() if paid_on else ""}
    return PaymentClock(due, late, left, rule, SENTENCES[rule] % words)


def _clock_rule(late: int, left: int, *, paid: bool) -> str:
    if paid:
        return "paid_late" if late else "paid"
    return "late" if late else "running" if left else "today"
