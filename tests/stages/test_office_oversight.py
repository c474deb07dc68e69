"""What the head of a programme looks at: what is late, what is missing in a project's file, how the round went."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from grants import clock
from grants.awards.models import Award
from grants.calls.models import Call
from grants.desk import completeness, retrospective
from grants.desk.overdue import overdue
from grants.funding.models import Receipt, Tranche
from grants.ledger.models import AuditEvent
from grants.people.models import User
from tests.world import awards as awarding
from tests.world import evaluation as evaluating
from tests.world import funding as world
from tests.world import people, shared
from tests.world.funding import Project
from tests.world.review import Judged

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def town(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[Judged, list[Project], Award]]:
    """Three awards confirmed; two of them begun, the third without a contract; a fourth bid below the line."""
    with shared.rows(django_db_blocker):
        made = awarding.ranked(amounts=["90000.00", "80000.00", "70000.00", "60000.00"], shares=["0.9", "0.85", "0.8", "0.4"])
        awarding.proposed(made)
        first, second, third = awarding.confirmed(made)
        yield made, [world.start(made, first), world.start(made, second)], third


@pytest.fixture(autouse=True)
def early(town: Any) -> Iterator[None]:
    with clock.at(town[1][0].day(2)):
        yield


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def late(call: Call, moment: datetime) -> list[tuple[str, int]]:
    with clock.at(moment):
        return [(row.kind, row.days) for row in overdue(Call.objects.filter(pk=call.pk))]


def test_a_tranche_is_late_from_the_first_day_after_its_last(town: Any) -> None:
    """Not a second before its exclusive deadline; then one day, and one more with every midnight."""
    made, (one, _two), _third = town
    held = world.requested(one)
    assert held.due_at is not None
    assert ("tranche", 1) not in late(made.call, held.due_at - timedelta(seconds=1))
    assert ("tranche", 1) in late(made.call, held.due_at)
    assert ("tranche", 2) in late(made.call, held.due_at + timedelta(days=1))


def test_a_contract_is_late_by_the_rules_own_period_and_says_whose_turn_it_is(town: Any) -> None:
    made, _projects, third = town
    assert third.confirmed_at is not None
    assert [r for r in late(made.call, third.confirmed_at + timedelta(days=1)) if r[0] == "contract"] == []
    with clock.at(third.confirmed_at + timedelta(days=90)):
        row = next(r for r in overdue(Call.objects.filter(pk=made.call.pk)) if r.kind == "contract")
    assert row.what == str(third)
    assert row.who == "经办起草"
    assert row.days > 30


def test_reports_and_receipts_are_late_until_they_are_there(town: Any) -> None:
    made, (one, two), _third = town
    world.paid(one)
    assert "receipt" not in {kind for kind, _d in late(made.call, one.day(5))}
    Receipt.objects.filter(tranche__award=one.award).update(verified_at=None, verified_by=None)
    assert ("receipt", 3) in late(made.call, one.day(5))
    due = evaluating.of(one, "midterm").due_at
    assert due is not None
    kinds = [kind for kind, _days in late(made.call, due + timedelta(days=3))]
    assert kinds.count("report") == 2
    assert [d for k, d in late(made.call, due) if k == "report"] == [1, 1]
    with clock.at(due - timedelta(days=1)):
        evaluating.submitted(two)
    assert [k for k, _d in late(made.call, due)].count("report") == 1


def test_the_list_is_for_the_agency_and_its_file_says_the_same(town: Any, django_assert_num_queries: Any) -> None:
    made, (one, two), _third = town
    held = world.requested(one)
    world.requested(two)
    where = reverse("desk:overdue")
    with clock.at(held.due_at + timedelta(days=40)):
        for who in (made.desk.approver, made.desk.auditor, made.desk.finance):
            client = signed_in(who)
            assert str(held) in client.get(where).content.decode()
        assert "逾期清单" in client.get("/").content.decode()
        answer = client.get(where, {"as": "csv", "kind": "tranche"})
        lines = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]
        assert len(lines) == 4
        client.get(where)
        with django_assert_num_queries(9):
            client.get(where)
        Tranche.objects.filter(award=two.award).update(due_at=None)
        with django_assert_num_queries(9):
            client.get(where)
        assert signed_in(one.claimant).get(where).status_code == 404
        assert str(held) not in signed_in(people.office().approver).get(where).content.decode()
        assert Client().get(where).status_code == 302


def test_an_auditors_readings_and_downloads_are_entries_and_nobody_elses(town: Any) -> None:
    """The agency sees on the call's own timeline what its auditor looked at and took home; its own people leave none."""
    made, (one, _two), _third = town
    world.requested(one)
    call = made.call
    pages = [
        reverse("bidding:of_call", args=[call.pk]), reverse("awards:board", args=[call.pk]), reverse("awards:board_file", args=[call.pk, "csv"]),
        reverse("funding:tie_out", args=[call.pk]), reverse("desk:retrospective", args=[call.pk]),
        reverse("funding:queue") + "?stage=requested&as=csv", reverse("bidding:of_call", args=[call.pk]) + "?as=csv",
    ]  # fmt: skip
    entries = AuditEvent.objects.filter(subject=call.subject, event__in=("call.read", "call.download"))
    for where in pages:
        assert signed_in(made.desk.officer).get(where).status_code == 200
    assert entries.count() == 0
    for where in pages:
        assert signed_in(made.desk.auditor).get(where).status_code == 200
    assert list(entries.order_by("id").values_list("event", flat=True)) == [
        "call.read", "call.read", "call.download", "call.read", "call.read", "call.download", "call.download",
    ]  # fmt: skip


def test_the_meter_counts_what_is_due_by_now_and_names_what_is_missing(town: Any) -> None:
    """A receipt not checked is missing, an expense without voucher is missing, what is not due yet is not asked for."""
    _made, (one, _two), _third = town
    before = completeness.meter(one.fresh())
    assert not any("票据" in p.name for p in before.papers), "nothing is paid yet"
    world.paid(one)
    assert any("第 1 期票据" in p.name and p.there for p in completeness.meter(one.fresh()).papers)
    Receipt.objects.filter(tranche__award=one.award).update(verified_at=None, verified_by=None)
    world.expense(one, "100.00", scan=False)
    found = completeness.meter(one.fresh())
    names = [p.name for p in found.missing]
    assert any("第 1 期票据" in n for n in names)
    assert any("缺 1 笔" in n for n in names)
    assert found.percent < 100
    assert any("末期评估尚未完成" in g for g in found.gates)


def test_the_meter_is_on_the_projects_path_for_its_parties(town: Any) -> None:
    made, (one, two), _third = town
    where = reverse("desk:path", args=[one.award.bid_id])
    for who in (made.desk.officer, made.desk.auditor, one.claimant):
        assert "档案完整度" in signed_in(who).get(where).content.decode()
    assert signed_in(two.claimant).get(where).status_code == 404


def test_a_finished_file_is_whole(town: Any) -> None:
    _made, (one, _two), _third = town
    evaluating.spent_and_evaluated(one, str(one.award.amount))
    with clock.at(one.day(210)):
        found = completeness.meter(one.fresh())
    assert [p.name for p in found.missing] == []
    assert found.percent == 100
    assert found.gates == ()


def test_the_retrospective_is_made_from_the_record_alone(town: Any) -> None:
    """Funnel, ends, times, newcomers and money agree with what this world did; nothing is written by looking."""
    made, (one, _two), _third = town
    world.paid(one)
    found = retrospective.looked_back(made.call)
    assert [n for _name, n in found["funnel"]] == [4, 4, 4, 3, 3, 3, 0]
    assert found["ends"] == [("低于及格线", 1)]
    assert found["newcomers"]["all"] == found["newcomers"]["new"] == 4
    assert found["money"]["n"] == 3
    assert found["money"]["sum"] == Decimal("240000.00")
    assert found["money"]["top"] == Decimal("100.0")
    assert found["paying"] == {"paid": 1, "prompt": 1, "share": Decimal("100.0")}
    times = dict(found["times"])
    assert times["截止 → 资格审查结论"].n == 4
    assert times["截止 → 资格审查结论"].median == Decimal("1.0")
    assert times["确认立项 → 协议生效"].n == 2
    assert times["申请拨款 → 付款"].n == 1
    assert sum(g.amount for g in found["fields"]) == sum(g.amount for g in found["places"]) == Decimal("240000.00")
    assert {g.awards for g in found["fields"]} > {0}, "fields nobody was funded in are named too"


def test_the_page_draws_it_and_is_for_the_agency(town: Any, django_assert_num_queries: Any) -> None:
    made, (one, _two), _third = town
    where, client = reverse("desk:retrospective", args=[made.call.pk]), signed_in(made.desk.approver)
    shown = client.get(where).content.decode()
    assert shown.count("<svg") >= 3
    assert "基尼系数" in shown
    with django_assert_num_queries(14):
        client.get(where)
    assert where in client.get(reverse("desk:object", args=["call", made.call.pk])).content.decode()
    for stranger in (one.claimant, people.office().officer):
        assert signed_in(stranger).get(where).status_code == 404
