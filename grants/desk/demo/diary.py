"""The story's days in order. Whatever happens on a day may put further days into the diary; nothing happens after today."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from itertools import count

from bidding.services import tick as bids_tick
from grants import clock
from grants.calls.services import tick as calls_tick
from grants.clock.calendar import is_workday
from grants.desk.demo import hands
from grants.evaluation.services import tick as evaluations_tick

Scene = Callable[[], None]
Told = Callable[[date], None]


class Diary:
    """Scenes by moment. `run` plays them under `clock.at`, with the recurring chores before and the effects after each."""

    def __init__(self, ends: datetime) -> None:
        self.ends = ends
        self.played = 0
        self._scenes: list[tuple[datetime, int, Scene]] = []
        self._order = count()
        self._now: datetime | None = None

    def at(self, moment: datetime, scene: Scene) -> None:
        """Put a scene at an exact moment. Raises ValueError for one before the scene that is being played."""
        if self._now is not None and moment < self._now:
            raise ValueError(f"a scene at {moment} lies before {self._now}")
        if moment <= self.ends:
            heapq.heappush(self._scenes, (moment, next(self._order), scene))

    def on(self, offset: int, scene: Scene, hour: float = 10) -> None:
        """Put a scene on the working day on or after today + `offset` days, at `hour` o'clock in Shanghai."""
        self.at(working_moment(self.ends.astimezone(clock.TZ).date() + timedelta(days=offset), hour), scene)

    def later(self, days: int, scene: Scene, hour: float = 10) -> None:
        """Put a scene on the working day on or after `days` days from the scene being played."""
        self.at(working_moment(clock.today() + timedelta(days=days), hour), scene)

    def run(self, told: Told | None = None) -> None:
        """Play everything up to today; `told` hears each new month."""
        month = None
        while self._scenes:
            self._now, _place, scene = heapq.heappop(self._scenes)
            day = self._now.astimezone(clock.TZ).date()
            if told is not None and month != (day.year, day.month):
                month = (day.year, day.month)
                told(day)
            with clock.at(self._now):
                self._play(scene)

    def _play(self, scene: Scene) -> None:
        calls_tick()
        bids_tick()
        evaluations_tick()
        scene()
        hands.drain()
        self.played += 1


def working_moment(day: date, hour: float) -> datetime:
    """`hour` o'clock (Shanghai) on the first working day from `day` on."""
    while not is_workday(day):
        day += timedelta(days=1)
    return datetime.combine(day, time(), tzinfo=clock.TZ) + timedelta(hours=hour)
