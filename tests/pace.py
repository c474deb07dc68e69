"""What costs test processes a third of their time and proves nothing: taken away. Loaded by pytest only (`addopts`); measured on `make test-access`.

Room for frames. CPython 3.11 and later keep the frames of Python functions in pieces of 16 KiB and give a piece back to the system as soon as
its first frame returns: code that happens to run across such an edge asks the system for memory at every call. Each page of a test, templates
in templates, does so some hundred times. Here every test runs above one frame that is larger than any piece: the interpreter must make a piece
of a megabyte for it, and the half that is left holds everything a test calls. What a test can see is the same: recursion is counted as before.

Garbage. Python looks for cycles after every 700 objects that stay, and now and then through everything that was ever imported. What is there when
collecting ends lives as long as the process and is not looked through again; what a test leaves behind is looked for every 100,000 objects.
"""

from __future__ import annotations

import gc
from typing import Any

import pytest
from _pytest import runner

SLOTS = 2**16 - 900
"""Values the large frame has room for. The interpreter asks for a power of two of bytes that holds them, 8 each, and 1,000 more: 1 MiB."""


def _above(function: Any, *args: Any) -> Any:
    return function(*args)


_above.__code__ = _above.__code__.replace(co_stacksize=SLOTS)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Any:
    """pytest's own, with room."""
    return _above(runner.pytest_runtest_protocol, item, nextitem)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
