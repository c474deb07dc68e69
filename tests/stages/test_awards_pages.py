"""Pages of awards through the client: who sees what, what was typed comes back, lists cost the same for one row and for many."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from grants import clock, ledger
from grants.awards import services
from grants.awards.models import Award, Contract, Decision, Objection, PublicNotice
from grants.awards.pages import waiting
from grants.documents.files import read_file
from grants.ledger.models import AuditEvent
from grants.people.models import User
from tests.world import awards as world
from tests.world import people, shared
from tests.world.review import Judged

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """Three ranked bids of three organisations, made once; each test's changes are rolled back."""
    with shared.rows(django_db_blocker):
        yield world.ranked(amounts=["90000.00", "80000.00", "70000.00"], shares=["0.9", "0.85", "0.8"])


@pytest.fixture
def noticed(made: Judged) -> PublicNotice:
    world.proposed(made)
    return world.noticed(made)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def labels(user: User) -> set[str]:
    return {str(row.label) for row in waiting(user)}


def test_from_ranking_to_notice_by_clicks(made: Judged) -> None:
    """Officer proposes, approver approves, officer previews and publishes: each redirects and the next button appears."""
    officer, approver = signed_in(made.desk.officer), signed_in(made.desk.approver)
    page = reverse("awards:call", args=[made.call.pk])
    with clock.at(world.at(made.call)):
        assert "按排名拟定立项" in officer.get(page).content.decode()
        assert officer.post(reverse("awards:propose", args=[made.call.pk])).status_code == 302
        shown = officer.get(page).content.decode()
        assert "予以立项" in shown
        assert "¥2,700,000.00" in shown
        assert labels(made.desk.approver) == {"批准拟立项名单"}
        assert approver.post(reverse("awards:release", args=[made.call.pk])).status_code == 302
        preview = officer.get(reverse("awards:preview", args=[made.call.pk])).content.decode()
        assert "检查通过" in preview
        answer = officer.post(reverse("awards:preview", args=[made.call.pk]), {"intro": "", "publish": "1"})
    notice = PublicNotice.objects.get()
    assert answer.headers["Location"] == reverse("awards:notice", args=[notice.pk])


def test_the_preview_names_the_leak_and_offers_another_name(made: Judged) -> None:
    award = world.proposed(made)[0]
    services.release(made.call, by=made.desk.approver)
    type(award.bid).objects.filter(pk=award.bid_id).update(title="热线13800138000助老")
    officer, page = signed_in(made.desk.officer), reverse("awards:preview", args=[made.call.pk])
    shown = officer.get(page).content.decode()
    assert "138****8000" in shown
    field = f"title_{award.number}"
    assert field in shown
    refused = officer.post(page, {field: "热线13800138000助老", "intro": "说明", "publish": "1"})
    assert refused.status_code == 422
    assert "说明" in refused.content.decode()
    assert not PublicNotice.objects.exists()
    assert officer.post(page, {field: "助老热线", "intro": "", "publish": "1"}).status_code == 302
    assert PublicNotice.objects.get().body["rows"][0]["project"] == "助老热线"


def test_a_visitor_reads_the_notice_downloads_the_sheet_and_objects_without_an_account(noticed: PublicNotice, made: Judged) -> None:
    client = Client()
    page = reverse("awards:notice", args=[noticed.pk])
    with clock.at(noticed.published_at + timedelta(hours=1)):
        shown = client.get(page).content.decode()
        assert "提出异议" in shown
        assert "¥240,000.00" in shown
        assert made.bodies[0].organisation.phone not in shown
        sheet = client.get(reverse("awards:sheet", args=[noticed.pk]))
        assert noticed.file is not None
        assert b"".join(sheet.streaming_content) == read_file(noticed.file.sha256)  # type: ignore[attr-defined]
        where = reverse("awards:object", args=[noticed.pk])
        empty = client.post(where, {"kind": "person", "name": "", "contact": "", "facts": "评审组成员与申报单位有利害关系。"})
        assert empty.status_code == 422
        assert "评审组成员与申报单位有利害关系" in empty.content.decode()
        assert not Objection.objects.exists()
        given = {"kind": "person", "name": "王某", "contact": "居委会转", "facts": "评审组成员与申报单位有利害关系。"}
        answer = client.post(where, given)
        assert answer.status_code == 302
        thanks = client.get(answer.headers["Location"]).content.decode()
    objection = Objection.objects.get()
    assert objection.number in thanks
    with clock.at(noticed.objections_end):
        assert "异议期已经结束" in client.get(where).content.decode()


def test_the_desk_lists_its_calls_and_nobody_elses(noticed: PublicNotice, made: Judged, django_assert_num_queries: Any) -> None:
    officer, where = signed_in(made.desk.officer), reverse("awards:index")
    with django_assert_num_queries(4):
        shown = officer.get(where).content.decode()
    assert made.call.code in shown
    assert made.call.code not in signed_in(people.office().officer).get(where).content.decode()


def test_what_is_not_public_is_not_found_by_others(noticed: PublicNotice, made: Judged) -> None:
    """Desk pages answer 404 to applicants and visitors are sent to sign in; an objector's paper is seen by the desk alone."""
    award = world.awards(made.call)[0]
    objection = world.objected(noticed, award)
    applicant = signed_in(made.bodies[1].signatory)
    for name, key in (("awards:call", made.call.pk), ("awards:objections", made.call.pk), ("awards:reduce", award.pk)):
        assert applicant.get(reverse(name, args=[key])).status_code == 404, name
        assert Client().get(reverse(name, args=[key])).status_code == 302
    where = reverse("desk:object", args=["objection", objection.pk])
    assert applicant.get(where).status_code == 404
    assert Client().get(where).status_code == 404
    shown = signed_in(made.desk.auditor).get(where).content.decode()
    assert "王**" in shown


def test_an_objector_is_masked_until_a_handler_says_what_for(noticed: PublicNotice, made: Judged) -> None:
    """Whoever handles or decides, with a reason, on record; others of the agency stay with the mask, others know of nothing; the objector sees their own."""
    who = people.person("异议人")
    objection = world.objected(noticed, world.awards(made.call)[0], by=who)
    name, reach = objection.objector_name, objection.objector_contact
    page, ask = reverse("desk:object", args=["objection", objection.pk]), reverse("awards:objector", args=[objection.pk])
    assert name in signed_in(who).get(page).content.decode() and reach in signed_in(who).get(page).content.decode()
    for user, status in ((made.desk.officer, 200), (made.desk.approver, 200), (made.desk.auditor, 403), (who, 403), (made.bodies[1].signatory, 404)):
        client = signed_in(user)
        assert client.get(ask).status_code == status, user
        masked = client.get(page).content.decode() if user != who else ""
        assert name not in masked and reach not in masked + client.get(ask).content.decode()
        assert (ask in masked) is (status == 200)
    before = AuditEvent.objects.count()
    officer = signed_in(made.desk.officer)
    for reason in ("", "   ", "看看"):
        refused = officer.post(ask, {"reason": reason})
        assert refused.status_code == 422 and name not in refused.content.decode()
    assert signed_in(made.desk.auditor).post(ask, {"reason": "想知道是谁"}).status_code == 403
    assert AuditEvent.objects.count() == before
    shown = officer.post(ask, {"reason": "电话告知受理"})
    assert name in shown.content.decode() and reach in shown.content.decode() and "no-store" in shown["Cache-Control"]
    looked = ledger.history(objection.subject)[-1]
    assert (looked.event, looked.public["what"], looked.private) == ("objection.revealed", ["contact"], {"reason": "电话告知受理"})
    assert name not in bytes(AuditEvent.objects.order_by("-pk").values_list("leaf", flat=True)[0]).decode()
    assert "查看异议人的联系方式" in officer.get(page).content.decode()


def test_an_objecting_unit_is_named_and_its_contact_masked(noticed: PublicNotice, made: Judged) -> None:
    """A body's name is no personal datum; how it is reached may be a person's telephone."""
    objection = world.objected(noticed, world.awards(made.call)[0])
    Objection.objects.filter(pk=objection.pk).update(objector_kind="unit", objector_name="某社区服务中心", objector_contact="13912345678")
    shown = signed_in(made.desk.officer).get(reverse("desk:object", args=["objection", objection.pk])).content.decode()
    assert "某社区服务中心" in shown and "139****5678" in shown and "13912345678" not in shown


def test_the_objects_of_the_stage_have_pages_with_their_steps(noticed: PublicNotice, made: Judged) -> None:
    """Award, objection and contract pages render for everybody concerned, and the step pages ask for what the steps need."""
    award = world.awards(made.call)[0]
    objection = world.objected(noticed, award)
    officer = signed_in(made.desk.officer)
    with clock.at(noticed.published_at + timedelta(days=1)):
        shown = officer.get(reverse("desk:object", args=["objection", objection.pk])).content.decode()
        assert "受理" in shown
        answer = officer.post(reverse("desk:step", args=["objection", objection.pk, "accept"]), {"seen_state": "filed", "note": ""})
        assert answer.status_code == 302
        assert Award.objects.get(pk=award.pk).state == "held"
        approver = signed_in(made.desk.approver)
        where = reverse("desk:step", args=["objection", objection.pk, "dismiss"])
        assert "书面答复" in approver.get(where).content.decode()
        assert approver.post(where, {"seen_state": "accepted", "reply": "", "note": ""}).status_code == 422
        assert approver.post(where, {"seen_state": "accepted", "reply": "经核实不成立。", "note": ""}).status_code == 302
    own = signed_in(world.signatory_of(made, award))
    assert own.get(reverse("desk:object", args=["award", award.pk])).status_code == 200


def test_contract_by_clicks_from_draft_to_signature(noticed: PublicNotice, made: Judged) -> None:
    """Draft, re-check with evidence, issue, upload the scan with number and digest; the wrong digest keeps what was typed."""
    with clock.at(world.over(noticed)):
        services.confirm_all(made.call, by=made.desk.approver)
    award = world.awards(made.call)[0]
    officer, grantee = signed_in(made.desk.officer), signed_in(world.signatory_of(made, award))
    with clock.at(world.contract_day(award) + timedelta(days=40)):
        assert "起草协议" in labels(made.desk.officer)
        assert officer.get(reverse("awards:draft", args=[award.pk])).status_code == 200
        assert officer.post(reverse("awards:draft_now", args=[award.pk])).status_code == 302
        world.effects.drain()
        contract = Contract.objects.get()
        where = reverse("awards:recheck", args=[award.pk])
        assert "待核实" in officer.get(where).content.decode()
        bare = officer.post(where, {"rule": "credit_abnormal", "outcome": "pass", "evidence_note": ""})
        assert bare.status_code == 422
        for rule in ("credit_abnormal", "credit_serious", "credit_violation"):
            assert officer.post(where, {"rule": rule, "outcome": "pass", "evidence_note": "平台查询无记录"}).status_code == 302
        issue = reverse("desk:step", args=["contract", contract.pk, "issue"])
        assert officer.post(issue, {"seen_state": "draft", "note": ""}).status_code == 302
        assert "签署协议" in labels(world.signatory_of(made, award))
        shown = grantee.get(reverse("desk:object", args=["contract", contract.pk])).content.decode()
        assert "怎样签署" in shown
        sign = reverse("desk:step", args=["contract", contract.pk, "sign_grantee"])
        given = {"seen_state": "issued", "number": contract.number, "note": "", "text_hash": "00000000", "scan": _png()}
        refused = grantee.post(sign, given)
        assert refused.status_code == 409
        assert contract.number in refused.content.decode()
        assert grantee.post(sign, {**given, "text_hash": world.head(contract), "scan": _png()}).status_code == 302
        assert labels(made.desk.approver) >= {"甲方签署协议"}
    assert world.fresh(contract).state == "grantee_signed"


def _png() -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile("scan.png", world.picture("page"), content_type="image/png")


def test_the_reduction_table_keeps_what_was_typed_when_refused(made: Judged) -> None:
    award = world.proposed(made)[0]
    officer, where = signed_in(made.desk.officer), reverse("awards:reduce", args=[award.pk])
    shown = officer.get(where)
    assert "核减表" in shown.content.decode()
    form = shown.context["form"]
    typed = {name: bound.value() for name, bound in ((n, form[n]) for n in form.fields)}
    line = form.lines[0]
    typed = {k: "" if v is None else str(v) for k, v in typed.items()} | {f"agreed_{line.pk}": "80000", f"reason_{line.pk}": ""}
    refused = officer.post(where, typed)
    assert refused.status_code == 422
    assert "80000" in refused.content.decode()
    assert "没有写明理由" in refused.content.decode()
    assert officer.post(where, typed | {f"reason_{line.pk}": "按市场价核定"}).status_code == 302
    assert str(Award.objects.get(pk=award.pk).amount) == "80000.00"


@pytest.mark.parametrize("name", ["awards:call", "awards:objections"])
def test_lists_cost_the_same_for_one_row_and_for_three(made: Judged, name: str, django_assert_num_queries: Any) -> None:
    """Literal counts: the session, the person, the call, and what the page shows — never one query per row."""
    world.proposed(made)
    notice = world.noticed(made)
    awards = world.awards(made.call)
    client, where = signed_in(made.desk.officer), reverse(name, args=[made.call.pk])
    world.objected(notice, awards[0])
    client.get(where)
    costs = {"awards:call": 17, "awards:objections": 5}
    world.objected(notice, awards[1])
    world.objected(notice, awards[2])
    with django_assert_num_queries(costs[name]):
        assert awards[2].number in client.get(where).content.decode()
    Objection.objects.exclude(award=awards[0]).delete()
    Decision.objects.exclude(bid=awards[0].bid).delete()
    with django_assert_num_queries(costs[name]):
        assert awards[0].number in client.get(where).content.decode()


def test_public_lists_cost_the_same_however_long(made: Judged, noticed: PublicNotice, django_assert_num_queries: Any) -> None:
    """Notices: count and rows. Results: call, count, rows, notices, and five for whether the review in figures may be seen."""
    with clock.at(world.over(noticed)):
        services.confirm_all(made.call, by=made.desk.approver)
        with django_assert_num_queries(2):
            Client().get(reverse("awards:notices"))
        with django_assert_num_queries(9):
            shown = Client().get(reverse("awards:results", args=[made.call.code])).content.decode()
    assert "P03" in shown


def test_waiting_is_cheap_and_empty_for_strangers(made: Judged, noticed: PublicNotice, django_assert_max_num_queries: Any) -> None:
    stranger = people.person("路人")
    with django_assert_max_num_queries(10):
        assert waiting(stranger) == []
