"""What an agency does with a call: draft, revise, have approved, publish, amend, extend; and what the clock does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from grants import clock, ledger
from grants.calls.downtime import proposal
from grants.calls.facts import add_facts, eligibility_facts
from grants.calls.machine import CallStates
from grants.calls.models import Call, RulesVersion
from grants.people.models import Agency, Organisation, User
from grants.people.rules import may
from grants.workflow.door import SYSTEM, begin, perform, require
from grants.workflow.refusals import Invalid, NotNow, Refusal

if TYPE_CHECKING:
    from grants.calls.rulebook.model import CallRules
    from grants.workflow.rules import Answer

__all__ = [
    "add_facts",
    "amend",
    "draft_addendum",
    "draft_call",
    "eligibility_facts",
    "export_toml",
    "extend",
    "import_toml",
    "name_operator",
    "propose",
    "publish",
    "revise",
    "tick",
]

S = CallStates
drafter = may("draft_calls")


def draft_call(agency: Agency, rules: CallRules, *, by: User, operator: Organisation | None = None) -> Call:
    """A new draft with its first rules; `by` is its drafter and may never approve it. Two ledger entries: open, revise.

    Raises NotYou, Invalid (the code is taken, the operator cannot be one).
    """
    call = Call(agency=agency, operator=operator, code=rules.code, title=rules.title.zh, drafted_by=by)
    _refuse_operator(operator)
    with _code_is_free(rules.code), transaction.atomic():
        begin(call, by=by)
        return perform(call, "revise", by=by, rules=rules)


def import_toml(agency: Agency, text: str, *, by: User, operator: Organisation | None = None) -> Call:
    """`draft_call` from the text of a call.toml. Raises RulesInvalid (every fault), and what `draft_call` raises."""
    from grants.calls.rulebook import toml  # noqa: PLC0415 - pydantic is slow to import, most processes never parse rules

    return draft_call(agency, toml.loads(text), by=by, operator=operator)


def export_toml(call: Call) -> str:
    """The current rules as a call.toml that `import_toml` reads back to an equal value."""
    from grants.calls.rulebook import toml  # noqa: PLC0415 - as above

    return toml.dumps(call.rules)


def revise(call: Call, rules: CallRules, *, by: User) -> Call:
    """Put other rules into a draft. Raises NotYou, NotNow (no draft any more), Invalid (the new code is taken)."""
    with _code_is_free(rules.code):
        return perform(call, "revise", by=by, rules=rules)


def name_operator(call: Call, operator: Organisation | None, *, by: User) -> Call:
    """Set who runs a draft call (承办方). Raises NotYou, NotNow, Invalid."""
    with transaction.atomic():
        locked, role = _locked(call, S.DRAFT), _asked(call, by)
        _refuse_operator(operator)
        locked.operator = operator
        locked.save(update_fields=["operator"])
        _enter(locked, "call.operator", by, role, {"operator": None if operator is None else str(operator.pk)})
    return locked


def propose(call: Call, *, by: User, note: str = "") -> Call:
    """提交审批. Raises NotYou, NotNow (the linter found errors)."""
    return perform(call, "propose", by=by, note=note)


def publish(call: Call, *, by: User, note: str = "") -> Call:
    """批准发布, by another person than whoever drafted; freezes the rules. Raises NotYou, NotNow."""
    return perform(call, "publish", by=by, note=note)


def extend(call: Call, closes_at: datetime, *, by: User, note: str = "") -> Call:
    """延长截止: to a later moment, while the old one has not passed. Raises NotYou, NotNow."""
    return perform(call, "extend", by=by, note=note, closes_at=closes_at)


def draft_addendum(call: Call, rules: CallRules, *, by: User) -> RulesVersion:
    """Write the next version of published rules as a draft, with its machine diff; a further call rewrites the same draft.

    Everybody who wrote on it is remembered as a contributor and so may not issue it. Raises NotYou, NotNow, Invalid.
    """
    with transaction.atomic():
        locked, role = _locked(call, S.PUBLISHED, S.OPEN), _asked(call, by)
        current = locked.rules_version
        assert current is not None  # a published call has rules: has_sound_rules
        _refuse_addendum(locked, rules)
        version = locked.draft_addendum or RulesVersion(call=locked, number=current.number + 1)
        version.write(rules, by=by, against=locked.rules)
        locked.contributors.add(by)
        _enter(locked, "call.addendum_drafted", by, role, {"rules_hash": version.hash, "rules_number": version.number})
    return version


def amend(call: Call, version: RulesVersion, *, by: User, note: str = "") -> Call:
    """发布补充公告: put a drafted version (see `draft_addendum`) into force. Raises NotYou (its author), NotNow."""
    return perform(call, "amend", by=by, note=note, version=version)


def tick() -> int:
    """Open and close every call whose time has come, as SYSTEM; returns how many steps were taken. Safe to repeat.

    At a deadline, downtime that the site measured itself is given back first. Closing waits SUBMISSION_DRAIN seconds for what was in time.
    """
    now = clock.now()
    opening = Call.objects.filter(state=S.PUBLISHED, opens_at__lte=now)
    taken = sum(_moved(call, "open") for call in opening.order_by("pk"))
    past = now - timedelta(seconds=settings.SUBMISSION_DRAIN)
    closing = Call.objects.select_related("rules_version").filter(state=S.OPEN, closes_at__lte=past)
    return taken + sum(_given_back(call) or _moved(call, "close") for call in closing.order_by("pk"))


def _given_back(call: Call) -> int:
    found = proposal(call, measured=True)
    note = "" if found is None else _("系统故障 %(n)d 分钟，按公布的规则顺延。") % {"n": found.minutes}
    return 0 if found is None else _moved(call, "give_back", note=note, closes_at=found.closes_at)


def _moved(call: Call, verb: str, **more: Any) -> int:
    """1 if this process took the step; 0 when another was faster or the deadline was just moved."""
    try:
        perform(call, verb, by=SYSTEM, **more)
    except Refusal:
        return 0
    return 1


def _locked(call: Call, *states: str) -> Call:
    rows = Call.objects.select_for_update(of=("self",)).select_related("agency", "rules_version")
    locked = rows.get(pk=call.pk)
    if locked.state not in states:
        labels = "、".join(str(S(state).label) for state in states)
        sentence = _("现在是「%(now)s」；只有「%(from)s」时可以这样做。") % {"now": S(locked.state).label, "from": labels}
        raise NotNow(sentence, rule="state")
    return locked


def _asked(call: Call, by: User) -> Answer:
    return require(drafter, call, by=by)


def _enter(call: Call, event: str, by: Any, answer: Answer, public: dict[str, Any]) -> None:
    subject = call.subject
    ledger.record(event=event, actor=str(by.pseudonym), role=answer.role, subject=subject, scope=subject, public=public)


def _refuse_operator(operator: Organisation | None) -> None:
    if operator is not None and (operator.state != "verified" or not operator.is_legal_person):
        sentence = _("「%(name)s」不是已核验的法人单位，不能作为承办方。") % {"name": operator}
        raise Invalid(sentence, rule="operator", problems={"operator": [sentence]})


def _refuse_addendum(call: Call, rules: CallRules) -> None:
    if rules.code != call.code:
        sentence = _("补充公告不能更换征集编号 %(code)s；另一次征集请新建。") % {"code": call.code}
        raise Invalid(sentence, rule="same_call", problems={"code": [sentence]})
    if call.rules_version is not None and rules.rules_hash == call.rules_version.hash:
        raise Invalid(_("与现行规则没有差异，不需要补充公告。"), rule="something_changed")


@contextmanager
def _code_is_free(code: str) -> Iterator[None]:
    try:
        yield
    except IntegrityError as taken:
        if "unique" not in str(taken).lower():
            raise
        sentence = _("编号 %(code)s 已被另一次征集使用，请在规则中改用新的编号。") % {"code": code}
        raise Invalid(sentence, rule="code_is_free", problems={"code": [sentence]}) from taken
