"""保管与销毁计划: every class has its ground and its day, nothing is due a day early, and only what needs no appraisal is erased."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import given
from hypothesis import strategies as st

from bidding.models import Bid
from grants import clock, ledger
from grants.audit import retention
from grants.awards.models import Award
from grants.calls.models import Need
from grants.workflow.door import perform
from tests.world import awards, funding, needs, people

pytestmark = pytest.mark.django_db


def rows(kind: retention.Class) -> list[retention.Row]:
    return [row for row in retention.plan() if row.kind is kind]


def told(*args: str) -> str:
    out = io.StringIO()
    call_command("retention", *args, stdout=out)
    return out.getvalue()


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 400))
def test_some_months_later_is_the_same_day_or_the_last_of_its_month(day: date, months: int) -> None:
    found = retention.later(day, months)
    assert (found.year * 12 + found.month) - (day.year * 12 + day.month) == months
    assert found.day == day.day or (found.day < day.day and (found + timedelta(days=1)).day == 1)


def declined(desk: Any, on: datetime) -> Need:
    with clock.at(on):
        return perform(needs.proposed(desk), "decline", by=desk.officer, answer="已有同类服务，请联系社区。")


def test_a_contact_is_due_half_a_year_after_the_answer_and_not_a_day_earlier() -> None:
    desk = people.office()
    need = declined(desk, datetime(2026, 8, 31, 23, 30, tzinfo=clock.TZ))
    open_one = needs.proposed(desk)
    found = rows(retention.CONTACTS)
    assert [(row.number, row.since, row.due) for row in found] == [(need.number, date(2026, 8, 31), date(2027, 2, 28))]
    assert open_one.number not in {row.number for row in found}
    assert not found[0].is_due(date(2027, 2, 27))
    assert found[0].is_due(date(2027, 2, 28))


def test_what_is_due_is_erased_through_its_step_and_what_is_not_stays() -> None:
    desk = people.office()
    old, fresh = declined(desk, datetime(2026, 1, 5, 12, tzinfo=clock.TZ)), declined(desk, datetime(2026, 8, 5, 12, tzinfo=clock.TZ))
    with clock.at(datetime(2026, 8, 6, 12, tzinfo=clock.TZ)):
        assert old.number in told("erase", "--by", desk.officer.username)
    assert (needs.fresh(old).contact, needs.fresh(fresh).contact) == ("", "13800138000")
    assert ledger.history(old.subject)[-1].verb == "erase_contact"
    assert [row.number for row in rows(retention.CONTACTS)] == [fresh.number]
    assert Need.objects.count() == 2


def test_whoever_may_not_erase_by_hand_may_not_by_the_command() -> None:
    desk = people.office()
    need = declined(desk, datetime(2026, 1, 5, 12, tzinfo=clock.TZ))
    with clock.at(datetime(2026, 8, 6, 12, tzinfo=clock.TZ)):
        for name in (desk.finance.username, people.office().officer.username, "nobody-of-this-name"):
            with pytest.raises(CommandError):
                told("erase", "--by", name)
    assert needs.fresh(need).contact == "13800138000"


def test_files_vouchers_and_people_of_a_project_count_from_its_end_by_the_calls_own_rules() -> None:
    """And a running project is in no class; the bid that was not chosen counts from the deadline."""
    projects = funding.begun(awards.rules(), amounts=("90000.00", "80000.00"))
    ended = projects[0].award
    with clock.at(projects[0].day(100)):
        perform(projects[0].fresh(), "terminate", by=projects[0].desk.approver)
    day, kept = projects[0].day(100).astimezone(clock.TZ).date(), ended.call.rules_version.rules.retention
    due = {row.kind.key: row.due for row in retention.plan() if row.number == ended.number}
    assert due == {
        "people": retention.later(day, kept.personal_months), "files": retention.later(day, 12 * kept.file_years),
        "vouchers": retention.later(day, 12 * kept.voucher_years),
    }  # fmt: skip
    running = Award.objects.exclude(pk=ended.pk).get()
    assert running.number not in {row.number for row in retention.plan()}
    not_chosen = {bid.number for bid in Bid.objects.filter(award=None).exclude(number="")}
    assert {row.number for row in rows(retention.BIDS)} == not_chosen


def test_the_plan_changes_nothing_and_its_file_holds_every_row(tmp_path: Any) -> None:
    desk = people.office()
    need = declined(desk, datetime(2026, 1, 5, 12, tzinfo=clock.TZ))
    before = len(ledger.history(need.subject))
    said = told("plan", "--on", "2026-07-04", "--csv", str(tmp_path / "plan.csv"))
    assert "共 1 件，到期 0 件，最早 2026-07-05" in said
    assert "共 1 件，到期 1 件" in told("plan", "--on", "2026-07-05")
    assert all(str(kind.name) in said and str(kind.ground) in said for kind in retention.CLASSES)
    assert (tmp_path / "plan.csv").read_text("utf-8-sig").splitlines()[1:] == [f"需求提出人的姓名和联系方式,{need.number},2026-01-05,2026-07-05"]
    with pytest.raises(CommandError):
        told("plan", "--csv", str(tmp_path / "plan.csv"))
    assert (len(ledger.history(need.subject)), needs.fresh(need).contact) == (before, "13800138000")
