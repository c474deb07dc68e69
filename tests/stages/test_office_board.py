"""Ranking board and release: the screen, the file and the decisions agree; pending until released together; letters read before they go."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from grants import clock
from grants.awards import services
from grants.awards.board import board
from grants.awards.models import Award, Decision
from grants.ledger.models import AuditEvent
from grants.notifications.models import Message
from grants.people.models import User
from grants.workflow import effects
from grants.workflow.door import perform
from grants.workflow.refusals import NotNow, NotYou
from review import analysing
from review.models import PanelAnalysis
from tests.world import awards as world
from tests.world import people, shared
from tests.world.review import Judged

pytestmark = pytest.mark.django_db
POOL = {"pool": {"total": "200000.00"}}


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """Four ranked bids; the last is below the pass line."""
    with shared.rows(django_db_blocker):
        yield world.ranked(amounts=["90000.00", "80000.00", "70000.00", "60000.00"], shares=["0.9", "0.85", "0.8", "0.4"])


@pytest.fixture(autouse=True)
def after_the_panel(made: Judged) -> Iterator[None]:
    with clock.at(world.at(made.call, 13)):
        yield


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def told() -> list[Message]:
    effects.drain()
    return list(Message.objects.filter(template="awards/decision").select_related("to"))


def test_before_the_proposal_the_board_counts_and_afterwards_it_shows_the_decisions(made: Judged) -> None:
    """Amounts, reasons and cumulative sums are the same before and after proposing: the counting is the proposing."""
    before = board(made.call)
    assert before.counted_only
    assert not Decision.objects.exists(), "looking writes nothing"
    services.propose(made.call, by=made.desk.officer)
    after = board(made.call)
    assert not after.counted_only
    figures = lambda b: [(r.bid.pk, r.proposed, r.cumulative, r.reason, r.awarded) for r in b.rows]  # noqa: E731
    assert figures(before) == figures(after)
    assert [str(r.cumulative) for r in after.rows] == ["90000.00", "170000.00", "240000.00", "240000.00"]
    assert after.rows[2].lines[0][0] == "budget"
    assert after.rows[3].flags[0] == "低于及格线"


def test_the_line_the_tie_rule_and_the_refusal_are_on_the_page_and_the_files_say_the_same(made: Judged) -> None:
    services.propose(made.call, by=made.desk.officer)
    client = signed_in(made.desk.officer)
    shown = client.get(reverse("awards:board", args=[made.call.pk])).content.decode()
    assert "预算线：资助总额 ¥2,700,000.00，至此已用 ¥240,000.00" in shown
    assert "同分怎样排" in shown
    assert "不能手工调整" in shown
    assert "低于及格线" in shown
    assert shown.count('class="gc-dots"') == 4
    assert shown.count('id="budget"') == 1, "the budget line is drawn over the table"
    answer = client.get(reverse("awards:board_file", args=[made.call.pk, "csv"]))
    lines = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]
    rows = {r.bid.number: r for r in board(made.call).rows}
    assert [line[1].lstrip("'") for line in lines[1:5]] == list(rows)
    for line in lines[1:5]:
        row = rows[line[1].lstrip("'")]
        assert f"{row.proposed:.2f}" in line
        assert row.reason in line
        assert row.reason in shown.replace("&quot;", '"')
    assert "240000.00" in lines[5], "the closing line has the total"
    assert client.get(reverse("awards:board_file", args=[made.call.pk, "xlsx"])).status_code == 200
    assert client.get(reverse("awards:board_file", args=[made.call.pk, "exe"])).status_code == 404


def test_plain_mean_and_calibrated_score_stand_beside_the_official_one_and_decide_nothing(made: Judged) -> None:
    """The mean by a pocket calculator from the ballots of the stored explanation; both columns in the file too; dashes until the analysis is made."""
    where = reverse("awards:board", args=[made.call.pk])
    client = signed_in(made.desk.officer)
    PanelAnalysis.objects.all().delete()
    assert all(r.mean is None and r.calibrated is None for r in board(made.call).rows)
    assert client.get(where).status_code == 200
    analysing.keep(panel := made.call.panels.get(), analysing.analysis_of(panel))
    rows = board(made.call).rows
    for row in rows:
        totals = [Decimal(b["total"]) for b in row.result.explanation["stages"][0]["ballots"]]
        assert row.mean == (sum(totals) / len(totals)).quantize(Decimal("0.01"), ROUND_HALF_UP)
        assert row.calibrated is not None
    page = client.get(where).content.decode()
    assert all(f"均分 {r.mean}<br>校准 {r.calibrated}</span>" in page for r in rows)
    answer = client.get(reverse("awards:board_file", args=[made.call.pk, "csv"]))
    header, first = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))[:2]  # type: ignore[attr-defined]
    assert dict(zip(header, first, strict=True))["校准分（参考）"] == str(rows[0].calibrated)


def test_pending_decisions_are_the_agencys_alone(made: Judged) -> None:
    """Bidders and other agencies find neither board nor release nor award; nobody is written to."""
    services.propose(made.call, by=made.desk.officer)
    award = Award.objects.first()
    assert award is not None
    for who in (made.bodies[0].signatory, people.office().officer):
        client = signed_in(who)
        for name in ("board", "release"):
            assert client.get(reverse(f"awards:{name}", args=[made.call.pk])).status_code == 404, name
        assert client.get(reverse("awards:board_file", args=[made.call.pk, "csv"])).status_code == 404
        assert client.get(reverse("desk:object", args=["award", award.pk])).status_code == 404
    assert told() == []
    officer = signed_in(made.desk.officer).get(reverse("awards:release", args=[made.call.pk])).content.decode()
    assert "由负责人发布" in officer
    assert "批准并发布全部决定" not in officer


def test_the_letters_that_are_read_before_are_the_letters_that_are_sent(made: Judged) -> None:
    """Four bidders, winners and loser, one letter each reader; the text differs from the draft in the reader's name only."""
    services.propose(made.call, by=made.desk.officer)
    drafts = {d.decision.bid_id: d for d in services.drafts(services.pending(made.call))}
    approver = signed_in(made.desk.approver)
    shown = approver.get(reverse("awards:release", args=[made.call.pk])).content.decode()
    assert "拟立项通知" in shown
    assert "低于及格线" in shown
    assert approver.post(reverse("awards:release", args=[made.call.pk]), {"note": "同意"}).status_code == 302
    letters = told()
    assert len(letters) == 4
    bodies = {b.signatory.pk: b.organisation for b in made.bodies}
    for letter in letters:
        draft = next(d for d in drafts.values() if d.decision.bid.organisation == bodies[letter.to_id])
        reader = f"〔{bodies[letter.to_id]} 的签署人、填报人〕"
        assert letter.body == draft.body.replace(reader, str(letter.to.name))
        assert letter.subject == draft.subject
    assert {a.state for a in Award.objects.all()} == {"approved"}
    assert Decision.objects.filter(released_at=None).count() == 0
    assert AuditEvent.objects.filter(event="call.release_decisions").count() == 1


def test_one_award_that_may_not_be_approved_stops_the_whole_release(made: Judged) -> None:
    """Proposed by the approver themself: named, nothing released, no letter; after it is cancelled the rest goes out."""
    services.propose(made.call, by=made.desk.officer)
    own = Award.objects.order_by("number")[1]
    Award.objects.filter(pk=own.pk).update(prepared_by=made.desk.approver)
    client, where = signed_in(made.desk.approver), reverse("awards:release", args=[made.call.pk])
    refused = client.post(where, {"note": "同意立项意见"})
    assert refused.status_code == 403
    assert own.number in refused.content.decode()
    assert "同意立项意见" in refused.content.decode(), "what was typed is kept"
    assert {a.state for a in Award.objects.all()} == {"proposed"}
    assert Decision.objects.exclude(released_at=None).count() == 0
    assert told() == []
    perform(own, "cancel", by=made.desk.approver, note="单位主动放弃")
    assert client.post(where).status_code == 302
    assert "经主办方审核，不予立项" in next(m.body for m in told() if own.bid.number in m.body)


def test_nobody_but_the_approver_releases_and_never_twice(made: Judged) -> None:
    with pytest.raises(NotNow) as nothing:
        services.release(made.call, by=made.desk.approver)
    assert nothing.value.rule == "something_pending"
    services.propose(made.call, by=made.desk.officer)
    for who in (made.desk.officer, made.desk.finance, made.desk.auditor, made.bodies[0].signatory):
        with pytest.raises(NotYou):
            services.release(made.call, by=who)
    services.release(made.call, by=made.desk.approver)
    with pytest.raises(NotNow):
        services.release(made.call, by=made.desk.approver)
    assert len(told()) == 4
    effects.drain()
    assert len(told()) == 4


def test_who_learned_of_a_refusal_is_not_written_to_again_when_the_call_is_decided(made: Judged) -> None:
    services.propose(made.call, by=made.desk.officer)
    notice = world.noticed(made)
    with clock.at(world.over(notice)):
        services.confirm_all(made.call, by=made.desk.approver)
        perform(made.call, "decide", by=made.desk.approver)
        effects.drain()
    assert Message.objects.filter(template="awards/result").count() == 3


def test_board_and_release_cost_the_same_for_two_and_for_four(made: Judged, django_assert_num_queries: Any) -> None:
    """Session, person, call, permission, results, categories …: literal, never one per row."""
    services.propose(made.call, by=made.desk.officer)
    client = signed_in(made.desk.approver)
    pages = {"awards:board": 7, "awards:release": 7}
    for keep in (4, 2):
        if keep == 2:
            Decision.objects.filter(rank__gt=2).delete()
            from review.models import Result

            Result.objects.filter(rank__gt=2).delete()
        for name, cost in pages.items():
            where = reverse(name, args=[made.call.pk])
            client.get(where)
            with django_assert_num_queries(cost):
                assert client.get(where).status_code == 200
