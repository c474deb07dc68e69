"""关系网: record, end and withdraw ties between persons and organisations. Each is one ledger entry that names nobody."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from grants import clock, ledger
from grants.people import identity
from grants.people.models import Agency, Organisation, User
from grants.web.speaking import spoken
from grants.workflow.door import require
from grants.workflow.refusals import Invalid, NotNow
from grants.workflow.rules import Answer
from review import tie_kinds
from review.conflicts import RelationKind
from review.models import Expert, Node, Tie
from review.nodes import Body, Party, Person, node_of
from review.rules import convener


def record_tie(
    left: Party,
    right: Party,
    kind: str,
    *,
    agency: Agency,
    by: User,
    since: date | None = None,
    until: date | None = None,
    evidence: str = "",
    source: str = Tie.Source.COMPUTED,
) -> Tie:
    """Record a tie; the same one again gives the row there is (`until` and evidence stay as they are). by: an officer of `agency`.

    since, until: days in Shanghai, both included; None: open. What is assigned already is not touched here: the rules ask again at every
    step. Raises NotYou; Invalid naming the field: kind, left, right, since, until, evidence, source.
    """
    with transaction.atomic():
        answer = require(convener, agency, by=by)
        refuse_tie(left, right, kind, since, until, evidence, source)
        ends = node_of(left), node_of(right)
        if ends[0] == ends[1]:
            raise _invalid("right", _("一项关系的双方不能是同一个人或同一个单位。"))
        made, new = Tie.objects.get_or_create(
            once=once_of(kind, ends, since), withdrawn_at=None,
            defaults={
                "left": ends[0], "right": ends[1], "kind": kind, "since": since, "until": until, "source": source, "evidence": evidence.strip(),
                "agency": agency, "recorded_at": clock.now(), "recorded_by": by,
            },
        )  # fmt: skip
        if new:
            _remember("tie.record", made, by, answer, _days(since=since, until=until, evidence=made.evidence))
    return made


def end_tie(tie: Tie, until: date, *, agency: Agency, by: User) -> Tie:
    """Write its last day, or another one; findings that were kept over it stand all the same. Raises NotYou, NotNow (withdrawn), Invalid."""
    with transaction.atomic():
        answer, held = _held(tie, agency, by)
        if held.since is not None and until < held.since:
            raise _invalid("until", _("结束日期早于开始日期。"))
        before, held.until = held.until, until
        held.save(update_fields=["until"])
        _remember("tie.end", held, by, answer, _days(until=until, before=before))
    return held


def withdraw_tie(tie: Tie, reason: str, *, agency: Agency, by: User) -> Tie:
    """Take back what should not have been recorded; the row stays, findings that were kept over it stand until two persons dismiss them.

    Raises NotYou, NotNow (withdrawn already), Invalid (no reason).
    """
    with transaction.atomic():
        answer, held = _held(tie, agency, by)
        if not reason.strip():
            raise _invalid("reason", _("请写明撤回的理由。"))
        held.withdrawn_at, held.withdrawn_by, held.withdrawn_because = clock.now(), by, reason.strip()
        held.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_because"])
        _remember("tie.withdraw", held, by, answer, {"note": reason.strip()})
    return held


def _held(tie: Tie, agency: Agency, by: User) -> tuple[Answer, Tie]:
    answer = require(convener, agency, by=by)
    held = Tie.objects.select_for_update().get(pk=tie.pk)
    if held.withdrawn_at is not None:
        raise NotNow(_("这项关系已经撤回，不能再改。"), rule="tie_stands")
    return answer, held


def refuse_tie(left: Party, right: Party, kind: str, since: date | None, until: date | None, evidence: str, source: str) -> None:
    """Everything that makes no tie, as a refusal that names the field; the page and the file ask the same. Raises Invalid."""
    if kind not in set(tie_kinds.KINDS):
        raise _invalid("kind", _("没有“%(kind)s”这种关系。") % {"kind": kind})
    for field, party in (("left", left), ("right", right)):
        if sentence := unidentified(party):
            raise _invalid(field, sentence)
    if rule := tie_kinds.wrong_ends(RelationKind(kind), end_of(left), end_of(right)):
        raise _invalid("kind", spoken(tie_kinds.SENTENCES[rule] % {"kind": RelationKind(kind).zh}))
    if since is not None and until is not None and until < since:
        raise _invalid("until", _("结束日期早于开始日期。"))
    if source not in Tie.Source.values:
        raise _invalid("source", _("没有“%(source)s”这种来源。") % {"source": source})
    if source == Tie.Source.CHALLENGED and not evidence.strip():
        raise _invalid("evidence", _("申报方提出的，须写明依据。"))


def unidentified(party: Party) -> str:
    """Why nothing says who this is; "" when something does."""
    if isinstance(party, Body) and not party.keys():
        return str(_("请填写单位的统一社会信用代码、备案号或全称。"))
    if not isinstance(party, Person):
        return ""
    if not party.name.strip():
        return str(_("请填写姓名。"))
    if party.id_number and not identity.is_valid(party.id_number):
        return str(_("居民身份证号不正确，请逐位核对证件。"))
    known = bool(party.id_number) or isinstance(party.at, Organisation) or (isinstance(party.at, Body) and bool(party.at.keys()))
    return "" if known else str(_("只有姓名认不出是谁：请填写身份证号，或其所在单位。"))


def end_of(party: Party) -> str:
    """Whether a party is a person or a body."""
    return tie_kinds.PERSON if isinstance(party, Expert | Person) else tie_kinds.BODY


def once_of(kind: str, ends: tuple[Node, Node], since: date | None) -> str:
    """Kinds without a direction are the same tie whichever way round they are written."""
    keys = [str(end.pk) for end in ends]
    keys = keys if RelationKind(kind) in tie_kinds.OF_PERSON | tie_kinds.TO_BODY | {RelationKind.SPONSOR} else sorted(keys)
    return hashlib.sha256("\n".join([str(kind), *keys, str(since)]).encode()).hexdigest()


def _days(**values: Any) -> dict[str, str]:
    """Dates and words for the private part: who is whose relative since when is nobody's business for ever."""
    return {name: value.isoformat() if isinstance(value, date) else str(value) for name, value in values.items() if value}


def _remember(event: str, tie: Tie, by: User, answer: Answer, private: dict[str, str]) -> None:
    public = {
        "kind": tie.kind,
        "source": str(tie.source),
        "parties": [str(tie.left_id), str(tie.right_id)],
        "agency": str(tie.agency_id),
    }
    ledger.record(
        event=event, actor=str(by.pseudonym), role=answer.role, subject=tie.subject, public=public, private=private or None
    )


def _invalid(name: str, sentence: str) -> Invalid:
    return Invalid(sentence, rule=f"tie_{name}", problems={name: [sentence]})
