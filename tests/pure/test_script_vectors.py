"""Vectors that Python makes and the browser's scripts must answer to the letter (tests/browser/test_sealed_budget.py).

The files are what the code says today: after a change on purpose, `REWRITE_VECTORS=1` writes them anew.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bidding import pasting, sealed_budget
from bidding.budget import BudgetLine, Source
from bidding.completeness import budget_rules, budget_told
from bidding.paste_columns import for_page
from grants.calls.rulebook.model import CallRules
from grants.money import fen
from tests.world import calls

VECTORS = Path(__file__).parents[1] / "vectors"
CODES = sorted(calls.PRESETS)
EXPRESSIONS = (
    "personnel + management <= 48% * grant", "personnel / grant <= 0.45 or management == 0", "not (activity > 12000.50)",
    "min(personnel, activity, 5000) < max(management, 1) and project / match > 1.5", "grant / in_kind <= 3",
    "0 < grant <= project - match <= 100000", "(personnel - management) / 7 * 7 == personnel - management", "grant / 3 <= 1666.67",
)  # fmt: skip
COMBINED = [{"code": f"rule_{i}", "expr": expr, "message": f"组合规则第 {i} 条"} for i, expr in enumerate(EXPRESSIONS)]


def strict(plain: Mapping[str, Any]) -> CallRules:
    """Rules with every kind of limit, most of them easily broken."""
    budget = {**plain["budget"], "rules": COMBINED, "max_lines": 6, "banned": ["茶歇", "礼品"]}
    several = [{**c, "cap_share": share} for c, share in zip(budget["categories"], ("33.33", 8, "0.07", 50), strict=False)]
    budget["categories"] = [*several, *({**c, "cap_amount": 900} for c in budget["categories"][len(several) :])]
    amounts = {"cap": 30000, "floor": 800, "cap_share": 60, "match_share": "33.33", "in_kind_share": 50}
    return calls.from_data({**plain, "budget": budget, "amounts": amounts})


def rules_of(number: int) -> CallRules:
    plain = calls.rules(CODES[number % len(CODES)]).plain()
    return calls.from_data(plain) if number < len(CODES) else strict(plain)


def line_of(dice: random.Random, rules: CallRules) -> list[str]:
    """Category, purpose, price, quantity, source; now and then nothing, nought, or what is banned."""
    category = dice.choice([*(c.code for c in rules.budget.categories), "none"]) if dice.random() < 0.3 else rules.budget.categories[0].code
    name = dice.choice(["探访", "茶歇采购", "", "志愿者补贴", "印刷"])
    price = Decimal(dice.choice([0, 1, 5, 33, 10_000, 123_456, 2_000_000])) + dice.randrange(100)
    quantity = Decimal(dice.choice([0, 1, 50, 100, 100, 250, 1_233]))
    return [category, name, f"{price / 100:.2f}", f"{quantity / 100:.2f}", dice.choice(["grant", "grant", "match_cash", "match_in_kind"])]


def budget_cases() -> Iterator[dict[str, Any]]:
    dice = random.Random(20260301)
    for number in range(2 * len(CODES)):
        rules = rules_of(number)
        lines = [[line_of(dice, rules) for _ in range(dice.choice([0, 1, 2, 4, 7]))] for _ in range(14)]
        yield {"rules": sealed_budget.for_page(rules), "budgets": [{"lines": each, **told(rules, each, dice)} for each in lines]}


def told(rules: CallRules, lines: list[list[str]], dice: random.Random) -> dict[str, Any]:
    choices = {"category": rules.categories, "track": rules.tracks, "need": rules.needs.items}
    chosen = {name: dice.choice([c.code for c in of] or [""]) for name, of in choices.items()}
    limits = budget_rules(SimpleNamespace(rules=rules, **chosen))
    read = [BudgetLine(c, n, Decimal(p), Decimal(q), fen(Decimal(p) * Decimal(q)), Source(s)) for c, n, p, q, s in lines]
    return {"chosen": {f"about-{name}": code for name, code in chosen.items()}, "told": [list(found) for found in budget_told(read, limits, rules)]}


COLUMNS = (
    pasting.Column("category", ("费用类别", "类别", "科目"), {"活动费": "activity", "人员费（劳务）": "staff"}),
    pasting.Column("name", ("用途", "项目", "内容")),
    pasting.Column("source", ("资金来源", "来源"), {"申请资助": "grant", "配套资金": "match_cash"}),
    pasting.Column("unit_price", ("单价（元）", "单价"), number=True),
    pasting.Column("quantity", ("数量",), number=True),
    pasting.Column("note", ("测算说明", "备注")),
    pasting.Column("is_supervisor", ("督导",), tick=True),
)
SHEETS = (
    "数量\t单价(元)\t用途\t类别\t来源\n１２\t1,200.50\t入户探访\t活动费\t申请资助\n", "人员费（劳务）\t督导补贴\t申请资助\t￥３００\t4\t每月一次\t√",
    "序号\t科目\t内容\t单价\t经办人\n1\t杂费\t茶歇\t约一百\t张某\n", "类别\t用途\t单价\n活动费\t探访\t100\n\t合计\t100\n\n小计\t\t1\n",
    "用途\t金额（元）\n探访\t2,400\n", "用途\t单价\t数量\t金额\n探访\t100\t3\t310\n物料\t0.335\t1\t0.34\n场地\t8.\t\t8\n", "", "\n\n", "合计\n",
    '用途\t备注\n"第一行\n第二行\t""引号"""\t说明\r\n半"个引号\t 空 格 \r', "项目\n探访\n", "用途\t督导\n甲\t是\n乙\tＹＥＳ\n丙\t否\n", "-5\t-1.5\t\t-3\t1e3",
    "活动费\t甲\t配套资金\t1２３,4５6.7元\t1、000\t\t有\t多出来的", "用途\t数量\t金额\n甲\t3\t九百\n乙\t3\t99999999999999.995\n", "\n".join(f"活动费\t第 {i} 项" for i in range(201)),
    "用途\t单价\t数量\t金额\n丙\t1.005\t1\t1.00\n丁\t123456789.99\t9999\t1\n",
)  # fmt: skip


def pasting_cases() -> Iterator[dict[str, Any]]:
    for priced in (True, False):
        for text in SHEETS:
            found = pasting.read(text, COLUMNS, priced=priced)
            yield {"priced": priced, "text": text, "rows": list(found.rows), "unread": list(found.unread)}


def made(name: str) -> Any:
    if name == "budget":
        return list(budget_cases())
    how = {str(priced): for_page(COLUMNS, priced=priced) for priced in (True, False)}
    return {"how": how, "cases": list(pasting_cases())}


@pytest.mark.parametrize("name", ["budget", "pasting"])
def test_the_vectors_are_what_python_says(name: str) -> None:
    path, text = VECTORS / f"{name}.json", json.dumps(made(name), ensure_ascii=False, separators=(",", ":")).replace('},{"', '},\n{"') + "\n"
    if os.environ.get("REWRITE_VECTORS"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


def test_the_vectors_hold_every_rule_of_the_budget_and_every_sentence_of_pasting() -> None:
    """Otherwise a rule could be wrong in the browser and nobody would notice."""
    told = {rule for case in made("budget") for each in case["budgets"] for _row, rule, _sentence in each["told"]}
    assert told >= {"empty", "too_many_lines", "no_name", "not_positive", "unknown_category", "banned_category", "banned_item", "category_share"}
    assert told >= {"category_amount", "cap", "floor", "cap_share", "match_share", "in_kind_share", "combined"}
    sentences = "".join(s for case in made("pasting")["cases"] for s in case["unread"])
    assert all(part in sentences for part in ("不在选项中", "不是数字", "请核对", "合计由系统计算", "没有用到这些列", "没有读到", "一次最多"))
    because = "".join(s for case in made("budget") for each in case["budgets"] for _row, rule, s in each["told"] if rule == "combined")
    assert all(part in because for part in ("除数为零", "组合规则第 0", "组合规则第 2", "组合规则第 3", "组合规则第 5", "组合规则第 7"))
