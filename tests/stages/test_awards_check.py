"""The optimum beside a proposal: asked for with it, proven by a worker, kept with its hash, repeatable from its own file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command

from grants.awards import checking
from grants.awards.allocation import Category
from grants.awards.counterfactual import funding
from grants.awards.models import Decision, SelectionCheck
from grants.ledger.models import AuditEvent
from grants.workflow import effects
from review import analysing
from review.models import Panel
from tests.world import awards as world

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

TIGHT = {
    "pool": {"total": "150000.00", "grants": "150000.00", "hosting": 0, "evaluation": 0},
    "sources": [
        {"id": "lottery", "name": "福利彩票公益金", "kind": "lottery", "amount": "150000.00", "purposes": ["扶老"], "logo_text": "彩票公益金资助—中国福利彩票"}
    ],
    "categories": [{"code": "elderly", "name": "为老服务", "rollover": "others", "purpose": "扶老"}],
    "amounts": {"cap": "150000.00"},
}  # fmt: skip


def test_the_optimum_is_proven_after_the_proposal_and_repeated_from_the_kept_file(tmp_path: Path) -> None:
    """100 and 60 and 90 of a pool of 150: the fund line takes the first, the optimum the two others."""
    made = world.ranked(world.rules(**TIGHT), amounts=["100000.00", "60000.00", "90000.00"], shares=["0.90", "0.89", "0.88"])
    world.proposed(made)
    panel = Decision.objects.first().panel
    assert checking.kept(panel) is None, "the proposal does not wait"
    effects.drain()
    found = checking.kept(panel)
    assert found is not None
    numbers = [b.number for b in made.bids]
    assert (found["status"], found["went"], found["came"]) == ("optimal", [numbers[0]], numbers[1:])
    assert Decimal(found["behind"]) > 0
    row = SelectionCheck.objects.get()
    assert row.sha256 == hashlib.sha256(row.body.encode()).hexdigest()
    assert row.sha256.encode() in bytes(AuditEvent.objects.get(event="call.optimum").leaf)
    source, target = tmp_path / "in.json", tmp_path / "out.json"
    source.write_text(row.question, encoding="utf-8")
    call_command("review", "select", "--optimum", str(source), str(target))
    again = json.loads(target.read_bytes())
    assert again["optimum"] == found
    assert {d["bid"]: (d["rule"], d["sentence"]) for d in again["decisions"]} == {
        d.bid.number: (d.rule, d.reason) for d in Decision.objects.select_related("bid")
    }


def test_bids_in_the_grey_band_are_decided_by_a_lot_that_everybody_can_draw_again() -> None:
    made = world.ranked(
        world.rules(**TIGHT, allocation={"method": "rank", "grey_band": "2.00"}),
        amounts=["100000.00", "100000.00", "100000.00"], shares=["0.90", "0.89", "0.80"],
    )  # fmt: skip
    world.proposed(made)
    rows = {d.bid.number: d for d in Decision.objects.select_related("bid")}
    first, second, third = (rows[b.number] for b in made.bids)
    assert sorted([first.awarded, second.awarded]) == [False, True]
    assert not third.awarded
    assert "公开抽签第 1 签" in (first if first.awarded else second).reason
    assert "公开抽签第 2 签" in (second if first.awarded else first).reason
    assert "抽签" not in third.reason
    effects.drain()
    panel = Decision.objects.select_related("panel").get(bid=made.bids[0]).panel
    found = analysing.kept(panel)
    assert found is not None
    told = {b.bid: b for b in found.bids}
    assert {number: told[number].funded for number in rows} == {number: row.awarded for number, row in rows.items()}, "the lot that fell"
    chances = [told[b.number].p_funded or Decimal(0) for b in made.bids]
    assert all(Decimal("0.4") < p < Decimal("0.6") for p in chances[:2]), f"{chances}: other experts, other ballots, another lot: even chances"
    assert chances[2] == 0
    assert analysing.recheck(panel) == []


def test_whose_award_hangs_on_one_expert_is_asked_with_the_grey_band_and_the_sub_quota() -> None:
    """The same order gives other awards with and without the band, and with money set aside for a field: the rules that decide are asked."""
    made = world.ranked(
        world.rules(**TIGHT, allocation={"method": "rank", "grey_band": "2.00"}), amounts=["100000.00", "100000.00", "100000.00"],
        shares=["0.90", "0.89", "0.80"],
    )  # fmt: skip
    panel = Panel.objects.get(call=made.call)
    fund, numbers = funding(panel), [b.number for b in made.bids]
    orders = [list(zip(numbers, map(Decimal, scores), strict=True)) for scores in (("90.00", "88.00", "80.00"), ("90.00", "87.99", "80.00"))]
    assert {next(iter(fund.afresh(orders[0], n))) for n in range(30)} == set(numbers[:2]), "a lot at 2.00 points"
    assert fund(orders[1]) == {numbers[0]}, "none at 2.01"
    apart = replace(fund.rules, grey_band=None, categories=(Category("youth", "青少年", reserve=Decimal(100000)),))
    youth = {**fund.known, numbers[2]: replace(fund.known[numbers[2]], category="youth")}
    assert replace(fund, rules=replace(apart, sources=()), known=youth)(orders[0]) == {numbers[2]}, "the sub-quota first; the others no longer fit the 50 left"


def test_the_reference_analysis_speaks_of_the_awards_that_the_rules_really_give() -> None:
    """Pool 150: by the selection the second of 100 + 60 + 50 is skipped and the third funded; the analysis says the same."""
    made = world.ranked(world.rules(**TIGHT), amounts=["100000.00", "60000.00", "50000.00"], shares=["0.90", "0.89", "0.88"])
    world.proposed(made)
    panel = Decision.objects.first().panel
    effects.drain()
    found = analysing.kept(panel)
    assert found is not None
    assert [b.funded for b in found.bids] == [True, False, True]
    assert analysing.recheck(panel) == [], "also after the awards exist"
