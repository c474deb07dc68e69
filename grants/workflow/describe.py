"""Machines describe themselves: a Mermaid diagram and a table of who may what, from the declarations and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.apps import apps
from django.utils import translation

from grants.workflow import effects
from grants.workflow.machine import Machine, Step

ORDER = (
    "organisation", "need", "call", "question", "seal", "bid", "challenge", "draw", "panel", "review", "swap", "meeting", "ruling", "voiding",
    "score_correction",
    "award", "objection", "contract", "tranche", "change", "evaluation", "account_request",
)  # fmt: skip
Namer = Callable[[str], str]


def machines() -> list[type[Machine]]:
    """Every concrete machine, in the order of the workflow."""
    found = [m for m in apps.get_models() if issubclass(m, Machine)]
    rank = {kind: i for i, kind in enumerate(ORDER)}
    return sorted(found, key=lambda m: (rank.get(m.kind(), len(ORDER)), m.kind()))


def machine_of(kind: str) -> type[Machine]:
    """The machine with this kind; LookupError when there is none."""
    for machine in machines():
        if machine.kind() == kind:
            return machine
    raise LookupError(kind)


def diagram(machine: type[Machine]) -> str:
    """A Mermaid state diagram; steps that keep the state are drawn as loops."""
    states = machine.States
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    {value}: {states(value).label}" for value in states.values]
    lines.append(f"    [*] --> {_start(machine)}: {machine.opening.label}")
    for step in machine.steps().values():
        lines += [f"    {source} --> {step.to or source}: {step.label}" for source in step.source]
    return "\n".join([*lines, "```"])


def table(machine: type[Machine]) -> str:
    """Who may take which step, from where to where, on which facts, and what follows."""
    rows = ["| 步骤 | 由谁 | 从 → 到 | 条件 | 之后 |", "|---|---|---|---|---|"]
    opening = machine.opening
    start = machine.States(_start(machine)).label
    rows.append(_row(machine, "open", str(opening.label), str(opening.by.says), f"→ {start}", opening.when, opening.then))
    rows += [
        _row(machine, step.verb, str(step.label), str(step.by.says), _path(machine, step), step.when, step.then)
        for step in machine.steps().values()
    ]
    return "\n".join(rows)


def _start(machine: type[Machine]) -> str:
    """The state a new object is in."""
    return str(machine().state)


def _row(machine: type[Machine], verb: str, label: str, who: str, path: str, when: Iterable[object], then: Iterable[str]) -> str:
    facts = ";".join(str(getattr(rule, "says", "")) for rule in when)
    after = "、".join(f"`{name}`" for name in (*then, *effects.reactions(machine.kind(), verb)))
    return f"| {label} `{verb}` | {who} | {path} | {facts} | {after} |"


def _path(machine: type[Machine], step: Step) -> str:
    sources = "、".join(str(machine.States(s).label) for s in step.source)
    return f"{sources} → {machine.States(step.to).label}" if step.to else f"{sources}（不变）"


def chapter(machine: type[Machine]) -> str:
    """One machine: name, sentence, diagram, table."""
    told = next(base for base in machine.__mro__[1:] if issubclass(base, Machine))  # of its steps, not of the row
    doc = (told.__doc__ or machine.__doc__ or "").strip()
    name = machine._meta.verbose_name
    return f"### {name} · `{machine.kind()}`\n\n{doc}\n\n{diagram(machine)}\n\n{table(machine)}\n"


def document() -> str:
    """All machines, in Chinese whatever the active language."""
    with translation.override("zh-hans"):
        return "\n".join(chapter(machine) for machine in machines())


def overview() -> str:
    """The README's part: each machine's diagram folded, and one table of who may take which step."""
    with translation.override("zh-hans"):
        parts = ["| 对象 | 步骤 | 由谁 |", "|---|---|---|"]
        for machine in machines():
            name = machine._meta.verbose_name
            parts.append(f"| **{name}** | {machine.opening.label} | {machine.opening.by.says} |")
            parts += [f"| {name} | {step.label} | {step.by.says} |" for step in machine.steps().values()]
        parts.append("")
        for machine in machines():
            title = f"{machine._meta.verbose_name} · {machine.kind()}"
            parts.append(f"<details><summary>{title}</summary>\n\n{diagram(machine)}\n\n</details>\n")
        return "\n".join(parts)
