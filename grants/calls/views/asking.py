"""答疑: everybody reads the answers, organisations ask, the agency sees what is open and releases answers together."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from grants import clock
from grants.calls import questioning
from grants.calls.forms import QuestionForm
from grants.calls.models import Call, Question
from grants.calls.questions import ANSWERING, QuestionStates
from grants.calls.views.notices import visible
from grants.people.forms import show_refusal
from grants.people.models import Organisation
from grants.people.permissions import permissions_of, scopes_held
from grants.workflow.refusals import NotYou, Refusal

S = QuestionStates


@require_http_methods(["GET", "POST"])
def questions(request: HttpRequest, code: str) -> HttpResponse:
    """Published answers for everybody; below, for an organisation's people, the box to ask and what they have asked."""
    call = visible(request, code)
    form = QuestionForm(request.POST or None, actor=request.user) if request.user.is_authenticated else None
    status = 200
    if request.method == "POST" and form is not None:
        done, status = _ask(request, call, form)
        if done:
            messages.success(request, _("问题已收到。答复公开时会发信通知您；公开的内容不含提问单位。"))
            return redirect("calls:questions", call.code)
    return render(request, "calls/questions.html", _context(request, call, form), status=status)


def _ask(request: HttpRequest, call: Call, form: QuestionForm) -> tuple[bool, int]:
    if not form.is_valid():
        return False, 422
    try:
        questioning.ask(call, form.cleaned_data["organisation"], form.cleaned_data["text"], by=request.user)  # type: ignore[arg-type]
    except Refusal as refusal:
        show_refusal(form, refusal)
        return False, refusal.status
    return True, 200


def _context(request: HttpRequest, call: Call, form: QuestionForm | None) -> dict[str, Any]:
    held = permissions_of(request.user, call.agency)
    staff = "read_calls" in held
    asking = call.state in ANSWERING and call.questions_until is not None and clock.now() <= call.questions_until
    return {
        "call": call,
        "answers": list(questioning.published(call)),
        "form": form if form is not None and asking and form.may_ask else None,
        "asking": asking,
        "own": list(_own(request, call)),
        "staff": staff,
        "open": list(call.questions.filter(state__in=(S.ASKED, S.ANSWERED))) if staff else [],
        "releasable": staff and bool({"approve_calls", "draft_calls"} & held),
        "following": request.user.is_authenticated and call.followers.filter(user=request.user).exists(),
    }


def _own(request: HttpRequest, call: Call) -> Any:
    if not request.user.is_authenticated:
        return []
    return call.questions.filter(scopes_held(request.user, Organisation, "organisation")).exclude(state=S.PUBLISHED)


@login_required
@require_POST
def release(request: HttpRequest, code: str) -> HttpResponse:
    """Publish the ticked answers at one moment, all or none."""
    call = visible(request, code)
    if "read_calls" not in permissions_of(request.user, call.agency):
        raise NotYou(_("公开答复由主办方办理；您没有这个角色。"), rule="may_approve_calls")
    ticked = [pk for pk in request.POST.getlist("question") if len(pk) == 36]
    chosen = list(Question.objects.filter(call=call, pk__in=ticked).order_by("created_at"))
    try:
        n = questioning.release(call, chosen, by=request.user)  # type: ignore[arg-type]
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("calls:questions", call.code)
    if n:
        messages.success(request, ngettext("已公开 %(n)d 个答复。", "已公开 %(n)d 个答复。", n) % {"n": n})
    else:
        messages.info(request, _("没有选中要公开的答复。"))
    return redirect("calls:questions", call.code)


@login_required
@require_POST
def follow(request: HttpRequest, code: str) -> HttpResponse:
    """Subscribe to answers and addenda, or stop."""
    call = visible(request, code)
    if request.POST.get("act") == "unfollow":
        questioning.unfollow(call, request.user)  # type: ignore[arg-type]
        messages.success(request, _("已取消订阅。"))
    else:
        questioning.follow(call, request.user)  # type: ignore[arg-type]
        messages.success(request, _("已订阅：答复公开和补充公告发布时会发信给您。"))
    return redirect("calls:questions", call.code)
