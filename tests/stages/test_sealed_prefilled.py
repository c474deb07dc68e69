"""带入 on the sealed page: what the browser is offered is what the ordinary pages would have carried over, of this organisation and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bidding.models import Bid
from bidding.sealed_form import asked_sections
from bidding.sealed_prefilled import carried
from grants import clock
from tests.stages.test_applicant import begun, story
from tests.stages.test_sealed_form import posted
from tests.world import bidding as plain
from tests.world import calls, people
from tests.world import sealing as world
from tests.world.people import Body, Office

pytestmark = pytest.mark.django_db
COUNTS = ("-TOTAL_FORMS", "-INITIAL_FORMS", "-MIN_NUM_FORMS", "-MAX_NUM_FORMS", "-rows")


@pytest.fixture
def desk() -> Office:
    return people.office()


@pytest.fixture
def who(desk: Office) -> Body:
    made = people.body(desk)
    people.checked(made, desk, 2024, 2025)
    return made


def told_before(desk: Office, who: Body) -> None:
    """A profile, and a bid of another call that was submitted."""
    story(who)
    earlier = calls.opened(desk, calls.rules("YX-2026-02"))
    with clock.at(plain.opens(earlier)):
        plain.submitted(earlier, who)


def sealed_bid(desk: Office, who: Body, code: str = "YX-2026-01") -> Bid:
    return world.begun(world.ready(desk, code).call, who)


def offered(bid: Bid) -> dict[str, list[Any]]:
    return {one["answer"]: one["pairs"] for one in carried(bid, asked_sections(bid))}


def test_the_browser_is_offered_what_the_ordinary_pages_would_have_carried_over(desk: Office, who: Body) -> None:
    """The same call once open and once sealed: the same controls with the same texts, and where each comes from."""
    told_before(desk, who)
    bid = sealed_bid(desk, who)
    twin = calls.opened(desk, calls.from_data({**calls.rules("YX-2026-01").plain(), "code": "YX-2026-31"}))
    with clock.at(plain.opens(bid.call)):
        told = carried(bid, asked_sections(bid))
        ordinary = posted(begun(twin, who))
    mine = [pair for one in told for pair in one["pairs"] if not pair[0].endswith(COUNTS)]
    wanted = [pair for pair in ordinary if pair[0].startswith(("s-", "team-")) and not pair[0].endswith(COUNTS)]
    assert sorted(mine) == sorted(wanted) and len(told) > 10
    assert {one["told"] for one in told if one["answer"] in ("s-applicant-profile", "team")} == {"单位资料", "以往申报书"}
    assert any(one["told"].startswith("申报书“") for one in told)


def test_the_page_holds_it_as_data_and_its_form_stays_blank(desk: Office, who: Body) -> None:
    """Nothing is put into the controls here: the browser fills only what is blank in a new draft. Nothing of it is written to the bid."""
    story(who)
    bid = sealed_bid(desk, who)
    client = Client()
    client.force_login(who.signatory)
    with clock.at(plain.opens(bid.call)):
        html = client.get(reverse("bidding:sealed", args=[bid.pk])).content.decode()
    data = html.partition('type="application/json">')[2].partition("</script>")[0]
    assert "成立于 2020 年" in str(json.loads(data)["carried"])
    assert "成立于 2020 年" not in html.partition("<form method")[2]
    assert not bid.prefills.exists() and Bid.objects.get(pk=bid.pk).answers == {}


def test_what_another_organisation_told_is_never_offered(desk: Office, who: Body) -> None:
    told_before(desk, people.body(desk))
    assert offered(sealed_bid(desk, who)) == {}


def test_what_the_call_would_refuse_and_what_it_does_not_ask_is_not_offered(desk: Office, who: Body) -> None:
    """A text over the limit stays behind; a one-page call has no such question."""
    story(who, introduction="长" * 600)
    told = offered(sealed_bid(desk, who))
    assert "s-applicant-profile" not in told and "s-applicant-experience" in told
    assert offered(sealed_bid(desk, who, "YX-2026-03")) == {}
