"""What calls hand to the desk: a call's page, and what waits for officers and approvers."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from grants.calls.machine import CallStates
from grants.calls.models import Call, Question
from grants.calls.questions import ANSWERING, QuestionStates
from grants.people.appointments import may_appoint
from grants.people.models import Agency
from grants.people.permissions import permissions_of, scopes_with
from grants.workflow.machine import Machine
from grants.workflow.pages import Link, Page, Waiting

EVENTS = {
    "call.operator": _("指定承办方"),
    "call.addendum_drafted": _("起草补充公告"),
    "call.downtime": _("登记系统故障"),
    "call.appoint": _("任命人员"),
    "call.dismiss": _("结束任职"),
}
"""Names, for timelines, of the ledger events that are not steps."""

S = CallStates
EDITABLE = (S.DRAFT, S.PUBLISHED, S.OPEN)


def _context(call: Any, actor: Any) -> dict[str, Any]:
    """The rules, what the linter says while it still matters, and a drafted addendum with its changes."""
    staff = bool(permissions_of(actor, call.agency)) or bool(permissions_of(actor, call))
    checking = call.state in (S.DRAFT, S.PENDING) and call.rules_version is not None
    return {
        "call": call,
        "rules": call.rules if call.rules_version else None,
        "advice": call.rules_version.advice() if checking and staff else [],
        "addendum": call.draft_addendum if staff and call.state in (S.PUBLISHED, S.OPEN) else None,
        "staff": staff,
        **(_burden(call) if staff and call.rules_version is not None else {}),
    }


def _burden(call: Any) -> dict[str, Any]:
    """What the form asks of applicants, and how much of it the agency's earlier calls have asked already."""
    from grants.calls.rulebook.effort import effort, known_share  # noqa: PLC0415 - pydantic is slow to import

    earlier = Call.objects.filter(agency=call.agency, published_at__isnull=False).exclude(pk=call.pk).select_related("rules_version")
    rows = [row.rules for row in earlier.order_by("-published_at")[:5] if row.rules_version is not None]
    known = {(f.code, str(f.kind)) for rules in rows for s in rules.forms.application for f in s.fields}
    return {"burden": effort(call.rules), "known_share": known_share(call.rules, known), "has_earlier": bool(rows)}


def _links(call: Any, actor: Any) -> list[Link]:
    links = []
    if "draft_calls" in permissions_of(actor, call.agency) and call.state in EDITABLE:
        label = _("编辑规则") if call.state == S.DRAFT else _("起草补充公告")
        links.append(Link(label, reverse("calls:editor", args=[call.pk]), primary=call.state == S.DRAFT))
        links.append(Link(_("以文本（TOML）编辑规则"), reverse("calls:edit", args=[call.pk])))
    links += [
        Link(_("公告页面"), reverse("calls:public", args=[call.code])),
        Link(_("答疑"), reverse("calls:questions", args=[call.code])),
        Link(_("规则版本与差异"), reverse("calls:versions", args=[call.code])),
    ]
    if call.published_at is not None and "read_calls" in permissions_of(actor, call.agency):
        links.append(Link(_("系统故障与顺延"), reverse("calls:downtime", args=[call.pk])))
    if may_appoint(call, actor):
        links.append(Link(_("承办与监督人员"), reverse("people:staff", args=["call", call.pk])))
    return links


def _question_context(question: Any, actor: Any) -> dict[str, Any]:
    """The question; who asked only to its own organisation, and to the agency after the deadline."""
    own = bool(permissions_of(actor, question.organisation))
    return {"question": question, "asker": question.organisation if own or question.asker_is_known else None}


def _question_links(question: Any, actor: Any) -> list[Link]:
    return [Link(_("全部答疑"), reverse("calls:questions", args=[question.call.code]))]


PAGES: dict[type[Machine], Page] = {
    Call: Page("calls/_facts.html", context=_context, links=_links),
    Question: Page("calls/_question.html", context=_question_context, links=_question_links),
}


def waiting(actor: Any) -> list[Waiting]:
    """Drafts to finish, calls to approve, addenda to issue, questions to answer and answers to release. Five queries."""
    return [*_drafts(actor), *_to_approve(actor), *_addenda(actor), *_questions(actor), *_answers(actor)]


def _questions(actor: Any) -> list[Waiting]:
    rows = Question.objects.filter(scopes_with(actor, "draft_calls", Agency, "call__agency"), call__state__in=ANSWERING)
    waiting = rows.filter(state=QuestionStates.ASKED).select_related("call").order_by("created_at")[:50]
    return [_of_question(_("答复提问"), each) for each in waiting]


def _answers(actor: Any) -> list[Waiting]:
    rows = Question.objects.filter(scopes_with(actor, "approve_calls", Agency, "call__agency"), call__state__in=ANSWERING)
    waiting = rows.filter(state=QuestionStates.ANSWERED).exclude(answered_by=actor).select_related("call").order_by("created_at")[:50]
    return [_of_question(_("核对并公开答复"), each) for each in waiting]


def _of_question(label: Any, question: Question) -> Waiting:
    return Waiting(label, f"{question.call.code} {question}", reverse("desk:object", args=["question", question.pk]), question.call.closes_at)


def _drafts(actor: Any) -> list[Waiting]:
    rows = Call.objects.filter(scopes_with(actor, "draft_calls", Agency, "agency"), state=S.DRAFT)
    return [_of(_("完成起草并提交审批"), call) for call in rows.order_by("opens_at")[:50]]


def _to_approve(actor: Any) -> list[Waiting]:
    rows = Call.objects.filter(scopes_with(actor, "approve_calls", Agency, "agency"), state=S.PENDING)
    others = rows.exclude(drafted_by=actor).exclude(contributors=actor)
    return [_of(_("审批征集公告"), call, call.opens_at) for call in others.order_by("opens_at")[:50]]


def _addenda(actor: Any) -> list[Waiting]:
    approves = scopes_with(actor, "approve_calls", Agency, "agency")
    rows = Call.objects.filter(approves, state__in=(S.PUBLISHED, S.OPEN), versions__frozen_at=None).distinct()
    others = rows.exclude(contributors=actor).exclude(drafted_by=actor)
    return [_of(_("审批补充公告"), call, call.closes_at) for call in others.order_by("closes_at")[:50]]


def _of(label: Any, call: Call, due_at: Any = None) -> Waiting:
    return Waiting(label, f"{call.code} {call.title}", reverse("desk:object", args=["call", call.pk]), due_at)
