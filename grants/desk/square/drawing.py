"""Where the boxes, ribbons and words of the two pictures go, in units of the SVG's view box. Pure; amounts become lengths here only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from grants.desk.square.flow import Flow, Node

WIDTH, BOX, GAP, LEAST, TOP, MARGIN = 960.0, 16.0, 14.0, 3.0, 34.0, 224.0
"""MARGIN: room right of the last column for its words."""


@dataclass(frozen=True)
class Box:
    """A stop: its place and size, and where its words stand."""

    node: Node
    x: float
    y: float
    height: float
    text_x: float

    @property
    def middle(self) -> float:
        return round(self.y + self.height / 2 + 4, 1)


@dataclass(frozen=True)
class Ribbon:
    """A band as an SVG path, coloured by the stop of its column where it begins."""

    path: str
    start: str
    end: str
    amount: object
    tone: int


@dataclass(frozen=True)
class Picture:
    """A Sankey picture."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    ribbons: tuple[Ribbon, ...]
    heads: tuple[float, ...]


def sankey(flow: Flow, *, height: float = 560.0) -> Picture:
    """Stack each column's stops, largest first; a ribbon is as wide as its money. Words stand right of their boxes."""
    tallest = max((len(column) for column in flow.columns), default=0)
    room = max(height, tallest * (GAP + 8.0))
    scale = (room - GAP * max(tallest - 1, 0)) / float(flow.total) if flow.total else 0.0
    last = max(len(flow.columns) - 1, 1)
    boxes = [box for at, column in enumerate(flow.columns) for box in _column(column, at, last, scale)]
    bottom = max((box.y + box.height for box in boxes), default=TOP)
    heads = tuple(box_x(at, last) for at in range(len(flow.columns)))
    return Picture(WIDTH, round(bottom + 12, 1), tuple(boxes), _ribbons(flow, boxes, scale), heads)


def box_x(at: int, last: int) -> float:
    return round(at * (WIDTH - MARGIN - BOX) / last, 1)


def _column(column: Sequence[Node], at: int, last: int, scale: float) -> list[Box]:
    boxes, y = [], TOP
    for node in column:
        tall = max(float(node.amount) * scale, LEAST)
        x = box_x(at, last)
        boxes.append(Box(node, x, round(y, 1), round(tall, 1), round(x + BOX + 6, 1)))
        y += max(tall, 10.0) + GAP
    return boxes


def _ribbons(flow: Flow, boxes: Sequence[Box], scale: float) -> tuple[Ribbon, ...]:
    """Ribbons leave and enter a box from top to bottom in the order of the boxes they join."""
    place = {(box.node.column, box.node.name): box for box in boxes}
    order = {key: at for at, key in enumerate(place)}
    out: dict[tuple[int, str], float] = defaultdict(float)
    into: dict[tuple[int, str], float] = defaultdict(float)
    found = []
    for band in sorted(flow.bands, key=lambda b: (order[b.column, b.start], order[b.column + 1, b.end])):
        start, end = (band.column, band.start), (band.column + 1, band.end)
        tall = float(band.amount) * scale
        path = _curve(place[start], out[start], place[end], into[end], max(tall, 0.6))
        out[start] += tall
        into[end] += tall
        tone = order[start] % 6
        found.append(Ribbon(path, band.start, band.end, band.amount, tone))
    return tuple(found)


def _curve(start: Box, down: float, end: Box, under: float, tall: float) -> str:
    x0, x1 = start.x + BOX, end.x
    y0, y1, bend = start.y + down, end.y + under, (start.x + BOX + end.x) / 2
    return (
        f"M{x0:.1f} {y0:.1f}C{bend:.1f} {y0:.1f} {bend:.1f} {y1:.1f} {x1:.1f} {y1:.1f}"
        f"V{y1 + tall:.1f}C{bend:.1f} {y1 + tall:.1f} {bend:.1f} {y0 + tall:.1f} {x0:.1f} {y0 + tall:.1f}Z"
    )


@dataclass(frozen=True)
class Square:
    """One cell of the grid picture."""

    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> float:
        return round(self.x + self.width / 2, 1)

    def line(self, number: int) -> float:
        """The base line of the cell's first, second or third line of words."""
        return round(self.y + 20 + 17 * (number - 1), 1)

    @property
    def first(self) -> float:
        return self.line(1)

    @property
    def second(self) -> float:
        return self.line(2)

    @property
    def third(self) -> float:
        return self.line(3)


LABEL, CELL_WIDTH, CELL_HEIGHT, HEAD = 104.0, 118.0, 66.0, 40.0


def grid(rows: int, columns: int) -> tuple[float, float, list[list[Square]]]:
    """(width, height, squares row by row) of a grid with room for the names of rows at the left and of columns on top."""
    squares = [
        [Square(LABEL + at * CELL_WIDTH, HEAD + row * CELL_HEIGHT, CELL_WIDTH - 4, CELL_HEIGHT - 4) for at in range(columns)] for row in range(rows)
    ]
    return LABEL + columns * CELL_WIDTH, HEAD + rows * CELL_HEIGHT, squares
