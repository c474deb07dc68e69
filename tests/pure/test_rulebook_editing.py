"""The form pages and the file are two views of one value: what the pages show, posted back, is the same value and the same TOML."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grants.calls.rulebook import CallRules, Problem, Severity, presets, toml
from grants.calls.rulebook.editing.drawing import Node, attach, draw, element
from grants.calls.rulebook.editing.moves import at, blank, move, put, shape_of
from grants.calls.rulebook.editing.parts import PARTS, by_part, covers, part_of
from grants.calls.rulebook.editing.reading import moment, number, read, read_keys, unwritten, written
from grants.calls.rulebook.editing.shapes import shape_at, shapes
from grants.calls.rulebook.lint import CONTRADICTIONS, lint
from grants.calls.rulebook.toml import from_data


def drawn(data: dict[str, Any], ways: Iterable[str]) -> list[Node]:
    """The nodes of a page, elements with a page of their own included."""
    nodes = [draw(shape_of(way), way, at(data, way.rpartition(".")[0]) if "." in way else data, data) for way in ways]
    pages = [
        element(node.shape, child.name, at(data, child.name), data) for node in nodes if node.heavy for child in node.children
    ]
    return [*nodes, *pages]


def typed(nodes: Iterable[Node]) -> dict[str, list[str]]:
    """What a browser posts for these nodes, line ends as browsers send them."""
    posted: dict[str, list[str]] = {}
    for node in (inner for top in nodes for inner in top.walk()):
        if node.kind == "table" and not node.heavy:
            posted[f"{node.name}.n"] = [str(len(node.children))]
        elif node.kind == "group":
            posted |= {f"{node.name}.on": ["1"]} if node.present else {}
        elif node.kind == "flag":
            posted |= {node.name: ["on"]} if node.value else {}
        elif node.kind == "choices":
            posted[node.name] = [value for value, _ in node.options if value in node.value]
        elif node.kind not in ("table", "row"):
            posted[node.name] = [str(node.value).replace("\n", "\r\n")]
    return posted


def by_forms(rules: CallRules) -> CallRules:
    """The rules after every page was opened and saved without a change."""
    data = rules.plain()
    for part in PARTS:
        for way in part.ways:
            nodes = drawn(data, [way])
            posted = typed(nodes)
            for node in nodes:
                if node.kind == "row":
                    model = shape_of(node.name).model
                    assert model is not None
                    put(data, node.name, read_keys(shapes(model), node.name, posted, at(data, node.name)))
            put(data, way, read(shape_of(way), way, posted, at_or_none(data, way)))
    return from_data(data)


def at_or_none(data: Any, way: str) -> Any:
    try:
        return at(data, way)
    except LookupError:
        return None


def leaves(model: Any = CallRules, lead: str = "") -> Iterable[str]:
    for shape in shapes(model):
        if shape.model is not None and shape.kind == "group":
            yield from leaves(shape.model, f"{lead}{shape.key}.")
        elif shape.kind != "fixed":
            yield lead + shape.key


def test_every_key_of_the_rules_is_on_exactly_one_page() -> None:
    """A key added to the model appears in the editor, or this fails."""
    for leaf in leaves():
        assert sum(covers(way, leaf) for part in PARTS for way in part.ways) == 1, leaf


@pytest.mark.parametrize("name", presets.NAMES)
def test_opening_and_saving_every_page_changes_nothing(name: str) -> None:
    """Form → value → TOML → value: equal, and the hash that goes into the ledger is the same."""
    rules = presets.load(name)
    after = by_forms(rules)
    assert after == rules
    assert toml.loads(toml.dumps(after)) == rules
    assert after.rules_hash == rules.rules_hash


texts = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\\，。"), max_size=40)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    preset=st.sampled_from(presets.NAMES), summary=texts, notes=st.lists(texts.filter(str.strip), max_size=4),
    fen=st.integers(1, 10**13), share=st.decimals(0, 100, places=2), seconds=st.integers(0, 59), where=st.integers(0, 20),
)  # fmt: skip
def test_any_value_survives_forms_and_file(
    preset: str, summary: str, notes: list[str], fen: int, share: Any, seconds: int, where: int
) -> None:
    """Whatever was written — backslashes, line breaks, fen, odd seconds — comes back the same from pages and from TOML."""
    plain = presets.load(preset).plain()
    plain |= {"summary": summary, "legal_notes": notes}
    plain["amounts"]["cap"] = f"{fen // 100}.{fen % 100:02}"
    plain["amounts"]["cap_share"] = str(share)
    plain["timetable"]["opens_at"] = f"2026-03-02T09:00:{seconds:02}+08:00"
    criteria = plain["review"]["sheets"][0]["criteria"]
    criteria[where % len(criteria)]["note"] = summary
    rules = from_data(plain)
    assert toml.loads(toml.dumps(by_forms(rules))) == rules


@given(st.text())
def test_lines_keep_their_breaks_and_backslashes(text: str) -> None:
    """One element is one line, whatever is in it."""
    line = written(text)
    assert "\n" not in line and unwritten(line) == text


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("amounts.cap", "１５０，０００．５０ 元", "150000.50"), ("amounts.cap", "¥150,000", "150000"), ("amounts.cap_share", "60 %", "60"),
        ("review.panel.size", "５ ", 5), ("review.panel.size", "五", "五"), ("amounts.cap", "1e3", "1e3"),
    ],
)  # fmt: skip
def test_numbers_are_read_as_people_write_them(kind: str, text: str, value: Any) -> None:
    """Full width, separators and units are understood; what is not a number stays to be corrected."""
    assert number(shape_of(kind), text) == value


@pytest.mark.parametrize(
    ("way", "text", "value"),
    [
        ("timetable.closes_at", "2026-03-30T17:00", "2026-03-30T17:00:00+08:00"),
        ("timetable.closes_at", "2026年3月30日 17:00", "2026-03-30T17:00:00+08:00"),
        ("timetable.closes_at", "2026-03-30T17:00:30", "2026-03-30T17:00:30+08:00"),
        ("timetable.closes_at", "月底", "月底"), ("timetable.closes_at", "2026-13-40T25:00", "2026-13-40T25:00"),
        ("timetable.review_by", "2026.4.8", "2026-04-08"),
    ],
)  # fmt: skip
def test_moments_are_beijing_time(way: str, text: str, value: str) -> None:
    """With or without seconds, in the browser's or in Chinese writing."""
    assert moment(shape_of(way), text) == value


def test_elements_are_added_removed_and_moved() -> None:
    """Each move says where to look next; a new element has a short name of its own and its defaults."""
    data = presets.load("district").plain()
    first = [c["code"] for c in data["categories"]]
    assert move(data, "add:categories") == f"categories.{len(first)}"
    new = data["categories"][-1]
    assert new["code"] == "category_1" and new["rollover"] == "others"
    assert move(data, f"up:categories.{len(first)}") == f"categories.{len(first) - 1}"
    assert data["categories"][-2] is new
    move(data, f"down:categories.{len(first) - 1}")
    move(data, f"drop:categories.{len(first)}")
    assert [c["code"] for c in data["categories"]] == first
    assert move(data, "up:categories.0") == "categories.0"
    move(data, "add:funding.tranches")
    assert data["funding"]["tranches"][-1]["no"] == len(data["funding"]["tranches"])


def test_optional_tables_are_switched_on_and_off() -> None:
    """And nothing that must be there can be switched off."""
    data = presets.load("micro").plain()
    move(data, "off:evaluation.midterm")
    move(data, "on:evaluation.midterm")
    assert data["evaluation"]["midterm"]["bonus_max"] == "0.00"
    move(data, "off:evaluation.midterm")
    assert "midterm" not in data["evaluation"]
    for wrong in (
        "off:pool",
        "on:pool",
        "add:pool",
        "drop:categories.99",
        "up:categories.x",
        "burn:pool",
        "add:nowhere",
        "nonsense",
    ):
        with pytest.raises(LookupError):
            move(deepcopy(data), wrong)


def test_a_page_that_did_not_show_a_list_does_not_empty_it() -> None:
    """Elements with pages of their own stay when their part is saved."""
    data = presets.load("district").plain()
    assert read(shape_at(CallRules, ("forms", "application")), "forms.application", {}, data["forms"]["application"])
    assert read(shape_of("review.sheets"), "review.sheets", {"review.sheets.0.name": ["x"]}, [1, 2]) == [1, 2]


def test_short_names_that_point_elsewhere_are_chosen_from_what_is_there() -> None:
    """Forbidden categories of a source and the criterion of a tie rule are choices, with the printed names."""
    data = presets.load("district").plain()
    source = draw(shape_of("sources"), "sources", data, data).children[0]
    forbids = next(node for node in source.children if node.shape.key == "forbids")
    assert forbids.kind == "choices" and [code for code, _ in forbids.options][:1] == [data["budget"]["categories"][0]["code"]]
    tie = draw(shape_of("review.ties"), "review.ties", data["review"], data).children[0]
    criterion = next(node for node in tie.children if node.shape.key == "criterion")
    assert criterion.kind == "choice" and len(criterion.options) >= len(data["review"]["sheets"][0]["criteria"])


def test_problems_hang_on_the_control_that_they_are_about() -> None:
    """The linter's key leads to the criterion's weight, whichever place it has in the list; what is elsewhere is returned."""
    data = presets.load("district").plain()
    code = data["review"]["sheets"][0]["criteria"][1]["code"]
    sheet = data["review"]["sheets"][0]["code"]
    here = Problem("x", f"review.sheets[{sheet}].criteria[{code}].weight", "L070", Severity.ERROR, "m", "w")
    away = Problem("x", "pool.total", "L020", Severity.ERROR, "m", "w")
    node = element(shape_of("review.sheets"), "review.sheets.0", data["review"]["sheets"][0], data)
    assert attach([node], [here, away]) == [away]
    held = [inner.name for inner in node.walk() if inner.problems]
    assert held == ["review.sheets.0.criteria.1.weight"]


def test_every_problem_has_a_part() -> None:
    """Unknown keys fall to the first part, known ones to theirs; the parts' own lists are complete."""
    assert part_of("review.ties").code == "award" and part_of("review.sheets[x].criteria").code == "sheets"
    assert part_of("forms").code == "forms" and part_of("(文件)").code == "basics"
    assert set(by_part([])) == {part.code for part in PARTS} and CONTRADICTIONS
    data = presets.load("district").plain()
    data["funding"]["tranches"][0]["percent"] = "10.00"
    found = by_part(lint(from_data(data)))
    assert any(problem.code == "L100" for problem in found["funding"])


def test_blank_elements_have_their_defaults() -> None:
    """So that a new question is required until somebody unticks it."""
    assert blank(shape_of("forms.application.0.fields"))["required"] is True
