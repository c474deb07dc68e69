"""The log in words: one event as a line of a list, found by what, who, when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from grants import clock
from grants.desk.objects import READING
from grants.desk.registry import machine_of, pages, words
from grants.ledger.log import Entry, entry_of
from grants.ledger.models import AuditEvent
from grants.people.roles import BY_CODE, CONTEXT_ROLES, name_of
from grants.people.services import names_of
from grants.web.cells import Column
from grants.web.tables import Filters

FIXED = {"system": gettext_lazy("系统"), "public": gettext_lazy("公众")}


class LogFilters(Filters):
    """What, when, and a word: an object's id, an event's id, the beginning of a file's hash."""

    kind = forms.ChoiceField(label=gettext_lazy("对象"))
    event = forms.CharField(label=gettext_lazy("事件"), help_text=gettext_lazy("例如 award.confirm"), max_length=80)
    since = forms.DateField(label=gettext_lazy("从"), widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label=gettext_lazy("到"), widget=forms.DateInput(attrs={"type": "date"}))
    about = forms.CharField(label=gettext_lazy("编号"), help_text=gettext_lazy("对象或事件的编号"), max_length=60)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        kinds = sorted((machine.kind(), str(machine._meta.verbose_name)) for machine in pages())
        self.fields["kind"].choices = [("", _("全部")), *kinds]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("since") and found.get("until") and found["since"] > found["until"]:
            self.add_error("until", _("结束日期早于开始日期。"))
        return found

    def narrow(self, rows: QuerySet[AuditEvent], chosen: dict[str, Any]) -> QuerySet[AuditEvent]:
        if chosen["kind"]:
            rows = rows.filter(subject__startswith=f"{chosen['kind']}:")
        if chosen["event"]:
            rows = rows.filter(event__startswith=chosen["event"].strip())
        if chosen["since"]:
            rows = rows.filter(at__gte=_midnight(chosen["since"]))
        if chosen["until"]:
            rows = rows.filter(at__lt=_midnight(chosen["until"] + dt.timedelta(days=1)))
        word = chosen["about"].strip().lower()
        if word:
            rows = rows.filter(pk=int(word)) if word.isdecimal() and len(word) < 18 else rows.filter(subject__endswith=f":{word}")
        return rows


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), tzinfo=clock.TZ)


class Words:
    """Turns rows of the log into words. Names are looked up for a whole page at once, or once for everybody when a file is written."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.everybody = False

    def load(self, rows: Iterable[AuditEvent]) -> None:
        """The names behind these rows: one query."""
        self.names = names_of({self.entry(row).actor for row in rows} - set(FIXED))

    def load_all(self) -> None:
        """The names of everybody: for a file of a hundred thousand rows."""
        from grants.people.models import User  # noqa: PLC0415 - only files need it

        self.names = {str(p): n for p, n in User.objects.values_list("pseudonym", "name").iterator()}

    def entry(self, row: AuditEvent) -> Entry:
        """The row read back, once."""
        kept = row.__dict__.get("_entry")
        if kept is None:
            kept = row.__dict__["_entry"] = entry_of(row)
        return kept  # type: ignore[no-any-return]

    def who(self, row: AuditEvent) -> str:
        actor = self.entry(row).actor
        return str(FIXED.get(actor) or self.names.get(actor) or _("（已注销账号）"))

    def role(self, row: AuditEvent) -> str:
        code = self.entry(row).role
        return str(name_of(code)) if code in BY_CODE or code in CONTEXT_ROLES else code

    def what(self, row: AuditEvent) -> str:
        entry = self.entry(row)
        machine = _machine(entry.subject)
        step = machine.steps().get(entry.verb) if machine is not None else None
        label = step.label if step is not None and entry.source else None
        return str(label or words().get(entry.event) or READING.get(entry.verb) or (machine.opening.label if machine and entry.verb == "open" else entry.event))

    def about(self, row: AuditEvent) -> str:
        machine = _machine(self.entry(row).subject)
        return str(machine._meta.verbose_name) if machine is not None else row.subject.partition(":")[0]

    def way(self, row: AuditEvent) -> str:
        entry = self.entry(row)
        machine = _machine(entry.subject)
        names = {str(value): str(label) for value, label in machine.States.choices} if machine is not None else {}
        source, target = names.get(entry.source, entry.source), names.get(entry.target, entry.target)
        return target if source in ("", target) else f"{source} → {target}"


def _machine(subject: str) -> Any:
    try:
        return machine_of(subject.partition(":")[0])
    except LookupError:
        return None


def columns(told: Words) -> tuple[Column, ...]:
    """The list's columns. The place in the tree is what a proof is about; an event without one has not been sequenced yet."""
    return (
        Column(_("序号"), "id", "code", sort="id", url=lambda row: reverse("desk:audit_event", args=[row.pk])),
        Column(_("时间"), "at", "datetime", sort="at"),
        Column(_("对象"), told.about, name="about"),
        Column(_("步骤"), told.what, name="what"),
        Column(_("状态变化"), told.way, name="way"),
        Column(_("经办人"), told.who, name="who"),
        Column(_("角色"), told.role, name="role"),
        Column(_("树中位置"), lambda row: row.index, "code", name="index"),
        Column(_("对象编号"), lambda row: row.subject.partition(":")[2], "code", name="subject", shown=False),
        Column(_("事件"), "event", "code", shown=False),
        Column(_("事件编号"), "uid", "code", shown=False),
    )
