"""From a signed ranking to confirmed awards: every limit to the fen, nothing personal published, objections that stop the clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from grants import clock, ledger
from grants.awards import services
from grants.awards.limits import breach
from grants.awards.models import AgreedLine, Award, Decision, Objection, PublicNotice
from grants.awards.reduction import Core
from grants.ledger.models import AuditEvent
from grants.notifications.models import Message
from grants.people.privacy import FieldNotPublic
from grants.workflow import effects
from grants.workflow.door import begin, explain, perform
from grants.workflow.models import Outbox
from grants.workflow.refusals import Invalid, NotNow, NotYou
from grants.workflow.rules import PUBLIC
from tests.world import awards as world
from tests.world import people, shared
from tests.world.review import Judged

pytestmark = pytest.mark.django_db

def written() -> tuple[int, ...]:
    """What a refusal must not change."""
    rows = (AuditEvent, Outbox, Award, Decision, PublicNotice, Objection, AgreedLine)
    return tuple(model._base_manager.count() for model in rows)


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """Three ranked bids of three organisations, made once; each test's changes are rolled back."""
    with shared.rows(django_db_blocker):
        yield world.ranked(amounts=["90000.00", "80000.00", "70000.00"], shares=["0.9", "0.8", "0.6"], recommend={1: "60000.00"})


@pytest.fixture(autouse=True)
def forget_permissions(made: Judged) -> None:
    """Persons outlive a test's transaction; what they were appointed to in it does not."""
    desk = made.desk
    for user in (desk.officer, desk.approver, desk.finance, desk.auditor, *(b.signatory for b in made.bodies)):
        user.__dict__.pop("_held", None)


def test_a_proposal_decides_every_ranked_bid_with_one_reason_and_awards_what_fits(made: Judged) -> None:
    """Asked, recommended and below the line: three decisions, two awards, lines adding up to the fen, all in the ledger."""
    first, second = world.proposed(made)
    assert [(a.number, a.amount) for a in (first, second)] == [
        (f"{made.call.code}-P01", Decimal("90000.00")), (f"{made.call.code}-P02", Decimal("60000.00")),
    ]  # fmt: skip
    decisions = {d.bid_id: d for d in Decision.objects.all()}
    assert [decisions[b.pk].rule for b in made.bids] == ["awarded_reserved", "awarded_reserved", "below_line"]
    assert "低于及格线" in decisions[made.bids[2].pk].reason
    assert all(d.reason and d.panel_id for d in decisions.values())
    for award in (first, second):
        assert sum(line.agreed for line in award.lines.all()) == award.amount
    assert all(line.reason for line in second.lines.all() if line.agreed < line.asked)
    assert ledger.history(first.subject)[0].public["amount"] == "90000.00"
    event = AuditEvent.objects.get(event="call.propose_awards")
    assert ledger.history(made.call.subject)[-1].public["awards"] == 2
    assert event.subject == made.call.subject


def test_proposing_twice_or_without_a_ranking_is_refused_and_writes_nothing(made: Judged) -> None:
    world.proposed(made)
    before = written()
    with pytest.raises(NotNow) as told, clock.at(world.at(made.call)):
        services.propose(made.call, by=made.desk.officer)
    assert told.value.rule == "ranking_ready"
    assert written() == before


def test_only_the_officer_proposes(made: Judged) -> None:
    before = written()
    for who in (made.desk.approver, made.desk.finance, made.desk.auditor, made.bodies[0].signatory):
        with pytest.raises(NotYou):
            services.propose(made.call, by=who)
    assert written() == before


def test_whoever_prepared_an_award_may_not_approve_it(made: Judged) -> None:
    """Separation of duty holds even for a person who has both roles."""
    (award, _other) = world.proposed(made)
    people.services.appoint(made.desk.officer, "approver", made.desk.agency, by=people.SYSTEM)
    before = written()
    with pytest.raises(NotYou) as told:
        perform(award, "approve", by=made.desk.officer)
    assert told.value.rule == "not_prepared_by"
    assert written() == before
    assert perform(award, "approve", by=made.desk.approver).state == "approved"


def test_over_the_cap_and_over_the_ask_are_refused_at_the_door(made: Judged) -> None:
    """An award let in beside `propose` is held to the same limits: cap 200,000.00 and the bid's own ask."""
    bid = made.bids[2]
    before = written()
    for amount, word in (("200000.01", "单个项目上限"), ("70000.01", "申请金额")):
        award = Award(call=made.call, bid=bid, number="X", amount=Decimal(amount), prepared_by=made.desk.officer)
        said = breach(award)
        assert said is not None
        with pytest.raises(NotNow) as told, clock.at(world.at(made.call)):
            begin(award, by=made.desk.officer)
        assert told.value.rule == "within_limits"
        assert word in said or "申请金额" in said
    assert written() == before


def test_two_awards_for_one_organisation_are_refused(made: Judged) -> None:
    """awards_per_organisation = 1: a second bid of the same organisation finds the place taken."""
    world.proposed(made)
    bid = made.bids[2]
    bid.organisation = made.bids[0].organisation
    type(bid).objects.filter(pk=bid.pk).update(organisation=bid.organisation)
    award = Award(call=made.call, bid=bid, number="X", amount=Decimal("70000.00"), prepared_by=made.desk.officer)
    with pytest.raises(NotNow) as told, clock.at(world.at(made.call)):
        begin(award, by=made.desk.officer)
    assert told.value.rule == "within_limits"
    assert "每单位 1 个" in str(told.value)


def test_a_notice_publishes_only_named_fields_and_starts_both_clocks(made: Judged) -> None:
    """Whitelisted body, five working days with the first counted, every approved award in it, the sheet printed once."""
    world.proposed(made)
    notice = world.noticed(made)
    assert notice.number == f"{made.call.code}-GS01"
    assert notice.body["total"] == "150000.00"
    assert set(notice.body["rows"][0]) == {"number", "project", "organisation", "sponsor", "category", "amount"}
    text = str(notice.body)
    assert made.bids[0].organisation.phone not in text
    assert made.bids[0].organisation.legal_representative not in text
    assert len(notice.body["experts"]) == 5
    assert notice.ends_at > notice.published_at
    assert notice.file is not None
    assert {a.state for a in world.awards(made.call)} == {"noticed"}
    assert AuditEvent.objects.filter(event="call.publish_notice").count() == 1


def test_what_is_published_is_chinese_whatever_the_officers_page_is(made: Judged) -> None:
    world.proposed(made)
    with translation.override("en"):
        notice = world.noticed(made)
    assert notice.title == f"{made.call.title}拟立项项目公示"
    assert "现予公示" in notice.body["intro"]


@pytest.mark.parametrize(
    ("title", "kind", "masked"),
    [("关爱13800138000独居老人", "手机", "138****8000"), ("帮扶11010519491231002X项目", "身份证", "110***********002X")],
)
def test_a_notice_that_would_publish_a_personal_number_is_refused_with_the_number_masked(
    made: Judged, title: str, kind: str, masked: str
) -> None:
    """The field and the masked number are named, nothing is published; with another name shown it goes out."""
    (award, _other) = world.proposed(made)
    services.release(made.call, by=made.desk.approver)
    type(award.bid).objects.filter(pk=award.bid_id).update(title=title)
    before = written()
    with pytest.raises(Invalid) as told, clock.at(world.at(made.call, 13)):
        services.publish_notice(made.call, by=made.desk.officer)
    assert told.value.rule == "notice_leaks"
    assert list(told.value.problems) == ["rows.1.project"]
    assert kind in str(told.value)
    assert "第 1 行项目名称" in str(told.value)
    assert masked in str(told.value)
    assert "13800138000" not in str(told.value)
    assert "11010519491231002X" not in str(told.value)
    assert written() == before
    with clock.at(world.at(made.call, 13)):
        assert [leak.kind for leak in services.preview(made.call, by=made.desk.officer).leaks]
        services.publish_notice(made.call, by=made.desk.officer, titles={award.number: "关爱独居老人项目"})


def test_a_field_outside_the_whitelist_never_gets_into_a_notice() -> None:
    from grants.awards.notice_body import ROW, publishable

    with pytest.raises(FieldNotPublic):
        publishable({"number": "1", "phone": "1"}, ROW)


def test_a_notice_waits_until_every_proposal_is_approved_or_cancelled(made: Judged) -> None:
    first, second = world.proposed(made)
    perform(first, "approve", by=made.desk.approver)
    with pytest.raises(NotNow) as told:
        services.publish_notice(made.call, by=made.desk.officer)
    assert told.value.rule == "all_approved"
    perform(second, "cancel", by=made.desk.approver, note="申报单位放弃")
    assert services.publish_notice(made.call, by=made.desk.officer).body["count"] == 1


def test_confirming_before_the_notice_is_over_is_refused_to_the_second(made: Judged) -> None:
    (award, _other) = world.proposed(made)
    notice = world.noticed(made)
    award = world.awards(made.call)[0]
    with clock.at(notice.ends_at - timedelta(seconds=1)):
        refusal = explain(award, "confirm", made.desk.approver)
        assert refusal is not None
        assert refusal.rule == "notice_is_over"
        outcome = services.confirm_all(made.call, by=made.desk.approver)
        assert (len(outcome.done), len(outcome.refused)) == (0, 2)
    with clock.at(notice.objections_end):
        assert perform(award, "confirm", by=made.desk.approver).state == "confirmed"


def test_an_accepted_objection_holds_the_award_and_nothing_is_confirmed_until_it_is_decided(made: Judged) -> None:
    """Filed without an account, accepted by the officer, dismissed by the approver; the award returns to its notice by the clock."""
    (award, other) = world.proposed(made)
    notice = world.noticed(made)
    objection = world.accepted(world.objected(notice, award), made.desk)
    assert objection.due_at is not None
    assert objection.number == f"{notice.number}-Y01"
    assert Award.objects.get(pk=award.pk).state == "held"
    assert Award.objects.get(pk=other.pk).state == "noticed"
    with clock.at(world.over(notice)):
        outcome = services.confirm_all(made.call, by=made.desk.approver)
        assert [a.pk for a in outcome.done] == [other.pk]
        with pytest.raises(NotYou) as told:
            services.dismiss(objection, "不成立", by=made.desk.officer)
        assert told.value.rule == "may_decide_objections"
        services.dismiss(objection, "经核实，两个项目的服务对象和时间不同。", by=made.desk.approver)
        effects.drain()
        assert perform(Award.objects.get(pk=award.pk), "confirm", by=made.desk.approver).state == "confirmed"


def test_a_filed_objection_alone_already_stops_the_confirmation(made: Judged) -> None:
    (award, _other) = world.proposed(made)
    notice = world.noticed(made)
    world.objected(notice, award)
    with clock.at(world.over(notice)):
        refusal = explain(world.awards(made.call)[0], "confirm", made.desk.approver)
    assert refusal is not None
    assert refusal.rule == "no_open_objection"


def test_the_handler_of_an_objection_may_not_decide_it(made: Judged) -> None:
    people.services.appoint(made.desk.officer, "approver", made.desk.agency, by=people.SYSTEM)
    (award, _other) = world.proposed(made)
    objection = world.accepted(world.objected(world.noticed(made), award), made.desk)
    with pytest.raises(NotYou) as told:
        services.uphold(objection, "成立", by=made.desk.officer)
    assert told.value.rule == "not_handled_by"


def test_an_upheld_objection_cancels_the_award_in_the_same_transaction(made: Judged) -> None:
    (award, _other) = world.proposed(made)
    notice = world.noticed(made)
    objection = world.accepted(world.objected(notice, award), made.desk)
    with pytest.raises(NotNow) as told:
        services.uphold(objection, "  ", by=made.desk.approver)
    assert told.value.rule == "has_reply"
    assert Award.objects.get(pk=award.pk).state == "held"
    services.uphold(objection, "经查，项目内容重复，取消立项。", by=made.desk.approver)
    assert Award.objects.get(pk=award.pk).state == "cancelled"
    assert ledger.history(f"objection:{objection.pk}")[-1].private == {"reply": "经查，项目内容重复，取消立项。"}


def test_an_objection_to_the_whole_notice_holds_every_award(made: Judged) -> None:
    world.proposed(made)
    notice = world.noticed(made)
    world.accepted(world.objected(notice), made.desk)
    assert {a.state for a in world.awards(made.call)} == {"held"}


def test_an_anonymous_paper_is_a_lead_and_stops_nothing(made: Judged) -> None:
    """It is kept, cannot be accepted, and the award is confirmed all the same (domain §2.2)."""
    (award, _other) = world.proposed(made)
    notice = world.noticed(made)
    lead = world.objected(notice, award, kind="anonymous", name="", contact="")
    with pytest.raises(NotNow) as told:
        world.accepted(lead, made.desk)
    assert told.value.rule == "objection_is_named"
    with clock.at(world.over(notice)):
        assert perform(world.awards(made.call)[0], "confirm", by=made.desk.approver).state == "confirmed"


def test_an_objection_is_refused_when_late_unnamed_or_without_a_sealed_paper(made: Judged) -> None:
    (award, _other) = world.proposed(made)
    notice = world.noticed(made)
    before = written()
    complete = {"kind": "person", "name": "王某某", "contact": "居委会转", "facts": world.FACTS}
    with clock.at(notice.published_at):
        for missing, field in (({"name": " "}, "name"), ({"contact": ""}, "contact"), ({"facts": "不公"}, "facts")):
            with pytest.raises(Invalid) as told:
                services.file_objection(notice, award=award, **{**complete, **missing})  # type: ignore[arg-type]
            assert list(told.value.problems) == [field]
        with pytest.raises(Invalid) as told:
            services.file_objection(notice, **{**complete, "kind": "unit"})  # type: ignore[arg-type]
        assert list(told.value.problems) == ["upload"]
    with pytest.raises(NotNow) as late, clock.at(notice.objections_end):
        services.file_objection(notice, **complete)  # type: ignore[arg-type]
    assert late.value.rule == "objection_in_time"
    assert written() == before


def test_nothing_personal_of_an_objector_is_in_the_ledger(made: Judged) -> None:
    (award, _other) = world.proposed(made)
    objection = world.objected(world.noticed(made), award)
    event = AuditEvent.objects.get(event="objection.open", subject=objection.subject)
    leaf = bytes(event.leaf).decode()
    assert '"actor":"public"' in leaf
    assert "王某某" not in leaf
    assert objection.filed_by is None


def test_a_signed_in_objector_hears_that_it_was_accepted_and_may_withdraw(made: Judged) -> None:
    (award, _other) = world.proposed(made)
    notice = world.noticed(made)
    who = people.person("异议人")
    objection = world.accepted(world.objected(notice, award, by=who), made.desk)
    effects.drain()
    assert Message.objects.filter(to=who, template="awards/objection_accepted").count() == 1
    with pytest.raises(NotYou):
        perform(objection, "withdraw", by=PUBLIC)
    perform(objection, "withdraw", by=who)
    effects.drain()
    assert Award.objects.get(pk=award.pk).state == "noticed"


def lines_of(award: Award) -> list[AgreedLine]:
    return list(award.lines.all())


def test_a_reduction_makes_the_amount_the_sum_of_its_lines_and_asks_for_consent_anew(made: Judged) -> None:
    (award, _other) = world.proposed(made)
    line = lines_of(award)[0]
    award = services.reduce(award, {line.pk: ("85000.50", "探访频次按每周一次核定")}, reason="专家意见", by=made.desk.officer)
    assert award.amount == Decimal("85000.50") == sum(x.agreed for x in lines_of(award))
    assert award.grantee_agreed_at is None
    said = ledger.history(award.subject)[-1]
    assert (said.verb, said.public["from"], said.public["to"]) == ("reduce", "90000.00", "85000.50")


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"amount": "90000.01", "reason": "多给"}, "reduction_raised"),
        ({"amount": "80000.00", "reason": ""}, "reduction_no_reason"),
        ({"amount": "0.00", "reason": "全部核减"}, "reduction_nothing"),
        ({"amount": "0.001", "reason": "半厘"}, "reduction_agreed"),
    ],
)
def test_a_line_may_only_fall_with_a_reason_and_never_to_nothing(made: Judged, given: dict[str, str], rule: str) -> None:
    (award, _other) = world.proposed(made)
    before, amount = written(), award.amount
    line = lines_of(award)[0]
    with pytest.raises(Invalid) as told:
        services.reduce(award, {line.pk: (given["amount"], given["reason"])}, reason="", by=made.desk.officer)
    assert told.value.rule == rule
    assert written() == before
    assert Award.objects.get(pk=award.pk).amount == amount
    assert lines_of(award)[0].agreed == line.agreed


def test_a_reduction_that_changes_people_goals_or_core_services_is_refused(made: Judged) -> None:
    """三不变: the core as frozen in the bid passes, any other is refused by name."""
    from grants.awards import frozen_bid

    (award, _other) = world.proposed(made)
    line = lines_of(award)[0]
    version = award.bid.latest
    assert version is not None
    core = frozen_bid.core(version.content)
    cut = {line.pk: ("80000.00", "核减物料")}
    for other, rule in (
        (Core(("儿童",), core.goals, core.services), "reduction_people"),
        (Core(core.people, ("另一个目标",), core.services), "reduction_goals"),
        (Core(core.people, core.goals, core.services[:-1]), "reduction_services"),
    ):
        with pytest.raises(Invalid) as told:
            services.reduce(award, cut, reason="", by=made.desk.officer, core=other)
        assert told.value.rule == rule
    assert services.reduce(award, cut, reason="", by=made.desk.officer, core=core).amount == Decimal("80000.00")


def test_targets_fall_at_most_in_proportion_to_the_money(made: Judged) -> None:
    from grants.awards import frozen_bid

    (award, _other) = world.proposed(made)
    version = award.bid.latest
    assert version is not None
    key, (_name, before, _unit) = next(iter(frozen_bid.targets(version.content).items()))
    half = {lines_of(award)[0].pk: ("45000.00", "减半")}
    with pytest.raises(Invalid) as told:
        services.reduce(award, half, reason="", by=made.desk.officer, targets={key: before // 2 - 1})
    assert told.value.rule == "reduction_kpi_floor"
    with pytest.raises(Invalid) as told:
        services.reduce(award, half, reason="", by=made.desk.officer, targets={key: before + 1})
    assert told.value.rule == "reduction_kpi_raised"
    award = services.reduce(award, half, reason="", by=made.desk.officer, targets={key: -(-before // 2)})
    assert award.agreed_targets == {key: -(-before // 2)}


def test_a_call_is_decided_only_when_every_award_is(made: Judged) -> None:
    """The condition handed up to the call: decisions for every bid, nothing waiting; then every bidder is told why."""
    refusal = explain(made.call, "decide", made.desk.approver)
    assert refusal is not None
    assert refusal.rule == "every_award_decided"
    world.proposed(made)
    assert explain(made.call, "decide", made.desk.approver) is not None
    notice = world.noticed(made)
    with clock.at(world.over(notice)):
        services.confirm_all(made.call, by=made.desk.approver)
        assert perform(made.call, "decide", by=made.desk.approver).state == "decided"
        effects.drain()
    told = Message.objects.filter(template="awards/result")
    assert told.count() == 2, "who was not chosen learned it, with the reason, when the decisions were released"
    released = Message.objects.filter(template="awards/decision")
    assert released.count() == 3
    assert any("低于及格线" in m.body for m in released)


def test_a_cancelled_award_gives_its_money_back_to_the_pool(made: Judged) -> None:
    from grants.awards.progress import pool_line

    (award, other) = world.proposed(made)
    perform(award, "cancel", by=made.desk.approver, note="放弃")
    line = pool_line(made.call)
    assert (line["used"], line["awards"]) == (other.amount, 1)
