"""What follows a call's and a question's steps: letters. Whoever was told of a call is told of every change to it, all alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.urls import reverse

from grants.calls.models import Call, Question
from grants.calls.questions import QuestionStates
from grants.notifications.services import send_all
from grants.people.appointments import active, holders
from grants.people.models import Organisation, User
from grants.people.roles import CALL, ORGANISATION
from grants.workflow.effects import Job, effect


@effect("calls.announce")
def announce(job: Job) -> None:
    """通知可申报的单位:征集公告发布"""
    _tell(job, "call_announced", to=invited)


@effect("calls.announce_extension")
def announce_extension(job: Job) -> None:
    """通知可申报的单位:截止时间延后"""
    _tell(job, "call_extended", to=concerned)


@effect("calls.announce_addendum")
def announce_addendum(job: Job) -> None:
    """通知可申报的单位:发布补充公告"""
    _tell(job, "call_amended", to=concerned)


@effect("calls.announce_cancellation")
def announce_cancellation(job: Job) -> None:
    """通知可申报的单位:征集终止"""
    _tell(job, "call_cancelled", to=told)


@effect("calls.announce_closing")
def announce_closing(job: Job) -> None:
    """通知主办方和承办方:受理截止,可以审查"""
    _tell(job, "call_closed", to=screeners)


@effect("calls.question_asked")
def question_asked(job: Job) -> None:
    """通知主办方经办:有新的提问"""
    question = _question(job)
    _letter(question, "question_asked", to=holders("draft_calls", question.call.agency), key=job.key)


@effect("calls.answer_published")
def answer_published(job: Job) -> None:
    """通知订阅者:答复公开;同时公开的只发一封"""
    question = _question(job)
    call, at = question.call, question.published_at
    if at is None:  # the step sets it; without it the promise stays open and visible instead of counting as kept
        raise LookupError("a published answer has no moment of publication")
    together = list(call.questions.filter(state=QuestionStates.PUBLISHED, published_at=at).order_by("created_at"))
    link = reverse("calls:questions", args=[call.code])
    key = f"answers/{call.pk}/{at.isoformat()}"
    send_all(to=following(call), template="answers_published", context={"call": call, "questions": together}, key=key, link=link)


@effect("calls.question_settled")
def question_settled(job: Job) -> None:
    """通知提问人:不予答复或已合并"""
    question = _question(job)
    _letter(question, "question_settled", to=[question.asked_by], key=job.key)


def _question(job: Job) -> Question:
    rows = Question.objects.select_related("call__agency", "call__rules_version", "asked_by", "into")
    return rows.get(pk=job.object_id)


def _letter(question: Question, template: str, *, to: Iterable[User], key: str) -> None:
    link = reverse("calls:questions", args=[question.call.code])
    send_all(to=to, template=template, context={"call": question.call, "question": question}, key=key, link=link)


def invited(call: Call) -> Iterable[User]:
    """Signatories of verified organisations of the kinds that the call admits."""
    kinds = {str(kind) for kind in call.rules.eligibility.kinds} | {k for t in call.rules.tracks for k in map(str, t.kinds)}
    return _signatories(Q(state="verified", kind_of_body__in=kinds))


def following(call: Call) -> Iterable[User]:
    """Whoever asked for letters about this call."""
    return User.objects.filter(is_active=True, pk__in=call.followers.values("user_id")).order_by("pk")


def concerned(call: Call) -> Iterable[User]:
    """Invited or following: who hears of a change; a person who is both gets one letter."""
    return [*invited(call), *following(call)]


def told(call: Call) -> Iterable[User]:
    """Who hears of a cancellation: everybody invited, or only the agency's people when the call was never published."""
    return invited(call) if call.published_at is not None else screeners(call)


def screeners(call: Call) -> Iterable[User]:
    """The agency's officers and the operator's people on this call."""
    mandated = active(role="operator", scope_kind=CALL, scope_id=call.pk).values("user_id")
    people = {user.pk: user for user in holders("draft_calls", call.agency)}
    return [*people.values(), *User.objects.filter(is_active=True, pk__in=mandated).exclude(pk__in=people)]


def _signatories(which: Q) -> Iterable[User]:
    bodies = Organisation.objects.filter(which).values("pk")
    held = active(role="signatory", scope_kind=ORGANISATION, scope_id__in=bodies)
    return User.objects.filter(is_active=True, pk__in=held.values("user_id")).order_by("pk")


def _tell(job: Job, template: str, *, to: Any) -> None:
    call = Call.objects.select_related("agency", "rules_version").get(pk=job.object_id)
    link = reverse("calls:public", args=[call.code])
    send_all(to=to(call), template=template, context={"call": call}, key=job.key, link=link)
