"""Virus scanning by a clamd beside us, where one is configured (`CLAMD=unix:/run/clamav/clamd.ctl` or `tcp:127.0.0.1:3310`).

Uploads are given to it after every check of our own and before they are kept; bytes go through its INSTREAM command, so it needs no access to the
data folder. When it does not answer, `CLAMD_WHEN_AWAY` decides: `refuse` (nothing unscanned is kept) or `accept` (a scanner that died must not cost
a bidder the deadline; `manage.py files scan` looks at everything later). Protocol: clamd(8), INSTREAM: pieces of 4-byte big-endian length and bytes.
"""

from __future__ import annotations

import logging
import socket
import struct
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from grants.documents.inspection import FileRefused

PIECE: Final = 64 * 1024
PATIENCE: Final = 60.0
"""Seconds for one answer: a workbook full of archives takes some."""
LONGEST_ANSWER: Final = 4096
log = logging.getLogger(__name__)


class ScannerAway(Exception):
    """clamd did not answer, or not in its own words."""


def scan(path: Path, name: str) -> None:
    """Ask about one file that is about to be kept. Raises FileRefused("virus" | "unscanned"); nothing is asked where none is configured."""
    if not settings.CLAMD:
        return
    try:
        found = virus_in(path)
    except ScannerAway as away:
        log.warning("clamd: %s", away)
        if settings.CLAMD_WHEN_AWAY != "accept":
            raise FileRefused("unscanned", _("“%(name)s”暂时无法进行病毒检查，没有保存。请几分钟后再上传；一直如此请联系主办方。"), name=name) from away
        return
    if found:
        log.warning("clamd found %s", found)
        raise FileRefused("virus", _("“%(name)s”含有病毒（%(virus)s），没有保存。请杀毒后重新导出再上传。"), name=name, virus=found)


def virus_in(path: Path) -> str:
    """What clamd calls what it found in a file; "" for a clean one. Raises ScannerAway."""
    try:
        with _connected() as there, path.open("rb") as stream:
            there.sendall(b"zINSTREAM\0")
            while piece := stream.read(PIECE):
                there.sendall(struct.pack(">I", len(piece)) + piece)
            there.sendall(struct.pack(">I", 0))
            return _answer(there.recv(LONGEST_ANSWER))
    except OSError as wrong:
        raise ScannerAway(str(wrong)) from wrong


def _answer(raw: bytes) -> str:
    words = raw.rstrip(b"\0\n").decode("utf-8", "replace")
    if words.endswith("FOUND"):
        return words.removeprefix("stream:").removesuffix("FOUND").strip()
    if words == "stream: OK":
        return ""
    raise ScannerAway(words or "no answer")


def _connected() -> socket.socket:
    kind, _colon, place = settings.CLAMD.partition(":")
    there = socket.socket(socket.AF_UNIX if kind == "unix" else socket.AF_INET, socket.SOCK_STREAM)
    there.settimeout(PATIENCE)
    try:
        there.connect(place if kind == "unix" else _host_and_port(place))
    except OSError:
        there.close()
        raise
    return there


def _host_and_port(place: str) -> tuple[str, int]:
    host, _colon, port = place.rpartition(":")
    return host or "127.0.0.1", int(port)
