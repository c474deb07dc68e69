"""The five calls: what is special about each, and on which days. Offsets are days from today, or from the scene before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import ClassVar

from bidding.models import SealKey
from grants import clock
from grants.awards.models import Award
from grants.calls import services as calls
from grants.calls.models import Call
from grants.calls.rulebook.toml import from_data
from grants.desk.demo import asking, content, deciding, helping, judging, objections, paying, reporting, sealing
from grants.desk.demo.act import Act, Path, Plan
from grants.desk.demo.writing import Writer
from grants.funding.models import Tranche
from grants.people.models import AnnualCheck
from grants.people.services import revoke_annual_check
from grants.workflow.door import perform
from grants.workflow.refusals import NotNow
from review import services as review

FEE = "每人每天 500 元，由主办方代扣个人所得税后转账"
SURPLUS = Decimal("3260.40")
"""叁仟贰佰陆拾元零肆角, what one project of the district's call gives back."""


class DistrictAct(Act):
    """YX-2026-01: nearly over. One termination, one surplus, some projects closed, some waiting for their last tranche."""

    preset, office_key, operator, opens = "district", "mz", "yilian", -392
    bidders: ClassVar[tuple[str, ...]] = (
        "xiyang", "anxin", "xiju", "xiyang", "tiyu", "tongxing", "tongxing", "xiju", "anxin", "xingyu", "xingyu", "tiyu", "jijin",
        "mingli", "mingli", "lianhe", "quyi", "quyi",
    )  # fmt: skip

    def plans(self) -> Sequence[Plan]:
        ideas = [(category, idea) for category, rows in content.DISTRICT.items() for idea in rows]
        return [
            Plan(body, idea, 92_000 + 6_000 * (at % 15), category)
            for at, (body, (category, idea)) in enumerate(zip(self.bidders, ideas, strict=True))
        ]

    path: ClassVar[Path] = (
        ("correct", 2), ("resubmit", 1), ("screen", 5), ("convene", 3), ("score", 3), ("conclude", 2), ("announce", 2), ("object", 1),
        ("confirm", 15), ("contract", 3), ("sign", 1), ("first", 5),
    )  # fmt: skip

    def after_closing(self) -> None:
        self.diary.on(-195, self.midterm)
        self.diary.on(-184, self.second)
        self.diary.on(-150, self.terminate)
        self.diary.on(-26, self.final)
        self.diary.on(-17, self.third)
        self.diary.on(-8, self.close)

    def correct(self) -> None:
        self.ask_back(self.plans()[3].idea.title)

    def resubmit(self) -> None:
        self.hand_in_again(self.plans()[3].idea.title)

    def convene(self) -> None:
        """One member turns out to be close to an applicant, says so and steps aside; an alternate is called."""
        super().convene()
        member = self.panel.members.filter(alternate=False, seat="sector").select_related("expert__user").order_by("position")[1]
        user, applicant = member.expert.user, self.cast.bodies["quyi"].organisation
        review.add_relation(member.expert, applicant, "declared", by=user, evidence="曾长期担任该单位项目顾问")
        mine = self.panel.reviews.filter(expert=member.expert, bid__organisation=applicant, stage="document", state="assigned")
        for ballot in mine:
            review.recuse(ballot, "与申报单位有顾问关系，申请回避。", by=user)

    def object(self) -> None:
        """Four objections: dismissed, upheld, refused, withdrawn."""
        noticed = self.awards("noticed")
        rumour = objections.without_name(self.notice, noticed[0])
        same = objections.by_person(self.notice, noticed[1], objections.SAME_WORK, "王女士")
        rival = objections.by_rival(self.notice, noticed[2], self.cast.bodies["xiju"])
        false = objections.by_unit(self.notice, noticed[-1], objections.NOT_THERE, "澄湖公园管理处")
        for each in (same, false):
            objections.accept(each, self.office)
        objections.refuse(rumour, self.office)
        self.diary.later(2, lambda: objections.withdraw(rival))
        self.diary.later(4, lambda: objections.dismiss(same, self.office))
        self.diary.later(5, lambda: objections.uphold(false, self.office))

    def contract(self) -> None:
        """One award is cut line by line before its contract."""
        award = self.awards("confirmed")[0]
        deciding.cut(award, self.office, self.cast.of(award.bid.organisation_id).person)
        super().contract()

    def first(self) -> None:
        paying.through(self.call, 1, self.awards("active"), self.cast, self.office)

    def _failing(self) -> Award:
        """The project that will be terminated: of an organisation without a project in the street's call."""
        running = {a.bid.organisation_id: a for a in self.awards("active")}
        few = (self.cast.bodies[key].organisation.pk for key in ("xiju", "jijin", "lianhe"))
        return next(running[pk] for pk in few if pk in running)

    def midterm(self) -> None:
        """All pass but one, whose work stands still."""
        failing = self._failing()
        for at, award in enumerate(self.awards("active")):
            share = "0.55" if award == failing else ("0.93", "0.86", "0.80")[at % 3]
            paid = paying.tranche(award, 1).amount
            paying.spend(award, paid if award == failing else (paid * 7 / 10).quantize(Decimal("0.01")), self.cast)
            reporting.report(award, "midterm", self.cast)
            reporting.grade(award, "midterm", share, self.cast.evaluators[at % 2], self.office)
            reporting.evidence(award, "logo", "资金来源标识照片", self.cast)

    def second(self) -> None:
        failing = self._failing()
        paying.through(self.call, 2, [a for a in self.awards("active") if a != failing], self.cast, self.office)

    def terminate(self) -> None:
        award = self._failing()
        paying.settle_surplus(award, self.office)
        deciding.terminate(award, self.office, "中期评估不合格，整改期满仍无法继续实施，双方同意终止。")

    def final(self) -> None:
        """Six report and are graded; the others are still writing."""
        for at, award in enumerate(self.awards("active")[:6]):
            given_back = SURPLUS if at == 0 else Decimal(0)
            paying.spend(award, award.amount - given_back, self.cast)
            reporting.report(award, "final", self.cast)
            if at < 5:
                reporting.grade(award, "final", ("0.94", "0.88", "0.82")[at % 3], self.cast.evaluators[at % 2], self.office)

    def third(self) -> None:
        """Three are paid their last tranche; one is approved and waits for the bank; one has only asked."""
        ready = self.awards("active")[:5]
        for award in ready:
            reporting.closing_papers(award, self.cast)
            paying.settle_surplus(award, self.office)
            paying.request(award, 3, self.cast, self.office)
        for award in ready[:4]:
            paying.approve(award, 3, self.office)
        judging.settle(ready[4].bid, by=self.office.officer, moment="payment")
        paying.pay(self.call, 3, ready[:3], self.office)

    def close(self) -> None:
        """The surplus of 3 260.40 comes back; three projects close."""
        for award in self.awards("active")[:3]:
            paying.settle_surplus(award, self.office)
            reporting.close(award, self.office)


class StreetAct(Act):
    """YX-2026-02: half-way. Objections behind it, one termination, a late tranche, one stopped by a revoked annual check."""

    preset, office_key, opens = "street", "wh", -210
    groups: ClassVar[tuple[str, ...]] = ("xunluo", "pingpang", "huzhu", "wudao", "huayuan", "jianshen")

    def plans(self) -> Sequence[Plan]:
        legal = zip(("xiyang", "quyi", "tongxing", "xingyu", "tiyu", "mingli", "anxin"), content.STREET, strict=True)
        groups = zip(self.groups, content.STREET_GROUPS, strict=True)
        return [
            *(Plan(b, idea, 42_000 + 1_000 * at, category, need) for at, (b, (need, category, idea)) in enumerate(legal)),
            *(Plan(b, idea, 15_000 + 800 * at, category, need) for at, (b, (need, category, idea)) in enumerate(groups)),
        ]

    path: ClassVar[Path] = (
        ("screen", 5), ("convene", 3), ("score", 3), ("conclude", 2), ("announce", 2), ("object", 1), ("confirm", 16), ("contract", 3),
        ("sign", 1), ("first", 4),
    )  # fmt: skip

    def sign(self) -> None:
        """The street signs without paper."""
        deciding.sign_all_electronically(self.call, self.cast, self.office)

    def after_closing(self) -> None:
        self.diary.on(-60, self.terminate)
        self.diary.on(-45, self.midterm)
        self.diary.on(-38, self.second)
        self.diary.on(-13, self.revoke)
        self.diary.on(-11, self.stop)
        self.diary.on(-30, self.extend)
        self.diary.on(-3, self.look_up)
        self.diary.on(-2, self.ask_for_change)

    def convene(self) -> None:
        """An applicant challenges an expert; a second person looks into it and sets the finding aside, with the reason."""
        super().convene()
        member = self.panel.members.filter(alternate=False, seat="sector").select_related("expert").order_by("position")[0]
        applicant = self.cast.bodies["mingli"].organisation
        review.add_relation(
            member.expert, applicant, "challenged", by=self.office.officer, agency=self.office.agency, source="challenged",
            evidence="申报单位提出：该专家两年前公开批评过本单位的项目",
        )  # fmt: skip
        for hit in review.check_conflicts(self.panel, by=self.office.officer):
            if hit.expert_id == member.expert_id and hit.source == "challenged":
                review.propose_dismissal(hit, "被指的是一篇公开评论，双方没有业务往来。", by=self.office.officer)
                review.dismiss_hit(hit, "学术评论不属于应当回避的情形，经复核不影响公正评审。", by=self.office.approver)

    def object(self) -> None:
        """Three objections: dismissed, withdrawn, refused."""
        noticed = self.awards("noticed")
        same = objections.by_person(self.notice, noticed[0], objections.SAME_WORK, "李先生")
        rival = objections.by_rival(self.notice, noticed[1], self.cast.bodies["anxin"])
        rumour = objections.without_name(self.notice, noticed[3])
        for each in (same, rival):
            objections.accept(each, self.office)
        objections.refuse(rumour, self.office)
        self.diary.later(2, lambda: objections.withdraw(rival))
        self.diary.later(4, lambda: objections.dismiss(same, self.office))

    def first(self) -> None:
        paying.through(self.call, 1, self.awards("active"), self.cast, self.office)

    def terminate(self) -> None:
        """A group dissolves; what it was paid was spent as agreed."""
        award = [a for a in self.awards("active") if not a.bid.organisation.is_legal_person][-1]
        paying.spend(award, paying.tranche(award, 1).amount, self.cast)
        paying.settle_surplus(award, self.office)
        deciding.terminate(award, self.office, "团队负责人迁离，团队解散，项目无法继续，已结清账目。")

    def midterm(self) -> None:
        """Most report; the last two groups are late."""
        running = self.awards("active")
        silent = [a for a in running if not a.bid.organisation.is_legal_person][-2:]
        for at, award in enumerate(a for a in running if a not in silent):
            part = (paying.tranche(award, 1).amount * 6 / 10).quantize(Decimal("0.01"))
            paying.spend(award, part, self.cast)
            reporting.report(award, "midterm", self.cast)
            reporting.grade(award, "midterm", ("0.90", "0.84", "0.78")[at % 3], self.cast.evaluators[at % 2], self.office)

    def second(self) -> None:
        """Paid in time, but for one request that somebody let lie: it is late today."""
        passed = [a for a in self.awards("active") if a.evaluations.filter(moment="midterm", state="confirmed").exists()]
        late, prompt = passed[0], [a for a in passed[1:] if a != self._stopped(passed)]
        paying.request(late, 2, self.cast, self.office)
        paying.through(self.call, 2, prompt[:4], self.cast, self.office)

    def extend(self) -> None:
        helping.extended(self.awards("active")[1], self.cast, self.office)

    def ask_for_change(self) -> None:
        helping.asked_for(self.awards("active")[2], self.cast)

    def look_up(self) -> None:
        """The officer takes up what was left lying: public lists looked up again, the rest waits for today."""
        for part in Tranche.objects.filter(award__call=self.call, state="requested").select_related("award__bid"):
            judging.settle(part.award.bid, by=self.office.officer, moment="payment")

    def _stopped(self, awards: list[Award]) -> Award:
        """The project whose annual check will be revoked: the last of a registered body."""
        return [a for a in awards if a.bid.organisation.is_legal_person][-1]

    def revoke(self) -> None:
        award = self._stopped(self.awards("active"))
        check = AnnualCheck.objects.filter(organisation=award.bid.organisation).order_by("-year")[0]
        revoke_annual_check(check, because="复查发现年检材料不实，登记管理机关撤销结论", by=self.cast.offices["mz"].officer)

    def stop(self) -> None:
        """The grantee asks, the check of eligibility refuses, the officer withholds the tranche."""
        award = self._stopped(self.awards("active"))
        part = paying.request(award, 2, self.cast, self.office)
        try:
            perform(part, "check_", by=self.office.officer)
        except NotNow as refusal:
            perform(paying.tranche(award, 2), "withhold", by=self.office.officer, note=str(refusal)[:300])
            return
        raise AssertionError("a revoked annual check must stop the payment")


class MicroAct(Act):
    """YX-2026-03: wholly closed and archived."""

    preset, office_key, operator, opens = "micro", "qh", "lianhe", -330
    groups: ClassVar[tuple[str, ...]] = (
        "huzhu", "wudao", "dushu", "huayuan", "qinzi", "pingpang", "hechang", "xunluo", "taiji", "shuhua", "jianshen",
    )  # fmt: skip

    def plans(self) -> Sequence[Plan]:
        rows = zip(self.groups, content.MICRO, strict=True)
        return [Plan(body, idea, 3_600 + 120 * at, category) for at, (body, (category, idea)) in enumerate(rows)]

    path: ClassVar[Path] = (
        ("screen", 3), ("convene", 2), ("score", 3), ("conclude", 1), ("announce", 3), ("object", 1), ("confirm", 11), ("contract", 3),
        ("sign", 1), ("first", 3),
    )  # fmt: skip

    def after_closing(self) -> None:
        self.diary.on(-86, self.second)
        self.diary.on(-78, self.close)
        self.diary.on(-70, self.archive)

    def object(self) -> None:
        objections.refuse(objections.without_name(self.notice, self.awards("noticed")[0]), self.office)

    def first(self) -> None:
        paying.through(self.call, 1, self.awards("active"), self.cast, self.office)

    def second(self) -> None:
        """Photos, sign-in sheets and vouchers; then the thirty per cent."""
        for award in self.awards("active"):
            paying.spend(award, award.amount, self.cast)
            reporting.closing_papers(award, self.cast)
        paying.through(self.call, 2, self.awards("active"), self.cast, self.office)

    def close(self) -> None:
        for award in self.awards("active"):
            paying.settle_surplus(award, self.office)
            reporting.close(award, self.office)

    def archive(self) -> None:
        self.call = perform(self.call, "archive", by=self.office.approver, note="全部项目结项，归档。")


class ProfessionalAct(Act):
    """YX-2026-04: open for bids today."""

    preset, office_key, operator, opens = "professional", "mz", "yilian", -12
    bidders: ClassVar[tuple[tuple[str, str], ...]] = (
        ("anxin", "submitted"), ("xiyang", "submitted"), ("mingli", "submitted"), ("tongxing", "withdrawn"), ("jijin", "submitted"),
        ("xingyu", "submitted"), ("tiyu", "draft"), ("lianhe", "draft"),
    )  # fmt: skip

    def prepare(self) -> None:
        """The holes of the needs and supply map become this call's needs guide."""
        self.call = asking.take_up(self.cast, self.call, self.office_key)

    def plans(self) -> Sequence[Plan]:
        rows = zip(self.bidders, content.PROFESSIONAL, strict=True)
        return [Plan(b, idea, 150_000 + 5_000 * at, category, ends=ends) for at, ((b, ends), (category, idea)) in enumerate(rows)]

    def _put_bids(self, opens: datetime, until: datetime) -> None:
        """Before the bids: a profile and a vault; then questions on the public page and answers by two."""
        self.diary.at(opens + timedelta(hours=1), partial(helping.fill_vault, self.cast.bodies["tiyu"]))
        self.diary.at(opens + timedelta(hours=2), lambda: helping.ask(self.call, self.cast))
        self.diary.at(opens + timedelta(hours=27), lambda: helping.answer(self.call, self.office))
        super()._put_bids(opens, until)

    def write(self, plan: Plan) -> None:
        """Two drafts are special: one is carried over from the profile, one is written by a colleague and waits for its signature."""
        body = self.cast.bodies[plan.body]
        if plan.body == "tiyu":
            self.call = Call.objects.select_related("agency", "rules_version").get(pk=self.call.pk)
            self.bids[plan.idea.title] = helping.carried_over(self.call, body, title=plan.idea.title, category=plan.category, need=plan.need)
            return
        super().write(plan)
        if plan.body == "lianhe":
            writer = Writer(self.call, body, plan.idea, plan.ask, category=plan.category, need=plan.need)
            helping.ask_to_sign(writer.fill(self.bids[plan.idea.title]), helping.editor_of(self.cast, body))


class JointAct(Act):
    """YX-2026-05: sealed bids, opened by two of three; in review today. Applicants barred by what happened elsewhere are refused at screening."""

    writer = sealing.SealedWriter

    preset, office_key, operator, opens = "joint", "mz", "jijin", -48
    bidders: ClassVar[tuple[str, ...]] = (
        "xiyang",
        "lianhe",
        "tongxing",
        "quyi",
        "tiyu",
        "mingli",
        "xingyu",
        "xiju",
        "yilian",
        "anxin",
    )

    def plans(self) -> Sequence[Plan]:
        rows = zip(self.bidders, content.JOINT, strict=True)
        return [Plan(body, idea, 72_000 + 2_500 * at, category) for at, (body, (category, idea)) in enumerate(rows)]

    path: ClassVar[Path] = (("screen", 3), ("convene", 3), ("begin_scoring", 2))

    def prepare(self) -> None:
        """The preset, with seals: contributors of money do not want to be told that somebody read the bids beforehand."""
        self.call = calls.revise(self.call, from_data({**self.call.rules.plain(), "sealing": "sealed"}), by=self.office.officer)

    def publish(self) -> None:
        super().publish()
        self.ring = sealing.prepared(self.call, self.office, self.cast.operators["observer"])

    def _closed(self) -> None:
        """An hour after the deadline, in one room: two officers open everything and sign the record."""
        self.ring.open(SealKey.objects.get(call=self.call, state="ready"))
        super()._closed()

    def begin_scoring(self) -> None:
        """Invited with date and fee; two thirds of the ballots are in, the rest wait for their experts; the order of defence is drawn."""
        meets = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=3)
        review.invite(
            self.panel, by=self.office.officer, fee_note=FEE, meets_at=meets, meets_where="云溪区社会组织创新园二楼会议室"
        )
        ballots = [r for r in judging.open_reviews(self.panel) if r.stage == "document"]
        judging.score_all(ballots[: len(ballots) * 2 // 3])
        self.draw(self.panel)


ACTS: tuple[type[Act], ...] = (DistrictAct, StreetAct, MicroAct, ProfessionalAct, JointAct)
