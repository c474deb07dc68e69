"""Charts: lengths are the values, nothing leaves the picture, everything drawn is also in the table, and names cannot break out."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grants.web import drawing
from grants.web.charts import Cell, Chart, bars, dots, flow, line, matrix, stacked

SVG = "{http://www.w3.org/2000/svg}"
NUMBERS = st.decimals(min_value=0, max_value=10**11, places=2) | st.integers(0, 10**9)
LABELS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), max_size=40)
ROWS = st.lists(st.tuples(LABELS, NUMBERS), max_size=12)


def tree(chart: Chart) -> ET.Element:
    return ET.fromstring(chart.svg)


def box(chart: Chart) -> tuple[float, float]:
    x, y, width, height = map(float, tree(chart).attrib["viewBox"].split())
    assert (x, y) == (-2, -2)
    return width - 4, height - 4


def rects(chart: Chart, fill: str) -> list[ET.Element]:
    return [rect for rect in tree(chart).iter(f"{SVG}rect") if rect.attrib["fill"].startswith(fill)]


def words(chart: Chart) -> list[str]:
    return ["".join(text.itertext()) for text in tree(chart).iter(f"{SVG}text")]


def inside(chart: Chart) -> bool:
    """Every rectangle and every text's anchor lie in the picture, patterns aside."""
    width, height = box(chart)
    drawn = [rect for rect in tree(chart).iter(f"{SVG}rect") if rect.attrib["width"] != "8"]
    fits = all(
        float(r.attrib["x"]) >= -0.1
        and float(r.attrib["x"]) + float(r.attrib["width"]) <= width + 0.1
        and float(r.attrib["y"]) + float(r.attrib["height"]) <= height + 0.1
        for r in drawn
    )
    turned = {id(text) for group in tree(chart).iter(f"{SVG}g") for text in group}
    return fits and all(
        -0.1 <= float(t.attrib["x"]) <= width + 0.1 and -0.1 <= float(t.attrib["y"]) <= height + 0.1
        for t in tree(chart).iter(f"{SVG}text")
        if id(t) not in turned
    )


@given(ROWS)
def test_the_lengths_of_bars_are_in_proportion_and_the_table_has_every_value(rows: Sequence[tuple[str, Any]]) -> None:
    chart = bars("b", "标题", rows, heads=("领域", "项目"))
    lengths = [float(rect.attrib["width"]) for rect in rects(chart, drawing.BRAND)]
    most = max((value for _label, value in rows), default=0)
    full = max(lengths, default=0)
    for length, (_label, value) in zip(lengths, rows, strict=True):
        assert length == pytest.approx(full * float(value) / float(most or 1), abs=1.6)
        assert (length > 0) == (value > 0)
    assert [row[0] for row in chart.rows] == [label for label, _value in rows]
    assert inside(chart)


@given(st.lists(st.tuples(LABELS, st.lists(NUMBERS, min_size=3, max_size=3)), min_size=1, max_size=8))
@settings(max_examples=50)
def test_the_parts_of_a_stacked_bar_are_as_long_together_as_its_sum(rows: Any) -> None:
    chart = stacked("s", "标题", ["甲", "乙", "丙"], rows, heads=["年", "甲", "乙", "丙", "合计"])
    assert [Decimal(row[-1].replace(",", "")) for row in chart.rows] == [sum(values, Decimal(0)) for _l, values in rows]
    by_row: dict[str, float] = {}
    for rect in rects(chart, "url("):
        if rect.attrib["width"] != "16":
            by_row[rect.attrib["y"]] = by_row.get(rect.attrib["y"], 0) + float(rect.attrib["width"])
    sums = [float(sum(values, Decimal(0))) for _l, values in rows if any(values)]
    longest = max(by_row.values(), default=1)
    for length, total in zip(by_row.values(), sums, strict=True):
        assert length == pytest.approx(longest * total / max(sums), abs=0.5)
    assert inside(chart)


@given(st.lists(st.lists(NUMBERS | st.none(), min_size=4, max_size=4), min_size=1, max_size=6))
@settings(max_examples=50)
def test_a_line_has_a_marker_for_every_known_value_and_breaks_at_unknown_ones(values: Any) -> None:
    series = [(f"系列{at}", each) for at, each in enumerate(values)]
    chart = line("l", "标题", ["一", "二", "三", "四"], series, head="轮")
    markers = [path for path in tree(chart).iter(f"{SVG}path") if "translate" in path.attrib.get("transform", "")]
    assert len(markers) == sum(value is not None for each in values for value in each) + len(values)
    assert [row.count("—") for row in chart.rows] == [sum(each[at] is None for each in values) for at in range(4)]
    assert inside(chart)


def test_an_unknown_value_is_a_gap_and_not_nothing() -> None:
    path = re.search(r'<path d="(M[^"]+)" fill="none"', line("l", "t", list("abc"), [("甲", [1, None, 3])], head="轮").svg)
    assert path is not None
    assert path[1].count("M") == 2
    assert "L" not in path[1]


SCORES = st.lists(st.decimals(min_value=0, max_value=100, places=1), max_size=7)


@given(st.lists(st.tuples(LABELS, SCORES), max_size=6))
@settings(max_examples=50)
def test_a_dot_stands_for_every_score(rows: Any) -> None:
    chart = dots("d", "标题", rows, heads=("申报", "评分", "平均"), mark=("合格线", 60))
    assert sum(1 for _circle in tree(chart).iter(f"{SVG}circle")) == sum(len(scores) for _label, scores in rows)
    assert any(word == "合格线 60" for word in words(chart))
    assert inside(chart)


def test_scores_outside_the_scale_are_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 100"):
        dots("d", "t", [("甲", [101])], heads=("a", "b", "c"))


@given(st.lists(st.lists(st.none() | st.integers(0, 50), min_size=4, max_size=4), min_size=1, max_size=8))
@settings(max_examples=50)
def test_empty_cells_of_a_matrix_are_hatched_and_full_ones_are_tinted_darker_with_more(values: Any) -> None:
    rows = [(f"领域{at}", [Cell(value) for value in each]) for at, each in enumerate(values)]
    chart = matrix("m", "标题", list("东南西北"), rows, head="领域")
    tints = [fill for fill, _ink in drawing.TINTS]
    filled = [rect for rect in tree(chart).iter(f"{SVG}rect") if rect.attrib["fill"] in tints]
    flat = [value for each in values for value in each]
    assert len(rects(chart, "url(#m-gap)")) == sum(not value for value in flat)
    steps = sorted(zip([v for v in flat if v], [tints.index(rect.attrib["fill"]) for rect in filled], strict=True))
    assert [step for _v, step in steps] == sorted(step for _v, step in steps)
    assert inside(chart)


def test_figures_on_a_tint_have_enough_contrast() -> None:
    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for fill, ink in drawing.TINTS:
        high, low = sorted((light(fill), light(ink)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5


def test_many_long_column_names_are_slanted_and_the_picture_grows_instead_of_squeezing() -> None:
    names = [f"第{at}街道办事处" for at in range(20)]
    chart = matrix("m", "标题", names, [("为老", [Cell(1)] * 20)], head="领域")
    assert chart.width > drawing.WIDTH
    assert chart.svg.count("rotate(-45)") == 20


def test_a_flow_keeps_the_pattern_of_a_source_through_all_stages_and_shrinks() -> None:
    stages = [("预算", [("福彩", 100), ("财政", 50)]), ("已付", [("财政", 50)])]
    chart = flow("f", "资金", stages, heads=("环节", "来源", "金额"))
    wide = [(rect.attrib["fill"], float(rect.attrib["width"])) for rect in rects(chart, "url(") if rect.attrib["width"] != "16"]
    assert wide == [
        ("url(#f-s0)", pytest.approx(426.667, abs=0.1)),
        ("url(#f-s1)", pytest.approx(213.333, abs=0.1)),
        ("url(#f-s1)", pytest.approx(213.333, abs=0.1)),
    ]
    assert chart.rows == (("预算", "福彩", "100"), ("预算", "财政", "50"), ("已付", "财政", "50"))
    assert inside(chart)


EVIL = '"><script>alert(1)</script>&<'
BAD_ROWS = [(EVIL, [1, 2])]


def every(label: str, *, rows: int = 1) -> list[Chart]:
    return [
        bars("a", label, [(label, 1)] * rows, heads=(label, label), mark=(label, 1), summary=label),
        stacked("b", label, [label, "乙"], [(label, [1, 2])] * rows, heads=[label] * 4, summary=label),
        line("c", label, [label, label], [(label, [1, 2])][:rows], head=label, summary=label),
        dots("d", label, [(label, [1, 2])] * rows, heads=(label,) * 3, mark=(label, 5), summary=label),
        matrix(
            "e", label, [label], [(label, [Cell(1, label, label), Cell(None)])] * rows, head=label, legend=label, nothing=label
        ),
        flow("f", label, [(label, [(label, 1)])] * rows, heads=(label,) * 3, summary=label),
    ]


@pytest.mark.parametrize("chart", every(EVIL), ids=lambda chart: chart.key)
def test_no_name_breaks_out_of_the_picture(chart: Chart) -> None:
    assert not list(tree(chart).iter(f"{SVG}script"))
    assert "<script" not in chart.svg
    assert "style=" not in chart.svg


@pytest.mark.parametrize("chart", every("名称", rows=0), ids=lambda chart: chart.key)
def test_a_chart_of_nothing_is_still_a_chart(chart: Chart) -> None:
    assert tree(chart).tag == f"{SVG}svg"
    assert "NaN" not in chart.svg
    assert chart.rows == () or chart.key == "c"


@pytest.mark.parametrize("chart", every("名称"), ids=lambda chart: chart.key)
def test_a_chart_is_a_named_image_with_ids_of_its_own(chart: Chart) -> None:
    root = tree(chart)
    assert root.attrib["role"] == ("group" if chart.key == "e" else "img")  # the matrix has links in it
    ids = re.findall(r'\bid="([^"]+)"', chart.svg)
    assert len(ids) == len(set(ids))
    assert all(name.startswith(f"{chart.key}-") for name in ids)
    assert set(root.attrib["aria-labelledby"].split()) <= set(ids)
    assert len({len(row) for row in chart.rows} | {len(chart.heads)}) == 1 or chart.key == "e"


def test_what_has_no_length_or_cannot_be_told_apart_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        bars("a", "t", [("甲", Decimal(-1))], heads=("a", "b"))
    with pytest.raises(ValueError, match="series"):
        stacked("a", "t", list("abcdefg"), [], heads=[])
    with pytest.raises(ValueError, match="no name for a chart"):
        bars('"><x', "t", [], heads=("a", "b"))


@given(st.decimals(min_value=0, max_value=10**12, places=2))
def test_axes_end_at_a_round_number_at_or_above_the_largest_value(most: Decimal) -> None:
    ticks = drawing.ticks_to(drawing.highest([most]))
    assert float(ticks[-1]) >= float(most)
    assert 2 <= len(ticks) <= 6
    assert ticks == sorted(set(ticks))


def test_a_label_too_long_is_cut_and_kept_whole_in_its_title() -> None:
    label = "一个名字特别特别长的服务领域超过三分之一的宽度还要再长一些"
    chart = bars("a", "t", [(label, 1)], heads=("a", "b"))
    assert any(word.endswith("…") for word in words(chart))
    assert f"<title>{label}</title>" in chart.svg
    assert chart.rows[0][0] == label
