"""Rehearsing rules on a round of another installation: its audit package gives the numbers that its database gave, and no database is asked."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from grants import clock
from grants.audit import recalling
from grants.calls.rulebook import presets
from grants.calls.rulebook.rehearsal import rehearse
from grants.calls.rulebook.trial import SETTLED, TrialBid
from grants.desk import rehearsing
from tests.world import awards, packages, review, shared

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Round:
    """A judged round: its code, its bids as the database gives them, what the command says on them, and its packages."""

    code: str
    bids: tuple[TrialBid, ...]
    told: str
    package: Path
    without_ballots: Path
    before_the_report: Path


@pytest.fixture(scope="module")
def earlier(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Round]:
    """Three bids, residents count for a fifth, one amount recommended; and a round whose panel has not signed yet."""
    folder = tmp_path_factory.mktemp("packages")
    with shared.rows(django_db_blocker):
        mixed = awards.rules(review_changes={"residents": 20, "mix": {"experts": "80.00", "residents": "20.00"}})
        made = awards.ranked(mixed, amounts=["60000", "50000", "40000"], recommend={0: "55000"})
        running = review.judged(review.rules(name="YX-2026-09"), amounts=["60000"], n=1)

        def packed(call: Any, name: str, *by: str) -> Path:
            call_command("audit", "package", call.code, *by, "--out", str(folder / name), stdout=StringIO(), stderr=StringIO())
            return folder / name

        auditor = ("--by", made.desk.auditor.username)
        with clock.at(awards.at(made.call)):
            yield Round(
                made.call.code, rehearsing.last_round(made.call), rehearsed(folder, made.call.code),
                packed(made.call, "whole.zip", *auditor), packed(made.call, "agency.zip"),
                packed(running.call, "early.zip", "--by", running.desk.auditor.username),
            )  # fmt: skip


@pytest.fixture(autouse=True)
def no_database(earlier: Round, db: None, django_db_blocker: Any) -> Iterator[None]:
    """Once the packages are written nothing is asked of a database: the next installation has another one, or none."""
    with django_db_blocker.block():
        yield


@pytest.fixture
def unpacked(earlier: Round, tmp_path: Path) -> Path:
    with zipfile.ZipFile(earlier.package) as package:
        package.extractall(tmp_path / "unpacked")
    return next((tmp_path / "unpacked").iterdir())


def rehearsed(folder: Path, earlier: str) -> str:
    (folder / "call.toml").write_text(presets.text("district"), encoding="utf-8")
    out = StringIO()
    call_command("call", "rehearse", str(folder / "call.toml"), "--from", earlier, stdout=out)
    return out.getvalue()


def test_a_package_gives_the_numbers_that_the_database_gave(earlier: Round, unpacked: Path, tmp_path: Path) -> None:
    """The command's words, as a ZIP, unpacked, and by the folder above; only one line more, which says where the bids came from."""
    for source in (earlier.package, unpacked, unpacked.parent):
        told = rehearsed(tmp_path, str(source))
        note = f"没有预演的、假定的：申报和评分取自资料包 {source.name}。\n"
        assert note in told and told.replace(note, "") == earlier.told
    assert f"3 份{earlier.code} 的申报" in earlier.told and "由 5 位专家分担" in earlier.told


def test_every_digit_of_every_bid_comes_back(earlier: Round) -> None:
    found = recalling.recall(str(earlier.package))
    assert found is not None and found.bids == earlier.bids
    assert all(bid.facts.clerk is SETTLED for bid in found.bids), "what clerks settled is settled here too"
    assert found.bids[0].recommended is not None and found.bids[0].facts.registered_on is not None
    assert rehearse(presets.load("micro"), found.bids) == rehearse(presets.load("micro"), earlier.bids)


def test_the_file_names_no_organisation(earlier: Round, unpacked: Path) -> None:
    written = (unpacked / "data/review/trial.json").read_text("utf-8")
    names = {row.split(",")[2] for row in (unpacked / "data/tables/bids.csv").read_text("utf-8-sig").splitlines()[1:-1]}
    assert len(names) == 3 and not any(name in written for name in names)


def _byte(folder: Path, name: str) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes().replace(b"5", b"6", 1))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda f: _byte(f, "data/review/trial.json"), "文件与清单不符：data/review/trial.json"),
        (lambda f: _byte(f, "data/tables/bids.csv"), "文件与清单不符：data/tables/bids.csv"),
        (lambda f: _byte(f, "bag-info.txt"), "文件与清单不符：bag-info.txt"),
        (lambda f: (f / "data/review/ballots.jsonl").unlink(), "缺少文件：data/review/ballots.jsonl"),
        (lambda f: (f / "data/more.txt").write_text("x"), "多出文件：data/more.txt"),
    ],
    ids=["bids", "a table", "a tag file", "taken out", "slipped in"],
)
def test_a_changed_package_is_refused_and_the_file_named(unpacked: Path, tmp_path: Path, change: Callable[[Path], Any], told: str) -> None:
    change(unpacked)
    with pytest.raises(CommandError, match=r"^--from：资料包有改动，不能使用。") as refused:
        rehearsed(tmp_path, str(unpacked))
    assert told in str(refused.value)


def test_a_damaged_zip_names_the_file(earlier: Round, tmp_path: Path) -> None:
    content = earlier.package.read_bytes()
    with zipfile.ZipFile(earlier.package) as package:
        entry = next(e for e in package.infolist() if e.filename.endswith("data/review/trial.json"))
        at = entry.header_offset + 30 + len(entry.filename.encode()) + entry.compress_size // 2
    (tmp_path / "bad.zip").write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    with pytest.raises(CommandError, match=r"data/review/trial\.json"):
        rehearsed(tmp_path, str(tmp_path / "bad.zip"))


def test_a_package_without_ballots_or_from_before_the_report_says_how_to_get_one(earlier: Round, tmp_path: Path) -> None:
    for source in (earlier.without_ballots, earlier.before_the_report):
        with pytest.raises(CommandError, match=r"没有预演用的申报和评分（data/review/trial\.json）.*重新出具：manage\.py audit package"):
            rehearsed(tmp_path, str(source))


def test_what_is_no_package_is_said_to_be_none(unpacked: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("资料")
    (tmp_path / "empty").mkdir()
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("a/b.txt", "x")
    for name in ("notes.txt", "empty", "other.zip"):
        with pytest.raises(CommandError, match=r"不是审计资料包"):
            rehearsed(tmp_path, str(tmp_path / name))
    with pytest.raises(CommandError, match=r"^--from：没有找到文件"):
        rehearsed(tmp_path, str(tmp_path / "gone.zip"))


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda v: v.update(format="gongchuang-trial/9"), "trial.json：format"),
        (lambda v: v["bids"][1].update(ask="much"), "trial.json：bids.1.ask"),
        (lambda v: v["bids"][0]["facts"].pop("kind"), "trial.json：bids.0.facts.kind"),
    ],
)
def test_a_file_of_another_format_is_refused_by_the_path_of_the_bad_key(unpacked: Path, tmp_path: Path, edit: Callable[[Any], Any], told: str) -> None:
    """Its manifests were written anew, so nothing is changed: the content is not what this version reads."""
    path = unpacked / "data/review/trial.json"
    value = json.loads(path.read_text("utf-8"))
    edit(value)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    packages.rewrap(unpacked)
    with pytest.raises(CommandError) as refused:
        rehearsed(tmp_path, str(unpacked))
    assert told in str(refused.value)


def test_a_folder_called_like_a_call_hides_no_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unpacked: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "YX-2026-01").mkdir()
    assert recalling.recall("YX-2026-01") is None
    assert recalling.recall("YX-2026-02") is None
    shutil.copytree(unpacked, tmp_path / "round")
    assert recalling.recall("round") is not None
