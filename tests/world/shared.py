"""Rows that a whole module of tests shares, taken back when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction


@contextmanager
def rows(blocker: Any) -> Iterator[None]:
    """One transaction around a module's tests, rolled back at the end, also when making the rows fails: nothing leaks to the next module."""
    with blocker.unblock(), transaction.atomic():
        try:
            yield
        finally:
            transaction.set_rollback(True)
