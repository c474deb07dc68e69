"""同名: an expert is called what somebody in a bid is called, or works where the bid's applicant or partner might be. Pure.

A name is never an identity: these are suggestions that two persons confirm or set aside. Compared are folded names (`conflicts.fold_name`: half-width,
simplified, letters and digits only); bodies also by their core (`conflicts.core`: without legal form and kinds of places), and where one name holds the other.
A body that the register knows is compared by its code elsewhere, so an employer that is registered suggests nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from grants.sentences import marked as _
from review.conflicts import core, fold_name

NAME, LEADER, BODY, NAMED = "same_name", "same_leader", "same_body", "named_body"
SENTENCES: Final[Mapping[str, str]] = {
    NAME: _("姓名与申报“%(bid)s”的项目团队成员相同。同名不等于同一人，请核实。"),
    LEADER: _("姓名与申报“%(bid)s”的法定代表人或项目负责人相同。同名不等于同一人，请核实。"),
    BODY: _("登记的工作单位与申报“%(bid)s”的申报、托管或合作单位名称相近。名称相近不等于同一单位，请核实。"),
    NAMED: _("登记的工作单位在申报“%(bid)s”的合作内容里被提到。请核实是不是同一单位、是否合作。"),
}
CONFIRMED: Final[Mapping[str, str]] = {
    NAME: _("经两人核实，是申报“%(bid)s”的项目团队成员。"),
    LEADER: _("经两人核实，是申报“%(bid)s”的法定代表人或项目负责人。"),
    BODY: _("经两人核实，在申报“%(bid)s”的申报、托管或合作单位工作。"),
    NAMED: _("经两人核实，在申报“%(bid)s”的合作单位工作。"),
}
SHORTEST: Final = 4
"""Characters of a body's folded name from which on it counts that another text holds it; 中心 is in everything."""
_LEADS: Final = ("负责人", "组长", "主任", "理事长", "会长")
_JOINT: Final = re.compile(r"合作|联合|伙伴|协作|配套|支持单位|共建|partner|joint|applicant", re.IGNORECASE)
_BETWEEN: Final = re.compile(r"[、，,；;。：:\s/／（）()“”\"《》]+|以及|共同|联合|[和与及]")
"""What stands between names in a list. 和、与、及 may be part of a name, so the whole text is compared too."""


@dataclass(frozen=True)
class Known:
    """What is known of an expert. employer: "" where the register says which organisation it is."""

    name: str
    employer: str = ""


@dataclass(frozen=True)
class Paper:
    """The names in a bid. team: name and role; leaders: legal representatives; bodies: applicant, sponsor, partners; joint: texts about partners."""

    team: tuple[tuple[str, str], ...] = ()
    leaders: tuple[str, ...] = ()
    bodies: tuple[str, ...] = ()
    joint: tuple[str, ...] = ()


@dataclass(frozen=True)
class Namesake:
    """One suggestion. rule; key: what it is remembered by, folded; theirs: the name as the bid writes it."""

    rule: str
    key: str
    theirs: str


class Index:
    """The names of one bid, folded once for all experts that are compared with it."""

    def __init__(self, paper: Paper) -> None:
        team = [(fold_name(name), name, any(word in role for word in _LEADS)) for name, role in paper.team]
        leaders = {fold_name(name): name for name in paper.leaders} | {folded: name for folded, name, leads in team if leads}
        self.people = {folded: (NAME, name) for folded, name, _leads in team} | {folded: (LEADER, name) for folded, name in leaders.items()}
        self.bodies = [(core(name), fold_name(name), name) for name in dict.fromkeys(paper.bodies)]
        self.joint = [(text, fold_name(text)) for text in dict.fromkeys(paper.joint)]
        self.named = {core(piece): piece for text, _folded in self.joint for piece in [text, *_BETWEEN.split(text)] if len(fold_name(piece)) > 1}

    def namesakes(self, expert: Known) -> Iterator[Namesake]:
        """Everything that this bid suggests about this expert, of each rule at most one."""
        folded = fold_name(expert.name)
        if len(folded) > 1 and folded in self.people:
            rule, name = self.people[folded]
            yield Namesake(rule, folded, name)
        if len(fold_name(expert.employer)) > 1:
            yield from self._employers(core(expert.employer), fold_name(expert.employer))

    def _employers(self, heart: str, folded: str) -> Iterator[Namesake]:
        same = next((name for other, whole, name in self.bodies if other == heart or _holds(folded, whole)), None)
        if same is not None:
            yield Namesake(BODY, f"{folded}\n{fold_name(same)}", same)
            return
        text = self.named.get(heart) or next((text for text, whole in self.joint if _within(folded, whole)), None)
        if text is not None:
            yield Namesake(NAMED, folded, text)


def _holds(one: str, other: str) -> bool:
    return _within(one, other) or _within(other, one)


def _within(short: str, text: str) -> bool:
    return len(short) >= SHORTEST and short in text


def joint_texts(sections: Iterable[Mapping[str, object]]) -> list[str]:
    """Of frozen sections, the texts of answers and cells whose question, column or heading is about partners."""
    return [text for section in sections for field in _fields(section) for text in _about(field, heading=_joint(section, "title"))]


def _fields(section: Mapping[str, object]) -> list[Mapping[str, object]]:
    fields = section.get("fields")
    return [f for f in fields if isinstance(f, Mapping)] if isinstance(fields, list) else []


def _about(field: Mapping[str, object], *, heading: bool) -> Iterator[str]:
    value, whole = field.get("value"), heading or _joint(field, "label")
    if isinstance(value, str) and whole:
        yield value
    if isinstance(value, list):
        columns = field.get("columns")
        joint = {str(c["code"]) for c in columns if whole or _joint(c, "label")} if isinstance(columns, list) else set()
        yield from (cell for row in value if isinstance(row, Mapping) for code, cell in row.items() if code in joint and isinstance(cell, str))
        yield from (item for item in value if whole and isinstance(item, str))


def _joint(thing: Mapping[str, object], words: str) -> bool:
    return _JOINT.search(f"{thing.get('code', '')} {thing.get(words, '')}") is not None
