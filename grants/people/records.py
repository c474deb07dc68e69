"""What the registrar writes down about an organisation: annual checks, credit records, grades. Nothing is overwritten."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from grants import clock
from grants.documents.models import StoredFile
from grants.people.journal import enter
from grants.people.models import AnnualCheck, CreditLookup, CreditRecord, Grade, Organisation, User
from grants.people.rules import may
from grants.workflow.door import require
from grants.workflow.refusals import Invalid, NotNow

registrar = may("verify_organisations")


def record_annual_check(
    organisation: Organisation, *, year: int, result: str, by: User, evidence: StoredFile | None = None
) -> AnnualCheck:
    """年检结论 of one year, once. result: a code of AnnualCheck.Result except "revoked". Raises NotYou, Invalid."""
    with transaction.atomic():
        org = _locked(organisation)
        role = require(registrar, org, by=by).role
        _refuse_check(org, year, result)
        check = AnnualCheck.objects.create(
            organisation=org, year=year, result=result, recorded_at=clock.now(), recorded_by=by, evidence=evidence
        )
        files = {"evidence": evidence.sha256} if evidence else None
        enter("organisation.annual_check", org, by=by, role=role, public={"year": year, "result": result}, files=files)
    return check


def revoke_annual_check(check: AnnualCheck, *, because: str, by: User) -> AnnualCheck:
    """Take a result back; the row stays, with day and reason. Raises NotYou, NotNow (already revoked), Invalid (no reason)."""
    with transaction.atomic():
        held = AnnualCheck.objects.select_for_update(of=("self",)).select_related("organisation__registrar").get(pk=check.pk)
        role = require(registrar, held.organisation, by=by).role
        if held.result == AnnualCheck.Result.REVOKED:
            raise NotNow(_("%(year)d 年的年检结论已经撤销。") % {"year": held.year}, rule="not_revoked")
        because = _reason(because)
        before, held.result = held.result, AnnualCheck.Result.REVOKED
        held.revoked_at, held.revoked_because = clock.now(), because
        held.save()
        said = {"year": held.year, "from": before, "result": "revoked"}
        enter("organisation.annual_check_revoked", held.organisation, by=by, role=role, public=said, private={"note": because})
    return held


def record_credit(
    organisation: Organisation, *, kind: str, listed_on: date, source: str, by: User, removed_on: date | None = None
) -> CreditRecord:
    """An entry on a public list (kind: CreditRecord.Kind), with where it was looked up. Raises NotYou, Invalid."""
    with transaction.atomic():
        org = _locked(organisation)
        role = require(registrar, org, by=by).role
        _refuse_interval(listed_on, removed_on)
        if kind not in CreditRecord.Kind.values:
            raise _invalid("kind", _("请选择名录种类。"))
        record = CreditRecord.objects.create(
            organisation=org, kind=kind, listed_on=listed_on, removed_on=removed_on, source=_reason(source, "source"),
            recorded_at=clock.now(), recorded_by=by,
        )  # fmt: skip
        said = {"kind": kind, "listed_on": listed_on.isoformat(), "removed_on": removed_on and removed_on.isoformat()}
        enter("organisation.credit", org, by=by, role=role, public=said)
    return record


def remove_credit(record: CreditRecord, *, removed_on: date, source: str, by: User) -> CreditRecord:
    """移出名录: the entry stays, with the day it ended; look-back periods run from that day. Raises NotYou, NotNow, Invalid."""
    with transaction.atomic():
        held = CreditRecord.objects.select_for_update(of=("self",)).select_related("organisation__registrar").get(pk=record.pk)
        role = require(registrar, held.organisation, by=by).role
        if held.removed_on is not None:
            raise NotNow(_("这条记录已经移出名录。"), rule="still_listed")
        _refuse_interval(held.listed_on, removed_on)
        held.removed_on = removed_on
        held.save(update_fields=["removed_on"])
        said = {"kind": held.kind, "removed_on": removed_on.isoformat()}
        found = {"source": _reason(source, "source")}
        enter("organisation.credit_removed", held.organisation, by=by, role=role, public=said, private=found)
    return held


def record_credit_lookup(
    organisation: Organisation, *, source: str, by: User, looked_up_on: date | None = None, evidence: StoredFile | None = None
) -> CreditLookup:
    """A clerk looked at the public lists and found no further entry (entries go to `record_credit`). Raises NotYou, Invalid."""
    with transaction.atomic():
        org = _locked(organisation)
        role = require(registrar, org, by=by).role
        day = looked_up_on or clock.today()
        if day > clock.today():
            raise _invalid("looked_up_on", _("查询日期不能晚于今天。"))
        row = CreditLookup.objects.create(
            organisation=org, looked_up_on=day, source=_reason(source, "source"), evidence=evidence, recorded_at=clock.now(),
            recorded_by=by,
        )  # fmt: skip
        files = {"evidence": evidence.sha256} if evidence else None
        enter("organisation.credit_lookup", org, by=by, role=role, public={"looked_up_on": day.isoformat()}, files=files)
    return row


def record_grade(organisation: Organisation, *, grade: str, valid_from: date, valid_to: date, by: User) -> Grade:
    """社会组织评估等级 "1A"…"5A" with its validity, both days included. Raises NotYou, Invalid."""
    with transaction.atomic():
        org = _locked(organisation)
        role = require(registrar, org, by=by).role
        if grade not in ("1A", "2A", "3A", "4A", "5A"):
            raise _invalid("grade", _("评估等级应为 1A 至 5A。"))
        if valid_to <= valid_from:
            raise _invalid("valid_to", _("有效期止应晚于有效期起。"))
        row = Grade.objects.create(organisation=org, grade=grade, valid_from=valid_from, valid_to=valid_to)
        said = {"grade": grade, "valid_from": valid_from.isoformat(), "valid_to": valid_to.isoformat()}
        enter("organisation.grade", org, by=by, role=role, public=said)
    return row


def _locked(organisation: Organisation) -> Organisation:
    return Organisation.objects.select_for_update(of=("self",)).select_related("registrar").get(pk=organisation.pk)


def _refuse_check(organisation: Organisation, year: int, result: str) -> None:
    if result not in (AnnualCheck.Result.PASSED, AnnualCheck.Result.BASIC, AnnualCheck.Result.FAILED):
        raise _invalid("result", _("请选择年检结论：合格、基本合格或不合格。撤销请用“撤销年检结论”。"))
    if not 1990 <= year < clock.today().year + 1:
        raise _invalid("year", _("年检年度应在 1990 年至今年之间。"))
    if organisation.annual_checks.filter(year=year).exists():
        raise _invalid("year", _("%(year)d 年已有年检结论；如有错误，请先撤销原结论并写明原因。") % {"year": year})


def _refuse_interval(listed_on: date, removed_on: date | None) -> None:
    if listed_on > clock.today():
        raise _invalid("listed_on", _("列入日期不能晚于今天。"))
    if removed_on is not None and removed_on < listed_on:
        raise _invalid("removed_on", _("移出日期不能早于列入日期。"))


def _reason(text: str, name: str = "because") -> str:
    if not text.strip():
        raise _invalid(name, _("请写明依据或原因。"))
    return text.strip()


def _invalid(name: str, sentence: str) -> Invalid:
    return Invalid(sentence, rule=name, problems={name: [sentence]})
