"""The whole log as a folder that `verify.py` checks anywhere: streamed, in constant memory, while the log may go on growing.

entries.jsonl: every leaf in order, one line each, exactly the bytes that are hashed. checkpoints.jsonl: every signed note. stamps.jsonl: tokens
of the time-stamping authority. payloads.jsonl: only when asked for, because it is what must be erasable. keys.txt: public keys.
verify.py, 说明.txt, and SHA256SUMS over all of them (against accidents; the tree is the evidence).
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from grants.ledger import keys
from grants.ledger.errors import LedgerError
from grants.ledger.models import AuditLeaf, AuditPayload, Checkpoint, Stamp, stored_bytes
from grants.ledger.offline import verify

CHUNK = 2_000
READ_ME = """公创台账导出
================
entries.jsonl      全部条目,一行一条,次序即序号(从 0 起);被哈希的就是行内字节
checkpoints.jsonl  全部检查点(C2SP 签名文本),按大小排列
stamps.jsonl       外部时间戳机构对检查点的时间戳(RFC 3161,base64),没有配置时为空
payloads.jsonl     附文及其盐;只有导出时指明才有,含个人信息,请依法保管
keys.txt           公钥。请与另处保存的公钥核对:只信文件夹自己的公钥,查不出掌握私钥者的改写
SHA256SUMS         各文件的哈希,只防意外损坏
verify.py          校验程序,只需 Python 3.8 以上,不联网、不装任何东西:

    python3 -S -E verify.py . --key 另存的公钥文件 --pin 大小:根

它会说明公钥从哪里来、尾部有几条尚无签名、哪些做法它查不出来。
"""


class NotEmpty(LedgerError, ValueError):
    """The folder to export into holds something already."""


@dataclass(frozen=True)
class Exported:
    """What was written. root: hex, of the newest checkpoint, "" for a log without one."""

    entries: int
    checkpoints: int
    payloads: int
    size: int
    root: str


def export(folder: Path, *, payloads: bool = False, progress: Callable[[int, int], object] | None = None) -> Exported:
    """Write the log into a new or empty folder. progress(done, total) is called now and then. Raises NotEmpty, KeyMissing, OSError."""
    _new(folder)
    newest = Checkpoint.objects.order_by("-size").first()  # before the leaves are counted: see verification._bound
    total = AuditLeaf.objects.count()
    entries = _write(folder / "entries.jsonl", _entries(total, progress))
    signed = _write(folder / "checkpoints.jsonl", checkpoint_lines(newest.size if newest else 0))
    _write(folder / "stamps.jsonl", stamp_lines())
    kept = _write(folder / "payloads.jsonl", _payloads(total)) if payloads else 0
    (folder / "keys.txt").write_text("".join(f"{key}\n" for key in keys.published()), encoding="utf-8")
    (folder / "说明.txt").write_text(READ_ME, encoding="utf-8")
    shutil.copyfile(verify.__file__, folder / "verify.py")
    sums = (f"{verify.digest_of(file)}  {file.name}\n" for file in sorted(folder.iterdir()))
    (folder / "SHA256SUMS").write_text("".join(list(sums)), encoding="utf-8")
    return Exported(entries, signed, kept, newest.size if newest else 0, stored_bytes(newest.root).hex() if newest else "")


def _new(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NotEmpty(_("%(folder)s 里已经有东西;请指定一个新文件夹。") % {"folder": folder})
    folder.mkdir(parents=True, exist_ok=True)


def _write(path: Path, lines: Iterable[bytes]) -> int:
    count = 0
    with path.open("wb") as file:
        for line in lines:
            file.write(line + b"\n")
            count += 1
    return count


def _entries(total: int, progress: Callable[[int, int], object] | None) -> Iterator[bytes]:
    rows = AuditLeaf.objects.filter(index__lt=total).order_by("index").values_list("event__leaf", flat=True)
    for done, leaf in enumerate(rows.iterator(chunk_size=CHUNK), 1):
        if progress is not None and done % 50_000 == 0:
            progress(done, total)
        yield stored_bytes(leaf)


def checkpoint_lines(size: int) -> Iterator[bytes]:
    """Every signed note up to `size`, one JSON object a line, without line ends."""
    rows = Checkpoint.objects.filter(size__lte=size).order_by("size").prefetch_related("cosignatures")
    for row in rows.iterator(chunk_size=CHUNK):
        note = str(row.note) + "".join(f"{c.line}\n" for c in sorted(row.cosignatures.all(), key=lambda c: c.pk))
        yield _json({"size": row.size, "at": row.at.isoformat(), "note": note})


def stamp_lines() -> Iterator[bytes]:
    """Every token of the time-stamping authority, one JSON object a line, without line ends."""
    rows = Stamp.objects.exclude(token=None).order_by("checkpoint__size").select_related("checkpoint")
    for row in rows.iterator(chunk_size=CHUNK):
        yield _json({"size": row.checkpoint.size, "token": base64.b64encode(stored_bytes(row.token)).decode()})


def _payloads(total: int) -> Iterator[bytes]:
    rows = AuditPayload.objects.filter(event__place__index__lt=total).order_by("event__place__index")
    for index, salt, body in rows.values_list("event__place__index", "salt", "body").iterator(chunk_size=CHUNK):
        yield _json({"index": index, "salt": stored_bytes(salt).hex(), "body": stored_bytes(body).decode()})


def _json(row: dict[str, object]) -> bytes:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()


def sha256_of(folder: Path) -> str:
    """The hash of SHA256SUMS: one number for the whole folder."""
    return hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest()
