"""The pages of a bid as papers that save by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from bidding.forms import AboutForm, table
from bidding.models import Bid
from bidding.section_forms import SectionForm
from bidding.services.keeping import Kept, keep, standing
from bidding.services.tables import ROWS
from bidding.services.writing import About, Answers
from bidding.views.access import to_write
from bidding.views.saving import Arrived, Pair, Paper, answer_to, pairs_of
from bidding.views.tables import SHEETS, Sheet


@require_POST
def save(request: HttpRequest, pk: Any, page: str) -> HttpResponse:
    """Save some answers of one page of a bid. For scripts; what it answers is said in `saving`."""
    return answer_to(request, lambda: _paper(to_write(request, pk), page, request.user))


def _paper(bid: Bid, page: str, by: Any) -> Paper:
    if page == "about":
        return _about(bid, by)
    if page in SHEETS:
        return _table(bid, SHEETS[page], by)
    code = page.removeprefix("sections/")
    asked = next((s for s in bid.rules.forms.application if s.code == code), None)
    if asked is None:
        raise Http404(_("这次征集的申报书没有这一部分。"))
    part = Answers(code)
    return section_paper(
        asked,
        subject=bid.subject,
        save=lambda given, marks: keep(bid, part, given, by=by, based_on=marks) if given else standing(bid, part),
    )


def section_paper(asked: Any, *, subject: str, save: Any) -> Paper:
    """One section of a form, of a bid or of a report. save: (answer → value, answer → mark) → Kept."""

    def read(sent: Arrived) -> Kept:
        form = SectionForm(asked, data=sent.data())
        form.is_valid()
        typed = form.answers()
        kept: Kept = save({answer: typed[answer] for answer in sent.controls if answer in typed}, sent.based_on)
        return replace(kept, problems={form.place(name): told for name, told in kept.problems.items()})

    def controls(kept: Kept, answer: str) -> list[Pair]:
        form = SectionForm(asked, answers=kept.values)
        return pairs_of(form, form.names_of(answer))

    return Paper(subject, asked.title, read, controls, SectionForm(asked).in_words)


def _about(bid: Bid, by: Any) -> Paper:
    def form(values: Mapping[str, Any]) -> AboutForm:
        return AboutForm(bid.call, bid.organisation, initial=values)

    def read(sent: Arrived) -> Kept:
        if not sent.controls:
            return standing(bid, About())
        given = {name: value for pairs in sent.controls.values() for name, value in pairs}
        typed = {answer: given.get(answer, "") for answer in sent.controls}
        return keep(bid, About(), typed, by=by, based_on=sent.based_on)

    def controls(kept: Kept, answer: str) -> list[Pair]:
        shown = form(kept.values)
        return pairs_of(shown, [answer] if answer in shown.fields else [])

    return Paper(bid.subject, _("项目概况"), read, controls, form({}).in_words)


def _table(bid: Bid, sheet: Sheet, by: Any) -> Paper:
    def rows(**given: Any) -> Any:
        return table(sheet.row)(form_kwargs={"bid": bid}, **given)

    def read(sent: Arrived) -> Kept:
        if ROWS not in sent.controls:
            return standing(bid, sheet.part)
        typed = rows(data=sent.data())
        typed.is_valid()
        kept = keep(bid, sheet.part, {ROWS: typed.rows()}, by=by, based_on=sent.based_on)
        return replace(kept, problems={typed.place(name): told for name, told in kept.problems.items()})

    def controls(kept: Kept, _answer: str) -> list[Pair]:
        return list(rows(initial=kept.values[ROWS]).controls())

    return Paper(bid.subject, str(sheet.title), read, controls, rows().in_words, sheet.more)
