"""密封投标 as one form: what a browser would post of it, written at the opening, says what the ordinary pages say; garbage is told, never raised."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils.datastructures import MultiValueDict

from bidding import frozen, services
from bidding.completeness import problems
from bidding.models import Bid, BudgetLine, Kpi
from bidding.sealed_form import SealedForm, as_data, write
from grants import clock
from grants.calls.models import Call
from grants.documents.files import read_file
from grants.documents.models import StoredFile
from grants.people.models import User
from tests.world import bidding as world
from tests.world import calls, people
from tests.world.people import Body

pytestmark = pytest.mark.django_db
LONG = "长" * 30_000
OWN = ("title", "category", "track", "need", "sections", "budget", "kpis", "team", "sponsor", "declarations")
PRESETS = list(calls.PRESETS)


class Controls(HTMLParser):
    """The controls of a page as a browser would post them: only what is ticked, chosen or typed, in the order of the page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.pairs: list[list[str]] = []
        self.open = ""
        self.select: tuple[str, list[str]] | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "textarea" and "name" in has:
            self.open = has["name"]
            self.pairs.append([self.open, ""])
        elif tag == "select":
            self.select = (has["name"], [])
        elif tag == "option" and self.select and ("selected" in has or not self.select[1]):
            self.select[1][:] = [has.get("value", "")]
        elif tag == "input" and has.get("name") and has.get("type") not in ("file", "submit"):
            ticked = has.get("type") in ("checkbox", "radio")
            if not ticked or "checked" in has:
                self.pairs.append([has["name"], has.get("value", "on" if ticked else "")])

    def handle_data(self, data: str) -> None:
        if self.open:
            self.pairs[-1][1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self.open:
            self.pairs[-1][1] = self.pairs[-1][1].removeprefix("\n")
            self.open = ""
        elif tag == "select" and self.select:
            self.pairs.append([self.select[0], *self.select[1]])
            self.select = None


def posted(bid: Bid) -> list[list[str]]:
    """What a browser would post of the sealed page filled with this bid's answers: blanks are left out, as they are when it is sealed."""
    html = render_to_string("bidding/_sealed_form.html", {"form": SealedForm(bid), "bid": bid}, RequestFactory().get("/"))
    return [pair for pair in Controls(html).pairs if pair[1] != ""]


def handed(bid: Bid) -> dict[str, bytes]:
    return {f"{row.code}/{row.name}": read_file(row.file_id) for row in bid.attachments.all()}


def codes(call: Call) -> list[str]:
    return [d.code for d in call.rules.forms.declarations]


@pytest.fixture
def now() -> Iterator[None]:
    with clock.at(calls.OPENS + calls.DAY):
        yield


@pytest.fixture
def who() -> Body:
    desk = people.office()
    made = people.body(desk)
    people.checked(made, desk, 2024, 2025)
    return made


def opened(code: str, who: Body) -> Call:
    return calls.opened(people.office(), calls.rules(code))


def emptied(bid: Bid) -> Bid:
    """The bid as one that was sealed: nothing of it is stored."""
    for rows in (bid.budget_lines, bid.kpis, bid.team, bid.attachments, bid.prefills):
        rows.all().delete()
    Bid.objects.filter(pk=bid.pk).update(title="密封投标", category="", track="", need="", sponsor=None, answers={}, marks={}, typed={})
    return Bid.objects.select_related(*Bid.door_select).get(pk=bid.pk)


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize("code", PRESETS)
def test_a_filled_page_written_at_the_opening_says_what_the_ordinary_pages_say(code: str, who: Body) -> None:
    """Every preset: the working copy and the frozen document are the same, and nothing is told to be wrong."""
    call = opened(code, who)
    bid = world.filled(call, who)
    services.save_kpis(bid, [*world.beneficiaries(call), {"kind": "sessions", "name": "自定指标", "target": "12", "direct": "no"}], by=who.signatory)
    before, fields, files = frozen.document(bid), posted(bid), handed(bid)
    answers = bid.answers
    fresh = emptied(bid)
    with transaction.atomic():
        assert write(fresh, fields, files, codes(call)) == []
    after = frozen.document(Bid.objects.get(pk=bid.pk))
    assert {part: after[part] for part in OWN} == {part: before[part] for part in OWN}
    assert [{k: v for k, v in a.items() if k != "added_at"} for a in after["attachments"]] == [
        {k: v for k, v in a.items() if k != "added_at"} for a in before["attachments"]
    ]
    assert Bid.objects.get(pk=bid.pk).answers == answers


@pytest.fixture
def call(who: Body) -> Call:
    return opened("YX-2026-01", who)


@pytest.fixture
def bid(now: None, call: Call, who: Body) -> Bid:
    return world.filled(call, who)


def test_blank_rows_and_odd_ways_of_typing_change_nothing(bid: Bid) -> None:
    """Blank rows between, full-width digits and separators, Windows line ends: the same working copy."""
    before, fields, files = frozen.document(bid), posted(bid), handed(bid)
    n = bid.budget_lines.count()
    moved = [[name.replace(f"budget-{n - 1}-", f"budget-{n + 2}-"), text] for name, text in fields]
    typed = [[name, text.replace("1", "１") if name.endswith("-unit_price") else text] for name, text in moved]
    wider = [[name, str(n + 3) if name == "budget-TOTAL_FORMS" else text] for name, text in typed]
    assert write(emptied(bid), wider, files, codes(bid.call)) == []
    after = frozen.document(Bid.objects.get(pk=bid.pk))
    assert {part: after[part] for part in OWN} == {part: before[part] for part in OWN}


def test_what_cannot_be_right_is_kept_as_typed_and_told(bid: Bid) -> None:
    """A title over its limit, a price that is none, a choice that is gone, a file that is no PDF: a sentence each, all else is taken."""
    field = next(f for s in bid.rules.forms.application for f in s.fields if f.max_chars and f.kind == "longtext")
    section = next(s for s in bid.rules.forms.application if field in s.fields)
    wrong = {
        "about-title": "题" * 200, "about-category": "no_such", f"s-{section.code}-{field.code}": LONG, "budget-0-unit_price": "很多",
        "team-0-name": "名" * 100, "kpis-0-group": "没有的人群",
    }  # fmt: skip
    fields = [[name, wrong.get(name, text)] for name, text in posted(bid)]
    files = {**handed(bid), "no_such/x.pdf": world.pdf(), f"{bid.rules.attachments[0].code}/坏.pdf": b"MZ"}
    told = write(emptied(bid), fields, files, [])
    fresh = Bid.objects.get(pk=bid.pk)
    assert len(told) == 9, told
    assert fresh.typed["about"]["title"] == "题" * 200 and fresh.title == "题" * 120
    assert fresh.typed["about"]["category"] == "no_such" and fresh.category == ""
    assert fresh.answers[section.code][field.code] == LONG
    assert fresh.typed["budget"]["rows"][0]["unit_price"] == "很多" and not fresh.budget_lines.exists()
    assert fresh.typed["kpis"]["rows"][0]["group"] == "没有的人群"
    assert fresh.attachments.count() == len(handed(fresh)) == len(files) - 2
    assert any(problem.wrong for problem in problems(fresh))


GARBAGE: list[Any] = [
    None, 7, "text", {"about-title": "x"}, [], [None], [["one"]], [[1, 2]], [["a", "b", "c"]], [["about-title", None]],
    [["budget-TOTAL_FORMS", "99999999999"], ["kpis-TOTAL_FORMS", "-1"], ["team-TOTAL_FORMS", "x"]],
    [["about-title", "零\0字节\ud800"], ["about-sponsor", "no uuid"], ["s-none-x", "?"], ["mark-rows", "1"]],
    [["about-title", "甲"], ["about-title", "乙"], ["budget-TOTAL_FORMS", "1"], ["budget-0-category", "x"], ["budget-0-quantity", "9" * 400]],
]  # fmt: skip


@pytest.mark.parametrize("fields", GARBAGE)
def test_a_manifest_from_anybody_never_raises(bid: Bid, fields: Any) -> None:
    """Garbage instead of controls leaves a working copy that can be read and frozen, and the transaction whole."""
    fresh = emptied(bid)
    with transaction.atomic():
        write(fresh, fields, {"": b"", "/": b"", "x": b"x", "a/b/c.pdf": world.pdf(), "plan/\u202efdp.exe": b"MZ"}, [])
        assert frozen.canonical(frozen.document(Bid.objects.get(pk=bid.pk))).encode()


def test_what_no_database_can_hold_is_left_out(bid: Bid) -> None:
    """Zero bytes and halves of characters: PostgreSQL refuses the one, UTF-8 the other."""
    write(emptied(bid), [["about-title", "零\0字节\ud800"]], {}, [])
    assert Bid.objects.get(pk=bid.pk).title == "零字节?"


def form_of(bid: Bid, fields: list[list[str]], files: dict[str, bytes], declared: list[str]) -> SealedForm:
    data = as_data([*fields, *(["declarations", code] for code in declared), ["csrfmiddlewaretoken", "t"]])
    uploads: MultiValueDict[str, Any] = MultiValueDict()
    for path, content in files.items():
        code, name = path.split("/")
        uploads.appendlist(f"paper-{code}", SimpleUploadedFile(name, content))
    return SealedForm(bid, data, uploads)


def stored() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (BudgetLine, Kpi, StoredFile, User))


def test_a_server_judges_before_it_seals_and_stores_nothing(bid: Bid, django_assert_num_queries: Any) -> None:
    """A whole bid has no problem; what is missing is told at its control; not one statement writes."""
    fields, files, declared = posted(bid), handed(bid), codes(bid.call)
    fresh, before = emptied(bid), stored()
    whole = form_of(fresh, fields, files, declared)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.db.models.Model.save", lambda *_a, **_k: pytest.fail("stored"))
        assert whole.problems() == []
        assert [list(pair) for pair in whole.fields()] == fields
        assert whole.attachments() == files
        some = [pair for pair in fields if not pair[0].startswith(("about-title", "budget-0", "team-"))]
        told = dict(form_of(fresh, some, {}, []).problems())
    assert "#id_about-title" in told and "#team" in told and "#id_declarations_0" in told
    assert any(place.startswith("#id_paper-") for place in told)
    fresh.refresh_from_db()
    assert stored() == before and fresh.title == "密封投标" and fresh.answers == {}


def test_a_file_of_another_kind_or_too_large_is_told_before_sealing(bid: Bid) -> None:
    fields, files = posted(bid), handed(bid)
    asked = bid.rules.attachments[0]
    wrong = {**files, f"{asked.code}/程序.exe": b"MZ", f"{asked.code}/大.pdf": b"x" * (21 * 2**20)}
    told = form_of(emptied(bid), fields, wrong, codes(bid.call)).problems()
    assert [place for place, _sentence in told] == [f"#id_paper-{asked.code}"] * 2


def test_a_sealed_bid_starts_with_an_empty_page(bid: Bid, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever stands in its row, a bid that is sealed shows nothing but the call's own indicators."""
    monkeypatch.setattr(Bid, "is_sealed", True, raising=False)
    told = {name: text for name, text in posted(bid) if not name.endswith("_FORMS")}
    assert not any(text == bid.title for text in told.values())
    assert {name.rsplit("-", 1)[-1] for name in told} <= {"code", "quantity", "source", "direct", "rows", "category", "track"}


def test_names_of_controls_are_never_given_twice(bid: Bid) -> None:
    html = render_to_string("bidding/_sealed_form.html", {"form": SealedForm(bid), "bid": bid}, RequestFactory().get("/"))
    ids = [part.split('"')[0] for part in html.split(' id="')[1:]]
    assert sorted(ids) == sorted(set(ids))
