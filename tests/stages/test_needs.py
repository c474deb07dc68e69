"""需求: anybody may say what is missing; nothing is public before the office has looked, and no number of a person ever is."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from grants import clock, ledger
from grants.calls.models import Call, Need, NeedBacking
from grants.calls.needs import backing, services
from grants.calls.needs.fields import ServiceField, of_category, of_words
from grants.calls.needs.pages import waiting
from grants.calls.needs.places import street_of
from grants.calls.rulebook import presets
from grants.ledger.models import AuditEvent, AuditPayload
from grants.people.models import User
from grants.workflow.door import perform
from grants.workflow.refusals import Invalid, NotNow, NotYou
from tests.world import calls, needs, people
from tests.world.people import Office

pytestmark = pytest.mark.django_db
LIST, NEW = reverse("needs:list"), reverse("needs:new")


@pytest.fixture
def desk() -> Office:
    return people.office("澄江市云溪区望湖街道办事处")


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


def typed(desk: Office, **more: Any) -> dict[str, Any]:
    return {**needs.WORDING, "agency": desk.agency.pk, "kind": "resident", "name": "张女士", "contact": "13800138000", **more}


# --- proposing -------------------------------------------------------------------------------------------------------------


def test_a_resident_proposes_without_an_account_and_finds_the_need_again_by_the_receipt(desk: Office) -> None:
    client = Client()
    answer = client.post(NEW, typed(desk))
    assert answer.headers["Location"] == reverse("needs:sent")
    need = Need.objects.get()
    assert (need.state, need.proposed_by, need.contact) == ("proposed", None, "13800138000")
    sent = text(client.get(reverse("needs:sent")))
    assert need.number in sent
    assert need.receipt in sent
    page = text(Client().get(reverse("needs:receipt", args=[need.receipt])))
    assert "待核实" in page
    assert "138****8000" in page
    assert "13800138000" not in page


def test_nothing_is_public_before_the_office_has_published_it(desk: Office) -> None:
    for need in (needs.proposed(desk), needs.checked(desk)):
        assert need.title not in text(Client().get(LIST))
        assert Client().get(reverse("needs:show", args=[need.number])).status_code == 404
        assert Client().get(reverse("desk:object", args=["need", need.pk])).status_code == 404
    shown = needs.published(desk)
    assert shown.title in text(Client().get(LIST))
    assert Client().get(reverse("needs:show", args=[shown.number])).status_code == 200


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("detail", "请联系13800138000，家里有病人需要护理", "手机号码"), ("title", "救救11010519491231002X", "身份证"), ("who", "卡号6222021234567890128", "银行卡"),
        ("people", "0", ""), ("people", "很多", ""), ("field", "astronomy", ""), ("street", "", ""), ("title", "长" * 61, ""),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_and_nothing_typed_is_lost(desk: Office, field: str, value: str, why: str) -> None:
    answer = Client().post(NEW, typed(desk, **{field: value}))
    assert answer.status_code == 422
    page = text(answer)
    assert f'href="#id_{field}"' in page
    assert why in page
    assert "张女士" in page
    if field != "detail":
        assert "家属请不到护士" in page
    assert not Need.objects.exists()


def test_the_service_refuses_numbers_too_not_only_the_form(desk: Office) -> None:
    with pytest.raises(Invalid) as refused:
        needs.proposed(desk, detail="电话 138 0013 8000")
    assert set(refused.value.problems) == {"detail"}
    with pytest.raises(Invalid) as refused:
        services.propose(desk.agency, kind="robot", **{**needs.WORDING, "people": 0})
    assert set(refused.value.problems) == {"kind", "people"}


def test_a_program_that_fills_the_trap_is_thanked_and_nothing_is_kept(desk: Office) -> None:
    answer = Client().post(NEW, typed(desk, website="http://spam.example"))
    assert answer.headers["Location"] == LIST
    assert not Need.objects.exists()


def test_one_address_may_propose_twenty_times_an_hour(desk: Office) -> None:
    client = Client()
    with clock.at(calls.OPENS):
        answers = [client.post(NEW, typed(desk)).status_code for _n in range(21)]
    assert answers == [302] * 20 + [429]
    assert Need.objects.count() == 20


def test_an_organisation_proposes_in_its_own_name_only(desk: Office) -> None:
    mine, other = people.body(desk), people.body(desk)
    client = as_(mine.signatory)
    assert other.organisation.name not in text(client.get(NEW))
    assert client.post(NEW, typed(desk, kind="organisation", organisation=other.organisation.pk)).status_code == 422
    assert client.post(NEW, typed(desk, kind="organisation", organisation=mine.organisation.pk)).status_code == 302
    need = Need.objects.get()
    assert (need.organisation, need.proposed_by) == (mine.organisation, mine.signatory)


def test_neither_name_nor_contact_ever_enters_the_ledger(desk: Office) -> None:
    need = needs.published(desk)
    leaves = b"".join(bytes(e.leaf) for e in AuditEvent.objects.filter(subject=need.subject))
    bodies = b"".join(bytes(p.body) for p in AuditPayload.objects.filter(event__subject=need.subject))
    for secret in ("13800138000", "张女士", need.receipt):
        assert secret.encode() not in leaves + bodies


def test_numbers_run_through_the_year_without_a_gap(desk: Office) -> None:
    made = [needs.proposed(desk).number for _n in range(3)]
    assert [number[-4:] for number in made] == ["0001", "0002", "0003"]


# --- screening -------------------------------------------------------------------------------------------------------------


def test_only_the_addressed_office_screens(desk: Office) -> None:
    need = needs.proposed(desk)
    for stranger in (people.office().officer, desk.approver, desk.finance, desk.auditor):
        with pytest.raises(NotYou):
            perform(need, "check_", by=stranger)
    assert needs.fresh(need).state == "proposed"


def test_checking_rewords_and_refuses_a_personal_number_in_the_new_words(desk: Office) -> None:
    need = needs.proposed(desk)
    with pytest.raises(Invalid):
        perform(need, "check_", by=desk.officer, detail="请打13900139000")
    done = perform(need, "check_", by=desk.officer, title="居家换药和护理", people=90)
    assert (done.title, done.people, done.checked_by) == ("居家换药和护理", 90, desk.officer)
    assert ledger.history(need.subject)[-1].public == {"fields": ["people", "title"]}


def test_the_gate_is_asked_again_at_publication(desk: Office) -> None:
    need = needs.checked(desk)
    Need.objects.filter(pk=need.pk).update(detail="请打13900139000")
    with pytest.raises(NotNow) as refused:
        perform(needs.fresh(need), "publish", by=desk.officer)
    assert refused.value.rule == "has_no_personal_numbers"


def test_declining_needs_an_answer_that_only_the_receipt_shows(desk: Office) -> None:
    need = needs.proposed(desk)
    with pytest.raises(NotNow):
        perform(need, "decline", by=desk.officer, answer="  ")
    perform(need, "decline", by=desk.officer, answer="属于物业维修，请拨打街道便民热线。", note="非公益创投范围")
    assert "属于物业维修" in text(Client().get(reverse("needs:receipt", args=[need.receipt])))
    assert Client().get(reverse("needs:show", args=[need.number])).status_code == 404


def test_merging_moves_backings_once_per_person_and_leads_visitors_on(desk: Office) -> None:
    kept, double = needs.published(desk), needs.published(desk, title="老人换药")
    for session in ("a", "b"):
        assert backing.back(kept, session)
    for session in ("b", "c"):
        assert backing.back(double, session)
    perform(needs.fresh(double), "merge", by=desk.officer, into=needs.fresh(kept))
    assert (needs.fresh(kept).backed, needs.fresh(double).backed) == (3, 0)
    assert Client().get(reverse("needs:show", args=[double.number])).headers["Location"] == reverse("needs:show", args=[kept.number])


def test_a_need_is_not_merged_into_itself_another_office_or_a_closed_one(desk: Office) -> None:
    need, closed = needs.published(desk), needs.checked(desk)
    perform(closed, "decline", by=desk.officer, answer="不属于公益创投范围。")
    for wrong in (need, needs.published(people.office()), needs.fresh(closed), None):
        with pytest.raises(NotNow) as refused:
            perform(need, "merge", by=desk.officer, into=wrong)
        assert refused.value.rule == "merges_into_another"


def test_contact_data_is_masked_read_on_record_and_erased_by_its_owner(desk: Office) -> None:
    need = needs.proposed(desk)
    officer = as_(desk.officer)
    page = text(officer.get(reverse("desk:object", args=["need", need.pk])))
    assert "138****8000" in page
    assert "13800138000" not in page
    contact = reverse("needs:contact", args=[need.number])
    assert "13800138000" not in text(officer.get(contact))
    shown = officer.post(contact, {"reason": "电话核实服务人数"})
    assert "13800138000" in text(shown)
    assert shown["Cache-Control"] == "no-store"
    looked = ledger.history(need.subject)[-1]
    assert (looked.event, looked.public["what"], looked.private) == ("need.revealed", ["contact"], {"reason": "电话核实服务人数"})
    assert "查看联系方式" in text(officer.get(reverse("desk:object", args=["need", need.pk])))
    for method in ("get", "post"):
        assert getattr(as_(desk.approver), method)(contact).status_code == 403
        assert getattr(as_(people.office().officer), method)(contact).status_code == 404
    assert Client().post(reverse("needs:receipt", args=[need.receipt])).status_code == 302
    erased = needs.fresh(need)
    assert (erased.contact, erased.proposer_name) == ("", "")
    assert ledger.history(need.subject)[-1].verb == "erase_contact"


@pytest.mark.parametrize("reason", ["", "   ", "看看"])
def test_a_contact_is_shown_to_nobody_who_does_not_say_what_for_and_nothing_is_recorded(desk: Office, reason: str) -> None:
    need = needs.proposed(desk)
    before = len(ledger.history(need.subject))
    with pytest.raises(Invalid) as refused:
        services.read_contact(need, by=desk.officer, reason=reason)
    assert refused.value.rule == "reason_given"
    answer = as_(desk.officer).post(reverse("needs:contact", args=[need.number]), {"reason": reason})
    assert answer.status_code == 422
    assert "13800138000" not in text(answer)
    assert "张女士" not in text(answer)
    assert len(ledger.history(need.subject)) == before


def test_a_reason_alone_shows_a_contact_to_nobody_but_the_screening_office(desk: Office) -> None:
    need = needs.proposed(desk)
    for stranger in (desk.approver, desk.auditor, people.office().officer, people.person()):
        with pytest.raises(NotYou):
            services.read_contact(need, by=stranger, reason="电话核实服务人数")
    assert ledger.history(need.subject)[-1].event != "need.revealed"


def test_nobody_erases_with_a_wrong_receipt(desk: Office) -> None:
    need = needs.proposed(desk)
    with pytest.raises(NotYou):
        services.erase_contact(need, by=people.person(), receipt="guess")
    assert Client().post(reverse("needs:receipt", args=["guess"])).status_code == 404


# --- backing ---------------------------------------------------------------------------------------------------------------


def test_one_browser_backs_a_need_once(desk: Office) -> None:
    need = needs.published(desk)
    page = reverse("needs:back", args=[need.number])
    first, second = Client(), Client()
    assert "已记下" in text(first.post(page, follow=True))
    assert "不重复计数" in text(first.post(page, follow=True))
    second.post(page)
    assert needs.fresh(need).backed == 2
    assert all(len(row.key) == 64 for row in NeedBacking.objects.all())


def test_a_need_that_is_met_or_not_public_takes_no_backing(desk: Office) -> None:
    met = needs.published(desk)
    perform(met, "meet", by=desk.officer, answer="三月起由安心护理每周上门。")
    assert Client().post(reverse("needs:back", args=[met.number])).status_code == 409
    assert Client().post(reverse("needs:back", args=[needs.checked(desk).number])).status_code == 404
    with pytest.raises(NotNow):
        backing.back(needs.fresh(met), "s")
    assert "三月起由安心护理" in text(Client().get(reverse("needs:show", args=[met.number])))


# --- into a call -----------------------------------------------------------------------------------------------------------


def test_published_needs_go_into_a_draft_calls_list_and_bids_can_answer_them(desk: Office) -> None:
    """The officer ticks needs on the desk; the draft's 需求指引表 has them, with codes that are free, and the rules stay sound."""
    one, two = needs.published(desk), needs.published(desk, title="夜间法律咨询", field="legal")
    call = calls.draft(desk, calls.rules("YX-2026-02"))
    taken = {item.code for item in call.rules.needs.items}
    officer = as_(desk.officer)
    assert one.title in text(officer.get(reverse("needs:desk")))
    answer = officer.post(reverse("needs:desk"), {"need": [one.pk, two.pk], "act": "list", "call": call.pk}, follow=True)
    assert "已把 2 条需求列入" in text(answer)
    held = Call.objects.select_related("rules_version").get(pk=call.pk)
    listed = {item.code: item for item in held.rules.needs.items}
    found = needs.fresh(one)
    assert found.call_id == call.pk
    assert found.code not in taken
    assert listed[found.code].title == one.title
    assert one.number in listed[found.code].text
    assert not held.rules_version.problems()


def test_a_published_calls_list_is_frozen_and_nothing_is_half_written(desk: Office) -> None:
    need, call = needs.published(desk), calls.published(desk, calls.rules("YX-2026-02"))
    before = call.rules_version.hash
    with pytest.raises(NotNow):
        services.attach([need], call, by=desk.officer)
    assert needs.fresh(need).code == ""
    assert Call.objects.get(pk=call.pk).rules_version.hash == before


def test_needs_of_another_office_cannot_be_listed_or_published_from_this_desk(desk: Office) -> None:
    other = needs.checked(people.office())
    answer = as_(desk.officer).post(reverse("needs:desk"), {"need": [other.pk, "no-id"], "act": "publish"}, follow=True)
    assert "没有勾选需求" in text(answer)
    assert needs.fresh(other).state == "checked"


def test_the_desk_is_for_officers(desk: Office) -> None:
    assert Client().get(reverse("needs:desk")).status_code == 302
    assert as_(people.body(desk).signatory).get(reverse("needs:desk")).status_code == 403


def test_publishing_many_is_all_or_nothing(desk: Office) -> None:
    good, early = needs.checked(desk), needs.proposed(desk)
    as_(desk.officer).post(reverse("needs:desk"), {"need": [good.pk, early.pk], "act": "publish"})
    assert needs.fresh(good).state == "checked"


def test_what_waits_is_one_line_per_office_and_work(desk: Office) -> None:
    needs.proposed(desk)
    needs.proposed(desk)
    needs.checked(desk)
    assert [(str(w.label), w.title[-3:]) for w in waiting(desk.officer)] == [("核实居民需求", "2 条"), ("公开已核实的需求", "1 条")]
    assert waiting(desk.approver) == []


# --- lists -----------------------------------------------------------------------------------------------------------------


def test_the_list_is_filtered_by_field_street_state_and_words(desk: Office) -> None:
    needs.published(desk)
    needs.published(desk, title="夜间法律咨询", field="legal", street="青禾街道")
    for query, shown, hidden in (
        ("field=legal", "夜间法律咨询", "失能老人上门护理"), ("street=望湖街道", "失能老人上门护理", "夜间法律咨询"),
        ("q=法律", "夜间法律咨询", "失能老人上门护理"), ("state=met", "没有符合条件的需求", "夜间法律咨询"),
    ):  # fmt: skip
        page = text(Client().get(f"{LIST}?{query}"))
        assert shown in page
        assert hidden not in page


def test_the_list_costs_the_same_for_one_need_and_for_thirty(desk: Office) -> None:
    needs.published(desk)
    few = _queries()
    for _n in range(29):
        needs.published(desk)
    assert _queries() == few == 5


def _queries() -> int:
    with CaptureQueriesContext(connection) as caught:
        assert Client().get(LIST).status_code == 200
    return len(caught)


# --- fields and places -----------------------------------------------------------------------------------------------------


def test_every_category_of_the_sample_calls_has_a_field_of_service() -> None:
    found = {of_category(c.code, c.name) for name in presets.NAMES for c in presets.load(name).categories}
    assert ServiceField.OTHER not in found
    assert {ServiceField.MEDICAL, ServiceField.LEGAL, ServiceField.HOSPICE} <= found


@pytest.mark.parametrize(
    ("words", "field"),
    [("医疗护理", "medical"), ("法律服务", "legal"), ("老年法律援助", "legal"), ("文艺", "arts"), ("体育", "arts"), ("为老服务", "elderly"), ("量子物理", "other"), ("", "other")],
)  # fmt: skip
def test_an_organisations_own_words_lead_to_a_field(words: str, field: str) -> None:
    assert of_words(words) == field


@pytest.mark.parametrize(
    ("words", "street"),
    [("澄江市云溪区望湖街道办事处", "望湖街道"), ("青禾街道幸福里社区", "青禾街道"), ("云溪区东港镇", "东港镇"), ("望湖里社区", ""), ("", "")],
)  # fmt: skip
def test_a_street_is_found_in_names_and_addresses(words: str, street: str) -> None:
    assert street_of(words) == street
