"""On which facts a draw moves, who may take part, and who may see it (review.md §4.3)."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grants import clock
from grants.people.permissions import scopes_with
from grants.people.rules import may, not_same_as
from grants.workflow.rules import Answer, Ask, Rule, row_rule, rule
from review.meeting_rules import defends, has_no_meeting
from review.rules import held, names_left, no_other_panel, organiser, panel_is_not_locked
from review.transcript import COMMITTED, FEWEST_PARTIES, PUBLIC_BEACONS, SIMPLE

watcher = may("observe")
host = organiser | watcher
"""Whoever keeps the hour: the organiser or the supervisor."""
stopper = may("approve_calls") & not_same_as("published_by", _("不是公布抽取的人"), _("抽取由您公布，终止须由另一位负责人决定。"))


@rule(_("简易抽取，随机源人人查得到"))
def anybody_can_look_it_up(ask: Ask) -> bool:
    """One hand may enter and draw where a wrong value shows to everybody: a named beacon, not what was thrown in a room."""
    return bool(ask.obj.mode == SIMPLE and ask.obj.announced.get("beacon", {}).get("kind") in PUBLIC_BEACONS)


another_hand = not_same_as("beacon_entered_by", _("不是填写公共随机源的人"), _("公共随机源的结果由您填写，须由另一个人核对依据后抽取。"))
drawer = organiser & (another_hand | anybody_can_look_it_up).renamed(
    "beacon_was_checked", _("不是填写公共随机源的人（简易抽取、随机源公开可查的除外）")
)


@rule(_("承诺方本人"), _("只有公布的承诺方本人可以承诺和公开。"), roles=frozenset({"self"}))
def a_party(ask: Ask) -> Answer:
    ok = ask.obj.parties.filter(user_id=_pk(ask.actor)).exists()
    return Answer(ok, _("只有公布的承诺方本人可以承诺和公开。"), "a_party", "self" if ok else "")


@rule(_("没有进行中的抽取"), _("这件事已有进行中的抽取，请先完成或终止它。"))
def no_other_draw(ask: Ask) -> bool:
    """One draw per event; a failed one stays visible."""
    return not ask.obj.of_the_same_matter().exclude(state__in=("drawn", "failed")).exists()


@rule(_("还没有抽出"))
def nothing_to_replace(ask: Ask) -> object:
    """A draw whose outcome displeases is not repeated."""
    if ask.obj.about == "panel":
        return no_other_panel.answer(ask)
    if ask.obj.about == "tie":
        return lots_are_wanted(ask)
    return (panel_is_not_locked & defends & has_no_meeting).answer(ask)


def lots_are_wanted(ask: Ask) -> object:
    """Equals wait for a lot, the results are out to the panel, and no ruling may still change who is equal."""
    from review.results import waiting_for_lots  # noqa: PLC0415 - reads the models

    panel = ask.obj.panel
    if panel.state != "scored" or held(panel) or not waiting_for_lots(panel):
        return _("没有等待抽签的同分申报。评分锁定、结果公布以后，同分规则规定抽签的才抽，只抽一次。")
    if panel.rulings.filter(state="proposed").exists():
        return _("还有对偏离评分的处理意见没有决定，请先决定或撤回，再抽签。")
    return True


@rule(_("同名线索已全部核实"))
def pool_has_no_namesakes(ask: Ask) -> object:
    """Before experts are announced, and once more before they are drawn: a bid may have been corrected in between."""
    from review.conflict_checks import handed_in  # noqa: PLC0415 - reads the models
    from review.drawing import pool_of  # noqa: PLC0415 - as above
    from review.namesake_checks import unsettled  # noqa: PLC0415 - as above

    if ask.obj.about != "panel":
        return True
    announced = {code for code, _seat in ask.obj.announced["pool"]}
    pool = [e for e in pool_of(ask.obj.call) if e.code in announced]
    return names_left(unsettled(pool, list(handed_in(ask.obj.call))), ask.obj.call)


@rule(_("再次抽取写明理由"))
def numbered_with_reason(ask: Ask) -> object:
    """Never a second seed without a reason and a number (review.md §4.3), whatever became of the earlier draws: drawn, voided or stopped."""
    if ask.obj.number == 1 or ask.obj.reason.strip():
        return True
    return _("这件事已经抽取过 %(n)d 次，再抽一次须写明理由（“再次抽取的理由”一栏）；以前的抽取仍然公开可见。") % {"n": ask.obj.number - 1}


@rule(_("承诺方齐备"), _("多方抽取至少要有三个不同的人作承诺方，其中至少一人不属于主办方。"))
def parties_are_named(ask: Ask) -> object:
    if ask.obj.mode == SIMPLE:
        return _("简易抽取没有承诺方：公共随机源产生以后填写结果，然后抽取。")
    users = set(ask.obj.parties.values_list("user_id", flat=True))
    return len(users) >= FEWEST_PARTIES


@rule(_("承诺已截止，或是简易抽取"), _("多方抽取要先承诺，截止以后才填写公共随机源。"))
def commitments_are_over(ask: Ask) -> bool:
    return bool(ask.obj.mode == SIMPLE or ask.obj.state == "revealing")


@rule(_("异议时间已过"))
def challenges_over(ask: Ask) -> object:
    until = ask.obj.challenge_until
    if until is None or clock.now() >= until:
        return True
    return _("名单公布后的异议时间到 %(until)s 为止，此后才能承诺。") % {"until": until.astimezone(clock.TZ).strftime("%Y-%m-%d %H:%M")}


@rule(_("回避申请已全部决定"))
def challenges_decided(ask: Ask) -> object:
    from review.models import Challenge  # noqa: PLC0415

    left = Challenge.objects.filter(bid__call_id=ask.obj.call_id, state="filed").count()
    return True if not left else _("还有 %(n)d 份回避申请没有决定，请先决定；成立的，终止本次抽取并重新公布名单。") % {"n": left}


@rule(_("本人还没有承诺"), _("您已经承诺过，承诺不能更换。"))
def has_not_committed(ask: Ask) -> bool:
    return ask.obj.parties.filter(user_id=_pk(ask.actor), sha256="").exists()


@rule(_("各方都已承诺"))
def all_committed(ask: Ask) -> object:
    left = list(ask.obj.parties.filter(sha256="").values_list("name", flat=True))
    return True if not left else _("还没有承诺的：%(who)s。") % {"who": "、".join(left)}


@rule(_("公共随机源尚未产生"), _("指定的公共随机源已经产生，承诺没有在此之前完成；请终止本次抽取，另行公布一个将来的随机源。"))
def beacon_is_ahead(ask: Ask) -> bool:
    """The commitments must be closed before anybody can know the beacon."""
    return bool(clock.now() < ask.obj.beacon_due)


@rule(_("公共随机源已经产生"))
def beacon_has_fallen(ask: Ask) -> object:
    due = ask.obj.beacon_due
    return True if clock.now() >= due else _("公共随机源要到 %(due)s 才产生。") % {"due": due.astimezone(clock.TZ).strftime("%Y-%m-%d %H:%M")}


@rule(_("随机源还没有填写"), _("公共随机源的结果已经填写，只填一次；填错的，由负责人终止本次抽取并重新公布。"))
def beacon_is_open(ask: Ask) -> bool:
    return not ask.obj.beacon_value


@rule(_("本人还没有公开"), _("您的随机数已经公开。"))
def has_not_revealed(ask: Ask) -> bool:
    return ask.obj.parties.filter(user_id=_pk(ask.actor), revealed="").exists()


@rule(_("有人逾期没有公开"), _("各方都已公开，不需要启用密封副本。"))
def somebody_is_silent(ask: Ask) -> bool:
    return ask.obj.parties.filter(revealed="").exists()


@rule(_("各方都已公开，随机源已填写"))
def ready_to_draw(ask: Ask) -> object:
    if not (fell := beacon_has_fallen.answer(ask)).ok:
        return fell
    if ask.obj.mode == COMMITTED and ask.obj.state == "published":
        return _("多方抽取要先承诺、再公开，不能直接抽取。")
    left = list(ask.obj.parties.filter(revealed="").values_list("name", flat=True))
    if left:
        return _("还没有公开的：%(who)s。逾期由监督启用密封副本，不重抽。") % {"who": "、".join(left)}
    return True if ask.obj.beacon_value else _("公共随机源的结果还没有填写。")


@rule(_("公布以后情况没有变"))
def still_as_announced(ask: Ask) -> object:
    """What was announced is what is drawn: the same bids, and nothing that forbade the announcement has come since."""
    draw = ask.obj
    if not (answer := nothing_to_replace.answer(ask)).ok:
        return answer
    if draw.about == "panel":
        return challenges_decided.answer(ask) if draw.mode == SIMPLE else True
    if sorted(code for code, _seat in draw.announced["pool"]) == sorted(draw.codes_now()):
        return True
    return _("公布以后申报名单变了，不能照原来的名单抽取。请由另一位负责人终止本次抽取，再重新公布。")


def _visible(actor: Any) -> Q:
    from grants.calls.models import Call  # noqa: PLC0415
    from grants.people.models import Agency  # noqa: PLC0415
    from review.models import DrawParty  # noqa: PLC0415

    desk = scopes_with(actor, "read_calls", Agency, "call__agency")
    mandate = scopes_with(actor, "convene_panels", Call, "call") | scopes_with(actor, "observe", Call, "call")
    return desk | mandate | Q(pk__in=DrawParty.objects.filter(user_id=_pk(actor), user__isnull=False).values("draw_id"))


draw_visible: Rule = row_rule("draw_visible", _("主办方、承办方、监督、审计和承诺方"), _visible, _("这里只对办理抽取的人开放；公开的抽取记录在公示广场。"))


def _pk(actor: Any) -> Any:
    return getattr(actor, "pk", None)
