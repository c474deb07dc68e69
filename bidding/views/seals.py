"""开标钥匙 and 开标密钥: an officer's own key, the ceremony of a call, rehearsals in turns, the opening and its record."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bidding.forms import show
from bidding.models import OfficerKey, SealKey, SealShare
from bidding.seal_forms import FinishForm, KeyForm, MakeForm, OfflineForm, TurnForm
from bidding.seal_rules import USABLE, dealer, is_sealed_call, seal_visible, took_part
from bidding.seal_words import words
from bidding.services import ceremonies, losses, openings, programs
from bidding.views.bundled import rendered
from grants import clock
from grants.calls.models import Call
from grants.documents.download import download
from grants.documents.qr import qr_code
from grants.people import again
from grants.people.models import Agency
from grants.people.permissions import scopes_with
from grants.workflow.door import explain, require
from grants.workflow.refusals import Refusal
from grants.workflow.rules import Ask

SCRIPT = "bidding/ceremony-pages.js"
MOST_CODE = 1000
"""Letters of a key file that a printed code still carries legibly; one of ours has 344."""


@login_required
@require_http_methods(["GET", "POST"])
def officer_key(request: HttpRequest) -> HttpResponse:
    """My key as an officer: made in the browser, kept here under its passphrase; what it is needed for now."""
    user: Any = request.user
    form = KeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            ceremonies.register(user, form.cleaned_data["recipient"], form.cleaned_data["protected"])
            messages.success(request, _("钥匙已登记。请确认口令已经打印或抄下并收好：口令丢失无法找回。"))
            return redirect("bidding:officer_key")
        except Refusal as refusal:
            show(form, getattr(refusal, "problems", {}), str(refusal))
    held = OfficerKey.objects.filter(user=user, retired_at=None).first()
    earlier = OfficerKey.objects.filter(user=user).exclude(retired_at=None)
    paper = qr_code(held.protected, label=_("受口令保护的钥匙文件")) if held and 0 < len(held.protected) <= MOST_CODE else None
    context = {"words": words(), "form": form, "held": held, "paper": paper, "duties": ceremonies.mine(user), "earlier": earlier}
    return rendered(request, "bidding/officer_key.html", SCRIPT, context, status=422 if form.is_bound else 200)


def of_call(request: HttpRequest, pk: Any) -> tuple[Call, SealKey | None]:
    """A sealed call and its key in use, for whoever may see them; 404 otherwise."""
    call = get_object_or_404(Call.objects.select_related("agency", "rules_version"), pk=pk)
    key = SealKey.objects.filter(call=call, state__in=USABLE).select_related(*SealKey.door_select).first()
    desk = Call.objects.filter(scopes_with(request.user, "read_calls", Agency, "agency"), pk=call.pk).exists()
    if not is_sealed_call(call) or not (desk or (key is not None and seal_visible.allows(key, request.user, clock.now()))):
        raise Http404(_("没有这个页面，或您无权查看。"))
    return call, key


@login_required
@require_http_methods(["GET", "POST"])
def seal(request: HttpRequest, pk: Any) -> HttpResponse:
    """The key of a call: made here by the dealer's browser, rehearsed group by group, used at the opening; and the record."""
    call, key = of_call(request, pk)
    may_make = dealer.allows(call, request.user, clock.now()) and key is None
    offline = "offline" in request.POST
    form = MakeForm(None if offline else request.POST or None) if may_make else None
    taken = OfflineForm(request.POST, request.FILES) if offline else OfflineForm()
    if request.method == "POST" and form is not None and (made := taken if offline else form).is_valid():
        try:
            _make(call, made, request.user)
            messages.success(request, _("开标密钥已制作。接下来请每一组开标人演练一次，全部通过后征集才能开始受理。"))
            return redirect("bidding:seal", call.pk)
        except Refusal as refusal:
            show(made, getattr(refusal, "problems", {}), str(refusal))
    context = {"words": words(), "call": call, "key": key, "form": form, "taken": taken, **(_standing(request, key) if key else {})}
    return rendered(request, "bidding/seal.html", SCRIPT, context, status=422 if request.method == "POST" else 200)


def _make(call: Call, form: MakeForm | OfflineForm, by: Any) -> SealKey:
    if isinstance(form, OfflineForm):
        return ceremonies.take_over(call, form.cleaned_data["file"], by=by)
    return ceremonies.make(call, form.seats(), form.cleaned_data["threshold"], form.hand_over(), by=by)


def _standing(request: HttpRequest, key: SealKey) -> dict[str, Any]:
    seats = list(key.officers.filter(user=request.user).select_related("key"))  # type: ignore[misc]
    record = getattr(key, "opening_record", None)
    return {
        "officers": key.officers.select_related("user"), "shares": key.shares.all(), "record": record,
        "me": [seat.name for seat in seats], "my_key": seats[0].key if seats else None,
        "opens": explain(key, "open", request.user) is None, "why_not": explain(key, "open", request.user),
        "signed": [] if record is None else list(record.signatures.select_related("user")),
        "may_sign": record is not None and explain(key, "sign", request.user) is None,
        "took_part": record is not None and took_part.answer(Ask(request.user, key, clock.now())).ok,
        "may_replace": explain(key, "replace", request.user) is None,
        "prove": "" if again.has_just(request) else again.address(reverse("bidding:seal", args=[key.call_id])),
        "closed_call": key.call.state == "closed", "closed": None if record is None else losses.left_closed(key),
        "waiting": None if record is not None else sum(1 for _v in openings.waiting(key)) if key.call.state == "closed" else None,
    }  # fmt: skip


def _share(request: HttpRequest, share: int) -> SealShare:
    found = SealShare.objects.select_related("key__call__agency", "key__call__rules_version").filter(pk=share).first()
    if found is None or not found.key.officers.filter(user=request.user).exists():  # type: ignore[misc]
        raise Http404(_("没有这一组，或您不是这次征集的开标人。"))
    return found


def _unproven(request: HttpRequest, key: SealKey, verb: str) -> bool:
    """An opening cannot be taken back: whoever finds a browser signed in does not open. A rehearsal opens nothing, a refusal needs no proof."""
    return key.state != "made" and explain(key, verb, request.user) is None and not again.has_just(request)


def _done(request: HttpRequest, share: SealShare, sentence: str) -> HttpResponse:
    messages.success(request, sentence)
    return redirect("bidding:seal", share.key.call_id)


@login_required
@require_POST
def turn(request: HttpRequest, share: int) -> HttpResponse:
    """One officer's layer is off; the rest goes to the next."""
    found, form = _share(request, share), TurnForm(request.POST)
    if _unproven(request, found.key, "open"):
        return again.ask(request, reverse("bidding:seal", args=[found.key.call_id]))
    if not form.is_valid():
        return _refused(request, found, str(next(iter(form.errors.values()))[0]))
    by: Any = request.user
    moved = ceremonies.pass_on(found, form.cleaned_data["rest"], by=by)
    return _done(request, found, _("已解开您的一层。接下来请“%(who)s”登录并解开下一层。") % {"who": moved.at_turn})


@sensitive_variables()
@sensitive_post_parameters("secret")
@login_required
@require_POST
def finish(request: HttpRequest, share: int) -> HttpResponse:
    """The last of a group: the test envelope in a rehearsal, every bid at the opening."""
    found, form, by = _share(request, share), FinishForm(request.POST), request.user
    if _unproven(request, found.key, "open"):
        return again.ask(request, reverse("bidding:seal", args=[found.key.call_id]))
    if not form.is_valid():
        return _refused(request, found, str(next(iter(form.errors.values()))[0]))
    if found.key.state == "made":
        key = ceremonies.rehearse(found, form.cleaned_data["content"], by=by)  # type: ignore[arg-type]
        ready = key.state == "ready"
        return _done(request, found, _("演练全部通过，到受理时间自动开始受理。") if ready else _("这一组演练通过。"))
    key = openings.open_bids(found, form.cleaned_data["secret"].strip(), by=by)  # type: ignore[arg-type]
    told = {"n": key.record_row.opened, "failed": key.record_row.failed}
    return _done(request, found, _("已开标：打开 %(n)d 份，没有打开 %(failed)d 份。请参加开标的人签署开标记录。") % told)


def _refused(request: HttpRequest, share: SealShare, sentence: str) -> HttpResponse:
    messages.error(request, sentence)
    return redirect("bidding:seal", share.key.call_id)


@login_required
@require_POST
def start_again(request: HttpRequest, share: int) -> HttpResponse:
    """Begin a group's turns anew."""
    found, by = _share(request, share), request.user
    ceremonies.start_again(found, by=by)  # type: ignore[arg-type]
    return _done(request, found, _("这一组可以从头开始。"))


@login_required
@require_POST
def sign(request: HttpRequest, pk: Any) -> HttpResponse:
    """Sign the opening record."""
    call, key = of_call(request, pk)
    if key is None:
        raise Http404(_("还没有开标。"))
    if _unproven(request, key, "sign"):
        return again.ask(request, reverse("bidding:seal", args=[call.pk]))
    openings.sign(key, by=request.user)  # type: ignore[arg-type]
    messages.success(request, _("已签署开标记录。"))
    return redirect("bidding:seal", call.pk)


@login_required
@require_POST
def replace(request: HttpRequest, pk: Any) -> HttpResponse:
    """Give a key up before the call opens, so that another can be made."""
    call, key = of_call(request, pk)
    if key is None:
        raise Http404(_("还没有开标密钥。"))
    note = request.POST.get("note", "").strip()
    require(dealer, call, by=request.user)
    if not note:
        messages.error(request, _("请写明更换的原因。"))
        return redirect("bidding:seal", call.pk)
    ceremonies.replace(key, by=request.user, note=note)  # type: ignore[arg-type]
    messages.success(request, _("原密钥已作废，请重新制作。"))
    return redirect("bidding:seal", call.pk)


@require_GET
def public(request: HttpRequest, code: str) -> HttpResponse:
    """密封与开标, for everybody: how it works, the fingerprints to compare, and the opening record. No account, no personal data."""
    call, key = _published(request, code)
    record = getattr(key, "opening_record", None) if key else None
    context = {
        "call": call, "key": key, "record": record, "officers": key.officers.all() if key else [],
        "signed": record.signatures.count() if record else 0, "rows": record.told["bids"] if record else [],
        "programs": programs.of_key(key) if key else None,
    }  # fmt: skip
    return render(request, "bidding/seal_public.html", context)


@require_GET
def public_file(request: HttpRequest, code: str, name: str) -> HttpResponse:
    """The public record of the key, or the opening record: the very bytes whose hash is printed; the printed notice of keys and programs."""
    _call, key = _published(request, code)
    if name == "notice.pdf":
        return _notice(key)
    record = getattr(key, "opening_record", None) if key else None
    text = {"key.json": key.record if key else None, "opening.json": record.document if record else None}.get(name)
    if text is None:
        raise Http404(_("还没有这份文件。"))
    return HttpResponse(text, content_type="application/json; charset=utf-8")


def _notice(key: SealKey | None) -> Any:
    row = key.programs.exclude(pdf=None).select_related("pdf").last() if key else None
    if row is None or row.pdf is None:
        raise Http404(_("还没有这份文件。"))
    return download(row.pdf, name="密封投标公告.pdf")


def _published(request: HttpRequest, code: str) -> tuple[Call, SealKey | None]:
    rows = Call.objects.select_related("agency", "rules_version").filter(code=code)
    call = Call.visible.filter(rows, request.user).first()
    if call is None or not is_sealed_call(call):
        raise Http404(_("没有这次征集，或它不密封投标。"))
    return call, SealKey.objects.filter(call=call, state__in=USABLE).first()
