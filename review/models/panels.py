"""评审组: the panel and its seats, solved assignments, exchanges of experts, the defence meeting."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bidding.models import Bid
from grants import clock, vault
from grants.calls.models import Call
from grants.documents.models import StoredFile
from grants.people.models import Agency, User
from grants.workflow.machine import Facts, states_are
from review.machine import MeetingMachine, MeetingStates, PanelMachine, PanelStates, SwapMachine, SwapStates
from review.meeting_rules import meeting_visible
from review.models.pool import Expert, Seat
from review.rules import panel_visible
from review.swap_rules import swap_visible

if TYPE_CHECKING:
    from grants.calls.rulebook.model import CallRules


class OfPanel:
    """What belongs to a panel belongs to its call and its agency: rules and pages ask every object for both."""

    panel: Any

    @property
    def call(self) -> Call:
        return cast("Call", self.panel.call)

    @property
    def agency(self) -> Agency:
        return self.call.agency


class Panel(PanelMachine):
    """评审组. The seed, the rules version and the pool are fixed and recorded before assignment.

    draw: the transcript anybody can redo (pool in code order, seats, order drawn, who was passed over and why).
    fee_note, meets_at, meets_where: what the invitation says. reminded_on: the day (Shanghai) of the last reminder.
    """

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="panels")
    name = models.CharField(_("名称"), max_length=60)
    seed = models.CharField(_("抽取种子"), max_length=64)
    draw: Any = models.JSONField(default=dict, editable=False)
    convened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    concluded_at = models.DateTimeField(null=True, editable=False)
    report = models.ForeignKey(StoredFile, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    fee_note = models.CharField(_("劳务费说明"), max_length=200, blank=True)
    meets_at = models.DateTimeField(_("答辩会时间"), null=True, blank=True)
    meets_where = models.CharField(_("答辩会地点"), max_length=100, blank=True)
    invited_at = models.DateTimeField(null=True, editable=False)
    reminded_on = models.DateField(null=True, editable=False)
    discussed_at = models.DateTimeField(null=True, editable=False)
    """Since when second ballots may be given; before it there are none, and first ballots may be taken back."""
    locked_by = models.ForeignKey(User, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    hides_until = models.CharField(max_length=20, blank=True, default="", editable=False)
    """Until which step members do not learn who bids (`review.blinding`), as the rules said when it was convened; "" when they do."""
    data_key = models.BinaryField(default=vault.new_data_key, editable=False)
    """Seals the ballots and drafts of this panel; itself wrapped by the master key, which is not in the database."""

    visible = panel_visible

    class Meta:
        verbose_name = _("评审组")
        constraints: ClassVar[list[models.BaseConstraint]] = [states_are(PanelStates, "panel")]

    def __str__(self) -> str:
        return self.name

    @property
    def agency(self) -> Agency:
        return self.call.agency

    @property
    def rules(self) -> CallRules:
        """The rules in force at closing; a panel never sees another version."""
        return self.call.rules

    def seat_of(self, user: Any) -> PanelMember:
        """The seat of the person who takes a step as a member."""
        return self.members.get(expert__user=user)

    def open_ballots(self) -> int:
        """Open every ballot, check it against the ledger and write its marks; how many. Called by the `lock` step only."""
        from review.opening import open_all  # noqa: PLC0415 - reads these models

        return open_all(self)

    def compute_results(self) -> None:
        """Write the official results. Called by the `lock` step only."""
        from review.results import compute  # noqa: PLC0415 - as above

        compute(self)

    def write_other_score(self, bid: Bid, component: str, value: Decimal, basis: str) -> Facts:
        """Write one other score, once. Called by the `enter_score` step only. Raises Invalid."""
        from review.other_scores import write  # noqa: PLC0415 - as above

        return write(self, bid, component, value, basis, by=self.actor)

    def entered(self) -> dict[str, str]:
        """One hash over the scores entered once as they count now; nothing where there are none. Asked by the `lock` step."""
        from review.other_scores import root  # noqa: PLC0415 - as above

        found = root(self)
        return {"entered": found} if found else {}

    def write_recommendation(self, bid: Bid, amount: Decimal, reason: str) -> Facts:
        """Write the amount the panel recommends. Called by the `recommend` step only. Raises Invalid."""
        from review.results import recommend  # noqa: PLC0415 - as above

        return recommend(self, bid, amount, reason)

    def result_hash(self) -> str:
        """SHA-256 over the canonical list of results, so that the report and the ledger name the same ranking."""
        rows = [
            [str(r.bid_id), str(r.total), r.rank, r.passed, None if r.recommended is None else str(r.recommended)]
            for r in self.results.order_by("bid_id")
        ]
        return hashlib.sha256(json.dumps(rows, separators=(",", ":")).encode()).hexdigest()


class PanelMember(models.Model):
    """An expert's seat in a panel, and their signature under its report.

    position: place in the drawn order. alternate: waits, reviews nothing and signs nothing until called up. excused: left the
    panel (recused from everything, or voided). chair: 组长, the first seated in drawn order.
    """

    panel = models.ForeignKey(Panel, on_delete=models.CASCADE, related_name="members")
    expert = models.ForeignKey(Expert, on_delete=models.PROTECT, related_name="seats")
    seat = models.CharField(_("席位"), max_length=20, choices=Seat.choices)
    position = models.PositiveSmallIntegerField(default=0)
    chair = models.BooleanField(default=False)
    alternate = models.BooleanField(default=False)
    excused = models.BooleanField(default=False)
    called_up_at = models.DateTimeField(null=True)
    joined_at = models.DateTimeField(null=True)
    declined_at = models.DateTimeField(null=True)
    signed_at = models.DateTimeField(null=True)
    dissent = models.TextField(_("不同意见及理由"), blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["alternate", "position", "pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["panel", "expert"], name="panel_member_once"),
            models.UniqueConstraint(fields=["panel"], condition=Q(chair=True), name="panel_one_chair"),
        ]

    def __str__(self) -> str:
        return f"{self.panel} {self.expert}"

    def join(self) -> None:
        """Accept the seat, once; called by the panel's `join` step and by the first pledge."""
        if self.joined_at is None:
            self.joined_at = clock.now()
            self.save(update_fields=["joined_at"])

    def decline(self) -> None:
        """Leave the seat before work begins; the chair goes to the next member in drawn order. Called by the `decline` step only."""
        was_chair, self.chair = self.chair, False
        self.excused, self.declined_at = True, clock.now()
        self.save(update_fields=["chair", "excused", "declined_at"])
        heir = self.panel.members.filter(alternate=False, excused=False).order_by("position").first() if was_chair else None
        if heir is not None:
            heir.chair = True
            heir.save(update_fields=["chair"])

    def sign(self, dissent: str) -> None:
        """Sign the report; called by the panel's `sign` step only."""
        self.signed_at, self.dissent = clock.now(), dissent.strip()
        self.save(update_fields=["signed_at", "dissent"])


class AssignmentRun(models.Model):
    """A solved assignment, carried out or only tried: question and answer as files anybody can run again (docs/review-commands.md).

    question, answer: the exact bytes (UTF-8) of IN.json and OUT.json; their SHA-256 stand in the ledger. made_by None: the clock
    filled a gap. Bids are named by number, experts by code, employers by a number of this run.
    """

    panel = models.ForeignKey(Panel, on_delete=models.CASCADE, related_name="runs")
    carried_out = models.BooleanField()
    question = models.TextField()
    answer = models.TextField()
    unknown = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(default=clock.now)
    made_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["-pk"]

    def __str__(self) -> str:
        return f"{self.panel} {self.pk}"

    @property
    def figures(self) -> dict[str, Any]:
        """What OUT.json says about itself, without pairs and prices."""
        said, waiting = json.loads(self.answer), self._waiting()
        loads = [n for expert, n in said["loads"].items() if expert not in waiting]
        return {
            **{name: said[name] for name in ("total", "worst_bid", "weakest_pair", "tau", "called_up", "options")},
            "pairs": len(said["pairs"]), "least": min(loads, default=0), "most": max(loads, default=0), "by": said["certificate"]["by"],
        }  # fmt: skip

    def _waiting(self) -> set[str]:
        """Alternates who were not called up: they have no load, not a load of nought."""
        called = set(json.loads(self.answer)["called_up"])
        return {str(e["id"]) for e in json.loads(self.question)["experts"] if e.get("reserve")} - called

    def limits(self) -> set[int]:
        """The upper loads of the question, where they are lower than the number of bids."""
        asked = json.loads(self.question)
        return {int(e["max"]) for e in asked["experts"] if e["max"] < len(asked["bids"])}

    def hashes(self) -> dict[str, str]:
        """SHA-256 of both files, as the ledger keeps them."""
        return {name: hashlib.sha256(getattr(self, name).encode()).hexdigest() for name in ("question", "answer")}


class Swap(OfPanel, SwapMachine):
    """换人: an officer proposes that `expert` reviews a bid in place of the expert of `review`; a second person decides.

    reason: why, private like every note. Carried out, all stages of the pair move.
    """

    panel = models.ForeignKey(Panel, on_delete=models.PROTECT, related_name="swaps")
    review = models.ForeignKey("review.Review", on_delete=models.PROTECT, related_name="swaps")
    expert = models.ForeignKey(Expert, verbose_name=_("接替的专家"), on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(_("理由"))
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(User, null=True, editable=False, on_delete=models.PROTECT, related_name="+")

    visible = swap_visible

    class Meta:
        verbose_name = _("换人")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            states_are(SwapStates, "swap"),
            models.CheckConstraint(name="swap_reason", condition=~Q(reason="")),
            models.UniqueConstraint(fields=["review"], condition=Q(state="proposed"), name="swap_once"),
        ]

    def __str__(self) -> str:
        return f"{self.review.expert.code} → {self.expert.code} · {self.review.bid.number}"

    def carry_out(self) -> Facts:
        """Move the reviews. Called by the `approve` step only. Raises Invalid, NotNow."""
        from review.swapping import carry_out  # noqa: PLC0415 - reads these models

        return carry_out(self, by=self.actor)


class Meeting(OfPanel, MeetingMachine):
    """答辩会: the drawn order, who stands in front now, and whether the result may be shown.

    draw: method, seed, witness and the order as bid numbers, from which anybody can repeat it. part: pitch or questions.
    """

    panel = models.OneToOneField(Panel, on_delete=models.PROTECT, related_name="meeting")
    seed = models.CharField(_("抽取种子"), max_length=64)
    draw: Any = models.JSONField(default=dict, editable=False)
    on_stage = models.ForeignKey(Bid, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    part = models.CharField(max_length=10, blank=True, editable=False)
    since = models.DateTimeField(null=True, editable=False)
    released_at = models.DateTimeField(null=True, editable=False)

    visible = meeting_visible

    class Meta:
        verbose_name = _("答辩会")
        constraints: ClassVar[list[models.BaseConstraint]] = [states_are(MeetingStates, "meeting")]

    def __str__(self) -> str:
        return _("%(panel)s答辩会") % {"panel": self.panel.name}

    @property
    def locked_by_id(self) -> Any:
        """Who locked the scores, and therefore does not publish them alone."""
        return self.panel.locked_by_id
