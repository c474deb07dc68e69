"""Writing a bid: the working copy, saved part by part while the call (or the correction) is open.

Every function locks the bid's row, asks who and when, and writes one part whole or not at all. Drafts may be incomplete and over
their caps; what can never be right (a code that does not exist, half a fen) is refused with the field's name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from bidding.completeness import admits, answer_field
from bidding.models import Bid, Kpi
from bidding.rules import in_time
from bidding.seal_rules import is_sealed_call
from bidding.services.keeping import Problems, keep
from bidding.services.working_copy import count, held_for, one_of, refuse
from grants import ledger
from grants.calls.models import Call
from grants.calls.rulebook.form import FieldProblem, is_empty, normalise, validate
from grants.calls.rulebook.parts.form import Section
from grants.people.models import Organisation, User
from grants.workflow.door import begin
from grants.workflow.refusals import Invalid

TITLE_CHARS = 120
SEALED_TITLE = "密封投标"
"""What a sealed bid is called until it is opened."""
Row = Mapping[str, Any]


def start_bid(
    call: Call,
    organisation: Organisation,
    *,
    by: User,
    title: str = "",
    category: str = "",
    track: str = "",
    need: str = "",
    sponsor: Organisation | None = None,
) -> Bid:
    """Begin a draft under the call's current rules. Raises NotYou (not this organisation's writer), NotNow (call not open, operator).

    A track is chosen for the applicant where only one admits its kind.
    """
    bid = Bid(call=call, organisation=organisation, rules_version=call.rules_version, written_by=by)
    if is_sealed_call(call):  # nothing that was typed is kept here: the draft is the bidder's own (ADR 28)
        bid.sealed, bid.title = True, SEALED_TITLE
        return begin(bid, by=by)
    _set_basics(bid, title=title, category=category, track=track or only_track(call, organisation), need=need, sponsor=sponsor)
    return begin(bid, by=by)


def only_track(call: Call, organisation: Organisation) -> str:
    """The one track that admits this organisation's kind; empty where none or several do."""
    fitting = [t.code for t in call.rules.tracks if admits(t.kinds, organisation)]
    return fitting[0] if len(fitting) == 1 else ""


def save_basics(
    bid: Bid, *, by: User, title: str, category: str = "", track: str = "", need: str = "", sponsor: Organisation | None = None
) -> Bid:
    """Title, field of service, track, need and sponsor. Raises NotYou, NotNow, Invalid (naming the field)."""
    given = {"title": title, "category": category, "track": track, "need": need, "sponsor": str(sponsor.pk) if sponsor else ""}
    return keep(bid, About(), given, by=by, strict=True).held


class About:
    """项目概况 as a page that is kept answer by answer."""

    page = "about"

    def current(self, bid: Bid) -> dict[str, Any]:
        return {**_basics(bid), **bid.typed.get(self.page, {})}

    def tidy(self, bid: Bid, given: Mapping[str, Any], *, strict: bool) -> dict[str, Any]:
        return {answer: str(value or "").strip() for answer, value in given.items()}

    def linked(self, bid: Bid) -> tuple[tuple[str, str], ...]:
        named = title_question(bid)
        return ((f"sections/{named}", NAME),) if named else ()

    def write(self, bid: Bid, accepted: Mapping[str, Any], *, strict: bool) -> Problems:
        """What cannot be right (a title that is too long, a choice that is gone) stays as typed until it is mended."""
        stored = _basics(bid)
        values = {**stored, **bid.typed.get(self.page, {}), **accepted}
        problems: dict[str, list[str]] = {}
        while wrong := _wrong_basics(bid, values):
            if strict:
                raise wrong
            values = {**values, **{field: "" if field in problems else stored[field] for field in wrong.problems}}
            problems.update(wrong.problems)
        as_typed = {field: {**stored, **bid.typed.get(self.page, {}), **accepted}[field] for field in problems}
        others = {page: kept for page, kept in bid.typed.items() if page != self.page}
        bid.typed = {**others, self.page: as_typed} if as_typed else others
        return problems


def _basics(bid: Bid) -> dict[str, str]:
    return {column.removesuffix("_id"): str(getattr(bid, column) or "") for column in ("title", "category", "track", "need", "sponsor_id")}


def _wrong_basics(bid: Bid, values: Mapping[str, str]) -> Invalid | None:
    """Set the basics, or say why not; then the bid is as before."""
    sponsor = Organisation.objects.filter(pk=values["sponsor"]).first() if values["sponsor"] else None
    try:
        _set_basics(bid, **{**values, "sponsor": sponsor})  # type: ignore[arg-type]
    except Invalid as wrong:
        return wrong
    return None


def _set_basics(bid: Bid, *, title: str, category: str, track: str, need: str, sponsor: Organisation | None) -> None:
    rules = bid.rules
    one_of("category", category, (c.code for c in rules.categories))
    one_of("track", track, (t.code for t in rules.tracks))
    one_of("need", need, (n.code for n in rules.needs.items))
    if sponsor is not None and not bid.organisation.sponsored_by.filter(sponsor=sponsor).exists():
        refuse("sponsor", _("贵单位与“%(name)s”没有托管协议，请先签订协议。") % {"name": sponsor.name}, rule="sponsor")
    if len(title) > TITLE_CHARS:
        refuse("title", _("项目名称最多 %(most)d 个字，现有 %(n)d 个。") % {"most": TITLE_CHARS, "n": len(title)}, rule="title")
    bid.title, bid.category, bid.track, bid.need, bid.sponsor = title.strip(), category, track, need, sponsor
    named = title_question(bid)
    if named and bid.title:
        bid.answers = {**bid.answers, named: {**bid.answers.get(named, {}), NAME: bid.title}}


NAME = "name"


def title_question(bid: Bid) -> str:
    """The code of the section whose question `name` asks for the project's name, or "": the bid's title and that answer are one."""
    asking = (s.code for s in bid.rules.forms.application for f in s.fields if f.code == NAME and f.kind == "text")
    return next(asking, "")


def save_answers(bid: Bid, section: str, answers: Mapping[str, Any], *, by: User) -> Bid:
    """Replace the answers of one form section. Unanswered questions may stay empty until submission.

    answers: field code → JSON value as `rulebook.form` describes (text, ISO date, amount as text, list of rows…).
    Raises NotYou, NotNow, Invalid (problems by field code).
    """
    part = Answers(section)
    return keep(bid, part, {code: answers.get(code) for code in part.current(bid)}, by=by, strict=True).held


@dataclass(frozen=True)
class Answers:
    """One section of the call's form as a page that is kept answer by answer."""

    section: str

    @property
    def page(self) -> str:
        return f"sections/{self.section}"

    def asked(self, bid: Bid) -> Section:
        """The section as the bid's rules ask it. Raises LookupError."""
        found = next((s for s in bid.rules.forms.application if s.code == self.section), None)
        if found is None:
            raise LookupError(f"no section {self.section!r} in the form of {bid.call.code}")
        return found

    def current(self, bid: Bid) -> dict[str, Any]:
        held = bid.answers.get(self.section, {})
        return {f.code: held.get(f.code) for f in self.asked(bid).fields if f.kind != "file"}

    def tidy(self, bid: Bid, given: Mapping[str, Any], *, strict: bool) -> dict[str, Any]:
        return dict(normalise([self.asked(bid)], {self.section: given})[self.section])

    def linked(self, bid: Bid) -> tuple[tuple[str, str], ...]:
        return (("about", "title"),) if title_question(bid) == self.section else ()

    def write(self, bid: Bid, accepted: Mapping[str, Any], *, strict: bool) -> Problems:
        """What is too long or no number is kept as it was typed: `completeness` names it until it is mended, and nothing is lost."""
        asked = self.asked(bid)
        values = {code: value for code, value in {**self.current(bid), **accepted}.items() if not is_empty(value)}
        found = validate([asked], {self.section: values}, final=False)
        if strict:
            _refuse_wrong_answers(found)
        bid.answers = {**bid.answers, self.section: values}
        if title_question(bid) == self.section:
            bid.title = str(values.get(NAME, bid.title))[:TITLE_CHARS]
        _promise(bid, asked, values)
        return _by_field(p for p in found if p.field in accepted)


def _by_field(found: Iterable[FieldProblem]) -> dict[str, list[str]]:
    by_field: dict[str, list[str]] = {}
    for problem in found:
        by_field.setdefault(answer_field(problem.field, problem.row, problem.column), []).append(problem.message)
    return by_field


def _refuse_wrong_answers(found: Sequence[FieldProblem]) -> None:
    if found:
        raise Invalid(_("请更正后再保存：%(first)s") % {"first": found[0].message}, rule="answers", problems=_by_field(found))


def _promise(bid: Bid, section: Any, answers: Mapping[str, Any]) -> None:
    """Questions that promise an indicator write it, so that nobody types the same figure twice and no two figures differ."""
    bid.kpis.filter(code__in=[field.kpi for field in section.fields if field.kpi]).delete()
    for made in promises(bid, section, answers):
        made.save()


def promises(bid: Bid, section: Any, answers: Mapping[str, Any]) -> Iterator[Kpi]:
    """The indicators that the answers of a section promise, not saved."""
    asked = {k.code: k for k in bid.rules.outcomes.kpis}
    for field in section.fields:
        kpi, target = asked.get(field.kpi), _promised(field.code, answers.get(field.code))
        if kpi is not None and target is not None:
            kind = str(kpi.measure)
            yield Kpi(bid=bid, code=field.kpi, kind=kind, name=kpi.name, target=target, unit=Kpi.UNITS[kind])


def _promised(code: str, value: Any) -> Decimal | None:
    """The figure, or None where nothing or no number was typed yet."""
    try:
        return None if is_empty(value) else count(code, value)
    except Invalid:
        return None


@transaction.atomic
def finish(bid: Bid, page: str, *, done: bool, by: User) -> Bid:
    """Note whether the writer says that a page is filled in; only they know when a long text is. Raises NotYou, NotNow."""
    held, _answer = held_for(bid, by)
    held.finished = [*(each for each in held.finished if each != page), *([page] if done else [])]
    held.save(update_fields=["finished"])
    return held


@transaction.atomic
def acknowledge_rules(bid: Bid, *, by: User) -> Bid:
    """Confirm that the addendum was read: the bid is from now on written for the call's current rules. Ledgered.

    Raises NotYou, NotNow. Answers stay as they are; what the new rules ask in addition shows up as a problem.
    """
    held, answer = held_for(bid, by, open_while=in_time)  # a sealed bid has no working copy, its writer confirms all the same
    before, current = held.rules_version, held.call.rules_version
    if current is None or before.pk == current.pk:
        return held
    held.rules_version = current
    held.save(update_fields=["rules_version"])
    ledger.record(
        event="bid.acknowledge_rules",
        actor=str(by.pseudonym),
        role=answer.role,
        subject=held.subject,
        verb="acknowledge_rules",
        scope=f"call:{held.call_id}",
        public={"from": before.number, "to": current.number, "rules_hash": current.hash},
    )
    return held


