"""Everything the demonstration produces, before readers that are not ours: each call's package, its PDFs and signatures, its open data."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import bagit
import pytest

from tests.world import giving360, open_schemas
from tests.world.demonstration import manage_demo

pytestmark = pytest.mark.slow
CALLS = ("YX-2026-01", "YX-2026-02", "YX-2026-03", "YX-2026-05")
"""Those that have closed: a record is handed over when nobody can bid any more."""
CHINESE = re.compile(r"[\u4e00-\u9fff]")
PUBLISHED = """
import pathlib, sys
from django.test import Client
for code in sys.argv[-1].split(","):
    for name in ("ocds.json", "record.json", "360.json"):
        answer = Client(HTTP_HOST="localhost").get(f"/open/{code}/{name}")
        if answer.status_code == 200:
            pathlib.Path(sys.argv[-2], f"{code}.{name}").write_bytes(b"".join(answer))
"""


def manage(home: Path, *words: str) -> str:
    """What a command of the demonstration's installation says; its error when it fails."""
    done = manage_demo(home, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=CALLS)
def bag(demo_home: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A call's package, unpacked as somebody who received it would."""
    folder = tmp_path_factory.mktemp("bag")
    manage(demo_home, "audit", "package", request.param, "--out", str(folder / "package.zip"))
    with zipfile.ZipFile(folder / "package.zip") as packed:
        assert packed.testzip() is None
        packed.extractall(folder)
    (found,) = [path.parent for path in folder.rglob("bagit.txt")]
    return found


def pythons() -> list[str]:
    """Interpreters of this machine that are old or new enough to differ: 3.8 is promised, whatever else lies here is tried too."""
    named = [shutil.which(f"python3.{minor}") for minor in range(8, 20)]
    versions = sorted(Path.home().glob(".pyenv/versions/3.*/bin/python3"))
    tried = ["python3", *filter(None, named), *map(str, versions)]
    known = {_version(program): program for program in tried}
    return [program for version, program in known.items() if version >= (3, 8)]


def _version(program: str) -> tuple[int, int]:
    done = subprocess.run([program, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True, check=False)
    major, minor = done.stdout.split() if done.returncode == 0 else ("0", "0")
    return int(major), int(minor)


def test_the_package_checks_itself_with_nothing_but_python(bag: Path) -> None:
    """Isolated from this project's packages and paths, under every interpreter that is here."""
    program = next(bag.rglob("verify.py"))
    for python in pythons():
        command = [python, "-S", "-E", "-I", str(program), str(bag)]
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, f"{python}: {done.stdout}{done.stderr}"
        assert "INTACT" in done.stdout, python


def test_every_electronic_signature_is_judged_valid_with_all_changes_allowed(demo_home: Path, bag: Path) -> None:
    """pyHanko's verdict, difference policy included, on every contract that was signed electronically; YX-2026-02 has them."""
    signed = sorted(bag.rglob("contracts/*/signed.pdf"))
    assert bool(signed) == ("YX-2026-02" in bag.name), signed
    if signed:
        manage(demo_home, "contract", "verify", *map(str, signed))


def test_the_library_of_congress_reader_finds_it_complete(bag: Path) -> None:
    assert bagit.Bag(str(bag)).validate()


def test_fonts_and_text_of_every_pdf(bag: Path) -> None:
    """poppler: every font embedded, Chinese comes out as Chinese."""
    papers = sorted(bag.rglob("*.pdf"))
    assert papers
    for path in papers:
        fonts = _said("pdffonts", str(path)).splitlines()[2:]
        assert fonts, path
        assert all(line.split()[-5] == "yes" for line in fonts), path
        text = _said("pdftotext", "-enc", "UTF-8", str(path), "-")
        assert len(CHINESE.findall(text)) > 30 and "\ufffd" not in text, path


def test_the_partnerships_checker_reads_the_packages_open_data(bag: Path, tmp_path: Path) -> None:
    """Findings, not the exit code."""
    for path in [*bag.rglob("ocds*.json"), *bag.rglob("record*.json")]:
        told = json.loads(path.read_bytes())
        assert open_schemas.ocds(told) == [], path
        assert open_schemas.libcove(told, tmp_path) == [], path


def test_what_is_open_to_everybody_is_valid_at_every_stage(demo_home: Path, tmp_path: Path) -> None:
    """All five calls, also those that take bids or are being scored. `make open-data-check SCHEMA=…` adds an official schema file of 360Giving."""
    codes, schema = [*CALLS, "YX-2026-04"], os.environ.get("GIVING360_SCHEMA")
    manage(demo_home, "shell", "-c", f"import sys; sys.argv += [{str(tmp_path)!r}, {','.join(codes)!r}]\n{PUBLISHED}")
    found = sorted(tmp_path.glob("*.json"))
    assert {path.name.split(".")[0] for path in found} == set(codes)
    for path in found:
        told = json.loads(path.read_bytes())
        if path.name.endswith("360.json"):
            assert giving360.ours(told) == [], path
            assert not schema or giving360.official(told, Path(schema)) == [], path
        else:
            assert open_schemas.ocds(told) == [], path
            assert open_schemas.libcove(told, tmp_path) == [], path


def _said(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
