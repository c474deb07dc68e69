"""Charts drawn on the server as SVG: bar, stacked bar, line, dot strip, matrix, flow. Pure; no script, no style, prints as it looks.

Every function gives a `Chart`: the picture and the table of the very same values, which `{% chart %}` shows under it. Colour is never the
only cue: series differ by pattern, dash and marker, and every bar, cell and line end carries its figure. What the picture says in short is
its `summary`, read out instead of it. Amounts and scores come as Decimal or int; negative ones have no length and are refused (ValueError).

    chart = bars("fields", _("各领域立项数"), [(field.name, n) for …], heads=(_("领域"), _("项目")))

The first argument names the chart within its page (an id). Words come from the caller in the active language; none are made here.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from grants.web.drawing import (
    GAP,
    INK,
    LINE,
    WIDTH,
    Box,
    Cell,
    Chart,
    Number,
    Show,
    bar_body,
    bar_figure,
    bar_parts,
    cell_words,
    column_name,
    dot_strip,
    end_names,
    finished,
    grouped,
    hatch_def,
    highest,
    label_room,
    legend_of,
    mark_line,
    mean_of,
    one_line,
    pattern_defs,
    point_names,
    put_text,
    refuse_many,
    refuse_negative,
    row_name,
    rule_at,
    share_of,
    station,
    swatch,
    ticks_to,
    tile,
    width_of,
)


def bars(
    key: str,
    title: Any,
    rows: Sequence[tuple[Any, Number]],
    *,
    heads: tuple[Any, Any],
    show: Show = grouped,
    exact: Show | None = None,
    mark: tuple[Any, Number] | None = None,
    summary: Any = "",
) -> Chart:
    """One bar a row, its figure at the end. show: how a value is written in the picture, exact: in the table.

    mark: (word, value) of a line across all bars, e.g. a cap or an average.
    """
    refuse_negative([value for _l, value in rows] + ([mark[1]] if mark else []))
    left, most = (
        label_room([label for label, _value in rows]),
        highest([value for _l, value in rows] + ([mark[1]] if mark else [])),
    )
    room = WIDTH - left - width_of(max((show(value) for _l, value in rows), key=width_of, default="")) - 2 * GAP
    height = len(rows) * LINE + (LINE if mark else 0)
    line_ = mark_line(left + room * share_of(mark[1], most), height - LINE, f"{mark[0]} {show(mark[1])}") if mark else ""
    bodies = [bar_body(at, value, left, room * share_of(value, most)) for at, (_l, value) in enumerate(rows)]
    ends = [bar_figure(at, str(label), left, room * share_of(value, most), show(value)) for at, (label, value) in enumerate(rows)]
    drawn = [*bodies, line_, *ends]  # the line crosses the bars but not their figures
    table = tuple((str(label), (exact or show)(value)) for label, value in rows)
    return finished(key, title, summary, drawn, height, heads, table)


def stacked(
    key: str,
    title: Any,
    series: Sequence[Any],
    rows: Sequence[tuple[Any, Sequence[Number]]],
    *,
    heads: Sequence[Any],
    show: Show = grouped,
    exact: Show | None = None,
    summary: Any = "",
) -> Chart:
    """One bar a row, cut into `series` (at most six); a figure stands in every part that has room for it, and the sum at the end.

    heads: the table's headings – the rows', each series', the sum's.
    """
    refuse_negative([value for _l, values in rows for value in values])
    refuse_many(series)
    sums = [sum(values, Decimal(0)) for _l, values in rows]
    left, most = label_room([label for label, _values in rows]), highest(sums)
    room = WIDTH - left - width_of(max((show(total) for total in sums), key=width_of, default="")) - 2 * GAP
    legend, top = legend_of(key, series)
    drawn = [pattern_defs(key, len(series)), legend]
    for at, ((label, values), total) in enumerate(zip(rows, sums, strict=True)):
        y = top + at * LINE
        drawn.append(row_name(str(label), left, y))
        drawn += bar_parts(key, values, left, y, room, most, show)
        drawn.append(put_text(left + room * share_of(total, most) + GAP, y + 20, show(total), bold=True))
    write = exact or show
    table = tuple((str(row), *map(write, values), write(total)) for (row, values), total in zip(rows, sums, strict=True))
    return finished(key, title, summary, drawn, top + len(rows) * LINE, heads, table)


def line(
    key: str,
    title: Any,
    points: Sequence[Any],
    series: Sequence[tuple[Any, Sequence[Number | None]]],
    *,
    head: Any,
    show: Show = grouped,
    exact: Show | None = None,
    summary: Any = "",
) -> Chart:
    """Values over `points` (dates, years, rounds), one line per series (at most six) with its own dash and marker, named at its end.

    A None breaks the line: what is not known is not drawn as nothing. head: the table's heading of the points.
    """
    refuse_negative([value for _name, values in series for value in values if value is not None])
    refuse_many(series)
    ticks = ticks_to(highest([value for _name, values in series for value in values if value is not None]))
    left = max(width_of(show(tick)) for tick in ticks) + GAP
    right = min(max((width_of(str(name)) for name, _values in series), default=0), 140) + 4 * GAP
    box = Box(left, 10, WIDTH - left - right, 200, max(len(points) - 1, 1), float(ticks[-1]))
    drawn = [rule_at(box, tick, show(tick)) for tick in ticks] + point_names(box, [str(point) for point in points])
    drawn += end_names(box, series)
    for at, (_name, values) in enumerate(series):
        drawn += one_line(box, at, values)
    write = exact or show
    table = tuple(
        (str(point), *("—" if (v := values[at]) is None else write(v) for _n, values in series))
        for at, point in enumerate(points)
    )
    return finished(key, title, summary, drawn, 245, (head, *(name for name, _values in series)), table)


def dots(
    key: str,
    title: Any,
    rows: Sequence[tuple[Any, Sequence[Number]]],
    *,
    heads: tuple[Any, Any, Any],
    low: Number = 0,
    high: Number = 100,
    mark: tuple[Any, Number] | None = None,
    show: Show = grouped,
    summary: Any = "",
) -> Chart:
    """One strip a row with a dot per value and a tick at their mean: how far the judges are apart. mark: e.g. the pass line.

    heads: of the rows, the values, the mean. Values outside low … high are refused (ValueError).
    """
    span = float(high - low)
    if span <= 0 or any(not low <= value <= high for _l, values in rows for value in values):
        raise ValueError(f"values of a dot strip lie between {low} and {high}")
    left = label_room([label for label, _values in rows])
    room = WIDTH - left - max(width_of(show(mean_of(values))) for _l, values in [*rows, ("", [high])] if values) - 3 * GAP
    height = len(rows) * LINE
    drawn = [row_name(str(label), left, at * LINE) for at, (label, _values) in enumerate(rows)]
    for at, (_l, values) in enumerate(rows):
        drawn += dot_strip([left + room * float(value - low) / span for value in values], at * LINE, left, room)
        drawn.append(put_text(left + room + 2 * GAP, at * LINE + 20, show(mean_of(values)) if values else "—", bold=True))
    drawn += [
        put_text(left, height + 18, show(low), quiet=True),
        put_text(left + room, height + 18, show(high), anchor="end", quiet=True),
    ]
    if mark:
        drawn.append(mark_line(left + room * float(mark[1] - low) / span, height, f"{mark[0]} {show(mark[1])}"))
    table = tuple(
        (str(label), "、".join(map(show, values)) or "—", show(mean_of(values)) if values else "—") for label, values in rows
    )
    return finished(key, title, summary, drawn, height + LINE, heads, table)


def matrix(
    key: str,
    title: Any,
    columns: Sequence[Any],
    rows: Sequence[tuple[Any, Sequence[Cell]]],
    *,
    head: Any,
    nothing: Any = "0",
    legend: Any = "",
    show: Show = grouped,
    summary: Any = "",
) -> Chart:
    """A heat map: the darker the more, every cell with its figure, empty ones hatched with `nothing` in them so that gaps stand out.

    A cell with a `url` is a link. head: the table's corner. legend: what the hatching means, e.g. 空白：没有项目.
    """
    refuse_negative([cell.value for _l, cells in rows for cell in cells if cell.value is not None])
    left, most = label_room([label for label, _cells in rows]), highest([c.value for _l, cells in rows for c in cells if c.value])
    width = max((WIDTH - left) / max(len(columns), 1), 44)
    slanted = any(width_of(str(column)) > width - 4 for column in columns)
    top = min(max((width_of(str(c)) for c in columns), default=0), 150) * 0.72 + 20 if slanted else LINE
    drawn = [
        hatch_def(key),
        *(column_name(str(c), left + (at + 0.5) * width, top, slanted=slanted) for at, c in enumerate(columns)),
    ]
    for at, (label, cells) in enumerate(rows):
        drawn.append(row_name(str(label), left, top + at * LINE))
        drawn += [
            tile(key, cell, left + x * width, top + at * LINE, width, most, show, str(nothing)) for x, cell in enumerate(cells)
        ]
    height = top + len(rows) * LINE
    if legend:
        drawn.append(swatch(f"url(#{key}-gap)", left, height + 8) + put_text(left + 24, height + 21, str(legend), quiet=True))
    table = tuple((str(label), *(cell_words(cell, show, str(nothing)) for cell in cells)) for label, cells in rows)
    full = int(left + width * len(columns) + (60 if slanted else 0))
    return finished(key, title, summary, drawn, height + (LINE if legend else 0), (head, *columns), table, width=max(WIDTH, full))


def flow(
    key: str,
    title: Any,
    stages: Sequence[tuple[Any, Sequence[tuple[Any, Number]]]],
    *,
    heads: tuple[Any, Any, Any],
    show: Show = grouped,
    exact: Show | None = None,
    summary: Any = "",
) -> Chart:
    """Where money goes, station by station: one bar per stage on one scale, cut into parts, an arrow between; shrinking is seen at once.

    The same part keeps its pattern in every stage (at most six different ones). heads: stage, part, amount.
    """
    refuse_negative([value for _stage, parts in stages for _name, value in parts])
    names = list(dict.fromkeys(str(name) for _stage, parts in stages for name, _value in parts))
    refuse_many(names)
    most = highest([sum((value for _n, value in parts), Decimal(0)) for _stage, parts in stages])
    drawn, y = [pattern_defs(key, len(names))], 0.0
    for at, (stage, parts) in enumerate(stages):
        if at:
            drawn.append(f'<path d="M20 {y - 16:g}v10m-5 -5l5 6l5 -6" fill="none" stroke="{INK}" stroke-width="2"/>')
        piece, y = station(key, str(stage), parts, names, y, most, show)
        drawn.append(piece)
    table = tuple((str(stage), str(name), (exact or show)(value)) for stage, parts in stages for name, value in parts)
    return finished(key, title, summary, drawn, y - 24 if stages else 0, heads, table)


__all__ = ["Cell", "Chart", "bars", "dots", "flow", "grouped", "line", "matrix", "stacked"]
