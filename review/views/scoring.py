"""The score sheet beside the frozen bid: left the material, right the criteria with their anchors; saved as it is typed."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from grants import clock
from grants.workflow.door import explain
from grants.workflow.refusals import NotNow, Refusal
from review import services
from review.ballots import latest_draft, own_criteria, plain, shown
from review.blinding import frozen, hides
from review.findings import closed_to
from review.forms import BallotForm
from review.models import LIVE, Review
from review.other_scores import objective
from review.pages import file_of
from review.queue import Filter, place_of
from review.reading import readable
from review.views import me
from review.views.ballots import address, own_review, stepping_aside, to_next

BIGGEST = 200_000
"""Characters of one autosave."""


@login_required
@require_http_methods(["GET", "POST"])
def score(request: HttpRequest, pk: Any) -> HttpResponse:
    """Left the frozen bid, right the criteria. What was typed is kept first, whatever is wrong with it; nothing typed is lost."""
    found, chosen = own_review(request, pk), Filter.of(request.GET)
    if found.state == "assigned":
        return redirect(address("review:review", chosen, pk))
    if found.state not in LIVE:
        return redirect(address("review:mine", chosen))
    if refused := closed_to(found):
        return stepping_aside(request, found, chosen, refused)
    criteria = own_criteria(found)
    form = BallotForm(criteria, request.POST or None, initial=services.sheet_of(found))
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            form = BallotForm(criteria, _keep(request, found))
            if form.is_valid():
                return _carry_out(request, found, form, chosen)
        except Refusal as refused:
            refusal = refused
    return _page(request, found, form, chosen, refusal)


def _keep(request: HttpRequest, found: Review) -> dict[str, str]:
    """Keep what was typed; what another window saved meanwhile in other fields comes in. Raises NotNow when both changed the same."""
    typed = {name: str(text) for name, text in request.POST.items()}
    kept = services.keep_draft(found, typed, base=_number(request.POST.get("base")), by=me(request))
    if kept.clashes:
        names = {c.code: c.name for c in own_criteria(found)}
        words = "；".join(f"{names.get(f.split('_', 1)[-1], _('我的笔记'))}：{text or '—'}" for f, text in kept.clashes.items())
        raise NotNow(_("您在另一个窗口刚保存过不同的内容：%(what)s。下面是本窗口的内容，核对后再按一次保存。") % {"what": words},
                     rule="other_window")  # fmt: skip
    return kept.content


def _number(text: Any) -> int | None:
    return int(text) if str(text or "").isdigit() else None


def _carry_out(request: HttpRequest, found: Review, form: BallotForm, chosen: Filter) -> HttpResponse:
    """Save; then stay, go on, or hand in and go on."""
    user, do = me(request), request.POST.get("do")
    services.save_marks(found, form.marks(), by=user, comments=form.comments(), emptied=form.emptied())
    if do == "submit":
        services.submit(found, by=user)
        messages.success(request, _("已提交 %(number)s。锁定之前可以取回修改。") % {"number": found.bid.number})
        return to_next(request, chosen, after=found)
    messages.success(request, _("已保存。提交之前可以随时修改。"))
    return to_next(request, chosen, after=found) if do == "next" else redirect(address("review:score", chosen, found.pk))


@login_required
@require_POST
def draft(request: HttpRequest, pk: Any) -> HttpResponse:
    """Autosave. Body: {"base": version, "fields": {name: text}}. Answer: {"number", "said", "clashes", "fields"}.

    clashes, fields: the other window's texts, where both windows, or only the other one, changed something.
    """
    found = own_review(request, pk)
    try:
        body = json.loads(request.body[:BIGGEST])
        fields = {str(name): str(text) for name, text in dict(body["fields"]).items()}
        base = _number(body.get("base"))
    except (ValueError, KeyError, TypeError):
        return JsonResponse({"refused": _("内容不完整，没有保存。")}, status=422)
    try:
        kept = services.keep_draft(found, fields, base=base, by=me(request))
    except Refusal as refused:
        return JsonResponse({"refused": str(refused)}, status=refused.status)
    at = clock.now().astimezone(clock.TZ).strftime("%H:%M")
    said = _("已保存 %(at)s") % {"at": at}
    return JsonResponse({"number": kept.number, "said": said, "clashes": kept.clashes, "fields": _elsewhere(fields, kept)})


def _elsewhere(sent: dict[str, str], kept: services.Kept) -> dict[str, str]:
    """Fields that stand differently from what this window sent, because only the other one changed them."""
    now = {name: kept.content.get(name, "") for name in sent}
    lines = {name: text.replace("\r\n", "\n").strip() for name, text in sent.items()}
    return {name: text for name, text in now.items() if text != lines[name] and name not in kept.clashes}


@login_required
@require_POST
def take_back(request: HttpRequest, pk: Any) -> HttpResponse:
    """Take a handed-in ballot back, until the panel locks."""
    found, chosen = own_review(request, pk), Filter.of(request.GET)
    try:
        services.take_back(found, by=me(request))
    except Refusal as refused:
        return _page(request, found, BallotForm(own_criteria(found), initial=services.sheet_of(found)), chosen, refused)
    messages.success(request, _("已取回 %(number)s，修改后请再提交。") % {"number": found.bid.number})
    return redirect("review:grid" if request.POST.get("back") == "grid" else address("review:score", chosen, pk))


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(plain(text))
    except ArithmeticError:
        return None
    return value if value.is_finite() else None


def _page(request: HttpRequest, found: Review, form: BallotForm, chosen: Filter, refusal: Refusal | None) -> HttpResponse:
    version = found.bid.latest
    last = latest_draft(found)
    missing = [row["criterion"].name for row in form.rows() if not str(row["mark"].value() or "").strip()]
    typed = [_decimal(str(row["mark"].value() or "")) for row in form.rows()]
    context = {
        "review": found, "form": form, "refusal": refusal, "version": version, "content": readable(frozen(found.bid, version)), "missing": missing,
        "editable": found.state == "accepted" and found.panel.state == "scoring", "base": last.number if last else 0, "draft": last,
        "documents": file_of(found), "reopen": explain(found, "reopen", me(request)) is None,
        "place": place_of(found, chosen, me(request)), "chosen": chosen, "hidden": hides(found.panel),
        "objective": objective(found), "expert": found.expert,
        "total": shown(sum((t for t in typed if t is not None), Decimal(0))),
        "top": shown(sum((c.top for c in form.criteria), Decimal(0))),
    }  # fmt: skip
    status = refusal.status if refusal else 422 if request.method == "POST" else 200
    return render(request, "review/score.html", context, status=status)
