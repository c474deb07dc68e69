"""`manage.py review score` and `select`: the same bytes for the same input, no database, refusals that name the key."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, ManagementUtility, call_command

from grants.desk.faces import _score_question
from review.draw import shuffled

VECTORS = Path(__file__).parents[1] / "vectors" / "draw.json"
CRITERIA = [{"code": "need", "name": "需求", "weight": "40"}, {"code": "plan", "name": "设计", "weight": 60}]
BALLOTS = [
    [f"B{b}", f"E{e}", {"need": 20 + 3 * b + e % 2, "plan": 30.5 + 4 * b - (e % 3)}] for b in range(6) for e in range(5)
]  # fmt: skip
SCORE: dict[str, Any] = {
    "rule": {"trim": {"high": 1, "low": 1}, "min_ballots": 5, "pass_line": 60, "ties": [{"by": "lower_ask"}, {"by": "lot"}], "places": 2},
    "criteria": CRITERIA, "ballots": BALLOTS, "bids": [{"bid": f"B{b}", "ask": 10000 + b} for b in range(7)],
}  # fmt: skip
SELECT: dict[str, Any] = {
    "rule": {"pool": "100000.00", "pass_line": 60, "categories": [{"code": "old", "name": "为老", "reserve": 40000}]},
    "bids": [
        {"bid": "B1", "organisation": "X", "place": 1, "score": "90.00", "ask": 60000, "category": "young"},
        {"bid": "B2", "organisation": "Y", "place": 2, "score": 80, "ask": "40000.00", "category": "old"},
        {"bid": "B3", "organisation": "Z", "place": None, "score": None, "ask": 1, "category": "old"},
    ],
}  # fmt: skip


def run(folder: Path, face: str, question: Any, *options: str) -> bytes:
    source, target = folder / "in.json", folder / "out.json"
    source.write_text(question if isinstance(question, str) else json.dumps(question, ensure_ascii=False), encoding="utf-8")
    call_command("review", face, *options, str(source), str(target))
    return target.read_bytes()


def test_scores_ranks_and_analysis_from_a_file(tmp_path: Path) -> None:
    first = run(tmp_path, "score", SCORE)
    assert first == run(tmp_path, "score", SCORE)
    found = json.loads(first)
    assert [(r["bid"], r["rank"]) for r in found["official"]] == [*((f"B{5 - n}", n + 1) for n in range(6)), ("B6", None)]
    top = found["official"][0]
    # B5: need 35 or 36, plan 50.5, 49.5 or 48.5 → totals 85.50 85.50 83.50 86.50 84.50; without 83.50 and 86.50: 85.17
    assert (top["score"], top["dropped_high"], top["dropped_low"]) == ("85.17", ["E3"], ["E2"])
    assert "少于规定的 5 份" in found["official"][-1]["sentence"]
    assert found["analysis"]["method"] == "GY-ANALYSIS-1"
    assert next(b for b in found["analysis"]["bids"] if b["bid"] == "B6")["p_funded"] is None


def test_the_order_of_the_ballots_does_not_matter(tmp_path: Path) -> None:
    one, other = (json.loads(run(tmp_path, "score", {**SCORE, "ballots": b})) for b in (BALLOTS, BALLOTS[::-1]))
    assert one.pop("input_sha256") != other.pop("input_sha256")
    assert one == other


def test_calibrated_scores_only_where_the_rule_says_so(tmp_path: Path) -> None:
    found = json.loads(run(tmp_path, "score", {**SCORE, "rule": {**SCORE["rule"], "official": "calibrated"}}))
    assert found["rule"] == "calibrated"
    assert set(found["strictness_taken_off"]) == {f"E{n}" for n in range(5)}
    apart = {**SCORE, "rule": {**SCORE["rule"], "official": "calibrated"}}
    apart["ballots"] = [[b, f"{b}-{e}", m] for b, e, m in BALLOTS]
    with pytest.raises(CommandError, match="unbridged") as refused:
        run(tmp_path, "score", apart)
    assert refused.value.returncode == 2


def grouped(bridging: int) -> dict[str, Any]:
    """Twelve bids in each of two panels, five experts in each; `bridging` ballots of one expert of each panel on the other's bids."""
    def ballot(bid: str, expert: str, n: int) -> list[Any]:
        return [bid, expert, {"need": 25 + n % 7, "plan": 40 + n % 11}]

    rows = [ballot(f"{p}{b:02}", f"{p}e{e}", 3 * b + e) for p in "甲乙" for b in range(12) for e in range(5)]
    rows += [ballot(f"{p}{b:02}", f"{q}e0", b) for p, q in ("甲乙", "乙甲") for b in range(bridging)]
    bids = [{"bid": f"{p}{b:02}", "ask": 100 * b + ord(p) % 7, "group": p} for p in "甲乙" for b in range(12)]
    return {**SCORE, "ballots": rows, "bids": bids}


@pytest.mark.parametrize("official", ["trimmed", "calibrated"])
def test_panels_without_ten_bridging_ballots_each_are_not_ranked_together(tmp_path: Path, official: str) -> None:
    """By either official rule: nine are refused in words with the panels, the figures and the two ways out; ten are ranked."""
    rule = {**SCORE["rule"], "official": official}
    with pytest.raises(CommandError, match="unbridged") as refused:
        run(tmp_path, "score", {**grouped(9), "rule": rule})
    assert refused.value.returncode == 2
    for words in ("“乙”9 份、“甲”9 份", "至少应有 10 份", "安排跨组评审", "各组分别排名"):
        assert words in str(refused.value), words
    assert not (tmp_path / "out.json").exists()
    assert len({r["rank"] for r in json.loads(run(tmp_path, "score", {**grouped(10), "rule": rule}))["official"]}) > 20
    assert run(tmp_path, "score", {**grouped(9), "rule": {**rule, "least_bridges": 9}})
    apart = grouped(0)
    own = {"ballots": [b for b in apart["ballots"] if b[0][0] == "甲"], "bids": [b for b in apart["bids"] if b["group"] == "甲"]}
    assert run(tmp_path, "score", {**apart, **own, "rule": rule}), "the other way out: each panel by itself"


def test_bids_that_no_expert_connects_are_named_where_the_file_names_no_panels(tmp_path: Path) -> None:
    apart = grouped(0)
    question = {**apart, "bids": [{"bid": b["bid"], "ask": b["ask"]} for b in apart["bids"]], "rule": {**SCORE["rule"], "official": "calibrated"}}
    with pytest.raises(CommandError, match="“甲00、甲01、甲02 等 12 份”0 份"):
        run(tmp_path, "score", question)


def test_more_experts_than_can_be_calibrated_are_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their strictness is estimated together; what would run for hours says how many there may be, and the way out."""
    monkeypatch.setattr(_score_question, "MOST_EXPERTS", 5)
    assert run(tmp_path, "score", SCORE)
    one_more = edited(SCORE, lambda q: q["ballots"].append(["B0", "E5", {"need": 20, "plan": 30}]))
    with pytest.raises(CommandError, match=r"^ballots: 共 6 位专家，一个文件至多 5 位，请每个评审组用一个文件") as refused:
        run(tmp_path, "score", one_more)
    assert refused.value.returncode == 1


EQUAL = {
    **SCORE, "ballots": [[f"B{b}", f"E{e}", {"need": 30, "plan": 50}] for b in range(4) for e in range(5)],
    "bids": [{"bid": f"B{b}", "ask": 10000} for b in range(4)],
}  # fmt: skip


def test_no_lot_falls_without_a_seed_that_somebody_gave(tmp_path: Path) -> None:
    """There is no seed of our own: the command line's wins over the file's, both are told in the answer, and they decide."""
    with pytest.raises(CommandError, match=r"--seed 或 rule\.lots\.seed") as refused:
        run(tmp_path, "score", EQUAL)
    assert refused.value.returncode == 2
    with pytest.raises(CommandError, match="种子"):
        run(tmp_path, "score", edited(EQUAL, lambda q: q["rule"].update(seed="只用于取样")))
    assert not (tmp_path / "out.json").exists()
    seeded = edited(EQUAL, lambda q: q["rule"].update(lots={"seed": "03 06 12"}))

    def told(*options: str) -> tuple[str, list[str]]:
        found = json.loads(run(tmp_path, "score", seeded, *options))
        return found["lots_seed"], [r["bid"] for r in sorted(found["official"], key=lambda r: r["rank"])]

    assert told() == ("03 06 12", list(shuffled([f"B{b}" for b in range(4)], b"03 06 12")))
    orders = {tuple(told("--seed", f"beacon {n}")[1]) for n in range(8)}
    assert told("--seed", "beacon 1")[0] == "beacon 1"
    assert len(orders) > 1
    assert json.loads(run(tmp_path, "score", SCORE))["lots_seed"] == ""


@pytest.mark.parametrize(
    "words",
    [
        ["review"], ["review", "nope"], ["review", "score"], ["review", "score", "--what", "a", "b"], ["review", "score", "nothing.json", "out.json"],
        ["draw"], ["draw", "nope"], ["draw", "run", "in.json"], ["draw", "verify"], ["draw", "verify", "--quick", "a"], ["draw", "verify", "nothing.json"],
    ],
)  # fmt: skip
def test_a_command_called_wrongly_ends_with_1_never_with_the_2_of_no_answer(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        ManagementUtility(["manage.py", *words]).execute()
    assert ended.value.code == 1
    assert words[0] in capsys.readouterr().err or "nothing.json" in words


def test_a_draw_that_does_not_hold_and_a_score_without_an_answer_end_with_2(tmp_path: Path) -> None:
    file, whole = tmp_path / "draw.json", json.loads(VECTORS.read_text(encoding="utf-8"))["transcripts"][0]["document"]
    file.write_text(json.dumps({**whole, "chosen": whole["chosen"][::-1]}), encoding="utf-8")
    (tmp_path / "in.json").write_text(json.dumps(EQUAL), encoding="utf-8")
    for words in (["draw", "verify", str(file)], ["review", "score", str(tmp_path / "in.json"), str(tmp_path / "out.json")]):
        with pytest.raises(SystemExit) as ended:
            ManagementUtility(["manage.py", *words]).execute()
        assert ended.value.code == 2


def test_a_selection_with_its_reasons_and_the_optimum_beside_it(tmp_path: Path) -> None:
    plain = run(tmp_path, "select", SELECT)
    assert plain == run(tmp_path, "select", SELECT)
    found = json.loads(run(tmp_path, "select", SELECT, "--optimum"))
    assert [(d["bid"], d["rule"]) for d in found["decisions"]] == [
        ("B1", "awarded"),
        ("B2", "awarded_reserved"),
        ("B3", "unranked"),
    ]
    assert (found["awarded"], found["optimum"]["status"], found["optimum"]["behind"]) == ("100000.00", "optimal", "0.00")


def edited(question: dict[str, Any], change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    changed = copy.deepcopy(question)
    change(changed)
    return changed


@pytest.mark.parametrize(
    ("face", "question", "path"),
    [
        ("score", edited(SCORE, lambda q: q.pop("criteria")), "criteria: "),
        ("score", edited(SCORE, lambda q: q.update(extra=1)), "extra: "),
        ("score", edited(SCORE, lambda q: q["ballots"][2][2].pop("plan")), "ballots[2][2].plan: "),
        ("score", edited(SCORE, lambda q: q["ballots"][2][2].update(plan=60.5)), "ballots[2][2].plan: "),
        ("score", edited(SCORE, lambda q: q["ballots"][2][2].update(plan="1.005")), "ballots[2][2].plan: "),
        ("score", edited(SCORE, lambda q: q["ballots"][2][2].update(plan=None)), "ballots[2][2].plan: "),
        ("score", edited(SCORE, lambda q: q["ballots"][2][2].update(other=1)), "ballots[2][2].other: "),
        ("score", edited(SCORE, lambda q: q["ballots"].append(BALLOTS[0])), "ballots[30]: "),
        ("score", edited(SCORE, lambda q: q["ballots"][1].pop()), "ballots[1]: "),
        ("score", edited(SCORE, lambda q: q["criteria"][0].update(weight=41)), "criteria: "),
        ("score", edited(SCORE, lambda q: q["rule"]["ties"][0].update(by="mood")), "rule.ties[0].by: "),
        ("score", edited(SCORE, lambda q: q["rule"].update(official="secret")), "rule.official: "),
        ("score", edited(SCORE, lambda q: q["rule"]["trim"].update(high=True)), "rule.trim.high: "),
        ("score", '{"rule": 1, "rule": 2}', "rule: "),
        ("score", edited(SCORE, lambda q: q["rule"].update(lots={"seed": " "})), "rule.lots.seed: "),
        ("score", edited(SCORE, lambda q: q["rule"].update(lots={})), "rule.lots.seed: "),
        ("score", "[1]", "(root): "),
        ("score", "{", ""),
        ("score", '{"rule": NaN}', "NaN: "),
        ("select", edited(SELECT, lambda q: q["rule"].update(pool=-1)), "rule.pool: "),
        ("select", edited(SELECT, lambda q: q["rule"].update(when_full="maybe")), "rule.when_full: "),
        ("select", edited(SELECT, lambda q: q["bids"][1].update(bid="B1")), "bids[1].bid: "),
        ("select", edited(SELECT, lambda q: q["bids"][1].pop("ask")), "bids[1].ask: "),
        ("select", edited(SELECT, lambda q: q["rule"]["categories"][0].update(rollover="sea")), "rule.categories[0].rollover: "),
    ],
)  # fmt: skip
def test_bad_input_ends_with_1_and_the_path_of_the_key(tmp_path: Path, face: str, question: Any, path: str) -> None:
    with pytest.raises(CommandError) as refused:
        run(tmp_path, face, question)
    assert refused.value.returncode == 1
    assert str(refused.value).startswith(path)
    assert not (tmp_path / "out.json").exists()


def test_rules_that_contradict_themselves_end_with_2(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="超过资助总额") as refused:
        run(tmp_path, "select", edited(SELECT, lambda q: q["rule"].update(pool=30000)))
    assert refused.value.returncode == 2


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"nothing\.json") as refused:
        call_command("review", "score", str(tmp_path / "nothing.json"), str(tmp_path / "out.json"))
    assert refused.value.returncode == 1
