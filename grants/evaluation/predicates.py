"""Tranche conditions that look at evaluations and the file, handed up to funding at start-up."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from grants.evaluation.gate import archive_gaps, rectifications_open
from grants.funding.conditions import provide


def _grade(tranche: Any, moment: str, name: str) -> str | None:
    found = tranche.award.evaluations.filter(moment=moment).first()
    if found is None or found.state != "confirmed":
        return _("%(name)s还没有完成：请提交报告，由评估人评分并由主办方确认。") % {"name": name}
    if found.grade_code != "passed":
        return _("%(name)s等级为「%(grade)s」，不合格，不能拨付本期。") % {"name": name, "grade": found.grade_name}
    return None


@provide("midterm_passed")
def midterm_passed(tranche: Any, _percent: Decimal | None) -> str | None:
    return _grade(tranche, "midterm", _("中期评估"))


@provide("final_passed")
def final_passed(tranche: Any, _percent: Decimal | None) -> str | None:
    return _grade(tranche, "final", _("末期评估"))


@provide("rectified")
def rectified(tranche: Any, _percent: Decimal | None) -> str | None:
    return None if not rectifications_open(tranche.award) else _("整改还没有完成：请在项目档案中上传整改报告（编号 rectification）。")


@provide("logo_shown")
def logo_shown(tranche: Any, _percent: Decimal | None) -> str | None:
    return (
        None
        if tranche.award.evidence.filter(code="logo").exists()
        else _("还没有提交资金来源标识的照片：请在项目档案中上传（编号 logo）。")
    )


@provide("audit_issued")
def audit_issued(tranche: Any, _percent: Decimal | None) -> str | None:
    return (
        None
        if tranche.award.evidence.filter(code="audit").exists()
        else _("还没有审计报告或财务专家意见：请在项目档案中上传（编号 audit）。")
    )


@provide("archive_complete")
def archive_complete(tranche: Any, _percent: Decimal | None) -> str | None:
    gaps = archive_gaps(tranche.award)
    return None if not gaps else _("档案还缺：%(what)s。") % {"what": "、".join(gaps)}
