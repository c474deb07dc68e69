"""The whole demonstration in a process of its own: what is promised is there, a second start loads nothing, a reset starts again."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.world.demonstration import load_demo

pytestmark = pytest.mark.slow


def ask(home: Path, question: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(f"file:{home / 'gongchuang.sqlite3'}?mode=ro", uri=True) as database:
        return database.execute(question).fetchall()


def test_a_line_per_call_and_the_tie_out(demo_home: Path) -> None:
    said = (demo_home / "said.txt").read_text(encoding="utf-8")
    assert [f"YX-2026-0{n}" for n in range(1, 6)] == [line[:10] for line in said.splitlines() if line.startswith("YX-")]
    assert "全部核对一致" in said


def test_the_promised_numbers(demo_home: Path) -> None:
    def count(question: str) -> object:
        return ask(demo_home, question)[0][0]

    assert count("select count(*) from people_organisation") == 24
    assert count("select count(*) from bidding_bid") == 60
    assert count("select count(*) from review_expert") == 15
    assert count("select count(*) from awards_objection") == 8
    assert count("select count(*) from awards_award where state = 'terminated'") == 2
    assert count("select count(distinct expert_id) from review_relation") == 2  # the third's employer is on file
    assert count("select count(*) from people_annualcheck where result = 'revoked'") == 1
    assert count("select count(*) from funding_tranche where state = 'withheld'") == 1
    assert ask(demo_home, "select state, count(*) from calls_question group by state order by state") == [("answered", 1), ("asked", 1), ("published", 2)]
    assert ask(demo_home, "select state, count(*) from funding_changerequest group by state order by state") == [("applied", 1), ("requested", 1)]
    assert count("select count(*) from people_vaultfile") == 2
    assert count("select count(*) from bidding_prefill where confirmed_at is null") > 0  # type: ignore[operator]
    assert count("select count(*) from bidding_bid where sign_asked_at is not null and state = 'draft'") == 1
    assert count("select count(*) from review_meeting") == 1
    assert ask(demo_home, "select round(amount, 2), returned_at is not null from funding_surplus where amount > 0") == [(3260.4, 1)]


def test_the_calls_stand_at_different_stages(demo_home: Path) -> None:
    states = dict(ask(demo_home, "select code, state from calls_call"))
    assert states == {
        "YX-2026-01": "decided", "YX-2026-02": "decided", "YX-2026-03": "archived", "YX-2026-04": "open", "YX-2026-05": "closed",
    }  # fmt: skip
    assert ask(demo_home, "select count(*) from review_panel where state = 'scoring'") == [(1,)]
    assert ask(demo_home, "select count(*) from awards_award where state != 'closed' and number like 'YX-2026-03%'") == [(0,)]


def test_a_second_start_keeps_what_is_there_and_loads_nothing(demo_home: Path) -> None:
    before = ask(demo_home, "select count(*), max(id) from ledger_auditevent")
    again = load_demo(demo_home)
    assert again.returncode == 0, again.stderr
    assert "载入五次征集" not in again.stdout
    assert ask(demo_home, "select count(*), max(id) from ledger_auditevent") == before


def test_an_altered_ledger_ends_the_command_with_an_error(demo_home: Path, tmp_path: Path) -> None:
    """In a copy: others read the demonstration after this test."""
    altered = Path(shutil.copytree(demo_home, tmp_path / "altered"))
    with sqlite3.connect(altered / "gongchuang.sqlite3") as database:
        (trigger,) = database.execute(
            "select name from sqlite_master where type = 'trigger' and tbl_name = 'ledger_auditevent' and sql like '%UPDATE%'"
        ).fetchone()
        database.execute(f"drop trigger {trigger}")
        database.execute("update ledger_auditevent set event = 'bid.nothing' where id = (select min(id) + 40 from ledger_auditevent)")
    failed = load_demo(altered)
    assert failed.returncode == 1
    assert "台账校验不通过" in failed.stderr
