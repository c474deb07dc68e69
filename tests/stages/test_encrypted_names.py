"""A dump of the database names nobody who need not be found by name: every column of every table is read, of a call that was really run."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from bidding.models import Bid, BidVersion, TeamMember
from grants import clock
from grants.awards.models import Contract, Objection, PublicNotice
from grants.calls.needs.models import Need
from grants.evaluation.models import Evaluation
from grants.notifications.models import Message
from grants.people.models import Organisation
from grants.vault.columns import decrypt, encrypt
from tests.world import awards, calls, funding, needs, people
from tests.world import bidding as bids

pytestmark = pytest.mark.django_db

MEMBER, LICENCE, HEAD, SAID = "令狐沛然", "SWZ-77120934", "欧阳致远", "由令狐沛然每周到场督导"
STREET, PHONE = "望湖街道松风里七弄四号", "13911223344"
RESIDENT, MOBILE, OBJECTOR, REACHED = "司徒静宜", "13755667788", "慕容清扬", "13655443322"
HIDDEN = (MEMBER, LICENCE, HEAD, SAID, STREET, PHONE, RESIDENT, MOBILE, OBJECTOR, REACHED)
"""Persons whom nothing else in the story is called like; what is looked for in the dump."""


def dump() -> str:
    """Every column of every table as text, as a dump or a copied file would show it; JSON's escapes are no hiding place."""
    texts = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"select * from {connection.ops.quote_name(table)}")
            texts += [f"{table}|{_readable(row)}" for row in cursor.fetchall()]
    return "\n".join(texts)


def _readable(row: Any) -> str:
    plain = "|".join(bytes(v).decode("utf-8", "replace") if isinstance(v, bytes | memoryview) else str(v) for v in row)
    return plain + "|" + plain.encode("utf-8").decode("unicode_escape", "replace") if "\\u" in plain else plain


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the story makes is about the persons above."""
    team, particulars, answer = bids.team, people.particulars, bids.answer
    monkeypatch.setattr(bids, "team", lambda call: [{**m, "name": MEMBER, "licence_no": LICENCE} for m in team(call)])
    monkeypatch.setattr(
        people, "particulars", lambda *given, **more: {**particulars(*given, **more), "legal_representative": HEAD, "address": STREET, "phone": PHONE}
    )
    monkeypatch.setattr(bids, "answer", lambda field: answer(field) if str(field.kind) != "longtext" else SAID)


def lived() -> funding.Project:
    """A call run to its first payment, a need proposed, an objection filed."""
    project = funding.begun(awards.rules(), amounts=("90000.00",))[0]
    funding.paid(project, 1)
    needs.proposed(project.desk, name=RESIDENT, contact=MOBILE)
    Objection.objects.create(
        call=project.award.call, notice=PublicNotice.objects.filter(call=project.award.call)[0], number="YY-1", objector_kind="person", created_at=clock.now(),
        objector_name=OBJECTOR, objector_contact=REACHED, facts=f"{MEMBER}并不在该单位工作",
    )  # fmt: skip
    report, _new = Evaluation.objects.get_or_create(award=project.award, moment="midterm", defaults={"due_at": clock.now(), "created_at": clock.now()})
    Evaluation.objects.filter(pk=report.pk).update(answers={"done": {"who": SAID}}, comment=f"{MEMBER}带队")
    Message.objects.create(to=project.desk.officer, template="note", subject=f"{RESIDENT}的来信", body=SAID, key="letter", created_at=clock.now())
    return project


def test_a_dump_of_a_call_that_was_run_to_its_payment_names_nobody_of_the_applications(named: None) -> None:
    project = lived()
    bid = project.award.bid
    assert {m.name for m in TeamMember.objects.filter(bid=bid)} == {MEMBER}
    assert MEMBER in BidVersion.objects.get(bid=bid).document
    assert SAID in str(Bid.objects.get(pk=bid.pk).answers)
    assert (bid.organisation.legal_representative, bid.organisation.address) == (HEAD, STREET)
    assert HEAD in str(Contract.objects.get(award=project.award).data)
    assert Need.objects.get().contact == MOBILE
    assert Objection.objects.get().objector_name == OBJECTOR
    assert Evaluation.objects.get(award=project.award, moment="midterm").answers == {"done": {"who": SAID}}
    assert Message.objects.get(key="letter").subject == f"{RESIDENT}的来信"
    text = dump()
    assert bid.title in text, "the dump was read"
    found = {hidden: [line.partition("|")[0] for line in text.splitlines() if hidden in line] for hidden in HIDDEN}
    assert {hidden: tables for hidden, tables in found.items() if tables} == {}


BEFORE = [
    ("people", "0008_encrypted_columns"), ("bidding", "0010_kept_copies_until"), ("review", "0013_namesakes"), ("awards", "0007_provable_until"),
    ("funding", "0004_encrypted_columns"), ("evaluation", "0002_report_answers_have_versions"), ("notifications", "0002_wishes_words_calendar"),
]  # fmt: skip
"""The last step of each stage before the one that encrypts."""


def migrated(to: list[tuple[str, str]] | None = None) -> None:
    """Tables altered for real: to these steps, or forwards to the newest of everything."""
    executor = MigrationExecutor(connection)
    executor.migrate(to or executor.loader.graph.leaf_nodes())


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_columns_become_plain_and_secret_again_without_a_word_lost(named: None) -> None:
    """The migrations run backwards and forwards over rows: in between an older program reads its own columns, JSON and all."""
    desk = people.office()
    call = calls.opened(desk, awards.rules())
    with clock.at(bids.opens(call)):
        bid = bids.submitted(call, people.body(desk))
    letter = Message.objects.create(to=desk.officer, template="note", subject=f"{MEMBER}的来信", body=SAID, key="letter", created_at=clock.now())
    said, handed_in, hash_ = bid.answers, BidVersion.objects.get().document, BidVersion.objects.get().hash
    try:
        migrated(BEFORE)
        text = dump()
        assert [hidden for hidden in (MEMBER, LICENCE, HEAD, SAID, STREET) if hidden not in text] == []
        with connection.cursor() as cursor:
            cursor.execute("select subject, body from notifications_message where key = 'letter'")
            assert cursor.fetchone() == (f"{MEMBER}的来信", SAID)
            cursor.execute("select answers, document from bidding_bid b join bidding_bidversion v on v.bid_id = b.id")
            answers, document = cursor.fetchone()
        assert (json.loads(answers) if isinstance(answers, str) else answers, document) == (said, handed_in)
    finally:
        migrated()
    assert [hidden for hidden in HIDDEN if hidden in dump()] == []
    letter.refresh_from_db()
    assert (letter.subject, letter.body) == (f"{MEMBER}的来信", SAID)
    version = BidVersion.objects.get()
    assert (Bid.objects.get().answers, version.document, version.hash) == (said, handed_in, hash_)
    assert {m.name for m in TeamMember.objects.all()} == {MEMBER}
    assert Organisation.objects.get(pk=bid.organisation_id).address == STREET


def test_a_thousand_encrypted_values_are_read_in_well_under_a_second() -> None:
    """A list decrypts a value a row: the key file is read and the cipher made once, not a thousand times."""
    stored = [encrypt(f"成员{n}", "bidding_teammember.name") for n in range(1000)]
    began = time.perf_counter()
    assert decrypt(stored[-1], "bidding_teammember.name") == "成员999"
    for value in stored:
        decrypt(value, "bidding_teammember.name")
    assert time.perf_counter() - began < 0.5
