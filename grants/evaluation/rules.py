"""On which facts a report is handed in, graded and confirmed; and what a closing waits for."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from grants.awards.rules import through_award
from grants.people.rules import is_the, may, not_same_as
from grants.workflow.rules import Ask, Rule, row_rule, rule

reporter = may("write_bids", on="organisation") | may("sign_for", on="organisation")
the_evaluator = is_the("evaluator", "evaluator", _("指定的评估人"), _("这份评估指定由另一人进行。"))
nominator = may("confirm_evaluations") | may("check_tranches")
late_grader = may("check_tranches") | the_evaluator
confirmer = may("confirm_evaluations") & not_same_as("graded_by", _("不是评分人"), _("等级由您评定，须由另一位负责人确认。"))


@rule(_("评估人与项目无利害关系"), typed=True)
def evaluator_is_independent(ask: Ask) -> object:
    """Not of the grantee, the sponsor or the operator: nobody evaluates what they mentored or operate (domain §1)."""
    from grants.evaluation.independence import tie  # noqa: PLC0415

    found = tie(ask.details.get("evaluator") or ask.obj.evaluator, ask.obj.award)
    return True if found is None else found


@rule(_("报告填写完整"))
def report_is_complete(ask: Ask) -> object:
    from grants.evaluation.reports import problems  # noqa: PLC0415

    found = problems(ask.obj)
    return True if not found else _("报告还有 %(n)d 处要补：%(shown)s") % {"n": len(found), "shown": ";".join(map(str, found[:3]))}


@rule(_("评估表逐项打分"), typed=True)
def sheet_is_complete(ask: Ask) -> object:
    from grants.evaluation.grades import missing  # noqa: PLC0415

    left = missing(ask.obj, ask.details)
    return True if not left else _("以下指标还没有评分：%(what)s。") % {"what": "、".join(map(str, left))}


@rule(_("报告逾期"), _("报告没有逾期，不能按逾期定级。"))
def report_is_late(ask: Ask) -> bool:
    """Late is the first second of the day after the last day: handed in then or later, or not handed in by now."""
    due, handed = ask.obj.due_at, ask.obj.submitted_at
    return due is not None and (handed or ask.now) >= due


@rule(_("规则规定逾期无正当理由为不合格"), _("本次征集的规则没有规定逾期即不合格，请按评估表评分。"))
def late_is_fail(ask: Ask) -> bool:
    return bool(ask.obj.award.bid.rules.evaluation.late_is_fail)


@rule(_("按逾期定级"), _("这份评估是按评估表评分的；如评分依据不足，请“退回重评”。"))
def failed_for_lateness(ask: Ask) -> bool:
    return ask.obj.total is None


scored_by_sheet = (~failed_for_lateness).renamed(
    "scored_by_sheet", _("按评估表评分"), _("这份评估是按逾期定级的；如逾期有正当理由，请“认可逾期理由”。")
)


@rule(_("项目在执行中"), _("项目不在执行中，不能提交或评估报告。"))
def award_running(ask: Ask) -> bool:
    return bool(ask.obj.award.state == "active")


@rule(_("结项条件全部满足"))
def nothing_is_missing(ask: Ask) -> object:
    """The closing gate: lists what is missing (domain §8, ux #29). Handed up to `award.close`."""
    from grants.evaluation.gate import missing_for  # noqa: PLC0415

    left = missing_for(ask.obj)
    return True if not left else _("结项前还缺：%(what)s") % {"what": ";".join(map(str, left))}


@rule(_("全部项目已结项、终止或取消"))
def every_award_ended(ask: Ask) -> object:
    """Handed up to `call.archive`."""
    from grants.awards.models import Award  # noqa: PLC0415

    left = Award.objects.filter(call_id=ask.obj.pk).exclude(state__in=("closed", "terminated", "cancelled")).count()
    return True if not left else _("还有 %(n)d 个项目没有结项，不能归档。") % {"n": left}


evaluation_visible: Rule = row_rule(
    "evaluation_visible",
    _("受助方、主办方、评估人和审计"),
    lambda actor: through_award("award__")(actor) | _own(actor),
    _("评估材料只对受助方、主办方、评估人和审计开放。"),
)


def _own(actor: Any) -> Any:
    from django.db.models import Q  # noqa: PLC0415

    return Q(evaluator_id=getattr(actor, "pk", None)) & Q(evaluator__isnull=False)


def _file(actor: Any) -> Any:
    from django.db.models import Q  # noqa: PLC0415

    nominated = Q(evaluations__evaluator_id=getattr(actor, "pk", None)) & Q(evaluations__evaluator__isnull=False)
    return through_award("")(actor) | nominated


award_file_visible: Rule = row_rule(
    "award_file_visible", _("受助方、主办方、评估人和审计"), _file, _("项目档案只对受助方、主办方、评估人和审计开放。")
)
