"""Who makes, rehearses and uses the key of a sealed call, and when (ADR 22)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bidding import sealing_bundle
from grants import clock
from grants.people.permissions import scopes_with
from grants.people.rules import may
from grants.workflow.rules import Answer, Ask, Rule, row_rule, rule

SEALED = "sealed"
USABLE = ("made", "ready", "opened")
"""States of a key that has not been replaced."""

dealer = may("draft_calls")


def is_sealed_call(call: Any) -> bool:
    """Whether a call's rules in force want sealed bids."""
    return call.rules_version is not None and str(call.rules.sealing) == SEALED


@rule(_("是本征集的开标人"), _("只有本次征集的开标人可以办理。"), roles=frozenset({"custodian"}))
def custodian(ask: Ask) -> Answer:
    """Whoever holds one of the officers' keys that this call's key was made for."""
    user: Any = getattr(ask.actor, "pk", None)
    ok = ask.obj.officers.filter(user_id=user).exists()
    return Answer(ok, _("只有本次征集的开标人可以办理。"), "custodian", "custodian")


@rule(_("征集须密封投标"), _("本次征集的规则不要求密封投标；如需密封，请先在征集规则的“密封”一项中选择。"))
def call_is_sealed(ask: Ask) -> bool:
    return is_sealed_call(ask.obj.call)


@rule(_("征集尚未开始受理"), _("已经开始受理，密钥不能再更换：已收到的投标将无法打开。"))
def not_yet_open(ask: Ask) -> bool:
    return ask.obj.call.state in ("draft", "pending", "published")


@rule(_("没有其他可用的密钥"), _("本次征集已经有密钥；要重做，请先更换原来的密钥。"))
def no_other_key(ask: Ask) -> bool:
    others = type(ask.obj)._base_manager.filter(call_id=ask.obj.call_id, state__in=USABLE)
    return not others.exclude(pk=ask.obj.pk).exists()


@rule(_("每一组都演练过"))
def all_rehearsed(ask: Ask) -> object:
    """Every group of M officers has opened the test envelope: most lost keys are found here, before anybody bids."""
    left = [share.title for share in ask.obj.shares.filter(rehearsed_at=None)]
    if not left:
        return True
    return _("还有 %(n)d 组没有演练开标：%(which)s。") % {"n": len(left), "which": "；".join(left)}


@rule(_("征集已公布、尚未截止"), _("征集没有公布或已经截止，不再登记封标程序。"))
def bids_may_come(ask: Ask) -> bool:
    return ask.obj.call.state in ("published", "open")


@rule(_("网页发出的封标程序与最近公告的不同"), _("网页发出的封标程序就是最近公告的那一份。"))
def program_has_changed(ask: Ask) -> bool:
    """A key from before programs were announced has none: the one that is served is announced then."""
    last = ask.obj.programs.last()
    return last is None or last.fingerprint != sealing_bundle.fingerprint()


@rule(_("已截止，且等待期已过"))
def time_to_open(ask: Ask) -> object:
    """After the deadline, once what was in at the door in time is written down, and the call itself has closed."""
    call = ask.obj.call
    if call.state in ("draft", "pending", "published", "open"):
        return _("征集还没有截止，任何人都不能开标。")
    if call.state == "cancelled":
        return _("征集已经终止，收到的投标不再打开。")
    opens = call.closes_at + timedelta(seconds=settings.SUBMISSION_DRAIN)
    return True if ask.now >= opens else _("截止前送达的投标还在登记，请稍候再开标。")


@rule(_("没有参加过同一次签署"), _("您已经签署过这份开标记录。"))
def not_signed_yet(ask: Ask) -> bool:
    user: Any = getattr(ask.actor, "pk", None)
    return not ask.obj.record_row.signatures.filter(user_id=user).exists()


@rule(_("参加了开标"), _("开标记录由参加开标的人签署；您没有参加这次开标。"))
def took_part(ask: Ask) -> bool:
    user: Any = getattr(ask.actor, "pk", None)
    names = ask.obj.record_row.officers
    return bool(ask.obj.officers.filter(user_id=user, name__in=names).exists())


def _visible(actor: Any) -> Q:
    from grants.calls.models import Call  # noqa: PLC0415 - models import this module through the machine
    from grants.people.models import Agency  # noqa: PLC0415

    user: Any = getattr(actor, "pk", None)
    desk = scopes_with(actor, "read_calls", Agency, "call__agency")
    there = scopes_with(actor, "screen_bids", Call, "call") | scopes_with(actor, "observe", Call, "call")
    return desk | there | Q(officers__user_id=user)


seal_visible: Rule = row_rule(
    "seal_visible", _("主办方、承办方、监督、审计和开标人"), _visible, _("开标的办理页面只对有关人员开放。")
)


@rule(_("密封投标的开标密钥已演练"))
def seal_is_ready(ask: Ask) -> object:
    """The gate of a sealed call: it does not open for bids before every group has rehearsed. Other calls pass."""
    call = ask.obj
    if not is_sealed_call(call):
        return True
    from bidding.models import SealKey  # noqa: PLC0415 - as above

    key = SealKey.objects.filter(call=call, state__in=USABLE).first()
    if key is None:
        return _("本次征集须密封投标，还没有制作开标密钥；请在征集页面办理“开标密钥”。")
    if key.state == "made":
        return _("开标密钥还没有演练完毕，每一组开标人都打开过测试信封才能开始受理。")
    return True


@rule(_("密封投标已开标"))
def bids_are_opened(ask: Ask) -> object:
    """What needs a bid's content waits until a sealed bid is open."""
    return _("这份投标还密封着，开标之前谁也看不到内容。") if ask.obj.is_sealed else True


@rule(_("密封投标经封标提交"), _("本次征集须密封投标：请在“密封投标”页面封标后提交。"))
def not_under_seal(ask: Ask) -> bool:
    """The ordinary submission is for calls without seals, and for bids returned for correction after their opening."""
    return not ask.obj.is_sealed


@rule(_("本次征集须密封投标"), _("本次征集不密封，请照常填写并提交。"))
def under_seal(ask: Ask) -> bool:
    return bool(ask.obj.is_sealed)


@rule(_("已开标，或开标时没有打开"), _("这份投标还密封着，开标以后再作结论。"))
def opened_or_failed(ask: Ask) -> object:
    """A bid that did not open and was not restored may be refused, after a loss of keys once its kept copy may come no more; not before anybody tried."""
    if not ask.obj.is_sealed:
        return True
    key = lost_key(ask.obj) if ask.obj.seal_refusal else None
    if key is not None and ask.now < key.kept_until:
        return _("开标密钥丢失，投标单位可以上传留存包到 %(day)s；那以后再作结论。") % {"day": key.kept_last_day.isoformat()}
    return bool(ask.obj.seal_refusal)


@rule(_("还在收投标留存包"))
def kept_copies_are_taken(ask: Ask) -> object:
    """After a loss of keys kept copies are taken until the day that was declared; a single bid that did not open has no such day."""
    key = lost_key(ask.obj) if ask.obj.seal_refusal else None
    if key is None or ask.now < key.kept_until:
        return True
    told = {"day": key.kept_last_day.isoformat()}
    return _("投标留存包收到 %(day)s 为止，已经过了，这份投标不能再恢复。主办方会作出不予受理的结论并写明理由；有异议的，可以向主办方书面提出。") % told


def lost_key(bid: Any) -> Any:
    """The key of a bid's call if its loss was declared with a day until when kept copies are taken, or None. One query."""
    from bidding.models import SealKey  # noqa: PLC0415 - as above

    return SealKey.objects.filter(call_id=bid.call_id, state="opened", lost_declared_by__isnull=False, kept_until__isnull=False).first()


@rule(_("开标时没有打开"), _("只有开标时没有打开的投标，才需要用留存包恢复。"))
def did_not_open(ask: Ask) -> bool:
    """Opening has been tried and failed for the version that counts."""
    return bool(ask.obj.is_sealed and ask.obj.seal_refusal)


def opened_on(call: Any) -> Any:
    """When a sealed call was opened, or None."""
    from bidding.models import SealKey  # noqa: PLC0415 - as above

    key = SealKey.objects.filter(call=call, state="opened").first()
    return None if key is None else key.opened_at


def opening_due(now: Any = None) -> Q:
    """Keys whose call has closed and whose bids wait to be opened."""
    past = (now or clock.now()) - timedelta(seconds=settings.SUBMISSION_DRAIN)
    return Q(state="ready", call__state="closed", call__closes_at__lte=past)
