"""The parts of a one-page bid as forms. Each reads what was typed; the services judge, and their sentences come back beside the fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bidding.completeness import asked_attachments
from bidding.forms import AboutForm, BudgetRow, MemberRow, show, table
from bidding.models import Bid
from bidding.section_forms import SectionForm
from bidding.services.page import NotSaved, Page, Paper
from bidding.services.tables import promised_elsewhere
from grants.web.fields import DayField

LEAST_ROWS = 3


class FiguresForm(forms.Form):
    """The call's indicators, one number each, and whom they reach."""

    def __init__(self, bid: Bid, *args: Any, **kwargs: Any) -> None:
        held = {row.code or "served": row for row in bid.kpis.all()}
        kwargs["initial"] = {code: f"{row.target.normalize():f}" for code, row in held.items() if code != "served"}
        kwargs["initial"]["group"] = next((row.group for row in held.values() if row.group), "")
        super().__init__(*args, **{**kwargs, "prefix": "figures"})
        self.asked = [k for k in bid.rules.outcomes.kpis if k.code not in promised_elsewhere(bid)]
        for kpi in self.asked:
            self.fields[kpi.code] = forms.CharField(
                label=kpi.name, required=False, widget=forms.TextInput(attrs={"inputmode": "decimal", "class": "govuk-input--width-10"})
            )
        groups = [("", _("请选择")), *((g, g) for g in bid.rules.outcomes.beneficiaries)]
        self.fields["group"] = forms.ChoiceField(label=_("主要受益人群"), choices=groups, required=False)

    def rows(self) -> list[dict[str, Any]]:
        """Rows as `save_kpis` takes them; a blank figure is no row."""
        given = self.cleaned_data
        return [{"code": k.code, "target": given[k.code], "group": given["group"]} for k in self.asked if given.get(k.code, "").strip()]

    def show(self, problems: Mapping[str, Any]) -> None:
        """Put "form-<row>-<column>" beside the figure of that row."""
        codes = [row["code"] for row in self.rows()]
        for name, told in problems.items():
            row = name.split("-")[1] if name.count("-") == 2 else ""
            place = codes[int(row)] if row.isdigit() else None
            for sentence in told:
                self.add_error(place, sentence)


class PaperForm(forms.Form):
    """The one attachment, if the call has one."""

    file = forms.FileField(label=_("文件"), max_length=150, required=False)
    expires_on = DayField(label=_("有效期截止日"), required=False)

    def __init__(self, asked: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "prefix": "paper"})
        self.asked = asked
        self.fields["file"].label = asked.name
        self.fields["file"].required = False
        if not asked.expires:
            del self.fields["expires_on"]

    def paper(self) -> Paper | None:
        given = self.cleaned_data
        return Paper(self.asked.code, given["file"], given.get("expires_on")) if given.get("file") else None


class PageForms:
    """Every form of the page. data and files as posted, or None."""

    def __init__(self, bid: Bid, data: Any = None, files: Any = None) -> None:
        self.bid = bid
        rules, asked = bid.rules, asked_attachments(bid)
        start = {"title": bid.title, "category": bid.category, "track": bid.track, "need": bid.need, "sponsor": bid.sponsor_id}
        self.about = AboutForm(bid.call, bid.organisation, data=data, initial=start)
        self.about.fields["title"].required = True
        self.sections = [SectionForm(s, data=data, answers=bid.answers.get(s.code)) for s in rules.forms.application]
        lines, people = ([], []) if data is not None else (_budget(bid), list(bid.team.values("name", "role")))
        self.budget = table(BudgetRow)(data, prefix="budget", initial=lines, form_kwargs={"bid": bid})
        self.budget.extra = max(0, min(LEAST_ROWS, (rules.budget.max_lines or LEAST_ROWS)) - bid.budget_lines.count())
        self.figures = FiguresForm(bid, data)
        self.team = table(MemberRow)(data, prefix="team", initial=people, form_kwargs={"bid": bid})
        self.team.extra = max(0, max(LEAST_ROWS, rules.eligibility.minimum_adults) - bid.team.count())
        self.paper = PaperForm(asked[0], data, files) if asked else None

    @property
    def forms(self) -> list[Any]:
        return [self.about, *self.sections, self.budget, self.figures, self.team, *([self.paper] if self.paper else [])]

    def is_valid(self) -> bool:
        return all([form.is_valid() for form in self.forms])  # noqa: C419 - every form is to say what is wrong with it

    def page(self) -> Page:
        """What was typed, for `save_page`. Call after `is_valid()`."""
        return Page(
            basics=self.about.cleaned_data,
            answers={form.section.code: form.answers() for form in self.sections},
            budget=self.budget.rows(),
            kpis=self.figures.rows(),
            team=self.team.rows(),
            paper=self.paper.paper() if self.paper else None,
        )

    def show(self, wrong: NotSaved) -> None:
        """Put each part's sentences beside its fields."""
        for part, problems in wrong.problems.items():
            section = next((form for form in self.sections if form.section.code == part), None)
            if section is not None:
                section.show(problems)
            elif part == "basics":
                show(self.about, problems)
            elif part == "paper" and self.paper is not None:
                show(self.paper, problems)
            else:
                {"budget": self.budget, "kpis": self.figures, "team": self.team}[part].show(problems)

    def errors(self) -> list[tuple[str, str]]:
        """(address of the control, sentence) of everything wrong, in the order of the page."""
        flat = [form for form in self.forms if isinstance(form, forms.Form)]
        found = [_linked(form, name, told) for form in flat for name, errors in form.errors.items() for told in errors]
        return [*found, *self.budget.errors_linked(), *self.team.errors_linked()]


def _linked(form: forms.Form, name: str, told: Any) -> tuple[str, str]:
    if name not in form.fields:
        return "", str(told)
    return f"#{form[name].auto_id}", f"{form[name].label}：{told}"


def _budget(bid: Bid) -> list[dict[str, Any]]:
    rows = bid.budget_lines.values("category", "name", "source", "unit_price", "quantity", "note")
    return [{**row, "quantity": f"{row['quantity'].normalize():f}"} for row in rows]
