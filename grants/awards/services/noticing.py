"""公示: built from a whitelist, read by the gate, numbered, and published with every approved award at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from grants import clock, ledger
from grants.awards.models import Award, Decision, PublicNotice
from grants.awards.notice_body import build, found_leaks, periods
from grants.awards.numbering import notice_number
from grants.awards.rules import preparer
from grants.calls.models import Call
from grants.clock.calendar import Period
from grants.people.models import User
from grants.people.privacy import Leak
from grants.workflow import effects
from grants.workflow.door import perform, require
from grants.workflow.refusals import Invalid, NotNow
from review.conflict_checks import reviews_in_conflict
from review.findings import keep_late, keep_names
from review.models import ConflictHit, Panel
from review.namesake_checks import unsettled_of_judges
from review.rules import names_left


@dataclass(frozen=True)
class Preview:
    """A notice before it is published: exactly what would be public, what the gate found, and until when it would run."""

    body: dict[str, Any]
    leaks: list[Leak]
    notice: Period
    objection: Period
    unapproved: int


def preview(call: Call, *, by: User, intro: str = "", titles: Mapping[str, str] | None = None) -> Preview:
    """What `publish_notice` would publish now. Writes nothing. Raises NotYou."""
    require(preparer, call, by=by)
    body = build(call, approved(call), intro=intro, titles=titles)
    notice, objection = periods(call, clock.now())
    waiting = Award.objects.filter(call=call, state="proposed").count()
    return Preview(body, found_leaks(call, body), notice, objection, waiting)


def approved(call: Call) -> list[Award]:
    """Awards that wait for their notice, by number."""
    rows = Award.objects.filter(call=call, state="approved").select_related(*Award.door_select, "call__rules_version")
    return list(rows.order_by("number"))


def publish_notice(call: Call, *, by: User, intro: str = "", titles: Mapping[str, str] | None = None) -> PublicNotice:
    """Publish every approved award of the call in one notice. Locks the call; all or nothing; the sheet is printed afterwards.

    intro: the paragraph above the table. titles: award number → project name to show where the bid's own name holds what may not
    be public. Raises NotYou, NotNow (nothing approved, some proposals still undecided, or an expert whose ballot counts turns out to be
    in conflict: what was found is kept), Invalid (notice_leaks: every field named, the number masked).
    """
    require(preparer, call, by=by)
    _refuse_conflicts(call)
    _refuse_names(call)
    with transaction.atomic():
        held = Call.objects.select_for_update(of=("self",)).select_related("agency", "rules_version").get(pk=call.pk)
        role = require(preparer, held, by=by).role
        awards = _all_approved(held)
        body = build(held, awards, intro=intro, titles=titles)
        _refuse_leaks(found_leaks(held, body))
        notice = _create(held, body, by)
        for award in awards:
            perform(award, "publish", by=by, notice=notice)
        _remember(notice, len(awards), by, role)
    return notice


def _refuse_conflicts(call: Call) -> None:
    """Asked a last time before anybody outside learns the result: of every ballot of the call that counts."""
    for panel in Panel.objects.filter(call=call, state="concluded").select_related("call__rules_version"):
        found = reviews_in_conflict(panel)
        if found:
            keep_late(panel, found, ConflictHit.Moment.PUBLISHING)
            review, hits = found[0]
            sentence = _(
                "公示前核对，有 %(n)d 份计入结果的评分的专家应当回避，例如：%(code)s · %(bid)s：%(why)s 请在“%(panel)s”页面由一人提出不予回避、"
                "另一人决定；确应回避的，请由负责人取消拟立项，另行组织评审。"
            ) % {"n": len(found), "code": review.expert.code, "bid": review.bid.number, "why": hits[0].sentence, "panel": panel.name}
            raise NotNow(sentence, rule="no_late_conflict", verb="publish_notice")


def _refuse_names(call: Call) -> None:
    """As above, of what names suggest: whoever entered an employer after the report is asked about before anybody outside learns the result."""
    for panel in Panel.objects.filter(call=call, state="concluded").select_related("call__rules_version"):
        left = unsettled_of_judges(panel)
        if left:
            keep_names(panel, ConflictHit.Moment.PUBLISHING)
            raise NotNow(str(names_left(left, call)), rule="judges_names_are_settled", verb="publish_notice")


def _all_approved(call: Call) -> list[Award]:
    waiting = Award.objects.filter(call=call, state="proposed").count()
    if waiting:
        sentence = _("还有 %(n)d 个拟立项项目没有批准或取消；同一批项目应一并公示。") % {"n": waiting}
        raise NotNow(sentence, rule="all_approved", verb="publish_notice")
    awards = approved(call)
    if not awards:
        raise NotNow(_("没有已批准、待公示的项目。"), rule="something_approved", verb="publish_notice")
    return awards


def _refuse_leaks(found: list[Leak]) -> None:
    if not found:
        return
    problems: dict[str, list[str]] = {}
    for leak in found:
        problems.setdefault(leak.field, []).append(leak.sentence)
    sentence = _("公示内容有 %(n)d 处疑似个人信息，不能公开：%(first)s") % {"n": len(found), "first": found[0].sentence}
    raise Invalid(sentence, rule="notice_leaks", problems=problems, verb="publish_notice")


def _create(call: Call, body: dict[str, Any], by: User) -> PublicNotice:
    notice, objection = periods(call, clock.now())
    return PublicNotice.objects.create(
        call=call, number=notice_number(call), title=body["title"], body=body, published_at=clock.now(), ends_at=notice.ends_at,
        last_day=notice.last_day, objections_until=objection.ends_at, published_by=by,
    )  # fmt: skip


def _remember(notice: PublicNotice, awards: int, by: User, role: str) -> None:
    digest = hashlib.sha256(json.dumps(notice.body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    public = {"number": notice.number, "awards": awards, "ends_at": notice.ends_at.isoformat(), "total": notice.body["total"]}
    event = ledger.record(
        event="call.publish_notice", actor=str(by.pseudonym), role=role, subject=notice.call.subject, scope=notice.call.subject,
        public=public, files={"body": digest},
    )  # fmt: skip
    effects.schedule_each("awards.tell_notice", [d.bid for d in _to_tell(notice)], event.pk)


def _to_tell(notice: PublicNotice) -> list[Decision]:
    """Released decisions that no earlier notice of the call has told of."""
    rows = Decision.objects.filter(call=notice.call, released_at__isnull=False)
    earlier = PublicNotice.objects.filter(call=notice.call, pk__lt=notice.pk).order_by("-pk").first()
    if earlier is not None:
        rows = rows.filter(released_at__gt=earlier.published_at)
    return list(rows.select_related("bid").order_by("pk"))
