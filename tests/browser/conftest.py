"""One chromium per session. With $SCREENSHOTS every page that is looked at is photographed into it; a test that fails always leaves pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from grants import clock
from tests.browser.town import CHROMIUM, FLAGS, PATIENCE, Town

FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Remember how the test went, for fixtures that end after it."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # playwright keeps a loop in this thread; our queries do not run in it
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def nobody_stays(chromium: Browser) -> Iterator[None]:
    """Every window is closed in the end: a page left open goes on asking the server, also that of the next test."""
    yield
    for context in chromium.contexts:
        context.close()


@pytest.fixture
def town(request: pytest.FixtureRequest, chromium: Browser, live_server: Any, tmp_path: Path) -> Iterator[Town]:
    """The live site. Its threads share the process's clock, which the test sets and this fixture lets run again."""
    made = Town(chromium, live_server.url, Path(os.environ["SCREENSHOTS"]) if os.environ.get("SCREENSHOTS") else None)
    yield made
    if request.node.stash.get(FAILED, False):
        made.last_pictures(tmp_path)
    clock.set_now(None)
