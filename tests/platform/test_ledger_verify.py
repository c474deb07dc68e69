"""`verify` finds and locates what was done to the log, and names what it cannot find."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command
from django.db import connection

from grants import ledger
from grants.ledger import keys, note
from grants.ledger.errors import LedgerBroken
from grants.ledger.models import AuditEvent, AuditLeaf, AuditPayload, Checkpoint
from tests.platform import ledger_book as bk

pytestmark = pytest.mark.django_db

INTERVALS = {0: (0, 5), 4: (0, 5), 5: (5, 9), 8: (5, 9), 9: (9, 14), 13: (9, 14), 14: (14, None), 15: (14, None)}


def fault_of(**options: object) -> tuple[str, int, int | None]:
    fault = ledger.verify(**options).fault  # type: ignore[arg-type]
    assert fault is not None, "nothing was found"
    return fault.kind, fault.first, fault.last


def test_an_honest_log_is_intact_and_counted() -> None:
    bk.book()
    report = ledger.verify()
    assert report.ok
    assert (report.leaves, report.checkpoints, report.unanchored, report.unsequenced) == (16, 3, 2, 1)
    assert (report.payloads, report.erased) == (2 + 2 + 2 + 1, 0)


def test_an_empty_log_is_intact() -> None:
    assert ledger.verify().ok
    assert ledger.checkpoint() is None


@pytest.mark.parametrize("index", INTERVALS)
def test_a_flipped_byte_is_located(index: int) -> None:
    """Any leaf, first, last or between, whether signed over already or not."""
    bk.book()
    with bk.tampering():
        leaf = bytearray(bk.leaf_at(index))
        leaf[len(leaf) // 2] ^= 1
        bk.set_leaf(index, bytes(leaf), mend=False)
        assert fault_of() == ("altered", *INTERVALS[index])
    assert ledger.verify().ok


@pytest.mark.parametrize("index", [0, 6, 13])
def test_a_mended_hash_does_not_hide_an_altered_entry(index: int) -> None:
    """The copies still fit, the leaf hash fits: only the signed root tells."""
    bk.book()
    with bk.tampering():
        bk.set_leaf(index, bk.leaf_at(index).replace(b'"fen":4980000', b'"fen":9980000'), mend=True)
        assert fault_of() == ("altered", *INTERVALS.get(index, (5, 9)))


@pytest.mark.parametrize(
    "change", [{"subject": "bid:2"}, {"event": "bid.withdraw"}, {"scope": ""}, {"uid": "00000000-0000-4000-8000-000000000000"}]
)
def test_a_column_that_contradicts_its_entry_is_found(change: dict[str, str]) -> None:
    """Lists are filtered by columns, so a changed column would hide an entry from its history."""
    bk.book()
    with bk.tampering():
        AuditEvent.objects.filter(place__index=7).update(**change)
        assert fault_of() == ("altered", 5, 9)


def test_a_changed_time_column_is_found_even_before_sequencing() -> None:
    bk.book()
    with bk.tampering():
        AuditEvent.objects.filter(place=None).update(at="2020-01-01T00:00:00Z")
        assert fault_of() == ("altered", 14, None)


@pytest.mark.parametrize("index", [0, 6, 13])
@pytest.mark.parametrize("renumber", [False, True])
def test_a_removed_entry_is_located(index: int, renumber: bool) -> None:
    for count in (5, 4, 5):  # no leaf behind the last checkpoint that could fill the gap
        bk.write(count)
        ledger.checkpoint()
    with bk.tampering():
        AuditPayload.objects.all().delete()
        bk.drop(index, renumber=renumber)
        assert fault_of() == ("truncated" if index == 13 else "removed", *INTERVALS.get(index, (5, 9)))


def test_a_removed_entry_with_later_ones_moved_up_is_located() -> None:
    """Leaves behind the last checkpoint fill the gap: the interval is certain, the kind no longer."""
    bk.book()
    with bk.tampering():
        AuditPayload.objects.all().delete()
        bk.drop(6, renumber=True)
        assert fault_of() == ("altered", 5, 9)


def test_an_event_removed_from_under_its_place_is_located() -> None:
    bk.book()
    with bk.tampering():
        AuditPayload.objects.all().delete()
        place = AuditLeaf.objects.get(index=10)
        AuditEvent.objects.filter(pk=place.event_id)._raw_delete("default")
        assert fault_of() == ("removed", 9, 14)


def test_the_last_event_removed_from_under_its_place_is_located() -> None:
    bk.book()
    with bk.tampering():
        AuditPayload.objects.all().delete()
        AuditEvent.objects.filter(place__index=15)._raw_delete("default")
        assert fault_of() == ("removed", 14, None)


@pytest.mark.parametrize(("index", "interval"), [(0, (0, 5)), (7, (5, 9)), (13, (9, 14))])
def test_an_inserted_entry_is_located(index: int, interval: tuple[int, int]) -> None:
    bk.book()
    with bk.tampering():
        bk.squeeze_in(index)
        assert fault_of() == ("inserted", *interval)


@pytest.mark.parametrize("exchange", [bk.exchange_places, bk.exchange_contents])
@pytest.mark.parametrize(("a", "b", "interval"), [(0, 1, (0, 5)), (6, 8, (5, 9)), (9, 13, (9, 14))])
def test_swapped_entries_are_located(exchange: Callable[[int, int], None], a: int, b: int, interval: tuple[int, int]) -> None:
    bk.book()
    with bk.tampering():
        AuditPayload.objects.all().delete()
        exchange(a, b)
        assert fault_of() == ("reordered", *interval)


def test_a_cut_tail_is_found_while_its_checkpoint_stands() -> None:
    bk.book()
    with bk.tampering():
        AuditPayload.objects.all().delete()
        for index in range(15, 10, -1):
            bk.drop(index, renumber=False)
        assert fault_of() == ("truncated", 9, 14)


def test_a_cut_tail_without_its_checkpoints_needs_a_pin() -> None:
    """The one attack on the tail that the machine itself cannot show: a root kept outside does."""
    bk.book()
    pin = {14: bytes(Checkpoint.objects.get(size=14).root)}
    assert ledger.verify(pins=pin).pins == 1
    with bk.tampering():
        AuditPayload.objects.all().delete()
        Checkpoint.objects.filter(size__gt=5).delete()
        AuditEvent.objects.filter(place=None).delete()
        for index in range(15, 8, -1):
            bk.drop(index, renumber=False)
        assert ledger.verify().ok
        assert fault_of(pins=pin) == ("truncated", 5, 14)


def test_an_insider_with_the_key_needs_a_pin() -> None:
    """Whoever holds the key can rewrite everything and sign it again: only a root from outside contradicts."""
    bk.book()
    pins = {3: bk_root(3), 9: bytes(Checkpoint.objects.get(size=9).root)}
    assert ledger.verify(pins=pins).pins == 2
    with bk.tampering():
        bk.set_leaf(7, bk.leaf_at(7).replace(b'"fen":4980000', b'"fen":9980000'), mend=True)
        bk.resign_everything()
        assert ledger.verify().ok
        assert fault_of(pins=pins) == ("altered", 5, 9)


def bk_root(size: int) -> bytes:
    from grants.ledger import merkle

    return merkle.root(
        bytes(h) for h in AuditLeaf.objects.filter(index__lt=size).order_by("index").values_list("leaf_hash", flat=True)
    )


@pytest.mark.parametrize("column", ["body", "salt"])
def test_an_edited_payload_is_located_and_an_erased_one_is_fine(column: str) -> None:
    bk.book()
    target = AuditPayload.objects.filter(event__place__index=6)
    assert target.count() == 1
    with bk.tampering():
        target.update(**{column: b"other"})
        assert fault_of() == ("altered", 5, 9)
    target.delete()
    report = ledger.verify()
    assert report.ok
    assert (report.payloads, report.erased) == (6, 1)


def test_a_payload_slipped_under_an_entry_without_one_is_found() -> None:
    bk.book()
    AuditPayload.objects.create(event=AuditEvent.objects.get(place__index=5), salt=b"s" * 32, body=b"{}")
    assert fault_of() == ("altered", 5, 9)


@pytest.mark.parametrize(
    "change", [{"root": b"r" * 32}, {"note": "gongchuang\n9\nAAAA\n"}, {"frontier": b"f" * 64}, {"size": 10}]
)
def test_a_checkpoint_that_contradicts_its_signature_is_found(change: dict[str, object]) -> None:
    bk.book()
    with bk.tampering():
        Checkpoint.objects.filter(size=9).update(**change)
        kind, first, _last = fault_of()
        assert (kind, first) == ("checkpoint", 5)


def test_a_checkpoint_signed_by_a_stranger_is_found() -> None:
    bk.book()
    with bk.tampering():
        row = Checkpoint.objects.get(size=9)
        forged = note.sign(note.TreeHead("gongchuang", 9, bytes(row.root)).text(), "gongchuang", Ed25519PrivateKey.generate())
        Checkpoint.objects.filter(size=9).update(note=forged)
        assert fault_of() == ("checkpoint", 5, 9)


def test_a_key_from_outside_that_never_signed_is_not_satisfied() -> None:
    bk.book()
    stranger = note.Verifier.of("gongchuang", Ed25519PrivateKey.generate())
    assert fault_of(verifiers=[stranger]) == ("checkpoint", 0, 5)
    report = ledger.verify(verifiers=[keys.verifier()])
    assert report.ok
    assert not report.warnings


def test_the_commands_say_what_they_find(tmp_path: Path) -> None:
    """Exit code 1 with the interval when something is wrong; key and pin come from files and arguments."""
    bk.book()
    key = tmp_path / "log.pub"
    key.write_text(f"{keys.verifier()}\n")
    root = bytes(Checkpoint.objects.get(size=9).root).hex()
    out, err = StringIO(), StringIO()
    call_command("ledger", "verify", "--key", str(key), "--pin", f"9:{root}", stdout=out, stderr=err)
    assert "台账完整" in out.getvalue()
    assert not err.getvalue()
    with bk.tampering():
        bk.set_leaf(7, b"{}", mend=False)
        with pytest.raises(CommandError, match=r"\[5, 9\).*altered") as wrong:
            call_command("ledger", "verify", stderr=err)
        assert wrong.value.returncode == 1
        assert "ledger_auditevent_no_update" in err.getvalue()  # the missing triggers are mentioned


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE ledger_auditevent SET leaf = replace(leaf, '4980000', '9980000') WHERE id = {event}",  # turns the BLOB into text
        "UPDATE ledger_auditevent SET leaf = 17 WHERE id = {event}",
        "UPDATE ledger_auditevent SET leaf = '' WHERE id = {event}",
        "UPDATE ledger_auditevent SET uid = 'no uuid' WHERE id = {event}",
        "UPDATE ledger_auditevent SET at = 'yesterday' WHERE id = {event}",
        "UPDATE ledger_auditleaf SET leaf_hash = 'text' WHERE event_id = {event}",
        "UPDATE ledger_auditpayload SET salt = 'text' WHERE event_id = {event}",
        "UPDATE ledger_auditpayload SET body = 3.5 WHERE event_id = {event}",
        "UPDATE ledger_checkpoint SET root = 'text' WHERE size = 9",
        "UPDATE ledger_checkpoint SET note = x'00' WHERE size = 9",
    ],
)
def test_values_of_a_wrong_type_are_faults_not_crashes(damage: str) -> None:
    """SQLite stores any type in any column; a raw statement must not blind the check. PostgreSQL has no such values."""
    bk.book()
    if connection.vendor == "postgresql":
        damage = "UPDATE ledger_auditevent SET leaf = '' WHERE id = {event}"
    with bk.tampering():
        with connection.cursor() as cursor:
            cursor.execute(damage.format(event=AuditLeaf.objects.get(index=6).event_id))
        kind, first, last = fault_of()
        assert (first, last) == (5, 9)
        assert kind in {"altered", "checkpoint"}


def test_a_checkpoint_whose_size_is_no_number_is_a_fault() -> None:
    bk.book()
    if connection.vendor == "postgresql":
        return  # its columns hold numbers only
    with bk.tampering():
        with connection.cursor() as cursor:
            cursor.execute("UPDATE ledger_checkpoint SET size = 'nine' WHERE size = 9")
        assert fault_of() == ("altered", 0, None)


def test_a_history_that_cannot_be_read_says_so() -> None:
    bk.book()
    with bk.tampering():
        bk.set_leaf(3, b"no json", mend=True)
        with pytest.raises(LedgerBroken, match="ledger verify"):
            ledger.history("bid:1")


@pytest.mark.parametrize("pin", ["9", "x:00", "9:zz", "9:" + "0" * 63, "-1:" + "0" * 64])
def test_a_pin_that_cannot_be_read_is_refused(pin: str) -> None:
    with pytest.raises(CommandError):
        call_command("ledger", "verify", f"--pin={pin}")


def test_a_wrong_pin_fails_even_an_honest_log() -> None:
    bk.book()
    assert fault_of(pins={9: hashlib.sha256(b"other").digest()}) == ("altered", 5, 9)
    assert fault_of(pins={99: bytes(32)})[0] == "truncated"


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="公钥"):
        call_command("ledger", "verify", "--key", str(tmp_path / "absent"))


def test_show_stats_and_sequence_tell_what_there_is() -> None:
    bk.book()
    out = StringIO()
    for words in (["show", "bid:1"], ["stats"], ["sequence"], ["checkpoint"], ["key"], ["guard"]):
        call_command("ledger", *words, stdout=out)
    text = out.getvalue()
    assert text.count("bid.submit") == 17
    assert '"unsequenced": 1' in text
    assert "gongchuang\n17\n" in text
    with pytest.raises(CommandError, match="没有"):
        call_command("ledger", "show", "bid:unknown")
