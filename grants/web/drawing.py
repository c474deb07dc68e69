"""The pieces that charts are drawn from: texts, bars, legends, patterns, axes. Pure strings of SVG; positions in units of the picture."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from html import escape
from typing import Any, Final

Number = Decimal | int
Show = Callable[[Any], str]

WIDTH: Final = 640  # units; the page shows one unit as 1/16 rem, so large type enlarges charts too
SIZE: Final = 14  # of letters
LINE: Final = 30  # height of a row
GAP: Final = 8
INK, BRAND, PALE, QUIET = "currentColor", "#0b5394", "#cfe0f0", "#8a9299"
SERIES: Final = ("#0b5394", "#9cc3e6", "#f2c14e", "#5b8c5a", "#d98e73", "#6f5b9a")
DASHES: Final = ("", "8 4", "2 4", "12 4 2 4", "4 2", "1 3")
TINTS: Final = (
    ("#eaf2f9", "#0b0c0c"),
    ("#bcd6ec", "#0b0c0c"),
    ("#7fb0da", "#0b0c0c"),
    ("#2f6ea8", "#ffffff"),
    ("#0b3d6b", "#ffffff"),
)


@dataclass(frozen=True)
class Chart:
    """A picture with its data. svg: safe markup; heads and rows: the table, the first column heading each row."""

    key: str
    title: str
    summary: str
    svg: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    width: int = WIDTH


@dataclass(frozen=True)
class Cell:
    """One cell of a matrix. value: None – nothing at all, drawn hatched so that it stands out; text: what is written in it; url: where it leads."""

    value: Number | None
    text: str = ""
    url: str = ""


def grouped(value: Number) -> str:
    """12,345 or 12.5: thousands separated, no idle zeros."""
    text = f"{Decimal(value):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


# --- figures --------------------------------------------------------------------------------------------------------------


def refuse_negative(values: Sequence[Number]) -> None:
    if any(value < 0 for value in values):
        raise ValueError("a negative value has no length: show it in a table")


def refuse_many(series: Sequence[Any]) -> None:
    if len(series) > len(SERIES):
        raise ValueError(f"more than {len(SERIES)} series cannot be told apart: put the smallest together")


def highest(values: Sequence[Number]) -> float:
    return float(max(values, default=0)) or 1.0


def share_of(value: Number, most: float) -> float:
    return float(value) / most


def mean_of(values: Sequence[Number]) -> Decimal:
    return (Decimal(sum(values)) / len(values)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def ticks_to(most: float) -> list[Decimal]:
    """Four to six round numbers from nought to at least `most`."""
    size = Decimal(10) ** (len(str(int(most))) - 1) if most >= 1 else Decimal("0.1")
    step = next(s for s in (size / 5, size / 2, size, size * 2, size * 5) if s * 5 >= Decimal(str(most)))
    count = next(n for n in range(1, 6) if step * n >= Decimal(str(most)))
    return [step * n for n in range(count + 1)]


def width_of(text: str) -> float:
    """How wide a text is, in units: Chinese letters are square, Latin ones about half."""
    return sum(SIZE if unicodedata.east_asian_width(letter) in "WFA" else SIZE * 0.6 for letter in text)


def cut_to(text: str, room: float) -> str:
    if width_of(text) <= room:
        return text
    while text and width_of(text) > room - SIZE:
        text = text[:-1]
    return text + "…"


def label_room(labels: Sequence[Any]) -> float:
    """The column of labels: as wide as the widest, at most a third of the chart."""
    return min(max((width_of(str(label)) for label in labels), default=0) + GAP, WIDTH / 3)


# --- pieces of drawing ----------------------------------------------------------------------------------------------------


def finished(
    key: str,
    title: Any,
    summary: Any,
    drawn: Sequence[str],
    height: float,
    heads: Sequence[Any],
    table: Any,
    *,
    width: int = WIDTH,
) -> Chart:
    if not re.fullmatch(r"[a-z][a-z0-9-]*", key):
        raise ValueError(f"{key!r} is no name for a chart: small letters, digits and dashes")
    role = "group" if any("<a " in piece for piece in drawn) else "img"  # a picture with links in it is not one thing
    told = f'<title id="{key}-title">{escape(str(title))}</title><desc id="{key}-desc">{escape(str(summary or title))}</desc>'
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 -2 {width + 4} {height + 4:g}" width="{(width + 4) / 16:g}rem" height="{(height + 4) / 16:g}rem" '
        f'role="{role}" aria-labelledby="{key}-title {key}-desc" font-size="{SIZE}">{told}{"".join(drawn)}</svg>'
    )
    return Chart(key, str(title), str(summary), svg, tuple(map(str, heads)), table, width)


HALO: Final = ' stroke="#ffffff" stroke-width="4" paint-order="stroke"'  # figures stay readable where a line crosses them


def put_text(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    bold: bool = False,
    quiet: bool = False,
    fill: str = INK,
    more: str = "",
) -> str:
    more += (' font-weight="700"' if bold else "") + (' opacity="0.8"' if quiet else "")
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{fill}"{more}>{escape(text)}</text>'


def row_name(text: str, left: float, y: float) -> str:
    """A row's name in its column; cut when too long, whole in its title."""
    short = cut_to(text, left - GAP)
    whole = f"<title>{escape(text)}</title>" if short != text else ""
    return f'<text x="{left - GAP:g}" y="{y + 20:g}" text-anchor="end" fill="{INK}">{whole}{escape(short)}</text>'


def rectangle(x: float, y: float, width: float, height: float, fill: str, *, edge: str = "") -> str:
    stroke = f' stroke="{edge}"' if edge else ""
    return f'<rect x="{x:g}" y="{y:g}" width="{max(width, 0):g}" height="{height:g}" fill="{fill}"{stroke}/>'


def bar_body(at: int, value: Number, left: float, length: float) -> str:
    return rectangle(left, at * LINE + 5, max(length, 1.5) if value else 0, LINE - 10, BRAND)


def bar_figure(at: int, label: str, left: float, length: float, shown: str) -> str:
    """The row's name before its bar and its figure behind, on a white edge where a line crosses it."""
    return row_name(label, left, at * LINE) + put_text(left + length + GAP, at * LINE + 20, shown, more=HALO)


def mark_line(x: float, bottom: float, words: str) -> str:
    """A dashed line from top to bottom with its word under it."""
    anchor = "end" if x > WIDTH / 2 else "start"
    rule = f'<path d="M{x:g} 0V{bottom + 6:g}" stroke="{INK}" stroke-width="2" stroke-dasharray="5 4"/>'
    return rule + put_text(x, bottom + 22, words, anchor=anchor, bold=True)


PATTERNS: Final = (
    "",
    '<path d="M0 8L8 0M-2 2L2 -2M6 10L10 6" stroke="#0b0c0c" stroke-width="1.4"/>',
    '<circle cx="4" cy="4" r="1.6" fill="#0b0c0c"/>',
    '<path d="M0 4H8" stroke="#0b0c0c" stroke-width="1.4"/>',
    '<path d="M4 0V8" stroke="#0b0c0c" stroke-width="1.4"/>',
    '<path d="M0 0L8 8M8 0L0 8" stroke="#ffffff" stroke-width="1.2"/>',
)


def pattern_defs(key: str, count: int) -> str:
    made = (
        f'<pattern id="{key}-s{at}" width="8" height="8" patternUnits="userSpaceOnUse">{rectangle(0, 0, 8, 8, SERIES[at])}{PATTERNS[at]}</pattern>'
        for at in range(count)
    )
    return f"<defs>{''.join(made)}</defs>"


def hatch_def(key: str) -> str:
    lines = '<path d="M0 8L8 0M-2 2L2 -2M6 10L10 6" stroke="#b5482a" stroke-width="1.2"/>'
    return f'<defs><pattern id="{key}-gap" width="8" height="8" patternUnits="userSpaceOnUse">{rectangle(0, 0, 8, 8, "#fff")}{lines}</pattern></defs>'


def swatch(fill: str, x: float, y: float) -> str:
    return rectangle(x, y, 16, 16, fill, edge=INK)


def legend_of(key: str, series: Sequence[Any]) -> tuple[str, float]:
    """(the names with their patterns, wrapped to the width; where the rows begin)."""
    drawn, x, y = [], 0.0, 0.0
    for at, name in enumerate(series):
        need = 24 + width_of(str(name)) + 2 * GAP
        if x and x + need > WIDTH:
            x, y = 0.0, y + 24
        drawn.append(swatch(f"url(#{key}-s{at})", x, y + 2) + put_text(x + 24, y + 15, str(name)))
        x += need
    return "".join(drawn), y + 30


def bar_parts(key: str, values: Sequence[Number], left: float, y: float, room: float, most: float, show: Show) -> list[str]:
    """The parts of one bar side by side, figures on white where they fit."""
    drawn, x = [], left
    for at, value in enumerate(values):
        length = room * share_of(value, most)
        if value:
            drawn.append(rectangle(x, y + 5, length, LINE - 10, f"url(#{key}-s{at})", edge=INK))
        if value and width_of(show(value)) + 10 <= length:
            drawn.append(plate(x + length / 2, y, show(value)))
        x += length
    return drawn


def plate(middle: float, y: float, text: str) -> str:
    """A figure on a white plate: readable on any pattern."""
    wide = width_of(text) + 6
    return rectangle(middle - wide / 2, y + 7, wide, LINE - 14, "#ffffff") + put_text(
        middle, y + 20, text, anchor="middle", fill="#0b0c0c"
    )


@dataclass(frozen=True)
class Box:
    """The field that lines are drawn in: its corner, its size, the last point's number and the highest value."""

    left: float
    top: float
    width: float
    height: float
    last: int
    most: float

    def at(self, point: int, value: Number) -> tuple[float, float]:
        return self.left + self.width * point / self.last, self.top + self.height * (1 - float(value) / self.most)


def rule_at(box: Box, tick: Decimal, shown: str) -> str:
    _x, y = box.at(0, tick)
    line_ = f'<path d="M{box.left:g} {y:g}h{box.width:g}" stroke="{QUIET}" stroke-width="{1 if tick else 1.6:g}" opacity="0.6"/>'
    return line_ + put_text(box.left - GAP, y + 5, shown, anchor="end", quiet=True)


def point_names(box: Box, points: Sequence[str]) -> list[str]:
    """The points' names, as many as fit."""
    widest = max((width_of(point) for point in points), default=0) + GAP
    every = max(1, -int(-(widest * len(points)) // box.width))
    names = []
    for at in range(0, len(points), every):
        anchor = "start" if at == 0 else "end" if at == len(points) - 1 else "middle"
        names.append(put_text(box.at(at, 0)[0], box.top + box.height + 22, points[at], anchor=anchor, quiet=True))
    return names


def one_line(box: Box, at: int, values: Sequence[Number | None]) -> list[str]:
    """One series: pieces between unknown values, and a marker of its own at every known one."""
    known = [(point, *box.at(point, value)) for point, value in enumerate(values) if value is not None]
    path, before = "", None
    for point, x, y in known:
        path += f"{'L' if before == point - 1 else 'M'}{x:g} {y:g}"
        before = point
    dash = f' stroke-dasharray="{DASHES[at]}"' if DASHES[at] else ""
    colour = INK if at in (1, 2) else SERIES[at]
    stroke = f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2.5"{dash}/>' if path else ""
    return [stroke, *(marker(at, x, y, colour) for _point, x, y in known)]


def marker(at: int, x: float, y: float, colour: str) -> str:
    shapes = (
        "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
        "M-4 -4h8v8h-8z",
        "M0 -5l5 9h-10z",
        "M0 -5l5 5l-5 5l-5 -5z",
        "M-5 0h10M0 -5v10",
        "M-4 -4l8 8M4 -4l-8 8",
    )
    return f'<path d="{shapes[at]}" transform="translate({x:g} {y:g})" fill="{colour}" stroke="{colour}" stroke-width="1.5"/>'


def end_names(box: Box, series: Sequence[tuple[Any, Sequence[Number | None]]]) -> list[str]:
    """Each line's name beside its last value, pushed apart where they would lie on each other."""
    lasts = [next((value for value in reversed(values) if value is not None), 0) for _name, values in series]
    order = sorted(range(len(series)), key=lambda at: -float(lasts[at]))
    drawn, room = [], WIDTH - box.left - box.width - 24
    for at, y in zip(order, apart([box.at(0, lasts[at])[1] + 5 for at in order], box.top + box.height + 5), strict=True):
        drawn.append(marker(at, box.left + box.width + 12, y - 5, INK if at in (1, 2) else SERIES[at]))
        drawn.append(put_text(box.left + box.width + 22, y, cut_to(str(series[at][0]), room)))
    return drawn


def apart(places: Sequence[float], bottom: float) -> list[float]:
    """Rising places, moved so that they are a line of text apart and none is below `bottom`."""
    found: list[float] = []
    for place in places:
        found.append(max(place, found[-1] + 18) if found else place)
    for at in reversed(range(len(found))):
        found[at] = min(found[at], bottom if at == len(found) - 1 else found[at + 1] - 18)
    return found


def dot_strip(places: Sequence[float], y: float, left: float, room: float) -> list[str]:
    """The dots of one row on their rule, see-through so that equal ones show as darker, and the tick at the mean."""
    middle = y + LINE / 2
    drawn = [f'<path d="M{left:g} {middle:g}h{room:g}" stroke="{QUIET}" stroke-width="1"/>']
    drawn += [f'<circle cx="{x:g}" cy="{middle:g}" r="6" fill="{BRAND}" fill-opacity="0.55" stroke="{BRAND}"/>' for x in places]
    if places:
        mean = sum(places) / len(places)
        drawn.append(f'<path d="M{mean:g} {middle - 11:g}v22" stroke="{INK}" stroke-width="2.5"/>')
    return drawn


def column_name(text: str, x: float, top: float, *, slanted: bool) -> str:
    if not slanted:
        return put_text(x, top - 10, text, anchor="middle")
    return f'<g transform="translate({x:g} {top - 6:g}) rotate(-45)">{put_text(0, 0, cut_to(text, 150))}</g>'


def tile(key: str, cell: Cell, x: float, y: float, width: float, most: float, show: Show, nothing: str) -> str:
    """One cell: tinted in five steps, or hatched for nothing; the figure on it; a link when it leads somewhere."""
    if not cell.value:
        drawn = rectangle(x, y, width - 2, LINE - 2, f"url(#{key}-gap)", edge="#b5482a") + plate(
            x + width / 2 - 1, y - 1, cell.text or nothing
        )
    else:
        fill, ink = TINTS[min(int(share_of(cell.value, most) * len(TINTS)), len(TINTS) - 1)]
        words = cell.text or show(cell.value)
        drawn = rectangle(x, y, width - 2, LINE - 2, fill, edge=QUIET) + put_text(
            x + width / 2 - 1, y + 19, words, anchor="middle", fill=ink
        )
    return f'<a href="{escape(cell.url)}">{drawn}</a>' if cell.url else drawn


def cell_words(cell: Cell, show: Show, nothing: str) -> str:
    return cell.text or (show(cell.value) if cell.value else nothing)


def station(
    key: str, stage: str, parts: Sequence[tuple[Any, Number]], names: list[str], y: float, most: float, show: Show
) -> tuple[str, float]:
    """(one stage: its name and sum, its bar, its parts in words; where the next begins)."""
    total = sum((value for _name, value in parts), Decimal(0))
    drawn, x = [put_text(0, y + 15, f"{stage} {show(total)}", bold=True)], 0.0
    for name, value in parts:
        length = WIDTH * share_of(value, most)
        drawn.append(rectangle(x, y + 22, length, 22, f"url(#{key}-s{names.index(str(name))})", edge=INK) if value else "")
        x += length
    x, line_y = 0.0, y + 62
    for name, value in parts:
        words = f"{name} {show(value)}"
        if x and x + 24 + width_of(words) > WIDTH:
            x, line_y = 0.0, line_y + 22
        drawn.append(swatch(f"url(#{key}-s{names.index(str(name))})", x, line_y - 13) + put_text(x + 22, line_y, words))
        x += 24 + width_of(words) + 2 * GAP
    return "".join(drawn), line_y + 34
