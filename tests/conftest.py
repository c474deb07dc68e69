"""What every test shares, and nothing more: properties without a deadline, the same examples every time in CI, the same random ids."""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")

SHARED = ("brokers", "kills", "races")
"""Suites whose processes use one server together: there an id must be the only one of its kind."""
_ids = random.Random()
_chance = SimpleNamespace(**{**vars(os), "urandom": _ids.randbytes})


def pytest_configure(config: pytest.Config) -> None:
    """`uuid4` draws from a stream that begins anew with each test.

    Rows are often found in the order of their ids, which in the house are random: with other ids in each run a test that depends on the order
    fails now and then and nobody sees why. Here it fails always. The order still has nothing to do with the order of making.
    """
    from tests.world.fresh import count_as_signing_in

    count_as_signing_in()
    if config.option.markexpr not in SHARED:
        uuid.os = _chance  # type: ignore[attr-defined]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a module makes step by step is made once for all its tests (tests/world/shared.py)."""
    from tests.world.shared import in_order

    items[:] = in_order(items)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    _ids.seed(item.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: Any, request: pytest.FixtureRequest) -> Any:
    """What a module shares has ids of its own, whichever of its tests comes first."""
    if fixturedef.scope == "function":
        return (yield)
    before = _ids.getstate()
    _ids.seed(f"{fixturedef.baseid}::{fixturedef.argname}[{request.param_index}]")
    try:
        return (yield)
    finally:
        _ids.setstate(before)


@pytest.fixture(autouse=True)
def in_chinese() -> Iterator[None]:
    """A page asked for in English leaves its language in the thread; the next test begins in Chinese all the same."""
    from django.conf import settings as site
    from django.utils import translation

    with translation.override(site.LANGUAGE_CODE):
        yield
