"""A contract signed electronically: asked for by the right person who has just shown who they are, made off the request path, judged at the door."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from grants import clock, ledger
from grants.awards import esigning, services
from grants.awards.models import Award, Contract
from grants.documents.files import read_file, store
from grants.documents.signing import authority, keys, pades
from grants.documents.signing.fields import GRANTEE, GRANTOR
from grants.documents.signing.verdict import Paper, judge
from grants.funding.models import Tranche
from grants.notifications.models import Message
from grants.people.again import FRESH, Proof, just_now
from grants.workflow import effects
from grants.workflow.door import SYSTEM, perform
from grants.workflow.models import Outbox
from grants.workflow.refusals import NotNow, NotYou
from tests.world import awards as world
from tests.world import pdfa, people, shared
from tests.world.fresh import left_open
from tests.world.review import Judged

pytestmark = pytest.mark.django_db
NOW = "password"


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """Two confirmed awards with issued contracts, made once; each test's changes are rolled back."""
    with shared.rows(django_db_blocker):
        judged = world.ranked(amounts=["107000.53", "60000.00"])
        world.proposed(judged)
        for award in world.confirmed(judged):
            world.issued(award, judged.desk)
        yield judged


@pytest.fixture(autouse=True)
def signing(settings: Any, tmp_path: Any, made: Judged) -> None:
    """Keys of this test's own; files stay where the module's contracts are."""
    settings.PLATFORM_CA, settings.TSA_URL, settings.SIGN_LEVEL, settings.EXTERNAL_SIGNER = True, "", "B-B", ""


@pytest.fixture
def mine(made: Judged) -> Contract:
    return world.fresh(Contract.objects.get(award=world.awards(made.call)[0]))


@pytest.fixture
def theirs(made: Judged) -> Contract:
    return world.fresh(Contract.objects.get(award=world.awards(made.call)[1]))


def day(contract: Contract) -> Any:
    return clock.at(world.contract_day(contract.award))


def signed_by_grantee(made: Judged, contract: Contract) -> Contract:
    with day(contract):
        services.sign_electronically(contract, "grantee", proof=just_now(NOW), by=world.signatory_of(made, contract.award))
        effects.drain()
    return world.fresh(contract)


def signed_by_both(made: Judged, contract: Contract) -> Contract:
    contract = signed_by_grantee(made, contract)
    with day(contract):
        services.sign_electronically(contract, "grantor", proof=just_now(NOW), by=made.desk.approver)
        effects.drain()
    return world.fresh(contract)


def judged(contract: Contract) -> Paper:
    """What its signed file proves on the day of signing: revocation lists are of that day too."""
    assert contract.signed is not None
    with day(contract):
        return judge(read_file(contract.signed.sha256))


def refused(contract: Contract, verb: str, by: Any, rule: str, **details: Any) -> str:
    with pytest.raises((NotNow, NotYou)) as told, day(contract):
        perform(contract, verb, by=by, **details)
    assert told.value.rule == rule, str(told.value)
    return str(told.value)


def test_from_draft_to_the_first_payment_by_electronic_signatures(made: Judged, mine: Contract) -> None:
    """Both sign, the contract takes effect, the award begins, its tranches are planned; the file proves it by itself."""
    assert mine.file is not None
    contract = signed_by_both(made, mine)
    assert (contract.state, contract.signed_by, contract.asked_party) == ("effective", ["grantee", "grantor"], "")
    assert Award.objects.get(pk=contract.award_id).state == "active"
    assert sum(t.amount for t in Tranche.objects.filter(award=contract.award)) == contract.award.amount
    assert contract.signed is not None and contract.signed == contract.agency_scan
    pdf = read_file(contract.signed.sha256)
    assert pdf.startswith(read_file(mine.file.sha256))
    paper = judged(contract)
    assert paper.holds and [s.signer for s in paper.signatures] == [contract.signing_party.name, contract.agency.name]
    assert pdfa.problems(pdf) == []
    story = {e.verb: e for e in ledger.history(contract.subject)}
    assert story["ask_grantee"].public == {"party": "grantee", "authenticated": NOW}
    assert story["complete_grantor"].files == {"text": contract.text_hash, "printed": contract.file_id, "signed": contract.signed.sha256}
    assert story["complete_grantor"].public["issuer"] == "development"
    assert story["complete_grantor"].actor == "system"
    assert Message.objects.filter(template="awards/contract_effective").exists()


def test_the_request_itself_signs_nothing(made: Judged, mine: Contract) -> None:
    """It is off the request path: until the effect has run the contract waits, and neither party nor paper can come between."""
    with day(mine):
        asked = services.sign_electronically(mine, "grantee", proof=just_now(NOW), by=world.signatory_of(made, mine.award))
    assert (asked.state, asked.asked_party, asked.signed) == ("issued", "grantee", None)
    assert Outbox.objects.filter(task="awards.sign_electronically", done_at=None).count() == 1
    by, copied = world.signatory_of(made, mine.award), {"number": mine.number, "text_hash": world.head(mine)}
    refused(mine, "sign_grantee", by, "nothing_pending", scan=world.scan("in between"), **copied)
    refused(mine, "ask_grantee", by, "can_sign_electronically", authenticated=just_now(NOW))


@pytest.mark.parametrize("proof", [None, Proof(NOW, datetime.now(UTC) - FRESH), Proof(NOW, datetime.now(UTC) + timedelta(hours=1))])
def test_nobody_signs_without_having_just_shown_who_they_are(made: Judged, mine: Contract, proof: Proof | None) -> None:
    refused(mine, "ask_grantee", world.signatory_of(made, mine.award), "freshly_authenticated", authenticated=proof)


def test_only_the_partys_own_signatory_asks(made: Judged, mine: Contract, theirs: Contract) -> None:
    proof = just_now(NOW)
    for stranger in (world.signatory_of(made, theirs.award), made.desk.approver, made.desk.officer):
        refused(mine, "ask_grantee", stranger, "may_sign_for", authenticated=proof)
    contract = signed_by_grantee(made, mine)
    refused(contract, "ask_grantor", world.signatory_of(made, mine.award), "may_sign_contracts", authenticated=proof)
    people.services.appoint(made.desk.officer, "approver", made.desk.agency, by=people.SYSTEM)
    made.desk.officer.__dict__.pop("_held", None)
    refused(contract, "ask_grantor", made.desk.officer, "not_drafted_by", authenticated=proof)
    made.desk.officer.__dict__.pop("_held", None)


def test_half_paper_half_electronic_is_no_contract(made: Judged, mine: Contract, theirs: Contract) -> None:
    """An electronic 乙方 cannot be countersigned on paper, a paper one not electronically; sent back, the way can be changed."""
    electronic = signed_by_grantee(made, mine)
    copied = {"number": electronic.number, "text_hash": world.head(electronic)}
    refused(electronic, "countersign", made.desk.approver, "signed_on_paper", scan=world.scan("jia"), **copied)
    paper = world.with_signature(theirs, world.signatory_of(made, theirs.award))
    refused(paper, "ask_grantor", made.desk.approver, "grantee_signed_electronically", authenticated=just_now(NOW))
    with day(electronic):
        back = perform(electronic, "send_back", by=made.desk.approver, note="改用纸质签署")
    assert (back.state, back.signed_by, back.signed) == ("issued", [], None)
    again = world.with_both(world.with_signature(world.fresh(back), world.signatory_of(made, mine.award)), made.desk)
    assert again.state == "effective" and again.signed_by == []


def test_a_certificate_that_cannot_sign_stops_it_before_anybody_asks(made: Judged, mine: Contract, settings: Any) -> None:
    settings.PLATFORM_CA = False
    said = refused(mine, "ask_grantee", world.signatory_of(made, mine.award), "can_sign_electronically", authenticated=just_now(NOW))
    assert "证书" in said and "扫描上传" in said


def test_a_signature_that_fails_says_why_and_can_be_tried_again(made: Judged, mine: Contract, monkeypatch: Any) -> None:
    """Expired between request and effect: the request is dropped with its reason, its asker is told, nothing is signed."""
    real = pades.sign
    monkeypatch.setattr(pades, "sign", lambda *_a: (_ for _ in ()).throw(keys.CannotSign("expired", "证书已到期")))
    contract = signed_by_grantee(made, mine)
    assert (contract.state, contract.asked_party, contract.signed) == ("issued", "", None)
    last = list(ledger.history(contract.subject))[-1]
    assert (last.verb, last.private["why"]) == ("drop_signature", "证书已到期")
    assert Message.objects.filter(template="awards/signing_failed").count() == 1
    monkeypatch.setattr(pades, "sign", real)
    assert signed_by_grantee(made, contract).state == "grantee_signed"


def test_a_request_that_gets_no_answer_can_be_withdrawn(made: Judged, mine: Contract, monkeypatch: Any) -> None:
    """A timestamp authority that is away: the effect waits and tries again; the party may withdraw and sign on paper; the late effect does nothing."""
    def away(*_args: Any) -> bytes:
        raise ConnectionError("no timestamp authority")

    by = world.signatory_of(made, mine.award)
    refused(mine, "withdraw_signature", by, "signature_pending")
    monkeypatch.setattr(pades, "sign", away)
    waiting = signed_by_grantee(made, mine)
    assert (waiting.state, waiting.asked_party) == ("issued", "grantee")
    assert "no timestamp authority" in Outbox.objects.get(task="awards.sign_electronically", done_at=None).error
    with day(mine):
        perform(waiting, "withdraw_signature", by=by)
    monkeypatch.undo()
    contract = world.with_signature(world.fresh(waiting), by)
    with day(mine):
        Outbox.objects.filter(task="awards.sign_electronically", done_at=None).update(due_at=effects.real_now())
        effects.drain()
    assert (world.fresh(contract).state, world.fresh(contract).signed_by) == ("grantee_signed", [])


def _other_contract(theirs: Contract, mine: Contract) -> bytes:
    assert theirs.file is not None
    return pades.sign(read_file(theirs.file.sha256), GRANTEE, esigning.signatory(mine, "grantee"))


def _wrong_field(theirs: Contract, mine: Contract) -> bytes:
    return pades.sign(esigning.base(mine), GRANTOR, esigning.signatory(mine, "grantee"))


def _wrong_body(theirs: Contract, mine: Contract) -> bytes:
    return pades.sign(esigning.base(mine), GRANTEE, esigning.signatory(theirs, "grantee"))


def _unsigned(theirs: Contract, mine: Contract) -> bytes:
    return esigning.base(mine)


def _cut(theirs: Contract, mine: Contract) -> bytes:
    return pades.sign(esigning.base(mine), GRANTEE, esigning.signatory(mine, "grantee"))[:-900]


@pytest.mark.parametrize("forge", [_other_contract, _wrong_field, _wrong_body, _unsigned, _cut])
def test_what_is_not_this_contract_signed_by_this_party_does_not_pass_the_check(mine: Contract, theirs: Contract, forge: Any) -> None:
    with day(mine):
        authority.init()
        authority.refresh()
        assert esigning.check(mine, "grantee", forge(theirs, mine)).why_not
        good = pades.sign(esigning.base(mine), GRANTEE, esigning.signatory(mine, "grantee"))
        assert esigning.check(mine, "grantee", good).why_not == ""


def test_the_door_takes_a_verdict_only_of_this_very_file_and_only_from_the_clock(made: Judged, mine: Contract) -> None:
    by = world.signatory_of(made, mine.award)
    with day(mine):
        services.sign_electronically(mine, "grantee", proof=just_now(NOW), by=by)
        pdf = pades.sign(esigning.base(mine), GRANTEE, esigning.signatory(mine, "grantee"))
        authority.refresh()
        checked = esigning.check(mine, "grantee", pdf)
    stored = store(pdf, name="a.pdf", allowed={"pdf"}, max_bytes=10**7)
    assert mine.file is not None
    refused(mine, "complete_grantee", SYSTEM, "signature_is_good", signed=mine.file, checked=checked)
    refused(mine, "complete_grantee", SYSTEM, "signature_is_good", signed=stored, checked=None)
    refused(mine, "complete_grantee", by, "the_clock", signed=stored, checked=checked)
    refused(mine, "complete_executor", SYSTEM, "signature_is_good", signed=stored, checked=checked)


def test_an_ended_contract_is_not_signed_by_an_effect_that_was_promised_before(made: Judged, mine: Contract) -> None:
    with day(mine):
        services.sign_electronically(mine, "grantee", proof=just_now(NOW), by=world.signatory_of(made, mine.award))
        perform(mine, "end", by=made.desk.approver, note="放弃立项")
        effects.drain()
    assert (world.fresh(mine).state, world.fresh(mine).signed) == ("ended", None)
    assert not Outbox.objects.filter(task="awards.sign_electronically", done_at=None).exists()


def test_on_the_pages_one_is_asked_again_who_one_is(made: Judged, mine: Contract) -> None:
    """A session without a recent authentication is led to the password first; then the form must be confirmed; then it waits."""
    person = world.signatory_of(made, mine.award)
    browser = Client()
    browser.force_login(person)
    left_open(browser)
    step = reverse("desk:step", args=["contract", mine.pk, "ask_grantee"])
    with day(mine):
        for answer in (browser.post(step, {"seen_state": "issued", "read": "on"}), browser.get(step)):
            assert answer.status_code == 302 and answer["Location"].startswith(reverse("account_reauthenticate"))
        again = browser.post(answer["Location"], {"password": people.PASSWORD})
        assert again.status_code == 302 and again["Location"] == step
        assert "第十三条" in browser.get(step).content.decode()
        assert browser.post(step, {"seen_state": "issued"}).status_code == 422
        assert browser.post(step, {"seen_state": "issued", "read": "on"}).status_code == 302
        shown = browser.get(reverse("desk:object", args=["contract", mine.pk])).content.decode()
        assert "乙方的电子签名正在生成" in shown
        effects.drain()
        shown = browser.get(reverse("desk:object", args=["contract", mine.pk])).content.decode()
    assert "核验签名" in shown and "协议（已有电子签名）" in shown


@pytest.mark.slow
def test_three_parties_the_executing_team_first() -> None:
    """A recorded group signs as 丙方 by its own signatory before its hub signs as 乙方."""
    made, hub = world.ranked_groups(1)
    world.proposed(made)
    (award,) = world.confirmed(made)
    contract = world.issued(award, made.desk)
    refused(contract, "ask_grantee", hub.signatory, "executor_has_signed", authenticated=just_now(NOW))
    refused(contract, "ask_executor", hub.signatory, "may_sign_for", authenticated=just_now(NOW))
    for party, by in (("executor", made.bodies[0].signatory), ("grantee", hub.signatory), ("grantor", made.desk.approver)):
        with day(contract):
            services.sign_electronically(contract, party, proof=just_now(NOW), by=by)
            effects.drain()
        contract = world.fresh(contract)
    assert (contract.state, contract.signed_by) == ("effective", ["executor", "grantee", "grantor"])
    assert judged(contract).holds
