"""The one door. `perform()` moves an object that exists; `begin()` lets a new one in. Nothing else writes a state.

In one transaction: the row is locked and *that* instance is used; the state, the person (`by`) and the facts (`when`) are asked;
the step runs; the row is saved; one ledger entry is written; the effects to be done are put into the outbox. After commit
the outbox is woken. Whoever loses a race is told why before anything ran (habits: measured on PostgreSQL, one winner in 60/60).
"""

from __future__ import annotations

import logging
from typing import Any, TypeVar

from django.db import transaction
from django.utils.translation import gettext as _

from grants import clock, ledger
from grants.workflow import effects
from grants.workflow.machine import Facts, Machine, Step
from grants.workflow.refusals import Invalid, NotNow, NotYou, Refusal
from grants.workflow.rules import SYSTEM, Answer, Ask, Rule

log = logging.getLogger("grants.refused")
T = TypeVar("T", bound=Machine)

__all__ = ["SYSTEM", "begin", "explain", "perform", "require"]


def perform(obj: T, verb: str, *, by: Any, note: str = "", **details: Any) -> T:
    """Take the step `verb` on `obj` as `by`; return the fresh, locked instance (the one passed in is stale afterwards).

    note: the reason, kept privately beside the ledger entry. details: keyword arguments of the step's body.
    Raises NotYou (403), NotNow (409), Invalid (422); in each case nothing was written.
    """
    with transaction.atomic():
        locked = _lock(obj)
        declared = _declared(locked, verb)
        ask = Ask(by, locked, clock.now(), details)
        role = _role_or_note(declared, ask)
        _ask_state(locked, declared)
        _ask_facts(declared.when, ask, verb)
        source = locked.state
        facts = _run(locked, declared, by, details)
        locked.save(force_update=True)
        _remember(locked, declared.verb, by, role, source, note, facts, declared.then)
    return locked


def begin(obj: T, *, by: Any, note: str = "", facts: Facts | None = None) -> T:
    """Let a new object in, in its initial state: asks the machine's `opening`, saves, writes the ledger entry "open"."""
    opening = obj.opening
    with transaction.atomic():
        ask = Ask(by, obj, clock.now())
        answer = _person(opening.by, ask, "open")
        _ask_facts(opening.when, ask, "open")
        obj.created_at = ask.now
        obj.save(force_insert=True)
        _remember(obj, "open", by, answer.role, "", note, facts, opening.then)
    return obj


def explain(obj: Machine, verb: str, by: Any, **details: Any) -> Refusal | None:
    """Why `by` could not take `verb` now, or None. Asks the same rules as `perform`, without locking or writing.

    Without details, rules about what the person has yet to type are left out: a form that nobody has filled in is no refusal.
    """
    declared = _declared(obj, verb)
    ask = Ask(by, obj, clock.now(), details)
    try:
        _ask_who(declared, ask)
        _ask_state(obj, declared)
        _ask_facts(declared.when if details else tuple(r for r in declared.when if not r.typed), ask, verb)
    except Refusal as refusal:
        return refusal
    return None


def require(rule: Rule, obj: Any, *, by: Any, **details: Any) -> Answer:
    """Ask one rule for an act that is not a step (editing a draft, reading a page). Raises NotYou with the rule's sentence."""
    return _person(rule, Ask(by, obj, clock.now(), details), rule.name)


def _lock(obj: T) -> T:
    model = type(obj)
    rows = model._base_manager.select_for_update(of=("self",)).select_related(*model.door_select)
    try:
        return rows.get(pk=obj.pk)
    except model.DoesNotExist as gone:
        raise NotNow(_("该记录已不存在，请返回列表刷新后再试。"), rule="exists") from gone


def _declared(obj: Machine, verb: str) -> Step:
    try:
        return type(obj).steps()[verb]
    except KeyError:
        raise LookupError(f"{type(obj).__name__} has no step {verb!r}") from None


def _role_or_note(declared: Step, ask: Ask) -> str:
    """The role in which the step is taken. A refused attempt is a line of the program's log: who, what, which rule (ASVS 16.3.2)."""
    try:
        return _ask_who(declared, ask).role
    except NotYou as refused:
        who = getattr(ask.actor, "pseudonym", ask.actor)
        log.warning("%s refused to %s: %s on %s", declared.verb, who, refused.rule, ask.obj.subject)
        raise


def _ask_who(declared: Step, ask: Ask) -> Answer:
    return _person(declared.by, ask, declared.verb)


def _person(by: Rule, ask: Ask, verb: str) -> Answer:
    if not getattr(ask.actor, "is_active", False):
        raise NotYou(_("请先登录有效账号，再进行这一步。"), rule="is_active", verb=verb)
    answer = by.answer(ask)
    if not answer.ok:
        raise NotYou(answer.sentence, rule=answer.rule, verb=verb)
    return answer


def _ask_state(obj: Machine, declared: Step) -> None:
    if obj.state in declared.source:
        return
    labels = "、".join(str(obj.States(s).label) for s in declared.source)
    raise NotNow(
        _("现在是「%(now)s」，不能「%(step)s」；只有「%(from)s」时可以。可能别人刚刚处理过，请刷新页面查看经过。")
        % {"now": obj.state_words(obj.state), "step": declared.label, "from": labels},
        rule="state",
        verb=declared.verb,
    )


def _ask_facts(rules: tuple[Rule, ...], ask: Ask, verb: str) -> None:
    for rule in rules:
        answer = rule.answer(ask)
        if not answer.ok:
            raise NotNow(answer.sentence, rule=answer.rule or rule.name, verb=verb)


def _run(obj: Machine, declared: Step, by: Any, details: dict[str, Any]) -> Facts:
    obj.__dict__.update(_door=declared.verb, _actor=by)
    try:
        outcome = getattr(obj, declared.verb)(**details)
    except TypeError as wrong:
        if "unexpected keyword" in str(wrong) or "required keyword" in str(wrong):
            raise Invalid(_("这一步缺少必填内容，或提交了多余的内容。"), rule="details", verb=declared.verb) from wrong
        raise
    finally:
        obj.__dict__.pop("_door", None)
        obj.__dict__.pop("_actor", None)
    return outcome or Facts()


def _remember(
    obj: Machine, verb: str, by: Any, role: str, source: str, note: str, facts: Facts | None, then: tuple[str, ...]
) -> None:
    facts = facts or Facts()
    private = {**facts.private, **({"note": note} if note else {})}
    event = ledger.record(
        event=f"{obj.kind()}.{verb}",
        actor=str(by.pseudonym),
        role=role,
        subject=obj.subject,
        scope=_scope(obj),
        verb=verb,
        source=source,
        target=obj.state,
        files=facts.files or None,
        public=facts.public or None,
        private=private or None,
    )
    effects.schedule(then + effects.reactions(obj.kind(), verb), obj, event.pk)


def _scope(obj: Machine) -> str:
    """The call or agency or organisation the entry belongs to, so that an auditor's view of one call is one filter."""
    call = getattr(obj, "call", None)
    if call is not None:
        return f"call:{call.pk}"
    return ""
