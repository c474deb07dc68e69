"""What an object's page shows: who may see it, its timeline, its documents, its steps with the reason why not."""

from __future__ import annotations

import inspect
import mimetypes
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from grants import clock, ledger
from grants.desk.registry import form_for, machine_of, page_for, words
from grants.people import security
from grants.people.permissions import permissions_of, role_behind
from grants.people.roles import BY_CODE, CONTEXT_ROLES, name_of
from grants.people.rules import may
from grants.people.services import names_of
from grants.workflow.door import explain
from grants.workflow.machine import Machine, Step
from grants.workflow.pages import StepForm
from grants.workflow.refusals import NotYou, Refusal
from grants.workflow.rules import Ask

READING = {"read": gettext_lazy("查阅"), "download": gettext_lazy("下载文件")}
PAPERS = {
    "text": gettext_lazy("协议文本"),
    "printed": gettext_lazy("打印文件"),
    "scan": gettext_lazy("签章扫描件"),
    "signed": gettext_lazy("电子签名文件"),
    "voucher": gettext_lazy("凭证"),
    "receipt": gettext_lazy("票据"),
    "budget": gettext_lazy("核定预算"),
    "ballot": gettext_lazy("评分表"),
    "report": gettext_lazy("报告"),
    "photos": gettext_lazy("活动照片"),
    "sign_in": gettext_lazy("签到表"),
    "receipts": gettext_lazy("支出票据"),
}
"""What the ledger calls the files of steps, in words; other names are shown as they are."""
SCOPES = ("agency", "call", "organisation", "sponsor", "site")


@dataclass(frozen=True)
class Offer:
    """One step as this person sees it: the step, and the refusal when they may not take it now."""

    step: Step
    refusal: Refusal | None


@dataclass(frozen=True)
class Moment:
    """One line of the timeline, in words. order: the entry's place in the log, which decides between equal times."""

    order: int
    at: datetime
    who: str
    role: str
    what: str
    path: str
    note: str
    files: tuple[tuple[str, str], ...]


def find(kind: str, pk: Any, actor: Any) -> Machine:
    """The object, if this person may see it by its machine's own visibility rule; Http404 otherwise, whether or not it exists."""
    try:
        model = machine_of(kind)
    except LookupError as unknown:
        raise Http404 from unknown
    rows = model._base_manager.select_related(*model.door_select).filter(pk=pk)
    found = model.visible.filter(rows, actor).first()  # type: ignore[attr-defined]
    if found is None:
        raise Http404(_("没有这条记录，或您无权查看。"))
    return found.seen_by(actor)  # type: ignore[no-any-return]


def offers(obj: Machine, actor: Any) -> tuple[list[Offer], list[Offer]]:
    """(what this person may do now, what they may not and why).

    Left out: steps that mean nothing for this very object (`idle_steps`), steps of the clock, steps that a page of the stage takes because
    they need more than a form, and, for whoever has no part in the object, the steps of others: a visitor of a notice need not read that
    only the agency may close it.
    """
    idle: frozenset[str] = getattr(obj, "idle_steps", frozenset())
    steps = [s for s in type(obj).steps().values() if obj.state in s.source and s.verb not in idle and pressable(type(obj), s)]
    asked = [Offer(step, explain(obj, step.verb, actor)) for step in steps]
    if not has_part(obj, actor):
        asked = [offer for offer in asked if not isinstance(offer.refusal, NotYou)]
    asked.sort(key=lambda offer: offer.step.danger)  # what is hard to undo comes last
    return [o for o in asked if o.refusal is None], [o for o in asked if o.refusal is not None]


def pressable(machine: type[Machine], step: Step) -> bool:
    """Whether the generic step page can take it: a person's step, whose details (if it needs any) have a form."""
    if step.by.roles == {"system"}:
        return False
    return form_for(machine, step.verb) is not StepForm or not _needed(machine, step.verb)


def _needed(machine: type[Machine], verb: str) -> list[str]:
    """Details that the step's body cannot do without."""
    parameters = inspect.signature(getattr(machine, verb)).parameters.values()
    return [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty]


def has_part(obj: Machine, actor: Any) -> bool:
    """Whether this person belongs to one of the parties: holds a permission on a scope of the object, or acts in it by name."""
    if getattr(actor, "pk", None) is None:
        return False
    if any(permissions_of(actor, scope) for scope in _scopes(obj)):
        return True
    named = (
        getattr(obj, "evaluator_id", None),
        getattr(getattr(obj, "expert", None), "user_id", None),
        getattr(obj, "filed_by_id", None),
    )
    return actor.pk in named


def _scopes(obj: Machine) -> list[Any]:
    own = [obj] if obj._meta.model_name in SCOPES else []
    return own + [scope for scope in (getattr(obj, name, None) for name in SCOPES) if scope is not None]


def timeline(obj: Machine, actor: Any) -> list[Moment]:
    """The object's life from the ledger, oldest first. Names, notes and readings are for its parties; others see roles and steps."""
    inside = has_part(obj, actor)
    entries = [e for e in ledger.history(obj.subject) if inside or e.verb not in READING]
    names = {**_names(e.actor for e in entries), **_veiled(obj, actor)} if inside else {}
    papers = _papers(obj) if inside and any(e.files for e in entries) else {}
    return [_moment(obj, entry, names, papers, inside=inside) for entry in entries]


def _papers(obj: Machine) -> dict[str, str]:
    """Code → name of what the call's rules ask for, besides the names that every call shares."""
    version = getattr(getattr(obj, "bid", obj), "rules_version", None)
    if version is None:
        return {}
    rules = version.rules
    return {item.code: item.name for item in (*rules.evaluation.closing, *rules.attachments)}


def _paper(name: str, papers: Mapping[str, str]) -> str:
    """A file of a step in words; several of one kind are numbered, as in `articles.2`."""
    code, _dot, number = name.partition(".")
    told = str(PAPERS.get(name) or papers.get(code) or PAPERS.get(code) or code)
    return f"{told} {number}" if number else told


def _veiled(obj: Machine, actor: Any) -> dict[str, str]:
    """Persons whose names a party may not read yet, e.g. who asked a question, before the deadline."""
    veiled = getattr(obj, "veiled", None)
    return veiled(actor) if veiled else {}


def _moment(obj: Machine, entry: Any, names: dict[str, str], papers: Mapping[str, str], *, inside: bool) -> Moment:
    note = str((entry.private or {}).get("note", "")) if not entry.erased else _("（内容已依法删除）")
    role = str(name_of(entry.role)) if entry.role in BY_CODE or entry.role in CONTEXT_ROLES else ""
    who = names.get(entry.actor, _("（已注销账号）") if inside else role or _("（不公开）"))
    return Moment(
        order=entry.id,
        at=entry.at,
        who=who,
        role=role if role != who else "",
        what=_label(obj, entry),
        path=_path(obj, entry.source, entry.target),
        note=note if inside else "",
        files=tuple((_paper(name, papers), sha256) for name, sha256 in sorted(entry.files.items())) if inside else (),
    )


def _label(obj: Machine, entry: Any) -> str:
    step = type(obj).steps().get(entry.verb)
    if entry.verb == "open" and not entry.source:  # a call also has a step "open", which comes from a state
        return str(obj.opening.label)
    if step is not None:
        return str(step.label)
    return str(words().get(entry.event) or READING.get(entry.verb) or entry.event)


def _path(obj: Machine, source: str, target: str) -> str:
    if not target or source == target:
        return ""
    return f"{obj.state_words(source)} → {obj.state_words(target)}" if source else obj.state_words(target)


def _names(pseudonyms: Iterable[str]) -> dict[str, str]:
    """Pseudonym → name, in one query; the clock and the public have words of their own."""
    fixed = {"system": _("系统"), "public": _("公众")}
    return {**fixed, **names_of(set(pseudonyms) - set(fixed))}


def documents(obj: Machine, actor: Any) -> list[tuple[Any, Any]]:
    """(label, file) of everything this person may download here."""
    return [(label, file) for label, file in page_for(type(obj)).documents(obj, actor) if file is not None]


AUDITS = may("audit")


def remember_reading(obj: Machine, actor: Any, verb: str, **public: Any) -> None:
    """An auditor's reads and downloads are entries of the log too (design §8), shown on the object's timeline."""
    answer = AUDITS.answer(Ask(actor, obj, clock.now()))
    if not answer.ok:
        return
    call = getattr(obj, "call", None)
    if verb == "download":
        security.note(security.Kind.DOWNLOADED, by=actor, detail=f"{obj.kind()}.download")
    with transaction.atomic():
        ledger.record(
            event=f"{obj.kind()}.{verb}", actor=str(actor.pseudonym), role="auditor", subject=obj.subject, verb=verb,
            scope=f"call:{call.pk}" if call is not None else "", source=obj.state, target=obj.state, public=public or None,
        )  # fmt: skip


def remember_reader(obj: Machine, actor: Any) -> None:
    """Who reads a report is told to those who wrote it: the first reading by each person of the agency and by the evaluator is an entry.

    An auditor's readings are all entries already (`remember_reading`).
    """
    if obj.kind() != "evaluation" or obj.state in ("due", "returned") or getattr(actor, "pk", None) is None:
        return
    role = "evaluator" if obj.evaluator_id == actor.pk else role_behind(actor, obj.agency, "read_calls")  # type: ignore[attr-defined]
    if not role or role == "auditor":
        return
    if any(entry.verb == "read" and entry.actor == str(actor.pseudonym) for entry in ledger.history(obj.subject)):
        return
    with transaction.atomic():
        ledger.record(
            event="evaluation.read", actor=str(actor.pseudonym), role=role, subject=obj.subject, verb="read", scope=obj.call.subject,  # type: ignore[attr-defined]
            source=obj.state, target=obj.state,
        )  # fmt: skip


def file_name(label: Any, stored: Any) -> str:
    """What the browser saves it as: the label, with the ending of what the file really is."""
    ending = mimetypes.guess_extension(stored.media_type) or ""
    text = str(label)
    return text if text.lower().endswith(ending) else text + ending
