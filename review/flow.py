"""Maximum flow with whole units, and the cut that proves it (Dinic's algorithm). Pure; used where a refusal must name its reason.

Arcs are searched in the order they were added, so the same graph gives the same flow: callers fix the order by a published hash.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable


class Network:
    """A directed graph with integer capacities between named nodes."""

    def __init__(self) -> None:
        self._index: dict[Hashable, int] = {}
        self._out: list[list[int]] = []
        self._head: list[int] = []
        self._room: list[int] = []

    def arc(self, source: Hashable, target: Hashable, capacity: int) -> int:
        """Add an arc and give its number, which `flow_on` and `widen` take."""
        tail, head = self._node(source), self._node(target)
        number = len(self._head)
        self._head += [head, tail]
        self._room += [capacity, 0]
        self._out[tail].append(number)
        self._out[head].append(number + 1)
        return number

    def widen(self, arc: int, extra: int) -> None:
        """Give an arc more capacity; the flow already found stays."""
        self._room[arc] += extra

    def flow_on(self, arc: int) -> int:
        """Units that run over this arc now."""
        return self._room[arc ^ 1]

    def push(self, source: Hashable, sink: Hashable) -> int:
        """Push as many more units as fit from source to sink; returns how many."""
        start, end = self._node(source), self._node(sink)
        pushed = 0
        while (levels := self._levels(start))[end] >= 0:
            cursor = [0] * len(self._out)
            while path := self._path(start, end, levels, cursor):
                pushed += self._send(path)
        return pushed

    def reachable(self, source: Hashable) -> frozenset[Hashable]:
        """Nodes that can still be reached: after `push` the source side of a minimum cut."""
        levels = self._levels(self._node(source))
        return frozenset(name for name, i in self._index.items() if levels[i] >= 0)

    def _node(self, name: Hashable) -> int:
        if name not in self._index:
            self._index[name] = len(self._out)
            self._out.append([])
        return self._index[name]

    def _levels(self, start: int) -> list[int]:
        levels = [-1] * len(self._out)
        levels[start] = 0
        queue = deque([start])
        while queue:
            node = queue.popleft()
            for arc in self._out[node]:
                if self._room[arc] and levels[self._head[arc]] < 0:
                    levels[self._head[arc]] = levels[node] + 1
                    queue.append(self._head[arc])
        return levels

    def _path(self, start: int, end: int, levels: list[int], cursor: list[int]) -> list[int]:
        """Arcs of one shortest path with room; empty when the level graph is used up. No recursion: paths may be long."""
        path: list[int] = []
        node = start
        while node != end:
            arc = self._forward(node, levels, cursor)
            if arc >= 0:
                path.append(arc)
                node = self._head[arc]
            elif not path:
                return []
            else:
                node = self._head[path.pop() ^ 1]
                cursor[node] += 1
        return path

    def _forward(self, node: int, levels: list[int], cursor: list[int]) -> int:
        """The first arc that leads one level on and has room, from where the search of this node stood; -1 when there is none."""
        arcs = self._out[node]
        for position in range(cursor[node], len(arcs)):
            arc = arcs[position]
            if self._room[arc] and levels[self._head[arc]] == levels[node] + 1:
                cursor[node] = position
                return arc
        cursor[node] = len(arcs)
        return -1

    def _send(self, path: list[int]) -> int:
        units = min(self._room[arc] for arc in path)
        for arc in path:
            self._room[arc] -= units
            self._room[arc ^ 1] += units
        return units
