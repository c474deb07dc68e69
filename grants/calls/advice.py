"""The linter asked with this installation's calendar (overrides included)."""

from __future__ import annotations

from datetime import date
from functools import partial

from grants.calls.rulebook.lint import World, lint
from grants.calls.rulebook.model import CallRules
from grants.calls.rulebook.problems import Problem
from grants.clock.calendar import overrides
from grants.clock.working_days import is_workday, unsettled_years

FAR = 6  # years after the opening that a call's periods can reach


def advice(rules: CallRules) -> list[Problem]:
    """Every contradiction and warning, errors first; the file is named after the call's code."""
    first, last = rules.timetable.opens_at.year, rules.timetable.opens_at.year + FAR
    table = overrides()  # read once: a linter asks about many days
    unsettled = unsettled_years(date(first, 1, 1), date(last, 12, 28), table)
    world = World(is_workday=partial(is_workday, overrides=table), published_years=set(range(first, last + 1)) - set(unsettled))
    return lint(rules, file=rules.code, world=world)
