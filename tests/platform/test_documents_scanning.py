"""Uploads past a clamd: clean ones are kept, infected ones are not, and a scanner that is away refuses or lets pass as the settings say."""

from __future__ import annotations

import io
import socketserver
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from grants.config.checks import _scanner
from grants.documents.files import path_of, store
from grants.documents.inspection import FileRefused
from grants.documents.models import StoredFile

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\n%(what)s\ntrailer<<>>\nstartxref\n9\n%%EOF\n"
BAD = b"stand-in for a virus"


class Clamd(socketserver.BaseRequestHandler):
    """Speaks INSTREAM as clamd(8) describes it; whatever holds BAD is infected."""

    def handle(self) -> None:
        stream = self.request.makefile("rb")
        assert stream.read(10) == b"zINSTREAM\0"
        content = b""
        while (size := struct.unpack(">I", stream.read(4))[0]) > 0:
            content += stream.read(size)
        self.request.sendall(b"stream: Test.Signature FOUND\0" if BAD in content else b"stream: OK\0")


@pytest.fixture
def clamd(settings: Any, tmp_path: Path) -> Iterator[str]:
    settings.GONGCHUANG_HOME = tmp_path
    place = f"{tmp_path}/clamd.ctl"
    with socketserver.ThreadingUnixStreamServer(place, Clamd) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        settings.CLAMD = f"unix:{place}"
        yield place
        server.shutdown()


def sent(what: bytes, filler: int = 0) -> StoredFile:
    return store(io.BytesIO(PDF.replace(b"%(what)s", what + b"%" * filler)), name="章程.pdf", allowed={"pdf"}, max_bytes=10**7)


@pytest.mark.usefixtures("clamd")
@pytest.mark.parametrize("filler", [0, 65_536, 200_001])
def test_a_clean_file_is_kept_whatever_its_size(filler: int) -> None:
    assert path_of(sent(b"good", filler).sha256).exists()


@pytest.mark.usefixtures("clamd")
@pytest.mark.parametrize("filler", [0, 200_001])
def test_an_infected_file_is_not_kept_and_the_sentence_names_what_was_found(filler: int) -> None:
    with pytest.raises(FileRefused) as refused:
        sent(b"%" * filler + BAD)
    assert refused.value.code == "virus"
    assert "Test.Signature" in refused.value.sentence
    assert not StoredFile.objects.exists()


def test_while_the_scanner_is_away_nothing_is_kept(settings: Any, tmp_path: Path) -> None:
    settings.GONGCHUANG_HOME, settings.CLAMD = tmp_path, f"unix:{tmp_path}/nobody.ctl"
    with pytest.raises(FileRefused) as refused:
        sent(b"good")
    assert refused.value.code == "unscanned"
    assert [each for each in (tmp_path / "files").rglob("*") if each.is_file()] == []


def test_where_the_operator_says_so_a_dead_scanner_costs_nobody_the_deadline(settings: Any, tmp_path: Path) -> None:
    settings.GONGCHUANG_HOME, settings.CLAMD, settings.CLAMD_WHEN_AWAY = tmp_path, f"unix:{tmp_path}/nobody.ctl", "accept"
    assert path_of(sent(b"good").sha256).exists()


def test_what_was_taken_unscanned_is_found_later_by_the_command(clamd: str, settings: Any, capsys: Any) -> None:
    settings.CLAMD = ""
    kept = [sent(b"good"), sent(BAD)]
    settings.CLAMD = f"unix:{clamd}"
    with pytest.raises(CommandError):
        call_command("files", "scan")
    told = capsys.readouterr().out
    assert f"{kept[1].sha256}  病毒 Test.Signature" in told
    assert kept[0].sha256 not in told


@pytest.mark.usefixtures("clamd")
def test_the_command_names_a_file_that_was_changed_on_disk(capsys: Any) -> None:
    kept = sent(b"good")
    call_command("files", "check")
    path_of(kept.sha256).chmod(0o600)
    path_of(kept.sha256).write_bytes(b"other")
    with pytest.raises(CommandError):
        call_command("files", "check")
    assert f"{kept.sha256}  缺失或已被改动" in capsys.readouterr().out


@pytest.mark.parametrize(("address", "away", "wrong"), [
    ("", "refuse", 0), ("unix:/run/clamd.ctl", "accept", 0), ("tcp:127.0.0.1:3310", "refuse", 0),
    ("/run/clamd.ctl", "refuse", 1), ("tcp:localhost", "refuse", 1), ("unix:clamd", "later", 2),
])  # fmt: skip
def test_an_address_that_cannot_be_one_stops_the_start(settings: Any, address: str, away: str, wrong: int) -> None:
    settings.CLAMD, settings.CLAMD_WHEN_AWAY = address, away
    assert len(list(_scanner())) == wrong
