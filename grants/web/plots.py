"""Plots of a ranking: own score beside another, money down a list, ranks with their intervals, spreads, signed heat maps.

The sisters of `grants.web.charts`, for the same pages and under the same promises: every function gives a `Chart`, picture and table of the
same values; patterns, symbols and figures beside colour; words come from the caller in the active language. Pure; no script, no style.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from grants.web.drawing import (
    BRAND,
    GAP,
    HALO,
    INK,
    LINE,
    PALE,
    QUIET,
    WIDTH,
    Chart,
    Number,
    Show,
    finished,
    grouped,
    hatch_def,
    highest,
    label_room,
    mark_line,
    plate,
    put_text,
    rectangle,
    refuse_negative,
    row_name,
    share_of,
    width_of,
)

LOW: Final = 20  # height of a row of a caterpillar plot
TALL: Final = 180  # height of upright bars
GROUPS: Final = {"in": ("#0b5394", "●"), "between": ("#b5482a", "◆"), "out": ("#505a5f", "■")}
SLIM: Final = 7


def compare(
    key: str, title: Any, rows: Sequence[tuple[Any, Number, Number, Number | None]], *, heads: Sequence[Any], nothing: Any = "—",
    show: Show = grouped, summary: Any = "",
) -> Chart:  # fmt: skip
    """One bar a row of what it could be at most, filled to the own value; a diamond on a line marks the value it is compared with.

    rows: (name, own, most, other or None where there is nothing to compare with). heads: of names, own, most, other.
    """
    refuse_negative([v for _l, own, most, other in rows for v in (own, most, other or 0)])
    left, tail = label_room([row[0] for row in rows]), width_of("100.00 / 100") + GAP
    room, drawn = WIDTH - left - tail, []
    for at, (label, own, most, other) in enumerate(rows):
        y, top = at * LINE, highest([most])
        drawn.append(row_name(str(label), left, y) + rectangle(left, y + 6, room, LINE - 12, "#ffffff", edge=QUIET))
        drawn.append(rectangle(left, y + 6, room * min(share_of(own, top), 1), LINE - 12, BRAND))
        if other is not None:
            drawn.append(_diamond(left + room * min(share_of(other, top), 1), y + LINE / 2))
        drawn.append(put_text(left + room + GAP, y + 20, f"{show(own)} / {show(most)}"))
    table = tuple((str(label), show(own), show(most), str(nothing) if other is None else show(other)) for label, own, most, other in rows)
    return finished(key, title, summary, drawn, len(rows) * LINE, heads, table)


def _diamond(x: float, y: float) -> str:
    rule = f'<path d="M{x:g} {y - 13:g}v26" stroke="{INK}" stroke-width="2"/>'
    return rule + f'<path d="M{x:g} {y - 7:g}l7 7l-7 7l-7 -7z" fill="#f2c14e" stroke="{INK}" stroke-width="1.5"/>'


@dataclass(frozen=True)
class Block:
    """One bid on the budget line. grant: 元, what it gets; nothing (0) is drawn as a slim hollow bar. reserved: from a sub-quota, hatched."""

    label: str
    name: str
    score: Number
    grant: Number
    reserved: bool = False


def budget_line(
    key: str, title: Any, blocks: Sequence[Block], budget: Number, *, line: Any, heads: Sequence[Any], kinds: tuple[Any, Any, Any],
    show: Show = grouped, exact: Show | None = None, summary: Any = "",
) -> Chart:  # fmt: skip
    """Bids in official order side by side: width is the grant, height the score; a dashed line where the budget ends.

    line: the words at the dashed line. kinds: words for paid from the open pool, from a sub-quota (hatched), not paid (hollow), which are
    the legend. heads: place, bid, score, grant, sum so far, kind. Scores 0 … 100.
    """
    refuse_negative([v for b in blocks for v in (b.score, b.grant, budget)])
    used = sum((Decimal(b.grant) for b in blocks), Decimal(0))
    slim = min(SLIM, (WIDTH / 2) / max(sum(not b.grant for b in blocks), 1))
    room = WIDTH - 46 - slim * sum(not b.grant for b in blocks)
    scale = room / (float(max(used, Decimal(budget))) or 1.0)
    drawn, x, last = [hatch_def(key), *_score_rules(46)], 46.0, 46.0
    for block in blocks:
        width = float(block.grant) * scale if block.grant else slim
        drawn.append(_upright(key, block, x, width))
        x += width
        last = x if block.grant else last
    edge = min(last + float(max(Decimal(budget) - used, Decimal(0))) * scale, WIDTH - 1)
    drawn.append(mark_line(edge, TALL + 32, f"{line} {show(budget)}"))
    drawn += _kinds(key, kinds, TALL + 84)
    return finished(key, title, summary, drawn, TALL + 96, heads, _summed(blocks, kinds, show, exact or show))


def _score_rules(left: float) -> list[str]:
    drawn = []
    for tick in (0, 20, 40, 60, 80, 100):
        y = 10 + TALL * (1 - tick / 100)
        drawn.append(f'<path d="M{left:g} {y:g}H{WIDTH}" stroke="{QUIET}" opacity="0.5"/>' + put_text(left - GAP, y + 5, str(tick), anchor="end", quiet=True))
    return drawn


def _upright(key: str, block: Block, x: float, width: float) -> str:
    """One bid's bar, its place under it where there is room, its score over it."""
    height = TALL * min(float(block.score) / 100, 1)
    fill = "#ffffff" if not block.grant else f"url(#{key}-gap)" if block.reserved else PALE
    drawn = rectangle(x, 10 + TALL - height, max(width - 1, 1), height, fill, edge=INK if block.grant else QUIET)
    if width >= width_of(block.label) + 4:
        drawn += put_text(x + width / 2, TALL + 28, block.label, anchor="middle")
    if width >= width_of(grouped(block.score)) + 6:
        drawn += plate(x + width / 2, TALL - height + 12, grouped(block.score))
    return drawn


def _kinds(key: str, kinds: Sequence[Any], y: float) -> list[str]:
    fills, x, drawn = (PALE, f"url(#{key}-gap)", "#ffffff"), 46.0, []
    for fill, words in zip(fills, kinds, strict=True):
        drawn.append(rectangle(x, y - 13, 16, 16, fill, edge=INK) + put_text(x + 22, y, str(words)))
        x += 22 + width_of(str(words)) + 2 * GAP
    return drawn


def _summed(blocks: Sequence[Block], kinds: Sequence[Any], show: Show, exact: Show) -> tuple[tuple[str, ...], ...]:
    running, rows = Decimal(0), []
    for block in blocks:
        running += Decimal(block.grant)
        kind = kinds[2] if not block.grant else kinds[1] if block.reserved else kinds[0]
        rows.append((block.label, block.name, show(block.score), exact(block.grant), exact(running), str(kind)))
    return tuple(rows)


@dataclass(frozen=True)
class Span:
    """One bid on a caterpillar plot: official place, the interval (first … last place) and its group, a key of GROUPS. own: drawn bold."""

    name: str
    place: int
    first: int
    last: int
    group: str
    own: bool = False


def caterpillar(
    key: str, title: Any, spans: Sequence[Span], cut: int, *, line: Any, heads: Sequence[Any], kinds: dict[str, Any], summary: Any = "",
) -> Chart:  # fmt: skip
    """Official places (symbol) with their intervals (bar), the best on top; a line across and a line down where the money ends, after `cut` bids.

    kinds: words for the keys of GROUPS, the legend. heads: bid, place, interval, group. Raises ValueError where a place lies outside its interval's order.
    """
    if any(span.first > span.last for span in spans):
        raise ValueError("an interval ends before it begins")
    left, most = label_room([span.name for span in spans]), max((max(s.last, s.place) for s in spans), default=1)
    room, drawn = WIDTH - left - 2 * GAP, _symbols(kinds)
    across = lambda place: left + GAP + room * (place - 0.5) / most  # noqa: E731 - said once, used six times
    for at, span in enumerate(spans):
        drawn.append(_one_span(span, 34 + at * LOW, left, across))
    bottom = 34 + len(spans) * LOW
    y = 34 + sum(1 for s in spans if s.place <= cut) * LOW
    drawn.append(f'<path d="M{left:g} {y:g}H{WIDTH}" stroke="{INK}" stroke-width="2" stroke-dasharray="5 4"/>')
    x = across(cut + 0.5)
    drawn.append(f'<path d="M{x:g} 30V{bottom:g}" stroke="{INK}" stroke-width="2" stroke-dasharray="5 4"/>')
    drawn += [put_text(x, bottom + 20, str(line), anchor="end" if x > WIDTH / 2 else "start", bold=True)]
    drawn += [put_text(across(1), bottom + 40, "1", anchor="middle", quiet=True), put_text(across(most), bottom + 40, str(most), anchor="end", quiet=True)]
    table = tuple((s.name, str(s.place), f"{s.first}–{s.last}" if s.first != s.last else str(s.first), str(kinds[s.group])) for s in spans)
    return finished(key, title, summary, drawn, bottom + 46, heads, table)


def _symbols(kinds: dict[str, Any]) -> list[str]:
    x, drawn = 0.0, []
    for group, words in kinds.items():
        colour, symbol = GROUPS[group]
        drawn.append(put_text(x, 16, symbol, fill=colour) + put_text(x + 20, 16, str(words)))
        x += 20 + width_of(str(words)) + 2 * GAP
    return drawn


def _one_span(span: Span, y: float, left: float, across: Any) -> str:
    colour, symbol = GROUPS[span.group]
    name = row_name(span.name, left, y - 5)
    weight = 6 if span.own else 3
    bar = f'<path d="M{across(span.first):g} {y + LOW / 2:g}H{across(span.last):g}" stroke="{colour}" stroke-width="{weight}" stroke-linecap="round"/>'
    return name + bar + put_text(across(span.place), y + LOW / 2 + 5, symbol, anchor="middle", fill=colour, more=HALO, bold=span.own)


def columns(key: str, title: Any, bins: Sequence[tuple[Any, int]], *, heads: tuple[Any, Any], summary: Any = "") -> Chart:
    """A histogram: one upright bar a bin, its count on top, its bounds under it."""
    refuse_negative([count for _bounds, count in bins])
    step, most, tall = WIDTH / max(len(bins), 1), highest([count for _bounds, count in bins]), TALL - 60
    drawn, every = [], max(1, -int(-(max((width_of(str(b)) for b, _c in bins), default=0) + 4) // step))
    for at, (bounds, count) in enumerate(bins):
        height, x = tall * share_of(count, most), at * step
        drawn.append(rectangle(x + 1, 20 + tall - height, step - 2, height, PALE, edge=INK if count else ""))
        drawn.append(put_text(x + step / 2, 15 + tall - height, str(count), anchor="middle") if count else "")
        if at % every == 0:
            drawn.append(put_text(x + step / 2, tall + 40, str(bounds), anchor="middle", quiet=True))
    drawn.append(f'<path d="M0 {20 + tall:g}H{WIDTH}" stroke="{INK}"/>')
    return finished(key, title, summary, drawn, tall + 48, heads, tuple((str(bounds), str(count)) for bounds, count in bins))


@dataclass(frozen=True)
class Five:
    """Lowest, lower quartile, median, upper quartile, highest of `n` values."""

    name: str
    low: Number
    q1: Number
    median: Number
    q3: Number
    high: Number
    n: int


def boxes(key: str, title: Any, rows: Sequence[Five], *, heads: Sequence[Any], show: Show = grouped, summary: Any = "") -> Chart:
    """A box plot, one row each in the order given: whiskers to lowest and highest, box between the quartiles, a thick median with its figure.

    heads: name, n, lowest, lower quartile, median, upper quartile, highest.
    """
    floor = float(min((r.low for r in rows), default=0)) // 10 * 10
    ceiling = -(-float(max((r.high for r in rows), default=100)) // 10) * 10
    left, span = label_room([r.name for r in rows]), max(ceiling - floor, 1.0)
    room, drawn = WIDTH - left - 60, []
    at_x = lambda value: left + room * (float(value) - floor) / span  # noqa: E731 - as above
    for at, row in enumerate(rows):
        y = at * LINE + LINE / 2
        drawn.append(row_name(row.name, left, at * LINE))
        drawn.append(f'<path d="M{at_x(row.low):g} {y - 5:g}v10m0 -5H{at_x(row.high):g}m0 -5v10" fill="none" stroke="{INK}" stroke-width="1.5"/>')
        drawn.append(rectangle(at_x(row.q1), y - 9, at_x(row.q3) - at_x(row.q1), 18, PALE, edge=INK))
        drawn.append(f'<path d="M{at_x(row.median):g} {y - 9:g}v18" stroke="{INK}" stroke-width="4"/>')
        drawn.append(put_text(WIDTH, y + 5, show(row.median), anchor="end", bold=True))
    bottom = len(rows) * LINE + 18
    drawn += [put_text(left, bottom, f"{floor:g}", quiet=True), put_text(left + room, bottom, f"{ceiling:g}", anchor="end", quiet=True)]
    table = tuple((r.name, str(r.n), *map(show, (r.low, r.q1, r.median, r.q3, r.high))) for r in rows)
    return finished(key, title, summary, drawn, bottom + 6, heads, table)


SHADES: Final = {-2: ("#8c3b1f", "#ffffff"), -1: ("#f0c3ae", "#0b0c0c"), 0: ("#ffffff", "#0b0c0c"), 1: ("#bcd6ec", "#0b0c0c"), 2: ("#0b3d6b", "#ffffff")}


def signed(
    key: str, title: Any, names: Sequence[Any], rows: Sequence[tuple[Any, Sequence[Decimal | None]]], strong: Number, *, head: Any,
    show: Show, summary: Any = "",
) -> Chart:  # fmt: skip
    """A heat map of values above and below nought, each written with its sign; from `strong` on in the darkest shade; None is left blank.

    show: writes a value with its sign, e.g. +3.2. head: the table's corner.
    """
    left = label_room([label for label, _values in rows])
    width = max((WIDTH - left) / max(len(names), 1), 52)
    drawn = [put_text(left + (at + 0.5) * width, 18, str(name), anchor="middle") for at, name in enumerate(names)]
    for at, (label, values) in enumerate(rows):
        y = LINE + at * LINE
        drawn.append(row_name(str(label), left, y))
        drawn += [_shade(value, strong, left + x * width, y, width, show) for x, value in enumerate(values) if value is not None]
    table = tuple((str(label), *("" if v is None else show(v) for v in values)) for label, values in rows)
    full = int(left + width * len(names))
    return finished(key, title, summary, drawn, LINE * (len(rows) + 1), (head, *names), table, width=max(WIDTH, full))


def _shade(value: Decimal, strong: Number, x: float, y: float, width: float, show: Show) -> str:
    share = float(value) / (float(strong) or 1.0)
    step = max(-2, min(2, round(share * 2)))
    fill, ink = SHADES[step]
    return rectangle(x, y, width - 2, LINE - 2, fill, edge=QUIET) + put_text(x + width / 2 - 1, y + 19, show(value), anchor="middle", fill=ink)


__all__ = ["GROUPS", "Block", "Five", "Span", "boxes", "budget_line", "caterpillar", "columns", "compare", "signed"]
