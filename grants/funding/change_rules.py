"""On which facts a running project's agreement is changed, and who may change it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from grants.awards.rules import through_award
from grants.people.rules import may, not_same_as
from grants.workflow.rules import Ask, Rule, row_rule, rule

asker = may("sign_for", on="payee") | may("sign_for", on="organisation")
_other = not_same_as("requested_by", _("不是申请人"), _("变更由您申请，须由另一人办理。"))
operator = may("supervise") & _other
checker = may("check_tranches") & _other
approver = (
    may("approve_tranches") & _other & not_same_as("checked_by", _("不是核对人"), _("变更由您核对，须由另一人批准。"))
)
refuser = may("check_tranches") | may("approve_tranches")


@rule(_("没有其他未办结的变更"), _("还有一份变更申请没有办结；请等它办结，或先撤回。"))
def no_other_change(ask: Ask) -> bool:
    change = ask.obj
    open_ones = type(change)._base_manager.filter(award_id=change.award_id, state__in=("requested", "checked"))
    return not open_ones.exclude(pk=change.pk).exists()


@rule(_("变动在备案限额内"), _("这项变更超过备案限额，须经批准后生效。"))
def recording_is_enough(ask: Ask) -> bool:
    return bool(ask.obj.decider == "record")


@rule(_("变动在承办方权限内"), _("这项变更超过承办方的权限，须由主办方核对和批准。"))
def operator_decides(ask: Ask) -> bool:
    return bool(ask.obj.decider in ("record", "operator"))


@rule(_("变更仍可执行"))
def still_possible(ask: Ask) -> object:
    """The agreed budget is as it was when the change was asked for, the total stays, caps hold, nothing spent is taken away."""
    from grants.funding.changing import obstacle  # noqa: PLC0415 - reads the models

    found = obstacle(ask.obj)
    return found or True


def _visible(actor: Any) -> Any:
    return through_award("award__")(actor)


change_visible: Rule = row_rule(
    "change_visible", _("受助方、主办方和审计"), _visible, _("变更申请只对受助方、主办方和审计开放。")
)
