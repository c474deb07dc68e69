"""回避核查记录: every check, finding, dismissal, challenge and voided ballot of a call in one list; pseudonyms and roles, no names; auditors only."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from grants import clock
from grants.desk.audit.conflicts import ASIDE, CHALLENGE, CHECK, FOUND, LEFT, lines
from grants.ledger.models import AuditEvent
from grants.workflow import effects
from grants.workflow.door import perform
from review import services
from review.conflicts import RelationKind as K
from review.models import Panel
from tests.world import bidding, calls, people, shared
from tests.world import review as world
from tests.world.review import Judged

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def judged(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """A challenge upheld before the draw, a recusal, one late finding set aside by two and another whose ballot is voided by two."""
    with shared.rows(django_db_blocker):
        made = world.judged(world.rules(name="YX-2026-L1"), n=2, sector=10, finance=4)
        by, other = made.desk.officer, made.desk.approver
        with clock.at(world.after(made.call, 2)):
            asked = services.challenge(made.bids[0], name="专家S01", reason="曾有诉讼", by=made.bodies[0].signatory)
            services.uphold_challenge(asked, made.experts["S01"], "有判决书", by=other)
        panel = world.started(made.call, by)
        with clock.at(world.after(made.call, 5)):
            leaving = world.review_of(panel, made.bids[1])
            services.recuse(leaving, "与其负责人相识", by=leaving.expert.user)
            effects.drain()
        world.locked(Panel.objects.select_related(*Panel.door_select).get(pk=panel.pk), by)
        with clock.at(world.after(made.call, 11)):
            first, second = list(
                panel.reviews.filter(state="submitted", bid=made.bids[0])
                .select_related("expert", "bid__organisation")
                .order_by("pk")
            )[:2]
            for review in (first, second):
                services.record_tie(review.expert, review.bid.organisation, K.CONSULTED, agency=made.desk.agency, by=by)
            services.check_conflicts(panel, by=by)
            hit = panel.hits.get(expert=first.expert, bid=first.bid)
            services.propose_dismissal(hit, "只听过一次公开讲座", by=by)
            services.dismiss_hit(hit, "核对签到表属实", by=other)
            voiding = services.propose_voiding(second, "撰写过申报书", by=by)
            perform(voiding, "approve", by=other)
            effects.drain()
        yield made


@pytest.fixture(autouse=True)
def the_twelfth_day(judged: Judged) -> Iterator[None]:
    with clock.at(world.after(judged.call, 12)):
        yield


def see(user: Any, page: str) -> Any:
    client = Client()
    client.force_login(user)
    return client.get(page)


def test_everything_is_there_in_order_of_time(judged: Judged) -> None:
    found = lines(judged.call)
    assert [line.at for line in found] == sorted(line.at for line in found)
    events = {
        line.kind: [AuditEvent.objects.get(pk=row.event).event for row in found if row.kind == line.kind and row.event]
        for line in found
    }
    assert {"draw.open", "panel.check_conflicts", "review.accept", "review.submit", "panel.lock"} <= set(events[CHECK])
    assert events[ASIDE] == ["panel.propose_dismissal", "panel.dismiss_hit"]
    assert events[CHALLENGE] == ["challenge.open", "challenge.uphold"]
    assert {"review.recuse", "voiding.open", "voiding.approve", "panel.reopen", "review.annul"} <= set(events[LEFT])
    assert len([line for line in found if line.kind == FOUND]) >= 2


def test_a_dismissal_names_its_finding_its_reason_and_two_pseudonyms_with_roles(judged: Judged) -> None:
    first, second = (line for line in lines(judged.call) if line.kind == ASIDE)
    assert (first.why, second.why) == ("只听过一次公开讲座", "核对签到表属实")
    assert (first.who, second.who) == (str(judged.desk.officer.pseudonym), str(judged.desk.approver.pseudonym))
    assert first.role
    assert second.role
    assert first.role != second.role
    assert first.expert == second.expert
    assert "为申报提供咨询的关系" in first.about
    (found,) = [
        line for line in lines(judged.call) if line.kind == FOUND and line.expert == first.expert and line.bid == first.bid
    ]
    assert "已由两人排除" in found.why
    assert "经关系" in found.why


def test_a_voided_ballot_names_expert_bid_and_the_result_before(judged: Judged) -> None:
    (done,) = [
        line for line in lines(judged.call) if line.event and AuditEvent.objects.get(pk=line.event).event == "voiding.approve"
    ]
    assert (done.why, done.bid) == ("撰写过申报书", judged.bids[0].number)
    assert done.expert
    assert "摘要" in done.about


def test_the_auditor_reads_it_and_takes_it_home_and_each_reading_is_an_entry(judged: Judged) -> None:
    page = reverse("desk:audit_conflicts", args=[judged.call.pk])
    assert page in see(judged.desk.auditor, reverse("desk:audit_call", args=[judged.call.pk])).content.decode()
    body = see(judged.desk.auditor, page).content.decode()
    assert "核对签到表属实" in body
    assert "回溯 3 年" in body
    only = see(judged.desk.auditor, f"{page}?kind=aside").content.decode()
    assert "核对签到表属实" in only
    assert "有判决书" not in only
    taken = see(judged.desk.auditor, f"{page}?as=csv")
    rows = list(csv.reader(io.StringIO(b"".join(taken.streaming_content).decode("utf-8-sig"))))
    assert len(rows) == len(lines(judged.call)) + 2
    for name in ("经办甲", "负责人乙"):
        assert name not in "".join(map("".join, rows)), "pseudonyms, no names"
        assert name not in body.split("<table")[1]
    read = AuditEvent.objects.filter(event__in=("call.read", "call.download"), subject=judged.call.subject)
    assert sum(b'"conflicts"' in bytes(event.leaf) for event in read) == 3


def test_nobody_but_the_call_s_auditor_opens_it(judged: Judged) -> None:
    page = reverse("desk:audit_conflicts", args=[judged.call.pk])
    elsewhere = people.office("澄江市邻县民政局")
    panel = judged.call.panels.get()
    for who in (
        judged.desk.officer,
        judged.desk.approver,
        elsewhere.auditor,
        judged.bodies[0].signatory,
        panel.members.first().expert.user,
    ):
        assert see(who, page).status_code == 404


def test_before_the_opening_it_is_empty_even_for_the_auditor() -> None:
    desk = people.office()
    call = calls.opened(desk, world.rules(name="YX-2026-L2"))
    with clock.at(bidding.opens(call)):
        body = see(desk.auditor, reverse("desk:audit_conflicts", args=[call.pk])).content.decode()
    assert "开标之前" in body


def test_it_costs_the_same_queries_however_long(judged: Judged, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(8):
        assert len(lines(judged.call)) > 20
