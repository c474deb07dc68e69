"""Who handles needs, on which facts, and who sees which."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grants.people.permissions import scopes_with
from grants.people.rules import may
from grants.workflow.rules import Ask, Rule, row_rule, rule

PUBLIC_STATES = ("published", "met")

screener = may("draft_calls", on="agency")


@rule(_("持有提交时的查询码"), _("这一步由提出人凭查询码办理；查询码在提交成功的页面上。"))
def holds_receipt(ask: Ask) -> bool:
    """Whoever holds the secret printed once after proposing may have their own contact data erased, without an account."""
    given = str(ask.details.get("receipt", ""))
    return bool(given) and given == ask.obj.receipt


@rule(_("公开文字里没有个人号码"))
def has_no_personal_numbers(ask: Ask) -> object:
    """The gate against identity, telephone and bank numbers, once more before anything is public."""
    found = ask.obj.leaks()
    return True if not found else found[0].sentence


@rule(_("合并到同一主办方的另一条需求"), typed=True)
def merges_into_another(ask: Ask) -> object:
    """Not into itself, not across offices, and never into one that is itself merged or refused: a chain would lose the reader."""
    into = ask.details.get("into")
    if into is None:
        return _("请选择合并到哪一条需求。")
    if into.pk == ask.obj.pk or into.agency_id != ask.obj.agency_id or into.state not in ("proposed", "checked", "published"):
        return _("只能合并到本主办方另一条尚未办结的需求，请重新选择。")
    return True


@rule(_("列入起草中的征集"), typed=True)
def call_is_a_draft(ask: Ask) -> object:
    """A published call's list is frozen with its rules; another need enters it by an addendum only."""
    call = ask.details.get("call")
    if call is None or call.agency_id != ask.obj.agency_id:
        return _("请选择本主办方的征集。")
    return True if call.state == "draft" else _("「%(call)s」已经提交或发布，规则已冻结；请列入起草中的征集，或另发补充公告。") % {"call": call}


@rule(_("写明答复"), typed=True)
def is_answered(ask: Ask) -> object:
    """Whoever proposed learns why, in a sentence they may read without an account."""
    return True if str(ask.details.get("answer", "")).strip() else _("请填写答复：提出人凭查询码可以看到。")


def _visible(actor: Any) -> Q:
    from grants.people.models import Agency  # noqa: PLC0415 - the models carry this rule

    public = Q(state__in=PUBLIC_STATES) | Q(state="merged", published_at__isnull=False)
    if getattr(actor, "pk", None) is None:
        return public
    return public | Q(proposed_by_id=actor.pk) | scopes_with(actor, "read_calls", Agency, "agency")


need_visible: Rule = row_rule("need_visible", _("已公开的需求；提出人本人、主办方人员"), _visible, _("这条需求还没有公开。"))
