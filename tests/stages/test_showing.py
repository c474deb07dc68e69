"""Who sees what of a ranking: the same rule on the page, in CSV and in XLSX; experts by code to auditors only; few are never shown."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from bidding.models import Bid
from grants import clock
from grants.awards import services
from grants.awards.showing.audience import Audience, audience, published
from grants.awards.showing.exhibits import EXHIBITS, seen_by
from grants.awards.showing.inside import residuals, strictness
from grants.awards.showing.view import View
from grants.ledger.models import AuditEvent
from grants.people.models import User
from grants.workflow import effects
from grants.workflow.rules import PUBLIC
from review.analysing import kept
from review.models import Panel, Review
from tests.world import awards as world
from tests.world import people, review, shared
from tests.world.review import Judged

pytestmark = pytest.mark.django_db
PUBLIC_PART = ["budget", "ranks", "categories", "agreement", "criteria"]
INSIDE = [*PUBLIC_PART, "calibrated", "best", "robust"]
EVERYTHING = [*INSIDE, "strictness", "residuals", "committee", "alarms"]


def given(found: Review) -> Decimal:
    """Bids eight hundredths apart; experts a little lenient or strict."""
    return Decimal("0.95") - Decimal("0.08") * int(found.bid.number[-2:]) + Decimal(int(found.expert.code[1:]) % 4) / 100


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """Five bids, scored unevenly, concluded; the analysis is kept; nothing is proposed yet."""
    with shared.rows(django_db_blocker):
        judged = review.judged(world.rules(), amounts=["90000.00"] * 5, n=5)
        panel = review.locked(review.started(judged.call, judged.desk.officer), judged.desk.officer, given)
        review.concluded(panel, judged.desk.officer)
        yield judged


@pytest.fixture(autouse=True)
def after_the_panel(made: Judged) -> Iterator[None]:
    with clock.at(world.at(made.call, 13)):
        yield


def client(user: User | None) -> Client:
    found = Client()
    if user is not None:
        found.force_login(user)
    return found


def page(made: Judged, user: User | None) -> Any:
    return client(user).get(reverse("awards:review", args=[made.call.code]))


def taken(made: Judged, user: User | None, what: str, form: str = "csv") -> Any:
    return client(user).get(reverse("awards:review_file", args=[made.call.code, what, form]))


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def decided(made: Judged) -> None:
    services.propose(made.call, by=made.desk.officer)
    services.release(made.call, by=made.desk.approver)
    services.publish_notice(made.call, by=made.desk.officer)
    effects.drain()


def member(made: Judged) -> User:
    seat = Panel.objects.get(call=made.call).members.filter(alternate=False, excused=False).select_related("expert__user").first()
    assert seat is not None
    return seat.expert.user


def outsider_expert(made: Judged) -> User:
    seats = Panel.objects.get(call=made.call).members.filter(alternate=False, excused=False).values("expert")
    return next(e.user for e in made.experts.values() if e.pk not in set(seats.values_list("expert", flat=True)))


def test_before_publication_bidders_and_the_public_see_nothing(made: Judged) -> None:
    for stage in ("concluded", "proposed", "released"):
        if stage == "proposed":
            services.propose(made.call, by=made.desk.officer)
        if stage == "released":
            services.release(made.call, by=made.desk.approver)
        assert not published(made.call), stage
        for user in (None, made.bodies[0].signatory, people.office().officer, outsider_expert(made)):
            assert page(made, user).status_code == 404, stage
            assert [taken(made, user, what).status_code for what in EXHIBITS] == [404] * len(EXHIBITS)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_each_audience_gets_the_same_exhibits_on_the_page_and_as_files(made: Judged, form: str) -> None:
    decided(made)
    seen = {
        None: PUBLIC_PART, made.bodies[0].signatory: PUBLIC_PART, outsider_expert(made): PUBLIC_PART, member(made): INSIDE,
        made.desk.officer: INSIDE, made.desk.approver: INSIDE, made.desk.auditor: EVERYTHING,
    }  # fmt: skip
    assert seen_by(Audience.AUDITOR) == list(EXHIBITS) == EVERYTHING
    for user, expected in seen.items():
        shown = page(made, user).content.decode()
        assert [what for what in EXHIBITS if f'id="{what}-section"' in shown] == expected
        assert [what for what in EXHIBITS if taken(made, user, what, form).status_code == 200] == expected


def test_the_trail_of_the_page_leads_only_where_its_reader_may_go(made: Judged) -> None:
    """A panel's member reads what the officers read, but has no way into their list of awards."""
    decided(made)
    for user in (None, made.bodies[0].signatory, member(made), made.desk.officer, made.desk.auditor):
        trail = page(made, user).content.decode().split('<nav class="govuk-breadcrumbs"')[1].split("</nav>")[0]
        assert [client(user).get(link).status_code for link in re.findall(r'href="([^"]+)"', trail)] in ([200] * 2, [200] * 3)


def test_files_hold_the_rows_of_the_page(made: Judged) -> None:
    decided(made)
    for what in EVERYTHING:
        lines = list(csv.reader(io.StringIO(body(taken(made, made.desk.auditor, what)).decode("utf-8-sig"))))
        sheet = load_workbook(io.BytesIO(body(taken(made, made.desk.auditor, what, "xlsx")))).worksheets[0]
        rows = EXHIBITS[what][2](View(made.call, Audience.AUDITOR, made.desk.auditor)).rows
        assert len(lines) == len(rows) + 2 == sheet.max_row, what
        assert what in ("robust", "alarms", "committee") or rows, what


def test_the_public_reads_no_number_of_a_bid_that_is_not_in_the_notice_and_no_code_of_an_expert(made: Judged) -> None:
    decided(made)
    noticed = set(Bid.objects.filter(award__notice__isnull=False, call=made.call).values_list("number", flat=True))
    assert 0 < len(noticed) < 5
    words = page(made, None).content.decode() + "".join(body(taken(made, None, what)).decode() for what in PUBLIC_PART)
    for bid in Bid.objects.filter(call=made.call).select_related("organisation"):
        assert (bid.number in words) == (bid.number in noticed)
        assert str(bid.pk) not in words
        assert bid.number in noticed or str(bid.organisation) not in words
    for code in made.experts:
        assert f">{code}<" not in words
        assert f"{code}," not in words


def test_a_bidder_finds_its_own_bid_named_and_drawn_bold(made: Judged) -> None:
    decided(made)
    refused = Bid.objects.filter(call=made.call, award=None).select_related("organisation").first()
    assert refused is not None
    owner = next(b.signatory for b in made.bodies if b.organisation.pk == refused.organisation_id)
    shown = page(made, owner).content.decode()
    assert refused.number in shown
    assert reverse("awards:feedback", args=[refused.pk]) in shown
    assert 'stroke-width="6"' in shown
    assert refused.number not in page(made, None).content.decode()


def test_everything_of_the_analysis_is_marked_for_information(made: Judged) -> None:
    decided(made)
    shown = page(made, made.desk.auditor).content.decode()
    for heading in ("九成区间（参考）", "校准分（参考）", "正式得分与校准分（参考）", "残差：专家对申报（参考）", "结果的稳健程度（参考）"):
        assert heading in shown
    heads = body(taken(made, made.desk.officer, "calibrated")).decode().splitlines()[0]
    assert "校准分（参考）" in heads
    assert "校准分," not in heads


def test_boxes_go_from_strict_to_lenient_and_experts_with_few_ballots_are_left_out(made: Judged) -> None:
    decided(made)
    view = View(made.call, Audience.AUDITOR, made.desk.auditor)
    rows = strictness(view).rows
    assert [e.strictness for e in rows] == sorted(e.strictness for e in rows)
    assert all(e.n >= 3 for e in rows)
    panel = Panel.objects.get(call=made.call)
    found = kept(panel)
    assert found is not None
    from dataclasses import replace

    thin = replace(found, experts=(replace(found.experts[0], n=2), *found.experts[1:]))
    other = View(made.call, Audience.AUDITOR, made.desk.auditor, {panel.pk: thin})
    shown = strictness(other)
    assert found.experts[0].expert not in [e.expert for e in shown.rows]
    assert found.experts[0].expert not in "".join(str(c.rows) for c in shown.charts)
    assert "另有 1 位" in shown.note
    few = replace(found, experts=found.experts[:2])
    assert EXHIBITS["criteria"][2](View(made.call, Audience.PUBLIC, PUBLIC, {panel.pk: few})).rows == []


def test_residuals_of_one_expert_are_small_where_strictness_explains_the_marks(made: Judged) -> None:
    """Experts differ by a constant and bids by theirs: what is left is less than two points anywhere."""
    rows = residuals(View(made.call, Audience.AUDITOR, made.desk.auditor)).rows
    assert len(rows) == 25
    assert max(abs(r.value) for r in rows) < 2


def test_the_category_table_counts_what_was_asked_passed_and_funded(made: Judged) -> None:
    decided(made)
    rows = EXHIBITS["categories"][2](View(made.call, Audience.PUBLIC, PUBLIC)).rows
    used = [r for r in rows if r.bids]
    assert sum(r.bids for r in used) == 5
    assert sum(r.asked for r in used) == Decimal("450000.00")
    assert sum(r.awards for r in used) == Bid.objects.filter(award__isnull=False, call=made.call).count()


def test_an_auditors_look_and_download_are_entries(made: Judged) -> None:
    before = AuditEvent.objects.filter(event__in=("call.read", "call.download")).count()
    page(made, made.desk.auditor)
    taken(made, made.desk.auditor, "strictness")
    assert AuditEvent.objects.filter(event__in=("call.read", "call.download")).count() == before + 2
    assert audience(made.call, made.desk.officer) is Audience.STAFF


def test_the_analysis_asks_the_real_selection_with_its_limits(made: Judged) -> None:
    """The order that came out gives the awards that were made; a bid refused by a limit of its organisation is not called funded."""
    from grants.awards.counterfactual import funding
    from review.models import Result

    decided(made)
    panel = Panel.objects.get(call=made.call)
    order = [(r.bid.number, r.total) for r in Result.objects.filter(panel=panel).select_related("bid").order_by("rank")]
    awarded = set(Bid.objects.filter(call=made.call, award__isnull=False).values_list("number", flat=True))
    assert funding(panel)(order) == awarded
    twice = made.bids[1]
    Bid.objects.filter(pk=twice.pk).update(organisation=made.bids[0].organisation)
    limit = made.call.rules.eligibility.awards_per_organisation
    assert limit == 1
    assert twice.number not in funding(panel)(order)
    found = kept(panel)
    assert found is not None
    assert {b.bid for b in found.bids if b.funded} == awarded
