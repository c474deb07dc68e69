"""Rows that a whole module of tests shares, taken back when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction

LATER = "started"
"""The name of a module's fixture that goes on from its shared rows: its tests come after those that want the rows as they were."""


@contextmanager
def rows(blocker: Any) -> Iterator[None]:
    """One transaction around a module's tests, rolled back at the end, also when making the rows fails: nothing leaks to the next module."""
    with blocker.unblock(), transaction.atomic():
        try:
            yield
        finally:
            transaction.set_rollback(True)


def in_order(items: list[pytest.Item]) -> list[pytest.Item]:
    """The tests of each module that know nothing of LATER before those that do, else as they were."""
    modules: dict[str, int] = {}
    for item in items:
        modules.setdefault(item.nodeid.partition("::")[0], len(modules))
    return sorted(items, key=lambda i: (modules[i.nodeid.partition("::")[0]], LATER in getattr(i, "fixturenames", ())))
