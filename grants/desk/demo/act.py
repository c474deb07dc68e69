"""One call from draft to contracts: the scenes that all five have in common. The acts say what is special about each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar

from bidding.models import Bid
from grants import clock
from grants.awards.models import Award, PublicNotice
from grants.calls import services as calls
from grants.calls.models import Call
from grants.calls.rulebook import presets
from grants.calls.rulebook.schedule import shift
from grants.desk.demo import deciding, drawing, judging
from grants.desk.demo.cast import Cast, Office
from grants.desk.demo.content import Idea
from grants.desk.demo.diary import Diary, working_moment
from grants.desk.demo.writing import Writer
from grants.people.services import appoint
from grants.workflow.door import perform
from review.models import Draw, Panel

HOURS = {"convene": 16, "correct": 14, "resubmit": 15, "object": 11}
"""Scenes that are not at ten in the morning; where two fall on one day, the order holds."""
Path = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Plan:
    """One bid to come: who, what, how much (元), for which field of service and need."""

    body: str
    idea: Idea
    ask: int
    category: str
    need: str = ""
    ends: str = "submitted"


class Act:
    """A call. `opens`: days from today on which it opens (a working day is taken)."""

    preset: ClassVar[str]
    office_key: ClassVar[str]
    operator: ClassVar[str] = ""
    writer: ClassVar[type[Writer]] = Writer
    opens: ClassVar[int]
    path: ClassVar[Path] = ()
    """What follows the deadline: (scene, days after the scene before it). A chain: no holiday brings a scene before what it needs."""

    def __init__(self, cast: Cast, diary: Diary) -> None:
        self.cast, self.diary = cast, diary
        self.office: Office = cast.offices[self.office_key]
        self.bids: dict[str, Bid] = {}
        self.call: Call
        self.panel: Panel
        self.notice: PublicNotice
        diary.on(self.opens - 9, self.draft, hour=9)

    def plans(self) -> Sequence[Plan]:
        """The bids of this call."""
        raise LookupError(f"{type(self).__name__} has no bids")

    def after_closing(self) -> None:
        """Scenes on days of their own, counted from today."""

    def walk(self, place: int = 0) -> None:
        """Put one scene of the path into the diary, and with it all that follow."""
        if place < len(self.path):
            scene, days = self.path[place]
            self.diary.at(self._moment(scene, days), partial(self._scene, scene, place))

    def _scene(self, scene: str, place: int) -> None:
        getattr(self, scene)()
        self.walk(place + 1)

    def _moment(self, scene: str, days: int) -> datetime:
        """A working day on from now; awards are confirmed in the afternoon of a day after their notice has ended."""
        day = clock.today() + timedelta(days=days)
        if scene != "confirm":
            return working_moment(day, HOURS.get(scene, 10))
        ends = self.notice.objections_end.astimezone(clock.TZ).date()
        return working_moment(max(day, ends + timedelta(days=1)), 15)

    # --- the call

    def draft(self) -> None:
        """The officer drafts from the preset and proposes; the next working day the second person publishes."""
        day = self.diary.ends.astimezone(clock.TZ).date() + timedelta(days=self.opens)
        rules = shift(presets.load(self.preset), working_moment(day, 9))
        operator = self.cast.bodies[self.operator].organisation if self.operator else None
        self.call = calls.draft_call(self.office.agency, rules, by=self.office.officer, operator=operator)
        self.prepare()
        calls.propose(self.call, by=self.office.officer, note="规则已与财务、纪检会签。")
        self.diary.later(1, self.publish)

    def prepare(self) -> None:
        """What the officer puts into the draft beyond the preset."""

    def publish(self) -> None:
        self.call = calls.publish(self.call, by=self.office.approver, note="同意发布。")
        if self.operator == "yilian":
            appoint(self.cast.operators["yilian"], "operator", self.call, by=self.office.approver)
            appoint(self.cast.operators["observer"], "observer", self.call, by=self.office.approver)
        opens, closes = self.call.opens_at, self.call.closes_at
        assert opens is not None
        assert closes is not None
        self.diary.at(opens, self._wait)
        self._put_bids(opens, min(closes, self.diary.ends))
        self.diary.at(closes, self._wait)
        self.diary.at(closes + timedelta(hours=1), self._closed)

    def _put_bids(self, opens: Any, until: Any) -> None:
        """Most people write in the last days; some in time."""
        plans = self.plans()
        for place, plan in enumerate(plans, start=1):
            self.diary.at(opens + (until - opens) * (place + len(plans)) / (2 * len(plans) + 1), partial(self.write, plan))

    def _wait(self) -> None:
        """Only the clock acts."""

    def _closed(self) -> None:
        self.call = Call.objects.select_related("agency", "rules_version").get(pk=self.call.pk)
        self.walk()
        self.after_closing()

    # --- bids

    def write(self, plan: Plan) -> None:
        """One bid, as far as its plan says: draft, submitted, withdrawn."""
        self.call = Call.objects.select_related("agency", "rules_version").get(pk=self.call.pk)
        writer = self.writer(self.call, self.cast.bodies[plan.body], plan.idea, plan.ask, category=plan.category, need=plan.need)
        bid = writer.begin()
        if plan.ends != "draft":
            bid = writer.submit(writer.fill(bid))
        if plan.ends == "withdrawn":
            bid = perform(bid, "withdraw", by=writer.body.person, note="项目负责人变动，暂不申报。")
        self.bids[plan.idea.title] = bid

    def ask_back(self, title: str) -> None:
        """补正: the officer sends one bid back."""
        bid = judging.fresh(self.bids[title])
        items = "活动频次与人次的测算依据不完整，请补充说明。"
        perform(bid, "return_for_correction", by=self.office.officer, items=items, note="资料不完整")

    def hand_in_again(self, title: str) -> None:
        """The applicant adds what is missing and hands it in again."""
        plan = next(p for p in self.plans() if p.idea.title == title)
        writer = Writer(self.call, self.cast.bodies[plan.body], plan.idea, plan.ask, category=plan.category, need=plan.need)
        self.bids[title] = writer.submit(self.bids[title])

    # --- review and decision

    def screen(self) -> None:
        judging.screen(self.call, by=self.office.officer)

    def convene(self) -> None:
        if str(self.call.rules.review.panel.draw) == "commit-reveal" and self.operator != "yilian":
            appoint(self.cast.operators["observer"], "observer", self.call, by=self.office.approver)
        self.panel = judging.begin(self.draw(), by=self.office.officer)

    def draw(self, panel: Panel | None = None) -> Draw:
        """The experts of the call, or the order of defence before a panel, in the way its rules say."""
        if str(self.call.rules.review.panel.draw) != "commit-reveal":
            return drawing.simple(self.call, self.office.officer, panel=panel)
        bidder = next(iter(self.cast.bodies[plan.body].person for plan in self.plans() if plan.ends == "submitted"))
        return drawing.ceremony(self.call, self.office, self.cast.operators["observer"], bidder, panel=panel)

    def score(self) -> None:
        judging.score_all(judging.open_reviews(self.panel))
        judging.enter_others(self.panel, by=self.office.officer)
        self.panel = judging.part_equals(perform(self.panel, "lock", by=self.office.officer), by=self.office.officer)

    def conclude(self) -> None:
        self.panel = judging.conclude(self.panel, by=self.office.officer)

    def announce(self) -> None:
        self.notice = deciding.announce(self.call, self.office)

    def confirm(self) -> None:
        deciding.confirm(self.call, self.office)
        self.call = perform(self.call, "decide", by=self.office.approver)

    def contract(self) -> None:
        """Contracts are written today, signed the next working day."""
        deciding.draft_all(self.call, self.cast, self.office)

    def sign(self) -> None:
        deciding.sign_all(self.call, self.cast, self.office)

    def awards(self, *states: str) -> list[Award]:
        """Awards by number, as they stand now."""
        return deciding.awards(self.call, *states)
