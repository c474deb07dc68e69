"""The whole form before anybody begins: a page without sign-in, the same as a Word document and as a PDF."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import condition, require_GET

from bidding import word
from bidding.prefilled import foreseen
from bidding.questions import everything
from grants import clock
from grants.calls.models import Call, RulesVersion
from grants.calls.rulebook.effort import effort
from grants.calls.views.notices import visible
from grants.documents.pdf import render_pdf
from grants.documents.writing import zh_datetime

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def _asked(request: HttpRequest, code: str) -> tuple[Call, RulesVersion]:
    call = visible(request, code)
    if call.rules_version is None:
        raise Http404(_("这次征集还没有规则。"))
    return call, call.rules_version


def _etag(request: HttpRequest, code: str) -> str | None:
    """Downloads change when the rules do, or the deadline."""
    try:
        call, version = _asked(request, code)
    except Http404:
        return None
    return f'"{version.hash[:32]}-{call.closes_at:%Y%m%d%H%M%S}"'


@require_GET
def page(request: HttpRequest, code: str) -> HttpResponse:
    """Every question with its limits, the budget's caps, attachments, declarations, and what reviewers look at."""
    call, version = _asked(request, code)
    context = {
        "call": call, "rules": call.rules, "version": version, "burden": effort(call.rules),
        "begins": call.state in ("published", "open"), "foreseen": foreseen(call, request.user), **everything(call.rules),
    }  # fmt: skip
    return render(request, "bidding/questions.html", context)


@require_GET
@condition(etag_func=_etag)
def as_word(request: HttpRequest, code: str) -> HttpResponse:
    """The form to fill in with a word processor."""
    call, version = _asked(request, code)
    return _file(_word(version.pk, version.hash, call.closes_at), WORD, f"{code}-application.docx")


@require_GET
@condition(etag_func=_etag)
def as_pdf(request: HttpRequest, code: str) -> HttpResponse:
    """The form to print."""
    call, version = _asked(request, code)
    return _file(_pdf(version.pk, version.hash, call.closes_at), "application/pdf", f"{code}-application.pdf")


def _file(content: bytes, media_type: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@lru_cache(maxsize=16)
def _word(version: int, digest: str, closes_at: datetime) -> bytes:
    """Made once per process for each text of the rules: anybody may ask for it as often as they like."""
    facts = _facts(version, closes_at)
    lead = [f"{facts['agency']} · {facts['code']} · 规则第 {facts['number']} 版", *facts["lead"]]
    return word.write(facts, title=f"{facts['title']}申报书", lead=lead, made_at=facts["made_at"])


@lru_cache(maxsize=16)
def _pdf(version: int, digest: str, closes_at: datetime) -> bytes:
    facts = _facts(version, closes_at)
    day = facts["made_at"].astimezone(clock.TZ).date()
    return render_pdf("documents/application_form.html", {**facts, "digest": digest}, identifier=f"form:{digest}", issued_on=day)


def _facts(version: int, closes_at: datetime) -> dict[str, Any]:
    found = RulesVersion.objects.select_related("call__agency").get(pk=version)
    lead = [
        f"截止时间：{zh_datetime(closes_at)}（北京时间），到点即止。",
        "本表供事先了解和离线准备；申报以在线提交为准，字数按 Word 的“字数”计算。",
    ]
    with translation.override("zh-hans"):
        return {
            "title": found.call.title, "code": found.call.code, "agency": found.call.agency.name, "number": found.number,
            "made_at": found.frozen_at or found.created_at, "lead": lead, **everything(found.rules),
        }  # fmt: skip
