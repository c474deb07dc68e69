"""The call editor's pages: what a clerk sees and types becomes the rules, faults stay beside the field, and nothing typed is lost."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from grants import clock
from grants.calls import services
from grants.calls.models import Call, RulesVersion
from grants.calls.parts import TITLES
from grants.calls.rulebook import presets
from grants.calls.rulebook.editing.parts import PARTS
from grants.people.models import User
from tests.world import calls, people
from tests.world.calls import DAY, fresh

pytestmark = pytest.mark.django_db


class _Form(HTMLParser):
    """What a browser without scripts would post for the page's big form."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self.inside = False
        self.select = self.area = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        have = dict(attrs)
        if tag == "form":
            self.inside = "gc-editor__form" in (have.get("class") or "")
        if not self.inside:
            return
        if tag == "input" and have.get("name") and (have.get("type") not in ("checkbox", "radio") or "checked" in have):
            self.values.setdefault(have["name"], []).append(have.get("value") or ("on" if have.get("type") == "checkbox" else ""))
        elif tag == "select":
            self.select = have["name"]
        elif tag == "option" and self.select and "selected" in have:
            self.values[self.select] = [have.get("value") or ""]
        elif tag == "textarea":
            self.area, self.values[have["name"]] = have["name"], [""]

    def handle_data(self, data: str) -> None:
        if self.area:
            self.values[self.area][0] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.values[self.area] = [self.values[self.area][0].removeprefix("\n")]
            self.area = ""
        elif tag == "select":
            self.select = ""
        elif tag == "form":
            self.inside = False


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


def typed(response: Any, **changes: Any) -> dict[str, Any]:
    """The form of a page as it would be posted, with some controls typed over (`__` for `.`); None leaves one out."""
    form = _Form()
    form.feed(text(response))
    values: dict[str, Any] = dict(form.values)
    for name, value in changes.items():
        key = name.replace("__", ".")
        if value is None:
            values.pop(key, None)
        else:
            values[key] = value if isinstance(value, list) else [value]
    return values


def part(made: Call, code: str, way: str = "") -> str:
    return reverse("calls:edit_element", args=[made.pk, code, way]) if way else reverse("calls:edit_part", args=[made.pk, code])


@pytest.mark.parametrize("code", ["YX-2026-01", "YX-2026-03", "YX-2026-05"])
def test_every_page_saved_as_it_is_changes_nothing(code: str) -> None:
    """Each part's page, posted back as a browser without scripts would, is the same value: no new version is written."""
    desk = people.office()
    made = calls.draft(desk, calls.rules(code))
    client, before = as_(desk.officer), made.rules.rules_hash
    for each in PARTS:
        page = client.get(part(made, each.code))
        assert page.status_code == 200
        answer = client.post(part(made, each.code), typed(page, act="save"), follow=True)
        assert "没有改动" in text(answer), each.code
    for way in ("forms.application.0", "review.sheets.0"):
        page = client.get(part(made, "forms" if way.startswith("forms") else "sheets", way))
        answer = client.post(page.request["PATH_INFO"], typed(page, act="save"), follow=True)
        assert "没有改动" in text(answer), way
    assert fresh(made).rules.rules_hash == before


def test_the_editor_lists_every_part_with_what_is_wrong_in_it() -> None:
    """A contradiction in the tranches counts against 拨款 only; the draft may be kept but not proposed."""
    desk = people.office()
    made = calls.draft(desk, calls.unsound(calls.rules()))
    page = as_(desk.officer).get(reverse("calls:editor", args=[made.pk]))
    tasks = {str(task["title"]): task["status"] for task in page.context["tasks"]}
    assert list(tasks) == [str(title) for title in TITLES.values()]
    assert "错误" in tasks["拨款分期与条件"] and tasks["预算类别与上限"] == "无误"
    assert "不能提交审批" in text(page) and "申报负担" in text(page)


def test_money_typed_the_chinese_way_is_saved_and_shown_in_capitals() -> None:
    """１５，０００．００ 元 is fifteen thousand; the page shows 壹万伍仟元整."""
    desk = people.office()
    made = calls.draft(desk)
    client, url = as_(desk.officer), part(made, "money")
    answer = client.post(url, typed(client.get(url), amounts__cap="４，０００．００ 元", act="save"), follow=True)
    assert "已保存" in text(answer)
    assert str(fresh(made).rules.amounts.cap) == "4000.00"
    assert "肆仟元整" in text(client.get(url)) and 'value="4,000.00"' in text(client.get(url))


def test_a_fault_is_said_beside_its_field_and_everything_typed_stays() -> None:
    """422, a linked summary, the way out; the other change of the page is still there and nothing is written."""
    desk = people.office()
    made = calls.draft(desk)
    client, url, before = as_(desk.officer), part(made, "money"), made.rules
    answer = client.post(url, typed(client.get(url), amounts__cap="五千", amounts__floor="500", pool__total="", act="save"))
    page = text(answer)
    assert answer.status_code == 422 and fresh(made).rules == before
    assert 'href="#id-amounts-cap"' in page and "不是至多两位小数" in page and "改法" in page
    assert 'value="五千"' in page and 'value="500.00"' in page
    assert "请填写“总额”" in page


def test_a_contradiction_is_saved_and_shown_on_its_field() -> None:
    """The linter speaks after every saving, at the control, in the list and in the side list with a count."""
    desk = people.office()
    made = calls.draft(desk)
    client, url = as_(desk.officer), part(made, "funding")
    answer = client.post(url, typed(client.get(url), funding__tranches__0__percent="10", act="save"), follow=True)
    assert str(fresh(made).rules.funding.tranches[0].percent) == "10.00"
    page = text(answer)
    assert "已保存。这一部分还有" in page and 'id="id-funding-tranches-said"' in page
    mine = next(each for each in answer.context["parts"] if each["code"] == "funding")
    assert mine["count"] >= 1


def test_checking_writes_nothing() -> None:
    """The answer carries what is wrong with what was typed."""
    desk = people.office()
    made = calls.draft(desk)
    client, url, before = as_(desk.officer), part(made, "funding"), made.rules
    answer = client.post(url, typed(client.get(url), funding__tranches__0__percent="10", act="check"))
    assert answer.status_code == 200 and "合计" in text(answer) and fresh(made).rules == before


def test_rows_are_added_removed_and_moved_without_scripts_and_without_saving() -> None:
    """The page comes back with the row and with what was typed elsewhere; saving then writes it all."""
    desk = people.office()
    made = calls.draft(desk)
    client, url = as_(desk.officer), part(made, "money")
    n = len(made.rules.categories)
    grown = client.post(url, typed(client.get(url), amounts__floor="600", act="add:categories"))
    assert grown.status_code == 200 and f'name="categories.{n}.name"' in text(grown) and 'value="600.00"' in text(grown)
    assert len(fresh(made).rules.categories) == n
    name = {f"categories__{n}__name": "安宁疗护"}
    moved = client.post(url, typed(grown, **name, act=f"up:categories.{n}"))
    client.post(url, typed(moved, act="save"))
    saved = [c.name for c in fresh(made).rules.categories]
    assert saved[n - 1] == "安宁疗护" and str(fresh(made).rules.amounts.floor) == "600.00"
    dropped = client.post(url, typed(client.get(url), act=f"drop:categories.{n - 1}"))
    client.post(url, typed(dropped, act="save"))
    assert "安宁疗护" not in [c.name for c in fresh(made).rules.categories]


def test_an_optional_rule_is_switched_on_filled_in_and_saved() -> None:
    """专职人员: absent at first, then three people."""
    desk = people.office()
    made = calls.draft(desk)
    assert made.rules.eligibility.staff is None
    client, url = as_(desk.officer), part(made, "applicants")
    on = client.post(url, typed(client.get(url), act="on:eligibility.staff"))
    client.post(url, typed(on, eligibility__staff__full_time="３", act="save"))
    staff = fresh(made).rules.eligibility.staff
    assert staff is not None and staff.full_time == 3
    off = client.post(url, typed(client.get(url), act="off:eligibility.staff"))
    client.post(url, typed(off, act="save"))
    assert fresh(made).rules.eligibility.staff is None


def test_a_section_of_the_form_has_a_page_of_its_own() -> None:
    """A new section with a question is added on its page; its short names are given by the machine; it can be moved and removed."""
    desk = people.office()
    made = calls.draft(desk)
    client = as_(desk.officer)
    n = len(made.rules.forms.application)
    new = f"forms.application.{n}"
    url = part(made, "forms", new)
    page = client.get(url)
    lead = new.replace(".", "__")
    row = client.post(url, typed(page, **{f"{lead}__title": "风险与应急"}, act=f"add:{new}.fields"))
    values = {f"{lead}__fields__0__label": "最大的风险是什么？", f"{lead}__fields__0__kind": "longtext"}
    client.post(url, typed(row, **values, act="save"))
    section = fresh(made).rules.forms.application[n]
    assert section.title == "风险与应急" and section.fields[0].required and section.code == f"section_{n and 1}"
    listing = part(made, "forms")
    client.post(listing, typed(client.get(listing), act=f"up:{new}"))
    assert fresh(made).rules.forms.application[n - 1].title == "风险与应急"
    client.post(listing, typed(client.get(listing), act=f"drop:forms.application.{n - 1}"))
    assert len(fresh(made).rules.forms.application) == n


def test_two_clerks_do_not_overwrite_each_other_unseen() -> None:
    """The second to save one part is told and keeps what they typed; other parts are no matter; saving again is a decision."""
    desk = people.office()
    made = calls.draft(desk)
    second = people.appointed("officer", desk.agency)
    one, two, url = as_(desk.officer), as_(second), part(made, "money")
    mine, theirs = typed(one.get(url), amounts__cap="4000", act="save"), typed(two.get(url), amounts__cap="3000", act="save")
    other = part(made, "closing")
    unrelated = typed(two.get(other), retention__personal_months="24", act="save")
    one.post(url, mine)
    assert two.post(other, unrelated).status_code == 302
    answer = two.post(url, theirs)
    assert answer.status_code == 409 and "别人保存过" in text(answer) and 'value="3,000.00"' in text(answer)
    assert str(fresh(made).rules.amounts.cap) == "4000.00"
    assert two.post(url, typed(answer, act="save")).status_code == 302
    assert str(fresh(made).rules.amounts.cap) == "3000.00"


def test_moves_that_make_no_sense_are_refused_and_nothing_is_lost() -> None:
    """A row that is gone, a way of another part, a word that is none."""
    desk = people.office()
    made = calls.draft(desk)
    client, url = as_(desk.officer), part(made, "money")
    for act in ("drop:categories.99", "drop:review.sheets.0", "burn:pool", "add:pool", "on:sources.0.nothing", "up:categories.-1"):
        answer = client.post(url, typed(client.get(url), amounts__floor="700", act=act))
        assert answer.status_code == 409 and 'value="700.00"' in text(answer), act
    for way in ("forms.application.99", "forms.application.x", "forms.application", "forms.application.0.fields.0.label", "pool"):
        assert client.get(reverse("calls:edit_element", args=[made.pk, "forms", way])).status_code == 404, way
    assert client.get(reverse("calls:edit_part", args=[made.pk, "nothing"])).status_code == 404


def test_only_the_agencys_officers_edit_and_only_while_it_makes_sense() -> None:
    """403 for the approver, another agency and a visitor is sent to sign in; a proposed or closed call has no editor."""
    desk, elsewhere = people.office(), people.office()
    made = calls.draft(desk)
    for url in (reverse("calls:editor", args=[made.pk]), part(made, "money")):
        assert as_(desk.approver).get(url).status_code == as_(elsewhere.officer).get(url).status_code == 403
        assert Client().get(url).status_code == 302
    with clock.at(calls.BEFORE):
        services.propose(made, by=desk.officer)
    assert as_(desk.officer).get(part(made, "money")).status_code == 404


def test_of_a_published_call_the_pages_write_an_addendum_with_its_number() -> None:
    """The version in force stays; the draft addendum has the next minor version and its differences; an earlier deadline is not issued."""
    desk = people.office()
    made = calls.opened(desk, calls.rules("YX-2026-02"))
    client, url = as_(desk.officer), part(made, "timetable")
    with clock.at(calls.OPENS + DAY):
        closes = (made.rules.timetable.closes_at + DAY).strftime("%Y-%m-%dT%H:%M")
        review = (made.rules.timetable.review_by + 2 * DAY).isoformat()
        page = client.get(url)
        assert "补充公告" in text(page)
        client.post(url, typed(page, timetable__closes_at=closes, timetable__review_by=review, act="save"))
        version = RulesVersion.objects.get(call=made, number=2)
        assert version.rules.version == "1.1.0" and version.frozen_at is None and fresh(made).rules == made.rules
        overview = client.get(reverse("calls:editor", args=[made.pk]))
        assert "与现行规则的差异" in text(overview)
        summary = part(made, "basics")
        client.post(summary, typed(client.get(summary), summary="改一个字", act="save"))
        assert RulesVersion.objects.filter(call=made).count() == 2
        services.amend(made, RulesVersion.objects.get(call=made, number=2), by=desk.approver)
    assert fresh(made).rules.summary == "改一个字"


def test_another_code_that_is_taken_is_refused_on_the_page() -> None:
    """With the sentence of the service and what was typed."""
    desk = people.office()
    calls.draft(desk, calls.rules("YX-2026-02"))
    made = calls.draft(desk)
    client, url = as_(desk.officer), part(made, "basics")
    answer = client.post(url, typed(client.get(url), code="YX-2026-02", act="save"))
    assert answer.status_code == 422 and "已被另一次征集使用" in text(answer) and 'value="YX-2026-02"' in text(answer)


@pytest.mark.parametrize("code", ["YX-2026-01", "YX-2026-03"])
def test_a_page_asks_the_same_number_of_questions_for_a_long_and_a_short_call(code: str) -> None:
    """The rules are one value: rows on the page cost nothing in the database."""
    desk = people.office()
    made = calls.draft(desk, calls.rules(code))
    client = as_(desk.officer)
    client.get(part(made, "money"))
    with CaptureQueriesContext(connection) as asked:
        client.get(part(made, "money"))
    assert len(asked) == 5, [q["sql"][:90] for q in asked]


# --- starting, cloning, comparing, previewing --------------------------------------------------------------------------


def start(client: Client, desk: people.Office, **more: Any) -> Any:
    values = {"agency": str(desk.agency.pk), "source": "preset:micro", "code": "YX-2027-01", "opens_at": "2027-03-09T09:00", **more}
    return client.post(reverse("calls:start"), values)


def test_a_new_call_is_started_from_a_sample_by_form() -> None:
    """Draft, own code, version 1.0.0, moved to the wished opening, the year in its name replaced, in the editor."""
    desk = people.office()
    client = as_(desk.officer)
    assert client.get(reverse("calls:start")).status_code == 200
    answer = start(client, desk)
    made = Call.objects.get()
    assert answer["Location"].startswith(reverse("calls:editor", args=[made.pk]))
    assert (made.code, made.rules.version, made.state) == ("YX-2027-01", "1.0.0", "draft")
    assert made.rules.timetable.opens_at.isoformat() == "2027-03-09T09:00:00+08:00"
    assert "2026" not in made.title


def test_last_round_is_cloned_and_compared() -> None:
    """Deadlines on free days go on to working days, texts that name the old year are pointed at, every change is listed."""
    desk = people.office()
    calls.published(desk, calls.rules(summary="2026年的第三次征集"))
    client = as_(desk.officer)
    # 2027-03-09 + the preset's period; the calendar of an unpublished year has week-ends all the same
    answer = client.post(reverse("calls:start"), {
        "agency": str(desk.agency.pk), "source": "YX-2026-03", "code": "yx-2027-03", "opens_at": "2027-03-13T09:00",
    }, follow=True)  # fmt: skip
    made = Call.objects.get(code="YX-2027-03")
    assert made.rules.timetable.closes_at.weekday() < 5 and made.rules.timetable.review_by.weekday() < 5
    assert "还写着 2026 年" in text(answer) and "summary" in text(answer)
    page = client.get(reverse("calls:compare"), {"old": "YX-2026-03", "new": "YX-2027-03"})
    assert page.status_code == 200 and "YX-2026-03" in text(page) and "处不同" in text(page)
    same = client.get(reverse("calls:compare"), {"old": "YX-2027-03", "new": "YX-2027-03@1"})
    assert "完全相同" in text(same)


@pytest.mark.parametrize(
    ("change", "name", "words"),
    [
        ({"code": "第六届"}, "code", "写法不符"), ({"opens_at": ""}, "opens_at", "必填"), ({"source": "nothing"}, "source", "选"),
        ({"code": "YX-2026-03"}, "code", "已被另一次征集使用"),
    ],
)  # fmt: skip
def test_a_start_that_cannot_be_is_refused_at_its_field(change: dict[str, str], name: str, words: str) -> None:
    """422; nothing is made."""
    desk = people.office()
    calls.draft(desk)
    answer = start(as_(desk.officer), desk, **change)
    assert answer.status_code == 422 and Call.objects.count() == 1
    assert any(words in sentence for sentence in answer.context["form"].errors[name]), answer.context["form"].errors


def test_a_start_needs_the_officers_role_in_that_agency() -> None:
    """Approvers and finance are refused; another agency's calls are no source."""
    desk, elsewhere = people.office(), people.office()
    calls.draft(elsewhere)
    assert as_(desk.approver).get(reverse("calls:start")).status_code == 403
    assert start(as_(desk.officer), desk, source="YX-2026-03").status_code == 422
    assert start(as_(desk.officer), elsewhere).status_code == 422


def test_comparing_shows_only_what_one_may_see() -> None:
    """Samples to everybody; a draft to its agency; a drafted addendum not to the public."""
    desk, elsewhere = people.office(), people.office()
    made = calls.draft(desk, calls.rules("YX-2026-02"))
    url = reverse("calls:compare")
    assert Client().get(url).status_code == 200
    page = Client().get(url, {"old": "preset:micro", "new": "preset:street"})
    assert page.status_code == 200 and presets.load("street").title.zh in text(page)
    query = {"old": "preset:micro", "new": made.code}
    assert as_(desk.officer).get(url, query).status_code == 200
    assert Client().get(url, query).status_code == as_(elsewhere.officer).get(url, query).status_code == 404
    opened = calls.opened(desk)
    with clock.at(calls.OPENS + DAY):
        services.draft_addendum(opened, calls.later(opened.rules), by=desk.officer)
    hidden = {"old": opened.code, "new": f"{opened.code}@2"}
    assert Client().get(url, hidden).status_code == 404 and as_(desk.approver).get(url, hidden).status_code == 200
    for wrong in ({"old": "preset:none", "new": "preset:micro"}, {"old": "preset:micro", "new": f"{opened.code}@77"}):
        assert Client().get(url, wrong).status_code == 404
    assert Client().get(url, {"old": "preset:micro", "new": f"{opened.code}@x"}).status_code == 400


def test_the_form_is_previewed_by_the_agency_only() -> None:
    """Every question, before publication and after, and never to the public."""
    desk, elsewhere = people.office(), people.office()
    made = calls.draft(desk, calls.rules("YX-2026-01"))
    url = reverse("calls:preview", args=[made.code])
    page = text(as_(desk.officer).get(url))
    assert all(f.label in page for s in made.rules.forms.application for f in s.fields) and "不会保存" in page
    assert all(d.text.replace("“", "") in page.replace("“", "") for d in made.rules.forms.declarations)
    assert Client().get(url).status_code == as_(elsewhere.officer).get(url).status_code == 404

