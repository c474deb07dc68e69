"""`manage.py call`: files are judged with the installation's calendar, drafts come in and go out unchanged, faults exit 1."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from grants.calls.models import Call
from grants.calls.rulebook import presets, toml
from grants.clock.models import WorkdayOverride
from tests.world.people import office

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[int, str]:
    """Exit code and output."""
    out = StringIO()
    try:
        call_command("call", *arguments, stdout=out)
    except SystemExit as stop:
        return int(stop.code or 0), out.getvalue()
    return 0, out.getvalue()


def written(folder: Path, name: str, *pairs: tuple[str, str]) -> str:
    text = presets.text(name)
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / "call.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_sound_file_is_accepted(tmp_path: Path) -> None:
    code, said = run("lint", written(tmp_path, "street"))
    assert code == 0
    assert "0 处错误，0 处提醒" in said


def test_a_contradiction_names_file_key_and_way_out_and_exits_1(tmp_path: Path) -> None:
    path = written(tmp_path, "street", ("pass_line = 65", "pass_line = 101"))
    code, said = run("lint", path)
    assert code == 1
    assert f"{path}: review.pass_line: 错误 L076" in said
    assert "改法：" in said


def test_faults_of_form_and_contradictions_of_several_files_are_shown_together(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    one = written(tmp_path / "a", "micro", ("cap = 5_000", "cap = 5000.5"))
    two = written(tmp_path, "street", ("pass_line = 65", "pass_line = 101"))
    code, said = run("lint", one, two)
    assert code == 1
    assert "F001" in said
    assert "L076" in said
    assert "2 个文件，2 处错误" in said


def test_the_calendar_of_the_installation_is_asked(tmp_path: Path) -> None:
    """The street call closes on 7 April 2026; a local holiday on that day must be noticed."""
    path = written(tmp_path, "street")
    WorkdayOverride.objects.create(date="2026-04-07", is_workday=False, name="区运动会", source="测试")
    assert "L007" in run("lint", path)[1]


def test_a_file_that_is_not_there_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="读不了文件"):
        run("lint", str(tmp_path / "nothing.toml"))


def test_a_diff_tells_every_change_and_refuses_a_version_number_that_is_too_small(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    old = written(tmp_path / "old", "street")
    code, said = run("diff", old, written(tmp_path, "street", ("pass_line = 65", "pass_line = 66")))
    assert code == 1
    assert "[补充] review.pass_line" in said
    code, said = run("diff", old, written(tmp_path, "street", ("pass_line = 65", "pass_line = 66"), ('"1.0.0"', '"1.1.0"')))
    assert code == 0
    assert "版本号 1.0.0 → 1.1.0 相符" in said


def test_the_schema_is_json_and_the_handbook_is_markdown() -> None:
    assert json.loads(run("schema")[1])["properties"]["schema"]["const"] == "call/1"
    assert run("schema", "--handbook")[1].startswith("# ")


def test_an_imported_call_is_a_draft_and_is_exported_unchanged(tmp_path: Path) -> None:
    desk = office()
    code, said = run("import", written(tmp_path, "joint"), "--agency", desk.agency.name, "--by", desk.officer.username)
    assert code == 0
    call = Call.objects.get(code="YX-2026-05")
    assert call.state == "draft"
    assert presets.load("joint").rules_hash in said
    assert toml.loads(run("export", "YX-2026-05")[1]) == presets.load("joint")


@pytest.mark.parametrize("who", ["approver", "finance", "auditor"])
def test_only_who_may_draft_can_import(tmp_path: Path, who: str) -> None:
    desk = office()
    person: Any = getattr(desk, who)
    with pytest.raises(CommandError):
        run("import", written(tmp_path, "joint"), "--agency", desk.agency.name, "--by", person.username)
    assert not Call.objects.exists()


def test_a_faulty_file_leaves_nothing_behind(tmp_path: Path) -> None:
    desk = office()
    path = written(tmp_path, "joint", ("cap = 100_000", "cap = 1.5"))
    code, said = run("import", path, "--agency", desk.agency.name, "--by", desk.officer.username)
    assert code == 1
    assert f"{path}: amounts.cap" in said
    assert not Call.objects.exists()


def test_an_unknown_agency_account_or_call_is_named(tmp_path: Path) -> None:
    desk, path = office(), written(tmp_path, "joint")
    with pytest.raises(CommandError, match="主办方“无此局”"):
        run("import", path, "--agency", "无此局", "--by", desk.officer.username)
    with pytest.raises(CommandError, match="账号“nobody”"):
        run("import", path, "--agency", desk.agency.name, "--by", "nobody")
    with pytest.raises(CommandError, match="YX-9"):
        run("export", "YX-9")
