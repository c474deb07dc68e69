"""A list of many rows as people work with it: filter, sort, page and choose columns in the address, take exactly these rows home.

    class ByState(Filters):
        state = forms.ChoiceField(label=_("状态"), choices=[("", _("全部")), *Tranche.States.choices])

        def narrow(self, rows, chosen):
            return rows.filter(state=chosen["state"]) if chosen["state"] else rows

    def queue(request):
        table = Table(request, Tranche.visible.filter(..., request.user), COLUMNS, name=_("拨款"), filters=ByState, total_of=["amount"])
        return table.respond("funding/queue.html", {...})      # the page, or the CSV or XLSX of the same rows

and `{% data_table table %}` in the template. It works without script; with htmx only the table is exchanged. Everything is in the address,
so a list can be sent to a colleague. Three queries however many rows: count, page, totals.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django import forms
from django.core.paginator import Page, Paginator
from django.db.models import F, QuerySet, Sum
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from grants.documents.writing import yuan
from grants.web.cells import Column, look_up
from grants.web.errors import refused
from grants.web.exports import TooManyRows, as_csv, as_xlsx
from grants.web.moments import day_text, moment_text

ROWS = 50
FILES = {"csv": as_csv, "xlsx": as_xlsx}


class Filters(forms.Form):
    """The filter of a list. No field is required; `narrow` gets the cleaned values by name and gives back fewer rows."""

    use_required_attribute = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in self.fields:
            self.fields[name].required = False

    def narrow(self, rows: Any, chosen: dict[str, Any]) -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class Head:
    """One heading: aria is what `aria-sort` says ("" when the list is not sorted by it), url sorts by it or turns the order round."""

    column: Column
    url: str
    aria: str


@dataclass(frozen=True)
class Cell:
    """One cell as shown: text, where it leads, the state whose tag it is."""

    column: Column
    text: str
    url: str
    tag: str


class Table:
    """One list on a page. rows: a queryset already cut to what this person may see, or a sequence. prefix: for a second list on one page.

    order: as `order_by` takes it, before anybody sorts. total_of: names of number columns added up under the list and in the files;
    on the page only for querysets and columns whose `sort` is a database column. empty: what to do when there is nothing at all.
    """

    def __init__(
        self,
        request: HttpRequest,
        rows: Any,
        columns: Sequence[Column],
        *,
        name: Any,
        caption: Any = "",
        filters: type[Filters] | None = None,
        order: Sequence[str] = (),
        total_of: Sequence[str] = (),
        empty: Any = "",
        prefix: str = "",
        page_of: int = ROWS,
    ) -> None:
        self.request, self.columns, self.name, self.caption = request, tuple(columns), name, caption or name
        self.order, self.total_of, self.prefix, self.page_of = order, tuple(total_of), prefix, page_of
        self.empty = empty or _("这里还没有内容。")
        self.id = f"table-{prefix or 'list'}"
        self.form = filters(self._typed(filters), prefix=prefix or None) if filters else None
        self._all = rows

    def _typed(self, filters: type[Filters]) -> QueryDict | None:
        """What was typed into the filter; None, so that first choices apply, when nothing of it is in the address."""
        names = {f"{self.prefix}-{name}" if self.prefix else name for name in filters.base_fields}
        return self.request.GET if names & set(self.request.GET) else None

    # --- which rows, in which order -------------------------------------------------------------------------------------

    @cached_property
    def rows(self) -> Any:
        """All rows of the filtered set in their order: what the pages divide and the files hold. None for a filter that makes no sense."""
        rows = self._all
        if self.form is not None and self.form.is_bound:
            if not self.form.is_valid():
                return rows.none() if isinstance(rows, QuerySet) else []
            rows = self.form.narrow(rows, self.form.cleaned_data)
        return self._ordered(rows)

    def _ordered(self, rows: Any) -> Any:
        column, down = self.sorted_by
        if isinstance(rows, QuerySet):
            if column is None:
                return rows.order_by(*self.order, "pk") if self.order else rows
            way = F(column.sort).desc(nulls_last=True) if down else F(column.sort).asc(nulls_last=True)
            return rows.order_by(way, "pk")
        return list(rows) if column is None else _sorted(rows, column.sort, down=down)

    @cached_property
    def sorted_by(self) -> tuple[Column | None, bool]:
        """(the column, downwards?) of the address; what cannot be sorted by is overlooked."""
        asked = self.request.GET.get(f"{self.prefix}sort", "")
        found = next((c for c in self.columns if c.sort and c.name == asked.removeprefix("-")), None)
        return found, asked.startswith("-")

    @cached_property
    def page(self) -> Page[Any]:
        paginator = Paginator(self.rows, self.page_of)
        return paginator.get_page(self.request.GET.get(f"{self.prefix}page"))

    @property
    def count(self) -> int:
        return self.page.paginator.count

    # --- what is shown --------------------------------------------------------------------------------------------------

    @cached_property
    def shown(self) -> list[Column]:
        """The columns on the page: the first always, the others as chosen in the address, or as the list is made."""
        chosen = self.request.GET.getlist(f"{self.prefix}cols")
        return [c for at, c in enumerate(self.columns) if at == 0 or (c.name in chosen if chosen else c.shown)]

    @property
    def heads(self) -> list[Head]:
        return [self._head(column) for column in self.shown]

    def _head(self, column: Column) -> Head:
        by, down = self.sorted_by
        here = by is column
        if not column.sort:
            return Head(column, "", "")
        turned = f"-{column.name}" if here and not down else column.name
        return Head(column, self._address(sort=turned, page=None), ("descending" if down else "ascending") if here else "")

    @property
    def lines(self) -> Iterator[list[Cell]]:
        return ([self._cell(column, row) for column in self.shown] for row in self.page.object_list)

    def _cell(self, column: Column, row: Any) -> Cell:
        url = look_up(row, column.url) if column.url else ""
        tag = look_up(row, column.tag) if column.tag else ""
        return Cell(column, written(column.value(row), column), str(url or ""), str(tag or ""))

    @cached_property
    def totals(self) -> list[str]:
        """The line of sums over the whole filtered set, a text per shown column; empty where they cannot be asked of the database."""
        summed = {c.name: c for c in self.shown if c.name in self.total_of and c.sort}
        if not summed or not isinstance(self.rows, QuerySet) or not self.count:
            return []
        found = self.rows.order_by().aggregate(**{f"sum_{name}": Sum(column.sort) for name, column in summed.items()})
        line = [written(found[f"sum_{c.name}"], c) if c.name in summed else "" for c in self.shown]
        line[0] = line[0] or _("合计")
        return line

    @property
    def foot(self) -> list[tuple[Column, str]]:
        """The sums under the names of their columns; empty without sums."""
        return list(zip(self.shown, self.totals, strict=True)) if self.totals else []

    # --- addresses ------------------------------------------------------------------------------------------------------

    def _address(self, **changes: Any) -> str:
        """This page with some parameters of this list changed; None takes one away."""
        query = self.request.GET.copy()
        for name, value in changes.items():
            query.pop(self.prefix + name, None)
            if value is not None:
                query.setlist(self.prefix + name, [value] if isinstance(value, str) else list(value))
        return f"?{query.urlencode()}" if query else "?"

    @property
    def query(self) -> str:
        """The rest of the address for page links."""
        return self._address(page=None).removeprefix("?")

    @property
    def page_name(self) -> str:
        return f"{self.prefix}page"

    @property
    def files(self) -> list[tuple[str, str]]:
        """(format, address) of the files of exactly this filtered set."""
        return [(kind.upper(), self._address(**{"as": kind, "page": None})) for kind in FILES]

    @property
    def clear_url(self) -> str:
        """The list without any filter, sorted and with the columns as now."""
        kept = QueryDict(mutable=True)
        for name in (f"{self.prefix}sort", f"{self.prefix}cols"):
            if name in self.request.GET:
                kept.setlist(name, self.request.GET.getlist(name))
        return f"?{kept.urlencode()}" if kept else "?"

    @property
    def kept_by_filter(self) -> list[tuple[str, str]]:
        """Hidden fields of the filter's form: everything in the address but the filter itself and the page."""
        own = {self.form.add_prefix(name) for name in self.form.fields} if self.form else set()
        return self._kept(own | {self.page_name})

    @property
    def kept_by_chooser(self) -> list[tuple[str, str]]:
        return [*self._kept({f"{self.prefix}cols"}), (f"{self.prefix}cols", self.columns[0].name)]

    def _kept(self, without: set[str]) -> list[tuple[str, str]]:
        return [(name, value) for name, values in self.request.GET.lists() if name not in without for value in values]

    @property
    def chooser(self) -> list[tuple[Column, bool]]:
        """Every column but the first, and whether it is shown."""
        return [(column, column in self.shown) for column in self.columns[1:]]

    @property
    def cols_name(self) -> str:
        return f"{self.prefix}cols"

    @property
    def chosen(self) -> list[tuple[str, str, str]]:
        """(label, value in words, address without it) of every filter in use."""
        if self.form is None or not self.form.is_bound or not self.form.is_valid():
            return []
        filled = [bound for bound in self.form if self.form.cleaned_data.get(bound.name) not in (None, "", [], False)]
        return [
            (str(bound.label), _in_words(bound, self.form.cleaned_data[bound.name]), self._without(bound)) for bound in filled
        ]

    def _without(self, bound: Any) -> str:
        query = self.request.GET.copy()
        query.pop(bound.html_name, None)
        query.pop(self.page_name, None)
        return f"?{query.urlencode()}" if query else "?"

    # --- the answer -----------------------------------------------------------------------------------------------------

    @property
    def wants_file(self) -> str:
        """csv or xlsx when a file was asked for: write the download into the ledger before `respond` where readers are watched."""
        asked = self.request.GET.get(f"{self.prefix}as", "")
        return asked if asked in FILES else ""

    def respond(self, template: str, context: Mapping[str, Any] | None = None) -> HttpResponseBase:
        """The page with `table` in its context, or the file of exactly these rows."""
        if not self.wants_file:
            return render(self.request, template, {**(context or {}), "table": self})
        try:
            return FILES[self.wants_file](self.name, self.columns, self.rows, total_of=self.total_of)
        except TooManyRows as refusal:
            return refused(self.request, str(refusal), status=422, back=self.request.path + self._address(**{"as": None}))


def written(value: Any, column: Column) -> str:
    """A value in words of a page: ¥150,000.00, 2026年9月30日 17:00, a dash for nothing."""
    if value is None or value == "":
        return "—"
    if column.kind == "money":
        return yuan(value)
    if column.kind == "datetime":
        return moment_text(value)
    if column.kind == "date":
        return day_text(value)
    return str(value)


def _sorted(rows: Iterable[Any], path: str, *, down: bool) -> list[Any]:
    """A sequence by the value at `path`; rows without one stand last whichever way, equal ones keep their order."""
    valued = [(look_up(row, path), row) for row in rows]
    some = sorted((pair for pair in valued if pair[0] not in (None, "")), key=lambda pair: pair[0], reverse=down)
    return [row for _value, row in some] + [row for value, row in valued if value in (None, "")]


def _in_words(bound: Any, value: Any) -> str:
    """A chosen filter as its choice is called."""
    names = {str(key): str(label) for key, label in getattr(bound.field, "choices", ()) if not isinstance(label, list | tuple)}
    values = value if isinstance(value, list | tuple) else [value]
    return "、".join(names.get(str(getattr(one, "pk", one)), str(one)) for one in values)
