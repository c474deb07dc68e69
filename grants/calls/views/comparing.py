"""Any two rules side by side: versions of calls that the reader may see, and the samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from grants.calls.models import Call, RulesVersion
from grants.calls.views.notices import is_staff, visible

if TYPE_CHECKING:
    from grants.calls.rulebook.model import CallRules

RECENT = 50


@require_GET
def compare(request: HttpRequest) -> HttpResponse:
    """比较两份规则: `old` and `new` are `preset:micro`, `YX-2026-01` (what is in force) or `YX-2026-01@2`."""
    old, new = request.GET.get("old", ""), request.GET.get("new", "")
    choices = _choices(request)
    known = {value for value, _words in choices}
    unlisted = [(name, name) for name in dict.fromkeys((old, new)) if name and name not in known]
    context: dict[str, Any] = {"old": old, "new": new, "choices": choices + unlisted}
    if old and new:
        context |= _difference(_rules(request, old), _rules(request, new))
    return render(request, "calls/compare.html", context)


def _difference(old: CallRules, new: CallRules) -> dict[str, Any]:
    from grants.calls.rulebook.diff import WORDS, diff  # noqa: PLC0415 - pydantic is slow to import
    from grants.calls.rulebook.editing.parts import part_of  # noqa: PLC0415 - as above

    changes = [(part_of(change.path).code, change, WORDS[change.gravity]) for change in diff(old, new)]
    order = list(dict.fromkeys(code for code, _change, _word in changes))
    grouped = [(code, [(change, word) for held, change, word in changes if held == code]) for code in order]
    return {"compared": True, "groups": _titled(grouped), "total": len(changes), "old_rules": old, "new_rules": new}


def _titled(grouped: list[tuple[str, Any]]) -> list[tuple[Any, Any]]:
    from grants.calls.parts import TITLES  # noqa: PLC0415 - as above

    return [(TITLES[code], rows) for code, rows in grouped]


def _rules(request: HttpRequest, name: str) -> CallRules:
    from grants.calls.rulebook import presets  # noqa: PLC0415 - as above

    if name.startswith("preset:"):
        try:
            return presets.load(name.removeprefix("preset:"))
        except KeyError as unknown:
            raise Http404(_("没有这个样例。")) from unknown
    code, _at, number = name.partition("@")
    call = visible(request, code)
    version = _version(call, number) if number else call.rules_version
    if version is None or (version.frozen_at is None and not is_staff(request, call)):
        raise Http404(_("没有这个版本，或还没有公开。"))
    return version.rules


def _version(call: Call, number: str) -> RulesVersion | None:
    if not number.isdecimal() or len(number) > 6:
        raise BadRequest(_("版本号应为数字。"))
    return call.versions.filter(number=int(number)).first()


def _choices(request: HttpRequest) -> list[tuple[str, str]]:
    from grants.calls.rulebook import presets  # noqa: PLC0415 - as above

    shown = Call.visible.filter(Call.objects.select_related("rules_version"), request.user).filter(rules_version__isnull=False)
    rows = [(call.code, f"{call.code} {call.title}") for call in shown.order_by("-created_at")[:RECENT]]
    return rows + [(f"preset:{name}", _("样例：%(title)s") % {"title": presets.load(name).title.zh}) for name in presets.NAMES]
