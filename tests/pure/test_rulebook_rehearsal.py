"""预演: bids that nobody wrote, the rule each planted fault breaks, and that everything is repeatable."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from grants.calls.rulebook import presets
from grants.calls.rulebook.eligibility import Outcome, assess
from grants.calls.rulebook.invented import SEED, fitting, synthetic
from grants.calls.rulebook.rehearsal import exclusions, rehearse
from grants.calls.rulebook.toml import from_data


def rules(name: str = "district", **changes: Any) -> Any:
    return from_data({**presets.load(name).plain(), **changes})


@pytest.mark.parametrize("name", presets.NAMES)
def test_an_applicant_that_fits_passes_every_rule(name: str) -> None:
    """For every kind of body that the call admits: no rule fails and none waits for a clerk."""
    value = presets.load(name)
    on = value.timetable.closes_at.date()
    for kind in value.eligibility.kinds:
        found = assess(fitting(value, kind, on), value.eligibility, on=on)
        assert found and {each.outcome for each in found} == {Outcome.PASS}, (kind, found)


@pytest.mark.parametrize("name", presets.NAMES)
def test_exactly_the_planted_faults_fall_out(name: str) -> None:
    """Every fifth bid breaks one rule; nobody else is excluded; every excluded bid has a sentence."""
    value = presets.load(name)
    bids = synthetic(value, count=60)
    out = exclusions(value, bids)
    assert {each.bid for each in out} == {bid.code for bid in bids[4::5]}
    assert all(each.sentence for each in out)
    assert len({each.rule for each in out}) >= (2 if name == "micro" else 4)


def test_every_field_of_service_has_bids_that_compete() -> None:
    """Faults are spread over the fields, not all in one."""
    value = presets.load("district")
    bids = synthetic(value)
    fallen = {each.bid for each in exclusions(value, bids)}
    staying = {bid.category for bid in bids if bid.code not in fallen}
    assert staying == {category.code for category in value.categories}


def test_the_same_rules_and_seed_give_the_same_bids_and_others_do_not() -> None:
    """Repeatable on any machine; another seed is another example."""
    value = rules()
    assert synthetic(value) == synthetic(value, seed=SEED)
    assert synthetic(value, seed=1) != synthetic(value)
    assert rehearse(value, synthetic(value)) == rehearse(value, synthetic(value))


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"ask": Decimal("99999999.00")}, "cap"), ({"ask": Decimal("1.00")}, "floor"), ({"match": Decimal("0.00")}, "match_share"),
    ],
)  # fmt: skip
def test_money_that_does_not_fit_is_excluded_by_its_rule(change: dict[str, Decimal], rule: str) -> None:
    """Too much, too little, too little of one's own."""
    from dataclasses import replace

    plain = presets.load("district").plain()
    plain["amounts"]["floor"] = "1000.00"
    value = from_data(plain)
    bid = replace(synthetic(value, count=1)[0], **change)  # type: ignore[arg-type]
    assert [each.rule for each in exclusions(value, [bid])] == [rule]


@pytest.mark.parametrize("name", presets.NAMES)
def test_synthetic_asks_are_lawful(name: str) -> None:
    """Between floor and cap, with the match the call wants; marks are shares."""
    value = presets.load(name)
    for index, bid in enumerate(synthetic(value, count=40)):
        if index % 5 != 4:
            assert 0 < bid.ask <= value.amounts.cap and bid.match >= 0
        stages = [bid.given(str(stage.kind)) for stage in value.review.stages]
        assert all(len(given) >= value.review.panel.min_ballots for given in stages)
        assert all(0 <= share <= 1 for given in stages for ballot in given.values() for share in ballot.values())
