"""Working days, deadlines, and now as a thing that can be set.

Everything that asks the time asks here. Two ways to set it: `at(moment)` for the current context only (a test, one step of the
demo loader; other threads keep their own time) and `set_now(moment)` for the whole process (a rehearsal server). `at` wins.
A set clock stands still. What somebody sends counts from when it was whole at our door, not from when we came to it: `arrived`.
Importing this package imports no model; working days are in `grants.clock.calendar`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

__all__ = ["TZ", "NaiveMoment", "arrived", "at", "now", "received", "set_now", "today"]

TZ = ZoneInfo("Asia/Shanghai")

_here: ContextVar[datetime | None] = ContextVar("gongchuang_now", default=None)
_arrival: ContextVar[datetime | None] = ContextVar("gongchuang_arrival", default=None)
_process: datetime | None = None


class NaiveMoment(ValueError):
    """A moment without a time zone names no instant; pass an aware datetime, e.g. `datetime(2026, 3, 1, 17, tzinfo=TZ)`."""


def now() -> datetime:
    """The present moment, aware, in UTC: the one set by `at`, else by `set_now`, else the machine's."""
    return _here.get() or _process or datetime.now(UTC)


def arrived() -> datetime:
    """When the last byte of the request being served was in at our door （电子签名法 §11), aware, in UTC; without a request, now."""
    arrival, present = _arrival.get(), now()
    return present if arrival is None else min(arrival, present)


@contextmanager
def received(moment: datetime) -> Iterator[None]:
    """Within the block a request is served that was whole at our door at `moment`."""
    token = _arrival.set(_instant(moment))
    try:
        yield
    finally:
        _arrival.reset(token)


def today() -> date:
    """The present calendar day in Shanghai, whatever the machine's own zone."""
    return now().astimezone(TZ).date()


@contextmanager
def at(moment: datetime) -> Iterator[datetime]:
    """Within the block, in this thread or task only, it is `moment`. Nests; the outer time returns even after an error."""
    token = _here.set(_instant(moment))
    try:
        yield now()
    finally:
        _here.reset(token)


def set_now(moment: datetime | None) -> None:
    """Stop the clock of the whole process, every thread, at `moment`; None lets it run again. Raises NaiveMoment."""
    global _process  # noqa: PLW0603 - one process has one clock
    _process = None if moment is None else _instant(moment)


def _instant(moment: datetime) -> datetime:
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise NaiveMoment(f"{moment!r} has no time zone; give it one, e.g. tzinfo=grants.clock.TZ")
    return moment.astimezone(UTC)
