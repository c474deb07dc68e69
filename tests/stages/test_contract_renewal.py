"""Signed contracts stay provable: due in time, renewed by the clock alone, judged at the door, told to operations."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from grants import clock, ledger
from grants.awards import esigning, renewing, services
from grants.awards.models import Contract
from grants.documents.files import read_file, store
from grants.documents.signing import authority, judging
from grants.documents.signing.verdict import judge
from grants.people.again import just_now
from grants.workflow import effects
from grants.workflow.door import SYSTEM, perform
from grants.workflow.refusals import Invalid, NotNow, NotYou
from tests.world import awards as world
from tests.world import shared
from tests.world import signing as stamps
from tests.world.review import Judged

pytestmark = pytest.mark.django_db
YEAR = timedelta(days=365)
STAMPED = {"PLATFORM_CA": True, "SIGN_LEVEL": "B-LTA", "EXTERNAL_SIGNER": ""}


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """Two confirmed awards with issued contracts, made once; each test's changes are rolled back."""
    with shared.rows(django_db_blocker):
        judged = world.ranked(amounts=["107000.53", "60000.00"])
        world.proposed(judged)
        for award in world.confirmed(judged):
            world.issued(award, judged.desk)
        yield judged


@pytest.fixture(scope="module")
def first(made: Judged, django_db_blocker: Any) -> stamps.Authority:
    """The timestamp authority of the day of signing; its certificate is good for a year."""
    with django_db_blocker.unblock():
        return stamps.Authority("时间戳根", at=day(Contract.objects.get(award=world.awards(made.call)[0])))


@pytest.fixture(scope="module")
def started(made: Judged, first: stamps.Authority, django_db_blocker: Any) -> Contract:
    """Signed by both parties, B-LTA, once."""
    with django_db_blocker.unblock():
        contract = Contract.objects.get(award=world.awards(made.call)[0])
        with clock.at(day(contract)), stamps.stamping(first) as address, override_settings(**STAMPED, TSA_URL=address):
            first.trusted()
            for party, by in (("grantee", world.signatory_of(made, contract.award)), ("grantor", made.desk.approver)):
                services.sign_electronically(world.fresh(contract), party, proof=just_now("password"), by=by)
                effects.drain()
        return contract


@pytest.fixture
def signed(started: Contract, settings: Any) -> Contract:
    """The contract as each test finds it; whoever stamped it is not asked again."""
    settings.PLATFORM_CA, settings.SIGN_LEVEL, settings.EXTERNAL_SIGNER = STAMPED.values()
    contract = world.fresh(started)
    assert (contract.state, contract.provable_until) == ("effective", day(contract) + YEAR)
    return contract


def day(contract: Contract) -> datetime:
    return world.contract_day(contract.award).replace(microsecond=0)


@pytest.fixture
def later(signed: Contract, first: stamps.Authority, settings: Any) -> Iterator[datetime]:
    """Ten months on: the authority has a new certificate, every revocation list is of that day."""
    moment = day(signed) + timedelta(days=300)
    second = stamps.Authority("第二时间戳根", at=moment)
    with clock.at(moment), stamps.stamping(second) as address:
        first.trusted()
        second.trusted()
        authority.refresh()
        settings.TSA_URL = address
        yield moment


def test_nothing_is_due_while_there_is_time(signed: Contract) -> None:
    with clock.at(day(signed) + YEAR - renewing.AHEAD - timedelta(days=1)):
        assert list(renewing.due()) == []
    with clock.at(day(signed) + YEAR - renewing.AHEAD + timedelta(days=1)):
        assert list(renewing.due()) == [signed]


def test_the_chore_renews_what_is_due_and_nothing_else(signed: Contract, later: datetime) -> None:
    """The signed bytes stay, everything holds, the log says it; a second run finds nothing; the earlier copy is still known."""
    assert signed.signed is not None
    before = read_file(signed.signed.sha256)
    assert renewing.renew_due() == 1
    contract = world.fresh(signed)
    assert (contract.state, contract.provable_until) == ("effective", later + YEAR)
    assert contract.signed is not None and contract.signed != signed.signed and contract.agency_scan == signed.signed
    after = read_file(contract.signed.sha256)
    assert after.startswith(before) and judge(after).holds
    told = list(ledger.history(contract.subject))[-1]
    assert (told.verb, told.actor, told.public) == ("renew_stamp", "system", {"until": (later + YEAR).date().isoformat()})
    assert told.files["signed"] == contract.signed.sha256
    assert renewing.renew_due() == 0
    with clock.at(day(signed) + YEAR + timedelta(days=20)):
        authority.refresh()
        assert not judge(before).holds


def test_an_authority_that_is_away_delays_and_breaks_nothing(signed: Contract, later: datetime, settings: Any, caplog: Any) -> None:
    settings.TSA_URL = "http://127.0.0.1:9/"
    assert renewing.renew_due() == 0
    assert "tried again tomorrow" in caplog.text
    assert world.fresh(signed).signed == signed.signed
    settings.TSA_URL = ""
    assert renewing.renew_due() == 0


def test_what_has_run_out_is_not_renewed(signed: Contract, later: datetime) -> None:
    with clock.at(day(signed) + YEAR + timedelta(days=1)):
        assert renewing.renew_due() == 0
        out = io.StringIO()
        with pytest.raises(CommandError):
            call_command("contract", "renew", stdout=out)
        assert signed.number in out.getvalue() and "✗" in out.getvalue()
        with pytest.raises(CommandError):
            call_command("contract", "due", stdout=out)
        assert "已到期" in out.getvalue()
    assert world.fresh(signed).signed == signed.signed


def refused(contract: Contract, by: Any, rule: str, **details: Any) -> None:
    with pytest.raises((Invalid, NotNow, NotYou)) as told:
        perform(contract, "renew_stamp", by=by, **details)
    assert told.value.rule == rule, str(told.value)


def test_the_door_takes_only_this_file_longer_than_before_and_only_from_the_clock(made: Judged, signed: Contract, later: datetime) -> None:
    longer = judging.renew(esigning.base(signed))
    checked = esigning.check(signed, "grantor", longer)
    stored = store(longer, name="a.pdf", allowed={"pdf"}, max_bytes=10**7)
    refused(signed, made.desk.approver, "the_clock", signed=stored, checked=checked)
    refused(signed, SYSTEM, "renewal_is_good", signed=signed.signed, checked=checked)
    refused(signed, SYSTEM, "renewal_is_good", signed=stored, checked=None)
    same = esigning.check(signed, "grantor", esigning.base(signed))
    refused(signed, SYSTEM, "renewal_is_good", signed=signed.signed, checked=same)
    other = Contract.objects.exclude(pk=signed.pk).get(award__call=made.call)
    refused(other, SYSTEM, "state", signed=stored, checked=checked)


def test_a_file_that_was_changed_is_not_taken(signed: Contract, later: datetime, monkeypatch: Any) -> None:
    """Renewal of something else than the contract's own file: the check says it and the contract keeps what it has."""
    assert signed.file is not None
    monkeypatch.setattr(judging, "renew", lambda pdf: pdf[:-40] + b"0" * 40)
    assert renewing.renew_due() == 0
    assert world.fresh(signed).signed == signed.signed


def test_operations_get_the_list_and_a_way_to_do_it_now(signed: Contract, later: datetime) -> None:
    """Soonest first with its day; an exit code for a monitor only when it is urgent."""
    out = io.StringIO()
    call_command("contract", "due", stdout=out)
    assert f"{day(signed) + YEAR:%Y-%m-%d}  {signed.number}" in out.getvalue() and "1 份" in out.getvalue()
    call_command("contract", "due", "--days", "30", stdout=out)
    assert "0 份" in out.getvalue()
    call_command("contract", "renew", stdout=out)
    assert f"✓ {signed.number}" in out.getvalue()
    assert list(renewing.due()) == []
