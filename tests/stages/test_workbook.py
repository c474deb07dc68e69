"""The offline workbook: out, filled in, looked at, written — or refused with the cell, and nothing written."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from bidding import services
from bidding.models import Bid
from bidding.services import offline
from bidding.workbook import layout, writing
from grants import clock
from grants.calls.models import Call
from grants.workflow.refusals import Invalid, NotNow, NotYou
from tests.world import bidding as world
from tests.world import calls, people
from tests.world.people import Body, Office
from tests.world.refusals import refused

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


@pytest.fixture(autouse=True)
def now(call: Call) -> Iterator[None]:
    with clock.at(world.opens(call)):
        yield


def fresh(bid: Bid) -> Bid:
    return Bid.objects.select_related(*Bid.door_select).get(pk=bid.pk)


def book(bid: Bid) -> Any:
    return load_workbook(BytesIO(writing.write(fresh(bid))))


def saved(workbook: Any) -> bytes:
    out = BytesIO()
    workbook.save(out)
    return out.getvalue()


def sheet(workbook: Any, marker: str) -> Any:
    return next(s for s in workbook.worksheets if s["A1"].value == marker)


def row_of(page: Any, marker: str) -> int:
    return next(cell.row for cell in page["A"] if cell.value == marker)


def write(page: Any, marker: str, value: Any) -> str:
    """Answer a question of a section's sheet; returns the cell's place."""
    cell = page.cell(row_of(page, marker), layout.ANSWER, value)
    return f"{page.title}!{cell.coordinate}"


@pytest.mark.parametrize("code", [f"YX-2026-0{n}" for n in range(1, 6)])
def test_a_filled_bid_of_every_preset_goes_out_and_comes_back_unchanged(desk: Office, code: str) -> None:
    """What leaves is what returns: no change, no problem, not stale."""
    rules = calls.rules(code)
    call = Call.objects.filter(code=code).first() or calls.opened(desk, rules)
    hub = people.body(desk, name=rules.eligibility.sponsor.name) if rules.eligibility.sponsor and rules.eligibility.sponsor.name else None
    who = people.group(desk, hub) if hub else people.body(desk)
    with clock.at(world.opens(call)):
        bid = world.filled(call, who)
        found = offline.preview(bid, writing.write(fresh(bid)), by=who.signatory)
    assert (found.changes, found.problems, found.stale) == ((), (), False)


def test_one_sheet_per_section_drop_downs_sums_and_text_for_numbers_of_papers(call: Call, who: Body) -> None:
    bid = world.filled(call, who)
    made = book(bid)
    markers = {s["A1"].value for s in made.worksheets}
    assert {f"section:{s.code}" for s in call.rules.forms.application} | {"about", "budget", "kpis", "team"} <= markers
    assert made[layout.IDS].sheet_state == "veryHidden"
    budget = sheet(made, "budget")
    assert str(budget["C5"].value).startswith("=SUM(")
    assert any("_lists!" in str(v.formula1) for v in budget.data_validations.dataValidation)
    team = sheet(made, "team")
    assert team.cell(3, 5).number_format == "@" and team.cell(3, 5).data_type == "s"


def test_what_somebody_typed_is_never_a_formula(call: Call, who: Body) -> None:
    """A team role of "=1+1" is text in the file, not a calculation on somebody's desk."""
    bid = world.filled(call, who)
    services.save_team(bid, [{"name": "=cmd|' /C calc'!A0", "role": "=1+1"}], by=who.signatory)
    cell = sheet(book(bid), "team").cell(3, 3)
    assert (cell.value, cell.data_type) == ("=1+1", "s")


def test_a_filled_workbook_is_previewed_and_then_written(call: Call, who: Body) -> None:
    """Through the pages: the preview writes nothing; confirming writes answers, inserted rows, budget, figures and people."""
    bid = world.started(call, who)
    made = book(bid)
    plan, budget, team = sheet(made, "section:plan"), sheet(made, "budget"), sheet(made, "team")
    write(plan, "field:goal", "让独居老人每周有人敲门。")
    head = row_of(plan, "head:activities")
    plan.insert_rows(head + 1)
    for column, value in enumerate(["上门探访", "每周一次", 48, 30], 2):
        plan.cell(head + 1, column, value)
    for column, value in enumerate(["业务活动费", "探访", "申请资助", 0.1 + 0.2, "１２", "交通"], 2):
        budget.cell(8, column, value)
    for column, value in enumerate(["王某", "社工", "", "00123", "是"], 2):
        team.cell(3, column, value)
    client, address = Client(), reverse("bidding:workbook", args=[bid.pk])
    client.force_login(who.signatory)
    shown = client.post(address, {"file": SimpleUploadedFile("填好.xlsx", saved(made))})
    assert shown.status_code == 200, shown.content.decode()
    assert "让独居老人每周有人敲门" in shown.content.decode() and "写入这些改动" in shown.content.decode()
    assert fresh(bid).answers.get("plan") is None
    done = client.post(address, {"token": shown.context["token"]})
    assert done.url == reverse("bidding:tasks", args=[bid.pk])
    bid = fresh(bid)
    assert bid.answers["plan"]["goal"] == "让独居老人每周有人敲门。"
    assert bid.answers["plan"]["activities"] == [{"name": "上门探访", "content": "每周一次", "times": "48", "persons": "30"}]
    line = bid.budget_lines.get()
    assert (line.category, str(line.unit_price), str(line.amount)) == ("activity", "0.30", "3.60")
    member = bid.team.get()
    assert (member.licence_no, member.is_supervisor) == ("00123", True)


def test_every_mistake_is_named_by_its_cell_and_nothing_is_written(call: Call, who: Body) -> None:
    """Too long, not a number, unknown category, half a fen, an uncalculated formula: five cells, one list, an untouched bid."""
    bid = world.filled(call, who)
    before = offline.basis(fresh(bid))
    made = book(bid)
    plan, need, budget, team = (sheet(made, m) for m in ("section:plan", "section:need", "budget", "team"))
    wrong = {write(plan, "field:goal", "长" * 400), write(need, "field:persons", "很多人")}
    budget["B8"], budget["E8"] = "宴请费", 10.005
    team["B3"] = "=A9&A8"
    wrong |= {f"{budget.title}!B8", f"{budget.title}!E8", f"{team.title}!B3"}
    content = saved(made)
    found = offline.preview(bid, content, by=who.signatory)
    assert wrong <= {place for place, _sentence in found.problems}, found.problems
    refused(Invalid, "workbook", offline.commit, bid, content, by=who.signatory, seen=found.basis)
    assert offline.basis(fresh(bid)) == before


def test_a_preview_of_an_older_working_copy_cannot_be_written_and_says_so(call: Call, who: Body) -> None:
    """A colleague saved on the web: the preview warns; one made before that is refused when it is confirmed."""
    bid = world.filled(call, who)
    made = book(bid)
    write(sheet(made, "section:plan"), "field:goal", "表格里的目标")
    content = saved(made)
    first = offline.preview(bid, content, by=who.signatory)
    services.save_answers(bid, "plan", {**fresh(bid).answers["plan"], "goal": "网上的目标"}, by=who.signatory)
    refused(NotNow, "seen_basis", offline.commit, bid, content, by=who.signatory, seen=first.basis)
    second = offline.preview(bid, content, by=who.signatory)
    assert second.stale
    assert [(c.before, c.after) for c in second.changes] == [("网上的目标", "表格里的目标")]


def test_another_bids_workbook_older_rules_and_foreign_files_are_refused(call: Call, who: Body, desk: Office) -> None:
    bid, other = world.started(call, who), world.started(call, people.body(desk))
    refused(Invalid, "other_bid", offline.preview, bid, writing.write(fresh(other)), by=who.signatory)
    made = book(bid)
    made[layout.IDS]["A4"] = "0" * 64
    refused(Invalid, "older_rules", offline.preview, bid, saved(made), by=who.signatory)
    del made[layout.IDS]
    refused(Invalid, "not_our_workbook", offline.preview, bid, saved(made), by=who.signatory)


def test_xml_with_a_document_type_is_refused_before_it_is_parsed(call: Call, who: Body) -> None:
    """The billion laughs in a sheet: no entity is ever expanded."""
    bid = world.started(call, who)
    laughs = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><x>&b;</x>'
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(writing.write(bid))) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, laughs if name == "xl/worksheets/sheet1.xml" else old.read(name))
    refused(Invalid, "unsafe_xml", offline.preview, bid, out.getvalue(), by=who.signatory)


def test_too_large_disguised_and_packed_bombs_do_not_reach_the_parser(call: Call, who: Body) -> None:
    bid = world.started(call, who)
    client, address = Client(), reverse("bidding:workbook", args=[bid.pk])
    client.force_login(who.signatory)
    bomb = BytesIO()
    with zipfile.ZipFile(BytesIO(writing.write(bid))) as old, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
        new.writestr("xl/media/zeros.bin", b"\0" * 30_000_000)
    for content, words in ((b"0" * (layout.MOST_BYTES + 1), "2 MB"), (b"not a zip", "内容不是"), (bomb.getvalue(), "解压后过大")):
        answer = client.post(address, {"file": SimpleUploadedFile("坏的.xlsx", content)})
        assert answer.status_code == 422
        assert words in answer.content.decode()


def test_strangers_get_no_workbook_and_cannot_bring_one(call: Call, who: Body, desk: Office) -> None:
    """Another organisation: 404. The same organisation after the deadline: refused, with the time."""
    bid, stranger = world.started(call, who), people.body(desk).signatory
    client = Client()
    client.force_login(stranger)
    for name in ("workbook", "workbook_file"):
        assert client.get(reverse(f"bidding:{name}", args=[bid.pk])).status_code == 404
    content = writing.write(fresh(bid))
    refused(NotYou, "may_write_bids", offline.preview, bid, content, by=stranger)
    with clock.at(call.closes_at):  # type: ignore[arg-type]
        refused(NotNow, "call_is_open", offline.preview, bid, content, by=who.signatory)


def test_a_token_made_for_another_bid_or_changed_by_hand_writes_nothing(call: Call, who: Body) -> None:
    bid = world.started(call, who)
    client, address = Client(), reverse("bidding:workbook", args=[bid.pk])
    client.force_login(who.signatory)
    made = book(bid)
    write(sheet(made, "section:plan"), "field:goal", "新目标")
    token = client.post(address, {"file": SimpleUploadedFile("填.xlsx", saved(made))}).context["token"]
    client.post(address, {"token": token[:-2] + "xx"})
    assert fresh(bid).answers.get("plan") is None
