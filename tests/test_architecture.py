"""The shape of the house: what no single test of a stage would notice going wrong."""

from __future__ import annotations

import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models

from grants.desk import registry
from grants.workflow import effects
from grants.workflow.describe import machines
from grants.workflow.machine import Machine
from grants.workflow.rules import Rule
from tests.state_writes import writes

ROOT = Path(__file__).resolve().parents[1]
LAYERS = (
    "clock", "ledger", "documents", "notifications", "workflow", "people", "calls", "bidding", "review", "awards", "funding", "evaluation",
)  # fmt: skip
OURS = set(LAYERS)


def sources() -> list[Path]:
    found = [p for top in ("grants", "bidding", "review") for p in (ROOT / top).rglob("*.py")]
    return [p for p in found if "migrations" not in p.parts]


def templates() -> list[Path]:
    return [p for top in ("grants", "bidding", "review", "templates") for p in (ROOT / top).rglob("*.html") if "node_modules" not in p.parts]


def test_foreign_keys_point_upstream_only() -> None:
    """No model refers to a stage downstream of it; people may be referred to by anybody, and letters know users by setting only."""
    rank = {label: i for i, label in enumerate(LAYERS)}
    wrong = []
    for model in apps.get_models():
        label = model._meta.app_label
        for field in model._meta.get_fields():
            if not isinstance(field, models.ForeignKey) or label not in OURS or field.related_model._meta.app_label not in OURS:
                continue
            if rank[field.related_model._meta.app_label] > rank[label] and label != "notifications":
                wrong.append(f"{model.__name__}.{field.name} → {field.related_model.__name__}")
    assert wrong == []


def test_one_distribution_owns_django_fsm() -> None:
    """django-fsm and django-fsm-2 fight over the same folder; only the living one may be installed."""
    assert packages_distributions()["django_fsm"] == ["django-fsm-2"]


def test_no_state_is_written_beside_the_door() -> None:
    """No update, create, bulk write, setattr or assignment of a state outside the engine, however it is spelled (tests/state_writes.py)."""
    names = {machine.__name__ for machine in machines()}
    wrong = [f"{p.relative_to(ROOT)}:{line}: {said}" for p in sources() for line, said in writes(p.read_text("utf-8"), names)]
    assert wrong == []


def test_nobody_vouches_for_html_by_hand() -> None:
    """What people type is escaped by the template engine. Two places may say that a text is already HTML, since both were rendered before; and
    the sealing page's import map is made of our own file names and hashes."""
    scripts = {f"{p.relative_to(ROOT)}": p.read_text("utf-8") for p in sources()}
    pages = {f"{p.relative_to(ROOT)}": p.read_text("utf-8") for p in templates()}
    assert {name for name, text in scripts.items() if re.search(r"\bmark_safe\(", text)} == {
        "grants/web/templatetags/web_tags.py", "bidding/views/bundled.py",
    }  # fmt: skip
    unsafe = re.compile(r"\|\s*(safe|safeseq)\b|\bautoescape\s+off\b|<script(?![^>]*\bsrc=)(?![^>]*application/json)|\son[a-z]+=[\"']|javascript:")
    assert [f"{name}: {m.group()}" for name, text in pages.items() for m in unsafe.finditer(text)] == []
    plain = {name for name, text in scripts.items() if re.search(r"\.__html__|autoescape=False|html_safe", text)}
    assert plain == {"grants/notifications/wordings.py"}  # letters are plain text


def test_no_source_runs_text_as_code_or_as_sql() -> None:
    """No eval, no pickle, no shell, no `extra()`, no view without its forgery check; SQL is written in few files, with parameters."""
    danger = re.compile(
        r"(?<![\w.])(eval|exec)\(|\bimport (pickle|marshal|shelve)\b|shell=True|os\.system|\.extra\(|RawSQL|\.raw\(|csrf_exempt|yaml\.load\("
    )
    assert [f"{p.relative_to(ROOT)}: {m.group()}" for p in sources() for m in danger.finditer(p.read_text("utf-8"))] == []
    formatted = re.compile(r"\.execute\(\s*(f[\"']|[^,)]*\s%\s|[^,)]*\.format\()")
    wrong = [f"{p.relative_to(ROOT)}: {m.group()}" for p in sources() for m in formatted.finditer(p.read_text("utf-8")) if p.stem != "triggers"]
    assert wrong == []  # triggers.py names tables by constants: there is no parameter for the name of a table


def test_nothing_asks_another_clock() -> None:
    """Business time is grants.clock; wall-clock time is for leases and benchmarks only, and says so."""
    pattern = re.compile(r"datetime\.now\(|timezone\.now\(|date\.today\(")
    allowed = {"grants/clock/__init__.py", "grants/workflow/effects.py"}
    wrong = [str(p.relative_to(ROOT)) for p in sources() if pattern.search(p.read_text("utf-8"))]
    assert set(wrong) <= allowed


def test_no_admin_and_no_junk_drawer() -> None:
    """A second door is a hole; a module called utils becomes one too."""
    names = {p.stem for p in sources()} | {p.parent.name for p in sources()}
    assert not names & {"utils", "helpers", "common", "core", "misc", "admin"}


def test_the_bottom_layers_are_named_by_one_importer_each() -> None:
    """A library that could leak into everything stands behind one package."""
    owners = {
        "guardian": "grants/people", "django_fsm": "grants/workflow", "weasyprint": "grants/documents", "allauth": "grants/people",
        "pyrage": "bidding/sealing", "ortools": "review/assign",
    }
    for library, owner in owners.items():
        users = {str(p.relative_to(ROOT)) for p in sources() if re.search(rf"^\s*(from|import) {library}\b", p.read_text("utf-8"), re.MULTILINE)}
        assert users, library
        assert all(u.startswith(owner) for u in users), (library, users)


@pytest.mark.parametrize("machine", machines(), ids=lambda m: m.kind())
def test_a_machine_is_complete(machine: type[Machine]) -> None:
    """State CHECK, visibility, a page, a sentence for every step, effects that exist, rules that explain themselves."""
    checks = [c for c in machine._meta.constraints if isinstance(c, models.CheckConstraint) and "state" in str(c.condition)]
    assert checks, "no CHECK on the state column"
    assert isinstance(machine.visible, Rule)  # type: ignore[attr-defined]
    assert registry.page_for(machine).template
    for step in machine.steps().values():
        assert str(step.label)
        assert step.doc, f"{step.verb} does not say what it does"
        assert step.by.roles, f"{step.verb}: nobody may"
        assert set(step.then) <= set(effects.registered()), step.then
        assert set(step.source) <= set(machine.States.values)
        assert all(str(rule.says) for rule in step.when)


@pytest.mark.parametrize("machine", machines(), ids=lambda m: m.kind())
def test_every_state_can_be_reached_and_a_machine_fits_one_screen(machine: type[Machine]) -> None:
    """From the initial state every state is reachable by declared steps."""
    reached = {machine().state}
    while True:
        more = {s.to or src for s in machine.steps().values() for src in s.source if src in reached} - reached
        if not more:
            break
        reached |= more
    assert reached == set(machine.States.values)


def test_the_guarded_steps_wait_for_downstream() -> None:
    """The hand-ups are registered: a call is archived and an award closed only when downstream agrees."""
    when = {m.kind(): {v: {r.name for r in s.when} for v, s in m.steps().items()} for m in machines()}
    assert "every_award_ended" in when["call"]["archive"]
    assert "nothing_is_missing" in when["award"]["close"]


def test_marked_tests_live_where_their_target_looks() -> None:
    """`make test-races` and its like read one folder only: a test marked elsewhere would be run by nobody."""
    for mark in ("races", "browser", "access", "brokers", "kills"):
        marked = [p for p in (ROOT / "tests").rglob("test_*.py") if re.search(rf"\bmark\.{mark}\b", p.read_text("utf-8"))]
        assert marked, mark
        assert {p.relative_to(ROOT / "tests").parts[0] for p in marked} == {mark}
