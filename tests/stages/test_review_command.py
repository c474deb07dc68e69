"""`manage.py review assign`: files in, files out, no database; bad keys are named by path, what has no answer says why."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from review.assign import Options
from review.assign.files import question_of
from tests.world.assigning import seeded

GOOD: dict[str, Any] = {
    "bids": [{"id": "b1", "need": 2}, {"id": "b2", "need": 1}],
    "experts": [{"id": "e1", "min": 0, "max": 2}, {"id": "e2", "min": 0, "max": 2, "org": "x"}, {"id": "e3", "min": 0, "max": 1, "org": "x"}],
    "affinity": [["b1", "e1", 900], ["b1", "e2", 500], ["b1", "e3", 800], ["b2", "e1", 300], ["b2", "e2", 700]],
    "conflicts": [["b2", "e1"]],
}


def assign(folder: Path, data: Any, *options: str) -> dict[str, Any]:
    source, target = folder / "IN.json", folder / "OUT.json"
    source.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
    call_command("review", "assign", str(source), str(target), *options)
    return json.loads(target.read_bytes())


def test_the_answer_has_the_promised_keys_and_figures(tmp_path: Path) -> None:
    found = assign(tmp_path, GOOD)
    assert found["pairs"] == [["b1", "e1"], ["b1", "e3"], ["b2", "e2"]]
    figures = {k: found[k] for k in ("total", "worst_bid", "weakest_pair", "loads", "status")}
    assert figures == {"total": 2400, "worst_bid": 700, "weakest_pair": 700, "loads": {"e1": 1, "e2": 1, "e3": 1}, "status": "optimal"}
    assert found["tau"] == 700
    assert {"scale", "seats", "experts"} <= found["certificate"].keys()


def test_whole_numbers_are_names_too(tmp_path: Path) -> None:
    data = {"bids": [{"id": 7, "need": 1}], "experts": [{"id": 1, "min": 0, "max": 1}], "affinity": [[7, 1, 5]], "conflicts": []}
    assert assign(tmp_path, data)["pairs"] == [["7", "1"]]


def bent(path: list[Any], value: Any) -> dict[str, Any]:
    data = json.loads(json.dumps(GOOD))
    here = data
    for key in path[:-1]:
        here = here[key]
    if value is KeyError:
        del here[path[-1]]
    else:
        here[path[-1]] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (["affinity", 3, 2], 0, "affinity[3][2]: must be a whole number from 1 to 1000, is 0"),
        (["affinity", 3, 2], 1001, "affinity[3][2]: "),
        (["affinity", 3, 2], 5.0, "affinity[3][2]: "),
        (["affinity", 3, 2], True, "affinity[3][2]: "),
        (["affinity", 3], ["b2", "e1"], "affinity[3]: must be [bid, expert"),
        (["affinity", 3, 0], "b9", "affinity[3][0]: there is no bid"),
        (["affinity", 3, 1], "e9", "affinity[3][1]: there is no expert"),
        (["affinity", 3], ["b1", "e1", 5], "affinity[3]: the pair"),
        (["affinity"], {}, "affinity: must be a list"),
        (["affinity"], KeyError, "affinity: is missing"),
        (["conflicts", 0, 1], "e9", "conflicts[0][1]: there is no expert"),
        (["conflicts", 0], "b2", "conflicts[0]: must be [bid, expert]"),
        (["bids", 0, "need"], -1, "bids[0].need: "),
        (["bids", 0, "need"], "2", "bids[0].need: "),
        (["bids", 0, "need"], KeyError, "bids[0].need: is missing"),
        (["bids", 1, "id"], "b1", "bids[1].id: “b1” stands at bids[0] already"),
        (["bids", 1, "id"], "", "bids[1].id: "),
        (["bids", 1, "ned"], 1, "bids[1].ned: unknown key"),
        (["bids", 1, "roles"], {"finance": 2}, "bids[1].roles: ask for 2 seats"),
        (["bids", 1], 5, "bids[1]: must be an object"),
        (["experts", 0, "min"], 3, "experts[0].min: 3 is more than max, 2"),
        (["experts", 0, "max"], KeyError, "experts[0].max: is missing"),
        (["experts", 1, "org"], 1.5, "experts[1].org: "),
        (["experts", 1, "id"], None, "experts[1].id: "),
        (["experts", 1, "id"], "\ud800", "experts[1].id: "),
        (["options"], {"floor": "most"}, "options.floor: must be one of majority, all, none"),
        (["options"], {"seed": "xyz"}, "options.seed: must be hexadecimal"),
        (["options"], {"fair": 1}, "options.fair: "),
        (["what"], 1, "what: unknown key"),
    ],
)
def test_malformed_input_is_refused_by_the_path_of_the_bad_key(tmp_path: Path, path: list[Any], value: Any, told: str) -> None:
    with pytest.raises(CommandError) as refused:
        assign(tmp_path, bent(path, value))
    assert refused.value.returncode == 1
    assert str(refused.value).startswith(told)
    assert not (tmp_path / "OUT.json").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"{", "IN: no JSON, line 1"),
        (b"\xff", "IN: not UTF-8"),
        (b"[]", "IN: must be an object"),
        (b'{"bids": NaN}', "IN: NaN is no number"),
        (b'{"bids": [], "bids": []}', "bids: the key stands twice"),
        (b"[" * 100_000, "IN: nested too deeply"),
    ],
)
def test_what_is_no_json_is_refused(tmp_path: Path, text: bytes, told: str) -> None:
    with pytest.raises(CommandError) as refused:
        assign(tmp_path, text)
    assert refused.value.returncode == 1
    assert str(refused.value).startswith(told)


def test_options_that_make_no_sense_exit_1_from_the_shell(tmp_path: Path) -> None:
    (tmp_path / "IN.json").write_text(json.dumps(GOOD))
    for options in (["--floor", "most"], ["--seed", "zz"], ["--fair", "2"], ["--randomised", "3"]):
        ended = shell(tmp_path, *options)
        assert ended.returncode == 1, options
        assert options[0] in ended.stderr
    assert shell(tmp_path).returncode == 0


def shell(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """As a user types it; the database it is told about does not exist."""
    command = [sys.executable, "manage.py", "review", "assign", str(folder / "IN.json"), str(folder / "OUT.json"), *options]
    import os

    environment = {**os.environ, "DATABASE_URL": "postgres://nobody:nothing@127.0.0.1:1/none", "GONGCHUANG_DEMO": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=Path(__file__).parents[2])


def test_an_infeasible_question_exits_2_with_the_cut_in_both_languages(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as refused:
        assign(tmp_path, bent(["bids", 0, "need"], 3))
    assert refused.value.returncode == 2
    chinese, english = str(refused.value).splitlines()
    assert "“b1”共需 3 份" in chinese
    assert "缺 1 份" in chinese
    assert "不得放宽回避" in chinese
    assert "bids “b1” need 3 reviews" in english
    assert not (tmp_path / "OUT.json").exists()


def test_an_unreadable_file_and_an_unwritable_target_are_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("review", "assign", str(tmp_path / "none.json"), str(tmp_path / "OUT.json"))
    assert refused.value.returncode == 1
    (tmp_path / "IN.json").write_text(json.dumps(GOOD))
    with pytest.raises(CommandError) as refused:
        call_command("review", "assign", str(tmp_path / "IN.json"), str(tmp_path / "no" / "OUT.json"))
    assert refused.value.returncode == 1


def test_the_same_bytes_whatever_the_order_and_the_options_may_stand_in_the_file(tmp_path: Path) -> None:
    question = question_of(seeded(20, 8, 3, top=8, load=9, organisations=5))
    first = assign(tmp_path, question, "--seed", "00ff", "--floor", "all", "--equal")
    content = (tmp_path / "OUT.json").read_bytes()
    chance = random.Random(3)
    for name in ("bids", "experts", "affinity", "conflicts"):
        chance.shuffle(question[name])
    question["options"] = {"seed": "00ff", "floor": "all", "equal": True}
    assert assign(tmp_path, question) == first
    assert (tmp_path / "OUT.json").read_bytes() == content


def test_a_draw_of_halves_states_its_shortlist(tmp_path: Path) -> None:
    found = assign(tmp_path, question_of(seeded(12, 9, 2, top=9, load=6)), "--randomised", "2", "--seed", "aa")
    assert len(found["shortlist"]) == 2 * len(found["pairs"])
    other = assign(tmp_path, question_of(seeded(12, 9, 2, top=9, load=6)), "--randomised", "2", "--seed", "aa")
    assert other == found


def test_anybody_checks_the_answer_without_our_code(tmp_path: Path) -> None:
    """The checker is one file of the standard library: run alone, from another folder, with nothing on its path."""
    assign(tmp_path, question_of(seeded(20, 8, 3, top=8, load=9)), "--fair", "0.01")
    checker = (Path(__file__).parents[2] / "review" / "assign" / "check.py").read_bytes()
    (tmp_path / "check.py").write_bytes(checker)
    ended = subprocess.run([sys.executable, "-I", "check.py", "IN.json", "OUT.json"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "lawful, and no assignment is better\n")
    answer = json.loads((tmp_path / "OUT.json").read_bytes())
    answer["pairs"] = answer["pairs"][1:]
    (tmp_path / "OUT.json").write_text(json.dumps(answer))
    ended = subprocess.run([sys.executable, "-I", "check.py", "IN.json", "OUT.json"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "reviews" in ended.stdout


def test_a_file_may_hold_seats_kept_pairs_and_alternates(tmp_path: Path) -> None:
    data = json.loads(json.dumps(GOOD))
    data["bids"][0]["roles"] = {"finance": 1}
    data["experts"][1]["roles"] = ["finance"]
    data["experts"].append({"id": "r1", "min": 0, "max": 9, "reserve": 1})
    data["affinity"] += [["b1", "r1", 1000], ["b2", "r1", 1000]]
    data["kept"] = [["b2", "e2"]]
    found = assign(tmp_path, data)
    assert found["pairs"] == [["b1", "e1"], ["b1", "e2"], ["b2", "e2"]]
    assert found["called_up"] == []


def test_default_options_are_the_rules_default() -> None:
    assert Options().floor == "majority"
