"""`manage.py review score` on mixes, parts, stages, seats, entered scores and trimming in tiers: by hand, and refused by the path of the bad key."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

HANDBOOK = Path(__file__).parents[2] / "docs" / "review-commands.md"
EXAMPLES = re.findall(r"^例：(.*?得 \*\*([0-9.]+)\*\*.*?)```json\n(.*?)```", HANDBOOK.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
BY_SCORE = {score: json.loads(text, parse_float=str) for _words, score, text in EXAMPLES}
STAGED, TIERED, MIXED, BONUS = BY_SCORE["83.77"], BY_SCORE["80.60"], BY_SCORE["73.91"], BY_SCORE["119.75"]


def run(folder: Path, question: Any) -> dict[str, Any]:
    (folder / "in.json").write_text(question if isinstance(question, str) else json.dumps(question, ensure_ascii=False), encoding="utf-8")
    call_command("review", "score", str(folder / "in.json"), str(folder / "out.json"))
    answer: dict[str, Any] = json.loads((folder / "out.json").read_bytes())
    return answer


def test_the_handbook_has_an_example_for_every_mix() -> None:
    assert list(BY_SCORE) == ["73.91", "119.75", "89.26", "83.77", "80.60"]


@pytest.mark.parametrize(("score", "text"), [(score, text) for _words, score, text in EXAMPLES])
def test_an_example_of_the_handbook_gives_what_it_says_it_gives(tmp_path: Path, score: str, text: str) -> None:
    """The value was worked out on paper; the working stands beside it in the handbook."""
    answer = run(tmp_path, text)
    once = (tmp_path / "out.json").read_bytes()
    assert next(row["score"] for row in answer["official"] if row["bid"] == "B1") == score
    run(tmp_path, text)
    assert (tmp_path / "out.json").read_bytes() == once


def test_stages_parts_and_bonuses_are_told(tmp_path: Path) -> None:
    staged = run(tmp_path, STAGED)["official"][0]
    assert [(s["stage"], s["value"], s["kept"]) for s in staged["stages"]] == [
        ("document", "79.67", ["F1", "E1", "E2"]), ("oral", "86.50", ["F1", "E1", "E2"])
    ]  # fmt: skip
    assert run(tmp_path, MIXED)["official"][0]["parts"] == [
        {"code": "experts", "weight": "60", "value": "81.35"}, {"code": "pledges", "weight": "20", "value": "55.50"},
        {"code": "public_vote", "weight": "20", "value": "70"},
    ]  # fmt: skip
    assert run(tmp_path, BONUS)["official"][0]["bonuses"] == {"raised": "28.25", "topic": "5"}


def test_nine_ballots_drop_two_and_two_six_one_and_one(tmp_path: Path) -> None:
    """(75 + 80 + 81 + 82 + 85) ÷ 5 = 80.60 and (70 + 80 + 82 + 90) ÷ 4 = 80.50; four ballots give no score."""
    question = edited(TIERED, lambda q: q["ballots"].extend(["B3", f"E{n}", {"whole": 90}] for n in range(4)))
    found = {row["bid"]: row for row in run(tmp_path, question)["official"]}
    assert (found["B1"]["score"], found["B1"]["dropped_low"], found["B1"]["dropped_high"]) == ("80.60", ["E1", "E2"], ["E8", "E9"])
    assert (found["B2"]["score"], found["B2"]["dropped_low"], found["B2"]["dropped_high"]) == ("80.50", ["E1"], ["E6"])
    assert found["B3"]["score"] is None
    assert "少于规定的 5 份" in found["B3"]["sentence"]


def test_two_sheets_each_bid_by_its_own(tmp_path: Path) -> None:
    question = {
        "rule": {"trim": {"high": 0, "low": 0}, "ties": [{"by": "lower_ask"}]},
        "sheets": [{"code": "a", "criteria": [{"code": "x", "weight": 100}]}, {"code": "b", "criteria": [{"code": "x", "weight": 60}, {"code": "y", "weight": 40}]}],
        "bids": [{"bid": "B1"}, {"bid": "B2", "sheet": "b"}], "ballots": [["B1", "E1", {"x": 70}], ["B2", "E1", {"x": 60, "y": 11}]],
    }  # fmt: skip
    assert [(r["bid"], r["score"]) for r in run(tmp_path, question)["official"]] == [("B2", "71.00"), ("B1", "70.00")]
    with pytest.raises(CommandError, match=r"^ballots\[1\]\[2\]\.y: "):
        run(tmp_path, edited(question, lambda q: q["ballots"][1][2].pop("y")))


EQUAL = {
    "rule": {"trim": {"high": 0, "low": 0}, "chair": "E2", "ties": [{"by": "chair"}, {"by": "lot"}]}, "criteria": [{"code": "x", "weight": 100}],
    "ballots": [["B1", "E1", {"x": 80}], ["B1", "E2", {"x": 70}], ["B2", "E1", {"x": 70}], ["B2", "E2", {"x": 80}]],
}  # fmt: skip


def test_the_chair_decides_between_equals_only_where_the_chair_judged_all(tmp_path: Path) -> None:
    rows = run(tmp_path, EQUAL)["official"]
    assert [(r["bid"], r["decided_by"]) for r in rows] == [("B2", "chair"), ("B1", "chair")]
    assert "评审组长评分 80.00" in rows[0]["sentence"]
    half = edited(EQUAL, lambda q: q["ballots"].append(["B3", "E1", {"x": 10}]))
    with pytest.raises(CommandError) as refused:
        run(tmp_path, half)
    assert refused.value.returncode == 2
    drawn = edited(half, lambda q: q["rule"].update(lots={"drawn": ["B1", "B2"]}))
    assert [(r["bid"], r["decided_by"]) for r in run(tmp_path, drawn)["official"]][:2] == [("B1", "lot"), ("B2", "lot")]


def edited(question: dict[str, Any], change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    changed = copy.deepcopy(question)
    change(changed)
    return changed


@pytest.mark.parametrize(
    ("question", "path"),
    [
        (edited(MIXED, lambda q: q["rule"]["mix"].update(experts=61)), "rule.mix: "),
        (edited(MIXED, lambda q: q["rule"]["mix"].update(neighbours=0)), "rule.mix.neighbours: "),
        (edited(MIXED, lambda q: q["rule"]["mix"].update(experts=-60)), "rule.mix.experts: "),
        (edited(MIXED, lambda q: q["entered"].pop()), "entered: "),
        (edited(MIXED, lambda q: q.pop("entered")), "entered: "),
        (edited(MIXED, lambda q: q["entered"].append(["B1", "residents", 5])), "entered[2][1]: "),
        (edited(MIXED, lambda q: q["entered"].append(["B9", "pledges", 5])), "entered[2][0]: "),
        (edited(MIXED, lambda q: q["entered"].append(["B1", "pledges", 5])), "entered[2][1]: "),
        (edited(MIXED, lambda q: q["entered"][0].__setitem__(2, "100.01")), "entered[0][2]: "),
        (edited(MIXED, lambda q: q["entered"][0].pop()), "entered[0]: "),
        (edited(BONUS, lambda q: q["entered"][1].__setitem__(2, 21)), "entered[1][2]: "),
        (edited(BONUS, lambda q: q["rule"]["bonuses"][1].update(code="raised")), "rule.bonuses[1].code: "),
        (edited(BONUS, lambda q: q["rule"]["bonuses"][1].pop("cap")), "rule.bonuses[1].cap: "),
        (edited(STAGED, lambda q: q["rule"]["stages"][0].update(weight=41)), "rule.stages: "),
        (edited(STAGED, lambda q: q["rule"]["stages"][1].update(kind="document")), "rule.stages[1].kind: "),
        (edited(STAGED, lambda q: q["rule"]["stages"][1].update(kind="dance")), "rule.stages[1].kind: "),
        (edited(STAGED, lambda q: q["ballots"][0].pop()), "ballots[0]: "),
        (edited(STAGED, lambda q: q["ballots"][0].__setitem__(3, "visit")), "ballots[0][3]: "),
        (edited(STAGED, lambda q: q["ballots"][0][2].update(budget=5)), "ballots[0][2].budget: "),
        (edited(STAGED, lambda q: q["ballots"][2][2].pop("budget")), "ballots[2][2].budget: "),
        (edited(STAGED, lambda q: q["ballots"][0][2].update(licence=5)), "ballots[0][2].licence: "),
        (edited(STAGED, lambda q: q["ballots"][0][2].update(need="40.01")), "ballots[0][2].need: "),
        (edited(STAGED, lambda q: q["rule"]["site_check"].update(criterion="mood")), "rule.site_check: "),
        (edited(STAGED, lambda q: q["rule"]["site_check"].update(points=51)), "rule.site_check: "),
        (edited(STAGED, lambda q: q["criteria"][0].update(maximum=40)), "rule.site_check: "),
        (edited(STAGED, lambda q: q["criteria"][1].update(scorer="mayor")), "criteria[1].scorer: "),
        (edited(STAGED, lambda q: q["seats"].update(F1="throne")), "seats.F1: "),
        (edited(TIERED, lambda q: q["rule"]["trim"]["tiers"][0].update(from_ballots=5)), "rule.trim.tiers[0].from_ballots: "),
        (edited(TIERED, lambda q: q["rule"]["trim"]["tiers"][0].update(high=7)), "rule.trim.tiers[0]: "),
        (edited(TIERED, lambda q: q["rule"]["trim"]["tiers"][0].update(low="2")), "rule.trim.tiers[0].low: "),
        (edited(TIERED, lambda q: q.update(sheets=[])), "criteria: "),
        (edited(EQUAL, lambda q: q["rule"].pop("chair")), "rule.ties[0].by: "),
        (edited(EQUAL, lambda q: q["rule"].update(lots={"seed": "x", "drawn": ["B1"]})), "rule.lots.seed: "),
        (edited(EQUAL, lambda q: q["rule"].update(lots={"drawn": ["B1", "B1"]})), "rule.lots.drawn: "),
    ],
)  # fmt: skip
def test_bad_input_ends_with_1_and_the_path_of_the_key(tmp_path: Path, question: Any, path: str) -> None:
    with pytest.raises(CommandError) as refused:
        run(tmp_path, question)
    assert refused.value.returncode == 1
    assert str(refused.value).startswith(path)
    assert not (tmp_path / "out.json").exists()


def test_a_seat_that_nobody_holds_gives_no_score(tmp_path: Path) -> None:
    """A question without an answer, not a bad key: nobody in the finance seat scored the bid."""
    lonely = edited(STAGED, lambda q: q.update(ballots=[b for b in q["ballots"] if b[1] != "F1"]))
    with pytest.raises(CommandError) as refused:
        run(tmp_path, lonely)
    assert refused.value.returncode == 2
    assert "不按 0 分计" in str(refused.value)
