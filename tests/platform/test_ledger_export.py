"""The exported log, checked by the file that goes with it: what is detected and where, and what is not and why (docs/ledger-format.md §7)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command
from django.db import transaction

from grants import ledger
from grants.ledger import export, keys, merkle, note, receipts
from grants.ledger.models import AuditEvent, AuditLeaf, AuditPayload, Checkpoint
from grants.ledger.offline import verify
from tests.platform import ledger_book as bk

pytestmark = pytest.mark.django_db
ABOUT = {"number": "YX-001-H1", "event": "bid.submit"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    bk.book()
    made = export.export(tmp_path / "log", payloads=True)
    assert (made.entries, made.checkpoints, made.size) == (16, 3, 14)
    return tmp_path / "log"


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def rewrite(path: Path, rows: list[str]) -> None:
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")


def mended(folder: Path) -> None:
    """What whoever edits does next: the sums fit again."""
    rows = [f"{verify.digest_of(f)}  {f.name}" for f in sorted(folder.iterdir()) if f.name != "SHA256SUMS"]
    rewrite(folder / "SHA256SUMS", rows)


def run(folder: Path, *more: str) -> tuple[int, str]:
    """As an auditor runs it: our own interpreter without site packages and environment."""
    done = subprocess.run([sys.executable, "-S", "-E", str(folder / "verify.py"), str(folder), *more], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def fault(folder: Path, **given: object) -> tuple[str, int | None, int | None]:
    trusted = given.pop("keys", None) or verify.read_keys([(folder / "keys.txt").read_text()], "文件夹")
    with pytest.raises(verify.Bad) as bad:
        verify.check_log(folder, trusted, given.pop("pins", {}))  # type: ignore[arg-type]
    return bad.value.kind, bad.value.first, bad.value.last


def test_an_honest_export_is_intact_and_says_what_it_cannot_know(folder: Path) -> None:
    code, said = run(folder)
    assert code == 0, said
    assert "条目 16" in said and "检查点 3 个" in said and "尾部未受检查点保护的条目:2" in said
    assert "公钥来自被检查的文件夹本身" in said and "没有给出外部留存的根" in said and "没有给出回执" in said
    key, newest = folder.parent / "kept.txt", Checkpoint.objects.get(size=14)
    key.write_text("\n".join(str(k) for k in keys.published()))
    code, said = run(folder, "--key", str(key), "--pin", f"14:{bytes(newest.root).hex()}")
    assert code == 0 and "外部给出" in said and "公钥来自被检查的文件夹本身" not in said and "最新的留存根在第 14 条" in said


def test_the_export_runs_on_the_oldest_python_there_is(folder: Path) -> None:
    old = next((p for p in (shutil.which(f"python3.{n}") for n in (8, 9, 10, 11)) if p and works(p)), sys.executable)
    done = subprocess.run([old, "-S", "-E", str(folder / "verify.py"), str(folder)], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


def works(python: str) -> bool:
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


def edited(rows: list[str]) -> list[str]:
    return [*rows[:7], rows[7].replace('"fen":4980000', '"fen":9980000'), *rows[8:]]


TAMPERED: list[tuple[str, Callable[[list[str]], list[str]], tuple[str, int, int]]] = [
    ("edited", edited, ("altered", 5, 9)),
    ("deleted", lambda rows: rows[:6] + rows[7:], ("altered", 5, 9)),
    ("inserted", lambda rows: [*rows[:6], rows[3], *rows[6:]], ("altered", 5, 9)),
    ("swapped", lambda rows: [*rows[:1], rows[2], rows[1], *rows[3:]], ("altered", 0, 5)),
    ("cut", lambda rows: rows[:11], ("truncated", 9, 14)),
    ("emptied", lambda rows: [], ("truncated", 0, 5)),
]


@pytest.mark.parametrize(("change", "found"), [t[1:] for t in TAMPERED], ids=[t[0] for t in TAMPERED])
def test_a_tampered_export_is_located_even_with_fitting_sums(
    folder: Path, change: Callable[[list[str]], list[str]], found: tuple[str, int, int]
) -> None:
    rewrite(folder / "entries.jsonl", change(lines(folder / "entries.jsonl")))
    code, said = run(folder)
    assert code == 1 and "SHA256SUMS" in said
    mended(folder)
    (folder / "payloads.jsonl").unlink()
    mended(folder)
    assert fault(folder) == found
    code, said = run(folder)
    assert code == 1 and f"[{found[1]}, {found[2]})" in said and "FAILED" in said


def test_one_flipped_byte_in_any_file_is_found_and_the_file_named(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        if not whole:
            continue
        for at in (0, len(whole) // 2, len(whole) - 1):
            broken = bytearray(whole)
            broken[at] ^= 1
            path.write_bytes(bytes(broken))
            with pytest.raises(verify.Bad) as bad:
                verify.check_sums(folder)
            assert path.name in str(bad.value) or path.name == "SHA256SUMS", (path.name, at, str(bad.value))
        path.write_bytes(whole)
    verify.check_sums(folder)


@pytest.mark.parametrize("at", [0.1, 0.4, 0.6, 0.9])
def test_one_flipped_byte_in_a_checkpoint_is_found_without_the_sums(folder: Path, at: float) -> None:
    path = folder / "checkpoints.jsonl"
    raw = bytearray(path.read_bytes())
    note_at = raw.find(b'"note":"') + 8
    place = note_at + int((len(raw.split(b"\n")[0]) - note_at - 8) * at)
    raw[place] ^= 1
    path.write_bytes(bytes(raw))
    assert fault(folder)[0] in {"checkpoint", "altered", "format"}


def test_an_edited_payload_is_found_and_an_erased_one_leaves_the_export_valid(folder: Path, tmp_path: Path) -> None:
    """个人信息保护法 §47: erasure and immutability both, shown through export and offline verifier."""
    rows = [json.loads(row) for row in lines(folder / "payloads.jsonl")]
    rewrite(folder / "payloads.jsonl", [json.dumps({**rows[0], "body": '{"note":"别的"}'}), *map(json.dumps, rows[1:])])
    kind, first, last = fault(folder)
    assert (kind, first, last) == ("payload", 0, 5)
    payload = AuditPayload.objects.order_by("pk")[0]
    secret = bytes(payload.body).decode()
    with transaction.atomic():
        ledger.erase(payload.event_id, actor=bk.CLERK, role="privacy", ground="本人请求")
    ledger.checkpoint()
    export.export(tmp_path / "after", payloads=True)
    code, said = run(tmp_path / "after")
    assert code == 0 and "附文不在导出中或已依法删除" in said
    everything = b"".join(f.read_bytes() for f in (tmp_path / "after").iterdir()).decode("utf-8", "replace")
    assert secret not in everything and "本人请求" in everything
    assert ledger.verify().ok


def test_payloads_leave_the_house_only_when_asked_for(tmp_path: Path) -> None:
    bk.book()
    out = StringIO()
    call_command("ledger", "export", str(tmp_path / "plain"), stdout=out)
    assert not (tmp_path / "plain" / "payloads.jsonl").exists()
    assert "说明 1" not in b"".join(f.read_bytes() for f in (tmp_path / "plain").iterdir()).decode()
    call_command("ledger", "verify", str(tmp_path / "plain"), stdout=out)
    with pytest.raises(CommandError, match="新文件夹"):
        call_command("ledger", "export", str(tmp_path / "plain"))
    rewrite(tmp_path / "plain" / "entries.jsonl", edited(lines(tmp_path / "plain" / "entries.jsonl")))
    with pytest.raises(CommandError) as wrong:
        call_command("ledger", "verify", str(tmp_path / "plain"), stdout=out)
    assert wrong.value.returncode == 1


def forged(folder: Path, *, size: int | None = None) -> None:
    """What an insider with the log's key does: an entry edited or the tail cut, every checkpoint signed again, the sums mended."""
    rows = lines(folder / "entries.jsonl")
    rows = edited(rows) if size is None else rows[:size]
    rewrite(folder / "entries.jsonl", rows)
    tree, signed = merkle.Frontier(), []
    sizes = [json.loads(row)["size"] for row in lines(folder / "checkpoints.jsonl")]
    for row in rows:
        tree.append(merkle.leaf_hash(row.encode()))
        if tree.size in sizes:
            head = note.TreeHead("gongchuang", tree.size, tree.root())
            signed.append(json.dumps({"size": tree.size, "note": note.sign(head.text(), "gongchuang", keys.signing_key())}))
    rewrite(folder / "checkpoints.jsonl", signed)
    (folder / "payloads.jsonl").unlink(missing_ok=True)
    mended(folder)


def test_not_detected_without_help_an_insider_who_signs_everything_again(folder: Path) -> None:
    """Named as undetectable in the documentation, shown here; one receipt or one pin from outside and it is found, with the place."""
    receipt = folder.parent / "held.receipt.json"
    receipt.write_bytes(receipts.file(receipts.receipt(AuditLeaf.objects.get(index=7).event, ABOUT)))
    pin = f"9:{bytes(Checkpoint.objects.get(size=9).root).hex()}"
    assert run(folder, "--receipt", str(receipt), "--pin", pin)[0] == 0
    forged(folder)
    code, said = run(folder)
    assert code == 0 and "没有给出外部留存的根:掌握台账私钥的人改写全部条目并重新签署" in said
    code, said = run(folder, "--receipt", str(receipt))
    assert code == 1 and "split-view" in said and "[7, 8)" in said
    code, said = run(folder, "--pin", pin)
    assert code == 1 and "[5, 9)" in said


def test_not_detected_without_help_a_tail_cut_with_its_checkpoints(folder: Path) -> None:
    pin = f"14:{bytes(Checkpoint.objects.get(size=14).root).hex()}"
    forged(folder, size=9)
    assert run(folder)[0] == 0
    code, said = run(folder, "--pin", pin)
    assert code == 1 and "truncated" in said


def test_not_detected_entries_behind_the_last_checkpoint(folder: Path) -> None:
    """They are counted, and said to be without protection; that is all."""
    rewrite(folder / "entries.jsonl", lines(folder / "entries.jsonl")[:15])
    (folder / "payloads.jsonl").unlink()
    mended(folder)
    code, said = run(folder)
    assert code == 0 and "尾部未受检查点保护的条目:1" in said


def test_another_key_in_the_folder_is_only_found_by_a_key_from_outside(folder: Path) -> None:
    kept, stranger = str(keys.verifier()), Ed25519PrivateKey.generate()
    signed = []
    for row in lines(folder / "checkpoints.jsonl"):
        text = note.open_note(json.loads(row)["note"], [keys.verifier()])
        signed.append(json.dumps({"size": json.loads(row)["size"], "note": note.sign(text, "gongchuang", stranger)}))
    rewrite(folder / "checkpoints.jsonl", signed)
    rewrite(folder / "keys.txt", [str(note.Verifier.of("gongchuang", stranger))])
    mended(folder)
    code, said = run(folder)
    assert code == 0 and "公钥来自被检查的文件夹本身" in said
    code, said = run(folder, "--key", kept)
    assert code == 1 and "checkpoint" in said


def test_checkpoints_out_of_order_and_lines_that_are_none_are_named(folder: Path) -> None:
    rows = lines(folder / "checkpoints.jsonl")
    for broken in ([rows[1], rows[0], rows[2]], ["{}", *rows], ["no json", *rows]):
        rewrite(folder / "checkpoints.jsonl", broken)
        assert fault(folder)[0] in {"checkpoint", "altered"}


def test_nothing_to_check_with_is_said(folder: Path) -> None:
    (folder / "keys.txt").write_text("")
    code, said = run(folder)
    assert code == 1 and "没有公钥" in said
    assert run(folder, "--pin", "x")[0] == 1
    assert AuditEvent.objects.count() == 17
