"""专家库: who may be drawn, and what is known of their relations with organisations."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from grants import clock, ledger
from grants.people.erasing import later
from grants.people.models import Agency, Organisation, User
from grants.people.rules import apart
from grants.workflow.door import require
from grants.workflow.refusals import Invalid, NotNow, NotYou
from grants.workflow.rules import Answer, Ask
from review import personal
from review.conflicts import RelationKind
from review.models import Expert, Relation, Seat
from review.rules import convener, is_an_expert


def register_expert(
    *,
    user: User,
    code: str,
    agency: Agency,
    by: User,
    seat: str = Seat.SECTOR,
    employer: str = "",
    employer_organisation: Organisation | None = None,
    fields: Iterable[str] = (),
    title: str = "",
) -> Expert:
    """Put a person into the pool under a code; one ledger entry. by: an officer of `agency`.

    Raises NotYou; Invalid when the code or the person is there already, the seat is unknown, or the officer names themself.
    """
    with transaction.atomic():
        answer = require(convener, agency, by=by)
        _refuse(user, code, seat, by)
        expert = Expert.objects.create(
            user=user, code=code.strip(), seat=seat, employer=employer.strip(), employer_organisation=employer_organisation,
            fields=list(fields), title=title.strip(), registered_at=clock.now(),
        )  # fmt: skip
        _remember("expert.register", expert, by, answer, {"code": expert.code, "seat": str(seat)})
    return expert


def change_expert(expert: Expert, *, agency: Agency, by: User, **values: Any) -> Expert:
    """Change employer, employer_organisation, fields, seat, title or is_active; one ledger entry. Code and person never change.

    Raises NotYou, Invalid (unknown column or seat).
    """
    allowed = {"employer", "employer_organisation", "fields", "seat", "title", "is_active"}
    if strange := sorted(values.keys() - allowed):
        raise Invalid(_("专家信息中不能修改：%(what)s。") % {"what": "、".join(strange)}, rule="expert_columns")
    with transaction.atomic():
        answer = require(convener, agency, by=by)
        held = Expert.objects.select_for_update().select_related("user").get(pk=expert.pk)
        _refuse_seat(values.get("seat", held.seat))
        for name, value in values.items():
            setattr(held, name, value)
        held.save(update_fields=sorted(values))
        _remember("expert.change", held, by, answer, {"code": held.code, "changed": sorted(values)})
    return held


def erase_profile(expert: Expert, *, agency: Agency, by: User) -> Expert:
    """删除专家档案中的个人信息 once the person has left the pool; one ledger entry without any of it. Raises NotYou, NotNow."""
    with transaction.atomic():
        answer = require(convener, agency, by=by)
        held = Expert.objects.select_for_update().select_related("user").get(pk=expert.pk)
        left = personal.left_on(held)
        due = None if left is None else later(left, personal.PROFILE_MONTHS)
        if due is None or clock.today() < due:
            day = _("先移出专家库") if due is None else _("%(day)s 起才能删除") % {"day": due}
            raise NotNow(_("专家档案在移出专家库三年后删除：%(day)s。") % {"day": day}, rule="profile_due")
        personal.empty(held)
        _remember("expert.erase", held, by, answer, {"code": held.code})
    return held


def add_relation(
    expert: Expert,
    organisation: Organisation,
    kind: str,
    *,
    by: User,
    agency: Agency | None = None,
    since: date | None = None,
    until: date | None = None,
    evidence: str = "",
    source: str = "",
) -> Relation:
    """Record a relation. The expert declares their own (no agency needed); an officer of `agency` records what was found or claimed.

    since, until: days in Shanghai, both included. A claim by a bidder (source "challenged") needs evidence. Open reviews are not touched
    here: the rules ask again at each step, and `void_conflicted` clears what is already assigned. Raises NotYou, Invalid.
    """
    own = by.pk == expert.user_id
    source = source or (Relation.Source.DECLARED if own else Relation.Source.COMPUTED)
    with transaction.atomic():
        answer = require(is_an_expert, expert, by=by) if own else _officer(agency, by)
        _refuse_relation(kind, since, until, source, evidence, own=own)
        relation = Relation.objects.create(
            expert=expert, organisation=organisation, kind=kind, since=since, until=until, source=source, evidence=evidence.strip(),
            recorded_at=clock.now(), recorded_by=by,
        )  # fmt: skip
        public = {"code": expert.code, "kind": str(kind), "source": str(source), "organisation": str(organisation.pk)}
        _remember("expert.relation", expert, by, answer, public, {"evidence": relation.evidence} if relation.evidence else None)
    return relation


def _officer(agency: Agency | None, by: User) -> Answer:
    if agency is None:
        raise NotYou(_("专家的利害关系由本人申报，或由主办方经办登记。"), rule="relation_recorder")
    return require(convener, agency, by=by)


def _refuse(user: User, code: str, seat: str, by: User) -> None:
    _refuse_seat(seat)
    if apart(user):
        raise _invalid("user", _("系统、安全和审计管理员不参与任何业务，不能登记为专家。"))
    if user.pk == by.pk:
        raise NotYou(_("不能把自己登记为专家；请由另一位经办办理。"), rule="not_oneself")
    if not code.strip() or len(code.strip()) > 10:
        raise _invalid("code", _("专家代码须为 1 至 10 个字符。"))
    if Expert.objects.filter(code=code.strip()).exists():
        raise _invalid("code", _("专家代码“%(code)s”已经使用，请换一个。") % {"code": code.strip()})
    if Expert.objects.filter(user=user).exists():
        raise _invalid("user", _("“%(name)s”已经在专家库中。") % {"name": user})


def _refuse_seat(seat: str) -> None:
    if seat not in Seat.values:
        raise _invalid("seat", _("没有“%(seat)s”这种席位。") % {"seat": seat})


def _refuse_relation(kind: str, since: date | None, until: date | None, source: str, evidence: str, *, own: bool) -> None:
    if kind not in set(RelationKind):
        raise _invalid("kind", _("没有“%(kind)s”这种关系。") % {"kind": kind})
    if since is not None and until is not None and until < since:
        raise _invalid("until", _("关系结束日期早于开始日期。"))
    if source not in Relation.Source.values or (own and source != Relation.Source.DECLARED):
        raise _invalid("source", _("本人登记的关系来源只能是“本人申报”。"))
    if source == Relation.Source.CHALLENGED and not evidence.strip():
        raise _invalid("evidence", _("申报方提出的回避申请须写明理由和证据。"))


def _invalid(name: str, sentence: str) -> Invalid:
    return Invalid(sentence, rule=f"expert_{name}", problems={name: [sentence]})


def _remember(
    event: str, expert: Expert, by: User, answer: Answer, public: dict[str, Any], private: dict[str, Any] | None = None
) -> None:
    ledger.record(
        event=event, actor=str(by.pseudonym), role=answer.role, subject=f"expert:{expert.pk}", public=public, private=private
    )


def agency_of(by: User) -> Agency | None:
    """An agency on which the person may keep the pool; None for everybody else."""
    agencies = Agency.objects.filter(pk__in=_held(by)).order_by("name")
    return next((a for a in agencies if convener.answer(Ask(by, a, clock.now())).ok), None)


def _held(by: User) -> list[Any]:
    from grants.people.models import AgencyPermission  # noqa: PLC0415 - next to its only use

    return list(
        AgencyPermission.objects.filter(user_id=by.pk, permission__codename="convene_panels").values_list(
            "content_object_id", flat=True
        )
    )
