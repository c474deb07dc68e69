"""On which facts a panel and a review move, and who may see them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grants import clock
from grants.people.permissions import scopes_held, scopes_with
from grants.people.rules import is_the, may
from grants.workflow.rules import Answer, Ask, Rule, row_rule, rule, the_clock

convener = may("convene_panels")
is_an_expert = is_the("user", "expert", _("专家本人"), _("只有专家本人可以申报自己的利害关系。"))


@rule(_("本人不申报、不任职于申报单位"), _("您任职于本次征集的申报单位，不能组织它的评审。"))
def convenes_without_interest(ask: Ask) -> bool:
    """Nobody who belongs to a bidder or to its host arranges, assigns, locks or voids in that call."""
    from bidding.models import Bid  # noqa: PLC0415
    from grants.people.models import Organisation  # noqa: PLC0415

    held = scopes_held(ask.actor, Organisation, "organisation") | scopes_held(ask.actor, Organisation, "sponsor")
    return not Bid.objects.filter(held, call_id=ask.obj.call.pk).exclude(state="draft").exists()


@rule(_("本人不在这次评审组中"), _("您是本次评审组的专家，组织评审与评分须由不同的人承担。"))
def does_not_score(ask: Ask) -> bool:
    from review.models import PanelMember  # noqa: PLC0415

    seats = PanelMember.objects.filter(panel__call_id=ask.obj.call.pk, expert__user_id=_pk(ask.actor))
    return not seats.exists()


organiser = convener & convenes_without_interest & does_not_score


@rule(_("没有进行中的评审组"), _("这次征集已有进行中的评审组，不能再抽一次；抽取只进行一次，缺员由候补补上。"))
def no_other_panel(ask: Ask) -> object:
    """One draw per event: a draw whose outcome displeases is not repeated (review.md §4.3). A further panel is for bids that no panel has."""
    from review.models import Review  # noqa: PLC0415 - reads these rules

    panels = ask.obj.call.panels
    if panels.filter(state__in=("forming", "scoring")).exists():
        return False
    taken = Review.objects.filter(panel__call=ask.obj.call).values("bid_id")
    if panels.exists() and not ask.obj.call.bids.filter(state__in=("submitted", "returned", "admitted")).exclude(pk__in=taken).exists():
        return _("全部申报都已有评审组评审，没有可以再组一个评审组的申报。")
    return True


@rule(_("征集已截止"), _("受理截止后才能组建评审组，以免提前知悉谁在申报。"))
def call_has_closed(ask: Ask) -> bool:
    return bool(ask.obj.call.state == "closed")


@rule(_("资格审查已全部结束"))
def screening_finished(ask: Ask) -> object:
    from bidding.models import Bid  # noqa: PLC0415

    left = Bid.objects.filter(call_id=ask.obj.call_id, state__in=("submitted", "returned")).count()
    if left:
        return _("还有 %(n)d 份申报没有审查结论，资格审查全部结束后才能开始评审。") % {"n": left}
    return True


@rule(_("专家人数与构成符合规则"))
def panel_is_complete(ask: Ask) -> object:
    from review.panels import missing_seats  # noqa: PLC0415

    missing = missing_seats(ask.obj)
    return True if not missing else _("评审组还缺：%(what)s。请补抽专家。") % {"what": "、".join(map(str, missing))}


@rule(_("每份申报都分配到足够的专家"))
def every_bid_assigned(ask: Ask) -> object:
    from review.panels import bids_of, under_reviewed  # noqa: PLC0415

    if not bids_of(ask.obj):
        return _("没有进入评审的申报，不能开始评分。")
    short = under_reviewed(ask.obj)
    return True if not short else _("以下申报分配的专家不足：%(what)s。请先分配。") % {"what": "、".join(map(str, short[:5]))}


@rule(_("有效评分已达到规定份数"))
def ballots_are_in(ask: Ask) -> object:
    """Every open review is handed in, and every bid has at least the minimum of valid ballots (review.md §2.6)."""
    from review.panels import outstanding  # noqa: PLC0415

    left = outstanding(ask.obj)
    return True if not left else _("还有 %(n)d 份评分没有交齐，例如：%(what)s。") % {"n": len(left), "what": str(left[0])}


@rule(_("其他分项已录入"))
def other_scores_are_in(ask: Ask) -> object:
    """Residents, pledges, public vote, site check and objective criteria are entered once for every bid before results exist."""
    from review.other_scores import missing  # noqa: PLC0415

    left = missing(ask.obj)
    return True if not left else _("还有 %(n)d 项分数没有录入，例如：%(what)s。") % {"n": len(left), "what": str(left[0])}


@rule(_("密封完整"))
def seals_are_whole(ask: Ask) -> object:
    """Every ballot opens and is the one the ledger names; what was altered in the database is never counted and never passed over."""
    from review.opening import broken  # noqa: PLC0415

    found = broken(ask.obj)
    if not found:
        return True
    return _("有 %(n)d 份评分的密封被改动或打不开，例如：%(what)s。请从备份恢复；恢复不了的作废并由专家重评，系统会记入台账。") % {
        "n": len(found), "what": f"{found[0].expert.code} · {found[0].bid.number}",
    }  # fmt: skip


@rule(_("偏离较大的评分已说明理由"))
def deviations_are_explained(ask: Ask) -> object:
    """A ballot far from its panel's mean needs a written reason before results open to anybody (review.md §4.5)."""
    from review.panels import unexplained  # noqa: PLC0415

    left = unexplained(ask.obj)
    if not left:
        return True
    return _("有 %(n)d 位专家的评分触发偏离提醒，还没有书面理由：%(what)s。请专家说明理由，或取回修改后再锁定。") % {
        "n": len(left),
        "what": "、".join(map(str, left[:5])),
    }


@rule(_("没有未处理的利害关系"))
def conflicts_are_settled(ask: Ask) -> object:
    """Asked a last time before results exist: a conflict found late voids the ballot, it is never averaged away."""
    from review.conflict_checks import late_hits  # noqa: PLC0415

    hits = late_hits(ask.obj)
    if not hits:
        return True
    return _("有 %(n)d 份评分的专家存在应当回避的情形，例如：%(what)s。请先作废并由候补专家补评。") % {
        "n": len(hits),
        "what": str(hits[0]),
    }


@rule(_("同名线索已全部核实"))
def namesakes_are_settled(ask: Ask) -> object:
    """Asked of a panel: nobody sits down while a name suggests that they are somebody of the bid (review.md §2.1: decide on codes)."""
    from review.namesake_checks import unsettled  # noqa: PLC0415 - reads the models
    from review.panels import bids_of  # noqa: PLC0415

    experts = [m.expert for m in ask.obj.members.select_related("expert__user")]
    return names_left(unsettled(experts, list(bids_of(ask.obj))), ask.obj.call)


@rule(_("同名线索已全部核实"))
def judges_names_are_settled(ask: Ask) -> object:
    """Asked again before results exist and before they leave the panel, of whoever's ballot counts: an employer may have been entered since."""
    from review.namesake_checks import unsettled_of_judges  # noqa: PLC0415 - as above

    return names_left(unsettled_of_judges(ask.obj), ask.obj.call)


def names_left(left: list[Any], call: Any) -> object:
    if not left:
        return True
    first = left[0]
    return _(
        "还有 %(n)d 条同名线索没有核实，例如：专家 %(code)s 与申报 %(bid)s。请打开“%(call)s”的“核实同名线索”页面（评审组和抽取页面、首页待办都有链接），"
        "由一人提出是否应当回避并写明理由，另一人决定。"
    ) % {"n": len(left), "code": first.expert.code, "bid": first.bid.number, "call": call}


@rule(_("评审组成员已全部签署"))
def everybody_signed(ask: Ask) -> object:
    """Every member signs the report; dissent is written with reasons （政府采购法实施条例 §41)."""
    unsigned = [str(m.expert) for m in _sitting(ask.obj).filter(signed_at=None).select_related("expert__user")]
    return True if not unsigned else _("还没有签署评审报告的成员：%(who)s。") % {"who": "、".join(unsigned)}


@rule(_("还没有人签署"), _("已经有成员签署评审报告，建议金额不能再改。"))
def nobody_signed(ask: Ask) -> bool:
    return not _sitting(ask.obj).filter(signed_at__isnull=False).exists()


def _pk(actor: Any) -> Any:
    """The person's key; None for the clock and the public."""
    return getattr(actor, "pk", None)


def _sitting(panel: Any) -> Any:
    return panel.members.filter(alternate=False, excused=False)


@rule(_("是评审组成员"), _("只有本评审组的成员可以签署评审报告。"), roles=frozenset({"expert"}))
def a_member(ask: Ask) -> Answer:
    ok = _sitting(ask.obj).filter(expert__user_id=getattr(ask.actor, "pk", None)).exists()
    return Answer(ok, _("只有本评审组的成员可以签署评审报告。"), "a_member", "expert")


@rule(_("本人还没有签署"), _("您已经签署了这份评审报告，不需要再签。"))
def has_not_signed(ask: Ask) -> bool:
    return _sitting(ask.obj).filter(expert__user_id=getattr(ask.actor, "pk", None), signed_at=None).exists()


@rule(_("名次已经定下"))
def nothing_is_pending(ask: Ask) -> object:
    """Nobody signs a ranking in which a lot is still to be drawn or a ruling on a ballot is still to be decided."""
    from review.results import waiting_for_lots  # noqa: PLC0415 - reads the models
    from review.ruling_rules import rulings_are_decided  # noqa: PLC0415 - reads these rules

    answer = rulings_are_decided.answer(ask)
    if not answer.ok:
        return answer.sentence
    left = waiting_for_lots(ask.obj)
    return True if not left else _("%(what)s 同分，按同分规则须先公开抽签，再签署评审报告。") % {"what": "、".join(left[:5])}


@rule(_("本人还没有答复邀请"), _("您已经接受了邀请，不需要再答复。"))
def has_not_joined(ask: Ask) -> bool:
    return _sitting(ask.obj).filter(expert__user_id=_pk(ask.actor), joined_at=None).exists()


@rule(_("本人还没有提交过评分"), _("您已经提交过评分，不能整体谢绝。如有利害关系，请逐份回避。"))
def has_not_begun(ask: Ask) -> bool:
    return not ask.obj.reviews.filter(expert__user_id=_pk(ask.actor), state="submitted").exists()


@rule(_("今天还没有催办过"), _("今天已经催办过一次。每天至多催办一次，请明天再催，或直接联系专家。"))
def not_reminded_today(ask: Ask) -> bool:
    """A clock that was asked twice a day becomes noise nobody reads."""
    return bool(ask.obj.reminded_on != clock.today())


@rule(_("规则设有讨论后再次评分"), _("本次征集的规则没有讨论后再次评分，每份申报只评一次。"))
def second_ballots_foreseen(ask: Ask) -> bool:
    return ask.obj.rules.review.second_ballot is not None


@rule(_("还没有开启讨论"), _("讨论已经开启，不需要再开一次。"))
def not_discussed_yet(ask: Ask) -> bool:
    return ask.obj.discussed_at is None


@rule(_("讨论已按规则进行"))
def discussion_was_held(ask: Ask) -> object:
    """Where the rules promise a second ballot, the panel is not locked before there was time to give one."""
    foreseen, since = ask.obj.rules.review.second_ballot, ask.obj.discussed_at
    if foreseen is None:
        return True
    if since is None:
        return _("规则设有讨论后再次评分，请先开启讨论，再锁定评分。")
    until = since + timedelta(hours=foreseen.hours)
    if clock.now() >= until:
        return True
    return _("讨论后再次评分开放到 %(until)s，此后才能锁定。") % {"until": until.astimezone(clock.TZ).strftime("%Y-%m-%d %H:%M")}


@rule(_("结果已经公布"), _("答辩会的结果还没有公布，请先由组长公布结果。"))
def results_are_out(ask: Ask) -> bool:
    """Where a defence meeting was held nobody reads a total before the chair releases it; elsewhere locking publishes to the panel."""
    return not held(ask.obj)


def held(panel: Any) -> bool:
    """Whether the results of this panel are still held back by its meeting."""
    meeting = getattr(panel, "meeting", None)
    return meeting is not None and meeting.state != "released"


NOT_HELD = Q(meeting=None) | Q(meeting__state="released")
"""`held`, negated, as a question to the database about panels."""
RESULTS_OUT = Q(panel__state__in=("scored", "concluded")) & (Q(panel__meeting=None) | Q(panel__meeting__state="released"))
"""Of rows that belong to a panel (reviews, results): the panel is locked and its results may be seen."""


@rule(_("评审组正在评分"), _("评审组现在不在评分阶段，评分不能提交或修改。"))
def panel_is_scoring(ask: Ask) -> bool:
    return _panel_state(ask.obj.panel_id) == "scoring"


@rule(_("评分尚未锁定"), _("评分已经锁定，不能再分配、回避或作废。"))
def panel_is_not_locked(ask: Ask) -> bool:
    return _panel_state(ask.obj.panel_id) in ("forming", "scoring")


def _panel_state(panel_id: Any) -> str:
    """The panel's state now, its row held until commit: a ballot taken back while the panel is being locked loses the race."""
    from review.models import Panel  # noqa: PLC0415

    rows = Panel._base_manager.filter(pk=panel_id)
    if connection.in_atomic_block:
        rows = rows.select_for_update()
    return str(rows.values_list("state", flat=True).first())


judge = (may("approve_calls") | convener) & does_not_score
proposer = organiser


@rule(_("第二人"), _("利害关系的排除须由另一人决定：组建评审组的人、发现的人和专家本人都不能自己排除。"))
def second_person(ask: Ask) -> bool:
    """A rejected hit needs a second person: not whoever convened the panel, recorded the finding or proposed (review.md §2.1)."""
    hit = ask.obj
    first = {hit.found_by_id, hit.proposed_by_id, hit.expert.user_id, hit.panel.convened_by_id if hit.panel_id else None}
    return getattr(ask.actor, "pk", None) not in first


def _panel_visible(actor: Any) -> Q:
    from grants.calls.models import Call  # noqa: PLC0415
    from grants.people.models import Agency  # noqa: PLC0415

    desk = scopes_with(actor, "read_calls", Agency, "call__agency")
    mandate = scopes_with(actor, "convene_panels", Call, "call") | scopes_with(actor, "observe", Call, "call")
    return desk | mandate | _seat_of(actor, "")


def _seat_of(actor: Any, path: str) -> Q:
    from review.models import PanelMember  # noqa: PLC0415

    seats = PanelMember.objects.filter(expert__user_id=_pk(actor), alternate=False, excused=False)
    return Q(**{f"{path}pk__in": seats.values("panel_id")})


panel_visible: Rule = row_rule(
    "panel_visible", _("主办方、承办方、监督、审计和评审组成员"), _panel_visible, _("评审组信息不对外公开。")
)


assigner = organiser | the_clock
"""Assignments are made by the organiser; a gap left by a recusal is filled by the clock with the next alternate."""


@rule(_("是评审组组长"), _("只有评审组组长可以办理。"), roles=frozenset({"expert"}))
def chairs(ask: Ask) -> Answer:
    """The same, asked of the panel itself."""
    ok = _sitting(ask.obj).filter(expert__user_id=_pk(ask.actor), chair=True).exists()
    return Answer(ok, _("只有评审组组长可以办理。"), "chairs", "expert")


opens_discussion = organiser | chairs


