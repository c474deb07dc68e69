"""Two persons pressing at once: threads with connections of their own that start together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from django.db import connection

from grants import clock

Act = Callable[[], Any]


def at_once(*acts: Act, now: datetime | None = None) -> list[Any]:
    """Run all acts at the same moment; what each returned, or the exception it raised, in order. now: what their clock says."""
    gate = threading.Barrier(len(acts))
    outcomes: list[Any] = [None] * len(acts)

    def run(place: int, act: Act) -> None:
        try:
            gate.wait(30)
            with clock.at(now) if now is not None else nullcontext():
                outcomes[place] = act()
        except Exception as wrong:  # noqa: BLE001 - a refusal is an outcome
            outcomes[place] = wrong
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(i, act)) for i, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "deadlock"
    return outcomes


def winner(outcomes: list[Any], refusal: type[Exception]) -> tuple[Any, Any]:
    """(what the one winner returned, the other's refusal); fails unless exactly one won and the other was refused as said."""
    lost = [o for o in outcomes if isinstance(o, Exception)]
    won = [o for o in outcomes if not isinstance(o, Exception)]
    assert len(won) == 1, outcomes
    assert len(lost) == 1, outcomes
    assert isinstance(lost[0], refusal), lost
    return won[0], lost[0]
