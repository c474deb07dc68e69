"""关系网: many ties from a file, all of them or none; the same file again changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from grants.people.identity import mask_name
from grants.people.models import Agency, User
from grants.web.speaking import spoken
from grants.workflow.door import require
from grants.workflow.refusals import Invalid
from review import tie_sheet
from review.models import Expert, Tie
from review.nodes import Body, Party, Person, find
from review.rules import convener
from review.services.ties import once_of, record_tie
from review.tie_sheet import BODY, EXPERT, SIDES, Problem, Row, Side


@dataclass(frozen=True)
class Line:
    """One row as the page shows it before it is imported: persons masked. known: recorded already, nothing will happen."""

    row: Row
    left: Party
    right: Party
    known: bool

    @property
    def words(self) -> tuple[str, str]:
        return _words(self.row.left), _words(self.row.right)


@dataclass
class Incoming:
    """What a file would do. A file with a problem is not imported at all."""

    lines: list[Line] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def new(self) -> int:
        return sum(not line.known for line in self.lines)


def read_ties(content: bytes, *, agency: Agency, by: User) -> Incoming:
    """Read a file and compare it with what is recorded; nothing is written. Raises NotYou."""
    require(convener, agency, by=by)
    sheet = tie_sheet.read(content)
    return Incoming(problems=sheet.problems) if sheet.problems else compared(sheet.rows)


def compared(rows: Sequence[Row]) -> Incoming:
    """Rows with the parties they mean; a code that no expert has is a problem."""
    experts = {
        e.code: e for e in Expert.objects.filter(code__in={s.name for r in rows for s in (r.left, r.right) if s.type == EXPERT})
    }
    found = Incoming()
    for row in rows:
        found.problems += _unknown(row, experts)
    if not found.problems:
        found.lines = [_line(row, experts) for row in rows]
    return found


def import_ties(content: bytes, *, agency: Agency, by: User) -> tuple[int, int]:
    """Record every tie of a file: (new, known already), in one transaction. Raises NotYou, Invalid (a problem; nothing was written)."""
    with transaction.atomic():
        incoming = read_ties(content, agency=agency, by=by)
        if incoming.problems:
            first = incoming.problems[0]
            raise Invalid(
                _("第 %(line)d 行：%(why)s") % {"line": first.line, "why": spoken(first.sentence)}, rule=f"tie_{first.rule}"
            )
        for line in incoming.lines:
            row = line.row
            record_tie(
                line.left, line.right, row.kind, agency=agency, by=by, since=row.since, until=row.until, evidence=row.evidence,
                source=Tie.Source.IMPORTED,
            )  # fmt: skip
    return incoming.new, len(incoming.lines) - incoming.new


def _unknown(row: Row, experts: dict[str, Expert]) -> Iterable[Problem]:
    for label, side in zip(SIDES, (row.left, row.right), strict=True):
        if side.type == EXPERT and side.name not in experts:
            yield Problem(row.line, label, "expert", tie_sheet.SENTENCES["expert"] % {"value": side.name})


def _line(row: Row, experts: dict[str, Expert]) -> Line:
    left, right = party_of(row.left, experts), party_of(row.right, experts)
    ends = find(left), find(right)
    known = (
        ends[0] is not None
        and ends[1] is not None
        and Tie.objects.filter(once=once_of(row.kind, (ends[0], ends[1]), row.since), withdrawn_at=None).exists()
    )
    return Line(row, left, right, known)


def party_of(side: Side, experts: dict[str, Expert]) -> Party:
    """Whom a side of a row means. KeyError for an expert's code that is not among `experts`."""
    if side.type == EXPERT:
        return experts[side.name]
    if side.type == BODY:
        code = tie_sheet.is_credit_code(side.number)
        return Body(side.name, side.number if code else "", "" if code else side.number)
    at = None if not side.at else Body(uscc=side.at) if tie_sheet.is_credit_code(side.at) else Body(side.at)
    return Person(side.name, side.number, at)


def _words(side: Side) -> str:
    return side.name if side.type in (EXPERT, BODY) else mask_name(side.name)
