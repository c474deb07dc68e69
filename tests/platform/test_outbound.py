"""What this site sends to other machines goes to the address that was set and nowhere else (ASVS 15.3.2)."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import tsp

from grants import outbound
from grants.documents.signing import pades
from grants.ledger import stamping

ROOT = Path(__file__).resolve().parents[2]
OURS = [path for top in ("grants", "bidding", "review") for path in (ROOT / top).rglob("*.py")]


@pytest.fixture(params=[301, 302, 303, 307, 308])
def moved(request: Any) -> Iterator[Any]:
    """An address on loopback that sends whoever asks on to `/inside`; `seen` are the paths that were asked."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.server.seen.append(self.path)  # type: ignore[attr-defined]
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(request.param if self.path == "/tsa" else 200)
            self.send_header("Location", "/inside")
            self.end_headers()

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *words: Any) -> None:
            pass

    server: Any = HTTPServer(("127.0.0.1", 0), Answer)
    server.seen = []
    server.address = f"http://127.0.0.1:{server.server_port}/tsa"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_no_time_stamp_is_asked_for_at_an_address_that_the_authority_chooses(moved: Any, settings: Any) -> None:
    """Neither for the log nor for a signature; the sentence names both addresses and what to do."""
    settings.TSA_URL, settings.TSA_USER = moved.address, ""
    stamper = pades.timestamper()
    assert stamper is not None
    for ask in (
        lambda: stamping._post(moved.address, b"x"),
        lambda: asyncio.run(stamper.async_request_tsa_response(tsp.TimeStampReq({"version": "v1", "message_imprint": IMPRINT}))),
    ):
        with pytest.raises(outbound.Redirected, match=r"/tsa.*/inside.*改成最终的地址"):
            ask()
    assert moved.seen == ["/tsa", "/tsa"]


IMPRINT = tsp.MessageImprint({"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": b"0" * 32})


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://example.org/", "//example.org", ""])
def test_only_web_addresses_are_asked(address: str) -> None:
    """A setting that is no web address reads no file."""
    with pytest.raises(OSError, match="不是 http"):
        outbound.post(address, b"", headers={}, seconds=1, largest=1)


def test_there_is_no_other_way_out() -> None:
    """No module opens an HTTP connection of its own: `grants.outbound` does, and allauth's session, which the adapter forbids to follow."""
    way = re.compile(r"\burlopen\b|\bbuild_opener\b|\bhttp\.client\.HTTP|^\s*(?:import|from) (?:requests|httpx|aiohttp|urllib3|ftplib|telnetlib)\b|requests_client", re.MULTILINE)
    assert {path.relative_to(ROOT).as_posix() for path in OURS if way.search(path.read_text("utf-8"))} == {"grants/outbound.py"}
    sockets = {path.relative_to(ROOT).as_posix() for path in OURS if re.search(r"\bsocket\.(?:socket|create_connection)\(", path.read_text("utf-8"))}
    assert sockets == {"grants/documents/scanning.py", "grants/desk/management/commands/demo.py"}, "clamd, and a probe for a free port"
