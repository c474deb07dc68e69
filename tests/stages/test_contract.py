"""The contract on paper: what it prints, that both sides signed this very one, and everything that must not pass as a signature."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.utils import translation
from pypdf import PdfReader

from grants import clock, ledger
from grants.awards import services
from grants.awards.contract_reader import restore
from grants.awards.models import Award, Contract
from grants.awards.rechecks import failures
from grants.documents.files import read_file
from grants.ledger.models import AuditEvent
from grants.notifications.models import Message
from grants.people import services as people_services
from grants.people.models import AnnualCheck
from grants.workflow import effects
from grants.workflow.door import explain, perform
from grants.workflow.models import Outbox
from grants.workflow.refusals import Invalid, NotNow, NotYou
from tests.world import awards as world
from tests.world import people, shared
from tests.world.review import Judged

pytestmark = pytest.mark.django_db


def written() -> tuple[int, ...]:
    """What a refusal must not change."""
    return tuple(model._base_manager.count() for model in (AuditEvent, Outbox, Award, Contract))


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """Three confirmed awards, the contracts of two of them issued, made once; each test's changes are rolled back."""
    with shared.rows(django_db_blocker):
        judged = world.ranked(amounts=["107000.53", "60000.00", "50000.00"])
        world.proposed(judged)
        for award in world.confirmed(judged)[:2]:
            world.issued(award, judged.desk)
        yield judged


@pytest.fixture(autouse=True)
def forget_permissions(made: Judged) -> None:
    """Persons outlive a test's transaction; what they were appointed to in it does not."""
    for user in (made.desk.officer, made.desk.approver, *(b.signatory for b in made.bodies)):
        user.__dict__.pop("_held", None)


@pytest.fixture
def mine(made: Judged) -> Contract:
    """The contract of ¥107,000.53, waiting for the grantee's signature."""
    return world.fresh(Contract.objects.get(award=world.awards(made.call)[0]))


@pytest.fixture
def theirs(made: Judged) -> Contract:
    """Another organisation's contract, waiting for its signature."""
    return world.fresh(Contract.objects.get(award=world.awards(made.call)[1]))


@pytest.fixture
def award(made: Judged) -> Award:
    """An award of ¥50,000.00 without a contract yet."""
    return world.awards(made.call)[2]


def signer(made: Judged, contract: Contract) -> Any:
    return world.signatory_of(made, contract.award)


def copied(contract: Contract) -> dict[str, str]:
    """What is copied from the paper."""
    return {"number": contract.number, "text_hash": world.head(contract)}


def text_of(contract: Contract) -> str:
    assert contract.file is not None
    return "".join(page.extract_text() for page in PdfReader(BytesIO(read_file(contract.file.sha256))).pages)


def folded(text: str) -> str:
    return re.sub(r"\s", "", text)


def refused(contract: Contract, verb: str, by: Any, rule: str, **details: Any) -> str:
    """The step is refused by this very rule, and nothing was written."""
    before = written()
    with pytest.raises((NotNow, NotYou)) as told, clock.at(world.contract_day(contract.award)):
        perform(contract, verb, by=by, **details)
    assert told.value.rule == rule, str(told.value)
    assert written() == before
    assert Contract.objects.get(pk=contract.pk).state == contract.state
    return str(told.value)


def test_the_printed_contract_says_project_amounts_tranches_and_every_clause(made: Judged, mine: Contract) -> None:
    """¥107,000.53 in figures and in capitals, 50/30/20 to the fen, the number, the digest in the footer, 23 numbered clauses."""
    text = folded(text_of(mine))
    assert folded(mine.award.bid.title) in text
    assert "¥107,000.53" in text
    assert "人民币壹拾万柒仟元零伍角叁分" in text
    for amount in ("53,500.27", "32,100.16", "21,400.10"):
        assert amount in text
    assert folded(mine.number) in text
    assert mine.text_hash[:16] in text
    for heading in ("资助金额", "资金来源与标识", "分期拨付", "收款账户", "票据", "预算执行与调整", "配套资金", "档案", "争议解决", "结余资金"):
        assert heading in text
    assert len(set(re.findall(r"第[一二三四五六七八九十]+条", text))) >= 23
    assert made.bodies[0].organisation.account_number not in text


def test_the_number_follows_the_pattern_and_counts_on(mine: Contract, theirs: Contract) -> None:
    assert [mine.number, theirs.number] == ["云民创投〔2026〕1号", "云民创投〔2026〕2号"]


def test_the_stored_data_is_the_whole_text_and_gives_its_digest_back(mine: Contract) -> None:
    """Printing uses the stored data alone; restoring it gives the same digest that the footer prints."""
    data = restore(mine.data)
    assert data.digest == mine.text_hash
    assert data.amount == mine.award.amount == sum(Decimal(a) for a in mine.shares.values())
    assert ledger.history(mine.subject)[0].files["text"] == mine.text_hash


def test_a_contract_is_drawn_only_of_a_confirmed_award_with_a_verified_account(made: Judged, award: Award) -> None:
    payee = award.payee
    type(payee).objects.filter(pk=payee.pk).update(account_verified_at=None, account_verified_by=None)
    before = written()
    with pytest.raises(NotNow) as told, clock.at(world.contract_day(award)):
        services.draft_contract(Award.objects.get(pk=award.pk), by=made.desk.officer)
    assert told.value.rule == "account_is_verified"
    perform(award, "cancel", by=made.desk.approver, note="放弃")
    with pytest.raises(NotNow) as told, clock.at(world.contract_day(award)):
        services.draft_contract(Award.objects.get(pk=award.pk), by=made.desk.officer)
    assert told.value.rule == "award_is_confirmed"
    assert Contract.objects.count() == before[3]


def test_from_issue_to_effect_with_hashes_on_both_sides(made: Judged, mine: Contract) -> None:
    """Issued after a re-check, signed, countersigned: both scans in the ledger, the award active by the clock, everybody told."""
    contract = world.with_both(world.with_signature(mine, signer(made, mine)), made.desk)
    assert contract.state == "effective"
    assert contract.grantee_scan is not None
    assert contract.agency_scan is not None
    assert Award.objects.get(pk=contract.award_id).state == "active"
    story = {e.verb: e for e in ledger.history(contract.subject)}
    assert story["sign_grantee"].files["scan"] == contract.grantee_scan.sha256
    assert story["countersign"].files == {
        "text": contract.text_hash, "printed": contract.file_id, "scan": contract.agency_scan.sha256,
    }  # fmt: skip
    assert set(story["issue"].public["recheck"].values()) == {"pass"}
    assert Message.objects.filter(template="awards/contract_ready").count() >= 2
    assert Message.objects.filter(template="awards/contract_effective").count() >= 1


def test_signing_with_another_contracts_scan_is_refused(made: Judged, mine: Contract, theirs: Contract) -> None:
    """By the same file, by the number confirmed, and by the number in the scan's own text layer."""
    theirs, by = world.with_signature(theirs, signer(made, theirs)), signer(made, mine)
    assert theirs.number in refused(mine, "sign_grantee", by, "scan_matches", scan=theirs.grantee_scan, **copied(mine))
    assert mine.number in refused(mine, "sign_grantee", by, "scan_matches", scan=world.scan("new"), **copied(theirs))
    assert theirs.file is not None
    said = refused(mine, "sign_grantee", by, "scan_matches", scan=world.resaved(theirs.file), **copied(mine))
    assert theirs.number in said
    assert "不是本协议" in said


def test_the_unsigned_text_is_no_signature_even_when_saved_again(made: Judged, mine: Contract) -> None:
    by = signer(made, mine)
    assert mine.file is not None
    assert "没有签字盖章" in refused(mine, "sign_grantee", by, "scan_matches", scan=mine.file, **copied(mine))
    assert "没有签字盖章" in refused(mine, "sign_grantee", by, "scan_matches", scan=world.resaved(mine.file), **copied(mine))


@pytest.mark.parametrize("given", ["", "abc", "00000000", "zzzzzzzz"])
def test_the_digest_in_the_footer_must_be_copied(made: Judged, mine: Contract, given: str) -> None:
    refused(mine, "sign_grantee", signer(made, mine), "scan_matches", scan=world.scan(), number=mine.number, text_hash=given)


def test_the_agency_may_not_countersign_with_the_grantees_own_scan(made: Judged, mine: Contract) -> None:
    contract = world.with_signature(mine, signer(made, mine))
    refused(contract, "countersign", made.desk.approver, "scan_matches", scan=contract.grantee_scan, **copied(contract))


def test_whoever_drafted_the_contract_may_not_countersign_it(made: Judged, mine: Contract) -> None:
    people.services.appoint(made.desk.officer, "approver", made.desk.agency, by=people.SYSTEM)
    contract = world.with_signature(mine, signer(made, mine))
    refused(contract, "countersign", made.desk.officer, "not_drafted_by", scan=world.scan("jia"), **copied(contract))


def test_nobody_else_signs_for_the_grantee(made: Judged, mine: Contract, theirs: Contract) -> None:
    for who in (signer(made, theirs), made.desk.approver, made.desk.officer):
        refused(mine, "sign_grantee", who, "may_sign_for", scan=world.scan(), **copied(mine))


def test_an_annual_check_revoked_after_the_award_stops_the_contract(made: Judged, mine: Contract) -> None:
    """Issued and signed in good order; then a check is revoked: the re-check fails at countersigning, with the reason in words."""
    contract = world.with_signature(mine, signer(made, mine))
    check = AnnualCheck.objects.filter(organisation=contract.organisation).latest("year")
    with clock.at(world.contract_day(contract.award)):
        people_services.revoke_annual_check(check, because="提交虚假材料", by=made.desk.officer)
    said = refused(contract, "countersign", made.desk.approver, "still_eligible", scan=world.scan("jia"), **copied(contract))
    assert "年检" in said
    assert "已撤销" in said


def test_the_re_check_does_not_depend_on_the_readers_language(made: Judged, mine: Contract) -> None:
    """The rules speak Chinese: an officer whose page is English gets the same answer."""
    with clock.at(world.contract_day(mine.award)), translation.override("en"):
        assert failures(mine.award) == []


def test_an_aged_look_up_must_be_repeated_before_the_contract(made: Judged, award: Award) -> None:
    """Thirty days after the clerk looked, the public lists may have changed: the rule asks for a new look-up."""
    contract = world.drafted(award, made.desk.officer)
    later = world.contract_day(award) + timedelta(days=40)
    with clock.at(later):
        refusal = explain(contract, "issue", made.desk.officer)
        assert refusal is not None
        assert refusal.rule == "still_eligible"
        assert "重新查询" in str(refusal)
        world.looked_up(award.bid, made.desk.officer)
        assert explain(contract, "issue", made.desk.officer) is None


def test_a_reduction_must_be_agreed_and_printed_before_the_contract_is_issued(made: Judged, award: Award) -> None:
    """Reduced after the draft: not printed, not agreed; redrawn and agreed by the signatory, it goes out with the new amount."""
    contract = world.drafted(award, made.desk.officer)
    line = award.lines.all()[0]
    with clock.at(world.contract_day(award)):
        world.looked_up(award.bid, made.desk.officer)
        award = services.reduce(award, {line.pk: ("45000.00", "核减物料单价")}, reason="核价", by=made.desk.officer)
        effects.drain()
        said = refused(contract, "issue", made.desk.officer, "reduction_agreed")
        assert "重新生成文本" in said
        contract = services.redraw_contract(contract, by=made.desk.officer)
        assert contract.file_id is None
        assert "没有确认" in refused(contract, "issue", made.desk.officer, "reduction_agreed")
        with pytest.raises(NotYou):
            services.agree_reduction(award, by=made.desk.officer)
        services.agree_reduction(award, by=world.signatory_of(made, award))
        refused(contract, "issue", made.desk.officer, "text_is_ready")
        effects.drain()
        contract = services.issue(contract, by=made.desk.officer)
    assert "¥45,000.00" in folded(text_of(world.fresh(contract)))
    with pytest.raises(NotNow) as told:
        services.reduce(award, {line.pk: ("40000.00", "再减")}, reason="", by=made.desk.officer)
    assert told.value.rule == "contract_not_issued"


def test_the_sources_of_all_contracts_together_never_exceed_what_they_bring(made: Judged, mine: Contract, theirs: Contract) -> None:
    """Each contract names its sources; together they add up to the awards and stay within each source."""
    for contract in (mine, theirs):
        assert sum(Decimal(v) for v in contract.shares.values()) == contract.award.amount
    for source in made.call.rules.sources:
        assert sum(Decimal(c.shares.get(source.id, 0)) for c in (mine, theirs)) <= source.amount


def test_cancelling_the_award_ends_its_unsigned_contract(made: Judged, mine: Contract) -> None:
    perform(mine.award, "cancel", by=made.desk.approver, note="申报单位放弃立项")
    effects.drain()
    assert Contract.objects.get(pk=mine.pk).state == "ended"


def test_a_contract_sent_back_is_signed_again(made: Judged, mine: Contract) -> None:
    contract = world.with_signature(mine, signer(made, mine))
    contract = perform(contract, "send_back", by=made.desk.approver, note="缺骑缝章")
    effects.drain()
    assert contract.state == "issued"
    assert Message.objects.filter(template="awards/sign_again").count() >= 1
    with clock.at(world.contract_day(contract.award)):
        again = services.sign(contract, world.scan("again"), by=signer(made, contract), **copied(contract))
    assert again.state == "grantee_signed"


def test_a_draft_is_not_seen_by_the_grantee_and_an_issued_contract_is(made: Judged, mine: Contract, award: Award) -> None:
    with clock.at(world.contract_day(award)):
        services.draft_contract(award, by=made.desk.officer)
    assert not Contract.visible.filter(Contract.objects.all(), world.signatory_of(made, award)).exists()
    assert Contract.visible.filter(Contract.objects.filter(award=award), made.desk.auditor).exists()
    assert list(Contract.visible.filter(Contract.objects.all(), signer(made, mine))) == [mine]


def test_sums_that_do_not_tie_out_never_become_a_contract(made: Judged, award: Award) -> None:
    """A row changed beside the services: composing refuses, nothing is written."""
    award.lines.update(agreed=Decimal("1.00"))
    before = written()
    with pytest.raises(Invalid) as told, clock.at(world.contract_day(award)):
        services.draft_contract(award, by=made.desk.officer)
    assert told.value.rule == "contract_budget"
    assert written() == before
