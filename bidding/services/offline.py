"""Taking a workbook into the working copy: the same services as the web's pages, all of it or nothing, looked at before it is written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bidding import frozen
from bidding.models import Bid
from bidding.services.tables import save_budget, save_kpis, save_team
from bidding.services.working_copy import held_for
from bidding.services.writing import save_answers, save_basics
from bidding.workbook.reading import Filled, read
from grants.documents.writing import yuan
from grants.people.models import User
from grants.workflow.refusals import Invalid, NotNow


@dataclass(frozen=True)
class Change:
    """One thing the workbook changes: where, and both texts."""

    where: str
    before: str
    after: str


@dataclass(frozen=True)
class Preview:
    """What taking the workbook in would do. problems: (cell, sentence); with any, nothing can be written.

    stale: the working copy was changed on the web after the workbook had been downloaded; its changes would be overwritten.
    basis: the working copy the preview compares with.
    """

    changes: tuple[Change, ...]
    problems: tuple[tuple[str, str], ...]
    stale: bool
    basis: str


def basis(bid: Bid) -> str:
    """A digest of what the applicant wrote so far, attachments left out."""
    document = frozen.document(bid)
    own = {part: document[part] for part in ("title", "category", "track", "need", "sections", "budget", "kpis", "team")}
    return hashlib.sha256(frozen.canonical(own).encode()).hexdigest()


def preview(bid: Bid, content: bytes, *, by: User) -> Preview:
    """Try the workbook on the working copy and take everything back. Raises NotYou, NotNow, Invalid (not this bid's workbook)."""
    with transaction.atomic():
        found = _apply(bid, content, by)
        transaction.set_rollback(True)
    return found


def commit(bid: Bid, content: bytes, *, by: User, seen: str) -> Preview:
    """Write the workbook into the working copy. seen: the `basis` of the preview that the person looked at.

    Raises NotYou, NotNow (also when the working copy changed since the preview), Invalid (any problem); then nothing was written.
    """
    with transaction.atomic():
        found = _apply(bid, content, by)
        if found.basis != seen:
            raise NotNow(_("您预览之后，申报书又被修改过。请重新上传，核对改动后再写入。"), rule="seen_basis", verb="write")
        if found.problems:
            told = {place: [sentence] for place, sentence in found.problems}
            raise Invalid(_("工作簿里还有 %(n)d 处错误，什么都没有写入。") % {"n": len(told)}, rule="workbook", problems=told)
    return found


def _apply(bid: Bid, content: bytes, by: User) -> Preview:
    """Write every part that can be written; the caller decides whether it stays."""
    held, _answer = held_for(bid, by)
    before, start = frozen.document(held), basis(held)
    filled = read(content, held)
    problems = [*filled.wrong, *_write(held, filled, by)]
    after = frozen.document(Bid.objects.select_related(*Bid.door_select, "call__rules_version").get(pk=bid.pk))
    stale = filled.basis != start
    return Preview(tuple(_changes(before, after)), tuple(dict.fromkeys(problems)), stale, start)


def _write(bid: Bid, filled: Filled, by: User) -> list[tuple[str, str]]:
    """(cell, sentence) of everything that the services refuse."""
    acts: list[tuple[str, Callable[[], Any]]] = []
    if filled.basics is not None:
        basics = {"track": bid.track, "need": bid.need, **filled.basics}
        acts.append(("basics", lambda: save_basics(bid, by=by, sponsor=bid.sponsor, **basics)))
    for code, given in filled.answers.items():
        acts.append((code, lambda code=code, given=given: save_answers(bid, code, given, by=by)))  # type: ignore[misc]
    if filled.budget is not None:
        acts.append(("budget", lambda: save_budget(bid, filled.budget or [], by=by)))
    if filled.kpis is not None:
        acts.append(("kpis", lambda: save_kpis(bid, [_kpi(row) for row in filled.kpis or []], by=by)))
    if filled.team is not None:
        acts.append(("team", lambda: save_team(bid, [_member(row) for row in filled.team or []], by=by)))
    return [found for part, act in acts for found in _refused(part, act, filled)]


def _kpi(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "direct": row.get("direct") is not False}


def _member(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "is_supervisor": row.get("is_supervisor") is True}


def _refused(part: str, act: Callable[[], Any], filled: Filled) -> list[tuple[str, str]]:
    try:
        act()
    except Invalid as refusal:
        named = [(name, sentence) for name, told in refusal.problems.items() for sentence in told]
        return [(filled.places.get((part, name), part), str(s)) for name, s in named] or [(part, str(refusal))]
    return []


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What differs, in the order of the document."""
    found = [Change(str(label), _named(before[part]), _named(after[part])) for part, label in _PLACES.items()]
    pairs = zip(before["sections"], after["sections"], strict=True)
    for old, new in pairs:
        fields = zip(old["fields"], new["fields"], strict=True)
        found += [Change(f"{new['title']} · {n['label']}", _text(o), _text(n)) for o, n in fields if o["value"] != n["value"]]
    found += [Change(_("预算"), _budget(before), _budget(after))]
    found += [Change(_("指标与受益人群"), _kpis(before), _kpis(after)), Change(_("人员名单"), _people(before), _people(after))]
    return [change for change in found if change.before != change.after]


_PLACES = {"title": gettext_lazy("项目名称"), "category": gettext_lazy("服务领域"), "track": gettext_lazy("组别"), "need": gettext_lazy("对应需求")}


def _named(value: Any) -> str:
    return str(value["name"]) if isinstance(value, Mapping) else str(value or "")


def _text(field: Mapping[str, Any]) -> str:
    value = field["value"]
    if field["kind"] == "table":
        return "\n".join(" / ".join(str(row.get(c["code"], "") or "") for c in field["columns"]) for row in value or [])
    if isinstance(value, bool):
        return _("是") if value else _("否")
    return "、".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _budget(document: Mapping[str, Any]) -> str:
    lines = [f"{r['category_name']} {r['name']} {r['unit_price']}×{r['quantity']} {r['source_name']} {r['note']}" for r in document["budget"]["lines"]]
    return "\n".join([*lines, _("申请资助合计 %(sum)s") % {"sum": yuan(Decimal(document["budget"]["grant"]))}]) if lines else ""


def _kpis(document: Mapping[str, Any]) -> str:
    return "\n".join(sorted(f"{r['name']} {r['target']}{r['unit']} {r['group']}" for r in document["kpis"]))


def _people(document: Mapping[str, Any]) -> str:
    return "\n".join(f"{r['name']} {r['role']} {r['qualification']} {r['licence_no']}{' ' + _('督导') if r['is_supervisor'] else ''}" for r in document["team"])
