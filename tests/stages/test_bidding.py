"""Bids from draft to admission: who may write, when it is late, what is counted, and that a refusal writes nothing."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bidding import frozen, services
from bidding.completeness import problems
from bidding.models import Bid, BidVersion
from grants import clock, ledger
from grants.calls.models import Call
from grants.ledger.models import AuditEvent
from grants.workflow.door import SYSTEM, perform
from grants.workflow.effects import drain
from grants.workflow.models import Outbox
from grants.workflow.refusals import Invalid, NotNow, NotYou
from tests.world import bidding as world
from tests.world import calls, people
from tests.world.people import Body, Office

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Office:
    return people.office()


@pytest.fixture
def call(desk: Office) -> Call:
    """云溪区公益创投: cap 200,000, 60 % of the project, two bids per organisation."""
    return calls.opened(desk, calls.rules("YX-2026-01"))


@pytest.fixture
def who(desk: Office) -> Body:
    made = people.body(desk)
    people.checked(made, desk, 2024, 2025)
    return made


def written() -> tuple[int, ...]:
    """What a refusal must not change."""
    return AuditEvent.objects.count(), Outbox.objects.count(), BidVersion.objects.count()


def refused(bid: Bid, who: Body, rule: str, call: Call) -> NotNow:
    """Submitting is refused by this very rule, and nothing was written."""
    before, state = written(), Bid.objects.get(pk=bid.pk).state
    with pytest.raises(NotNow) as told:
        services.submit(bid, by=who.signatory, declarations=world.pledges(call))
    assert told.value.rule == rule, str(told.value)
    assert written() == before
    assert Bid.objects.get(pk=bid.pk).state == state
    return told.value


def test_a_complete_bid_is_submitted_numbered_and_frozen(call: Call, who: Body) -> None:
    with clock.at(world.opens(call)):
        bid = world.submitted(call, who, amount=Decimal("120000.00"))
    assert bid.state == "submitted"
    assert bid.number == "YX-2026-01-001"
    version = bid.latest
    assert version is not None
    assert version.content["budget"]["grant"] == "120000.00"
    assert version.content["organisation"]["uscc"] == who.organisation.uscc
    event = AuditEvent.objects.filter(event="bid.submit").get()
    assert event.subject == bid.subject
    assert Outbox.objects.filter(task="bidding.acknowledge").count() == 1


def test_one_second_before_the_deadline_is_in_time_and_the_deadline_itself_is_late(call: Call, who: Body, desk: Office) -> None:
    """At closes_at exactly the bid is refused (电子签名法 §11); one second before it is accepted."""
    other = people.body(desk)
    with clock.at(world.opens(call)):
        first, second = world.filled(call, who), world.filled(call, other)
    with clock.at(world.before_closing(call)):
        assert services.submit(first, by=who.signatory, declarations=world.pledges(call)).state == "submitted"
    assert call.closes_at is not None
    with clock.at(call.closes_at):
        told = refused(second, other, "call_is_open", call)
    assert call.closes_at.astimezone(clock.TZ).strftime("%H:%M:%S") in str(told)


def test_before_the_opening_nothing_can_be_started(desk: Office, who: Body) -> None:
    call = calls.published(desk, calls.rules("YX-2026-01"))
    assert call.opens_at is not None
    with clock.at(call.opens_at - timedelta(seconds=1)), pytest.raises(NotNow) as told:
        world.started(call, who)
    assert told.value.rule == "call_is_open"
    assert not Bid.objects.exists()


def test_a_bid_is_accepted_at_the_cap_and_refused_one_fen_over_it(call: Call, who: Body) -> None:
    cap = call.rules.amounts.cap
    with clock.at(world.opens(call)):
        bid = world.filled(call, who, amount=cap)
        services.save_budget(bid, world.budget(call, cap + Decimal("0.01")), by=who.signatory)
        told = refused(bid, who, "is_complete", call)
        assert "¥0.01" in str(told)
        services.save_budget(bid, world.budget(call, cap), by=who.signatory)
        assert services.submit(bid, by=who.signatory, declarations=world.pledges(call)).state == "submitted"


def test_a_category_one_fen_over_its_share_is_refused_and_named(call: Call, who: Body) -> None:
    """管理费 may take 8 % of the grant: 8,000.00 of 100,000.00 passes, 8,000.01 does not."""
    with clock.at(world.opens(call)):
        bid = world.filled(call, who)
        for management, lawful in (("8000.00", True), ("8000.01", False)):
            rest = Decimal(100000) - Decimal(management)
            lines = [
                {"category": "activity", "name": "探访活动", "unit_price": str(rest), "quantity": 1},
                {"category": "management", "name": "财务成本", "unit_price": management, "quantity": 1},
                {"category": "activity", "name": "自筹", "unit_price": "70000", "quantity": 1, "source": "match_cash"},
            ]
            services.save_budget(bid, lines, by=who.signatory)
            found = [p for p in problems(Bid.objects.get(pk=bid.pk)) if p.page == "budget"]
            assert bool(found) is not lawful
        assert "管理费" in found[0].sentence
        assert found[0].fragment == "budget/"
        refused(bid, who, "is_complete", call)


def test_rules_over_several_categories_are_judged(call: Call, who: Body) -> None:
    """personnel + management ≤ 48 % of the grant: 40 % + 8 % passes; the rule itself is asked, not only the two caps."""
    with clock.at(world.opens(call)):
        bid = world.filled(call, who)
    lines = [
        {"category": "personnel", "name": "社工", "unit_price": "40000", "quantity": 1},
        {"category": "management", "name": "财务", "unit_price": "8000", "quantity": 1},
        {"category": "activity", "name": "活动", "unit_price": "52000", "quantity": 1},
        {"category": "activity", "name": "自筹", "unit_price": "70000", "quantity": 1, "source": "match_cash"},
    ]
    with clock.at(world.opens(call)):
        services.save_budget(bid, lines, by=who.signatory)
        assert not [p for p in problems(Bid.objects.get(pk=bid.pk)) if p.page == "budget"]
        lines[1]["unit_price"], lines[2]["unit_price"] = "8000.01", "51999.99"
        services.save_budget(bid, lines, by=who.signatory)
        told = " ".join(p.sentence for p in problems(Bid.objects.get(pk=bid.pk)))
    assert "人员劳务与管理费合计不超过资助金额的 48%" in told


def test_a_second_bid_is_refused_where_one_is_allowed_until_the_first_is_withdrawn(desk: Office) -> None:
    """青禾微创投 allows one bid per group."""
    sponsor = people.body(desk, name="青禾街道社区社会组织联合会")
    call = calls.opened(desk, calls.rules("YX-2026-03"))
    team = people.group(desk, sponsor)
    with clock.at(world.opens(call)):
        first = world.submitted(call, team)
        second = world.filled(call, team, title="楼道花园")
        told = refused(second, team, "within_bid_limit", call)
        assert "限报 1 项" in str(told)
        services.withdraw(first, by=team.signatory, note="换一份")
        assert services.submit(second, by=team.signatory, declarations=world.pledges(call)).number == "YX-2026-03-002"
        refused(first, team, "within_bid_limit", call)


def test_two_bids_are_allowed_where_the_rules_allow_two_and_a_third_is_not(call: Call, who: Body) -> None:
    with clock.at(world.opens(call)):
        numbers = [world.submitted(call, who, title=f"项目{i}").number for i in range(2)]
        assert numbers == ["YX-2026-01-001", "YX-2026-01-002"]
        refused(world.filled(call, who, title="第三个"), who, "within_bid_limit", call)


def test_the_operator_cannot_bid_in_its_own_call(desk: Office, who: Body) -> None:
    call = calls.opened(desk, calls.rules("YX-2026-01"), operator=who.organisation)
    with clock.at(world.opens(call)), pytest.raises(NotNow) as told:
        world.started(call, who)
    assert told.value.rule == "not_the_operator"
    assert "第十八条" in str(told.value)


def test_an_unverified_organisation_may_write_but_not_submit(call: Call, desk: Office) -> None:
    """Verification runs beside the writing; only submitting waits for it."""
    founder = people.person("新人")
    fresh = people.services.register_organisation(by=founder, **people.particulars(desk.agency))
    who = Body(fresh, founder)
    with clock.at(world.opens(call)):
        bid = world.filled(call, who)
        told = refused(bid, who, "organisation_verified", call)
    assert "核验" in str(told)


def test_an_addendum_must_be_acknowledged_before_submitting(call: Call, who: Body, desk: Office) -> None:
    with clock.at(world.opens(call)):
        bid = world.filled(call, who)
        value = calls.rules("YX-2026-01", version="1.1.0", summary="补充:提问方式调整。")
        draft = calls.services.draft_addendum(call, value, by=desk.officer)
        calls.services.amend(call, draft, by=desk.approver)
        refused(bid, who, "rules_acknowledged", call)
        services.acknowledge_rules(bid, by=who.signatory)
        services.acknowledge_rules(bid, by=who.signatory)
        assert AuditEvent.objects.filter(event="bid.acknowledge_rules", subject=bid.subject).count() == 1
        done = services.submit(bid, by=who.signatory, declarations=world.pledges(call))
    assert done.latest is not None
    assert done.latest.content["rules"]["number"] == 2


def test_a_missing_declaration_is_refused_and_nothing_is_half_written(call: Call, who: Body) -> None:
    with clock.at(world.opens(call)):
        bid = world.filled(call, who)
        before = written()
        with pytest.raises(Invalid) as told:
            services.submit(bid, by=who.signatory, declarations=world.pledges(call)[1:])
    assert told.value.rule == "declarations_accepted"
    assert len(told.value.problems["declarations"]) == 1
    fresh = Bid.objects.get(pk=bid.pk)
    assert (fresh.state, fresh.number, fresh.submitted_at) == ("draft", "", None)
    assert written() == before


def test_an_editor_writes_but_only_a_signatory_submits(call: Call, who: Body) -> None:
    editor = people.appointed("editor", who.organisation, "填报人", by=who.signatory)
    with clock.at(world.opens(call)):
        bid = world.filled(call, who)
        services.save_basics(bid, by=editor, title="改过的名称", category=bid.category)
        with pytest.raises(NotYou) as told:
            services.submit(bid, by=editor, declarations=world.pledges(call))
    assert told.value.rule == "may_sign_for"


@pytest.mark.parametrize("role", ["officer", "approver", "stranger"])
def test_nobody_else_writes_a_bid(role: str, call: Call, who: Body, desk: Office) -> None:
    other = people.body(desk).signatory if role == "stranger" else getattr(desk, role)
    with clock.at(world.opens(call)):
        bid = world.filled(call, who)
        for act in (
            lambda: services.save_basics(bid, by=other, title="x"),
            lambda: services.save_budget(bid, [], by=other),
            lambda: services.attach(bid, "registration", world.pdf(), by=other, name="a.pdf"),
            lambda: services.detach(bid.attachments.first(), by=other),
            lambda: services.submit(bid, by=other),
        ):
            with pytest.raises(NotYou):
                act()
    assert bid.budget_lines.exists()


def test_resubmitting_replaces_and_keeps_every_version(call: Call, who: Body) -> None:
    with clock.at(world.opens(call)):
        bid = world.submitted(call, who, amount=Decimal(100000))
        assert not bid.has_unsent_changes
        services.save_budget(bid, world.budget(call, Decimal(90000)), by=who.signatory)
        assert Bid.objects.get(pk=bid.pk).has_unsent_changes
        again = services.submit(bid, by=who.signatory, declarations=world.pledges(call))
    asked = [v.content["budget"]["grant"] for v in again.versions.order_by("number")]
    assert asked == ["100000.00", "90000.00"]
    assert again.number == "YX-2026-01-001"


def test_a_submitted_version_cannot_be_changed(call: Call, who: Body) -> None:
    with clock.at(world.opens(call)):
        version = world.submitted(call, who).latest
    assert version is not None
    version.document = "{}"
    with pytest.raises(RuntimeError, match="cannot be changed"):
        version.save()


def test_after_the_deadline_changes_that_nobody_submitted_are_dropped(call: Call, who: Body) -> None:
    """Officers, contracts and payments read the bid that was handed in, word for word."""
    with clock.at(world.opens(call)):
        bid = world.submitted(call, who, amount=Decimal(100000))
        handed_in = bid.latest
        services.save_basics(bid, by=who.signatory, title="没有提交的新名称", category=bid.category)
        services.save_budget(bid, world.budget(call, Decimal(10)), by=who.signatory)
        services.save_team(bid, [{"name": "新人"}], by=who.signatory)
        services.detach(bid.attachments.first(), by=who.signatory)
    closed = calls.closed(call)
    with clock.at(closed.closes_at):
        drain()
    fresh = Bid.objects.select_related(*Bid.door_select).get(pk=bid.pk)
    assert handed_in is not None
    assert not fresh.has_unsent_changes
    assert frozen.document(fresh)["budget"] == handed_in.content["budget"]
    assert fresh.title == handed_in.content["title"]
    assert fresh.attachments.count() == len(handed_in.content["attachments"])
    assert [e.actor for e in ledger.history(bid.subject) if e.event == "bid.settle"] == ["system"]


def test_editing_stops_at_the_deadline_to_the_second(call: Call, who: Body) -> None:
    with clock.at(world.opens(call)):
        bid = world.started(call, who)
    with clock.at(world.before_closing(call)):
        services.save_basics(bid, by=who.signatory, title="最后一秒", category=bid.category)
    assert call.closes_at is not None
    with clock.at(call.closes_at), pytest.raises(NotNow) as told:
        services.save_basics(bid, by=who.signatory, title="迟了", category=bid.category)
    assert told.value.rule == "call_is_open"
    assert Bid.objects.get(pk=bid.pk).title == "最后一秒"


def test_drafts_lapse_when_the_deadline_passes_and_not_a_second_before(call: Call, who: Body) -> None:
    with clock.at(world.opens(call)):
        bid = world.started(call, who)
    with clock.at(world.before_closing(call)):
        assert services.tick() == 0
        with pytest.raises(NotNow):
            perform(bid, "lapse", by=SYSTEM)
    assert call.closes_at is not None
    with clock.at(call.closes_at):
        assert services.tick() == 1
        assert services.tick() == 0
    assert Bid.objects.get(pk=bid.pk).state == "lapsed"


def test_half_a_fen_an_unknown_category_and_a_float_are_refused_with_row_and_column(call: Call, who: Body) -> None:
    """The whole table is kept or refused: what was there before stays."""
    with clock.at(world.opens(call)):
        bid = world.filled(call, who)
        before = list(bid.budget_lines.values_list("name", "amount"))
        bad: list[dict[str, Any]] = [
            {"category": "activity", "name": "好", "unit_price": "10", "quantity": 1},
            {"category": "yacht", "name": "坏", "unit_price": "10.005", "quantity": 1},
            {"category": "activity", "name": "坏", "unit_price": 0.1, "quantity": "x"},
        ]
        with pytest.raises(Invalid) as told:
            services.save_budget(bid, bad, by=who.signatory)
    assert set(told.value.problems) == {"form-1-category", "form-1-unit_price", "form-2-unit_price", "form-2-quantity"}
    assert list(bid.budget_lines.values_list("name", "amount")) == before


def test_full_width_digits_and_commas_mean_the_same_amount(call: Call, who: Body) -> None:
    with clock.at(world.opens(call)):
        bid = world.started(call, who)
        services.save_budget(bid, [{"category": "activity", "name": "a", "unit_price": "1,234.50", "quantity": "2"}], by=who.signatory)
    assert bid.budget_lines.get().amount == Decimal("2469.00")


def test_a_question_that_promises_an_indicator_writes_it(call: Call, who: Body) -> None:
    """Nobody types the number of beneficiaries twice, and the table cannot contradict the form."""
    with clock.at(world.opens(call)):
        bid = world.filled(call, who)
        need = next(s for s in call.rules.forms.application if s.code == "need")
        services.save_answers(bid, "need", {**world.answers(need, call), "persons": "321"}, by=who.signatory)
        services.save_kpis(bid, [{"code": "persons", "target": "5"}], by=who.signatory)
    assert [k.target for k in bid.kpis.filter(code="persons")] == [Decimal(321)]


def test_an_answer_that_is_too_long_is_refused_and_never_shortened(call: Call, who: Body) -> None:
    with clock.at(world.opens(call)):
        bid = world.filled(call, who)
        before = Bid.objects.get(pk=bid.pk).answers
        with pytest.raises(Invalid) as told:
            services.save_answers(bid, "basics", {"summary": "长" * 501}, by=who.signatory)
    assert "501" in told.value.problems["summary"][0]
    assert Bid.objects.get(pk=bid.pk).answers == before


@pytest.mark.parametrize("code", ["YX-2026-01", "YX-2026-02", "YX-2026-03", "YX-2026-04", "YX-2026-05"])
def test_every_sample_call_can_be_answered_and_submitted(code: str, desk: Office) -> None:
    """The form engine, budget, indicators, team and attachments of all five calls, without a special case."""
    sponsor = people.body(desk, name="青禾街道社区社会组织联合会")
    call = calls.opened(desk, calls.rules(code))
    groups_only = "service" not in [str(k) for k in call.rules.eligibility.kinds]
    who = people.group(desk, sponsor) if groups_only else people.body(desk)
    with clock.at(world.opens(call)):
        bid = world.filled(call, who)
        assert problems(bid) == []
        assert services.submit(bid, by=who.signatory, declarations=world.pledges(call)).state == "submitted"
        restored = Bid.objects.select_related(*Bid.door_select).get(pk=bid.pk)
        frozen.restore(restored, restored.latest.content)
        restored.save()
        assert not Bid.objects.get(pk=bid.pk).has_unsent_changes
