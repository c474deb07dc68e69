"""The whole demonstration in a process of its own: what is promised is there, a second start loads nothing, a reset starts again."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = pytest.mark.slow


def demo(home: Path, *options: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "GONGCHUANG_HOME": str(home), "DATABASE_URL": "", "GONGCHUANG_DEMO": "1"}
    manage = str(Path(settings.BASE_DIR) / "manage.py")
    return subprocess.run(
        [sys.executable, manage, "demo", "--no-serve", *options], env=env, capture_output=True, text=True, timeout=900, check=False
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    first = demo(folder)
    assert first.returncode == 0, first.stdout + first.stderr
    (folder / "said.txt").write_text(first.stdout, encoding="utf-8")
    return folder


def ask(home: Path, question: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(f"file:{home / 'gongchuang.sqlite3'}?mode=ro", uri=True) as database:
        return database.execute(question).fetchall()


def test_a_line_per_call_and_the_tie_out(home: Path) -> None:
    said = (home / "said.txt").read_text(encoding="utf-8")
    assert [f"YX-2026-0{n}" for n in range(1, 6)] == [line[:10] for line in said.splitlines() if line.startswith("YX-")]
    assert "全部核对一致" in said


def test_the_promised_numbers(home: Path) -> None:
    def count(question: str) -> object:
        return ask(home, question)[0][0]

    assert count("select count(*) from people_organisation") == 24
    assert count("select count(*) from bidding_bid") == 60
    assert count("select count(*) from review_expert") == 15
    assert count("select count(*) from awards_objection") == 8
    assert count("select count(*) from awards_award where state = 'terminated'") == 2
    assert count("select count(distinct expert_id) from review_relation") == 2  # the third's employer is on file
    assert count("select count(*) from people_annualcheck where result = 'revoked'") == 1
    assert count("select count(*) from funding_tranche where state = 'withheld'") == 1
    assert ask(home, "select state, count(*) from calls_question group by state order by state") == [("answered", 1), ("asked", 1), ("published", 2)]
    assert ask(home, "select state, count(*) from funding_changerequest group by state order by state") == [("applied", 1), ("requested", 1)]
    assert count("select count(*) from people_vaultfile") == 2
    assert count("select count(*) from bidding_prefill where confirmed_at is null") > 0  # type: ignore[operator]
    assert count("select count(*) from bidding_bid where sign_asked_at is not null and state = 'draft'") == 1
    assert count("select count(*) from review_meeting") == 1
    assert ask(home, "select round(amount, 2), returned_at is not null from funding_surplus where amount > 0") == [(3260.4, 1)]


def test_the_calls_stand_at_different_stages(home: Path) -> None:
    states = dict(ask(home, "select code, state from calls_call"))
    assert states == {
        "YX-2026-01": "decided", "YX-2026-02": "decided", "YX-2026-03": "archived", "YX-2026-04": "open", "YX-2026-05": "closed",
    }  # fmt: skip
    assert ask(home, "select count(*) from review_panel where state = 'scoring'") == [(1,)]
    assert ask(home, "select count(*) from awards_award where state != 'closed' and number like 'YX-2026-03%'") == [(0,)]


def test_a_second_start_keeps_what_is_there_and_loads_nothing(home: Path) -> None:
    before = ask(home, "select count(*), max(id) from ledger_auditevent")
    again = demo(home)
    assert again.returncode == 0, again.stderr
    assert "载入五次征集" not in again.stdout
    assert ask(home, "select count(*), max(id) from ledger_auditevent") == before


def test_an_altered_ledger_ends_the_command_with_an_error(home: Path) -> None:
    with sqlite3.connect(home / "gongchuang.sqlite3") as database:
        (trigger,) = database.execute(
            "select name from sqlite_master where type = 'trigger' and tbl_name = 'ledger_auditevent' and sql like '%UPDATE%'"
        ).fetchone()
        database.execute(f"drop trigger {trigger}")
        database.execute("update ledger_auditevent set event = 'bid.nothing' where id = (select min(id) + 40 from ledger_auditevent)")
    failed = demo(home)
    assert failed.returncode == 1
    assert "台账校验不通过" in failed.stderr
