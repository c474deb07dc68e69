"""Everybody's whole site, page by page: 当前位置 on every page below home, one heading, a title of its own, one language."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from grants import clock
from tests.world import village
from tests.world.crawl import Found, walk

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture(scope="module")
def pages(django_db_setup: None, django_db_blocker: object) -> dict[str, list[Found]]:
    """Every kind of page by role. Built once, in a transaction that is taken back."""
    from django.db import transaction

    found: dict[str, list[Found]] = {}
    with django_db_blocker.unblock(), transaction.atomic():  # type: ignore[attr-defined]
        made = village.settled()
        clock.set_now(made.now)
        for role, user in made.people().items():
            found[role] = list(walk(user))
        clock.set_now(None)
        transaction.set_rollback(True)
    return found


def every(pages: dict[str, list[Found]]) -> list[tuple[str, Found]]:
    return [(role, page) for role, found in pages.items() for page in found]


def test_the_walk_reaches_the_desks_of_every_role(pages: dict[str, list[Found]]) -> None:
    kinds = {page.kind for _role, page in every(pages)}
    assert len(kinds) > 60
    for expected in (
        "desk:object kind=award",
        "bidding:tasks",
        "review:mine",
        "funding:queue",
        "evaluation:report",
        "calls:public",
    ):
        assert any(kind.startswith(expected) for kind in kinds), f"{expected} is not among {sorted(kinds)}"


def test_no_link_leads_to_a_page_that_is_refused_missing_or_broken(pages: dict[str, list[Found]]) -> None:
    """Steps that are not open now answer 403, 409 or 422 in words; a link to them would be the fault of the page before."""
    assert [(role, page.path, page.status) for role, page in every(pages) if page.status != 200] == []


def test_every_page_below_home_says_where_one_is(pages: dict[str, list[Found]]) -> None:
    without = []
    for role, page in every(pages):
        trail = re.search(r'<nav class="govuk-breadcrumbs".*?</nav>', page.html, re.DOTALL)
        good = trail and re.search(r'href="/"', trail[0]) and re.search(r'aria-current="page">\s*\S', trail[0])
        if page.path != "/" and not good:
            without.append((role, page.kind))
    assert without == []


def test_every_page_has_one_first_heading_and_a_title_of_its_own(pages: dict[str, list[Found]]) -> None:
    assert [(role, page.kind) for role, page in every(pages) if len(re.findall(r"<h1[ >]", page.html)) != 1] == []
    assert [(role, page.kind) for role, page in every(pages) if re.search(r"<title>\s*-", page.html)] == []


def test_no_page_repeats_an_id(pages: dict[str, list[Found]]) -> None:
    repeated = {}
    for role, page in every(pages):
        twice = [name for name, n in Counter(re.findall(r'\sid="([^"]+)"', page.html)).items() if n > 1]
        if twice:
            repeated[role, page.kind] = twice
    assert repeated == {}
