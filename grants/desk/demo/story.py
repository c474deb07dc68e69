"""The whole story, from the first account to today."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

from grants import clock
from grants.desk.demo import AFTERWARDS, asking
from grants.desk.demo.acts import ACTS
from grants.desk.demo.cast import Cast, gather, record_checks, sponsor_groups
from grants.desk.demo.diary import Diary, Told
from grants.desk.demo.hands import hurried
from grants.ledger import sequencer

BEGINS = -420
"""Days from today on which everybody registers."""


def tell(told: Told | None = None) -> Cast:
    """Play everything into an empty database; returns the cast with its accounts. Raises whatever a service refuses."""
    diary = Diary(clock.now())
    cast = Cast()
    diary.on(BEGINS, lambda: _begin(cast, diary))
    with hurried():
        diary.run(told)
        while sequencer.sequence(sweep=True):
            pass
        sequencer.checkpoint()
        for leave in AFTERWARDS:
            leave()
    return cast


def _begin(cast: Cast, diary: Diary) -> None:
    gather(cast)
    today, ends = clock.today(), diary.ends.astimezone(clock.TZ).date()
    sponsor_groups(cast, until=ends + timedelta(days=400))
    record_checks(cast, *range(today.year - 3, today.year))
    for year in range(today.year + 1, ends.year + 1):
        diary.on((date(year, 1, 4) - ends).days, partial(record_checks, cast, year - 1), hour=9)
    asking.arrange(cast, diary)
    for act in ACTS:
        act(cast, diary)
