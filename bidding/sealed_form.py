"""密封投标 as one form: every part of a bid on one page, so that its controls are what is sealed, and what is opened is read by the same form.

Names of controls: "about-…", "s-<section>-…", "budget-…", "kpis-…", "team-…" (formsets), "paper-<item>" and "paper-<item>-expires_on".
Nothing here is stored before the opening: `problems` judges in memory, `write` is called on a bid that is being opened.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bidding.completeness import asked_attachments
from bidding.forms import AboutForm, BudgetRow, KpiRow, MemberRow, table
from bidding.models import Bid
from bidding.section_forms import SectionForm
from bidding.services.attaching import most_bytes
from bidding.services.tables import BUDGET, KPIS, ROWS, TEAM, promised_elsewhere
from bidding.services.writing import NAME, title_question
from grants.web.fields import DayField

Fields = Sequence[Sequence[str]]
LEAST_ROWS = 3
NOT_CONTENT = ("csrfmiddlewaretoken", "declarations", "more", "check")
"""Controls that say nothing of the bid; marks and choices of the ordinary pages do not occur."""


class Several(forms.FileInput):
    """Several files for one item of the attachment list."""

    allow_multiple_selected = True


@dataclass(frozen=True)
class Paper:
    """One item of the attachment list as it is asked: the rule, its control, and the control for the day it expires, if it asks for one."""

    asked: Any
    file: Any
    expires: Any = None


class PapersForm(forms.Form):
    """Files by item of the attachment list. They are read from `files` as they are; this form only names, shows and dates them."""

    def __init__(self, bid: Bid, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = asked_attachments(bid)
        for item in self.asked:
            accept = ",".join(str(m) for m in item.media_types)
            limits = {"accept": accept, "data-most-bytes": most_bytes(item), "data-item": item.code}
            told = _("可以选几个文件；每个不超过 %(mb)d MB。") % {"mb": item.max_mb}
            self.fields[f"paper-{item.code}"] = forms.Field(label=item.name, required=item.required, widget=Several(limits), help_text=told)
            if item.expires:
                day = DayField(label=_("“%(name)s”的有效期截止日") % {"name": item.name}, required=False)
                self.fields[f"paper-{item.code}-expires_on"] = day

    def papers(self) -> list[Paper]:
        """Every item with its controls, for the page."""
        return [Paper(a, self[f"paper-{a.code}"], self[f"paper-{a.code}-expires_on"] if a.expires else None) for a in self.asked]

    def expires_on(self, code: str) -> Any:
        """The day that was typed for an item, or None. Call after `is_valid()`."""
        return self.cleaned_data.get(f"paper-{code}-expires_on")


class SealedForm:
    """The whole bid as one form. data, files: as posted; data alone may come out of a sealed manifest (`as_data`)."""

    titles = (("budget", gettext_lazy("预算")), ("kpis", gettext_lazy("指标与受益人群")), ("team", gettext_lazy("人员名单")))

    def __init__(self, bid: Bid, data: Any = None, files: Any = None) -> None:
        self.bid, self.data, self.files = bid, data, files or MultiValueDict()
        rules, held = bid.rules, _held(bid)
        self.about = AboutForm(bid.call, bid.organisation, data=data, initial=held["about"], prefix="about")
        self.sections = [
            SectionForm(s, data=data, answers=held["answers"].get(s.code), prefix=f"s-{s.code}") for s in asked_sections(bid)
        ]
        self.budget = self._table("budget", BudgetRow, held["budget"], min(LEAST_ROWS, rules.budget.max_lines or LEAST_ROWS))
        self.kpis = self._table("kpis", KpiRow, held["kpis"], 1)
        self.team = self._table("team", MemberRow, held["team"], max(LEAST_ROWS, rules.eligibility.minimum_adults))
        self.papers = PapersForm(bid, data, initial=held["papers"])

    def _table(self, prefix: str, row: Any, initial: list[Any], least: int) -> Any:
        made = table(row)(self.data, prefix=prefix, initial=None if self.data is not None else initial, form_kwargs={"bid": self.bid})
        made.extra = max(1, least - len(initial))
        return made

    @property
    def parts(self) -> list[Any]:
        return [self.about, *self.sections, self.budget, self.kpis, self.team, self.papers]

    def is_valid(self) -> bool:
        """Reads everything; what no choice knows stands in `cleaned_data` as it was typed, so that it is told and not lost."""
        sound = [part.is_valid() for part in self.parts]
        for form in (form for part in self.parts for form in getattr(part, "forms", [part])):
            _keep_as_typed(form)
        return all(sound)

    def fields(self) -> list[list[str]]:
        """What was posted, as a manifest holds it: [control, text], in the order of the page, blanks left out."""
        lists = self.data.lists() if hasattr(self.data, "lists") else []
        return [[name, text] for name, texts in lists if name not in NOT_CONTENT for text in texts if text != ""]

    def attachments(self) -> dict[str, bytes]:
        """ "<item>/<file name>" → bytes of every file posted, as a manifest names them."""
        return {f"{code}/{upload.name}": upload.read() for code, upload in self.uploads()}

    def uploads(self) -> Iterator[tuple[str, Any]]:
        """(item, upload) of every file posted."""
        for item in self.papers.asked:
            yield from ((item.code, upload) for upload in self.files.getlist(f"paper-{item.code}"))

    def known(self) -> set[str]:
        """The names of all controls of the form."""
        flat = [form for part in self.parts for form in getattr(part, "forms", [part])]
        names = {form.add_prefix(name) for form in flat for name in form.fields}
        counted = {form.management_form.add_prefix(name) for form in (self.budget, self.kpis, self.team) for name in form.management_form.fields}
        return names | counted

    def problems(self) -> list[tuple[str, str]]:
        """(address of the control, sentence) of everything that keeps this bid from being complete; nothing is stored."""
        from bidding.sealed_writing import judged  # noqa: PLC0415 - it reads this form

        return judged(self)


def asked_sections(bid: Bid) -> list[Any]:
    """The call's sections without the question that asks for the project's name once more: it is the title."""
    named = title_question(bid)
    return [_without_name(s) if s.code == named else s for s in bid.rules.forms.application if _asks(s, named)]


def _asks(section: Any, named: str) -> bool:
    return section.code != named or any(f.code != NAME for f in section.fields)


def _without_name(section: Any) -> Any:
    return section.model_copy(update={"fields": tuple(f for f in section.fields if f.code != NAME)})


def _held(bid: Bid) -> dict[str, Any]:
    """What the page starts with: nothing but the call's own indicators while the bid is sealed, else the working copy."""
    if getattr(bid, "is_sealed", False):
        elsewhere = promised_elsewhere(bid)
        asked = [{"code": k.code} for k in bid.rules.outcomes.kpis if k.code not in elsewhere]
        return {"about": {}, "answers": {}, "budget": [], "kpis": asked, "team": [], "papers": {}}
    about = {"title": bid.title, "category": bid.category, "track": bid.track, "need": bid.need, "sponsor": bid.sponsor_id}
    rows = {part.page: part.current(bid)[ROWS] for part in (BUDGET, KPIS, TEAM)}
    days = {f"paper-{row.code}-expires_on": row.expires_on for row in bid.attachments.all()}
    return {"about": about, "answers": bid.answers, **rows, "papers": days}


def _keep_as_typed(form: Any) -> None:
    for name in form.errors if hasattr(form, "cleaned_data") else ():
        if name in form.fields:
            field = form.fields[name]
            form.cleaned_data[name] = field.widget.value_from_datadict(form.data, form.files, form.add_prefix(name))


def as_data(fields: Any) -> QueryDict:
    """Controls out of a manifest as a form reads them. What is no pair of texts is left out: a manifest may come from anybody."""
    made = QueryDict(mutable=True)
    for pair in fields if isinstance(fields, Iterable) and not isinstance(fields, (str, bytes, Mapping)) else ():
        if isinstance(pair, (list, tuple)) and len(pair) == 2 and all(isinstance(part, str) for part in pair):
            made.appendlist(*(_storable(part) for part in pair))
    return made


def _storable(text: str) -> str:
    """Without what a database cannot hold: zero bytes and halves of characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def unsaved(bid: Bid) -> Bid:
    """A copy of the bid for judging: its columns can be set without the bid changing."""
    made = copy.copy(bid)
    made._state = copy.copy(bid._state)
    made._prefetched_objects_cache = {}  # type: ignore[attr-defined]
    return made


def write(bid: Bid, fields: Any, attachments: Mapping[str, bytes], declarations: Sequence[str]) -> list[str]:
    """Make the working copy of a bid that is being opened say what was sealed. Needs a transaction; `bid` is the locked row.

    fields: [[control, text], …]. attachments: "<item>/<file name>" → bytes. Whatever can be read is taken, as it was typed where it
    cannot be right; returns a sentence for everything that could not be taken or is not right. Never raises for content.
    """
    from bidding.sealed_writing import written  # noqa: PLC0415 - it reads this form

    return written(SealedForm(bid, as_data(fields)), attachments, declarations)
