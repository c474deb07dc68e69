"""Long lists: filter, order, page and columns live in the address; files hold exactly the filtered rows; cost does not grow."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import pytest
from django import forms
from django.db import connection
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from grants.people.models import Agency
from grants.web.cells import Column
from grants.web.exports import TooManyRows
from grants.web.tables import Filters, Table
from tests.platform.test_web_forms import Page

ROWS = [{"name": f"第{at}项", "code": f"{at:018}", "amount": Decimal(at % 7) if at % 7 else None} for at in range(1, 121)]
COLUMNS = [
    Column("名称", "name", url=lambda row: f"/o/{row['name']}/"),
    Column("代码", "code", "code", sort="code"),
    Column("金额", "amount", "money", sort="amount"),
    Column("备注", lambda row: "", name="note", shown=False),
]


class Least(Filters):
    least = forms.IntegerField(label="不少于", min_value=0)
    kind = forms.ChoiceField(label="类别", choices=[("", "全部"), ("odd", "单数")])

    def narrow(self, rows: Any, chosen: dict[str, Any]) -> Any:
        least, kind = chosen["least"] or 0, chosen["kind"]
        return [row for row in rows if (row["amount"] or 0) >= least and (not kind or int(row["code"]) % 2)]


def table(query: str = "", rows: Any = None, **options: Any) -> Table:
    settings = {"name": "清单", "filters": Least, "total_of": ["amount"], **options}
    return Table(RequestFactory().get(f"/x/?{query}"), ROWS if rows is None else rows, COLUMNS, **settings)


def shown(made: Table) -> str:
    return Template("{% load web_tags %}{% data_table table %}").render(Context({"table": made}))


def amounts(made: Table) -> list[Any]:
    return [row["amount"] for row in made.rows]


def test_a_page_has_fifty_rows_and_says_how_many_there_are() -> None:
    html = shown(table())
    assert html.count("<tr") == 51
    assert "共 120 行" in html
    assert "这里是第 1–50 行" in html
    assert shown(table("page=3")).count("<tr") == 21
    assert shown(table("page=99")).count("<tr") == 21
    assert shown(table("page=nonsense")).count("<tr") == 51


def test_sorting_turns_round_and_rows_without_a_value_stand_last_both_ways() -> None:
    up, down = amounts(table("sort=amount")), amounts(table("sort=-amount"))
    assert up[0] == 1
    assert down[0] == 6
    assert up[-17:] == down[-17:] == [None] * 17
    assert 'aria-sort="ascending"' in shown(table("sort=amount"))
    assert "sort=-amount" in shown(table("sort=amount"))
    assert shown(table("sort=-amount")).count("aria-sort=") == 1


@pytest.mark.parametrize("sort", ["note", "-note", "nothing", "name", "pk;drop", "--amount"])
def test_what_cannot_be_sorted_by_is_overlooked(sort: str) -> None:
    made = table(f"sort={sort}")
    assert made.rows == ROWS
    assert "aria-sort" not in shown(made)


def test_links_keep_the_filter_the_order_and_the_columns_and_begin_at_page_one() -> None:
    made = table("least=3&kind=&sort=-amount&cols=name&cols=amount&page=2")
    links = [link["href"] for link in Page(shown(made)).all("a") if link["href"].startswith("?")]
    heading = next(parse_qs(link[1:]) for link in links if "sort=amount" in link)
    assert heading == {"least": ["3"], "sort": ["amount"], "cols": ["name", "amount"]}
    files = [parse_qs(url[1:]) for _kind, url in made.files]
    assert [(f["as"], f["least"], f["sort"]) for f in files] == [(["csv"], ["3"], ["-amount"]), (["xlsx"], ["3"], ["-amount"])]
    assert all("page" not in f for f in files)


def test_without_script_the_filter_form_sends_along_what_it_does_not_ask() -> None:
    page = Page(shown(table("least=3&kind=odd&sort=amount&cols=name&page=2")))
    hidden = [(field["name"], field["value"]) for field in page.all("input") if field.get("type") == "hidden"]
    assert hidden.count(("sort", "amount")) == 2  # in the filter's form and in the chooser's
    filters = table("least=3&sort=amount&page=2").kept_by_filter
    assert filters == [("sort", "amount")]


def test_the_filter_in_use_is_named_and_can_be_taken_away_one_by_one() -> None:
    made = table("least=3&kind=odd&sort=amount")
    assert [(label, value) for label, value, _url in made.chosen] == [("不少于", "3"), ("类别", "单数")]
    assert made.chosen[0][2] == "?kind=odd&sort=amount"
    assert made.clear_url == "?sort=amount"
    assert len(made.rows) == len([row for row in ROWS if (row["amount"] or 0) >= 3 and int(row["code"]) % 2])


def test_a_filter_that_makes_no_sense_says_so_and_shows_nothing_rather_than_everything() -> None:
    made = table("least=viel")
    assert made.rows == []
    html = shown(made)
    assert "govuk-error-message" in html
    assert 'value="viel"' in html
    assert "请放宽或清除" in html


def test_columns_are_chosen_in_the_address_and_the_first_always_stays() -> None:
    assert [c.name for c in table().shown] == ["name", "code", "amount"]
    assert [c.name for c in table("cols=name&cols=note").shown] == ["name", "note"]
    assert [c.name for c in table("cols=nothing").shown] == ["name"]


def test_the_files_hold_every_filtered_row_and_column_whatever_page_is_open() -> None:
    made = table("least=6&page=2&as=csv&cols=name")
    lines = list(csv.reader(io.StringIO(b"".join(made.respond("unused.html").streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]
    assert lines[0] == ["名称", "代码", "金额", "备注"]
    assert len(lines) == 17 + 2
    assert lines[-1] == ["合计：共 17 行", "", "102.00", ""]
    assert lines[1][1] == "'000000000000000006"
    book = load_workbook(io.BytesIO(b"".join(table("least=6&as=xlsx").respond("unused.html").streaming_content)))  # type: ignore[attr-defined]
    assert book.active.max_row == len(lines)


def test_a_file_that_cannot_be_made_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **options: Any) -> Any:
        raise TooManyRows("请改用 CSV。")

    monkeypatch.setitem(__import__("grants.web.tables", fromlist=["FILES"]).FILES, "xlsx", refuse)
    answer: Any = table("as=xlsx&least=1").respond("unused.html")
    assert answer.status_code == 422
    assert "请改用 CSV。" in answer.content.decode()
    assert "?least=1" in answer.content.decode()


def test_an_unknown_file_format_is_just_the_page() -> None:
    assert table("as=exe").wants_file == ""


def test_an_empty_list_says_what_will_appear() -> None:
    html = shown(table(rows=[], empty="付款单开出后列在这里。"))
    assert "付款单开出后列在这里。" in html
    assert "<table" not in html


def test_two_lists_on_one_page_do_not_disturb_each_other() -> None:
    made = table("asort=amount&page=2", prefix="a")
    assert made.page.number == 1
    assert made.sorted_by[0] is COLUMNS[2]
    assert 'id="table-a"' in shown(made)


def test_what_people_typed_is_escaped_everywhere() -> None:
    html = shown(table("kind=odd&sort=%22%3E%3Cscript%3E&cols=%3Cscript%3E&least=%3Cscript%3E"))
    assert "<script" not in html


class ByName(Filters):
    word = forms.CharField(label="名称包含")

    def narrow(self, rows: Any, chosen: dict[str, Any]) -> Any:
        return rows.filter(name__contains=chosen["word"])


AGENCIES = [
    Column("名称", "name", sort="name"),
    Column("号", "legal_representative"),
    Column("数", lambda _row: 1, "number", name="n"),
]


def agencies(count: int) -> None:
    Agency.objects.bulk_create(Agency(code=f"{at:018}", name=f"街道{at}", short_name="街") for at in range(count))


def cost(query: str = "") -> int:
    made = Table(
        RequestFactory().get(f"/?{query}"), Agency.objects.all(), AGENCIES, name="主办方", filters=ByName, order=["-name"]
    )
    with CaptureQueriesContext(
        connection,
    ) as queries:
        shown(made)
    return len(queries)


@pytest.mark.django_db
def test_a_list_costs_two_queries_at_one_row_and_at_many() -> None:
    agencies(1)
    assert cost("sort=name&word=街") == 2
    Agency.objects.all().delete()
    agencies(300)
    assert cost("sort=name&word=街") == 2


@pytest.mark.django_db
def test_a_queryset_is_filtered_and_sorted_by_the_database_and_its_file_has_every_row() -> None:
    agencies(120)
    request = RequestFactory().get("/?word=街道1&sort=-name&as=csv")
    made = Table(request, Agency.objects.all(), AGENCIES, name="主办方", filters=ByName, total_of=["n"])
    lines = list(csv.reader(io.StringIO(b"".join(made.respond("unused.html").streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]
    assert [line[0] for line in lines[1:4]] == ["街道19", "街道18", "街道17"]
    assert lines[-1] == ["合计：共 31 行", "", "31"]


@pytest.mark.django_db
def test_the_style_page_has_a_working_list_and_its_files(client: Client) -> None:
    assert "共 20 行" in client.get("/style/?state=paid&least=").content.decode()
    answer = client.get("/style/?state=paid&least=&as=csv")
    assert answer["Content-Type"].startswith("text/csv")
    assert b"".join(answer.streaming_content).count(b"\r\n") == 22  # type: ignore[attr-defined]
