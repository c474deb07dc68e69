"""The feedback letter: everything about one's own bid, nothing of another's, and nothing to anybody outside before the release."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from grants import clock
from grants.awards import services
from grants.awards.feedback import Letter, letter
from grants.awards.feedback_paper import kept, print_feedback
from grants.awards.models import Decision
from grants.documents.files import read_file
from grants.ledger.models import AuditEvent
from grants.notifications.models import Message
from grants.people.models import User
from grants.workflow import effects
from review.models import Mark, Result, Review
from review.scoring import rounded
from tests.world import awards as world
from tests.world import people, shared
from tests.world.people import Body
from tests.world.review import Judged

pytestmark = pytest.mark.django_db
SECRET, WARM = "仅供评审组参考的意见", "服务对象写得清楚"


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """Five ranked bids of five organisations, proposed: four funded, the last below the pass line."""
    with shared.rows(django_db_blocker):
        judged = world.ranked(amounts=["90000.00"] * 5, shares=["0.95", "0.9", "0.85", "0.8", "0.4"])
        Mark.objects.update(comment=WARM, panel_comment=SECRET)
        world.proposed(judged)
        yield judged


@pytest.fixture(autouse=True)
def after_the_panel(made: Judged) -> Iterator[None]:
    with clock.at(world.at(made.call, 13)):
        yield


def decision(made: Judged, place: int) -> Decision:
    """The decision about the bid in this place, best first."""
    return Decision.objects.select_related("bid__organisation", "call__rules_version", "panel").get(call=made.call, rank=place)


def body_of(made: Judged, found: Decision) -> Body:
    return next(b for b in made.bodies if b.organisation.pk == found.bid.organisation_id)


def client(user: User) -> Client:
    made = Client()
    made.force_login(user)
    return made


def page(user: User, found: Decision, name: str = "feedback") -> Any:
    return client(user).get(reverse(f"awards:{name}", args=[found.bid_id]))


def text_of(pdf: bytes) -> str:
    return "".join(p.extract_text() for p in PdfReader(BytesIO(pdf)).pages).replace("\n", "")


def released(made: Judged) -> None:
    services.release(made.call, by=made.desk.approver)
    effects.drain()


def test_before_the_release_nobody_but_the_agency_reads_a_letter(made: Judged) -> None:
    found = decision(made, 1)
    assert page(made.desk.officer, found).status_code == 200
    assert "这是预览" in page(made.desk.officer, found).content.decode()
    for user in (body_of(made, found).signatory, people.office().officer, next(iter(made.experts.values())).user):
        assert page(user, found).status_code == 404
        assert page(user, found, "feedback_paper").status_code == 404
    assert not Decision.objects.exclude(letter=None).exists()


def test_after_the_release_each_bidder_reads_its_own_letter_and_no_other(made: Judged) -> None:
    """Page and paper; every other organisation, experts and other agencies get 404 as before."""
    released(made)
    for place in range(1, 6):
        found = decision(made, place)
        assert found.letter is None, "printed when it is first asked for"
        for body in made.bodies:
            expected = 200 if body.organisation.pk == found.bid.organisation_id else 404
            assert page(body.signatory, found).status_code == expected
            assert page(body.signatory, found, "feedback_paper").status_code == expected
        assert page(next(iter(made.experts.values())).user, found).status_code == 404
    assert Message.objects.filter(template="awards/decision", link__endswith="/").values("link").distinct().count() == 5


def test_the_letter_names_no_other_bid_and_no_expert_and_no_word_for_the_panel(made: Judged) -> None:
    """Neither number, title, organisation nor single score of another bid; experts by code alone."""
    released(made)
    found = decision(made, 5)
    shown = page(body_of(made, found).signatory, found).content.decode()
    printed = text_of(read_file(kept(found).sha256))
    names = [e.user.name for e in made.experts.values()]
    for other in Decision.objects.filter(call=made.call).exclude(pk=found.pk).select_related("bid__organisation"):
        for words in (shown, printed):
            assert other.bid.number not in words
            assert str(other.bid.organisation) not in words
            assert str(other.bid.pk) not in words
            assert f"{other.score:.2f}" not in words
    for words in (shown, printed):
        assert WARM in words
        assert SECRET not in words
        assert not [n for n in names if n in words]


def test_own_scores_are_the_results_and_the_funded_average_is_redone_by_hand(made: Judged) -> None:
    said = letter(decision(made, 5))
    results = {r.bid_id: r for r in Result.objects.filter(panel__call=made.call).select_related("bid__decision")}
    own = results[said.bid.pk]
    assert {line.code: str(line.own) for line in said.lines} == own.explanation["criteria"]
    funded = [r for r in results.values() if r.bid.decision.awarded]
    assert said.funded == len(funded) == 4
    for line in said.lines:
        assert line.funded == rounded(sum((Decimal(r.explanation["criteria"][line.code]) for r in funded), Decimal(0)) / 4)
    ballots = Review.objects.filter(bid=said.bid, state="submitted")
    assert len(said.ballots) == ballots.count() == 5
    assert sorted(b.dropped for b in said.ballots) == ["", "", "", "high", "low"], "dropped ones are marked"
    assert said.reason == said.decision.reason


@pytest.mark.parametrize("kept", [0, 1, 2, 3])
def test_an_average_of_fewer_than_three_funded_bids_is_not_shown(made: Judged, kept: int) -> None:
    refused = Decision.objects.filter(call=made.call, awarded=True).order_by("rank").values_list("pk", flat=True)[kept:]
    Decision.objects.filter(pk__in=list(refused)).update(awarded=False, amount=0)
    found = decision(made, 5)
    said = letter(found)
    assert [line.funded is not None for line in said.lines] == [kept >= 3] * len(said.lines)
    assert said.compared == (kept >= 3)
    shown = page(made.desk.officer, found).content.decode()
    assert ("不公布平均分" in shown) == (kept < 3)
    assert ("不公布平均分" in text_of(print_feedback(found))) == (kept < 3)


def test_how_to_object_is_the_period_before_the_notice_and_the_exact_moment_after_it(made: Judged) -> None:
    released(made)
    found = decision(made, 5)
    user = body_of(made, found).signatory
    before = page(user, found).content.decode()
    assert made.call.rules.timetable.objection.words() in before
    notice = services.publish_notice(made.call, by=made.desk.officer)
    effects.drain()
    after = page(user, found).content.decode()
    end = notice.objections_end.astimezone(clock.TZ)
    assert f"{end.year}年{end.month}月{end.day}日" in after
    assert reverse("awards:object", args=[notice.pk]) in after
    told = Message.objects.filter(template="awards/notice_open", to=user)
    assert [f"{end.year}年{end.month}月{end.day}日" in m.body for m in told] == [True], "every bidder is told the last day, once"


def test_the_paper_is_the_same_bytes_whenever_it_is_printed(made: Judged) -> None:
    released(made)
    found = decision(made, 2)
    paper = kept(found)
    assert kept(decision(made, 2)) == paper == decision(made, 2).letter, "printed once"
    assert print_feedback(found) == read_file(paper.sha256)
    with clock.at(world.at(made.call, 30)):
        assert print_feedback(found) == read_file(paper.sha256)


def test_an_auditors_reading_is_an_entry_of_the_log(made: Judged) -> None:
    released(made)
    found = decision(made, 1)
    auditor = made.desk.auditor
    before = AuditEvent.objects.filter(event__endswith=".read").count()
    assert page(auditor, found).status_code == 200
    assert AuditEvent.objects.filter(event__endswith=".read").count() == before + 1
    page(made.desk.officer, found)
    assert AuditEvent.objects.filter(event__endswith=".read").count() == before + 1


def test_a_cancelled_award_is_said_but_its_scores_stay(made: Judged) -> None:
    released(made)
    found = decision(made, 1)
    from grants.workflow.door import perform

    perform(found.bid.award, "cancel", by=made.desk.approver, note="放弃立项")
    said: Letter = letter(decision(made, 1))
    assert said.cancelled
    assert "取消" in said.reason
    assert letter(decision(made, 5)).funded_mean == letter(decision(made, 4)).funded_mean, "the average was made with the decisions"
