"""The five presets carry the numbers of the five sample calls, to the yuan and the point."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from grants.calls.rulebook import CallRules, presets
from grants.calls.rulebook.parts.timetable import Period


def weights(rules: CallRules) -> list[int]:
    return [int(criterion.weight) for criterion in rules.sheet_for().criteria]


def tranches(rules: CallRules) -> list[int]:
    return [int(tranche.percent) for tranche in rules.funding.tranches]


def caps(rules: CallRules) -> dict[str, int]:
    return {each.code: int(each.cap_share) for each in rules.budget.categories if each.cap_share is not None}


def spoken(period: Period) -> str:
    return f"{period.amount} {period.unit}"


def holds(value: Any, expected: Any) -> None:
    assert value == expected


def test_call_1_the_district_round() -> None:
    rules = presets.load("district")
    holds(
        [rules.pool.total, rules.pool.grants, rules.pool.hosting, rules.pool.evaluation], [3_000_000, 2_700_000, 180_000, 120_000]
    )
    holds([c.amount for c in rules.categories], [900_000, 500_000, 500_000, 400_000, 400_000])
    holds(
        [rules.amounts.cap, rules.amounts.cap_share, rules.amounts.match_share, rules.amounts.in_kind_share],
        [200_000, 60, 40, 50],
    )
    holds((rules.timetable.closes_at.date() - rules.timetable.opens_at.date()).days, 20)
    holds([spoken(rules.timetable.cure), spoken(rules.timetable.notice)], ["3 working", "5 working"])
    holds([rules.review.panel.size, rules.review.panel.finance], [7, 2])
    holds(
        [(str(s.kind), int(s.weight), s.pitch_minutes, s.question_minutes) for s in rules.review.stages],
        [("document", 40, 0, 0), ("oral", 60, 8, 5)],
    )
    holds([rules.review.trim.high, rules.review.trim.low, rules.review.pass_line], [1, 1, 70])
    holds(weights(rules), [20, 25, 10, 15, 10, 15, 5])
    holds(tranches(rules), [50, 30, 20])
    holds(caps(rules), {"personnel": 40, "publicity": 8, "equipment": 5, "management": 8})
    holds(
        [rules.timetable.term_months, rules.timetable.contract_within.amount, rules.eligibility.awards_per_organisation],
        [10, 30, 1],
    )
    assert rules.evaluation.final is not None
    holds([int(band.at_least) for band in rules.evaluation.final.bands], [90, 75, 60, 0])


def test_call_2_the_street_round() -> None:
    rules = presets.load("street")
    holds({s.kind.value: int(s.amount) for s in rules.sources}, {"fiscal": 600_000, "foundation": 300_000})
    holds(
        [len(rules.needs.items), {n.cap for n in rules.needs.items}, str(rules.needs.mode)], [18, {Decimal(50_000)}, "only_list"]
    )
    holds([(t.code, t.amount, t.cap) for t in rules.tracks], [("a", 700_000, None), ("b", 200_000, 20_000)])
    holds([rules.review.panel.size, rules.review.panel.residents], [5, 20])
    holds([rules.review.mix.experts, rules.review.mix.residents, rules.review.pass_line], [80, 20, 65])
    holds([spoken(rules.timetable.notice), rules.timetable.term_months, tranches(rules)], ["7 calendar", 8, [60, 30, 10]])
    holds(caps(rules), {"management": 5})
    holds([(i.quantity, i.hours_per_project) for i in rules.in_kind], [(6, 40)])


def test_call_3_the_micro_grants() -> None:
    rules = presets.load("micro")
    holds(
        [rules.pool.total, rules.pool.hosting_outside, rules.amounts.cap, rules.allocation.awards_max],
        [150_000, 8_000, 5_000, 30],
    )
    holds([int(batch.amount) for batch in rules.timetable.batches], [50_000] * 3)
    holds([kind.value for kind in rules.eligibility.kinds], ["recorded", "team"])
    assert rules.eligibility.sponsor is not None
    holds(
        [rules.eligibility.minimum_adults, rules.eligibility.sponsor.name, rules.eligibility.sponsor.fee_share],
        [3, "青禾街道社区社会组织联合会", 0],
    )
    holds(sum(field.max_chars for section in rules.forms.application for field in section.fields), 300)
    holds(
        [rules.budget.max_lines, {c.code for c in rules.budget.categories if c.banned} >= {"management", "personnel"}], [6, True]
    )
    holds([rules.review.panel.size, rules.review.panel.residents, rules.review.pass_line], [3, 20, 60])
    holds([weights(rules), tranches(rules), caps(rules)], [[30, 30, 20, 10, 10], [70, 30], {"volunteer": 20}])
    holds([rules.timetable.term_months, rules.evaluation.audit_sample, rules.evaluation.midterm], [4, 10, None])
    assert not [a for a in rules.attachments if a.required and a.phase == "application"]


def test_call_4_the_professional_gap() -> None:
    rules = presets.load("professional")
    holds([(c.count, c.amount, c.rollover.value) for c in rules.categories], [(2, 400_000, "next_year")] * 3)
    assert rules.eligibility.professionals is not None
    assert rules.review.site_check is not None
    holds([rules.pool.total, rules.amounts.cap, rules.allocation.awards_max], [1_200_000, 200_000, 6])
    holds([rules.eligibility.professionals.at_least, rules.eligibility.professionals.supervisors], [2, 1])
    holds([rules.eligibility.joint.allowed, rules.eligibility.cross_district], [True, True])
    holds([rules.review.panel.size, rules.review.panel.field, rules.review.site_check.points], [7, 3, 20])
    holds(
        [weights(rules), tranches(rules), caps(rules)],
        [[25, 20, 20, 15, 10, 10], [40, 40, 20], {"personnel": 60, "management": 10}],
    )
    holds([rules.timetable.term_months, rules.timetable.midterm_month], [18, 9])
    holds({"pia", "consent_form"} <= {a.code for a in rules.attachments if a.required}, True)


def test_call_5_the_joint_programme() -> None:
    rules = presets.load("joint")
    holds([int(s.amount) for s in rules.sources], [400_000, 300_000, 200_000, 100_000])
    holds([rules.review.mix.experts, rules.review.mix.pledges, rules.review.mix.public_vote], [70, 15, 15])
    enterprise, crowd = rules.sources[2], rules.sources[3]
    assert enterprise.claim is not None
    assert crowd.matching is not None
    holds([enterprise.claim.minimum, enterprise.claim.naming_share], [10_000, 50])
    holds([crowd.matching.ratio, crowd.matching.cap], [100, 10_000])
    holds(
        [rules.allocation.awards_max, rules.amounts.cap, tranches(rules), rules.timetable.term_months],
        [10, 100_000, [30, 50, 20], 12],
    )
    holds([(i.quantity, i.hours_total) for i in rules.in_kind], [(12, 2400), (20, 200)])


@pytest.mark.parametrize(("name", "sections"), [("district", 6), ("street", 6), ("professional", 6), ("joint", 6), ("micro", 1)])
def test_application_forms_are_as_long_as_the_money_is_large(name: str, sections: int) -> None:
    found = len(presets.load(name).forms.application)
    assert found >= sections if sections > 1 else found == 1
