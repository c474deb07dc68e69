"""密钥丢失: what happens when too few officers have keys left, in words; one person reports it, another declares it, a found key withdraws it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from bidding.forms import show
from bidding.models import SealKey
from bidding.seal_forms import DeclareForm, LostForm
from bidding.services import losses, openings
from bidding.views.seals import of_call
from grants.people import again
from grants.workflow.door import explain
from grants.workflow.refusals import NotNow, Refusal

FORMS: dict[str, type[LostForm | DeclareForm]] = {LostForm.act: LostForm, DeclareForm.act: DeclareForm}
FIELDS = {"too_few_left": "offices"}
"""Rules of the door that are about one field."""


def _key(request: HttpRequest, pk: Any) -> SealKey:
    """The rehearsed key of a call whose seal page this person may see; 404 otherwise."""
    _call, key = of_call(request, pk)
    if key is None or key.state == "made":
        raise Http404(_("没有这个页面，或您无权查看。"))
    return key


@login_required
@require_http_methods(["GET", "POST"])
def lost(request: HttpRequest, pk: Any) -> HttpResponse:
    """Where the loss of keys stands, what follows from it, and the one form that this person may fill in now, after showing again who they are."""
    key = _key(request, pk)
    act = next((verb for verb in FORMS if explain(key, verb, request.user) is None), "")
    found = again.proof(request)
    if act and not (found is not None and found.is_fresh):
        return again.ask(request)
    form = FORMS[act](key, request.POST or None) if act else None
    if request.method == "GET":
        return _shown(request, key, form)
    if form is None or request.POST.get("act") != act:
        return _shown(request, key, FORMS[act](key) if act else None, refusal=_overtaken(key, request.user))
    if not form.is_valid():
        return _shown(request, key, form, status=422)
    try:
        _take(request, key, form, found)
    except Refusal as refusal:
        show(form, getattr(refusal, "problems", {}) or {FIELDS.get(refusal.rule, ""): [str(refusal)]})
        return _shown(request, key, form, status=refusal.status)
    return redirect("bidding:seal_lost", key.call_id)


def _take(request: HttpRequest, key: SealKey, form: LostForm | DeclareForm, proof: again.Proof | None) -> None:
    by: Any = request.user
    note = form.cleaned_data["note"]
    if isinstance(form, LostForm):
        losses.report(key, form.cleaned_data["offices"], by=by, note=note, proof=proof)
        messages.success(request, _("已报告。每名开标人都收到了信；请另一位经办人或负责人核对后宣布。"))
        return
    done = losses.declare(key, by=by, note=note, proof=proof, last=form.cleaned_data["last"])
    told = {"n": done.record_row.failed}
    messages.success(request, _("已宣布密钥丢失：%(n)d 份投标没有打开，开标记录已公开，正在通知各投标单位上传留存包。") % told)


def _overtaken(key: SealKey, user: Any) -> Refusal:
    """Why what was sent is not taken: somebody was quicker, or it is not this person's to do."""
    verb = DeclareForm.act if key.lost_reported_by_id else LostForm.act
    return explain(key, verb, user) or NotNow(_("您打开页面之后，别人已经处理了这一项。请看下面的经过，再决定下一步。"), rule="state", verb=verb)


def _shown(request: HttpRequest, key: SealKey, form: Any, *, refusal: Refusal | None = None, status: int = 200) -> HttpResponse:
    record = getattr(key, "opening_record", None)
    context = {
        "call": key.call, "key": key, "form": form, "refusal": refusal, "report": losses.told(key), "record": record,
        "why_not": explain(key, DeclareForm.act if key.lost_reported_by_id else LostForm.act, request.user),
        "may_withdraw": explain(key, "withdraw_lost", request.user) is None,
        "bids": record.failed if record else sum(1 for _v in openings.waiting(key)),
        "closed": losses.left_closed(key) if key.is_lost else None,
    }  # fmt: skip
    return render(request, "bidding/seal_lost.html", context, status=refusal.status if refusal else status)


@login_required
@require_POST
def found(request: HttpRequest, pk: Any) -> HttpResponse:
    """A key was found before the declaration: the report is withdrawn. Refused with a sentence once the loss is declared."""
    key = _key(request, pk)
    losses.withdraw(key, by=request.user, note=request.POST.get("note", "").strip()[:1000])  # type: ignore[arg-type]
    messages.success(request, _("已撤销丢失报告，照常开标。"))
    return redirect("bidding:seal", key.call_id)
