"""The budget page without a script: limits explained row by row, rows moved, a sheet pasted — and nothing saved before 保存."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bidding import services
from bidding.budget import Cap, totals
from bidding.models import Bid
from bidding.views.budgeting import cap_line
from grants import clock
from grants.calls.models import Call
from tests.stages.test_bidding_pages import line, rows
from tests.world import bidding as world
from tests.world import calls, people
from tests.world.people import Body, Office

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Office:
    return people.office()


@pytest.fixture
def call(desk: Office) -> Call:
    return calls.opened(desk, calls.rules("YX-2026-01"))


@pytest.fixture
def who(desk: Office) -> Body:
    return people.body(desk)


@pytest.fixture
def bid(call: Call, who: Body) -> Iterator[Bid]:
    with clock.at(world.opens(call)):
        yield world.started(call, who)


@pytest.fixture
def client(who: Body) -> Client:
    made = Client()
    made.force_login(who.signatory)
    return made


def address(bid: Bid, name: str = "budget", *more: str) -> str:
    return reverse(f"bidding:{name}", args=[bid.pk, *more])


def names(answer: Any) -> list[str]:
    return [form["name"].value() or "" for form in answer.context["rows"].forms]


def test_a_limit_is_a_sentence_with_share_limit_sum_and_excess() -> None:
    from bidding.budget import BudgetLine

    lines = [BudgetLine("staff", "x", Decimal(92000), Decimal(1), Decimal(92000)), BudgetLine("a", "y", Decimal(108000), Decimal(1), Decimal(108000))]
    said = cap_line(Cap("人员", "category", category="staff", share=Decimal(40), of="grant"), totals(lines))
    assert said.sentence == "人员 40% 上限 ¥80,000.00，现在 ¥92,000.00，超 ¥12,000.00"
    assert said.broken


def test_the_page_lists_every_limit_of_the_call(bid: Bid, who: Body, client: Client) -> None:
    cap = bid.call.rules.amounts.cap
    services.save_budget(bid, [line("探访", f"{cap + 1:.2f}")], by=who.signatory)
    shown = client.get(address(bid)).content.decode()
    assert f"申请资助 上限 ¥{cap:,.2f}，现在 ¥{cap + 1:,.2f}，超 ¥1.00" in shown
    assert shown.count("data-cap ") == len(client.get(address(bid)).context["caps"])


def test_a_row_moves_up_and_down_without_saving(bid: Bid, client: Client) -> None:
    table = rows(line("一", "1"), line("二", "2"), line("三", "3"))
    assert names(client.post(address(bid), table | {"up": "1"}))[:3] == ["二", "一", "三"]
    assert names(client.post(address(bid), table | {"down": "1"}))[:3] == ["一", "三", "二"]
    assert names(client.post(address(bid), table | {"up": "0"}))[:3] == ["一", "二", "三"]
    assert names(client.post(address(bid), table | {"down": "99"}))[:3] == ["一", "二", "三"]
    assert not bid.budget_lines.exists()


def test_a_sheet_is_pasted_behind_what_is_there_and_saved_only_by_saving(bid: Bid, client: Client) -> None:
    category = next(c.name for c in bid.call.rules.budget.categories if c.code == "activity")
    sheet = f"数量\t单价\t内容\t科目\n２\t1,200.5\t入户探访\t{category}\n1\t80\t茶歇\t杂费\n"
    told = client.post(address(bid), rows(line("已有", "5"), line("", "", category="")) | {"paste": "1", "pasted": sheet})
    assert told.status_code == 200
    assert names(told)[:3] == ["已有", "入户探访", "茶歇"]
    assert "第 3 行：费用类别“杂费”不在选项中" in told.content.decode()
    assert not bid.budget_lines.exists()
    cells = {"category": "activity", "source": "grant"}
    table = rows(line("已有", "5"), {**line("入户探访", "1,200.5"), "quantity": "２", **cells})
    assert client.post(address(bid), table).status_code == 302
    assert [str(row.amount) for row in bid.budget_lines.all()] == ["5.00", "2401.00"]


@pytest.mark.parametrize("typed", ["１，２００．５０", "1,200.50", "¥1200.5", "1 200.50元", "￥ 1,200.50"])
def test_amounts_are_read_as_people_type_them(typed: str, bid: Bid, who: Body) -> None:
    services.save_budget(bid, [line("探访", typed)], by=who.signatory)
    assert [str(row.unit_price) for row in bid.budget_lines.all()] == ["1200.50"]


def test_the_page_costs_the_same_with_one_and_with_forty_rows(bid: Bid, who: Body, client: Client, django_assert_num_queries: Any) -> None:
    for n in (1, 40):
        services.save_budget(bid, [line(f"第 {i} 项", "1") for i in range(n)], by=who.signatory)
        with django_assert_num_queries(13):
            client.get(address(bid))
