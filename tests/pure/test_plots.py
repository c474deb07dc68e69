"""Plots of a ranking: widths are grants, heights scores, intervals places; everything drawn is in the table too, and nothing leaves the picture."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.web.charts import Chart
from grants.web.plots import GROUPS, Block, Five, Span, boxes, budget_line, caterpillar, columns, compare, signed

SVG = "{http://www.w3.org/2000/svg}"
POINTS = st.decimals(min_value=0, max_value=100, places=2)
KINDS = ("总额度", "子额度", "未资助")
WORDS = {"in": "有把握", "between": "难分", "out": "无望"}


def tree(chart: Chart) -> ET.Element:
    return ET.fromstring(chart.svg)


def inside(chart: Chart) -> bool:
    """Every rectangle lies in the picture, patterns aside."""
    _x, _y, width, height = map(float, tree(chart).attrib["viewBox"].split())
    drawn = [r.attrib for r in tree(chart).iter(f"{SVG}rect") if r.attrib["width"] != "8"]
    return all(
        float(r["x"]) >= -0.1 and float(r["x"]) + float(r["width"]) <= width - 3.9 and float(r["y"]) >= -0.1
        and float(r["y"]) + float(r["height"]) <= height - 3.9
        for r in drawn
    )  # fmt: skip


def budget(blocks: list[Block], pool: Any) -> Chart:
    return budget_line("budget", "预算线", blocks, pool, line="总额", heads=("名次", "申报", "得分", "资助", "累计", "资金"), kinds=KINDS)


BLOCKS = st.lists(st.builds(Block, st.text("12", max_size=3), st.just("甲"), POINTS, st.sampled_from([0, 30_000, 85_000]), st.booleans()), max_size=40)


@given(BLOCKS, st.integers(1, 3_000_000))
def test_a_budget_line_stays_in_its_picture_and_its_sums_are_in_the_table(blocks: list[Block], pool: int) -> None:
    chart = budget(blocks, pool)
    assert inside(chart)
    running = Decimal(0)
    for block, row in zip(blocks, chart.rows, strict=True):
        running += block.grant
        assert row[4] == f"{running:,f}"
        assert row[5] == (KINDS[2] if not block.grant else KINDS[1] if block.reserved else KINDS[0])


def test_widths_are_grants_heights_are_scores_and_reserved_ones_are_hatched() -> None:
    chart = budget([Block("1", "甲", 100, 60_000), Block("2", "乙", 50, 30_000, reserved=True), Block("3", "丙", 40, 0)], 100_000)
    bars = [r.attrib for r in tree(chart).iter(f"{SVG}rect") if r.attrib["width"] not in ("8", "16") and r.attrib["fill"] not in ("#ffffff", "#fff")]
    hollow = [r.attrib for r in tree(chart).iter(f"{SVG}rect") if r.attrib["fill"] == "#ffffff" and r.attrib["width"] == "6"]
    assert (float(bars[0]["width"]) + 1) / (float(bars[1]["width"]) + 1) == pytest.approx(2)
    assert float(bars[0]["height"]) == pytest.approx(2 * float(bars[1]["height"]))
    assert bars[1]["fill"] == "url(#budget-gap)"
    assert len(hollow) == 1, "what is not funded is slim and hollow"


SPANS = st.lists(
    st.tuples(st.integers(1, 30), st.integers(0, 10), st.integers(0, 10), st.sampled_from(sorted(GROUPS))), min_size=1, max_size=30
).map(lambda rows: [Span(f"B{n}", at, max(1, at - low), at + high, group) for n, (at, low, high, group) in enumerate(rows)])


@given(SPANS, st.integers(0, 30))
def test_a_caterpillar_has_both_cut_lines_and_a_symbol_of_each_group(spans: list[Span], cut: int) -> None:
    chart = caterpillar("ranks", "名次", spans, cut, line="资助线", heads=("申报", "名次", "区间", "把握"), kinds=WORDS)
    dashed = [p for p in tree(chart).iter(f"{SVG}path") if p.attrib.get("stroke-dasharray")]
    assert len(dashed) == 2, "one across, one down"
    symbols = ["".join(t.itertext()) for t in tree(chart).iter(f"{SVG}text")]
    for span, row in zip(spans, chart.rows, strict=True):
        assert GROUPS[span.group][1] in symbols, "groups differ by symbol, not by colour alone"
        assert row[1] == str(span.place)
        assert row[3] == WORDS[span.group]


def test_an_interval_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="ends before"):
        caterpillar("ranks", "名次", [Span("B1", 1, 3, 2, "in")], 1, line="线", heads=("甲",) * 4, kinds=WORDS)


@given(st.lists(st.tuples(POINTS, POINTS, POINTS, POINTS, POINTS).map(sorted), min_size=1, max_size=12))
def test_boxes_lie_in_the_picture_in_the_order_given(values: list[list[Decimal]]) -> None:
    rows = [Five(f"S{at:02}", *five, n=4) for at, five in enumerate(values)]  # type: ignore[misc]
    chart = boxes("strict", "松紧", rows, heads=("专家", "份数", "低", "四", "中", "四", "高"))
    assert inside(chart)
    assert [row[0] for row in chart.rows] == [row.name for row in rows]


@given(st.lists(st.tuples(st.text("0123456789–", max_size=7), st.integers(0, 500)), min_size=1, max_size=10))
def test_a_histogram_writes_every_count(bins: list[tuple[str, int]]) -> None:
    chart = columns("marks", "得分", bins, heads=("分数", "个数"))
    assert inside(chart)
    shown = ["".join(t.itertext()) for t in tree(chart).iter(f"{SVG}text")]
    assert all(str(count) in shown for _bounds, count in bins if count)
    assert [row[1] for row in chart.rows] == [str(count) for _bounds, count in bins]


def test_what_is_not_published_is_neither_drawn_nor_written() -> None:
    chart = compare("own", "得分", [("需求", Decimal("18.5"), 20, None), ("设计", 10, 25, 20)], heads=("指标", "本单位", "满分", "平均"), nothing="不公布")
    diamonds = [p for p in tree(chart).iter(f"{SVG}path") if p.attrib["d"].endswith("z")]
    assert len(diamonds) == 1
    assert [row[3] for row in chart.rows] == ["不公布", "20"]


def test_signed_values_keep_their_sign_and_blank_cells_stay_blank() -> None:
    chart = signed("left", "残差", ["S01", "S02"], [("B1", [Decimal("-12.5"), None])], 20, head="申报", show=lambda v: f"{v:+.1f}")
    assert chart.rows == (("B1", "-12.5", ""),)
    assert "-12.5" in ["".join(t.itertext()) for t in tree(chart).iter(f"{SVG}text")]
