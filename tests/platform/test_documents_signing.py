"""Signatures on paper: valid only while nothing was changed, by the right party, with a certificate that counts; clean PDF/A before and after."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.signers.pdf_signer import PdfTimeStamper
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, NumberObject, TextStringObject

from grants import clock
from grants.documents.contract import DATA_FILE
from grants.documents.signing import authority, external, judging, keys, pades, store
from grants.documents.signing.fields import EXECUTOR, GRANTEE, GRANTOR
from grants.documents.signing.keys import CannotSign
from grants.documents.signing.verdict import Paper, judge
from tests.platform.contract_samples import ordinary
from tests.world import pdfa
from tests.world import signing as world

NOON = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> Path:
    settings.GONGCHUANG_HOME = tmp_path
    settings.PLATFORM_CA, settings.TSA_URL, settings.SIGN_LEVEL, settings.EXTERNAL_SIGNER = True, "", "B-B", ""
    return tmp_path


@pytest.fixture
def both() -> bytes:
    return world.by_both()


def flaws(pdf: bytes) -> dict[str, str]:
    return {s.field: s.flaw for s in judge(pdf).signatures}


@pytest.mark.parametrize("which", world.SAMPLES)
def test_fields_of_all_parties_exist_before_the_first_signature(which: str) -> None:
    """Empty, named, printing, each of the mark's size; the file is clean PDF/A-3u."""
    pdf = world.printed(which)
    assert judge(pdf).unsigned == ("grantor", "grantee", "executor")[: 3 if which == "three-party" else 2]
    reader = PdfReader(io.BytesIO(pdf))
    boxes = [tuple(map(float, a.get_object()["/Rect"])) for page in reader.pages for a in page.get("/Annots", []) if a.get_object().get("/FT") == "/Sig"]
    assert len(boxes) == (3 if which == "three-party" else 2)
    assert all(x2 - x1 == pytest.approx(198.4, abs=1) and y2 - y1 == pytest.approx(62.4, abs=1) for x1, y1, x2, y2 in boxes)
    assert pdfa.problems(pdf) == []


def test_the_lint_itself_finds_what_is_wrong() -> None:
    """A bare PDF fails it in many ways; a paper with an undrawn annotation, a script or a lost font fails by name."""
    out = io.BytesIO()
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    script = DictionaryObject({NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("app.alert(1)")})
    writer.root_object[NameObject("/OpenAction")] = writer._add_object(script)
    writer.write(out)
    found = " ".join(pdfa.problems(out.getvalue()))
    for what in ("6.6.4", "6.2.3", "6.5", "6.7"):
        assert what in found
    changed = PdfWriter(clone_from=io.BytesIO(world.printed()))
    for page in changed.pages:
        for note in page.get("/Annots", []):
            note.get_object()[NameObject("/F")] = NumberObject(2)
            del note.get_object()["/AP"]
        for font in page["/Resources"].get_object()["/Font"].get_object().values():
            font.get_object().pop("/ToUnicode", None)
    out = io.BytesIO()
    changed.write(out)
    found = " ".join(pdfa.problems(out.getvalue()))
    for what in ("6.3.2", "6.3.3", "6.2.11.7.2"):
        assert what in found


@pytest.mark.slow
def test_the_same_data_gives_the_same_bytes_in_another_process() -> None:
    """Before signing nothing random goes in: two processes with other hash seeds make the file this one makes."""
    code = (
        "import django; django.setup()\nimport hashlib\nfrom tests.world.signing import printed\n"
        "print(*(hashlib.sha256(printed(w)).hexdigest() for w in ('two-party', 'three-party')))"
    )
    root = Path(__file__).parents[2]
    run = [
        subprocess.run(
            [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "DJANGO_SETTINGS_MODULE": "grants.config.settings", "TZ": zone, "PYTHONPATH": str(root)},
        ).stdout.split()
        for seed, zone in (("1", "UTC"), ("2", "America/Lima"))
    ]  # fmt: skip
    assert run[0] == run[1] == [hashlib.sha256(world.printed(which)).hexdigest() for which in world.SAMPLES]


def test_two_parties_sign_and_both_hold_after_both(both: bytes) -> None:
    """The bytes that were there stay; the data is embedded as a source file; by the development CA; PDF/A as before."""
    assert both.startswith(world.printed())
    paper = judge(both)
    assert paper.holds and paper.unsigned == ()
    assert [(s.field, s.signer, s.code, s.issuer, s.level) for s in paper.signatures] == [
        ("grantee", ordinary().grantee.name, ordinary().grantee.code, "development", "B-B"),
        ("grantor", ordinary().funder.name, ordinary().funder.code, "development", "B-B"),
    ]
    assert paper.data is not None and paper.data[DATA_FILE] == ordinary().canonical()
    assert json.loads(paper.data[DATA_FILE])["number"] == ordinary().number
    assert pdfa.problems(both) == []
    assert "电子签名" not in PdfReader(io.BytesIO(both)).pages[12].extract_text()  # the mark is a picture: it needs no font


def test_three_parties_sign_in_any_order() -> None:
    who = {"executor": keys.Signatory("B-0031", "晚晴互助队"), "grantee": world.grantee("three-party"), "grantor": world.grantor("three-party")}
    pdf = world.printed("three-party")
    for field in (EXECUTOR, GRANTEE, GRANTOR):
        pdf = pades.sign(pdf, field, who[field.name])
    assert judge(pdf).holds and len(judge(pdf).signatures) == 3
    assert pdfa.problems(pdf) == []


def test_the_time_a_signature_states_is_the_clocks() -> None:
    with clock.at(NOON):
        pdf = pades.sign(world.printed(), GRANTEE, world.grantee())
        assert judge(pdf).signatures[0].at == NOON


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_one_flipped_bit_is_found_wherever_it_is(both: bytes, place: float) -> None:
    """In the part both signed, every signature falls; nothing is reported as whole."""
    changed = bytearray(both)
    changed[int(len(world.printed()) * place)] ^= 1
    paper = judge(bytes(changed))
    assert not paper.holds
    assert not any(s.holds for s in paper.signatures)


def test_a_flipped_bit_in_the_last_signature_breaks_that_one(both: bytes) -> None:
    changed = bytearray(both)
    at = both.rindex(b"/Contents <") + 2000 if b"/Contents <" in both else both.rindex(b"/Contents<") + 2000
    changed[at] = ord("0") if changed[at] != ord("0") else ord("1")
    assert not judge(bytes(changed)).holds


def appended(pdf: bytes, act: Any) -> bytes:
    """The file with an incremental update, as an editor writes it."""
    writer = PdfWriter(io.BytesIO(pdf), incremental=True)
    act(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _new_page(writer: PdfWriter) -> None:
    writer.add_blank_page(595, 842)


def _turned(writer: PdfWriter) -> None:
    writer.pages[0][NameObject("/Rotate")] = NumberObject(180)


def _other_data(writer: PdfWriter) -> None:
    names = writer.root_object["/Names"].get_object()["/EmbeddedFiles"].get_object()["/Names"]
    names[1].get_object()["/EF"]["/F"].get_object().set_data(b'{"amount":"999999.00"}')


@pytest.mark.parametrize("change", [_new_page, _turned, _other_data])
def test_what_is_appended_after_signing_is_a_change(both: bytes, change: Any) -> None:
    """An added page, a turned page, exchanged data: the old bytes are whole, the difference policy refuses all the same."""
    changed = appended(both, change)
    assert changed.startswith(both)
    assert set(flaws(changed).values()) == {"changed"}
    assert not judge(changed).holds


def test_rewriting_the_whole_file_breaks_it(both: bytes) -> None:
    out = io.BytesIO()
    PdfWriter(clone_from=io.BytesIO(both)).write(out)
    assert not judge(out.getvalue()).holds


def test_a_field_is_signed_once_and_only_a_field_that_is_there(both: bytes) -> None:
    for pdf, field in ((both, GRANTOR), (world.printed(), EXECUTOR)):
        with pytest.raises(CannotSign) as told:
            pades.sign(pdf, field, world.grantor())
        assert told.value.rule == "field"


def test_an_expired_certificate_does_not_sign_and_an_old_signature_says_so() -> None:
    """An imported one; the platform's own are renewed, and what the old one signed stays signed until it runs out."""
    ca, party = world.Authority(at=NOON), ordinary().grantee
    keys.take_in(party.code, ca.packed(party.name, party.code, days=10), "geheim")
    with clock.at(NOON):
        ca.trusted()
        pdf = pades.sign(world.printed(), GRANTEE, world.grantee())
        assert judge(pdf).holds
    with clock.at(NOON + timedelta(days=11)):
        assert flaws(pdf) == {"grantee": "expired"}
        with pytest.raises(CannotSign) as told:
            pades.sign(world.printed(), GRANTEE, world.grantee())
        assert told.value.rule == "expired"
        assert keys.obstacle(party.code, party.name) == str(told.value)


def test_the_platforms_own_certificates_are_renewed_without_undoing_what_they_signed() -> None:
    party = ordinary().grantee
    with clock.at(NOON):
        authority.init()
        first = authority.issue(party.code, party.name, days=20)
        pdf = pades.sign(world.printed(), GRANTEE, world.grantee())
    with clock.at(NOON + timedelta(days=19)):
        authority.issue(party.code, party.name, days=20)
        assert keys.credential(party.code, party.name).certificate.serial_number != first.serial_number
        assert judge(pdf).holds
    with clock.at(NOON + timedelta(days=60)):
        authority.refresh()
        assert judge(pades.sign(world.printed(), GRANTEE, world.grantee())).holds


def test_a_revoked_certificate_is_found(both: bytes) -> None:
    assert judge(both).holds
    authority.revoke(ordinary().grantee.code, reason="keyCompromise")
    assert flaws(both) == {"grantee": "revoked", "grantor": ""}
    assert not judge(both).holds


def test_without_a_current_list_nothing_is_said_about_revocation(both: bytes) -> None:
    authority.list_path().unlink()
    assert set(flaws(both).values()) == {"revocation_unknown"}


def test_a_strangers_certificate_is_unknown_until_its_root_is_trusted_here() -> None:
    """Imported as PKCS#12; the root decides, not the name in the certificate."""
    ca, party = world.Authority("公创开发 CA"), ordinary().grantee
    keys.take_in(party.code, ca.packed(party.name, party.code), "geheim")
    pdf = pades.sign(world.printed(), GRANTEE, world.grantee())
    assert (judge(pdf).signatures[0].issuer, judge(pdf).signatures[0].flaw) == ("unknown", "unknown")
    ca.trusted(lists=False)
    assert (judge(pdf).signatures[0].issuer, judge(pdf).signatures[0].flaw) == ("trusted", "revocation_unknown")
    ca.trusted()
    assert (judge(pdf).signatures[0].issuer, judge(pdf).signatures[0].flaw) == ("trusted", "")


def test_an_import_with_a_wrong_password_or_for_another_body_is_refused() -> None:
    ca, party = world.Authority(), ordinary().grantee
    packed = ca.packed(party.name, party.code)
    with pytest.raises(CannotSign):
        keys.take_in(party.code, packed, "falsch")
    with pytest.raises(CannotSign, match=party.code):
        keys.take_in(ordinary().funder.code, packed, "geheim")
    assert not keys.held(party.code)


def test_keys_are_for_their_owner_only_and_names_lead_nowhere(both: bytes, home: Path) -> None:
    files = [p for p in (home / "keys" / "signing").rglob("*") if p.is_file()]
    assert len(files) >= 5
    assert {p.stat().st_mode & 0o777 for p in files} == {0o600}
    with pytest.raises(ValueError, match="not a code"):
        store.path_for("../ledger", ".pem")


def test_production_does_not_use_the_development_certificates_silently(settings: Any) -> None:
    """Neither one that is already there nor a new one."""
    authority.init()
    authority.issue(ordinary().grantee.code, ordinary().grantee.name)
    settings.PLATFORM_CA = False
    for party, rule in ((world.grantee(), "development"), (world.grantor(), "certificate")):
        with pytest.raises(CannotSign) as told:
            pades.sign(world.printed(), GRANTEE, party)
        assert told.value.rule == rule
    assert not keys.held(ordinary().funder.code)


@pytest.mark.parametrize("level", ["B-T", "B-LT", "B-LTA"])
def test_with_a_timestamp_authority(settings: Any, level: str) -> None:
    """RFC 3161 over HTTP; the level asked for is the level found; a certificate that runs out later keeps its old signatures."""
    stamper, party = world.Authority("时间戳根", at=NOON), ordinary().grantee
    with clock.at(NOON), world.stamping(stamper) as address:
        stamper.trusted()
        authority.init()
        authority.issue(party.code, party.name, days=10)
        settings.TSA_URL, settings.SIGN_LEVEL = address, level
        pdf = world.by_both()
        paper = judge(pdf)
        assert [(s.flaw, s.stamped, s.level) for s in paper.signatures] == [("", True, level)] * 2
        assert pdfa.problems(pdf) == []
    with clock.at(NOON + timedelta(days=12)):
        assert judge(pdf).holds


@pytest.mark.slow
def test_a_renewed_timestamp_keeps_a_contract_provable_for_years(settings: Any) -> None:
    """Without renewal the proof ends with the authority's certificate; with it signatures hold after two authorities have gone."""
    first = world.Authority("时间戳根", at=NOON)
    with clock.at(NOON), world.stamping(first) as address:
        first.trusted()
        authority.init()
        settings.TSA_URL, settings.SIGN_LEVEL = address, "B-LTA"
        pdf = world.by_both()
        assert judge(pdf).until == NOON + timedelta(days=365)
    year, second = NOON + timedelta(days=300), world.Authority("第二时间戳根", at=NOON + timedelta(days=300))
    with clock.at(year), world.stamping(second) as address:
        first.trusted()
        second.trusted()
        authority.refresh()
        settings.TSA_URL = address
        longer = judging.renew(pdf)
        paper = judge(longer)
        assert longer.startswith(pdf)
        assert paper.holds and paper.until == year + timedelta(days=365)
        assert pdfa.problems(longer) == []
    third, again = world.Authority("第三时间戳根", at=NOON + timedelta(days=600)), NOON + timedelta(days=600)
    with clock.at(again), world.stamping(third) as address:
        second.trusted()
        third.trusted()
        assert not judge(pdf).holds, "the first authority's certificate has run out"
        assert judge(longer).holds
        settings.TSA_URL = address
        longest = judging.renew(longer)
    with clock.at(NOON + timedelta(days=900)):
        third.trusted()
        assert {s.flaw for s in judge(pdf).signatures} == {"timestamp"}
        assert not judge(longer).holds
        paper = judge(longest)
        assert [(s.flaw, s.stamped, s.level) for s in paper.signatures] == [("", True, "B-LTA")] * 2
        assert paper.until == again + timedelta(days=365)
        broken = bytearray(longest)
        broken[len(world.printed()) // 2] ^= 1
        assert not judge(bytes(broken)).holds
        assert not judge(appended(longest, _new_page)).holds
        with pytest.raises(CannotSign, match="最后一个时间戳"):
            judging.renew(pdf)  # too late: nobody could say any more that it was there in time


def test_a_timestamp_by_a_stranger_renews_nothing(settings: Any) -> None:
    """An authority that is not trusted here: refused, or, where a stranger appended it, without effect."""
    first, stranger = world.Authority("时间戳根", at=NOON), world.Authority("陌生时间戳", at=NOON)
    with clock.at(NOON):
        authority.init()
        with world.stamping(first) as address:
            first.trusted()
            settings.TSA_URL, settings.SIGN_LEVEL = address, "B-LTA"
            pdf = world.by_both()
        with world.stamping(stranger) as address:
            settings.TSA_URL = address
            with pytest.raises(CannotSign):
                judging.renew(pdf)
            foreign = strangers_stamp(pdf)
        assert foreign != pdf
        assert (judge(foreign).until, {s.level for s in judge(foreign).signatures}) == (judge(pdf).until, {"B-LT"})
        settings.TSA_URL = ""
        with pytest.raises(CannotSign, match="TSA_URL"):
            judging.renew(pdf)
        for content in (b"", world.printed()[:50_000]):
            with pytest.raises(CannotSign):
                judging.renew(content)


def strangers_stamp(pdf: bytes) -> bytes:
    """Appended without asking whether it holds."""
    stamper = pades.timestamper()
    assert stamper is not None
    out = PdfTimeStamper(stamper).timestamp_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), "sha256")
    return bytes(out.getvalue())


def test_a_stamp_by_an_unknown_authority_does_not_count(settings: Any) -> None:
    with world.stamping(world.Authority("陌生时间戳")) as address:
        settings.TSA_URL, settings.SIGN_LEVEL = address, "B-T"
        assert flaws(pades.sign(world.printed(), GRANTEE, world.grantee())) == {"grantee": "timestamp"}


def test_a_level_without_its_authority_is_refused(settings: Any) -> None:
    settings.SIGN_LEVEL = "B-T"
    with pytest.raises(CannotSign, match="TSA_URL"):
        pades.sign(world.printed(), GRANTEE, world.grantee())


class Platform:
    """A seal platform: signs whatever digest it is asked to, or, when `lying`, another one."""

    lying = False
    asked: ClassVar[list[external.Request]] = []
    ca: ClassVar[Any] = None

    def serves(self, code: str) -> bool:
        return code == ordinary().funder.code

    @classmethod
    @cache
    def pair(cls) -> Any:
        cls.ca = world.Authority()
        return cls.ca.issue(ordinary().funder.name, ordinary().funder.code)

    def certificate(self, code: str) -> bytes | None:
        return bytes(self.pair()[1].public_bytes(Encoding.DER))

    def sign(self, request: external.Request) -> bytes:
        self.asked.append(request)
        key, certificate = self.pair()
        signer = pades._simple(keys.Credential(certificate, key, ()))
        digest = b"\0" * 32 if self.lying else request.digest
        import asyncio

        answer = asyncio.new_event_loop()
        try:
            import concurrent.futures

            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                cms = pool.submit(lambda: asyncio.run(signer.async_sign(digest, "sha256", use_pades=True))).result()
        finally:
            answer.close()
        return bytes(cms.dump())


class Liar(Platform):
    lying = True


class Babbler(Platform):
    def sign(self, request: external.Request) -> bytes:
        return b"no CMS at all"


def test_an_external_platform_gets_a_digest_and_its_cms_stands_in_the_file(settings: Any) -> None:
    settings.EXTERNAL_SIGNER = f"{__name__}.Platform"
    Platform.pair()
    assert Platform.ca is not None
    Platform.ca.trusted()
    Platform.asked.clear()
    pdf = world.by_both()
    assert [(r.code, len(r.digest)) for r in Platform.asked] == [(ordinary().funder.code, 32)]
    paper = judge(pdf)
    assert [(s.field, s.issuer, s.flaw) for s in paper.signatures] == [("grantee", "development", ""), ("grantor", "trusted", "")]
    assert not keys.held(ordinary().funder.code)


def test_what_a_platform_returns_is_judged_like_any_other_signature(settings: Any) -> None:
    settings.EXTERNAL_SIGNER = f"{__name__}.Liar"
    Platform.pair()
    assert flaws(world.by_both())["grantor"] == "forged"
    settings.EXTERNAL_SIGNER = f"{__name__}.Babbler"
    with pytest.raises(CannotSign) as told:
        world.by_both()
    assert told.value.rule == "external"


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\n", b"%PDF-1.7\n/ByteRange [0 1 2 3]\n%%EOF", b"\0" * 1000, world.printed()[:50_000]])
def test_whatever_is_no_whole_pdf_is_a_verdict_and_not_an_error(content: bytes) -> None:
    paper = judge(content)
    assert isinstance(paper, Paper) and not paper.holds
