"""Many hands for the effects of a busy day: printing thirty contracts takes both cores, whatever the database."""

from __future__ import annotations

import gc
import multiprocessing
import os
from datetime import datetime
from typing import Any

from django.db import connection, connections
from django.db.backends.signals import connection_created

from grants import clock
from grants.workflow import effects

MANY = 5
"""From how many effects on a second process is worth its start."""
HANDS = 2


def drain() -> None:
    """Do every effect that is due, in this process and, where there are many, in another beside it; returns when all are done."""
    helpers = [_helper(clock.now()) for _ in range(HANDS - 1)] if _worth_it() else []
    while effects.drain():
        pass
    for helper in helpers:
        helper.join()
    while effects.drain():
        pass


def _worth_it() -> bool:
    """Not inside a transaction and not in memory: there another process would see nothing."""
    shared = "memory" not in str(connection.settings_dict["NAME"]) and not connection.in_atomic_block
    slow = [name for name, found in effects.registered().items() if found.slow]
    return shared and (os.cpu_count() or 1) > 1 and effects.open_rows().filter(task__in=slow).count() >= MANY


def _helper(now: datetime) -> Any:
    """A forked process with a connection of its own: none may be carried over a fork."""
    connections.close_all()
    process = multiprocessing.get_context("fork").Process(target=_help, args=(now,))
    process.start()
    return process


def _help(now: datetime) -> None:
    with clock.at(now):
        effects.drain()
    connections.close_all()


class hurried:  # noqa: N801 - reads as a word in `with hurried():`
    """While the story is loaded SQLite does not wait for the disk and Python looks for garbage rarely.

    A broken load is started again, never repaired.
    """

    def __enter__(self) -> None:
        self.threshold = gc.get_threshold()
        self.froze = gc.get_freeze_count() == 0  # what somebody else has put aside stays there
        if self.froze:
            gc.freeze()
        gc.set_threshold(100_000, 20, 100)
        connection_created.connect(_hurry)
        _hurry(connection=connection)

    def __exit__(self, *_exc: object) -> None:
        gc.set_threshold(*self.threshold)
        if self.froze:
            gc.unfreeze()
        connection_created.disconnect(_hurry)
        if not connection.in_atomic_block:  # whoever told the story inside a transaction still needs its connection
            connections.close_all()


def _hurry(*, connection: Any, **_more: Any) -> None:
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=OFF")
