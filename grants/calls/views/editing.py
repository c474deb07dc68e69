"""The call editor: a task list over the parts of the rules, a page for each part, the linter beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from grants.calls.editor import (
    Sheet,
    advice_on,
    check,
    errors_in,
    found_in,
    is_new,
    parsed,
    read,
    rules_of,
    sheet_of,
    write,
)
from grants.calls.machine import CallStates
from grants.calls.models import Call
from grants.calls.parts import EXPLAINED, TITLES
from grants.people.permissions import permissions_of
from grants.workflow.refusals import Invalid, NotYou, Refusal

if TYPE_CHECKING:
    from grants.calls.rulebook.model import CallRules
    from grants.calls.rulebook.problems import Problem

S = CallStates
EDITABLE = (S.DRAFT, S.PUBLISHED, S.OPEN)


@login_required
@require_GET
def overview(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The task list: each part with the number of contradictions in it, what follows, and how heavy the call is to read."""
    from grants.calls.rulebook.burden import burden  # noqa: PLC0415 - pydantic is slow to import

    call = _editable(request, pk)
    rules = rules_of(call)
    found = found_in(rules)
    context = {
        "call": call,
        "rules": rules,
        "tasks": [_task(call, code, problems) for code, problems in found.items()],
        "errors": sum(errors_in(problems) for problems in found.values()),
        "warnings": sum(len(problems) - errors_in(problems) for problems in found.values()),
        "burden": burden(rules),
        "changes": _changes(call, rules),
    }
    return render(request, "calls/edit/overview.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def part(request: HttpRequest, pk: UUID, part: str, way: str = "") -> HttpResponse:
    """One part, or one element of it that has a page of its own: read, check, add and remove rows, save."""
    call = _editable(request, pk)
    try:
        sheet = sheet_of(call, part, way)
    except LookupError as gone:
        raise Http404(_("没有这一部分，或这一项刚被删除。")) from gone
    if request.method == "POST":
        done = _posted(request, sheet)
        if done is not None:
            return done
    else:
        sheet.findings = advice_on(rules_of(call)) if not is_new(sheet) else []
    return _page(request, sheet)


def _editable(request: HttpRequest, pk: UUID) -> Call:
    call = get_object_or_404(Call.objects.select_related("agency", "rules_version"), pk=pk)
    if "draft_calls" not in permissions_of(request.user, call.agency):
        raise NotYou(_("编辑规则由主办方经办办理；您没有这个角色。"), rule="may_draft_calls")
    if call.state not in EDITABLE or call.rules_version is None:
        raise Http404(_("这次征集的规则现在不能修改。"))
    return call


def _posted(request: HttpRequest, sheet: Sheet) -> HttpResponse | None:
    """A redirect when something was written; None when the page is to be shown again with what was typed."""
    read(sheet, {name: request.POST.getlist(name) for name in request.POST})
    act = request.POST.get("act", "save")
    if act == "check":
        check(sheet)
        return None
    if ":" in act:
        return _move(request, sheet, act)
    if request.POST.get("held", sheet.held) != sheet.held:
        sheet.general.append(_("您打开本页之后，别人保存过这一部分。您填写的内容都在下面，还没有保存；核对后再按一次保存，将以您的为准。"))
        sheet.status = 409
        return None
    return _save(request, sheet)


def _move(request: HttpRequest, sheet: Sheet, act: str) -> HttpResponse | None:
    """Rows of a page move in what is typed; elements with pages of their own move in what is saved."""
    from grants.calls.rulebook.editing import moves  # noqa: PLC0415 - as above
    from grants.calls.rulebook.editing.parts import HEAVY, covers  # noqa: PLC0415 - as above

    way = act.partition(":")[2]
    try:
        if not any(covers(known, way) for known in sheet.ways):
            raise LookupError(act)  # noqa: TRY301 - the same answer as for a way that leads nowhere
        sheet.moved = moves.move(sheet.data, act)
        heavy = not sheet.element and moves.shape_of(way).model in HEAVY
    except (LookupError, ValueError, TypeError):
        sheet.general.append(_("这一项已经不在了，请核对后重试。"))
        sheet.status = 409
        return None
    return _save(request, sheet) if heavy else None


def _save(request: HttpRequest, sheet: Sheet) -> HttpResponse | None:
    rules = parsed(sheet)
    if rules is None:
        return None
    if rules == rules_of(sheet.call):
        messages.info(request, _("没有改动，不需要保存。"))
        return redirect(_next(request, sheet))
    try:
        write(sheet.call, rules, by=request.user)  # type: ignore[arg-type]
    except Refusal as refusal:
        sheet.general += [str(refusal)] if not isinstance(refusal, Invalid) else [s for each in refusal.problems.values() for s in each]
        sheet.general = sheet.general or [str(refusal)]
        sheet.status = refusal.status
        return None
    messages.success(request, _saved_sentence(sheet, rules))
    return redirect(_next(request, sheet))


def _saved_sentence(sheet: Sheet, rules: CallRules) -> str:
    mine = found_in(rules)[sheet.part]
    if not mine:
        return _("已保存，这一部分检查无误。")
    return _("已保存。这一部分还有 %(errors)d 处错误、%(warnings)d 处提醒，见下。") % {
        "errors": errors_in(mine),
        "warnings": len(mine) - errors_in(mine),
    }


def _next(request: HttpRequest, sheet: Sheet) -> str:
    codes = list(TITLES)
    if request.POST.get("act") == "next" and not sheet.element:
        index = codes.index(sheet.part) + 1
        if index < len(codes):
            return reverse("calls:edit_part", args=[sheet.call.pk, codes[index]])
        return reverse("calls:editor", args=[sheet.call.pk])
    return reverse("calls:edit_part", args=[sheet.call.pk, sheet.part])


def _page(request: HttpRequest, sheet: Sheet) -> HttpResponse:
    from grants.calls.rulebook.editing import drawing, moves  # noqa: PLC0415 - as above

    for way in sheet.ways:
        shape = moves.shape_of(way)
        if sheet.element:
            sheet.nodes = [drawing.element(shape, way, moves.at(sheet.data, way), sheet.data)]
        else:
            parent = way.rpartition(".")[0]
            sheet.nodes.append(drawing.draw(shape, way, moves.at(sheet.data, parent) if parent else sheet.data, sheet.data))
    others = drawing.attach(sheet.nodes, [*sheet.errors, *sheet.findings])
    return render(request, "calls/edit/part.html", _context(sheet, others), status=sheet.status)


def _context(sheet: Sheet, others: list[Problem]) -> dict[str, Any]:
    from grants.calls.rulebook.editing.parts import by_part  # noqa: PLC0415 - as above

    here = [(node, problem) for top in sheet.nodes for node in top.walk() for problem in node.problems]
    elsewhere = by_part(others)
    return {
        "sheet": sheet,
        "call": sheet.call,
        "title": TITLES[sheet.part],
        "explained": EXPLAINED[sheet.part],
        "here": sorted(here, key=lambda pair: pair[1].severity),
        "homeless": elsewhere.pop(sheet.part),
        "parts": [_side(sheet, code, elsewhere.get(code, []), len(here)) for code in TITLES],
        "errors": sheet.errors,
    }


def _side(sheet: Sheet, code: str, elsewhere: list[Problem], here: int) -> dict[str, Any]:
    count = here if code == sheet.part else len(elsewhere)
    url = reverse("calls:edit_part", args=[sheet.call.pk, code])
    return {"code": code, "title": TITLES[code], "url": url, "count": count, "here": code == sheet.part}


def _task(call: Call, code: str, problems: list[Problem]) -> dict[str, Any]:
    errors = errors_in(problems)
    warnings = len(problems) - errors
    words = _("%(n)d 处错误") % {"n": errors} if errors else _("%(n)d 处提醒") % {"n": warnings} if warnings else _("无误")
    colour = "red" if errors else "yellow" if warnings else ""
    url = reverse("calls:edit_part", args=[call.pk, code])
    return {"title": TITLES[code], "hint": EXPLAINED[code], "url": url, "status": words, "colour": colour}


def _changes(call: Call, rules: CallRules) -> list[Any]:
    from grants.calls.rulebook.diff import diff  # noqa: PLC0415 - as above

    return list(diff(call.rules, rules)) if call.state != S.DRAFT else []
