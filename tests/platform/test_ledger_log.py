"""Recording, reading, placing and signing: what the ledger keeps, and what it refuses to take."""

from __future__ import annotations

import hashlib
import json
import re
import stat
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from grants import clock, ledger
from grants.ledger import keys, merkle, note, sequencer, statements, sweeping
from grants.ledger.errors import KeyMissing, LedgerBroken, NotRecordable, OutsideTransaction
from grants.ledger.models import AuditEvent, AuditLeaf, AuditPayload, Checkpoint
from tests.platform import ledger_book as bk

LEAST: dict[str, Any] = {"event": "bid.submit", "actor": bk.CLERK, "role": "applicant", "subject": "bid:1"}


@pytest.mark.django_db
def test_the_leaf_is_the_documented_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/ledger-format.md, version 1: these bytes are what receipts and proofs will hash for fifteen years."""
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID("00000000-0000-4000-8000-000000000001"))
    monkeypatch.setattr("secrets.token_bytes", lambda n: b"\x01" * n)
    with clock.at(datetime(2026, 3, 1, 16, 59, 59, 5, tzinfo=clock.TZ)):
        row = ledger.record(
            **LEAST, scope="call:1", verb="submit", source="draft", target="submitted",
            files={"budget": "ab" * 32}, public={"fen": 4980000, "名": "公创"}, private={"note": "原因"},
        )  # fmt: skip
    commit = hashlib.sha256(b"\x01" * 32 + '{"note":"原因"}'.encode()).hexdigest()
    expected = (
        f'{{"actor":"{bk.CLERK}","at":"2026-03-01T08:59:59.000005Z","commit":"{commit}","event":"bid.submit",'
        f'"files":{{"budget":"{"ab" * 32}"}},"from":"draft","id":"00000000-0000-4000-8000-000000000001",'
        '"public":{"fen":4980000,"名":"公创"},"role":"applicant","scope":"call:1","subject":"bid:1","to":"submitted","v":1,"verb":"submit"}'
    )
    assert bytes(row.leaf).decode() == expected
    assert bytes(AuditEvent.objects.get().leaf) == bytes(row.leaf)
    assert (row.subject, row.scope, row.event, row.at) == (
        "bid:1",
        "call:1",
        "bid.submit",
        datetime(2026, 3, 1, 8, 59, 59, 5, tzinfo=UTC),
    )


@pytest.mark.django_db
def test_an_entry_without_extras_says_so_in_every_field() -> None:
    leaf = json.loads(bytes(ledger.record(**LEAST).leaf))
    assert set(leaf) == {
        "v",
        "id",
        "at",
        "event",
        "actor",
        "role",
        "subject",
        "scope",
        "verb",
        "from",
        "to",
        "files",
        "public",
        "commit",
    }
    assert leaf["commit"] is None
    assert leaf["files"] == leaf["public"] == {}


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_nothing_is_recorded() -> None:
    with pytest.raises(OutsideTransaction, match="transaction"):
        ledger.record(**LEAST)
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_entry_dies_with_its_transaction() -> None:
    with transaction.atomic():
        ledger.record(**LEAST, private={"note": "x"})
        transaction.set_rollback(True)
    assert not AuditEvent.objects.exists()
    assert not AuditPayload.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("private", "inserts"), [(None, 1), ({"note": "x"}, 2)])
def test_an_entry_costs_one_insert_or_two(private: dict[str, str] | None, inserts: int) -> None:
    with CaptureQueriesContext(connection) as asked:
        ledger.record(**LEAST, private=private)
    assert len(asked) == inserts
    assert all(q["sql"].startswith("INSERT") for q in asked)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"public": {"score": 88.5}}, "public.score"),
        ({"public": {"rows": [{"amount": Decimal("1.00")}]}}, "public.rows[0].amount"),
        ({"private": {"at": datetime(2026, 1, 1, tzinfo=UTC)}}, "private.at"),
        ({"public": {"contact": "13800138000"}}, "public.contact"),
        ({"public": {"rows": ["身份证 11010519491231002X"]}}, "public.rows[0]"),
        ({"public": {"big": "字" * 30_000}}, "public"),
        ({"files": {"budget": "AB" * 32}}, "files.budget"),
        ({"files": {"budget": "ab"}}, "files.budget"),
        ({"files": {"13800138000.pdf": "ab" * 32}}, "files"),
        ({"actor": "张三"}, "actor"),
        ({"actor": "13800138000"}, "actor"),
        ({"actor": "zhang@example.com"}, "actor"),
        ({"actor": ""}, "actor"),
        ({"subject": ""}, "subject"),
        ({"event": ""}, "event"),
        ({"event": "e" * 81}, "event"),
        ({"subject": "s" * 121}, "subject"),
        ({"subject": "person:11010519491231002X"}, "subject"),
        ({"role": None}, "role"),
        ({"subject": uuid.UUID(int=1)}, "subject"),
    ],
)
def test_what_must_not_stay_for_ever_is_refused_and_nothing_is_written(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(NotRecordable) as refused:
        ledger.record(**{**LEAST, **wrong})
    assert refused.value.field == field
    assert not AuditEvent.objects.exists()
    assert not AuditPayload.objects.exists()


@pytest.mark.django_db
def test_history_is_the_subject_s_own_in_order_and_one_query() -> None:
    ledger.record(**LEAST, verb="open", target="draft")
    ledger.record(**{**LEAST, "subject": "bid:2"})
    ledger.record(**LEAST, verb="submit", source="draft", target="submitted", public={"n": 1}, private={"note": "按时"})
    with CaptureQueriesContext(connection) as asked:
        first, second = ledger.history("bid:1")
    assert len(asked) == 1
    assert (first.verb, first.source, first.target, first.private, first.erased) == ("open", "", "draft", None, False)
    assert (second.verb, second.source, second.target, second.public) == ("submit", "draft", "submitted", {"n": 1})
    assert second.private == {"note": "按时"}
    assert second.at.tzinfo is not None
    assert ledger.history("bid:3") == []


@pytest.mark.django_db
def test_erasing_a_payload_keeps_the_log_whole_and_is_itself_recorded() -> None:
    row = ledger.record(**LEAST, private={"note": "个人情况"})
    ledger.checkpoint()
    ledger.erase(row.pk, actor="system", role="system", ground="个人信息保护法第四十七条")
    first, second = ledger.history("bid:1")
    assert (first.private, first.erased) == (None, True)
    assert (second.event, second.public["event"]) == ("ledger.erase", str(row.uid))
    assert ledger.verify().ok
    with pytest.raises(AuditPayload.DoesNotExist):
        ledger.erase(row.pk, actor="system", role="system", ground="again")


@pytest.mark.django_db
def test_places_follow_ids_within_a_batch_and_late_commits_are_not_lost() -> None:
    """A row whose lower id becomes visible after higher ones were placed: an "id greater than the last" would lose it."""
    rows = bk.write(4)
    AuditLeaf.objects.bulk_create(
        AuditLeaf(index=i, event=row, leaf_hash=merkle.leaf_hash(bytes(row.leaf)))
        for i, row in enumerate([rows[0], rows[2], rows[3]])
    )
    assert ledger.sequence() == 1
    assert list(AuditLeaf.objects.order_by("index").values_list("event_id", flat=True)) == [rows[i].pk for i in (0, 2, 3, 1)]
    assert ledger.checkpoint()
    assert ledger.verify().ok


@pytest.mark.django_db
def test_sequencing_takes_at_most_its_limit_and_ends() -> None:
    bk.write(5)
    assert [ledger.sequence(limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert list(AuditLeaf.objects.order_by("index").values_list("index", flat=True)) == [0, 1, 2, 3, 4]


def _placed_but_for(rows: list[AuditEvent], late: set[int]) -> None:
    """As if the transactions of these rows had committed after all the others had their places."""
    early = [row for number, row in enumerate(rows) if number not in late]
    AuditLeaf.objects.bulk_create(AuditLeaf(index=i, event=row, leaf_hash=merkle.leaf_hash(bytes(row.leaf))) for i, row in enumerate(early))


@pytest.mark.django_db
def test_what_is_too_late_for_the_quick_look_is_placed_by_the_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequencer, "NEAR", 2)
    _placed_but_for(bk.write(5), late={1, 3})
    assert ledger.sequence() == 1  # the fourth; the second is more than two ids below the newest
    assert sequencer.unplaced() == 1
    made = ledger.checkpoint()
    assert made is not None
    assert made.size == 5
    assert ledger.verify().ok


@pytest.mark.django_db
def test_what_is_too_late_for_a_checkpoint_is_counted_and_placed_by_the_night(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequencer, "NEAR", 2)
    monkeypatch.setattr(sequencer, "FAR", 3)
    _placed_but_for(bk.write(6), late={1})
    made = ledger.checkpoint()
    assert made is not None
    assert made.size == 5
    with clock.at(clock.now().astimezone(clock.TZ).replace(hour=2, minute=0) + timedelta(days=1)):
        swept = sweeping.nightly()
    assert swept is not None
    assert (swept.ok, swept.unsequenced) == (False, 1)
    assert sequencer.unplaced() == 0
    again = ledger.checkpoint()
    assert again is not None
    assert again.size == 6
    assert ledger.verify().ok


@pytest.mark.django_db
def test_a_long_log_is_signed_by_looking_at_the_newest_ids_only() -> None:
    """Both sides of the look are bounded: otherwise every checkpoint would read every place ever given."""
    before = bk.write(3)[-1].pk
    ledger.checkpoint()
    after = bk.write(1)[-1].pk
    with CaptureQueriesContext(connection) as asked:
        ledger.sequence()
        ledger.checkpoint()
    looks = [each["sql"] for each in asked if "NOT EXISTS" in each["sql"].upper()]
    assert len(looks) == 2
    for look, bound in zip(looks, (before - sequencer.NEAR, after - sequencer.FAR), strict=True):
        assert len(re.findall(rf"> +\(?{bound}\b", look)) == 2, look


@pytest.mark.django_db
def test_a_checkpoint_signs_the_tree_of_the_stored_bytes_and_only_once() -> None:
    rows = bk.write(7)
    made = ledger.checkpoint()
    assert made is not None
    head = note.TreeHead.parse(note.open_note(made.note, [keys.verifier()]))
    assert (head.origin, head.size) == ("gongchuang", 7)
    assert head.root == merkle.root(merkle.leaf_hash(bytes(row.leaf)) for row in rows)
    again = ledger.checkpoint()
    assert again == made
    assert Checkpoint.objects.count() == 1


@pytest.mark.django_db
def test_successive_checkpoints_are_consistent() -> None:
    """An auditor's own arithmetic: the RFC 6962 proof between each pair of signed roots holds."""
    sizes = bk.book()
    hashes = [bytes(h) for h in AuditLeaf.objects.order_by("index").values_list("leaf_hash", flat=True)]
    roots = {row.size: bytes(row.root) for row in Checkpoint.objects.all()}
    for old, new in pairwise(sizes):
        merkle.verify_consistency(old, new, roots[old], roots[new], merkle.consistency_proof(hashes[:new], old))
    for index in range(sizes[-1]):
        merkle.verify_inclusion(index, 14, hashes[index], merkle.inclusion_proof(hashes[:14], index), roots[14])


@pytest.mark.django_db
def test_what_was_altered_before_signing_is_not_signed() -> None:
    bk.book()
    with bk.tampering():
        bk.set_leaf(15, b"{}", mend=False)
        with pytest.raises(LedgerBroken, match="15"):
            ledger.checkpoint()
        assert Checkpoint.objects.count() == 3


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"frontier": b"f" * 96}, {"root": b"r" * 32}])
def test_a_falsified_last_checkpoint_is_not_built_upon(change: dict[str, bytes]) -> None:
    bk.book()
    with bk.tampering():
        Checkpoint.objects.filter(size=14).update(**change)
        with pytest.raises(LedgerBroken):
            ledger.checkpoint()


@pytest.mark.django_db
def test_a_shortened_log_is_not_continued() -> None:
    """Otherwise new events would take the places of removed ones."""
    bk.book()
    with bk.tampering():
        AuditLeaf.objects.filter(index__gte=12).delete()
        with pytest.raises(LedgerBroken, match="12"):
            ledger.sequence()


@pytest.mark.django_db
def test_the_key_is_its_owner_s_alone_and_never_silently_replaced(settings: Any, tmp_path: Path) -> None:
    settings.GONGCHUANG_HOME = tmp_path
    bk.write(1)
    ledger.checkpoint()
    assert stat.S_IMODE(keys.private_path().stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.private_path().parent.stat().st_mode) == 0o700
    assert keys.public_path().read_text().strip() == str(keys.verifier())
    assert sorted(p.name for p in keys.private_path().parent.iterdir()) == ["ledger.pem", "ledger.pub"]
    keys.private_path().unlink()
    bk.write(1)
    with pytest.raises(KeyMissing, match="备份"):
        ledger.checkpoint()
    assert not keys.private_path().exists()
    assert ledger.verify().fault is not None  # nothing can be trusted without a key …


@pytest.mark.django_db
def test_looking_makes_no_key(settings: Any, tmp_path: Path) -> None:
    """`ledger verify` is often run by another account; a key that it made would lock the worker out."""
    settings.GONGCHUANG_HOME = tmp_path
    bk.write(1)
    assert ledger.verify().ok
    assert not any(tmp_path.iterdir())


@pytest.mark.django_db
def test_a_damaged_key_is_a_clear_refusal(settings: Any, tmp_path: Path) -> None:
    settings.GONGCHUANG_HOME = tmp_path
    (tmp_path / "keys").mkdir()
    keys.private_path().write_text("not a key")
    bk.write(1)
    with pytest.raises(KeyMissing, match=r"ledger\.pem"):
        ledger.checkpoint()


@pytest.mark.django_db
@pytest.mark.parametrize("table", ["ledger_auditevent", "ledger_auditleaf", "ledger_checkpoint"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {} CASCADE", "INSERT OR REPLACE INTO {0} SELECT * FROM {0}"],
)
def test_the_database_refuses_to_change_the_log(table: str, statement: str) -> None:
    bk.book()
    connection.check_constraints()
    if statement.startswith("TRUNCATE") != (connection.vendor == "postgresql") and statement[0] in "TI":
        statement = "DELETE FROM {}"  # this database has no such statement; its plain form must be refused all the same
    column = {"ledger_auditleaf": '"index"'}.get(table, "id")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table, column, column))
    assert ledger.verify().ok


@pytest.mark.django_db
def test_a_payload_may_be_deleted_but_not_changed() -> None:
    row = bk.write(2)[1]
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        AuditPayload.objects.update(body=b"{}")
    AuditPayload.objects.get(event=row).delete()
    assert not AuditPayload.objects.exists()


@pytest.mark.django_db
def test_a_statement_that_comes_again_is_prepared_unless_somebody_listens_or_a_pooler_lends_the_connection() -> None:
    """And either way writes the same rows: the event, its payload, in order."""
    rows = [ledger.record(**LEAST, private={"n": n}) for n in range(5)]
    with CaptureQueriesContext(connection) as asked:
        rows.append(ledger.record(**LEAST, private={"n": 5}))
    assert len(asked) == 2
    assert statements._may_prepare(connection) is (connection.vendor == "postgresql")
    connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = True
    try:
        assert not statements._may_prepare(connection)
        rows.append(ledger.record(**LEAST, private={"n": 6}))
    finally:
        connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = False
    assert [entry.private for entry in ledger.history("bid:1")] == [{"n": n} for n in range(7)]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'INSERT INTO ledger_audit%%'")
            assert cursor.fetchone() == (2,)
