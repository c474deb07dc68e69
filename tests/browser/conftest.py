"""One chromium per session; pictures go to $SCREENSHOTS, or to pytest's temporary folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from grants import clock
from tests.browser.town import CHROMIUM, FLAGS, Town


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # playwright keeps a loop in this thread; our queries do not run in it
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def town(chromium: Browser, live_server: Any, tmp_path: Path) -> Iterator[Town]:
    """The live site. Its threads share the process's clock, which the test sets and this fixture lets run again."""
    pictures = Path(os.environ.get("SCREENSHOTS") or tmp_path / "pictures")
    pictures.mkdir(parents=True, exist_ok=True)
    yield Town(chromium, live_server.url, pictures)
    clock.set_now(None)
