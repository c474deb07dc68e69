"""The embedded worker: drains the outbox and keeps the schedule, in one process, without a broker.

Killed at any moment it loses nothing: what was promised is in the outbox, what is due is in the database. It polls; there is no
message to lose (docs/adr/0002-embedded-worker.md).
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import FrameType

from django.db import close_old_connections
from django.utils.module_loading import import_string

from grants.workflow import effects

log = logging.getLogger(__name__)
IDLE = 0.5  # seconds between looks when there is nothing to do


@dataclass(frozen=True)
class Chore:
    """A recurring duty: a dotted path to a function without arguments, and how many seconds lie between its runs."""

    name: str
    call: str
    every: float

    def function(self) -> Callable[[], object]:
        return import_string(self.call)  # type: ignore[no-any-return]


class Worker:
    """Runs until told to stop. `chores` come from the composition root, so that this layer names nobody above it."""

    def __init__(self, chores: Iterable[Chore], *, idle: float = IDLE, batch: int = 20) -> None:
        self.chores = list(chores)
        self.idle, self.batch = idle, batch
        self.next_run = dict.fromkeys((c.name for c in self.chores), 0.0)
        self.stopping = False

    def stop(self, _signum: int = 0, _frame: FrameType | None = None) -> None:
        """Finish the effect in hand, then end."""
        self.stopping = True

    def run(self) -> None:
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        while not self.stopping:
            if not self.turn():
                time.sleep(self.idle)

    def turn(self) -> int:
        """One look: the chores that are due, then a batch of effects; returns how many effects were done."""
        close_old_connections()
        for chore in self.chores:
            self._keep(chore)
        try:
            return effects.drain(self.batch)
        except Exception:  # a database that is away comes back; the worker stays
            log.exception("outbox could not be read")
            return 0

    def _keep(self, chore: Chore) -> None:
        now = time.monotonic()
        if now < self.next_run[chore.name]:
            return
        self.next_run[chore.name] = now + chore.every
        try:
            chore.function()()
        except Exception:  # one chore's fault must not stop the others
            log.exception("chore %s failed; it runs again in %s s", chore.name, chore.every)
