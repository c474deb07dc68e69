"""Time stamps of an outside authority, cosignatures of witnesses, the second signature, the nightly sweep."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import keys as asn1keys
from asn1crypto import tsp
from asn1crypto import x509 as asn1x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper

from grants import clock, ledger
from grants.ledger import keys, note, postquantum, stamping, sweeping
from grants.ledger.models import AuditEvent, Checkpoint, Cosignature, Stamp, Sweep
from grants.ledger.note import BadNote
from grants.people import health
from tests.platform import ledger_book as bk

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def authority() -> DummyTimeStamper:
    """A time-stamping authority of this test's own."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "测试时间戳")])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    signed = made.not_valid_before(now).not_valid_after(now + timedelta(days=3650)).sign(key, hashes.SHA256())
    raw = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    certificate = asn1x509.Certificate.load(signed.public_bytes(serialization.Encoding.DER))
    return DummyTimeStamper(certificate, asn1keys.PrivateKeyInfo.load(raw), fixed_dt=NOON)


@pytest.fixture
def served(authority: DummyTimeStamper) -> Iterator[str]:
    """The authority behind HTTP on this machine."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = tsp.TimeStampReq.load(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(authority.request_tsa_response(asked).dump())

        def log_message(self, *words: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/tsa"
    server.shutdown()


def signed_on(day: datetime) -> Checkpoint:
    with clock.at(day):
        bk.write(2)
        made = ledger.checkpoint()
    assert made is not None
    return made


def test_the_last_checkpoint_of_a_past_day_is_stamped_once(served: str, settings: Any) -> None:
    settings.LEDGER_TSA_URL = served
    signed_on(NOON)
    last = signed_on(NOON + timedelta(hours=2))
    with clock.at(NOON + timedelta(hours=3)):
        assert stamping.stamp_due() == 0, "the day is not over"
    with clock.at(NOON + timedelta(days=1)):
        assert stamping.stamp_due() == 1
        assert stamping.stamp_due() == 0
    row = Stamp.objects.get()
    assert (row.checkpoint_id, row.stamped_at, row.error) == (last.pk, NOON, "")
    assert stamping.stamped_at(bytes(row.token or b""), stamping.imprint_of(last)) == NOON


def test_nothing_is_asked_without_an_authority(settings: Any) -> None:
    settings.LEDGER_TSA_URL = ""
    signed_on(NOON)
    with clock.at(NOON + timedelta(days=1)):
        assert stamping.stamp_due() == 0
    assert not Stamp.objects.exists()


def test_a_failure_only_delays(served: str, settings: Any) -> None:
    signed_on(NOON)
    settings.LEDGER_TSA_URL = "http://127.0.0.1:9/closed"
    with clock.at(NOON + timedelta(days=1)):
        assert stamping.stamp_due() == 0
        assert "Error" in Stamp.objects.get().error
        settings.LEDGER_TSA_URL = served
        assert stamping.stamp_due() == 0, "not again at once"
    with clock.at(NOON + timedelta(days=1, hours=1)):
        assert stamping.stamp_due() == 1
    assert Stamp.objects.get().attempts == 2


def test_a_stamp_over_something_else_or_an_old_answer_is_refused(authority: DummyTimeStamper) -> None:
    one, two = signed_on(NOON), signed_on(NOON)
    kept: list[bytes] = []

    def ask(request: bytes) -> bytes:
        answer = authority.request_tsa_response(tsp.TimeStampReq.load(request)).dump()
        kept.append(answer)
        return kept[0]

    assert stamping.stamp(one, ask)
    assert not stamping.stamp(two, ask), "the first answer again"
    assert "不是这个检查点" in Stamp.objects.get(checkpoint=two).error
    token = bytes(Stamp.objects.get(checkpoint=one).token or b"")
    with pytest.raises(stamping.NotStamped, match="随机数"):
        stamping.stamped_at(token, stamping.imprint_of(one), nonce=5)
    for broken in (b"", b"\x30\x00", token[:100]):
        with pytest.raises(stamping.NotStamped):
            stamping.stamped_at(broken, stamping.imprint_of(one))
    assert not stamping.stamp(two, lambda request: b"<html>busy</html>")


def test_a_witness_returns_a_checkpoint_with_its_line(settings: Any, tmp_path: Path) -> None:
    """Taken in once, kept with the checkpoint, checked by verify; a stranger's line and another log's checkpoint are refused."""
    witness, stranger = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    known = note.Verifier("w.example", witness.public_key().public_bytes_raw(), note.COSIGNATURE)
    settings.LEDGER_WITNESSES = [str(known)]
    made = signed_on(NOON)
    text = note.open_note(made.note, keys.verifiers())
    at = int(NOON.timestamp())

    def returned(key: Ed25519PrivateKey, verifier: note.Verifier = known) -> Path:
        path = tmp_path / "note"
        path.write_text(note.with_lines(made.note, [note.cosignature_line(verifier, at, key.sign(note.cosigned(text, at)))]), encoding="utf-8")
        return path

    out = StringIO()
    call_command("ledger", "cosign", str(returned(witness)), stdout=out)
    call_command("ledger", "cosign", str(returned(witness)), stdout=out)
    assert Cosignature.objects.get().signed_at == NOON
    assert made.full_note().count("w.example") == 1
    assert note.open_note(made.full_note(), keys.verifiers()) == text
    with pytest.raises(BadNote, match=r"w\.example"):
        call_command("ledger", "cosign", str(returned(stranger)))
    other = note.Verifier("x.example", stranger.public_key().public_bytes_raw(), note.COSIGNATURE)
    with pytest.raises(BadNote, match="LEDGER_WITNESSES"):
        call_command("ledger", "cosign", str(returned(stranger, other)))


def test_a_second_signature_is_made_where_asked_for_and_checked(settings: Any) -> None:
    assert postquantum.available(), "the pinned cryptography has ML-DSA"
    settings.LEDGER_MLDSA44 = True
    try:
        made = signed_on(NOON)
        assert made.note.count("\n— gongchuang ") == 2
        assert ledger.verify().ok
        line = made.note.splitlines()[-1]
        forged = made.note.replace(line, line[:-8] + ("AAAAAAA=" if not line.endswith("AAAAAAA=") else "BBBBBBB="))
        with pytest.raises(BadNote):
            note.open_note(forged, keys.verifiers())
        without = [v for v in keys.verifiers() if v.kind == note.ED25519]
        assert note.open_note(made.note, without), "who does not know the key skips the line"
    finally:
        for path in (keys.private_path(keys.SECOND), keys.public_path(keys.SECOND)):
            path.unlink(missing_ok=True)


def test_the_sweep_runs_at_night_once_and_tells_what_it_found() -> None:
    bk.book()
    AuditEvent.objects.filter(place=None)
    with clock.at(NOON):
        assert sweeping.nightly() is None, "it is noon"
    night = clock.now().astimezone(clock.TZ).replace(hour=2, minute=0) + timedelta(days=1)
    with clock.at(night):
        first = sweeping.nightly()
        assert sweeping.nightly() is None
    assert first is not None and first.leaves == 16
    assert (first.ok, first.unsequenced) == (False, 1), "an event of yesterday without a place"
    ledger.checkpoint()
    assert sweeping.sweep().ok
    with bk.tampering():
        bk.set_leaf(7, b"{}", mend=False)
        found = sweeping.sweep()
        assert not found.ok and "[5, 9)" in found.detail
        with pytest.raises(CommandError, match="altered"):
            call_command("ledger", "sweep")
    call_command("ledger", "sweep", stdout=StringIO())
    assert Sweep.objects.first().ok  # type: ignore[union-attr]


def test_the_administrators_page_tells_what_could_not_be_stamped_and_why(served: str, settings: Any) -> None:
    """Nothing without an authority; a failure is not well and says its reason; once it came, all is well again."""
    told = lambda: [(s.found, s.well) for s in health.signs() if s.name == "台账时间戳"]  # noqa: E731
    settings.LEDGER_TSA_URL = ""
    assert told() == []
    settings.LEDGER_TSA_URL = "http://127.0.0.1:9/tsa"
    signed_on(NOON)
    with clock.at(NOON + timedelta(days=1)):
        assert stamping.stamp_due() == 0
    ((found, well),) = told()
    assert not well and "1 天的没有取得" in found and "URLError" in found
    settings.LEDGER_TSA_URL = served
    with clock.at(NOON + timedelta(days=1, hours=1)):
        assert stamping.stamp_due() == 1
    ((found, well),) = told()
    assert well and "最近一枚" in found
