"""The officer's rounds: every call of their agencies with filters, one call as a task list over all stages, who confirmed an addendum, 预演.

Upstream may not name downstream, so what counts across stages stands here. Counts are asked for the agency's people only.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.db.models import Count, F, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from bidding.models import Bid
from bidding.seal_rules import is_sealed_call
from grants import clock
from grants.awards.models import Award, Contract, Objection, PublicNotice
from grants.calls.models import Call, Question
from grants.calls.rulebook.expectation import sizes
from grants.desk import rehearsing
from grants.desk.expecting import measured, pool_size
from grants.desk.rehearsal_charts import expectation_charts
from grants.evaluation.models import Evaluation
from grants.funding.models import Tranche
from grants.people.models import Agency
from grants.people.permissions import permissions_of, scopes_with
from grants.web.cells import Column
from grants.web.tables import Filters, Table
from grants.workflow.refusals import NotYou
from review.models import Panel

SIGNED = ("effective", "completed", "ended")
WRITING, IN = ("draft",), ("submitted", "returned", "admitted", "rejected")


class ByState(Filters):
    """Narrow the list of calls."""

    state = forms.ChoiceField(label=gettext_lazy("状态"), choices=[("", gettext_lazy("全部")), *Call.States.choices])
    words = forms.CharField(label=gettext_lazy("编号或名称"), max_length=60)
    closes_from = forms.DateField(label=gettext_lazy("截止不早于"), widget=forms.DateInput(attrs={"type": "date"}))

    def narrow(self, rows: Any, chosen: dict[str, Any]) -> Any:
        if chosen.get("state"):
            rows = rows.filter(state=chosen["state"])
        if chosen.get("words"):
            rows = rows.filter(Q(code__icontains=chosen["words"]) | Q(title__icontains=chosen["words"]))
        return rows.filter(closes_at__date__gte=chosen["closes_from"]) if chosen.get("closes_from") else rows


COLUMNS = (
    Column(gettext_lazy("编号"), "code", "code", sort="code", url=lambda call: reverse("desk:round", args=[call.pk])),
    Column(gettext_lazy("名称"), "title", sort="title"),
    Column(gettext_lazy("主办方"), "agency.name", name="agency", sort="agency__name"),
    Column(gettext_lazy("状态"), "get_state_display", name="state", sort="state", tag="state"),
    Column(gettext_lazy("开始受理"), "opens_at", "datetime", sort="opens_at"),
    Column(gettext_lazy("截止"), "closes_at", "datetime", sort="closes_at"),
    Column(gettext_lazy("待答复提问"), "waiting_questions", "number", name="questions", sort="waiting_questions"),
)


@login_required
@require_GET
def rounds(request: HttpRequest) -> HttpResponseBase:
    """Every call of the agencies whose calls this person reads, newest first; also as CSV and XLSX."""
    mine = Call.objects.filter(scopes_with(request.user, "read_calls", Agency, "agency")).select_related("agency")
    counted = mine.annotate(waiting_questions=Count("questions", filter=Q(questions__state__in=("asked", "answered")), distinct=True))
    drafts = Agency.objects.filter(scopes_with(request.user, "draft_calls", Agency, "pk")).exists()
    empty = _("还没有征集。起草第一次征集后，会列在这里。")
    table = Table(request, counted, COLUMNS, name=_("征集"), filters=ByState, order=["-created_at"], empty=empty)
    return table.respond("desk/rounds.html", {"may_draft": drafts})


@dataclass(frozen=True)
class Station:
    """One station of a round, as `web/partials/task_list.html` shows it; url empty: nothing to do there yet."""

    title: str
    hint: str
    status: str
    url: str = ""
    colour: str = ""


def _call(request: HttpRequest, pk: UUID) -> Call:
    rows = Call.objects.select_related("agency", "operator", "rules_version").filter(pk=pk)
    found = rows.filter(scopes_with(request.user, "read_calls", Agency, "agency")).first()
    if found is None:
        raise Http404(_("没有这次征集，或您无权查看。"))
    return found


@login_required
@require_GET
def show(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The round from draft to archive: where it stands, what is open at each station, and the page where it is done."""
    call = _call(request, pk)
    context = {"call": call, "tasks": stations(call), "receipts": receipts(call, names=False) if call.published_at else None}
    return render(request, "desk/round.html", {**context, "links": _links(request, call)})


def stations(call: Call) -> list[Station]:
    """Twelve stations; each asks one aggregate, whatever the number of bids."""
    return [
        _drafting(call), _published(call), _asking(call), _bidding(call), _screening(call), _reviewing(call), _awarding(call),
        _noticing(call), _contracting(call), _paying(call), _evaluating(call), _archiving(call),
    ]  # fmt: skip


def _at(call: Call, *states: str) -> bool:
    return call.state in states


def _done(n: int, whole: int) -> tuple[str, str]:
    """(words, colour) of a count of what is done."""
    return _("%(n)d／%(whole)d 完成") % {"n": n, "whole": whole}, "" if n == whole else "light-blue"


def _drafting(call: Call) -> Station:
    url = reverse("calls:editor", args=[call.pk]) if _at(call, "draft") else reverse("calls:versions", args=[call.code])
    if _at(call, "draft"):
        return Station(_("起草"), _("逐部分填写规则，检查矛盾。"), _("填写中"), url, "light-blue")
    return Station(_("起草"), _("规则的全部版本与差异。"), _("已完成"), url)


def _published(call: Call) -> Station:
    page = reverse("desk:object", args=["call", call.pk])
    if _at(call, "draft", "pending"):
        waits = _at(call, "pending")
        return Station(_("审批发布"), _("由另一位负责人批准。"), _("待审批") if waits else _("尚不能开始"), page if waits else "", "yellow" if waits else "")
    return Station(_("审批发布"), _("规则已冻结，哈希写入台账。"), str(call.get_state_display()) if _at(call, "cancelled") else _("已发布"), page)


def _asking(call: Call) -> Station:
    if call.published_at is None:
        return Station(_("答疑与补充公告"), _("公告发布后开放提问。"), _("尚不能开始"))
    open_ones = Question.objects.filter(call=call, state__in=("asked", "answered")).count()
    status = _("%(n)d 个待处理") % {"n": open_ones} if open_ones else _("无待处理")
    return Station(_("答疑与补充公告"), _("答复由一人拟、另一人公开。"), status, reverse("calls:questions", args=[call.code]), "yellow" if open_ones else "")


def _bidding(call: Call) -> Station:
    if not _at(call, "open", "closed", "decided", "archived"):
        return Station(_("受理"), _("到时间自动开始、自动截止。"), _("尚不能开始"))
    n = Bid.objects.filter(call=call, state__in=IN).count()
    return Station(_("受理"), _("截止前只看份数，不看内容。"), _("%(n)d 份已提交") % {"n": n}, reverse("bidding:of_call", args=[call.pk]))


def _screening(call: Call) -> Station:
    if not _at(call, "closed", "decided", "archived"):
        return Station(_("资格审查"), _("截止后开始。"), _("尚不能开始"))
    found = Bid.objects.filter(call=call, state__in=IN).aggregate(whole=Count("pk"), done=Count("pk", filter=Q(state__in=("admitted", "rejected"))))
    words, colour = _done(found["done"], found["whole"])
    return Station(_("资格审查"), _("逐项核对凭证，可补正一次。"), words, reverse("bidding:of_call", args=[call.pk]), colour)


def _reviewing(call: Call) -> Station:
    if not _at(call, "closed", "decided", "archived"):
        return Station(_("评审"), _("抽取专家、评分、出报告。"), _("尚不能开始"))
    panel = Panel.objects.filter(call=call).order_by("-created_at").first()
    if panel is None:
        return Station(_("评审"), _("抽取专家、评分、出报告。"), _("尚未开始"), reverse("review:convene", args=[call.pk]), "light-blue")
    return Station(_("评审"), _("抽取专家、评分、出报告。"), str(panel.get_state_display()), reverse("review:panel", args=[panel.pk]))


def _awarding(call: Call) -> Station:
    if not _at(call, "closed", "decided", "archived"):
        return Station(_("立项"), _("按名次和额度拟定，另一人确认。"), _("尚不能开始"))
    n = Award.objects.filter(call=call).exclude(state="cancelled").count()
    return Station(_("立项"), _("按名次和额度拟定，另一人确认。"), _("%(n)d 个项目") % {"n": n}, reverse("awards:call", args=[call.pk]))


def _noticing(call: Call) -> Station:
    notices = PublicNotice.objects.filter(call=call).count()
    open_ones = Objection.objects.filter(call=call, state__in=("filed", "accepted")).count()
    if not notices:
        return Station(_("公示与异议"), _("公示期满且异议办结后生效。"), _("尚不能开始"))
    status = _("%(n)d 件异议待办") % {"n": open_ones} if open_ones else _("无待办异议")
    return Station(_("公示与异议"), _("公示期满且异议办结后生效。"), status, reverse("awards:objections", args=[call.pk]), "yellow" if open_ones else "")


def _contracting(call: Call) -> Station:
    found = Contract.objects.filter(award__call=call).aggregate(whole=Count("pk"), done=Count("pk", filter=Q(state__in=SIGNED)))
    if not found["whole"]:
        return Station(_("签约"), _("立项生效后生成协议书。"), _("尚不能开始"))
    words, colour = _done(found["done"], found["whole"])
    return Station(_("签约"), _("立项生效后生成协议书。"), words, reverse("awards:call", args=[call.pk]), colour)


def _paying(call: Call) -> Station:
    found = Tranche.objects.filter(award__call=call).exclude(state="cancelled").aggregate(whole=Count("pk"), done=Count("pk", filter=Q(state="paid")))
    if not found["whole"]:
        return Station(_("拨付"), _("条件满足后按期拨款。"), _("尚不能开始"))
    words, colour = _done(found["done"], found["whole"])
    return Station(_("拨付"), _("条件满足后按期拨款。"), words, reverse("funding:overview", args=[call.pk]), colour)


def _evaluating(call: Call) -> Station:
    found = Evaluation.objects.filter(award__call=call).aggregate(whole=Count("pk"), done=Count("pk", filter=Q(state="confirmed")))
    if not found["whole"]:
        return Station(_("评估与结项"), _("中期、末期评估与结项清单。"), _("尚不能开始"))
    words, colour = _done(found["done"], found["whole"])
    return Station(_("评估与结项"), _("中期、末期评估与结项清单。"), words, reverse("funding:overview", args=[call.pk]), colour)


def _archiving(call: Call) -> Station:
    page = reverse("desk:object", args=["call", call.pk])
    if _at(call, "archived"):
        return Station(_("归档"), _("全部项目结项或终止后归档。"), _("已归档"), page)
    ready = _at(call, "decided")
    return Station(_("归档"), _("全部项目结项或终止后归档。"), _("尚未开始") if ready else _("尚不能开始"), page if ready else "")


@dataclass(frozen=True)
class Receipts:
    """Who has confirmed the rules in force: counts before the deadline, names afterwards (None: not yet theirs to know)."""

    confirmed: int
    waiting: int
    names: list[str] | None


def receipts(call: Call, *, names: bool) -> Receipts:
    """Bids begun or submitted, by whether they were confirmed under the rules in force; names only when asked and after closing."""
    rows = Bid.objects.filter(call=call, state__in=(*WRITING, *IN))
    found = rows.aggregate(whole=Count("pk"), confirmed=Count("pk", filter=Q(rules_version=F("call__rules_version"))))
    late = rows.exclude(rules_version=F("call__rules_version")).order_by("organisation__name")
    may_name = names and call.closes_at is not None and clock.now() >= call.closes_at
    listed = list(late.values_list("organisation__name", flat=True)) if may_name else None
    return Receipts(found["confirmed"], found["whole"] - found["confirmed"], listed)


@login_required
@require_GET
def acknowledged(request: HttpRequest, pk: UUID) -> HttpResponse:
    """补充公告的确认情况 with the differences that were to be confirmed."""
    call = _call(request, pk)
    return render(request, "desk/acknowledged.html", {"call": call, "receipts": receipts(call, names=True), "version": call.rules_version})


@login_required
@require_GET
def rehearsal(request: HttpRequest, pk: UUID) -> HttpResponse:
    """预演: the draft (or what is in force) on synthetic bids, or on the bids of an earlier round of the same agency."""
    call = _call(request, pk)
    if not {"draft_calls", "approve_calls"} & permissions_of(request.user, call.agency):
        raise NotYou(_("预演供起草和审批的人使用；您没有这个角色。"), rule="may_draft_calls")
    if call.rules_version is None:
        raise Http404(_("这次征集还没有规则。"))
    version = (call.draft_addendum if call.published_at else None) or call.rules_version
    earlier = Call.objects.filter(agency=call.agency, panels__state="concluded").exclude(pk=call.pk).distinct().order_by("-closes_at")
    asked = request.GET.get("bids", "")
    chosen = earlier.filter(code=asked).select_related("rules_version").first() if asked else None
    size, typed = version.rules.review.panel.size, request.GET.get("experts", "").strip()
    pool, sharing = pool_size(call), _whole(typed)
    wrong = _experts_refused(typed, sharing, size)
    experts = sharing if sharing and not wrong else None
    result = rehearsing.run(version.rules, chosen, experts)
    agreement = measured([chosen] if chosen else earlier)
    context = {
        "call": call, "version": version, "earlier": list(earlier[:20]), "asked": chosen.code if chosen else "", "result": result,
        "agreement": agreement, "experts": experts or pool, "typed": typed, "wrong": wrong, "given": experts is not None,
        "sizes": sizes(agreement.value, result.staying, experts or pool, size), "charts": expectation_charts(agreement, result, experts or pool, size),
    }  # fmt: skip
    return render(request, "desk/rehearsal.html", context, status=400 if wrong else 200)


def _whole(typed: str) -> int | None:
    """A whole number of people, full-width digits too; None for anything else."""
    digits = unicodedata.normalize("NFKC", typed)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 4 else None


def _experts_refused(typed: str, experts: int | None, size: int) -> str:
    """Why what was typed is no number of experts for these rules; empty when it is, or nothing was typed."""
    if not typed:
        return ""
    if experts is None:
        return _("专家人数应为 1 到 9999 的整数。")
    if experts < size:
        return _("每份申报要 %(size)d 位专家评，只写了 %(n)d 位：请增加专家，或减少每份申报的专家人数。") % {"size": size, "n": experts}
    return ""


def _links(request: HttpRequest, call: Call) -> list[tuple[str, str]]:
    held = permissions_of(request.user, call.agency)
    links = [(_("征集的办理页面"), reverse("desk:object", args=["call", call.pk])), (_("公告页面"), reverse("calls:public", args=[call.code]))]
    if {"draft_calls", "approve_calls"} & held and call.rules_version is not None:
        links.append((_("预演规则"), reverse("desk:rehearsal", args=[call.pk])))
    if "draft_calls" in held and call.rules_version is not None:
        links.append((_("克隆为新一轮"), f"{reverse('calls:start')}?from={call.code}"))
    if is_sealed_call(call):
        links.append((_("密封与开标"), reverse("bidding:seal", args=[call.pk])))
    if call.published_at:
        links.append((_("补充公告确认情况"), reverse("desk:acknowledged", args=[call.pk])))
    return links
