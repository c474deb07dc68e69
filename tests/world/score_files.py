"""A panel's sealed ballots as the file that `manage.py review score` reads: what anybody would write down from the published rows."""

from __future__ import annotations

from typing import Any

from review.conflict_checks import code_of
from review.models import Panel
from review.panels import bids_of, sheet_of, sitting, stages_of
from review.results import Tally, ask_of, lots_of

SEATS = ("finance", "field")
OF_REVIEW = ("stages", "mix", "bonuses", "site_check", "trim", "decimals", "pass_line", "official")


def question(panel: Panel) -> dict[str, Any]:
    """The rule as the call states it, the sheet, and every ballot and entered score as given; lots as they were drawn."""
    tally, plain = Tally.of(panel), panel.rules.plain()["review"]
    stated = {key: plain[key] for key in OF_REVIEW if key in plain}
    stages = [{"kind": stage["kind"], "weight": stage["weight"]} for stage in plain["stages"]]
    drawn = {"lots": {"drawn": list(lots_of(panel))}} if lots_of(panel) else {}
    chair = next((m.expert.code for m in sitting(panel) if m.chair), "")
    rule = {**stated, "stages": stages, "min_ballots": plain["panel"]["min_ballots"], "ties": plain["ties"], "chair": chair, **drawn}
    codes = {bid.pk: code_of(bid) for bid in tally.bids}
    ballots = [
        [codes[r.bid_id], r.expert.code, {code: str(mark.value) for code, mark in tally.marks[r.pk].items()}, r.stage]
        for stage in stages_of(panel.rules) for r in tally.reviews if r.stage == stage
    ]  # fmt: skip
    return {
        "rule": rule, "criteria": [_criterion(c) for c in sheet_of(panel.rules, bids_of(panel)[0]).criteria], "ballots": ballots,
        "bids": [{"bid": codes[bid.pk], "ask": str(ask_of(bid))} for bid in tally.bids],
        "seats": {m.expert.code: str(m.seat) for m in panel.members.select_related("expert") if str(m.seat) in SEATS},
        "entered": [[codes[bid], component, str(value)] for (bid, component), value in sorted(tally.others.items(), key=str)],
    }  # fmt: skip


def _criterion(criterion: Any) -> dict[str, str]:
    return {"code": criterion.code, "name": criterion.name, "weight": str(criterion.weight), "scorer": str(criterion.scorer)}
