"""The applicant's desk around the form: every question beforehand, the vault, carried answers, one page, planned dates."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from docx import Document
from icalendar import Calendar
from pypdf import PdfReader

from bidding import services
from bidding.completeness import problems
from bidding.models import Bid
from bidding.one_page import fits_one_page
from bidding.prefilled import of_bid, unsettled
from grants import clock, ledger
from grants.calls.models import Call
from grants.calls.rulebook.effort import effort, known_share
from grants.notifications.models import Message
from grants.people import pages as people_pages
from grants.people import services as people_services
from grants.people.models import Organisation, User, VaultFile
from grants.workflow.refusals import Invalid, NotYou
from tests.world import bidding as world
from tests.world import calls, people
from tests.world.people import PASSWORD, Body, Office
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
    made = people.body(desk)
    people.checked(made, desk, 2024, 2025)
    return made


@pytest.fixture
def now(call: Call) -> Iterator[None]:
    """The clock stands one hour into the bidding period."""
    with clock.at(world.opens(call)):
        yield


def browser(person: User | None = None) -> Client:
    client = Client()
    if person is not None:
        client.force_login(person)
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


# --- every question before starting -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [f"YX-2026-0{n}" for n in range(1, 6)])
def test_a_visitor_reads_every_question_limit_and_criterion_of_every_preset(desk: Office, code: str) -> None:
    """No sign-in: each label, option, budget category, attachment, declaration and criterion of the rules stands on the page."""
    call = calls.opened(desk, calls.rules(code))
    shown = text(browser().get(reverse("bidding:questions", args=[call.code])))
    for wanted in everything_named(call):
        assert wanted in shown, wanted


def everything_named(call: Call) -> list[str]:
    rules = call.rules
    fields = [f for s in rules.forms.application for f in s.fields]
    found = [f.label for f in fields] + [o for f in fields for o in f.options] + [c.label for f in fields for c in f.columns]
    found += [c.name for c in rules.budget.categories] + [a.name for a in rules.attachments] + [d.text for d in rules.forms.declarations]
    found += [c.name for sheet in rules.review.sheets for c in sheet.criteria] + [k.name for k in rules.outcomes.kpis]
    return [each.replace("'", "&#x27;").replace('"', "&quot;") for each in found]


def test_the_form_is_a_word_document_with_headings_tables_and_named_chinese_fonts(call: Call) -> None:
    got = browser().get(reverse("bidding:questions_word", args=[call.code]))
    assert got.status_code == 200
    document = Document(BytesIO(got.content))
    headings = [p.text for p in document.paragraphs if p.style.name == "Heading 1"]
    assert headings[1 : 1 + len(call.rules.forms.application)] == [f"{i}. {s.title}" for i, s in enumerate(call.rules.forms.application, 1)]
    questions = [p.text for p in document.paragraphs if p.style.name == "Heading 2"]
    assert len(questions) == sum(len(s.fields) for s in call.rules.forms.application)
    cells = {c.text for t in document.tables for row in t.rows for c in row.cells}
    assert {c.name for c in call.rules.budget.categories} <= cells
    with zipfile.ZipFile(BytesIO(got.content)) as archive:
        assert 'w:eastAsia="宋体"' in archive.read("word/styles.xml").decode()


def test_the_form_is_a_pdf_whose_text_can_be_taken_out(call: Call) -> None:
    got = browser().get(reverse("bidding:questions_pdf", args=[call.code]))
    reader = PdfReader(BytesIO(got.content))
    said = "".join(page.extract_text() for page in reader.pages).replace("\n", "")
    for section in call.rules.forms.application:
        assert section.title in said
        assert all(field.label in said for field in section.fields)
    fonts = [f for page in reader.pages for f in page["/Resources"]["/Font"].values()]  # type: ignore[index]
    assert all("/FontFile2" in f.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"] for f in fonts)


def test_a_download_that_did_not_change_is_not_sent_again(call: Call) -> None:
    client, address = browser(), reverse("bidding:questions_word", args=[call.code])
    tag = client.get(address)["ETag"]
    assert client.get(address, headers={"if-none-match": tag}).status_code == 304


def test_a_draft_call_shows_its_questions_to_nobody_outside(desk: Office) -> None:
    """404 for page and both files while the agency is still drafting; its officer looks at them as an applicant would."""
    made = calls.draft(desk, calls.rules("YX-2026-02"))
    for name in ("questions", "questions_word", "questions_pdf"):
        address = reverse(f"bidding:{name}", args=[made.code])
        assert browser().get(address).status_code == 404
        assert browser(desk.officer).get(address).status_code == 200


def test_the_burden_counts_every_question_and_one_more_costs_more(call: Call) -> None:
    rules = call.rules
    asked = effort(rules)
    assert sum(p.questions for p in asked.parts[: len(rules.forms.application)]) == sum(len(s.fields) for s in rules.forms.application)
    plain = rules.plain()
    plain["forms"]["application"][0]["fields"].append({"code": "extra", "label": "再写一点", "kind": "longtext", "max_chars": 500})
    more = effort(calls.toml.from_data(plain))
    assert (more.questions, more.minutes) == (asked.questions + 1, asked.minutes + 15)
    assert known_share(rules, []) == 0
    assert known_share(rules, {(f.code, str(f.kind)) for s in rules.forms.application for f in s.fields}) == 100


def test_the_officer_sees_the_burden_and_what_earlier_calls_asked_already(desk: Office) -> None:
    calls.opened(desk, calls.rules("YX-2026-01"))
    second = calls.opened(desk, calls.rules("YX-2026-02"))
    shown = text(browser(desk.officer).get(reverse("desk:object", args=["call", second.pk])))
    asked = effort(second.rules)
    assert f"共 {asked.questions} 个问题，约 {asked.minutes} 分钟" in shown
    assert "% 的问题贵单位以往征集问过" in shown


# --- profile and vault ------------------------------------------------------------------------------------------------------


def kept(who: Body, *, kind: str = "registration", said: str = "证书", **more: Any) -> VaultFile:
    return people_services.keep(who.organisation, world.pdf(said), kind=kind, by=who.signatory, name=f"{said}.pdf", **more)


def test_a_file_is_kept_by_hash_ledgered_downloaded_and_dropped(who: Body) -> None:
    client, address = browser(who.signatory), reverse("people:vault", args=[who.organisation.pk])
    given = {"kind": "registration", "file": SimpleUploadedFile("登记证书.pdf", world.pdf("证书")), "expires_on": "2030-01-31"}
    assert client.post(address, given).status_code == 302
    row = VaultFile.objects.get()
    assert [e.files for e in ledger.history(who.organisation.subject) if e.event == "organisation.vault_added"] == [{"file": row.file_id}]
    assert "登记证书.pdf" in text(client.get(address))
    assert client.get(reverse("desk:file", args=["organisation", who.organisation.pk, row.file_id])).status_code == 200
    assert client.post(reverse("people:drop", args=[who.organisation.pk, row.pk])).status_code == 302
    assert not VaultFile.objects.exists()


def test_the_vault_and_the_profile_are_for_the_organisations_own_people_only(who: Body, desk: Office) -> None:
    """Its registrar, another organisation and the public see neither page nor file."""
    row, other = kept(who), people.body(desk)
    for stranger in (desk.officer, desk.auditor, other.signatory):
        client = browser(stranger)
        assert client.get(reverse("people:vault", args=[who.organisation.pk])).status_code == 404
        assert client.get(reverse("people:story", args=[who.organisation.pk])).status_code == 404
        assert client.get(reverse("desk:file", args=["organisation", who.organisation.pk, row.file_id])).status_code == 404
        refused(NotYou, "may_write_bids", people_services.drop, row, by=stranger) if stranger is other.signatory else None
    assert browser().get(reverse("people:vault", args=[who.organisation.pk])).status_code == 302


def test_what_the_vault_refuses(who: Body) -> None:
    """An expired paper, the same content twice, a kind that does not exist, a disguised file: with the reason, nothing kept."""
    kept(who)
    refused(Invalid, "kept_already", kept, who)
    refused(Invalid, "kind", kept, who, kind="nonsense", said="别的")
    refused(Invalid, "expired", kept, who, said="旧的", expires_on=clock.today() - timedelta(days=1))
    client, address = browser(who.signatory), reverse("people:vault", args=[who.organisation.pk])
    answer = client.post(address, {"kind": "other", "file": SimpleUploadedFile("假.pdf", b"MZ not a pdf")})
    assert answer.status_code == 422
    assert "内容不是 PDF" in text(answer)
    assert VaultFile.objects.count() == 1


@pytest.mark.parametrize(("days", "letters"), [(31, 0), (30, 1), (8, 1), (7, 1), (-1, 1)])
def test_a_letter_goes_out_once_per_threshold(who: Body, days: int, letters: int) -> None:
    day = date(2026, 6, 1)
    with clock.at(calls.OPENS):
        kept(who, expires_on=day)
    with clock.at(calls.OPENS.replace(year=2026, month=6, day=1) - timedelta(days=days)):
        assert people_services.remind() == letters
        assert people_services.remind() == 0
        assert Message.objects.filter(template="vault_expiring").count() == letters


def test_thirty_then_seven_then_expired_are_three_letters_and_a_renewal_ends_them(who: Body) -> None:
    expires = date(2026, 6, 1)
    with clock.at(calls.OPENS):
        kept(who, expires_on=expires)
    end = calls.OPENS.replace(month=6, day=1)
    for days in (30, 20, 7, 3, -1, -9):
        with clock.at(end - timedelta(days=days)):
            people_services.remind()
    assert Message.objects.filter(template="vault_expiring").count() == 3
    with clock.at(end - timedelta(days=5)):
        assert [w.title for w in people_pages.waiting(who.signatory)] == [f"{who.organisation} · 证书.pdf"]
        kept(who, said="新证书", expires_on=date(2030, 1, 1))
        assert people_pages.waiting(who.signatory) == []


@pytest.mark.usefixtures("now")
def test_a_file_of_the_vault_becomes_an_attachment_with_one_click(call: Call, who: Body) -> None:
    """Same bytes, same hash, no second upload; offered on the attachments page."""
    row, bid = kept(who), world.started(call, who)
    client = browser(who.signatory)
    assert "从资料库选用" in text(client.get(reverse("bidding:attachments", args=[bid.pk])))
    assert client.post(reverse("bidding:reuse", args=[bid.pk]), {"code": "registration", "kept": row.pk}).status_code == 302
    attached = bid.attachments.get()
    assert (attached.code, attached.file_id, attached.name) == ("registration", row.file_id, "证书.pdf")
    refused(Invalid, "same_name", services.attach_kept, bid, "registration", row, by=who.signatory)


@pytest.mark.usefixtures("now")
def test_a_vault_file_of_another_organisation_cannot_be_used(call: Call, who: Body, desk: Office) -> None:
    other = people.body(desk)
    row, bid = kept(other), world.started(call, who)
    refused(Invalid, "unknown_attachment", services.attach_kept, bid, "registration", row, by=who.signatory)
    assert browser(who.signatory).post(reverse("bidding:reuse", args=[bid.pk]), {"code": "registration", "kept": row.pk}).status_code == 404


@pytest.mark.usefixtures("now")
def test_a_vault_file_of_the_wrong_type_is_refused_with_the_reason(call: Call, who: Body) -> None:
    from docx import Document as Word

    out = BytesIO()
    Word().save(out)
    row = people_services.keep(who.organisation, out.getvalue(), kind="other", by=who.signatory, name="说明.docx")
    refused(Invalid, "vault_file_fits", services.attach_kept, world.started(call, who), "registration", row, by=who.signatory)


def story(who: Body, **more: Any) -> None:
    given = {"introduction": "成立于 2020 年，专注居家养老。", "strengths": "持证社工六名。", "staff": "志愿者八十人。", **more}
    projects = [{"name": "银龄守望", "year": 2025, "funder": "云溪区民政局", "amount": "80000.00", "result": "服务 120 人"}]
    people_services.save_story(who.organisation, by=who.signatory, projects=projects, **given)


def test_the_profile_is_saved_from_its_page_and_says_what_is_wrong(who: Body) -> None:
    client, address = browser(who.signatory), reverse("people:story", args=[who.organisation.pk])
    rows = {"form-TOTAL_FORMS": "2", "form-INITIAL_FORMS": "0", "form-0-name": "银龄守望", "form-0-year": "2025", "form-0-amount": "８０，０００",
            "form-1-funder": "没有名称的项目"}  # fmt: skip
    wrong = client.post(address, {"introduction": "我们是谁", **rows})
    assert wrong.status_code == 422
    assert "请填写项目名称" in text(wrong) and "我们是谁" in text(wrong)
    assert client.post(address, {"introduction": "我们是谁", **rows, "form-1-funder": ""}).status_code == 302
    assert who.organisation.past_projects.get().amount == 80_000
    assert "我们是谁" in text(client.get(address))
    more = client.post(address, {**rows, "more": "1"})
    assert more.status_code == 200 and text(more).count("form-4-name") > 0


# --- carried answers -----------------------------------------------------------------------------------------------------------


def begun(call: Call, who: Body, title: str = "第二个项目") -> Bid:
    return services.start_prefilled(call, who.organisation, by=who.signatory, title=title, category=call.rules.categories[0].code)


@pytest.mark.usefixtures("now")
def test_the_profile_is_carried_into_a_first_bid_and_marked(call: Call, who: Body) -> None:
    story(who)
    bid = begun(call, who)
    assert bid.answers["applicant"]["profile"] == "成立于 2020 年，专注居家养老。"
    assert bid.answers["applicant"]["experience"][0]["funder"] == "云溪区民政局"
    assert {m.told for m in unsettled(bid)} == {"单位资料"}
    shown = text(browser(who.signatory).get(reverse("bidding:section", args=[bid.pk, "applicant"])))
    assert "来自单位资料，请确认" in shown


def second_bid(desk: Office, call: Call, who: Body) -> Bid:
    """The organisation's bid in a later call of another form, after it bid in `call`."""
    with clock.at(world.opens(call)):
        world.submitted(call, who)
        later = calls.opened(desk, calls.rules("YX-2026-02"))
        return begun(later, who)


def test_the_second_bid_of_an_organisation_is_filled_to_sixty_per_cent_and_more(desk: Office, call: Call, who: Body) -> None:
    """Another call, another form: what was told before is there, and the page of questions had said so."""
    bid = second_bid(desk, call, who)
    assert of_bid(bid).percent >= 60
    with clock.at(world.opens(call)):
        shown = text(browser(who.signatory).get(reverse("bidding:questions", args=[bid.call.code])))
    assert f"可以带入 <strong>{of_bid(bid).percent}%</strong>" in shown


def test_nothing_carried_is_submitted_before_somebody_confirmed_or_changed_it(desk: Office, call: Call, who: Body) -> None:
    """Each carried answer is a problem of its page; ticking settles some, changing another settles that one without a tick."""
    bid = second_bid(desk, call, who)
    client = browser(who.signatory)
    with clock.at(world.opens(call)):
        marks = unsettled(bid)
        assert {p.page for p in problems(bid) if "带入" in p.sentence} >= {"sections/applicant", "sections/plan", "team"}
        assert client.post(reverse("bidding:carried", args=[bid.pk]), {}).status_code == 302
        assert len(unsettled(bid)) == len(marks)
        client.post(reverse("bidding:carried", args=[bid.pk]), {"mark": [m.pk for m in marks if m.field != "goal"]})
        assert [m.field for m in unsettled(bid)] == ["goal"]
        services.save_answers(bid, "plan", {**bid.answers["plan"], "goal": "新的目标"}, by=who.signatory)
        assert unsettled(Bid.objects.get(pk=bid.pk)) == []
        shown = text(client.get(reverse("bidding:carried", args=[bid.pk])))
    assert "已确认" in shown and "已修改" in shown


def test_days_the_projects_name_and_what_the_new_form_refuses_are_not_carried(desk: Office, call: Call, who: Body) -> None:
    """A text longer than the new limit stays behind: nothing is shortened."""
    with clock.at(world.opens(call)):
        story(who, introduction="长" * 600)
        bid = begun(call, who, "新的名称")
        assert "profile" not in bid.answers.get("applicant", {})
    assert bid.title == "新的名称"
    other = second_bid(desk, call, who)
    assert not {"starts_on", "ends_on"} & set(other.answers["basics"])
    assert other.answers["basics"]["name"] == "第二个项目"


@pytest.mark.usefixtures("now")
def test_another_organisations_answers_are_never_carried(call: Call, who: Body, desk: Office) -> None:
    other = people.body(desk)
    story(other)
    world.submitted(call, who)
    bid = begun(call, people.body(desk))
    assert not bid.prefills.exists() and not bid.answers.get("applicant")


@pytest.mark.usefixtures("now")
def test_a_colleague_of_another_organisation_cannot_confirm(call: Call, who: Body, desk: Office) -> None:
    story(who)
    bid, stranger = begun(call, who), people.body(desk).signatory
    assert browser(stranger).get(reverse("bidding:carried", args=[bid.pk])).status_code == 404
    refused(NotYou, "may_write_bids", services.confirm, bid, [m.pk for m in unsettled(bid)], by=stranger)


# --- register and draft in one flow -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("now")
def test_from_no_account_to_a_draft_in_one_flow_and_one_banner_says_what_is_outstanding(call: Call, desk: Office) -> None:
    """Start → sign up → register and submit for verification → start → draft, each page leading on; only submission waits."""
    client, start = browser(), reverse("bidding:start", args=[call.pk])
    sign_up = client.get(f"{reverse('people:register')}?next={start}")
    assert sign_up.url == f"{reverse('people:sign_up')}?next={start.replace('/', '%2F')}"
    account = {"username": "xinren", "name": "新人", "password": PASSWORD, "again": PASSWORD}
    registering = client.post(sign_up.url, account)
    assert registering.url.startswith(reverse("people:register"))
    empty = text(client.get(start))
    assert "登记单位，然后开始填写" in empty
    given = {**people.particulars(desk.agency), "registrar": desk.agency.pk, "verify": "1"}
    assert client.post(registering.url, given).url == start
    organisation = Organisation.objects.latest("created_at")
    assert organisation.state == "submitted"
    assert f'href="{reverse("bidding:mine")}"' in text(client.get(start)), "the menu follows the new role"
    made = client.post(start, {"organisation": organisation.pk, "title": "先写起来"})
    shown = text(client.get(made.url))
    assert shown.count("提交前还要办") == 2  # the banner's name and its heading: one banner
    assert "正在由" in shown
    assert refused_reasons(Bid.objects.get()) == "organisation_verified"


def refused_reasons(bid: Bid) -> str:
    from bidding.machine import BidMachine

    names = [r.name for r in BidMachine.submit.step.when] if hasattr(BidMachine.submit, "step") else []
    from bidding.rules import organisation_verified
    from grants.workflow.rules import Ask

    answer = organisation_verified.answer(Ask(None, bid, clock.now()))
    assert not answer.ok and (not names or "organisation_verified" in names)
    return answer.rule


def test_an_address_elsewhere_is_not_followed_after_registering(desk: Office) -> None:
    client = browser(people.person())
    given = {**people.particulars(desk.agency), "registrar": desk.agency.pk}
    answer = client.post(f"{reverse('people:register')}?next=https://evil.invalid/", given)
    assert answer.url.startswith("/o/organisation/")


# --- one page --------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def micro(desk: Office) -> Call:
    return calls.opened(desk, calls.rules("YX-2026-03"))


@pytest.fixture
def group(desk: Office, micro: Call) -> Body:
    hub = people.body(desk, name=micro.rules.eligibility.sponsor.name)  # type: ignore[union-attr]
    return people.group(desk, hub)


def test_only_the_micro_preset_fits_one_page() -> None:
    assert [code for code in calls.PRESETS if fits_one_page(calls.rules(code))] == ["YX-2026-03"]


def one_page(call: Call, **more: str) -> dict[str, Any]:
    """The page as a telephone posts it."""
    return {
        "title": "楼道灯亮起来", "category": call.rules.categories[0].code, "problem": "楼道灯坏了，老人摔过。", "work": "换灯六盏，居民轮流巡查。",
        "helpers": "本楼党员和物业，四十户受益。", "budget-TOTAL_FORMS": "3", "budget-INITIAL_FORMS": "0", "budget-0-category": "materials",
        "budget-0-name": "声控灯", "budget-0-source": "grant", "budget-0-unit_price": "45", "budget-0-quantity": "6",
        "figures-persons": "120", "figures-person_times": "300", "figures-group": call.rules.outcomes.beneficiaries[0],
        "team-TOTAL_FORMS": "3", "team-INITIAL_FORMS": "0", **{f"team-{i}-name": f"居民{i}" for i in range(3)},
        **{f"team-{i}-role": "组员" for i in range(3)}, **more,
    }  # fmt: skip


def test_a_group_writes_saves_and_submits_on_one_page(micro: Call, group: Body) -> None:
    """Start leads to the page; saving keeps everything; submitting signs and goes to the receipt."""
    client = browser(group.signatory)
    with clock.at(world.opens(micro)):
        begun = client.post(reverse("bidding:start", args=[micro.pk]), {"organisation": group.organisation.pk, "title": "楼道灯"})
        bid = Bid.objects.get()
        assert begun.url == reverse("bidding:one_page", args=[bid.pk])
        assert "我们看到的问题" in text(client.get(begun.url))
        sponsor = {"sponsor": str(bid.sponsor_id)}
        assert client.post(begun.url, {**one_page(micro), **sponsor, "save": "1"}).url == begun.url
        again = text(client.get(begun.url))
        assert "楼道灯坏了" in again and 'value="45.00"' in again and "居民2" in again
        unsigned = client.post(begun.url, {**one_page(micro), **sponsor, "submit": "1"})
        assert unsigned.status_code == 422, [str(m) for m in unsigned.context["messages"]]
        assert "内容已保存，但还没有提交" in text(unsigned)
        done = client.post(begun.url, {**one_page(micro), **sponsor, "submit": "1", "declarations": world.pledges(micro)})
        assert done.url == reverse("bidding:submitted", args=[bid.pk]), text(done)
    assert Bid.objects.get().state == "submitted"


def test_one_mistake_on_the_page_saves_nothing_and_is_named(micro: Call, group: Body) -> None:
    """A text over its limit and a figure that is none, together; everything typed is still there."""
    with clock.at(world.opens(micro)):
        bid = world.started(micro, group)
        client, address = browser(group.signatory), reverse("bidding:one_page", args=[bid.pk])
        typed = {**one_page(micro), "sponsor": str(bid.sponsor_id), "work": "长" * 200, "budget-0-unit_price": "很多"}
        answer = client.post(address, {**typed, "save": "1"})
    assert answer.status_code == 422
    shown = text(answer)
    assert "请删减 80 字" in shown and "不是数字" in shown and "楼道灯坏了" in shown
    assert Bid.objects.get().answers == {} and not bid.budget_lines.exists() and not bid.team.exists()


def test_a_large_call_has_no_single_page(call: Call, who: Body) -> None:
    with clock.at(world.opens(call)):
        bid = world.started(call, who)
        answer = browser(who.signatory).get(reverse("bidding:one_page", args=[bid.pk]))
    assert answer.url == reverse("bidding:tasks", args=[bid.pk])


# --- planned dates ---------------------------------------------------------------------------------------------------------------


def test_planned_dates_stand_beside_what_happened_and_go_into_a_calendar(call: Call, who: Body) -> None:
    with clock.at(world.opens(call)):
        bid = world.submitted(call, who)
        client = browser(who.signatory)
        shown = text(client.get(reverse("desk:plan", args=[bid.pk])))
        feed = client.get(reverse("desk:plan_ics", args=[bid.pk]))
    for words in ("申报截止", "评审完成", "公示结束", "签约", "第 1 期拨款", "中期评估", "末期评估", "实施期满", "（预计）"):
        assert words in shown, words
    events = {str(e["summary"]).split("：")[0]: e for e in Calendar.from_ical(feed.content).walk("VEVENT")}
    assert events["申报截止"].decoded("dtstart") == call.closes_at
    assert events["评审完成"].decoded("dtstart") == call.rules.timetable.review_by
    assert (str(events["签约"]["status"]), str(events["申报截止"]["status"])) == ("TENTATIVE", "CONFIRMED")


def test_nobody_else_sees_the_plan_of_a_bid_before_the_deadline(call: Call, who: Body, desk: Office) -> None:
    with clock.at(world.opens(call)):
        bid = world.started(call, who)
        for stranger in (desk.officer, people.body(desk).signatory):
            for name in ("plan", "plan_ics"):
                assert browser(stranger).get(reverse(f"desk:{name}", args=[bid.pk])).status_code == 404
