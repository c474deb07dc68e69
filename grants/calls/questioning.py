"""Asking about a call, releasing answers together, following what is published about it."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from grants import clock
from grants.calls.models import Call, Follower, Question
from grants.calls.questions import LONGEST, QuestionStates
from grants.people.models import Organisation, User
from grants.workflow.door import begin, perform
from grants.workflow.refusals import Invalid

S = QuestionStates


def ask(call: Call, organisation: Organisation, text: str, *, by: User) -> Question:
    """A question of `organisation` about `call`; whoever asks follows the call from then on.

    Raises NotYou (no role in the organisation), NotNow (questions are over, personal data in it), Invalid (empty, too long).
    """
    text = text.strip()
    if not text or len(text) > LONGEST:
        sentence = _("请填写问题。") if not text else _("问题最多 %(n)d 字，请写短一些，或分成几个问题。") % {"n": LONGEST}
        raise Invalid(sentence, rule="text", problems={"text": [sentence]})
    with transaction.atomic():
        question = begin(Question(call=call, organisation=organisation, asked_by=by, text=text), by=by)
        follow(call, by)
    return question


def release(call: Call, questions: Iterable[Question], *, by: User) -> int:
    """公开: several answers at one moment, all or none; followers get one letter. Returns how many. Raises NotYou, NotNow."""
    now = clock.now()
    with transaction.atomic():
        return len([perform(question, "publish", by=by, at=now) for question in questions])


def published(call: Call) -> QuerySet[Question]:
    """What everybody may read, in the order of its publication. Never select `organisation` or `asked_by` for a public page."""
    return call.questions.filter(state=S.PUBLISHED).order_by("published_at", "created_at")


def follow(call: Call, user: User) -> None:
    """Letters about answers go to `user` from now on; saying it twice changes nothing."""
    Follower.objects.get_or_create(call=call, user=user)


def unfollow(call: Call, user: User) -> None:
    """No more letters about answers."""
    Follower.objects.filter(call=call, user=user).delete()
