"""What every test shares, and nothing more: properties without a deadline, and the same examples every time in CI."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(autouse=True)
def in_chinese() -> Iterator[None]:
    """A page asked for in English leaves its language in the thread; the next test begins in Chinese all the same."""
    from django.conf import settings as site
    from django.utils import translation

    with translation.override(site.LANGUAGE_CODE):
        yield
