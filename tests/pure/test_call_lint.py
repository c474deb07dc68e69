"""Each contradiction the linter knows: made in a sound preset, found with its key and a way out; and nothing found in sound ones."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.calls.rulebook import Severity, presets, toml
from grants.calls.rulebook.lint import CONTRADICTIONS, World, errors_in, lint
from grants.calls.rulebook.problems import Problem
from grants.clock.working_days import is_workday

GONE = object()
ERROR, WARNING = Severity.ERROR, Severity.WARNING
CHINA = World(is_workday=is_workday)
STEP = re.compile(r"(\w+)|\[([^]]+)\]")

Case = tuple[str, str, dict[str, Any], str, Severity]
"""Code, preset, what to put where, the key that must be named, its severity."""


def put(data: dict[str, Any], path: str, value: Any) -> None:
    """Set (or, with GONE, remove) one place; list elements are named by code, id, no, kind, name or #n."""
    steps = [key or label for key, label in STEP.findall(path)]
    for step in steps[:-1]:
        data = data[step] if isinstance(data, dict) else element(data, step)
    if value is GONE:
        del data[steps[-1]]
    elif isinstance(data, list):
        data[data.index(element(data, steps[-1]))] = value
    else:
        data[steps[-1]] = value


def element(items: list[Any], label: str) -> Any:
    if label.startswith("#"):
        return items[int(label[1:]) - 1]
    return next(each for each in items if label in [str(each.get(name)) for name in ("code", "id", "no", "kind", "name")])


def broken(preset: str, changes: dict[str, Any], world: World = CHINA) -> list[Problem]:
    data = presets.load(preset).plain()
    for path, value in changes.items():
        put(data, path, value)
    return lint(toml.from_data(data), file="x.toml", world=world)


ROW = {"code": "t", "label": "表", "kind": "table"}
EXTRA = {"code": "need", "name": "重复", "weight": 0, "anchors": [{"at": 100, "means": "好"}, {"at": 0, "means": "差"}]}
SECTION = {"code": "basics", "title": "重复", "fields": [{"code": "x", "label": "甲", "kind": "text"}]}
FIRST = "funding.tranches[1].conditions"
STARTS = [{"code": "contract_effective"}, {"code": "account_verified"}]
PRO = {"legal_basis": "procurement"}

SOON_AFTER = (presets.load("joint").timetable.closes_at.date() + timedelta(days=3)).isoformat()

CASES: list[Case] = [
    ("L014", "joint", {"sealing": "sealed", "timetable.files_follow_hours": 24}, "timetable.files_follow_hours", ERROR),
    ("L015", "joint", {"sealing": "sealed", "timetable.review_by": SOON_AFTER}, "timetable.review_by", WARNING),
    ("L001", "district", {"timetable.closes_at": "2026-03-10T09:00:00+08:00"}, "timetable.closes_at", ERROR),
    ("L002", "district", {"timetable.questions_until": "2026-03-30T17:00:00+08:00"}, "timetable.questions_until", ERROR),
    ("L002", "district", {"timetable.questions_until": "2026-03-01T17:00:00+08:00"}, "timetable.questions_until", ERROR),
    ("L003", "district", PRO | {"timetable.closes_at": "2026-03-29T23:59:59+08:00"}, "timetable.closes_at", ERROR),
    ("L003", "district", {"timetable.closes_at": "2026-03-24T17:00:01+08:00"}, "timetable.closes_at", WARNING),
    ("L004", "district", {"timetable.notice.amount": 4}, "timetable.notice", WARNING),
    ("L005", "district", PRO | {"timetable.contract_within.amount": 31}, "timetable.contract_within", ERROR),
    ("L005", "district", {"timetable.contract_within.amount": 31}, "timetable.contract_within", WARNING),
    ("L006", "district", {"timetable.review_by": "2026-04-01"}, "timetable.review_by", ERROR),
    ("L007", "district", {"timetable.closes_at": "2026-04-06T17:00:00+08:00"}, "timetable.closes_at", WARNING),
    ("L007", "micro", {"timetable.batches[1].closes_at": "2026-05-02T17:00:00+08:00"}, "timetable.batches[1].closes_at", WARNING),
    ("L009", "district", {"timetable.objection.amount": 3}, "timetable.objection", ERROR),
    ("L009", "district", PRO, "timetable.objection", ERROR),
    ("L009", "district", {"timetable.objection_reply.amount": 6}, "timetable.objection_reply", WARNING),
    ("L010", "district", {"sources[lottery].spend_by": "2027-02-23"}, "sources[lottery].spend_by", ERROR),
    ("L011", "district", {"timetable.midterm_month": 10}, "timetable.midterm_month", ERROR),
    ("L011", "district", {"timetable.midterm_month": 0}, "timetable.midterm_month", ERROR),
    ("L012", "micro", {"timetable.batches[2].amount": 49999}, "timetable.batches", ERROR),
    ("L012", "micro", {"timetable.batches[2].closes_at": "2026-05-01T00:00:00+08:00"}, "timetable.batches", ERROR),
    ("L012", "micro", {"timetable.batches[3].closes_at": "2026-07-14T17:00:00+08:00"}, "timetable.batches", ERROR),
    ("L012", "micro", {"timetable.batches[2].no": 5}, "timetable.batches", ERROR),
    ("L013", "professional", PRO, "timetable.term_months", WARNING),
    ("L020", "district", {"pool.hosting": 180001}, "pool.total", ERROR),
    ("L021", "district", {"sources[lottery].amount": "2999999.99"}, "sources", ERROR),
    ("L022", "district", {"amounts.cap": 2700001}, "amounts.cap", ERROR),
    ("L022", "district", {"amounts.floor": 200001}, "amounts.floor", ERROR),
    ("L023", "district", {"categories[elderly].amount": 900001}, "categories", ERROR),
    ("L023", "street", {"categories[care].reserve_share": 60, "categories[children].reserve_share": 41}, "categories", ERROR),
    ("L024", "professional", {"categories[hospice].cap": 200001}, "categories[hospice].cap", ERROR),
    ("L024", "professional", {"categories[hospice].count": 1}, "categories[hospice].count", WARNING),
    ("L024", "district", {"amounts.floor": 200000, "categories[relief].amount": 199999}, "categories[relief].amount", ERROR),
    ("L025", "street", {"tracks[b].amount": 200001}, "tracks", ERROR),
    ("L025", "street", {"tracks[b].amount": 199999}, "tracks", WARNING),
    ("L026", "street", {"tracks[b].cap": 50001}, "tracks[b].cap", ERROR),
    ("L026", "street", {"amounts.floor": 20000, "tracks[b].amount": 19999}, "tracks[b].amount", ERROR),
    ("L027", "district", {"amounts.cap_share": 61}, "amounts.match_share", ERROR),
    ("L027", "district", {"amounts.cap_share": 59}, "amounts.match_share", ERROR),
    ("L028", "district", {"amounts.match_share": GONE}, "amounts.in_kind_share", ERROR),
    ("L029", "district", {"sources[lottery].logo_text": ""}, "sources[lottery].logo_text", ERROR),
    ("L030", "district", {"sources[lottery].purposes": []}, "sources[lottery].purposes", ERROR),
    ("L030", "district", {"sources[lottery].purposes": ["扶老", "办公"]}, "sources[lottery].purposes", ERROR),
    ("L031", "district", {"sources[lottery].purposes": ["扶老", "助残", "救孤"]}, "categories[relief].purpose", ERROR),
    ("L032", "district", {"sources[lottery].forbids": ["salary"]}, "sources[lottery].forbids", ERROR),
    ("L033", "joint", {"sources[crowd].matching.cap": 100001}, "sources[crowd].matching.cap", ERROR),
    ("L033", "joint", {"sources[enterprise].claim.minimum": 200001}, "sources[enterprise].claim.minimum", ERROR),
    ("L034", "district", {"pool.hosting": 300001}, "pool.hosting", WARNING),
    ("L035", "district", {"categories[relief].code": "elderly"}, "categories", ERROR),
    ("L035", "street", {"needs.items[n02].code": "n01"}, "needs.items", ERROR),
    ("L040", "street", {"eligibility.sponsor": GONE}, "eligibility.sponsor", ERROR),
    ("L040", "micro", {"eligibility.sponsor.kinds": ["team"]}, "eligibility.sponsor", ERROR),
    ("L041", "street", {"tracks[b].kinds": ["recorded", "team"]}, "tracks[b].kinds", ERROR),
    ("L041", "street", {"tracks[a].kinds": ["association"]}, "tracks", ERROR),
    ("L042", "micro", {"eligibility.registered": {"months": 12}}, "eligibility.registered", ERROR),
    ("L042", "district", {"eligibility.minimum_adults": 3}, "eligibility.minimum_adults", WARNING),
    ("L042", "street", {"eligibility.sponsor.kinds": ["recorded", "team"]}, "eligibility.sponsor.kinds", ERROR),
    ("L043", "district", {"eligibility.awards_per_organisation": 3}, "eligibility.awards_per_organisation", ERROR),
    ("L044", "street", {"needs.items": []}, "needs.items", ERROR),
    ("L045", "street", {"needs.items[n01].cap": 50001}, "needs.items[n01].cap", ERROR),
    ("L046", "district", {"eligibility.past.barred_grades": ["不及格"]}, "eligibility.past.barred_grades", WARNING),
    ("L047", "joint", {"in_kind[mentors].hours_per_project": 21}, "in_kind[mentors].hours_total", ERROR),
    ("L047", "street", {"in_kind[rooms].hours_per_project": 0}, "in_kind[rooms]", WARNING),
    ("L048", "district", {"contract.third_party": "", "agency.operator": ""}, "contract.parties", ERROR),
    ("L049", "micro", {"eligibility.sponsor.name": "澄江市云溪区青禾街道办事处"}, "eligibility.sponsor.name", ERROR),
    ("L050", "district", {"budget.categories": [{"code": "a", "name": "甲", "cap_share": "99.99"}]}, "budget.categories", ERROR),
    ("L050", "district", {"budget.categories": [{"code": "a", "name": "甲", "banned": True}]}, "budget.categories", ERROR),
    ("L051", "district", {"budget.categories[management].banned": True}, "budget.categories[management]", ERROR),
    ("L052", "district", {"budget.categories[tax].code": "management"}, "budget.categories", ERROR),
    ("L052", "district", {"outcomes.kpis[sessions].code": "persons"}, "outcomes.kpis", ERROR),
    ("L053", "district", {"budget.rules[#1].expr": "personnel <"}, "budget.rules[people_and_office].expr", ERROR),
    ("L053", "district", {"budget.rules[#1].expr": "salary < grant"}, "budget.rules[people_and_office].expr", ERROR),
    ("L054", "district", {"budget.categories[tax].cap_amount": 200001}, "budget.categories[tax].cap_amount", WARNING),
    ("L055", "district", {"budget.categories[tax].code": "grant"}, "budget.categories[grant].code", ERROR),
    (
        "L060",
        "district",
        {"forms.application[basics].fields[name].kind": "choice"},
        "forms.application[basics].fields[name].options",
        ERROR,
    ),
    ("L060", "district", {"forms.application[basics].fields[#1]": ROW}, "forms.application[basics].fields[t].columns", ERROR),
    (
        "L060",
        "district",
        {"forms.application[team].fields[members].columns[role].kind": "file"},
        "forms.application[team].fields[members].columns[role].kind",
        ERROR,
    ),
    (
        "L060",
        "district",
        {"forms.application[team].fields[members].columns[role].kind": "choice"},
        "forms.application[team].fields[members].columns[role].options",
        ERROR,
    ),
    (
        "L061",
        "district",
        {"forms.application[need].fields[persons].kpi": "people"},
        "forms.application[need].fields[persons].kpi",
        ERROR,
    ),
    (
        "L061",
        "district",
        {"forms.application[basics].fields[place].attachment": "map"},
        "forms.application[basics].fields[place].attachment",
        ERROR,
    ),
    (
        "L061",
        "district",
        {"forms.application[basics].fields[place].kind": "file"},
        "forms.application[basics].fields[place].attachment",
        ERROR,
    ),
    ("L062", "district", {"attachments[survey].media_types": []}, "attachments[survey].media_types", ERROR),
    ("L062", "district", {"attachments[survey].required_for": ["team"]}, "attachments[survey].required_for", WARNING),
    ("L063", "district", {"forms.application[team]": SECTION}, "forms.application", ERROR),
    ("L063", "district", {"forms.application[basics].fields[place].code": "name"}, "forms.application[basics].fields", ERROR),
    ("L064", "district", {"forms.midterm": []}, "forms.midterm", ERROR),
    ("L064", "district", {"forms.final": []}, "forms.final", ERROR),
    ("L065", "district", {"forms.declarations": []}, "forms.declarations", WARNING),
    ("L066", "district", PRO | {"retention.file_years": 14}, "retention.file_years", ERROR),
    ("L067", "district", {"sources[lottery].logo_text": ""}, "funding.tranches", ERROR),
    (
        "L068",
        "district",
        {"forms.application[plan].fields[schedule].min_rows": 19},
        "forms.application[plan].fields[schedule].min_rows",
        ERROR,
    ),
    (
        "L068",
        "district",
        {"forms.final[results].fields[satisfaction].minimum": 101},
        "forms.final[results].fields[satisfaction].minimum",
        ERROR,
    ),
    ("L070", "district", {"review.sheets[a].criteria[need].weight": 21}, "review.sheets[a].criteria", ERROR),
    ("L071", "district", {"review.stages[oral].weight": 59}, "review.stages", ERROR),
    ("L071", "district", {"review.stages[document].kind": "oral"}, "review.stages", ERROR),
    ("L072", "street", {"review.mix.residents": 21}, "review.mix", ERROR),
    ("L073", "district", {"review.panel.size": 3}, "review.panel.size", ERROR),
    ("L073", "district", {"review.trim.from_ballots": 2}, "review.trim.from_ballots", ERROR),
    ("L123", "district", {"review.trim.tiers": [{"from_ballots": 5, "high": 1, "low": 1}]}, "review.trim.tiers[#1].from_ballots", ERROR),
    ("L123", "district", {"review.trim.tiers": [{"from_ballots": 6, "high": 3, "low": 3}]}, "review.trim.tiers[#1].from_ballots", ERROR),
    ("L123", "district", {"review.trim.tiers": [{"from_ballots": 9, "high": 2, "low": 2}]}, "review.trim.tiers[#1].from_ballots", WARNING),
    ("L074", "district", {"review.panel.size": 6}, "review.panel.size", WARNING),
    ("L075", "district", {"review.panel.finance": 0}, "review.sheets[a].criteria[budget].scorer", ERROR),
    ("L075", "professional", {"review.panel.field": 0}, "review.sheets[c].criteria[service].scorer", ERROR),
    ("L076", "district", {"review.pass_line": "100.01"}, "review.pass_line", ERROR),
    ("L076", "district", {"review.pass_line": 0}, "review.pass_line", ERROR),
    ("L076", "district", {"review.pass_line": "59.99"}, "review.pass_line", WARNING),
    ("L077", "district", {"review.ties": [{"by": "lower_ask"}]}, "review.ties", ERROR),
    ("L077", "district", {"review.ties": [{"by": "lot"}, {"by": "lower_ask"}, {"by": "lot"}]}, "review.ties", ERROR),
    ("L078", "district", {"review.ties[#1].criterion": "beauty"}, "review.ties[#1].criterion", ERROR),
    ("L078", "district", {"review.ties[#1].criterion": GONE}, "review.ties[#1].criterion", ERROR),
    ("L079", "district", {"review.panel.min_ballots": 8}, "review.panel.min_ballots", ERROR),
    ("L079", "district", {"review.panel.min_ballots": 2}, "review.panel.min_ballots", ERROR),
    ("L080", "district", {"review.sheets[a].criteria[need].anchors": []}, "review.sheets[a].criteria[need].anchors", ERROR),
    (
        "L080",
        "district",
        {"review.sheets[a].criteria[need].anchors": [{"at": 50, "means": "一"}, {"at": 50, "means": "二"}]},
        "review.sheets[a].criteria[need].anchors",
        ERROR,
    ),
    ("L081", "street", {"review.panel.residents": 0}, "review.panel.residents", ERROR),
    ("L081", "street", {"review.mix.residents": 0}, "review.mix.residents", WARNING),
    ("L082", "professional", {"review.site_check.criterion": "x"}, "review.site_check.criterion", ERROR),
    ("L082", "professional", {"review.site_check.points": 26}, "review.site_check.points", ERROR),
    ("L083", "street", {"review.mix.pledges": 15}, "review.mix.pledges", ERROR),
    ("L084", "street", {"tracks[a].sheet": "z"}, "tracks[a].sheet", ERROR),
    ("L085", "district", {"review.panel.finance": 8}, "review.panel", ERROR),
    ("L085", "street", {"review.panel.agency_seats": 2}, "review.panel.agency_seats", WARNING),
    ("L086", "district", {"review.sheets[a].criteria[design]": EXTRA}, "review.sheets[a].criteria", ERROR),
    ("L087", "joint", {"review.mix.public_vote": 21}, "review.mix.public_vote", WARNING),
    ("L088", "district", {"review.stages[oral].pitch_minutes": 0}, "review.stages[oral].pitch_minutes", ERROR),
    ("L089", "street", {"review.panel.finance": 0}, "review.panel.finance", WARNING),
    ("L090", "joint", {"amounts.floor": "100000.00", "allocation.awards_max": 11}, "allocation.awards_max", ERROR),
    ("L090", "joint", {"allocation.awards_max": 11}, "allocation.awards_max", WARNING),
    ("L090", "joint", {"allocation.awards_max": 9}, "allocation.awards_max", WARNING),
    ("L091", "district", {"allocation.method": "grade_bands"}, "allocation.bands", ERROR),
    ("L091", "district", {"allocation.bands": [{"name": "一", "at_least": 70, "amount": 1}]}, "allocation.bands", ERROR),
    (
        "L091",
        "district",
        {"allocation.method": "grade_bands", "allocation.bands": [{"name": "一", "at_least": 71, "amount": 1}]},
        "allocation.bands",
        ERROR,
    ),
    (
        "L092",
        "district",
        {"allocation.bands": [{"name": "一", "at_least": 70, "amount": 200001}]},
        "allocation.bands[一].amount",
        ERROR,
    ),
    ("L093", "district", {"contract.number_pattern": "云民〔{year}〕"}, "contract.number_pattern", ERROR),
    ("L093", "district", {"contract.number_pattern": "云民{no}号"}, "contract.number_pattern", WARNING),
    ("L094", "district", {"contract.clauses": ["logo"]}, "contract.clauses", ERROR),
    ("L100", "district", {"funding.tranches[3].percent": "19.99"}, "funding.tranches", ERROR),
    ("L100", "district", {"funding.tranches[3].percent": 0}, "funding.tranches[3].percent", ERROR),
    ("L101", "district", {"funding.tranches[3].no": 4}, "funding.tranches", ERROR),
    ("L102", "district", {"evaluation.midterm": GONE}, "funding.tranches[2].conditions", ERROR),
    ("L103", "district", {"evaluation.final": GONE}, "funding.tranches[3].conditions", ERROR),
    ("L104", "district", {FIRST: [*STARTS, {"code": "midterm_passed"}]}, FIRST, ERROR),
    ("L104", "district", {FIRST: [*STARTS, {"code": "spend_ratio", "percent": 60}]}, FIRST, ERROR),
    (
        "L105",
        "district",
        {
            "funding.tranches[2].conditions": [{"code": "final_passed"}],
            "funding.tranches[3].conditions": [{"code": "midterm_passed"}],
        },
        "funding.tranches[3].conditions",
        ERROR,
    ),
    ("L106", "district", {"funding.tranches[2].conditions": [{"code": "spend_ratio"}]}, "funding.tranches[2].conditions", ERROR),
    (
        "L106",
        "district",
        {"funding.tranches[2].conditions": [{"code": "rectified", "percent": 5}]},
        "funding.tranches[2].conditions",
        ERROR,
    ),
    ("L107", "district", {FIRST: [{"code": "account_verified"}]}, FIRST, ERROR),
    ("L107", "district", {FIRST: [{"code": "contract_effective"}]}, FIRST, ERROR),
    (
        "L108",
        "district",
        {"funding.tranches[3].conditions": [{"code": "receipt_uploaded"}]},
        "funding.tranches[3].conditions",
        WARNING,
    ),
    ("L109", "district", {"funding.changes.operator_up_to": 9}, "funding.changes.operator_up_to", ERROR),
    ("L109", "district", {"funding.changes.extension_months": 0}, "funding.changes.extension_months", ERROR),
    ("L110", "district", {"evaluation.final.criteria[output].weight": 31}, "evaluation.final.criteria", ERROR),
    ("L110", "district", {"evaluation.final.criteria[output].code": "result"}, "evaluation.final.criteria", ERROR),
    ("L111", "district", {"evaluation.final.bands[良好].below": 89}, "evaluation.final.bands", ERROR),
    ("L111", "district", {"evaluation.final.bands[良好].below": 91}, "evaluation.final.bands", ERROR),
    ("L111", "district", {"evaluation.final.bands[优秀].below": 100}, "evaluation.final.bands", ERROR),
    ("L111", "district", {"evaluation.final.bands[不合格].at_least": 1}, "evaluation.final.bands", ERROR),
    ("L112", "district", {"evaluation.final.bands[良好].consequences": []}, "evaluation.final.bands[良好].consequences", ERROR),
    (
        "L113",
        "district",
        {"evaluation.final.bands[不合格].consequences": [{"action": "bar"}]},
        "evaluation.final.bands[不合格].consequences[bar].months",
        ERROR,
    ),
    (
        "L114",
        "district",
        {"evaluation.final.bands[不合格].consequences": [{"action": "pay"}]},
        "evaluation.final.bands[不合格].passed",
        ERROR,
    ),
    (
        "L114",
        "district",
        {"evaluation.final.bands[合格].consequences": [{"action": "pay"}, {"action": "withhold"}]},
        "evaluation.final.bands[合格].consequences",
        ERROR,
    ),
    ("L114", "district", {"evaluation.final.bands[良好].passed": False}, "evaluation.final.bands", ERROR),
    ("L115", "street", {FIRST: [*STARTS, {"code": "match_arrived", "percent": 100}]}, FIRST, ERROR),
    ("L115", "district", {"funding.receipts": []}, "funding.receipts", ERROR),
    (
        "L116",
        "district",
        {f"evaluation.final.bands[{b}].passed": False for b in ("优秀", "良好", "合格")},
        "evaluation.final.bands",
        ERROR,
    ),
    ("L116", "district", {"evaluation.final.bands[不合格].passed": True}, "evaluation.final.bands", WARNING),
    ("L117", "district", {"evaluation.final.bonus_max": 21}, "evaluation.final.bonus_max", WARNING),
    (
        "L118",
        "micro",
        {f"evaluation.closing[{c}].required": False for c in ("photos", "sign_in", "receipts")},
        "evaluation.closing",
        ERROR,
    ),
    ("L118", "micro", {"evaluation.closing[photos].code": "receipts"}, "evaluation.closing", ERROR),
    ("L120", "district", {"review.official": "calibrated"}, "review.official", WARNING),
    ("L120", "micro", {"review.official": "calibrated"}, "review.trim", ERROR),
    ("L121", "district", {"review.bonuses": [{"code": "a", "name": "募资", "cap": 51}]}, "review.bonuses", WARNING),
    ("L121", "district", {"review.bonuses": [{"code": "a", "name": n, "cap": 5} for n in ("募资", "专题")]}, "review.bonuses", ERROR),
    ("L130", "district", {"review.hiding": {"until": "locked"}}, "review.stages", WARNING),
    ("L122", "district", {"allocation.grey_band": 6}, "allocation.grey_band", WARNING),
]


@pytest.mark.parametrize(
    ("code", "preset", "changes", "key", "severity"), CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)]
)
def test_a_contradiction_is_found_where_it_was_made(
    code: str, preset: str, changes: dict[str, Any], key: str, severity: Severity
) -> None:
    found = [problem for problem in broken(preset, changes) if problem.code == code and problem.key == key]
    assert severity in {problem.severity for problem in found}
    assert all(problem.file == "x.toml" and re.search("[一-鿿]", problem.message) and problem.way_out for problem in found)


def test_every_kind_of_contradiction_is_tested() -> None:
    tested = {case[0] for case in CASES} | {"L008"}
    assert tested == {each.code for each in CONTRADICTIONS}


def test_codes_are_unique_and_each_check_is_one_function() -> None:
    assert len({each.code for each in CONTRADICTIONS}) == len(CONTRADICTIONS) == len({each.check for each in CONTRADICTIONS})
    assert all(re.fullmatch(r"L\d{3}", each.code) and each.name for each in CONTRADICTIONS)


@pytest.mark.parametrize("preset", presets.NAMES)
def test_a_preset_has_no_contradiction_under_the_chinese_calendar(preset: str) -> None:
    assert lint(presets.load(preset), world=CHINA) == []


def test_a_year_without_published_adjustments_is_named() -> None:
    world = World(is_workday, published_years={2026})
    found = broken("district", {}, world)
    assert [(problem.code, problem.severity) for problem in found] == [("L008", WARNING)]
    assert "2027" in found[0].message


def test_an_adjusted_working_sunday_is_no_holiday() -> None:
    """2026-02-14 is a Saturday that is worked: only a calendar that knows 调休 may keep silent."""
    changes = {"timetable.questions_until": "2026-03-24T17:00:00+08:00", "timetable.opens_at": "2026-01-20T09:00:00+08:00"}
    changes |= {"timetable.questions_until": "2026-02-14T17:00:00+08:00"}
    assert "L007" not in {problem.code for problem in broken("district", changes)}
    assert "L007" in {problem.code for problem in broken("district", changes, World())}


def test_without_a_calendar_monday_to_friday_counts() -> None:
    assert World().is_workday(date(2026, 3, 30))
    assert not World().is_workday(date(2026, 3, 29))


def test_errors_come_before_warnings_and_only_they_stop_publishing() -> None:
    data = presets.load("district").plain()
    put(data, "review.panel.size", 6)
    put(data, "review.pass_line", 0)
    rules = toml.from_data(data)
    assert [problem.severity for problem in lint(rules)] == [ERROR, WARNING]
    assert [problem.code for problem in errors_in(rules)] == ["L076"]


@given(st.lists(st.integers(0, 100), min_size=7, max_size=7))
def test_weights_are_accepted_exactly_when_they_add_up(weights: list[int]) -> None:
    data = presets.load("district").plain()
    for criterion, weight in zip(data["review"]["sheets"][0]["criteria"], weights, strict=True):
        criterion["weight"] = weight
    codes = {problem.code for problem in lint(toml.from_data(data), world=CHINA)}
    assert ("L070" in codes) == (sum(weights) != 100)


@given(st.lists(st.integers(1, 99), min_size=1, max_size=6, unique=True))
def test_bands_cut_from_one_line_never_overlap_or_gap_and_shifting_one_edge_always_does(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts)]
    bands = [
        {"name": f"第{i}档", "at_least": low, "passed": i > 0, "consequences": [{"action": "publish"}]}
        | ({"below": edges[i + 1]} if i + 1 < len(edges) else {})
        for i, low in enumerate(edges)
    ]
    assert "L111" not in {problem.code for problem in broken("district", {"evaluation.final.bands": bands})}
    bands[0]["below"] = edges[1] - 1 if edges[1] > 1 else edges[1] + 1
    assert "L111" in {problem.code for problem in broken("district", {"evaluation.final.bands": bands})}
