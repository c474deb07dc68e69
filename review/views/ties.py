"""关系网: the ties between persons and organisations — list, search, add, end, withdraw, and many at once from a file."""

from __future__ import annotations

import csv
import json
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from grants import clock
from grants.people.models import Organisation
from grants.vault import CannotOpen
from grants.vault.columns import decrypt, encrypt
from grants.web.cells import Column
from grants.web.tables import Filters, Table
from grants.workflow.refusals import Refusal
from review import services, tie_kinds, tie_sheet
from review.conflicts import RelationKind
from review.forms_ties import EndForm, TieFileForm, TieForm, WithdrawForm
from review.models import Tie
from review.models.ties import STANDING
from review.nodes import name_mark
from review.views import me
from review.views.pool import keeper

ABOUT, MINUTES = "tie.import", 60
COLUMNS = (
    Column(gettext_lazy("编号"), "pk", "code", sort="pk", url=lambda tie: reverse("review:tie", args=[tie.pk])),
    Column(gettext_lazy("甲方"), "left"),
    Column(gettext_lazy("关系"), lambda tie: _(tie.kind_name), name="kind", sort="kind"),
    Column(gettext_lazy("乙方"), "right"),
    Column(gettext_lazy("起"), "since", "date", sort="since"),
    Column(gettext_lazy("止"), "until", "date", sort="until"),
    Column(gettext_lazy("来源"), "get_source_display", name="source", sort="source"),
    Column(gettext_lazy("状态"), "standing_words", name="standing"),
    Column(gettext_lazy("登记时间"), "recorded_at", "datetime", sort="recorded_at"),
)


class TieFilters(Filters):
    """A name, a kind, where it comes from, whether it stands."""

    about = forms.CharField(
        label=gettext_lazy("单位、专家代码或姓名"), max_length=100, help_text=gettext_lazy("单位名称可以只填一部分；个人须填全名")
    )
    kind = forms.ChoiceField(label=gettext_lazy("关系"))
    source = forms.ChoiceField(label=gettext_lazy("来源"), choices=[("", gettext_lazy("全部")), *Tie.Source.choices])
    standing = forms.ChoiceField(label=gettext_lazy("状态"), choices=[("", gettext_lazy("全部")), *STANDING.items()])

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["kind"].choices = [("", _("全部")), *((k.value, _(k.zh)) for k in tie_kinds.KINDS)]  # type: ignore[attr-defined]

    def narrow(self, rows: QuerySet[Tie], chosen: dict[str, Any]) -> QuerySet[Tie]:
        if word := chosen["about"].strip():
            rows = rows.filter(_named("left", word) | _named("right", word))
        for name in ("kind", "source"):
            rows = rows.filter(**{name: chosen[name]}) if chosen[name] else rows
        return _standing(rows, chosen["standing"])


def _named(side: str, word: str) -> Q:
    """A person is found by the whole name only: the rows hold a keyed hash of it and nothing to search in."""
    asked = {
        "expert__code__iexact": word,
        "organisation__name__icontains": word,
        "title__icontains": word,
        "name_mark": name_mark(word),
    }
    asked["expert__user__name"] = word
    return Q(*(Q(**{f"{side}__{how}": value}) for how, value in asked.items()), _connector=Q.OR)


def _standing(rows: QuerySet[Tie], wanted: str) -> QuerySet[Tie]:
    today = clock.today()
    if wanted == "withdrawn":
        return rows.exclude(withdrawn_at=None)
    rows = rows.filter(withdrawn_at=None) if wanted else rows
    if wanted == "ended":
        return rows.filter(until__lt=today)
    if wanted == "ahead":
        return rows.filter(since__gt=today)
    live = (Q(since=None) | Q(since__lte=today)) & (Q(until=None) | Q(until__gte=today))
    return rows.filter(live) if wanted == "standing" else rows


def rows() -> QuerySet[Tie]:
    """Every tie, with what a list shows."""
    return Tie.objects.select_related(
        "left__expert__user", "left__organisation", "right__expert__user", "right__organisation", "recorded_by"
    )


@login_required
@require_GET
def ties(request: HttpRequest) -> HttpResponseBase:
    """The list; of one organisation where its page sent us."""
    keeper(request)
    found, about = rows(), None
    if (asked := request.GET.get("organisation", "")) and (
        about := Organisation.objects.filter(pk=_uuid(asked)).first()
    ) is not None:
        found = found.filter(Q(left__organisation=about) | Q(right__organisation=about))
    nothing = _(
        "还没有登记关系。可以逐条登记，也可以下载模板、填好后一次导入；登记以后，抽取、打开材料、锁定和出具报告时都会据此核对回避。"
    )
    table = Table(request, found, COLUMNS, name=_("关系网"), filters=TieFilters, order=["-pk"], empty=nothing)
    return table.respond("review/ties.html", {"about": about})


def _uuid(text: str) -> Any:
    try:
        return forms.UUIDField().clean(text)
    except forms.ValidationError:
        return None


@login_required
@require_http_methods(["GET", "POST"])
def new_tie(request: HttpRequest) -> HttpResponse:
    """One tie; what the page refuses is what a file is refused for."""
    agency = keeper(request)
    form = TieForm(request.POST or None, initial={k: v for k, v in request.GET.items() if k in TieForm.base_fields})
    refusal: Refusal | None = None
    if request.method == "POST" and form.is_valid():
        try:
            made = services.record_tie(agency=agency, by=me(request), **form.tie())
        except Refusal as refused:
            refusal = refused
        else:
            messages.success(request, _("已登记关系 %(n)d。今后的抽取、分配、打开材料和出具报告都会据此核对。") % {"n": made.pk})
            return redirect("review:tie", pk=made.pk)
    return render(request, "review/tie_form.html", {"form": form, "refusal": refusal}, status=_status(request, refusal))


@login_required
@require_http_methods(["GET", "POST"])
def tie(request: HttpRequest, pk: int) -> HttpResponse:
    """One tie, with its end and its withdrawal."""
    agency = keeper(request)
    found = get_object_or_404(rows(), pk=pk)
    do = request.POST.get("do", "")
    end = EndForm(request.POST if do == "end" else None, initial={"until": found.until})
    withdraw = WithdrawForm(request.POST if do == "withdraw" else None)
    refusal: Refusal | None = None
    if (do == "end" and end.is_valid()) or (do == "withdraw" and withdraw.is_valid()):
        try:
            if do == "end":
                services.end_tie(found, end.cleaned_data["until"], agency=agency, by=me(request))
            else:
                services.withdraw_tie(found, withdraw.cleaned_data["reason"], agency=agency, by=me(request))
        except Refusal as refused:
            refusal = refused
        else:
            messages.success(request, _("已办理。已经查到的情形仍须由两人排除。"))
            return redirect("review:tie", pk=pk)
    context = {"tie": found, "kind": RelationKind(found.kind).zh, "end": end, "withdraw": withdraw, "refusal": refusal}
    return render(request, "review/tie.html", context, status=_status(request, refusal))


@login_required
@require_GET
def template(request: HttpRequest) -> HttpResponse:
    """The file to fill in, with rows that show how; the reader refuses them until they are deleted."""
    keeper(request)
    answer = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    csv.writer(answer, lineterminator="\r\n").writerows(tie_sheet.template())
    answer["Content-Disposition"] = 'attachment; filename="ties.csv"'
    return answer


@login_required
@require_http_methods(["GET", "POST"])
def import_ties(request: HttpRequest) -> HttpResponse:
    """First what a file would do and what is wrong with it; then, confirmed, all of it or nothing."""
    agency = keeper(request)
    if token := request.POST.get("confirmed"):
        return _apply(request, agency, token)
    form = TieFileForm(request.POST or None, request.FILES or None)
    context: dict[str, Any] = {"form": form}
    if request.method == "POST" and form.is_valid():
        content = form.cleaned_data["file"].read()
        found = services.read_ties(content, agency=agency, by=me(request))
        context |= {"found": found, "token": "" if found.problems or not found.new else _token(request, content)}
    wrong = request.method == "POST" and (not form.is_valid() or context["found"].problems)
    return render(request, "review/tie_import.html", context, status=422 if wrong else 200)


def _token(request: HttpRequest, content: bytes) -> str:
    """The file itself, encrypted: nothing of it is kept here until it is confirmed, and nobody reads it on the way."""
    told = {"by": str(me(request).pk), "at": clock.now().timestamp(), "text": tie_sheet.decode(content)}
    return encrypt(json.dumps(told), ABOUT)


def _apply(request: HttpRequest, agency: Any, token: str) -> HttpResponse:
    try:
        told = json.loads(decrypt(token, ABOUT)) if token.startswith("GY1:") else {}
    except (CannotOpen, ValueError):
        told = {}
    if told.get("by") != str(me(request).pk) or clock.now().timestamp() - told["at"] > MINUTES * 60:
        messages.warning(request, _("预览已经过期，请重新选择文件。"))
        return redirect("review:import_ties")
    try:
        new, known = services.import_ties(told["text"].encode(), agency=agency, by=me(request))
    except Refusal as refused:
        context = {"form": TieFileForm(), "refusal": refused}
        return render(request, "review/tie_import.html", context, status=refused.status)
    messages.success(request, _("已导入 %(new)d 条，原已登记 %(known)d 条。") % {"new": new, "known": known})
    return redirect("review:ties")


def _status(request: HttpRequest, refusal: Refusal | None) -> int:
    return refusal.status if refusal else 422 if request.method == "POST" else 200
