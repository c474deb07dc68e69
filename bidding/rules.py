"""On which facts a bid moves, who may take it there, and who may see it."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bidding.declared import due_at, missing
from grants import clock
from grants.people.permissions import permissions_of, scopes_with
from grants.people.rules import may
from grants.workflow.refusals import Sentence
from grants.workflow.rules import Ask, Rule, row_rule, rule

AFTER_CLOSING = ("closed", "decided", "archived")


@rule(_("本次征集正在受理"))
def call_is_open(ask: Ask) -> object:
    """Late is late to the second: at `closes_at` itself the call is closed （电子签名法 §11: time of entering the system)."""
    call = ask.obj.call
    if call.state == "cancelled":
        return _("本次征集已经终止，不再受理申报。")
    if call.closes_at is not None and clock.arrived() >= call.closes_at:
        return _too_late(call)
    if call.state not in ("published", "open") or call.opens_at is None or ask.now < call.opens_at:
        return _("本次征集还没有开始受理。")
    return True


def _too_late(call: Any) -> Sentence:
    from grants.calls.downtime import still_owed  # noqa: PLC0415 - models import this module through the machine

    if call.state == "open" and still_owed(call, clock.now()):
        return _("已到截止时间；登记的系统故障等待负责人确认顺延，确认后会通知您，届时可以继续提交。")
    at = call.closes_at.astimezone(clock.TZ)
    return _("受理已于 %(at)s（北京时间）截止，迟一秒也不受理。如有系统故障，请在公示期前向主办方书面说明。") % {
        "at": at.strftime("%Y-%m-%d %H:%M:%S")
    }


@rule(_("补正期限未过"))
def correction_in_time(ask: Ask) -> object:
    due = ask.obj.correction_due_at
    if due is not None and clock.arrived() >= due:
        return _("补正期限已过，申报不能再提交。")
    return True


@rule(_("受理期内，或补正期内"))
def in_time(ask: Ask) -> Any:
    """While drafting, the call must be open; while correcting, the correction clock counts instead."""
    if ask.obj.state == "returned":
        return correction_in_time.answer(ask)
    return call_is_open.answer(ask)


@rule(_("受理期内的工作稿，或补正期内的退回稿"))
def working_copy_open(ask: Ask) -> Any:
    """Whether the working copy may still be edited; after the deadline what was submitted stands."""
    if ask.obj.is_sealed:
        return _("本次征集须密封投标，系统里不存工作稿；请在“密封投标”页面填写，草稿只存在您的电脑上。")
    if ask.obj.state in ("draft", "submitted", "withdrawn", "returned"):
        return in_time.answer(ask)
    return _("申报已有结论或已逾期，内容不能再修改。")


@rule(_("申报书完整且合规"))
def is_complete(ask: Ask) -> object:
    """Sections, budget, attachments, caps, limits and identity as the call's rules ask; the first problems are named."""
    from bidding.completeness import problems  # noqa: PLC0415 - models import this module through the machine

    found = problems(ask.obj)
    if not found:
        return True
    shown = " ".join(str(p.sentence) for p in found[:3])
    return _("申报书还有 %(n)d 处要改：%(shown)s") % {"n": len(found), "shown": shown}


@rule(_("单位已核验"), _("单位信息还没有通过核验。核验与填写可以同时进行，但提交申报书前必须完成核验。"))
def organisation_verified(ask: Ask) -> bool:
    return bool(ask.obj.organisation.state == "verified")


@rule(_("已确认最新规则"))
def rules_acknowledged(ask: Ask) -> object:
    """An addendum must be acknowledged before a bid is submitted under it."""
    if ask.obj.rules_version_id == ask.obj.call.rules_version_id:
        return True
    return _("主办方发布了补充公告，请先阅读差异并确认，再提交。")


COUNTED = ("submitted", "returned", "admitted", "rejected")


@rule(_("在申报数量限额内"))
def within_bid_limit(ask: Ask) -> object:
    """At most `bids_per_organisation` submitted bids of one organisation in one call (domain §3.4)."""
    bid = ask.obj
    limit = bid.rules.eligibility.bids_per_organisation
    _queue_up(bid.organisation)
    others = type(bid)._base_manager.filter(call_id=bid.call_id, organisation_id=bid.organisation_id)
    n = others.filter(state__in=COUNTED).exclude(pk=bid.pk).count()
    if n >= limit:
        return _("本次征集每个单位限报 %(limit)d 项，贵单位已提交 %(n)d 项；如要更换，请先撤回原申报。") % {"limit": limit, "n": n}
    return True


def _queue_up(organisation: Any) -> None:
    """Inside the door's transaction, hold the organisation's row: two of its bids submitted at once are counted one after the other.

    Bids are different rows, so the door's own lock does not keep them apart. A page that only asks takes no lock.
    """
    if transaction.get_connection().in_atomic_block:
        rows = type(organisation)._base_manager.select_for_update(no_key=True).filter(pk=organisation.pk)
        list(rows.values_list("pk"))


@rule(_("不是承办方"), _("承办方不能在自己承办的征集中申报（政府采购法实施条例第十八条）。"))
def not_the_operator(ask: Ask) -> bool:
    return ask.obj.organisation_id != ask.obj.call.operator_id


@rule(_("征集已截止"), _("受理截止前不审查，以免提前知悉申报内容。"))
def call_is_closed(ask: Ask) -> bool:
    call = ask.obj.call
    return call.state in AFTER_CLOSING and ask.now >= call.closes_at


@rule(_("资格审查逐项有结论"))
def screening_done(ask: Ask) -> object:
    """Every eligibility rule has a finding, machine-made or a clerk's with evidence, and none fails."""
    from bidding.screening import open_findings  # noqa: PLC0415

    undecided, failed = open_findings(ask.obj)
    if failed:
        return _("有 %(n)d 项资格不合格：%(what)s。应退回补正或不予受理。") % {"n": len(failed), "what": "；".join(failed[:3])}
    if undecided:
        return _("还有 %(n)d 项资格没有结论：%(what)s。") % {"n": len(undecided), "what": "；".join(undecided[:3])}
    return True


@rule(_("声明的附件已补交"))
def declared_files_here(ask: Ask) -> object:
    """Files declared before the deadline have followed; whoever did not send them is asked to correct, or refused."""
    lacking, due = missing(ask.obj), due_at(ask.obj)
    if not lacking or due is None:
        return True
    names = "、".join(row.name for row in lacking[:3])
    if ask.now < due:
        at = due.astimezone(clock.TZ).strftime("%Y-%m-%d %H:%M")
        return _("声明的附件还没有补交：%(names)s；补交时间到 %(at)s，请届时再审查。") % {"names": names, "at": at}
    return _("声明的附件没有在规定时间内补交：%(names)s。应退回补正或不予受理。") % {"names": names}


@rule(_("未超过补正次数"), _("补正机会只有一次，请作出受理或不予受理的结论。"))
def not_yet_corrected(ask: Ask) -> bool:
    return ask.obj.corrections == 0


@rule(_("不任职于申报单位或其托管组织"), _("您任职于申报单位或其托管组织，不能审查这份申报。"))
def without_interest(ask: Ask) -> bool:
    return not belongs_to(ask.obj, ask.actor)


def belongs_to(bid: Any, person: Any) -> bool:
    """Whether a person holds any role in the applicant or its sponsor."""
    return any(permissions_of(person, body) for body in (bid.organisation, bid.sponsor) if body is not None)


def _visible(actor: Any) -> Q:
    """Before the deadline nobody but the applicant (and its sponsor) sees a bid; afterwards whoever reads the call's files."""
    from grants.calls.models import Call  # noqa: PLC0415
    from grants.people.models import Agency, Organisation  # noqa: PLC0415

    own = scopes_with(actor, "see_bids", Organisation, "organisation") | scopes_with(actor, "sponsor", Organisation, "sponsor")
    desk = scopes_with(actor, "read_calls", Agency, "call__agency") | scopes_with(actor, "screen_bids", Call, "call")
    return own | (handed_in() & desk)


def handed_in() -> Q:
    """Bids that were submitted, not withdrawn, in a call whose deadline has passed: what the agency received.

    A sealed bid counts from its opening on, also when it did not open.
    """
    closed = Q(call__state__in=AFTER_CLOSING) | Q(call__state="cancelled", call__closes_at__lte=clock.now())
    readable = Q(sealed=False) | Q(opened_at__isnull=False) | ~Q(seal_refusal="")
    return closed & readable & ~Q(number="") & ~Q(state="withdrawn")


bid_visible: Rule = row_rule(
    "bid_visible", _("本单位人员；截止后的主办方、承办方、审计人员"), _visible, _("受理截止前，申报内容只有申报单位自己可见。")
)

applicant = may("sign_for", on="organisation")
writer = may("write_bids", on="organisation") | applicant
screener = may("screen_bids") & without_interest
screens_calls = may("screen_bids")
reads_calls = may("read_calls", on="agency") | screens_calls
