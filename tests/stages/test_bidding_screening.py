"""Screening after the deadline, correction on its own clock, rechecks before contract and payment, and what people are told."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bidding import pages, services
from bidding.completeness import problems
from bidding.models import Bid, Finding
from bidding.screening import open_findings, standing
from grants import clock, ledger
from grants.calls.models import Call
from grants.notifications.models import Message
from grants.people.models import AnnualCheck
from grants.workflow.door import SYSTEM, explain, perform
from grants.workflow.effects import drain
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
    return calls.opened(desk, calls.rules("YX-2026-01"))


@pytest.fixture
def who(desk: Office) -> Body:
    made = people.body(desk)
    people.checked(made, desk, 2024, 2025)
    return made


@pytest.fixture
def bid(call: Call, who: Body) -> Bid:
    """Handed in, in a call that has closed."""
    with clock.at(world.opens(call)):
        made = world.submitted(call, who, amount=Decimal(100000))
    calls.closed(call)
    return fresh(made)


def fresh(bid: Bid) -> Bid:
    return Bid.objects.select_related(*Bid.door_select).get(pk=bid.pk)


def after(call: Call, **more: Any) -> datetime:
    assert call.closes_at is not None
    return call.closes_at + timedelta(**more)


def outcomes(bid: Bid, moment: str = "screening") -> dict[str, str]:
    return {f.rule: f.outcome for f in standing(fresh(bid), moment)}


def test_nothing_is_screened_before_the_deadline(call: Call, who: Body, desk: Office) -> None:
    with clock.at(world.opens(call)):
        made = world.submitted(call, who)
        with pytest.raises(NotNow) as told:
            services.screen(call, by=desk.officer)
        assert told.value.rule == "call_is_closed"
        for verb, more in (("admit", {}), ("reject", {}), ("return_for_correction", {"items": "缺"})):
            with pytest.raises(NotNow) as told:
                perform(made, verb, by=desk.officer, **more)
            assert told.value.rule == "call_is_closed"
    assert not Finding.objects.exists()


def test_the_machine_decides_what_it_can_and_leaves_the_rest_to_a_clerk(bid: Bid, call: Call, desk: Office) -> None:
    with clock.at(after(call, hours=1)):
        services.screen(call, by=desk.officer)
        found = outcomes(bid)
        assert found["registered"] == "pass"
        assert found["charter"] == "needs_clerk"
        assert found["credit_serious"] == "needs_clerk"
        with pytest.raises(NotNow) as told:
            perform(bid, "admit", by=desk.officer)
        assert told.value.rule == "screening_done"
        before = Finding.objects.count()
        services.screen(call, by=desk.officer)
    assert Finding.objects.count() == before, "a second run with the same facts writes nothing"


def test_an_unscreened_bid_cannot_be_admitted(bid: Bid, call: Call, desk: Office) -> None:
    with clock.at(after(call, hours=1)), pytest.raises(NotNow) as told:
        perform(bid, "admit", by=desk.officer)
    assert told.value.rule == "screening_done"


def test_a_clerk_needs_evidence_and_the_log_gets_its_hash(bid: Bid, call: Call, desk: Office) -> None:
    from grants.documents.files import store

    with clock.at(after(call, hours=1)):
        services.screen(call, by=desk.officer)
        with pytest.raises(Invalid) as told:
            services.record_finding(bid, "charter", "pass", by=desk.officer, evidence_note="  ")
        assert told.value.rule == "finding_has_evidence"
        with pytest.raises(Invalid) as told:
            services.record_finding(bid, "no_such_rule", "pass", by=desk.officer, evidence_note="看过")
        assert told.value.rule == "unknown_rule"
        proof = store(world.pdf("章程"), name="章程.pdf", allowed={"pdf"}, max_bytes=1000)
        services.record_finding(bid, "charter", "pass", by=desk.officer, evidence_file=proof)
    entry = ledger.history(bid.subject)[-1]
    assert (entry.event, entry.files) == ("bid.finding", {"evidence": proof.sha256})
    assert outcomes(bid)["charter"] == "pass"


def test_a_clerk_cannot_pass_what_the_facts_on_file_contradict(call: Call, desk: Office) -> None:
    """Registered for half a year where twelve months are asked: no evidence note talks that away."""
    young = people.body(desk, registered_on=date(2025, 12, 1))
    with clock.at(world.opens(call)):
        made = world.submitted(call, young)
    calls.closed(call)
    with clock.at(after(call, hours=1)):
        services.screen(call, by=desk.officer)
        assert outcomes(made)["registered"] == "fail"
        with pytest.raises(Invalid) as told:
            services.record_finding(made, "registered", "pass", by=desk.officer, evidence_note="口头说明")
        assert told.value.rule == "facts_say_otherwise"
        assert "登记" in str(explain(fresh(made), "admit", desk.officer))


def test_whoever_works_for_the_applicant_does_not_screen_it(bid: Bid, call: Call, who: Body, desk: Office) -> None:
    """The operator's clerk who is also an editor of the applicant is refused, though the role is held."""
    insider = people.appointed("operator", call, "内部人", by=desk.approver)
    people.services.give(insider, "editor", who.organisation, by=SYSTEM, standing="system")
    insider.__dict__.pop("_held", None)
    with clock.at(after(call, hours=1)):
        with pytest.raises(NotYou) as told:
            services.screen(call, by=insider)
        assert told.value.rule == "without_interest"
        with pytest.raises(NotYou):
            perform(bid, "reject", by=insider, note="x")


@pytest.mark.parametrize("role", ["approver", "finance", "auditor"])
def test_only_screeners_screen(role: str, bid: Bid, call: Call, desk: Office) -> None:
    with clock.at(after(call, hours=1)), pytest.raises(NotYou):
        services.record_finding(bid, "charter", "pass", by=getattr(desk, role), evidence_note="看过")


def test_a_screened_bid_is_admitted_and_people_are_told(bid: Bid, call: Call, who: Body, desk: Office) -> None:
    with clock.at(after(call, hours=1)):
        assert world.admitted(bid, desk).state == "admitted"
        drain()
    assert Message.objects.filter(to=who.signatory, template="bidding/admitted").count() == 1


def test_correction_runs_on_its_own_clock_of_three_working_days(bid: Bid, call: Call, who: Body, desk: Office) -> None:
    """Returned on a Monday with 3 working days: due at 24:00 on Thursday; one second later the bid lapses and cannot be submitted."""
    returned_at = datetime(2026, 4, 13, 10, 0, tzinfo=clock.TZ)
    due = datetime(2026, 4, 17, 0, 0, tzinfo=clock.TZ)
    with clock.at(returned_at):
        with pytest.raises(Invalid) as told:
            perform(bid, "return_for_correction", by=desk.officer, items="  ")
        assert told.value.rule == "items_given"
        back = perform(bid, "return_for_correction", by=desk.officer, items="补交年检结论原件扫描")
        assert back.correction_due_at == due
        drain()
    letter = Message.objects.get(to=who.signatory, template="bidding/correction")
    assert "补交年检结论原件扫描" in letter.body
    assert "2026-04-17 00:00:00" in letter.body
    with clock.at(due - timedelta(seconds=1)):
        services.save_basics(back, by=who.signatory, title="补正后的名称", category=bid.category)
        assert services.tick() == 0
        assert explain(fresh(bid), "submit", who.signatory) is None
    with clock.at(due):
        with pytest.raises(NotNow) as late:
            services.submit(back, by=who.signatory, declarations=world.pledges(call))
        assert late.value.rule == "correction_in_time"
        assert services.tick() == 1
    assert fresh(bid).state == "lapsed"


def test_a_corrected_bid_keeps_its_number_gets_a_new_version_and_is_corrected_once_only(
    bid: Bid, call: Call, who: Body, desk: Office
) -> None:
    with clock.at(after(call, hours=1)):
        back = perform(bid, "return_for_correction", by=desk.officer, items="补正名称")
        services.save_basics(back, by=who.signatory, title="补正后的名称", category=bid.category)
        again = services.submit(back, by=who.signatory, declarations=world.pledges(call))
        assert (again.number, again.latest.number, again.latest.content["title"]) == (bid.number, 2, "补正后的名称")
        with pytest.raises(NotNow) as told:
            perform(again, "return_for_correction", by=desk.officer, items="还要补")
        assert told.value.rule == "not_yet_corrected"


def test_rejection_tells_the_grounds_and_the_applicant_sees_them(bid: Bid, call: Call, who: Body, desk: Office) -> None:
    with clock.at(after(call, hours=1)):
        perform(bid, "reject", by=desk.officer, note="近三年内有重大违法记录")
        drain()
    assert "近三年内有重大违法记录" in Message.objects.get(to=who.signatory, template="bidding/rejected").body
    with clock.at(after(call, hours=2)), pytest.raises(NotNow):
        services.submit(bid, by=who.signatory, declarations=world.pledges(call))


def test_each_version_gets_exactly_one_receipt_however_often_the_effect_runs(call: Call, who: Body) -> None:
    from grants.workflow.models import Outbox

    with clock.at(world.opens(call)):
        made = world.submitted(call, who)
        services.submit(made, by=who.signatory, declarations=world.pledges(call))
        drain()
        Outbox.objects.filter(task="bidding.acknowledge").update(done_at=None)
        drain()
    numbers = [v.receipt_number for v in fresh(made).versions.order_by("number")]
    assert numbers == ["YX-2026-01-001-H1", "YX-2026-01-001-H2"]
    assert Message.objects.filter(to=who.signatory, template="bidding/receipt").count() == 2


def test_the_receipt_names_project_amount_time_and_hash(call: Call, who: Body) -> None:
    from io import BytesIO

    from pypdf import PdfReader

    from grants.documents.capitals import capitals
    from grants.documents.files import read_file

    with clock.at(world.opens(call)):
        made = world.submitted(call, who, amount=Decimal("120000.50"))
        drain()
    version = fresh(made).latest
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(read_file(version.receipt.sha256))).pages).replace("\n", "")
    for part in ("YX-2026-01-001-H1", "银龄守望", "¥120,000.50", capitals(Decimal("120000.50")), version.hash[:40]):
        assert part in text, part


def test_a_look_up_is_used_again_while_fresh_and_asked_again_when_old(bid: Bid, call: Call, desk: Office) -> None:
    """credit.lookup_valid_days is 30: before the contract on day 20 it still counts, before a payment on day 60 it must be repeated."""
    with clock.at(after(call, hours=1)):
        world.admitted(bid, desk)
    with clock.at(after(call, days=20)):
        services.recheck(bid, "contract", by=desk.officer)
        assert open_findings(fresh(bid), "contract") == ([], [])
        kept = next(f for f in standing(fresh(bid), "contract") if f.rule == "credit_serious")
        assert kept.looked_up_at == after(call, hours=1)
        assert kept.evidence_note
    with clock.at(after(call, days=60)):
        services.recheck(bid, "payment", by=SYSTEM)
        undecided, failed = open_findings(fresh(bid), "payment")
        assert len(undecided) == 3
        assert not failed
        services.record_finding(bid, "credit_serious", "pass", by=desk.officer, evidence_note="重新查询", moment="payment")
        assert len(open_findings(fresh(bid), "payment")[0]) == 2


def test_a_revoked_annual_check_fails_the_recheck(bid: Bid, call: Call, who: Body, desk: Office) -> None:
    with clock.at(after(call, hours=1)):
        world.admitted(bid, desk)
    with clock.at(after(call, days=5)):
        check = AnnualCheck.objects.get(organisation=who.organisation, year=2025)
        people.services.revoke_annual_check(check, because="报告不实", by=desk.officer)
        services.recheck(bid, "contract", by=desk.officer)
        assert outcomes(bid, "contract")["annual_checks"] == "fail"
    assert outcomes(bid)["annual_checks"] == "pass", "what was found at screening stays as it was found"


def test_a_moment_that_was_never_checked_is_open(bid: Bid) -> None:
    undecided, failed = open_findings(bid, "payment")
    assert (len(undecided), failed) == (1, [])


def test_an_expired_attachment_is_refused_on_upload_and_again_on_submission(desk: Office, who: Body) -> None:
    """A certificate that was valid when uploaded and expired before submission keeps the bid from being submitted."""
    value = calls.rules("YX-2026-01")
    items = [{**a, "expires": True} if a["code"] == "registration" else a for a in value.plain()["attachments"]]
    call = calls.opened(desk, calls.rules("YX-2026-01", attachments=items))
    with clock.at(world.opens(call)):
        made = world.filled(call, who)
        made.attachments.filter(code="registration").delete()
        today = clock.today()
        for wrong, rule in ((today - timedelta(days=1), "expired"), (None, "expiry_missing")):
            with pytest.raises(Invalid) as told:
                services.attach(made, "registration", world.pdf("证"), by=who.signatory, name="证.pdf", expires_on=wrong)
            assert told.value.rule == rule
        services.attach(made, "registration", world.pdf("证"), by=who.signatory, name="证.pdf", expires_on=today)
        assert problems(fresh(made)) == []
    with clock.at(world.opens(call) + timedelta(days=1)):
        found = problems(fresh(made))
        assert [p.fragment for p in found] == ["attachments/#id_registration"]
        with pytest.raises(NotNow) as late:
            services.submit(made, by=who.signatory, declarations=world.pledges(call))
        assert late.value.rule == "is_complete"


def test_a_group_needs_an_accepted_agreement_with_a_sponsor_that_still_holds(desk: Office) -> None:
    sponsor = people.body(desk, name="青禾街道社区社会组织联合会")
    call = calls.opened(desk, calls.rules("YX-2026-03"))
    alone = people.group(desk)
    with clock.at(world.opens(call)):
        made = world.filled(call, alone)
        assert "托管" in " ".join(p.sentence for p in problems(fresh(made)))
        people.sponsored(alone, sponsor, valid_to=clock.today())
        services.save_basics(made, by=alone.signatory, title="楼道花园", category=made.category, sponsor=sponsor.organisation)
        assert problems(fresh(made)) == []
    with clock.at(world.opens(call) + timedelta(days=1)):
        assert [p.field for p in problems(fresh(made))] == ["sponsor"]


def test_another_sponsor_than_the_one_the_call_names_is_refused(desk: Office) -> None:
    other = people.body(desk, name="别的枢纽组织")
    call = calls.opened(desk, calls.rules("YX-2026-03"))
    group = people.group(desk, other)
    with clock.at(world.opens(call)):
        made = world.filled(call, group)
        assert "青禾街道社区社会组织联合会" in " ".join(p.sentence for p in problems(made))


def test_professionals_without_a_licence_number_do_not_count(desk: Office, who: Body) -> None:
    call = calls.opened(desk, calls.rules("YX-2026-04"))
    with clock.at(world.opens(call)):
        made = world.filled(call, who)
        title = call.rules.eligibility.professionals.titles[0]
        rows = [{"name": "甲", "qualification": title, "licence_no": "", "is_supervisor": True}, {"name": "乙", "qualification": title}]
        services.save_team(made, rows, by=who.signatory)
        assert [p.page for p in problems(fresh(made))] == ["team"]


def test_a_needs_list_call_refuses_a_bid_without_a_need_and_caps_it_by_the_need(desk: Office, who: Body) -> None:
    call = calls.opened(desk, calls.rules("YX-2026-02"))
    with clock.at(world.opens(call)):
        made = world.filled(call, who, amount=Decimal(30000))
        services.save_basics(made, by=who.signatory, title="无需求", category=made.category, track=made.track, need="")
        assert [(p.page, p.field) for p in problems(fresh(made))] == [("about", "need")]
        with pytest.raises(Invalid) as told:
            services.save_basics(made, by=who.signatory, title="无需求", category=made.category, need="X99")
        assert told.value.problems.keys() == {"need"}


def test_what_waits_is_shown_to_whom_it_waits_for(call: Call, who: Body, desk: Office) -> None:
    with clock.at(world.opens(call)):
        world.started(call, who)
        made = world.submitted(call, who)
        assert [w.due_at for w in pages.waiting(who.signatory)] == [call.closes_at]
        assert pages.waiting(desk.officer) == []
    calls.closed(call)
    with clock.at(after(call, hours=1)):
        assert ["1" in str(w.label) for w in pages.waiting(desk.officer)] == [True]
        assert pages.waiting(desk.auditor) == []
        perform(made, "return_for_correction", by=desk.officer, items="补正")
        assert [w.due_at for w in pages.waiting(who.signatory)] == [fresh(made).correction_due_at]
        assert pages.waiting(desk.officer) == []


def test_an_addendum_an_extension_and_a_cancellation_reach_whoever_writes_a_bid(call: Call, who: Body, desk: Office) -> None:
    with clock.at(world.opens(call)):
        world.started(call, who)
        draft = calls.services.draft_addendum(call, calls.rules("YX-2026-01", version="1.1.0", summary="补充"), by=desk.officer)
        calls.services.amend(call, draft, by=desk.approver)
        calls.services.extend(call, call.closes_at + timedelta(days=3), by=desk.approver, note="假期")
        perform(call, "cancel", by=desk.approver, note="资金未落实")
        drain()
    told = Message.objects.filter(to=who.signatory, template__startswith="bidding/").values_list("template", flat=True)
    assert sorted(told) == ["bidding/addendum", "bidding/cancellation", "bidding/extension"]
