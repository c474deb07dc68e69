"""On which facts a call moves, and who may see it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grants import clock
from grants.people.permissions import scopes_held, scopes_with
from grants.workflow.rules import Ask, Rule, row_rule, rule

PUBLIC_STATES = ("published", "open", "closed", "decided", "archived")


@rule(_("不是起草人"), _("您起草或修改过这次征集，须由另一位负责人审批（起草与审批分离）。"))
def not_the_drafter(ask: Ask) -> bool:
    """Whoever opened the draft or ever revised it may not approve it; nor may the author of an addendum issue it."""
    person = getattr(ask.actor, "pk", None)
    version = ask.details.get("version")
    if person in (ask.obj.drafted_by_id, getattr(version, "created_by_id", None)):
        return False
    return not ask.obj.contributors.filter(pk=person).exists()


@rule(_("规则检查无错误"))
def has_sound_rules(ask: Ask) -> object:
    """The linter finds no error in the current rules (warnings do not block)."""
    version = ask.obj.rules_version
    if version is None:
        return _("请先填写或导入征集规则。")
    errors = version.problems()
    if errors:
        return _("规则还有 %(n)d 处矛盾，例如：%(first)s 请按提示修改后再提交。") % {
            "n": len(errors),
            "first": errors[0].message,
        }
    return True


@rule(_("受理期没有因审批迟延而缩短"))
def full_period_ahead(ask: Ask) -> object:
    """Published at or before the opening, so that a slow approval cuts nobody's time to bid （政府采购法 §35)."""
    if ask.now >= ask.obj.closes_at:
        return _("截止时间已过，不能再发布；请退回起草，顺延时间安排。")
    if ask.now > ask.obj.opens_at:
        return _("受理时间已过，现在发布会缩短申报期；请退回起草，顺延时间安排后再发布。")
    return True


@rule(_("尚未截止"), _("截止时间已过，不能再改变规则。"))
def before_closing(ask: Ask) -> bool:
    return ask.obj.closes_at is not None and ask.now < ask.obj.closes_at


@rule(_("补充公告合规"))
def addendum_is_lawful(ask: Ask) -> object:
    """A new version of the same call, sound, different, never earlier, never with less time (rulebook.diff says what changed)."""
    version = ask.details.get("version")
    if version is None:  # asked for a page: the draft addendum, if there is one
        version = ask.obj.draft_addendum
    if version is None:
        return _("请先起草补充公告（修改规则并保存为新版本）。")
    return _addendum_fault(ask.obj, version) or True


def _addendum_fault(call: Any, version: Any) -> object:
    from grants.calls.rulebook.diff import version_fault  # noqa: PLC0415 - pydantic is slow to import

    if version.call_id != call.pk or version.frozen_at is not None or version.number <= call.rules_version.number:
        return _("这个版本不是本次征集待发布的补充公告，请重新起草。")
    grave = [change["sentence"] for change in version.changes if change["gravity"] in ("new_call", "forbidden")]
    if grave:
        return _("有些变化不能用补充公告作出，须撤销后另发征集：%(what)s") % {"what": ";".join(grave[:3])}
    new, old = version.rules.timetable, call.rules.timetable
    if new.closes_at != old.closes_at and new.closes_at < call.closes_at:
        return _("截止时间已延后到 %(at)s，补充公告不能再提前。") % {"at": call.closes_at.astimezone(clock.TZ).strftime("%Y-%m-%d %H:%M")}
    if new.opens_at != call.opens_at and call.state == "open":
        return _("已经开始受理，补充公告不能改变受理开始时间。")
    fault = version_fault(call.rules, version.rules)
    if fault:
        return _("规则版本号不对：%(fault)s。") % {"fault": fault}
    errors = version.problems()
    return _("补充公告的规则还有矛盾，例如：%(first)s") % {"first": errors[0].message} if errors else ""


@rule(_("已到受理时间"), _("还没有到受理时间。"))
def opening_reached(ask: Ask) -> bool:
    return ask.obj.opens_at is not None and ask.now >= ask.obj.opens_at


@rule(_("已到截止时间"), _("还没有到截止时间。"))
def closing_reached(ask: Ask) -> bool:
    """The deadline has passed, and whatever was in at our door before it has had time to be written down."""
    return ask.obj.closes_at is not None and ask.now >= ask.obj.closes_at + timedelta(seconds=settings.SUBMISSION_DRAIN)


@rule(_("没有待顺延的故障"))
def no_downtime_owed(ask: Ask) -> object:
    """Closed only when the published rule owes nothing: measured downtime is given back first, recorded downtime waits for the approver."""
    from grants.calls import downtime  # noqa: PLC0415 - models import this module's machine

    return downtime.holds_open(ask.obj, ask.now) or True


@rule(_("故障顺延待确认"), _("截止时间已过，不能再延长。"))
def held_by_downtime(ask: Ask) -> bool:
    from grants.calls import downtime  # noqa: PLC0415 - as above

    return bool(ask.obj.state == "open" and downtime.still_owed(ask.obj, ask.now))


@rule(_("系统测得的故障应当顺延"), _("按公布的规则，没有需要顺延的时间。"))
def measured_downtime_owed(ask: Ask) -> bool:
    from grants.calls import downtime  # noqa: PLC0415 - as above

    found = downtime.proposal(ask.obj, measured=True)
    new = ask.details.get("closes_at")
    return found is not None and (new is None or new <= found.closes_at)


@rule(_("新截止时间晚于原截止时间"))
def extension_is_later(ask: Ask) -> object:
    """Deadlines only move later."""
    new = ask.details.get("closes_at")
    if new is not None and new <= ask.obj.closes_at:
        return _("截止时间只能延后；请填写晚于原截止时间的时间。")
    return True


def _visible(actor: Any) -> Q:
    from grants.calls.models import Call  # noqa: PLC0415 - models import this module's machine
    from grants.people.models import Agency  # noqa: PLC0415 - as above

    public = Q(state__in=PUBLIC_STATES) | Q(published_at__isnull=False)
    if getattr(actor, "pk", None) is None:
        return public
    return public | scopes_with(actor, "read_calls", Agency, "agency") | scopes_held(actor, Call, "pk")


call_visible: Rule = row_rule("call_visible", _("公告已公开，或本主办方、承办方人员"), _visible, _("这次征集还没有公开。"))
