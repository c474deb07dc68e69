"""Sentences that were finished in Chinese, on an English page: the pattern is translated, the figures stay, and no builder of sentences is forgotten."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import sys
from enum import Enum
from pathlib import Path

import pytest
from django.utils.translation import override

from grants.calls import rulebook
from grants.calls.rulebook.lint.registry import CONTRADICTIONS
from grants.calls.rulebook.problems import Problem, Severity
from grants.calls.rulebook.spoken import TERMS
from grants.calls.templatetags.call_tags import changed, flaw
from grants.desk.speaking import MODULES, patterns
from grants.web.speaking import spoken
from grants.web.templatetags.web_tags import term

ROOT = Path(__file__).resolve().parents[2]


def english(sentence: str) -> str:
    with override("en"):
        return spoken(sentence)


def test_a_finished_sentence_is_told_in_english_with_its_figures_and_stays_as_it_is_in_chinese() -> None:
    made = "申请资助 ¥200,000.00，超过单个项目上限 ¥150,000.00，超出 ¥50,000.00。"
    assert english(made) == "¥200,000.00 asked, over the cap of ¥150,000.00 for one project by ¥50,000.00."
    with override("zh-hans"):
        assert spoken(made) == made


def test_pieces_inside_a_sentence_are_told_too_but_not_what_people_named() -> None:
    assert english("登记须满 24 个月，登记日期 未填写（待经办核验凭证）") == (
        "Registered for at least 24 months; date of registration: Not filled in (evidence still to be checked by the clerk)"
    )
    assert english("第 3 行“物资费”限 20 字，现为 25 字，请删减 5 字") == "Row 3: “物资费” is limited to 20 words and has 25; take out 5"


def test_a_sentence_and_its_way_out_in_one_are_both_told() -> None:
    assert english("预算没有任何申请资助的费用行。至少填写一行“申请资助”的费用。") == (
        "The budget has no line that asks for a grant. Fill in at least one line paid from the grant."
    )


def test_what_was_made_from_no_known_pattern_is_shown_as_it_is() -> None:
    for text in ("居民张女士来信说楼道灯不亮", "", "Already English."):
        assert english(text) == text


def test_per_cent_signs_and_braces_of_a_sentence_do_not_confuse_the_pattern() -> None:
    assert english("受益人满意度 71.5%，低于要求的 80%。") == "Beneficiaries' satisfaction is 71.5%, below the required 80%."
    assert english("缺少结项材料“100%(合计)s”。") == "Closing paper missing: “100%(合计)s”."


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_every_sentence_of_a_module_is_a_known_pattern(module: object) -> None:
    """Filled with a figure each, every sentence of the tables comes out in English."""
    for pattern in patterns():
        if pattern in str(getattr(module, "SENTENCES", "")):
            made = _filled(pattern)
            assert english(made) != made, pattern


def _filled(pattern: str) -> str:
    return re.sub(r"%\(\w+\)[sd]", "7", pattern).replace("%%", "%")


@pytest.mark.parametrize(("name", "before"), [("eligibility", ""), ("form", "“甲”"), ("diff", "甲")])
def test_every_sentence_the_rulebook_builds_from_pieces_is_a_known_pattern(name: str, before: str) -> None:
    """Each f-string of the module with 7 in every hole; pieces that only follow a name are tried with one."""
    unknown = []
    for node in ast.walk(ast.parse((ROOT / f"grants/calls/rulebook/{name}.py").read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            made = "".join(part.value if isinstance(part, ast.Constant) else "7" for part in node.values)
            if any("\u4e00" <= c <= "\u9fff" for c in made) and made not in PIECES:
                unknown += [made] if english(made) == made and english(before + made) == before + made else []
    assert unknown == []


PIECES = {
    "最多 7 家联合申报", "7不少于 7 人、督导不少于 7 人", "7 年7", "本征集7，现为 7 家", "项目须有7，填报 7 人、7 人",  # parts of a longer sentence
    "改动属于“7”，版本 7 的7应当增加，现为 7",  # a refusal on the command line, in Chinese
}  # fmt: skip


def test_a_contradiction_is_named_in_english_and_a_change_is_told_by_its_keys() -> None:
    problem = Problem("call.toml", "review.mix", "L072", Severity.ERROR, "专家、居民、认捐与公众投票合计 90，不等于 100", "调整各项权重")
    change = {"path": "amounts.in_kind_share", "sentence": "资助额度 · 实物配套占比上限 由 50 % 改为 40 %"}
    with override("en"):
        assert flaw(problem).startswith('Parts of the total are not 100: <span lang="zh-Hans">专家')
        assert changed(change) == "amounts · in kind share: from 50 % to 40 %"
    with override("zh-hans"):
        assert flaw(problem) == problem.message
        assert changed(change) == change["sentence"]
    assert len({each.name for each in CONTRADICTIONS}) == len(CONTRADICTIONS)


def test_every_word_of_a_choice_in_the_rules_has_its_english() -> None:
    """Nobody adds a member to one of the rules' enumerations and forgets the English page."""
    for module in pkgutil.walk_packages(rulebook.__path__, "grants.calls.rulebook."):
        importlib.import_module(module.name)
    words = {member.zh for kind in _enumerations() for member in kind}
    assert len(words) > 100
    assert words <= set(TERMS)
    with override("en"):
        assert term("民办非企业单位（社会服务机构）") == "social service organisation"
        assert spoken("5 个工作日（含首日）") == "5 working days, the first included"


def _enumerations() -> list[type[Enum]]:
    modules = [module for name, module in sys.modules.items() if name.startswith("grants.calls.rulebook")]
    kinds = {kind for module in modules for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, Enum) and len(kind)}
    return [kind for kind in kinds if hasattr(next(iter(kind)), "zh")]
