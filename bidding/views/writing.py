"""Writing a bid: the task list, one page per part, checking and signing."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bidding import frozen, services
from bidding.completeness import budget_rules, problems
from bidding.forms import AboutForm, SendBackForm, SignForm, show
from bidding.models import Bid
from bidding.rules import applicant
from bidding.section_forms import SectionForm
from bidding.services import presence, receipts
from bidding.tasks_of import asks_finished, tasks_of
from bidding.views.access import after_saving, may_write, own, to_write
from bidding.views.whole import Keeps, Whole
from grants import clock
from grants.people.services import signatories
from grants.workflow.door import explain
from grants.workflow.refusals import Invalid, Refusal


@login_required
@require_GET
def tasks(request: HttpRequest, pk: Any) -> HttpResponse:
    """Everything there is to do in a bid, in any order, with what is still missing."""
    bid = own(request, pk)
    if bid.is_sealed:
        return redirect("bidding:submitted" if bid.state == "submitted" else "bidding:sealed", bid.pk)
    found, writes = problems(bid), may_write(bid, request.user)
    context = {
        "bid": bid, "problems": found, "writes": writes, "tasks": tasks_of(bid, found, linked=writes),
        "amount": budget_rules(bid).cap, "unsent": bid.has_unsent_changes if writes else False,
        "writers": _others(request, bid), "addendum": bid.rules_version_id != bid.call.rules_version_id,
    }  # fmt: skip
    return render(request, "bidding/tasks.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def about(request: HttpRequest, pk: Any) -> HttpResponse:
    """Title, field of service, track, need, sponsor."""
    bid, part = to_write(request, pk), services.About()
    stands = services.standing(bid, part)
    form = AboutForm(bid.call, bid.organisation, data=request.POST or None, initial=stands.values)
    sheet = Whole(request, form, stands, _keeps(request, bid, part))
    if request.method == "POST" and form.is_valid() and sheet.saved(form.answers()):
        return _saved(request, bid)
    context = {"bid": bid, "form": form, "page": part.page, "writers": _others(request, bid), "answers": sheet.answers()}
    return render(request, "bidding/about.html", context, status=sheet.status)


@login_required
@require_http_methods(["GET", "POST"])
def section(request: HttpRequest, pk: Any, code: str) -> HttpResponse:
    """One section of the call's form. "再加几行" shows more rows and saves nothing; what was typed stays."""
    bid = to_write(request, pk)
    asked = next((s for s in bid.rules.forms.application if s.code == code), None)
    if asked is None:
        raise Http404(_("这次征集的申报书没有这一部分。"))
    part = services.Answers(code)
    form = SectionForm(asked, data=request.POST or None, answers=bid.answers.get(code))
    sheet = Whole(request, form, services.standing(bid, part), _keeps(request, bid, part))
    adding = "more" in request.POST
    if request.method == "POST" and not adding and form.is_valid() and sheet.saved(form.answers()):
        if "finished" in request.POST:
            services.finish(bid, part.page, done=request.POST["finished"] == "yes", by=request.user)  # type: ignore[arg-type]
        return _saved(request, bid)
    form.marks, form.choices = sheet.marks, sheet.choices
    context = {
        "bid": bid, "section": asked, "form": form, "questions": form.questions(), "page": part.page, "writers": _others(request, bid),
        "asks_finished": asks_finished(asked), "finished": part.page in bid.finished,
    }  # fmt: skip
    return render(request, "bidding/section.html", context, status=200 if adding else sheet.status)


def _keeps(request: HttpRequest, bid: Bid, part: Any) -> Keeps:
    """How a page of the bid is kept when it is sent whole."""
    by: Any = request.user
    return lambda given, marks: services.keep(bid, part, given, by=by, based_on=marks, strict=True)


def _others(request: HttpRequest, bid: Bid) -> list[str]:
    return presence.others(bid.subject, than=request.user)  # type: ignore[arg-type]


@login_required
@require_POST
def acknowledge(request: HttpRequest, pk: Any) -> HttpResponse:
    """Confirm that the addendum was read."""
    bid = own(request, pk)
    services.acknowledge_rules(bid, by=request.user)  # type: ignore[arg-type]
    messages.success(request, _("已确认最新规则。请检查有没有新的要求，然后提交。"))
    return redirect("bidding:tasks", bid.pk)


@login_required
@require_http_methods(["GET", "POST"])
def check(request: HttpRequest, pk: Any) -> HttpResponse:
    """Everything as it would be submitted. Who signs finds the signature under it, or sends it back; who writes asks for the signature."""
    bid = own(request, pk)
    form = SignForm(request.POST or None, obj=bid, actor=request.user)
    refusal: Refusal | None = explain(bid, "submit", request.user) if request.method == "GET" else None
    if request.method == "POST" and form.is_valid():
        try:
            done = services.submit(bid, by=request.user, **form.details())  # type: ignore[arg-type]
            messages.success(request, _("申报书已提交，编号 %(no)s。回执生成后会发到站内信箱。") % {"no": done.number})
            return redirect("bidding:submitted", bid.pk)
        except Refusal as told:
            refusal = told
            show(form, getattr(told, "problems", {}), str(told))
    return _checked(request, bid, form, refusal, SendBackForm(obj=bid, actor=request.user))


def _checked(request: HttpRequest, bid: Bid, form: SignForm, refusal: Refusal | None, back: SendBackForm) -> HttpResponse:
    signs = applicant.allows(bid, request.user, clock.now())
    told = refusal if form.is_bound else None
    context = {
        "bid": bid, "document": frozen.document(bid), "form": form, "refusal": refusal, "problems": problems(bid), "back": back,
        "writes": may_write(bid, request.user), "signs": signs,
        "asks": not signs and explain(bid, "ask_to_sign", request.user) is None,
        "returns": explain(bid, "send_back", request.user) is None,
        "signatories": [] if signs else list(signatories(bid.organisation)),
    }  # fmt: skip
    return render(request, "bidding/check.html", context, status=422 if back.is_bound else told.status if told else 200)


@login_required
@require_POST
def ask_to_sign(request: HttpRequest, pk: Any) -> HttpResponse:
    """An editor is done and asks the signatory to read and sign."""
    bid = own(request, pk)
    services.ask_to_sign(bid, by=request.user)  # type: ignore[arg-type]
    messages.success(request, _("已请签署人查看，签署人会收到站内信。签署之前您仍可修改。"))
    return redirect("bidding:tasks", bid.pk)


@login_required
@require_POST
def send_back(request: HttpRequest, pk: Any) -> HttpResponse:
    """The signatory sends the bid back to the editors, with a reason."""
    bid = own(request, pk)
    back = SendBackForm(request.POST, obj=bid, actor=request.user)
    if back.is_valid():
        try:
            services.send_back(bid, by=request.user, **back.details())  # type: ignore[arg-type]
            messages.success(request, _("已退给填报人，并发了站内信。"))
            return redirect("bidding:tasks", bid.pk)
        except Invalid as refusal:
            show(back, refusal.problems, str(refusal))
    return _checked(request, bid, SignForm(obj=bid, actor=request.user), None, back)


@login_required
@require_GET
def submitted(request: HttpRequest, pk: Any) -> HttpResponse:
    """What was handed in, its number, hash and receipt, what happens next and when."""
    bid = own(request, pk)
    rows: Any = bid.sealed_versions if bid.is_sealed else bid.versions
    version = rows.select_related("receipt", "bid__call", "bid__organisation").order_by("-number").first()
    held = receipts.of_version(version) if version else None
    context = {"bid": bid, "version": version, "timetable": bid.call.rules.timetable, "held": held}
    return render(request, "bidding/submitted.html", context)


def _saved(request: HttpRequest, bid: Bid) -> HttpResponse:
    messages.success(request, _("已保存。"))
    return redirect(after_saving(request, bid))


def _status(request: HttpRequest) -> int:
    """A page shown in answer to a POST has something to mend."""
    return 422 if request.method == "POST" else 200
