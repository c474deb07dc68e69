"""同名: what a name suggests and what it does not; folding finds the same name however it is written, and never says more than “look”."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.namesakes import BODY, CONFIRMED, LEADER, NAME, NAMED, SENTENCES, Index, Known, Namesake, Paper, joint_texts

PAPER = Paper(
    team=(("李四", "社工"), ("王五", "项目负责人")), leaders=("赵六",), bodies=("云溪阳光社会工作服务中心", "望湖街道社会组织联合会"),
    joint=("与云溪大学、澄江市康复医院共同开展；志愿者由月光服务社组织",),
)  # fmt: skip


def found(name: str = "无此人", employer: str = "", paper: Paper = PAPER) -> list[tuple[str, str]]:
    return [(n.rule, n.theirs) for n in Index(paper).namesakes(Known(name, employer))]


@pytest.mark.parametrize(
    ("name", "rule"), [("李四", NAME), (" 李 四 ", NAME), ("王五", LEADER), ("赵六", LEADER), ("趙六", LEADER), ("张三", None), ("李四四", None), ("李", None), ("", None)]
)
def test_an_expert_called_like_somebody_in_the_bid(name: str, rule: str | None) -> None:
    assert [r for r, _theirs in found(name)] == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("employer", "rule"),
    [
        ("云溪阳光社会工作服务中心", BODY), ("雲溪陽光社會工作服務中心", BODY), ("云溪区阳光协会", BODY), ("云溪阳光社会工作服务中心理事会", BODY),
        ("望湖街道社会组织联合会", BODY), ("云溪大学", NAMED), ("云溪大学社会学院", None), ("澄江市康复医院", NAMED), ("澄江康复医院", NAMED),
        ("月光服务社", NAMED), ("云溪月光社会工作服务中心", None), ("中心", None), ("康复", None), ("", None),
    ],
)  # fmt: skip
def test_an_employer_like_a_body_of_the_bid(employer: str, rule: str | None) -> None:
    """Legal form, kind of place, traditional characters and departments do not hide a body; another stem is another body."""
    assert [r for r, _theirs in found(employer=employer)] == ([rule] if rule else [])


def test_the_key_outlives_the_way_a_name_is_written_and_not_another_name() -> None:
    def key(name: str, paper: Paper) -> str:
        (one,) = Index(paper).namesakes(Known(name))
        return one.key

    assert key("李四", PAPER) == key("李 四", Paper(team=(("李四 ", "会计"),)))
    assert key("李四", PAPER) != key("王五", PAPER)
    one, other = (next(Index(Paper(bodies=(b,))).namesakes(Known("x", "阳光协会"))).key for b in ("阳光中心", "阳光服务社"))
    assert one != other, "set aside for one body is not set aside for another"


def test_only_what_is_said_about_partners_is_read() -> None:
    """By the question's words or code, by a column's, by the heading's; numbers and other answers are left alone."""
    sections = [
        {"code": "plan", "title": "项目方案", "fields": [
            {"code": "goal", "label": "项目目标", "value": "甲"}, {"code": "p1", "label": "合作单位", "value": "乙"},
            {"code": "partner_letter", "label": "函件", "value": "丙"}, {"code": "joint", "label": "联合申报", "value": True},
            {"code": "rows", "label": "分工", "columns": [{"code": "a", "label": "活动"}, {"code": "b", "label": "协作方"}], "value": [{"a": "丁", "b": "戊"}]},
        ]},
        {"code": "x", "title": "三、合作伙伴", "fields": [
            {"code": "names", "label": "名单", "value": ["己"]}, {"code": "t", "label": "表", "columns": [{"code": "n", "label": "名称"}], "value": [{"n": "庚", "k": 1}]},
            {"code": "empty", "label": "其他", "value": None},
        ]},
    ]  # fmt: skip
    assert joint_texts(sections) == ["乙", "丙", "戊", "己", "庚"]


names = st.text(st.characters(codec="utf-8", categories=["Lo", "Ll", "Nd", "Zs", "Po"]), max_size=12)


@given(names, st.lists(names, max_size=4), names, st.lists(names, max_size=3), st.lists(names, max_size=3))
def test_whatever_is_compared_gives_at_most_one_of_each_rule_and_shows_a_name_of_the_bid(
    name: str, team: list[str], employer: str, bodies: list[str], joint: list[str]
) -> None:
    paper = Paper(tuple((n, "社工") for n in team), (), tuple(bodies), tuple(joint))
    told = list(Index(paper).namesakes(Known(name, employer)))
    assert len({n.rule for n in told}) == len(told) <= 2
    for each in told:
        assert isinstance(each, Namesake) and any(each.theirs in text for text in [*team, *bodies, *joint])


@given(st.text("甲乙丙丁阳光云溪", min_size=2, max_size=8), st.sampled_from(["", "有限公司", "协会", "社会工作服务中心"]), st.sampled_from(["", " ", "（", "·"]))
def test_a_suffix_or_a_space_never_hides_a_body(stem: str, suffix: str, gap: str) -> None:
    assert found(employer=stem + gap + suffix, paper=Paper(bodies=(stem,)))[0][0] == BODY
    assert found(employer=stem, paper=Paper(bodies=(stem + gap + suffix,)))[0][0] == BODY


def test_no_sentence_has_room_for_a_name() -> None:
    for table in (SENTENCES, CONFIRMED):
        for sentence in table.values():
            assert sentence.count("%(") == 1 and "%(bid)s" in sentence
