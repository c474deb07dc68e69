"""Pages of the bidding stage, clicked through by the people who use them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from bidding import services
from bidding.models import Bid
from grants import clock
from grants.calls.models import Call
from grants.people.models import User
from grants.workflow.effects import drain
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
    made = people.body(desk)
    people.checked(made, desk, 2024, 2025)
    return made


@pytest.fixture
def now(call: Call) -> Iterator[None]:
    """The clock stands one hour into the bidding period."""
    with clock.at(world.opens(call)):
        yield


def browser(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def page(name: str, *args: Any) -> str:
    return reverse(f"bidding:{name}", args=args)


def rows(*lines: dict[str, str], total: int | None = None) -> dict[str, str]:
    """A formset as a browser posts it."""
    data = {"form-TOTAL_FORMS": str(total or len(lines)), "form-INITIAL_FORMS": "0"}
    return data | {f"form-{i}-{name}": value for i, line in enumerate(lines) for name, value in line.items()}


def line(name: str, price: str, **more: str) -> dict[str, str]:
    return {"category": "activity", "name": name, "unit_price": price, "quantity": "1", "source": "grant", "note": "", **more}


@pytest.mark.usefixtures("now")
def test_a_bid_is_begun_written_and_submitted_by_clicking(call: Call, who: Body) -> None:
    """From 'my bids' through every page to the receipt, posting exactly what the forms on the pages ask."""
    client = browser(who.signatory)
    assert call.title in client.get(page("mine")).content.decode()
    begun = client.post(page("start", call.pk), {"organisation": who.organisation.pk, "title": "银龄守望"})
    bid = Bid.objects.get()
    assert begun.url == page("tasks", bid.pk)
    assert client.post(page("about", bid.pk), {"title": "银龄守望", "category": call.rules.categories[0].code}).status_code == 302
    for section in call.rules.forms.application:
        shown = client.get(page("section", bid.pk, section.code))
        assert section.title in shown.content.decode()
        saved = client.post(page("section", bid.pk, section.code), posted(section, call))
        assert saved.status_code == 302, saved.content.decode()
    money = rows(line("探访", "60000"), line("自筹", "40000", source="match_cash"))
    assert client.post(page("budget", bid.pk), money).status_code == 302
    group = {"code": "", "kind": "persons", "name": "老人", "target": "80", "group": call.rules.outcomes.beneficiaries[0], "direct": "yes"}
    assert client.post(page("kpis", bid.pk), rows(group)).status_code == 302
    member = {"name": "王某", "role": "社工", "qualification": "", "licence_no": ""}
    assert client.post(page("team", bid.pk), rows(member)).status_code == 302
    for code in ("registration", "annual_check", "commitment"):
        given = {"code": code, "file": SimpleUploadedFile(f"{code}.pdf", world.pdf(code))}
        assert client.post(page("attachments", bid.pk), given).status_code == 302
    assert "确认并提交申报书" in client.get(page("check", bid.pk)).content.decode()
    done = client.post(page("check", bid.pk), {"declarations": world.pledges(call)})
    assert done.status_code == 302, done.content.decode()
    assert Bid.objects.get().number == "YX-2026-01-001"
    assert "YX-2026-01-001" in client.get(page("submitted", bid.pk)).content.decode()
    drain()
    receipt = Bid.objects.get().latest.receipt
    assert "YX-2026-01-001-H1.pdf" in client.get(page("versions", bid.pk)).content.decode()
    got = client.get(reverse("desk:file", args=["bid", bid.pk, receipt.sha256]))
    assert got.status_code == 200
    assert b"".join(got.streaming_content).startswith(b"%PDF")


def posted(section: Any, call: Call) -> dict[str, Any]:
    """Acceptable answers of a section in the shape a browser sends them."""
    data: dict[str, Any] = {}
    for code, value in world.answers(section, call).items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            data |= {f"{code}-{i}-{column}": cell for i, row in enumerate(value) for column, cell in row.items()}
            data[f"{code}-rows"] = str(len(value))
        else:
            data[code] = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
    return data


@pytest.mark.usefixtures("now")
def test_adding_rows_saves_nothing_and_loses_nothing(call: Call, who: Body) -> None:
    bid = world.started(call, who)
    client = browser(who.signatory)
    shown = client.post(page("budget", bid.pk), rows(line("写了一半", "12")) | {"more": "1"})
    assert shown.status_code == 200
    assert "写了一半" in shown.content.decode()
    assert 'name="form-3-name"' in shown.content.decode()
    assert not bid.budget_lines.exists()
    plan = {"activities-0-name": "入户探访", "activities-rows": "2", "more": "activities", "goal": "目标"}
    shown = client.post(page("section", bid.pk, "plan"), plan)
    assert "入户探访" in shown.content.decode()
    assert 'name="activities-4-name"' in shown.content.decode()
    assert "plan" not in Bid.objects.get().answers


@pytest.mark.usefixtures("now")
def test_a_refused_budget_keeps_what_was_typed_and_names_row_and_column(call: Call, who: Body) -> None:
    bid = world.started(call, who)
    blank = line("", "", category="")
    told = browser(who.signatory).post(page("budget", bid.pk), rows(line("好", "10"), blank, line("坏", "一百块")))
    text = told.content.decode()
    assert told.status_code == 422
    assert "一百块" in text
    assert 'href="#id_form-2-unit_price"' in text
    assert not bid.budget_lines.exists()


@pytest.mark.usefixtures("now")
def test_a_refused_section_keeps_what_was_typed(call: Call, who: Body) -> None:
    bid = world.started(call, who)
    long = "长" * 501
    told = browser(who.signatory).post(page("section", bid.pk, "basics"), {"name": "短", "summary": long, "starts_on": "明天"})
    assert told.status_code == 422
    assert long in told.content.decode()
    assert 'href="#id_starts_on"' in told.content.decode()
    assert "summary" not in Bid.objects.get().answers.get("basics", {})


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("大文件.pdf", world.pdf() + b"0" * (40 * 1024 * 1024), "10 MB"),
        ("木马.pdf", b"MZ\x90\x00" + b"\x00" * 2000, "不是 PDF"),
        ("网页.pdf", b"<html><script>alert(1)</script></html>", "不是 PDF"),
        ("程序.exe", b"MZ\x90\x00", "格式不能接收"),
    ],
)
def test_a_forty_megabyte_or_disguised_attachment_is_refused_and_not_kept(
    name: str, content: bytes, says: str, call: Call, who: Body
) -> None:
    bid = world.started(call, who)
    told = browser(who.signatory).post(page("attachments", bid.pk), {"code": "registration", "file": SimpleUploadedFile(name, content)})
    assert told.status_code == 422
    assert says in told.content.decode()
    assert not bid.attachments.exists()


@pytest.mark.usefixtures("now")
def test_an_attachment_is_removed_from_the_working_copy_and_stays_in_the_version(call: Call, who: Body) -> None:
    bid = world.submitted(call, who)
    client = browser(who.signatory)
    row = bid.attachments.first()
    client.post(page("remove", bid.pk, row.pk))
    assert not bid.attachments.filter(pk=row.pk).exists()
    assert bid.latest.keeps(row.file_id)
    assert client.get(reverse("desk:file", args=["bid", bid.pk, row.file_id])).status_code == 200


@pytest.mark.usefixtures("now")
def test_submitting_an_incomplete_bid_lists_every_problem_with_a_link(call: Call, who: Body) -> None:
    bid = world.started(call, who)
    client = browser(who.signatory)
    text = client.get(page("check", bid.pk)).content.decode()
    assert f'href="{page("tasks", bid.pk)}budget/"' in text
    assert f'href="{page("tasks", bid.pk)}sections/basics/#id_summary"' in text
    assert client.post(page("check", bid.pk), {"declarations": world.pledges(call)}).status_code == 409
    assert Bid.objects.get().state == "draft"


def test_before_the_deadline_no_officer_sees_a_bid_its_files_or_their_number(call: Call, who: Body, desk: Office) -> None:
    """List, page, versions, download: all closed to the agency, and to other applicants, until the deadline; then open to the agency."""
    with clock.at(world.opens(call)):
        bid = world.submitted(call, who)
        sha = bid.attachments.first().file_id
        other = people.body(desk).signatory
        addresses = [
            page("tasks", bid.pk), page("check", bid.pk), page("versions", bid.pk), page("version", bid.pk, 1), page("screening", bid.pk),
            reverse("desk:object", args=["bid", bid.pk]), reverse("desk:file", args=["bid", bid.pk, sha]),
        ]  # fmt: skip
        for person in (desk.officer, desk.approver, desk.auditor, other):
            client = browser(person)
            assert [client.get(a).status_code for a in addresses] == [404] * len(addresses)
        shown = browser(desk.officer).get(page("of_call", call.pk)).content.decode()
        assert bid.number not in shown
        assert bid.title not in shown
    closed = calls.closed(call)
    with clock.at(closed.closes_at):
        client = browser(desk.officer)
        assert bid.number in client.get(page("of_call", call.pk)).content.decode()
        for address in addresses[2:]:
            assert client.get(address).status_code == 200, address
        assert client.get(page("tasks", bid.pk)).status_code == 404
        assert browser(other).get(page("version", bid.pk, 1)).status_code == 404
        assert browser(other).get(page("of_call", call.pk)).status_code == 404


def test_drafts_and_withdrawn_bids_are_never_shown_to_the_agency(call: Call, who: Body, desk: Office) -> None:
    other = people.body(desk)
    with clock.at(world.opens(call)):
        draft = world.filled(call, who, title="一直是草稿")
        gone = world.submitted(call, other, title="已经撤回了")
        services.withdraw(gone, by=other.signatory, note="不报了")
    closed = calls.closed(call)
    with clock.at(closed.closes_at):
        services.tick()
        text = browser(desk.officer).get(page("of_call", call.pk)).content.decode()
        assert "没有收到申报书" in text
        for bid in (draft, gone):
            assert browser(desk.officer).get(reverse("desk:object", args=["bid", bid.pk])).status_code == 404


def test_a_clerk_screens_by_clicking_and_admits(call: Call, who: Body, desk: Office) -> None:
    with clock.at(world.opens(call)):
        bid = world.submitted(call, who)
    closed = calls.closed(call)
    with clock.at(closed.closes_at + timedelta(days=1)):
        client = browser(desk.officer)
        client.post(page("run", call.pk))
        assert "待人工核实" in client.get(page("screening", bid.pk)).content.decode()
        left = world.open_rules(bid)
        bare = client.post(page("screening", bid.pk), {"rule": left[0].rule, "outcome": "pass", "evidence_note": ""})
        assert bare.status_code == 422
        assert "没有凭证的结论无效" in bare.content.decode()
        for finding in left:
            given = {"rule": finding.rule, "outcome": "pass", "evidence": SimpleUploadedFile("查询.pdf", world.pdf(finding.rule))}
            assert client.post(page("screening", bid.pk), given).status_code == 302
        assert client.post(reverse("desk:step", args=["bid", bid.pk, "admit"]), {"note": ""}).status_code == 302
    assert Bid.objects.get().state == "admitted"


def test_the_list_of_a_call_costs_the_same_with_one_and_with_three_bids(
    call: Call, who: Body, desk: Office, django_assert_num_queries: Any
) -> None:
    bodies = [who, people.body(desk), people.body(desk)]
    with clock.at(world.opens(call)):
        made = [world.submitted(call, each, amount=Decimal(1000)) for each in bodies]
    closed = calls.closed(call)
    with clock.at(closed.closes_at):
        client = browser(desk.officer)
        services.screen(call, by=desk.officer)
        client.get(page("of_call", call.pk))  # what a process reads once, it has read
        for keep in (3, 1):
            Bid.objects.exclude(pk__in=[b.pk for b in made[:keep]]).update(number="")
            with django_assert_num_queries(7):
                assert client.get(page("of_call", call.pk)).status_code == 200


def test_my_bids_cost_the_same_with_one_and_with_three(call: Call, who: Body, django_assert_num_queries: Any) -> None:
    with clock.at(world.opens(call)):
        client = browser(who.signatory)
        for _i in range(2):
            world.started(call, who)
            with django_assert_num_queries(6):
                client.get(page("mine"))
            world.started(call, who)
