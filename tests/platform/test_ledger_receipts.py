"""Receipts and proofs: given at once, proved later, and every change of a single byte refused."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command

from grants import ledger
from grants.ledger import keys, merkle, note, proofs, receipts
from grants.ledger.errors import KeyMissing, LedgerBroken, NotProvable
from grants.ledger.models import AuditEvent, AuditLeaf, AuditTile, Checkpoint
from grants.ledger.offline import verify
from tests.platform import ledger_book as bk

pytestmark = pytest.mark.django_db

ABOUT = {"number": "YX-001-H1", "event": "bid.submit", "project": "银龄守望"}


def steps(text: str, trusted: list[verify.Key] | None = None) -> list[str]:
    told: list[str] = []
    verify.check_receipt(text, trusted or receipts.trusted(), lambda step, detail: told.append(step))
    return told


def made(event: AuditEvent) -> str:
    return receipts.file(receipts.receipt(event, ABOUT)).decode()


def test_a_receipt_holds_at_once_and_is_proved_after_the_checkpoint() -> None:
    event = bk.write(3)[1]
    early = made(event)
    assert steps(early) == ["signature", "entry", "pending"]
    ledger.checkpoint()
    late = made(event)
    assert steps(late) == ["signature", "entry", "inclusion"]
    assert json.loads(early)["signature"] == json.loads(late)["signature"], "the promise is the same, the proof is added"


def test_the_same_receipt_can_be_made_again() -> None:
    event = bk.write(1)[0]
    assert receipts.file(receipts.signed(event, ABOUT)) == receipts.file(receipts.signed(event, ABOUT))


def test_no_single_character_can_be_changed() -> None:
    """Every position of the file, replaced: either it is no receipt any more or something named does not hold. The proof's included."""
    bk.write(5)
    event = AuditEvent.objects.order_by("id")[2]
    ledger.checkpoint()
    text, trusted = made(event), receipts.trusted()
    survived = []
    for at in range(0, len(text) - 1, 3):
        other = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
        try:
            verify.check_receipt(other, trusted, lambda step, detail: None)
        except verify.Bad:
            continue
        survived.append((at, text[max(0, at - 12) : at + 12]))
    assert survived == []


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"about": {**ABOUT, "project": "别的项目"}}, "signature"),
        ({"leaf": '{"at":"","event":"bid.submit","id":"x","subject":"bid:2"}'}, "signature"),
        ({"log": "elsewhere"}, "key"),
        ({"key": "gongchuang/receipts+00000000+AAAA"}, "key"),
        ({"format": "gongchuang-receipt/2"}, "receipt"),
        ({"extra": "unsigned"}, "receipt"),
        ({"proof": "c2sp.org/tlog-proof@v1\nindex x\n\n"}, "proof"),
        ({"proof": 5}, "proof"),
    ],
)
def test_what_was_changed_is_named(change: dict[str, object], kind: str) -> None:
    event = bk.write(1)[0]
    ledger.checkpoint()
    with pytest.raises(verify.Bad) as bad:
        steps(json.dumps({**receipts.receipt(event, ABOUT), **change}))
    assert bad.value.kind == kind


def test_a_proof_of_another_entry_is_refused() -> None:
    one, two = bk.write(2)
    ledger.checkpoint()
    mixed = {**receipts.receipt(one, ABOUT), "proof": receipts.receipt(two, ABOUT)["proof"]}
    with pytest.raises(verify.Bad) as bad:
        steps(json.dumps(mixed))
    assert bad.value.kind == "inclusion"


def test_a_forged_checkpoint_under_a_good_receipt_is_refused() -> None:
    event = bk.write(1)[0]
    ledger.checkpoint()
    held = receipts.receipt(event, ABOUT)
    forged = note.sign(note.TreeHead("gongchuang", 1, merkle.leaf_hash(b"x")).text(), "gongchuang", Ed25519PrivateKey.generate())
    with pytest.raises(verify.Bad) as bad:
        steps(json.dumps({**held, "proof": f"c2sp.org/tlog-proof@v1\nindex 0\n\n{forged}"}))
    assert bad.value.kind == "checkpoint"


def test_the_words_must_not_contradict_the_entry() -> None:
    """Even when our own key signed them."""
    event = bk.write(1)[0]
    with pytest.raises(verify.Bad) as bad:
        steps(receipts.file(receipts.signed(event, {**ABOUT, "event": "bid.withdraw"})).decode())
    assert bad.value.kind == "entry"


def test_the_log_key_cannot_stand_in_for_the_receipt_key() -> None:
    event = bk.write(1)[0]
    with pytest.raises(verify.Bad, match="没有名为"):
        steps(made(event), [verify.Key(str(keys.verifier()))])


def test_a_lost_receipt_key_is_not_replaced_in_silence() -> None:
    keys.receipt_key()
    keys.private_path(keys.RECEIPTS).unlink()
    try:
        with pytest.raises(KeyMissing, match=r"receipts\.pem"):
            keys.receipt_key()
    finally:
        keys.public_path(keys.RECEIPTS).unlink()


def test_proofs_use_kept_roots_and_reach_every_place() -> None:
    """More than two tiles: with kept roots, without them, and with a wrong one, which is refused and not handed out."""
    bk.write(700)
    ledger.checkpoint()
    without = proofs.inclusion(AuditLeaf.objects.get(index=3).event)
    assert proofs.keep_tiles() == 2
    assert proofs.keep_tiles() == 0
    for index in (0, 3, 255, 256, 511, 512, 699):
        found = proofs.inclusion(AuditLeaf.objects.get(index=index).event)
        assert found is not None and found.index == index
    assert without is not None and proofs.inclusion(AuditLeaf.objects.get(index=3).event) == without
    AuditTile.objects.filter(index=1).update(root=b"x" * 32)
    with pytest.raises(LedgerBroken, match="verify"):
        proofs.inclusion(AuditLeaf.objects.get(index=3).event)


def test_consistency_between_two_checkpoints_is_proved_and_others_are_refused(tmp_path: Path) -> None:
    bk.book()
    found = proofs.consistency(5, 14)
    old, new = Checkpoint.objects.get(size=5), Checkpoint.objects.get(size=14)
    assert verify.consistent(5, 14, bytes(old.root), bytes(new.root), found.hashes)
    with pytest.raises(NotProvable, match="14"):
        proofs.consistency(5, 13)
    with pytest.raises(NotProvable):
        proofs.consistency(14, 5)
    out = StringIO()
    call_command("ledger", "prove", "5:14", stdout=out)
    assert out.getvalue().startswith("consistency 5 14\n")


def test_the_prove_command_writes_a_tlog_proof(tmp_path: Path) -> None:
    bk.book()
    event, target = AuditLeaf.objects.get(index=6).event, tmp_path / "p.tlog-proof"
    call_command("ledger", "prove", str(event.uid), "--out", str(target))
    index, hashes, signed = verify.read_proof(target.read_text())
    origin, size, root = verify.open_checkpoint(signed, receipts.trusted())
    assert (index, origin, size) == (6, "gongchuang", 9)
    assert verify.climb(index, size, verify.leaf_hash(bytes(event.leaf)), hashes) == root
    waiting = AuditEvent.objects.get(place=None)
    for what, why in ((str(waiting.uid), "稍后"), ("no-uuid", "没有编号")):
        with pytest.raises(CommandError, match=why):
            call_command("ledger", "prove", what)


def test_the_receipt_command_says_what_it_checked_and_what_not(tmp_path: Path) -> None:
    event = bk.write(1)[0]
    ledger.checkpoint()
    path, key = tmp_path / "r.json", tmp_path / "keys.txt"
    path.write_text(made(event), encoding="utf-8")
    out = StringIO()
    call_command("receipt", "verify", str(path), stdout=out)
    assert "签名成立" in out.getvalue() and "已写入台账" in out.getvalue() and "没有检查的" in out.getvalue() and "本机" in out.getvalue()
    key.write_text("\n".join(str(k) for k in keys.published()))
    call_command("receipt", "verify", str(path), "--key", str(key), stdout=out)
    path.write_text(made(event).replace("银龄", "金龄"), encoding="utf-8")
    with pytest.raises(CommandError, match="签名与回执内容不符") as wrong:
        call_command("receipt", "verify", str(path), stdout=out)
    assert wrong.value.returncode == 1
    with pytest.raises(CommandError) as absent:
        call_command("receipt", "verify", str(tmp_path / "absent"), stdout=out)
    assert absent.value.returncode == 2


def test_the_receipt_command_asks_no_database(tmp_path: Path, django_assert_num_queries: object) -> None:
    event = bk.write(1)[0]
    path = tmp_path / "r.json"
    path.write_text(made(event), encoding="utf-8")
    with django_assert_num_queries(0):  # type: ignore[operator]
        call_command("receipt", "verify", str(path), stdout=StringIO())
        call_command("receipt", "key", stdout=StringIO())
