"""评审组：组建 → 评分中 → 已锁定 → 已出报告.  评审：已分配 → 已承诺 → 已评分 / 已回避 / 已作废.  答辩会：已排定 → 进行中 → 已公布."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from grants import clock
from grants.workflow.machine import Facts, Machine, Opening, StateField, step
from grants.workflow.refusals import Invalid
from grants.workflow.rules import the_clock
from review import ballot_rules, meeting_rules, rules, swap_rules
from review.correction_rules import no_correction_waits
from review.voiding_rules import no_late_conflict, no_late_conflict_here, still_sealed


class PanelStates(models.TextChoices):
    FORMING = "forming", _("组建中")
    SCORING = "scoring", _("评分中")
    SCORED = "scored", _("评分已锁定")
    CONCLUDED = "concluded", _("已出评审报告")


class ReviewStates(models.TextChoices):
    ASSIGNED = "assigned", _("已分配")
    ACCEPTED = "accepted", _("已承诺")
    SUBMITTED = "submitted", _("已评分")
    RECUSED = "recused", _("已回避")
    VOIDED = "voided", _("已作废")


class MeetingStates(models.TextChoices):
    READY = "ready", _("顺序已抽定")
    RUNNING = "running", _("答辩中")
    RELEASED = "released", _("结果已公布")


class SwapStates(models.TextChoices):
    PROPOSED = "proposed", _("待第二人同意")
    APPROVED = "approved", _("已换人")
    REFUSED = "refused", _("未同意")
    WITHDRAWN = "withdrawn", _("已撤回")


P, R, M, W = PanelStates, ReviewStates, MeetingStates, SwapStates


def written(reason: str) -> str:
    """The reason without blanks around it. Raises Invalid when nothing is left."""
    if not reason.strip():
        raise Invalid(_("请写明理由，理由将记入评审记录。"), rule="reason_given", problems={"reason": [str(_("请写明理由"))]})
    return reason.strip()


class PanelMachine(Machine):
    """一次评审：抽取专家、分配、评分、锁定、签署评审报告。"""

    States = PanelStates
    machine_name = "panel"
    door_select = ("call__agency", "call__rules_version")
    opening: ClassVar[Opening] = Opening(_("组建评审组"), by=rules.organiser, when=(rules.call_has_closed, rules.no_other_panel))
    state = StateField(default=P.FORMING, choices=P.choices)

    class Meta:
        abstract = True

    @step(state, _("发出邀请"), source=[P.FORMING, P.SCORING], to=None, by=rules.organiser, then=["review.invitation"])
    def invite(self, *, fee_note: str = "", meets_at: Any = None, meets_where: str = "") -> Facts:
        """把时间、份数和劳务费写清楚再邀请；改期后可再发一次。"""
        self.fee_note, self.meets_at, self.meets_where = fee_note.strip(), meets_at, meets_where.strip()
        self.invited_at = clock.now()
        return Facts(public={"meets_at": meets_at.isoformat() if meets_at else ""})

    @step(state, _("接受邀请"), source=[P.FORMING, P.SCORING], to=None, by=rules.a_member, when=[rules.has_not_joined])
    def join(self) -> None:
        """成员答复：按时参加评审。"""
        self.seat_of(self.actor).join()

    @step(state, _("谢绝邀请"), source=[P.FORMING, P.SCORING], to=None, by=rules.a_member,
          when=[rules.has_not_begun], then=["review.fill_seat"], danger=True)  # fmt: skip
    def decline(self) -> None:
        """成员不能参加时谢绝，理由只给组织评审的人看；由同席位的候补接替。"""
        self.seat_of(self.actor).decline()

    @step(state, _("开始评分"), source=P.FORMING, to=P.SCORING, by=rules.organiser,
          when=[rules.screening_finished, rules.panel_is_complete, rules.every_bid_assigned, rules.namesakes_are_settled], then=["review.invite"])  # fmt: skip
    def start(self) -> Facts:
        """名单、规则、种子先公布，再开始评分。"""
        return Facts(public={"seed": self.seed, "members": self.members.filter(alternate=False).count()})

    @step(state, _("录入其他分项"), source=[P.FORMING, P.SCORING], to=None, by=rules.organiser)
    def enter_score(self, *, bid: Any, component: str, value: Decimal, basis: str) -> Facts:
        """居民代表、认捐、公众投票、现场核查和客观项，每份申报每项录入一次，由一人写明依据；录入以后要改的，一人提出更正，另一人确认。"""
        return self.write_other_score(bid, component, value, basis)

    @step(state, _("催办"), source=P.SCORING, to=None, by=rules.organiser, when=[rules.not_reminded_today],
          then=["review.remind"])  # fmt: skip
    def remind(self) -> None:
        """给还有评审没有交的成员各写一封信，每天至多一次；信里只有本人的份数。"""
        self.reminded_on = clock.today()

    @step(state, _("开启讨论"), source=P.SCORING, to=None, by=rules.opens_discussion, then=["review.tell_discussing"],
          when=[rules.second_ballots_foreseen, rules.not_discussed_yet, rules.ballots_are_in])  # fmt: skip
    def discuss(self) -> None:
        """评分交齐后由组长或组织评审的人开启讨论；第一次评分从此不能取回，改变看法的写明理由再评一次，两次都封存。"""
        self.discussed_at = clock.now()

    @step(state, _("锁定评分"), source=P.SCORING, to=P.SCORED, by=rules.organiser, then=["review.tell_locked", "review.analyse"],
          when=[rules.ballots_are_in, rules.discussion_was_held, rules.other_scores_are_in, no_correction_waits, rules.conflicts_are_settled,
                rules.judges_names_are_settled, rules.seals_are_whole, rules.deviations_are_explained])  # fmt: skip
    def lock(self) -> Facts:
        """评分交齐后一次拆封、逐份核对承诺值，然后锁定；锁定后才计算和公布结果。"""
        self.locked_by = self.actor
        opened = self.open_ballots()
        self.compute_results()
        return Facts(public={"result": self.result_hash(), "opened": opened, **self.entered()})

    @step(state, _("记录建议金额"), source=P.SCORED, to=None, by=rules.organiser,
          when=[rules.results_are_out, rules.nobody_signed])  # fmt: skip
    def recommend(self, *, bid: Any, amount: Decimal, reason: str) -> Facts:
        """评审组建议的资助金额（元）,不高于申请金额；须在签署报告之前记录。"""
        return self.write_recommendation(bid, amount, reason)

    @step(state, _("签署评审报告"), source=P.SCORED, to=None, by=rules.a_member,
          when=[rules.results_are_out, rules.has_not_signed, rules.nothing_is_pending])  # fmt: skip
    def sign(self, *, dissent: str = "") -> Facts:
        """成员签署；不同意见须写明理由，不写视为同意。"""
        self.members.get(expert__user=self.actor).sign(dissent)
        words = {"dissent": dissent.strip()} if dissent.strip() else {}
        return Facts(public={"dissent": bool(words), "result": self.result_hash()}, private=words)

    @step(state, _("重新开放补评"), source=P.SCORED, to=P.SCORING, by=the_clock)
    def reopen(self) -> Facts:
        """评分拆封后作废的，由候补补评：签署作废，其余评分不动，补评后再锁定、再签署。"""
        before = self.result_hash()
        self.members.update(signed_at=None, dissent="")
        return Facts(public={"result_before": before})

    @step(state, _("出具评审报告"), source=P.SCORED, to=P.CONCLUDED, by=rules.organiser,
          when=[rules.everybody_signed, no_late_conflict, rules.judges_names_are_settled, no_correction_waits], then=["review.print_report"])  # fmt: skip
    def conclude(self) -> Facts:
        """全体签署后出具评审报告，排名生效。"""
        self.concluded_at = clock.now()
        return Facts(public={"result": self.result_hash()})


class ReviewMachine(Machine):
    """一位专家对一份申报的评审。先声明有无利害关系，再打开材料。"""

    States = ReviewStates
    machine_name = "review"
    door_select = ("panel__call__agency", "panel__call__rules_version", "expert__user", "bid__organisation")
    opening: ClassVar[Opening] = Opening(
        _("分配专家"), by=rules.assigner, when=(rules.panel_is_not_locked, ballot_rules.sits_in_panel, ballot_rules.no_conflict)
    )
    state = StateField(default=R.ASSIGNED, choices=R.choices)

    class Meta:
        abstract = True

    @step(state, _("承诺并打开材料"), source=R.ASSIGNED, to=R.ACCEPTED, by=ballot_rules.the_expert,
          when=[rules.panel_is_scoring, ballot_rules.pledge_signed, ballot_rules.no_conflict])  # fmt: skip
    def accept(self, *, pledge: bool) -> Facts:
        """声明无利害关系，承诺独立、保密、廉洁。"""
        self.pledged_at = clock.now()
        self.take_seat()
        return Facts(public={"pledge": pledge})

    @step(state, _("回避"), source=[R.ASSIGNED, R.ACCEPTED, R.SUBMITTED], to=R.RECUSED, by=ballot_rules.the_expert,
          when=[rules.panel_is_not_locked, still_sealed], then=["review.replace"], danger=True)  # fmt: skip
    def recuse(self) -> None:
        """有利害关系或其他影响公正的情形，退出这份评审。"""

    @step(state, _("提交评分"), source=R.ACCEPTED, to=R.SUBMITTED, by=ballot_rules.the_expert,
          when=[rules.panel_is_scoring, ballot_rules.no_conflict, ballot_rules.earlier_stage_is_in, ballot_rules.draft_is_settled,
                ballot_rules.ballot_is_complete])  # fmt: skip
    def submit(self) -> Facts:
        """提交后他人的评分仍不可见；锁定前可以取回修改。"""
        self.submitted_at = clock.now()
        return Facts(files=self.commitments())

    @step(state, _("取回修改"), source=R.SUBMITTED, to=R.ACCEPTED, by=ballot_rules.the_expert,
          when=[rules.panel_is_scoring, ballot_rules.first_ballot_is_open, still_sealed])  # fmt: skip
    def reopen(self) -> None:
        """锁定前取回修改，两次提交都留痕；偏差说明随之失效。"""
        self.explain_with("")

    @step(state, _("讨论后再次评分"), source=R.SUBMITTED, to=None, by=ballot_rules.the_expert,
          when=[rules.panel_is_scoring, ballot_rules.discussion_is_open, still_sealed, ballot_rules.no_conflict])  # fmt: skip
    def revise(self, *, marks: Any, reason: str, comments: Any = None) -> Facts:
        """第一次评分原样保留，结果按最后一次计算；锁定前可以再改，每次都封存并留痕。"""
        return Facts(files=self.write_second(marks, comments or {}, reason))

    @step(state, _("说明偏差"), source=R.SUBMITTED, to=None, by=ballot_rules.the_expert, when=[rules.panel_is_scoring])
    def explain(self, *, reason: str) -> Facts:
        """评分与本组平均分相差较大时，写明理由；锁定后与计算过程一起给评审组和主办方看。"""
        return Facts(files={"reason": self.explain_with(written(reason))})

    @step(state, _("作废"), source=[R.ASSIGNED, R.ACCEPTED, R.SUBMITTED], to=R.VOIDED, by=rules.assigner,
          when=[rules.panel_is_not_locked, still_sealed], then=["review.replace"], danger=True)  # fmt: skip
    def void(self, *, reason: str) -> Facts:
        """发现利害关系、违规或密封被改动时作废，由候补专家补上；密封不完整的记入台账。"""
        broken = self.state == R.SUBMITTED and not self.seal_is_whole
        return Facts(private={"note": written(reason)}, public={"seal": "broken"} if broken else {})

    @step(state, _("作废已拆封的评分"), source=R.SUBMITTED, to=R.VOIDED, by=the_clock, danger=True)
    def annul(self, *, reason: str) -> Facts:
        """经一人提出、另一人同意以后作废；原评分保留，不再计入。"""
        return Facts(private={"note": written(reason)})


class MeetingMachine(Machine):
    """路演答辩会。顺序当众抽取，结果锁定后由组长或另一位工作人员公布；公布之前谁也看不到得分。"""

    States = MeetingStates
    machine_name = "meeting"
    door_select = ("panel__call__agency", "panel__call__rules_version", "on_stage")
    opening: ClassVar[Opening] = Opening(
        _("抽取答辩顺序"), by=rules.organiser, when=(rules.panel_is_not_locked, meeting_rules.defends, meeting_rules.has_no_meeting)
    )
    state = StateField(default=M.READY, choices=M.choices)

    class Meta:
        abstract = True

    @step(state, _("请上场"), source=[M.READY, M.RUNNING], to=M.RUNNING, by=meeting_rules.conductor, when=[meeting_rules.bid_defends_here])
    def present(self, *, bid: Any) -> Facts:
        """请一份申报上场，陈述计时开始。"""
        self.on_stage, self.part, self.since = bid, "pitch", clock.now()
        return Facts(public={"bid": bid.number})

    @step(state, _("进入问答"), source=M.RUNNING, to=None, by=meeting_rules.conductor, when=[meeting_rules.somebody_on_stage])
    def question(self) -> None:
        """陈述结束，问答计时开始。"""
        self.part, self.since = "questions", clock.now()

    @step(state, _("公布结果"), source=[M.READY, M.RUNNING], to=M.RELEASED, by=meeting_rules.releaser,
          when=[meeting_rules.scores_are_locked, no_late_conflict_here])  # fmt: skip
    def release(self) -> Facts:
        """评分锁定后由组长宣布，或由锁定人以外的工作人员公布；此前屏幕、页面和报告都不显示得分。"""
        self.released_at, self.on_stage, self.part = clock.now(), None, ""
        return Facts(public={"result": self.panel.result_hash()})


class SwapMachine(Machine):
    """换人。一人写明理由提出，另一人同意后才更换；利害关系、席位和份数当场再核对。"""

    States = SwapStates
    machine_name = "swap"
    door_select = (
        "panel__call__agency", "panel__call__rules_version", "review__expert__user", "review__bid__organisation", "expert__user",
    )  # fmt: skip
    opening: ClassVar[Opening] = Opening(
        _("提出换人"), by=rules.organiser, when=(rules.panel_is_not_locked, swap_rules.review_is_open, swap_rules.may_step_in)
    )
    state = StateField(default=W.PROPOSED, choices=W.choices)

    class Meta:
        abstract = True

    @step(state, _("同意换人"), source=W.PROPOSED, to=W.APPROVED, by=rules.organiser & swap_rules.not_the_proposer,
          when=[rules.panel_is_not_locked, swap_rules.review_is_open, swap_rules.may_step_in], then=["review.tell_swapped"])  # fmt: skip
    def approve(self) -> Facts:
        """由提出人以外的工作人员同意；全部分派随即重新核对，原评审作废，接替的专家收到通知。"""
        self.decided_by = self.actor
        return self.carry_out()

    @step(state, _("不同意换人"), source=W.PROPOSED, to=W.REFUSED, by=rules.organiser & swap_rules.not_the_proposer)
    def refuse(self) -> None:
        """不同意，分派不变。"""
        self.decided_by = self.actor

    @step(state, _("撤回换人"), source=W.PROPOSED, to=W.WITHDRAWN, by=rules.organiser)
    def withdraw(self) -> None:
        """不再提出，分派不变。"""
