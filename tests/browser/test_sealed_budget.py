"""The budget of a sealed bid, judged and pasted in the browser: the scripts say to the letter what Python says, and nothing that breaks a rule is sealed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal, getcontext
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser

from tests.browser.bench import Bench

pytestmark = pytest.mark.browser
VECTORS = Path(__file__).parents[1] / "vectors"


@pytest.fixture
def bench(chromium: Browser) -> Iterator[Bench]:
    made = Bench(chromium, settings.CONTENT_SECURITY_POLICY)
    yield made
    made.context.close()


def vectors(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


def test_the_script_judges_every_budget_as_python_does(bench: Bench) -> None:
    """Rows, caps of categories and of the whole, shares, the call's own expressions: rule by rule, the same sentences in the same order."""
    cases = vectors("budget")
    told = bench.ask(
        """const [b, m] = await Promise.all([import("/static/bidding/budget-rules.js"), import("/static/web/money.js")]);
        const line = ([category, name, price, quantity, source], at) => ({ at, category, name, price: m.hundredths(price), quantity: m.hundredths(quantity), source });
        return given.map(({ rules, budgets }) => budgets.map(({ lines, chosen }) =>
            b.judgeBudget(lines.map(line), rules, b.lowestCap(rules, (name) => chosen[name])).map(({ row, rule, sentence }) => [row, rule, sentence])));""",
        cases,
    )
    for case, budgets in zip(cases, told, strict=True):
        for each, found in zip(case["budgets"], budgets, strict=True):
            assert found == each["told"], each["lines"]


def test_the_script_reads_every_sheet_as_python_does(bench: Bench) -> None:
    given = vectors("pasting")
    told = bench.ask(
        """const p = await import("/static/web/pasting.js");
        return given.cases.map(({ text, priced }) => p.read(text, given.how[priced ? "True" : "False"]));""",
        given,
    )
    for case, found in zip(given["cases"], told, strict=True):
        assert found == {"rows": case["rows"], "unread": case["unread"]}, case["text"]


def test_decimals_are_reckoned_as_python_reckons_them(bench: Bench) -> None:
    """Sums, products and quotients of numbers of all sizes, to 28 digits, half to even; and written with two places."""
    dice = Random(28)
    numbers = [f"{dice.choice(['', '-'])}{dice.randrange(10 ** dice.randrange(1, 27))}.{dice.randrange(10**6):06d}" for _ in range(600)]
    pairs = [(a, b) for a, b in pairwise(numbers) if Decimal(b)] + [("1", "8"), ("2.675", "1"), ("0.125", "1"), ("0.375", "1")]
    told = bench.ask(
        """const d = await import("/static/web/decimal.js");
        return given.map(([a, b]) => ["plus", "minus", "times", "over"].map((act) => { const { n, e } = d[act](d.decimal(a), d.decimal(b)); return `${n}E${e}`; })
            .concat([d.compare(d.decimal(a), d.decimal(b)), d.twoPlaces(d.decimal(a), true)]));""",
        pairs,
    )
    assert getcontext().prec == 28
    for (left, right), (plus, minus, times, over, order, shown) in zip(pairs, told, strict=True):
        a, b = Decimal(left), Decimal(right)
        assert [Decimal(each) for each in (plus, minus, times, over)] == [a + b, a - b, a * b, a / b], (left, right)
        assert (order, shown) == ((a > b) - (a < b), f"{a:,.2f}"), (left, right)
