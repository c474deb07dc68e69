"""Test processes waste nothing on the interpreter's housekeeping (tests/pace.py); without the plugin both tests fail."""

from __future__ import annotations

import gc
import resource


def _small(more: int) -> None:
    if more:
        _small(more - 1)


def _calls(depth: int) -> None:
    if depth:
        _calls(depth - 1)
        return
    for _ in range(300):
        _small(3)


def _page_faults(depth: int) -> int:
    """Pages the system had to give while 300 small functions are called under `depth` others."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    _calls(depth)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def test_at_no_depth_does_every_call_ask_the_system_for_memory() -> None:
    """A piece of 16 KiB holds some 140 of these frames: without room several of the depths lie on an edge and cost 300 pages each."""
    _page_faults(600)
    assert max(_page_faults(depth) for depth in range(100, 500)) < 100


def test_what_was_imported_is_not_searched_for_garbage() -> None:
    assert gc.get_freeze_count() > 100_000
    assert gc.get_threshold()[0] == 100_000
