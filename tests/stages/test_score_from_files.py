"""`manage.py review score` on a panel's own ballots gives, to the byte of every number, what the product stored: every mix of the sample calls."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from grants import clock
from review import services
from review.models import Panel, Review
from review.other_scores import components
from review.panels import bids_of
from review.results import Tally
from tests.world import calls
from tests.world import review as world
from tests.world.score_files import question

pytestmark = pytest.mark.django_db

BONUS = {"bonuses": [{"code": "raised", "name": "募集资金", "cap": "50"}, {"code": "topic", "name": "专题", "cap": "20"}]}
TIERS = {"trim": {"high": 1, "low": 1, "from_ballots": 5, "tiers": [{"from_ballots": 9, "high": 2, "low": 2}]}}


def of_preset(code: str, base: str = "YX-2026-01", **changed: Any) -> Any:
    """The review of a sample call on the bids of the district call (or of `base`), drawn simply."""
    plain = calls.rules(code).plain()["review"]
    return world.rules(base, **{**plain, "panel": {**plain["panel"], "draw": "simple"}, **changed})


MIXES: dict[str, Any] = {
    "district: two stages, finance marks, chair": lambda: of_preset("YX-2026-01"),
    "street: experts 80, residents 20, two stages": lambda: of_preset("YX-2026-02"),
    "micro: experts 70, residents 30, a criterion of residents, three ballots": lambda: of_preset("YX-2026-03"),
    "professional: points on site, field and finance seats": lambda: of_preset("YX-2026-04"),
    "joint: experts 70, pledges 15, public vote 15, and bonus points on top": lambda: of_preset("YX-2026-05", "YX-2026-05", **BONUS),
    "calibrated, nine experts: two and two dropped": lambda: world.rules(size=9, finance=2, official="calibrated", **TIERS),
}


def chance(*names: Any, most: int = 41) -> Decimal:
    """0.50 … 0.90 of the points, the same for the same names."""
    return Decimal(50 + int(hashlib.sha256(repr(names).encode()).hexdigest(), 16) % most) / 100


def given(review: Review) -> Decimal:
    return chance(review.bid.title, review.expert.code, review.stage)


def judged_by(value: Any) -> Panel:
    """Locked, every ballot and every entered score its own."""
    made = world.judged(value, n=2, titles=list("甲乙"), amounts=["40000.00", "50000.00"], sector=9, finance=3, field=5)
    panel = world.started(made.call, made.desk.officer)
    with clock.at(world.after(made.call, 10)):
        world.all_scored(panel, given)
        for bid in bids_of(panel):
            for part in components(panel.rules, bid):
                amount = (part.top * chance(bid.title, part.code)).quantize(Decimal("0.01"))
                services.enter_other_score(panel, bid, part.code, amount, basis="计票表", by=made.desk.officer)
        for review, _rules in Tally.of(panel).alarms():
            services.explain_deviation(review, "方案与其他申报差距明显", by=review.expert.user)
        services.lock(panel, by=made.desk.officer)
    return Panel.objects.select_related(*Panel.door_select).get(pk=panel.pk)


def scored(folder: Path, asked: dict[str, Any]) -> dict[str, Any]:
    (folder / "in.json").write_text(json.dumps(asked, ensure_ascii=False), encoding="utf-8")
    call_command("review", "score", str(folder / "in.json"), str(folder / "out.json"))
    answer: dict[str, Any] = json.loads((folder / "out.json").read_bytes())
    return answer


def stored(panel: Panel) -> list[dict[str, Any]]:
    """What the product kept, in the shape of the answer."""
    digits, rows = Decimal(1).scaleb(-panel.rules.review.decimals), panel.results.select_related("bid").order_by("rank")
    return [
        {
            "bid": r.bid.number, "score": str(r.total.quantize(digits)), "rank": r.rank, "passed": r.passed,
            "decided_by": r.explanation["decided_by"], "sentence": r.explanation["sentence"],
            "stages": [
                {
                    "stage": s["stage"], "value": s["value"],
                    **{fate: sorted(b["expert"] for b in s["ballots"] if b["dropped"] == word)
                       for fate, word in (("kept", ""), ("dropped_high", "high"), ("dropped_low", "low"))},
                }
                for s in r.explanation["stages"]
            ],
            **({"parts": [{key: p[key] for key in ("code", "weight", "value")} for p in r.explanation["parts"]]}
               if len(r.explanation["parts"]) > 1 else {}),
            **({"bonuses": {b["code"]: b["value"] for b in r.explanation["bonuses"]}} if "bonuses" in r.explanation else {}),
        }
        for r in rows
    ]  # fmt: skip


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Kept and dropped codes sorted: who they are is compared, not how their totals stand."""
    for row in rows:
        for stage in row["stages"]:
            stage.update({fate: sorted(stage[fate]) for fate in ("kept", "dropped_high", "dropped_low")})
    return rows


@pytest.mark.slow
@pytest.mark.parametrize("mix", MIXES)
def test_a_file_of_the_ballots_gives_what_the_product_stored(tmp_path: Path, mix: str) -> None:
    panel = judged_by(MIXES[mix]())
    asked = question(panel)
    answer = scored(tmp_path, asked)
    assert in_order(answer["official"]) == stored(panel)
    bytes_once = (tmp_path / "out.json").read_bytes()
    scored(tmp_path, asked)
    assert (tmp_path / "out.json").read_bytes() == bytes_once
    if mix.startswith("calibrated"):
        told = panel.results.first().explanation["stages"][0]  # type: ignore[union-attr]
        assert answer["strictness_taken_off"]["document"] == {b["expert"]: b["off"] for b in told["ballots"]}
