"""The expert pool, relations, panels, reviews with their marks, results."""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from bidding.models import Bid
from grants import clock, vault
from grants.calls.models import Call
from grants.documents.models import StoredFile
from grants.people.models import Agency, Organisation, User
from grants.workflow.columns import Money
from grants.workflow.machine import Facts, states_are
from review.blinding import Reviews, blind
from review.challenge_machine import ChallengeMachine, ChallengeStates
from review.challenge_rules import challenge_visible
from review.draw_machine import DrawMachine, DrawStates
from review.draw_rules import draw_visible
from review.machine import (
    MeetingMachine,
    MeetingStates,
    PanelMachine,
    PanelStates,
    ReviewMachine,
    ReviewStates,
    SwapMachine,
    SwapStates,
)
from review.rules import meeting_visible, panel_visible, review_visible, swap_visible

if TYPE_CHECKING:
    from grants.calls.rulebook.model import CallRules

LIVE = ("assigned", "accepted", "submitted")
"""States of a review that still counts or may come to count."""


class Seat(models.TextChoices):
    """席位类别: what an expert is on a panel for."""

    SECTOR = "sector", _("公益行业专家")
    FINANCE = "finance", _("财务专家")
    FIELD = "field", _("专业领域专家")
    AGENCY = "agency", _("主办方代表")


class Expert(models.Model):
    """专家库成员. `code` is what reports show instead of the name. shortcuts: single letters may be switched off (WCAG 2.1.4)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="expert")
    code = models.CharField(_("专家代码"), max_length=10, unique=True)
    employer = models.CharField(_("工作单位"), max_length=100, blank=True)
    employer_organisation = models.ForeignKey(Organisation, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    fields = models.JSONField(_("服务领域"), default=list, blank=True)
    seat = models.CharField(_("席位类别"), max_length=20, choices=Seat.choices, default=Seat.SECTOR)
    title = models.CharField(_("职称/资格"), max_length=60, blank=True)
    is_active = models.BooleanField(_("在库"), default=True)
    shortcuts = models.BooleanField(_("单键快捷键"), default=True)
    registered_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = _("评审专家")
        ordering: ClassVar[list[str]] = ["code"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(name="expert_seat", condition=Q(seat__in=Seat.values))
        ]

    def __str__(self) -> str:
        return str(self.user)


class Relation(models.Model):
    """A relation of an expert with an organisation over an interval; kinds are those of `review.conflicts.RelationKind`."""

    class Source(models.TextChoices):
        DECLARED = "declared", _("本人申报")
        COMPUTED = "computed", _("系统比对")
        CHALLENGED = "challenged", _("申报方提出")

    expert = models.ForeignKey(Expert, on_delete=models.CASCADE, related_name="relations")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(_("关系"), max_length=30)
    since = models.DateField(_("起"), null=True, blank=True)
    until = models.DateField(_("止"), null=True, blank=True)
    source = models.CharField(_("来源"), max_length=10, choices=Source.choices)
    evidence = models.CharField(_("依据"), max_length=300, blank=True)
    recorded_at = models.DateTimeField(editable=False)
    recorded_by = models.ForeignKey(User, null=True, editable=False, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("利害关系")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                name="relation_interval", condition=Q(since=None) | Q(until=None) | Q(until__gte=models.F("since"))
            )
        ]

    def __str__(self) -> str:
        return f"{self.expert} {self.kind} {self.organisation}"


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
        """Write or correct one other score. Called by the `enter_score` step only. Raises Invalid."""
        from review.other_scores import write  # noqa: PLC0415 - as above

        return write(self, bid, component, value, basis, by=self.actor)

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
        said = json.loads(self.answer)
        loads = said["loads"].values()
        return {
            **{name: said[name] for name in ("total", "worst_bid", "weakest_pair", "tau", "called_up", "options")},
            "pairs": len(said["pairs"]), "least": min(loads, default=0), "most": max(loads, default=0), "by": said["certificate"]["by"],
        }  # fmt: skip

    def limits(self) -> set[int]:
        """The upper loads of the question, where they are lower than the number of bids."""
        asked = json.loads(self.question)
        return {int(e["max"]) for e in asked["experts"] if e["max"] < len(asked["bids"])}

    def hashes(self) -> dict[str, str]:
        """SHA-256 of both files, as the ledger keeps them."""
        return {name: hashlib.sha256(getattr(self, name).encode()).hexdigest() for name in ("question", "answer")}


class Review(ReviewMachine):
    """一位专家对一份申报在一个环节的评审.

    sealed: the ballot with its salt, encrypted; the only form in which it exists before the opening. sealed_reason: the same for the
    reason of a deviation. opened_at: since when marks, salt and reason stand in the clear.
    """

    panel = models.ForeignKey(Panel, on_delete=models.PROTECT, related_name="reviews")
    bid = models.ForeignKey(Bid, on_delete=models.PROTECT, related_name="reviews")
    expert = models.ForeignKey(Expert, on_delete=models.PROTECT, related_name="reviews")
    stage = models.CharField(_("环节"), max_length=20, default="document")
    pledged_at = models.DateTimeField(null=True, editable=False)
    submitted_at = models.DateTimeField(null=True, editable=False)
    sealed = models.BinaryField(null=True, editable=False)
    sealed_reason = models.BinaryField(null=True, editable=False)
    opened_at = models.DateTimeField(null=True, editable=False)
    deviation_reason = models.TextField(_("偏差说明"), blank=True, editable=False)
    salt = models.CharField(max_length=64, blank=True, editable=False)
    words_salt = models.CharField(max_length=64, blank=True, editable=False)

    visible = review_visible
    objects = Reviews.as_manager()

    class Meta:
        verbose_name = _("评审")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            states_are(ReviewStates, "review"),
            models.UniqueConstraint(fields=["panel", "bid", "expert", "stage"], condition=Q(state__in=LIVE), name="review_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["panel", "state"], name="review_panel_state")]

    def __str__(self) -> str:
        return f"{self.bid} · {self.expert.code}"

    @property
    def call(self) -> Call:
        return self.panel.call

    @property
    def agency(self) -> Agency:
        return self.panel.call.agency

    def seen_by(self, actor: Any) -> Self:
        """This row as that person may see it: without the bidder for a reviewer from whom it is hidden."""
        if self.expert.user_id == getattr(actor, "pk", None):
            blind(self)
        return self

    def take_seat(self) -> None:
        """The first pledge also answers the invitation. Called by the `accept` step only."""
        self.panel.members.get(expert=self.expert_id).join()

    @property
    def draft_waits(self) -> bool:
        """Whether something was kept by autosave that is not on the score sheet yet."""
        from review.ballots import unsettled  # noqa: PLC0415 - reads these models

        return bool(unsettled(self))

    def held(self) -> dict[str, Mark]:
        """Criterion → mark, sealed or opened. For the expert, and for counting once every ballot is in; for nobody else."""
        from review.sealing import held  # noqa: PLC0415 - reads these models

        return held(self)

    def ballot(self) -> dict[str, int]:
        """Criterion → hundredths of a point."""
        return {code: int(mark.value * 100) for code, mark in self.held().items()}

    def commitments(self) -> dict[str, str]:
        """What the ledger names of the ballot as it stands now: “ballot” over the points, “words” over the comments."""
        from review.sealing import committed  # noqa: PLC0415 - as above

        return committed(self)

    def ballot_hash(self) -> str:
        """HMAC-SHA256 of the canonical points under this review's salt: a commitment that cannot be guessed back into marks."""
        return self.commitments().get("ballot", "")

    @property
    def reason(self) -> str:
        """Why this ballot deviates; "" when nothing is written."""
        from review.sealing import reason_of  # noqa: PLC0415 - as above

        return reason_of(self)

    def explain_with(self, reason: str) -> str:
        """Seal the reason ("" takes it away); its commitment. Called by the steps `explain` and `reopen` only."""
        from review.sealing import seal_reason  # noqa: PLC0415 - as above

        return seal_reason(self, reason)

    @property
    def seal_is_whole(self) -> bool:
        """Whether the sealed ballot opens and is the one the ledger names."""
        from review.opening import whole  # noqa: PLC0415 - as above

        return whole([self]) == []


class Swap(SwapMachine):
    """换人: an officer proposes that `expert` reviews a bid in place of the expert of `review`; a second person decides.

    reason: why, private like every note. Carried out, all stages of the pair move.
    """

    panel = models.ForeignKey(Panel, on_delete=models.PROTECT, related_name="swaps")
    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="swaps")
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

    @property
    def call(self) -> Call:
        return self.panel.call

    @property
    def agency(self) -> Agency:
        return self.panel.call.agency

    def carry_out(self) -> Facts:
        """Move the reviews. Called by the `approve` step only. Raises Invalid, NotNow."""
        from review.swapping import carry_out  # noqa: PLC0415 - reads these models

        return carry_out(self, by=self.actor)


class Mark(models.Model):
    """One criterion's points (from 0 to the criterion's own maximum, two places) with comments to the bidder and to the panel.

    Rows are written by the opening alone; before it, marks are unsaved objects out of the sealed ballot (`Review.held`).
    """

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="marks")
    criterion = models.CharField(max_length=40)
    value = models.DecimalField(_("得分"), max_digits=5, decimal_places=2)
    comment = models.TextField(_("给申报方的意见"), blank=True)
    panel_comment = models.TextField(_("仅评审组可见"), blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["review", "criterion"], name="mark_once"),
            models.CheckConstraint(name="mark_range", condition=Q(value__gte=0) & Q(value__lte=100)),
        ]

    def __str__(self) -> str:
        return f"{self.criterion} {self.value}"


class Draft(models.Model):
    """What an expert has typed, kept as it stands, right or wrong, and every version of it; private notes live only here.

    content: field → text (`mark_<criterion>`, `comment_<criterion>`, `panel_<criterion>`, `note`). aside: texts that another
    window had overtaken, so that nothing typed is lost. Both lie in `sealed`, encrypted for ever; kept_aside: whether there is any.
    """

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="drafts")
    number = models.PositiveIntegerField()
    sealed = models.BinaryField(editable=False)
    kept_aside = models.BooleanField(default=False, editable=False)
    saved_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering: ClassVar[list[str]] = ["number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["review", "number"], name="draft_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.review} #{self.number}"

    @property
    def content(self) -> dict[str, str]:
        return dict(self._opened["content"])

    @property
    def aside(self) -> dict[str, str]:
        return dict(self._opened["aside"])

    @cached_property
    def _opened(self) -> Any:
        from review.sealing import unseal_draft  # noqa: PLC0415 - reads these models

        return unseal_draft(self)


class Meeting(MeetingMachine):
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
    def call(self) -> Call:
        return self.panel.call

    @property
    def agency(self) -> Agency:
        return self.panel.call.agency

    @property
    def locked_by_id(self) -> Any:
        """Who locked the scores, and therefore does not publish them alone."""
        return self.panel.locked_by_id


class OtherScore(models.Model):
    """What is not on an expert's ballot, entered by an officer with its basis.

    component: residents, pledges, public_vote (0…100, parts of the mix), site_check or criterion:<code> (points of the score sheet
    that the secretariat or residents give once for everybody).
    """

    panel = models.ForeignKey(Panel, on_delete=models.CASCADE, related_name="other_scores")
    bid = models.ForeignKey(Bid, on_delete=models.PROTECT, related_name="other_scores")
    component = models.CharField(max_length=60)
    value = models.DecimalField(max_digits=6, decimal_places=2)
    basis = models.CharField(max_length=200)
    entered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["panel", "bid", "component"], name="other_score_once"),
            models.CheckConstraint(name="other_score_range", condition=Q(value__gte=0) & Q(value__lte=100)),
        ]

    def __str__(self) -> str:
        return f"{self.component} {self.value}"


class ConflictHit(models.Model):
    """A conflict found: which statutory test, on what evidence, from which source; a dismissal needs a reason and a second person.

    fingerprint: the same finding is one row however often it is computed; new evidence is a new row.
    """

    panel = models.ForeignKey(Panel, null=True, on_delete=models.CASCADE, related_name="hits")
    expert = models.ForeignKey(Expert, on_delete=models.CASCADE, related_name="hits")
    bid = models.ForeignKey(Bid, on_delete=models.CASCADE, related_name="hits")
    fingerprint = models.CharField(max_length=64)
    test = models.CharField(max_length=40)
    sentence = models.CharField(max_length=500)
    source = models.CharField(max_length=10)
    found_at = models.DateTimeField()
    found_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    proposed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(null=True)
    proposal_reason = models.TextField(blank=True)
    dismissed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    dismissed_at = models.DateTimeField(null=True)
    dismissal_reason = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["expert", "bid", "fingerprint"], name="hit_once"),
            models.CheckConstraint(name="hit_dismissed_with_reason", condition=Q(dismissed_by=None) | ~Q(dismissal_reason="")),
            models.CheckConstraint(
                name="hit_dismissed_by_two",
                condition=Q(dismissed_by=None) | ~Q(proposed_by=models.F("dismissed_by")),
            ),
        ]

    def __str__(self) -> str:
        return self.sentence

    @property
    def call(self) -> Call:
        return self.bid.call

    @property
    def agency(self) -> Agency:
        return self.bid.call.agency


class Result(models.Model):
    """A bid's official result in a panel: total, what was dropped, rank, pass, and the arithmetic in words."""

    panel = models.ForeignKey(Panel, on_delete=models.CASCADE, related_name="results")
    bid = models.ForeignKey(Bid, on_delete=models.PROTECT, related_name="results")
    total = models.DecimalField(_("得分"), max_digits=9, decimal_places=4)
    rank = models.PositiveIntegerField(_("名次"), null=True)
    passed = models.BooleanField(_("达到及格线"))
    n_ballots = models.PositiveSmallIntegerField()
    recommended = Money(_("建议金额"), null=True, default=None)
    explanation: Any = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar[list[str]] = ["rank", "pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["panel", "bid"], name="result_once")
        ]

    def __str__(self) -> str:
        return f"{self.bid} {self.total}"


class PanelAnalysis(models.Model):
    """参考分析: written once after the scores were locked, never changed. body: canonical JSON of `review.analysis.Analysis`."""

    panel = models.OneToOneField(Panel, on_delete=models.PROTECT, related_name="analysis")
    body = models.TextField()
    sha256 = models.CharField(max_length=64)
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("参考分析")

    def __str__(self) -> str:
        return f"{self.panel} {self.sha256[:12]}"


class Draw(DrawMachine):
    """一次抽取: what was announced, what the parties and the beacon gave, what followed — as `transcript` for anybody to repeat.

    about: panel (experts of a call) or order (defence, of `panel`). panel is empty until its experts are drawn. announced: the published value
    (format in docs/review-commands.md); nothing in it changes afterwards. challenge_until: how long bidders may ask for recusal.
    """

    class About(models.TextChoices):
        PANEL = "panel", _("评审专家")
        ORDER = "order", _("答辩顺序")

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="draws")
    panel = models.ForeignKey(Panel, null=True, on_delete=models.PROTECT, related_name="draws")
    about = models.CharField(_("抽取事项"), max_length=10, choices=About.choices)
    number = models.PositiveSmallIntegerField(default=1)
    reason = models.TextField(_("再次抽取的理由"), blank=True)
    mode = models.CharField(_("抽取方式"), max_length=20)
    announced: Any = models.JSONField(default=dict, editable=False)
    announced_sha256 = models.CharField(max_length=64, editable=False)
    published_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    challenge_until = models.DateTimeField(null=True, editable=False)
    beacon_due = models.DateTimeField(null=True, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    ledger_head = models.CharField(max_length=64, blank=True, editable=False)
    beacon_value = models.CharField(max_length=200, blank=True, editable=False)
    beacon_evidence = models.CharField(max_length=500, blank=True, editable=False)
    beacon_entered_by = models.ForeignKey(User, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    transcript: Any = models.JSONField(default=dict, editable=False)
    drawn_at = models.DateTimeField(null=True, editable=False)
    failure = models.TextField(blank=True, editable=False)

    visible = draw_visible

    class Meta:
        verbose_name = _("抽取")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            states_are(DrawStates, "draw"),
            models.UniqueConstraint(
                fields=["call"], condition=Q(about="panel", state__in=("published", "committing", "revealing")), name="draw_one_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return _("%(what)s抽取（第 %(n)d 次）") % {"what": self.get_about_display(), "n": self.number}

    @property
    def agency(self) -> Agency:
        return self.call.agency

    def of_the_same_matter(self) -> Any:
        """Draws about the same for the same call or, for an order, the same panel; this one not."""
        rows = Draw._base_manager.filter(call_id=self.call_id, about=self.about).exclude(pk=self.pk)
        return rows.filter(panel=self.panel) if self.about == Draw.About.ORDER else rows

    def party_of(self, user: Any) -> DrawParty:
        return self.parties.get(user=user)

    def opened(self, party: DrawParty) -> str:
        """What is in the party's sealed copy. Raises NotNow."""
        from review.escrow import opened  # noqa: PLC0415 - only where a copy is opened

        return opened(party.sealed)

    # what the steps' bodies write; called by the steps only

    def write_commitment(self, secret: str, sha256: str, envelope: str) -> Facts:
        from review.drawing_parties import commit  # noqa: PLC0415 - reads these models

        return commit(self.party_of(self.actor), secret, sha256, envelope)

    def write_reveal(self, party: DrawParty, value: str, *, by: str) -> Facts:
        from review.drawing_parties import reveal  # noqa: PLC0415 - as above

        return reveal(party, value, by=by, actor=self.actor)

    def write_beacon(self, value: str, evidence: str) -> Facts:
        from review.drawing_parties import enter_beacon  # noqa: PLC0415 - as above

        return enter_beacon(self, value, evidence, actor=self.actor)

    def write_outcome(self, name: str) -> Facts:
        from review.seating import complete  # noqa: PLC0415 - as above

        return complete(self, name, by=self.actor)

    def head_now(self) -> str:
        from review.drawing_parties import head_of  # noqa: PLC0415 - as above

        return head_of(self.subject)

    @staticmethod
    def stamp(moment: datetime | None) -> str:
        """A moment as transcripts write it: UTC, whole seconds; empty for none."""
        return "" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class DrawParty(models.Model):
    """承诺方: who throws a number nobody else knows. sealed: the encrypted copy; envelope: where the paper one lies, if that was chosen."""

    draw = models.ForeignKey(Draw, on_delete=models.CASCADE, related_name="parties")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(_("承诺方"), max_length=60)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64, blank=True)
    sealed = models.TextField(blank=True)
    envelope = models.CharField(_("纸质信封"), max_length=200, blank=True)
    committed_at = models.DateTimeField(null=True)
    revealed = models.CharField(max_length=64, blank=True)
    revealed_by = models.CharField(max_length=10, blank=True)
    revealed_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["position"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["draw", "user"], name="draw_party_once"),
            models.UniqueConstraint(fields=["draw", "name"], name="draw_party_name_once"),
        ]

    def __str__(self) -> str:
        return self.name


class Challenge(ChallengeMachine):
    """回避申请: a bidder names somebody who should not judge them, and why. The pool itself is not shown; the name is compared with it.

    expert: who in the pool is meant, once the agency knows; empty when nobody is. limit: docs/adr/0017.
    """

    bid = models.ForeignKey(Bid, on_delete=models.PROTECT, related_name="challenges")
    name = models.CharField(_("专家姓名"), max_length=40)
    employer = models.CharField(_("工作单位"), max_length=100, blank=True)
    reason = models.TextField(_("理由和证据"), max_length=2000)
    filed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    expert = models.ForeignKey(Expert, null=True, editable=False, on_delete=models.PROTECT, related_name="challenges")
    decision = models.TextField(_("决定的理由"), blank=True, editable=False)
    decided_by = models.ForeignKey(User, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True, editable=False)

    visible = challenge_visible

    class Meta:
        verbose_name = _("回避申请")
        constraints: ClassVar[list[models.BaseConstraint]] = [states_are(ChallengeStates, "challenge")]

    def __str__(self) -> str:
        return _("%(bid)s 申请回避：%(name)s") % {"bid": self.bid.number, "name": self.name}

    @property
    def call(self) -> Call:
        return self.bid.call

    @property
    def agency(self) -> Agency:
        return self.bid.call.agency

    @property
    def organisation(self) -> Organisation:
        return self.bid.organisation

    def write_relation(self, expert: Expert) -> None:
        """An upheld challenge is an edge like any other found relation. Called by the `uphold` step only."""
        Relation.objects.create(
            expert=expert, organisation=self.bid.organisation, kind="challenged", source=Relation.Source.CHALLENGED, evidence=self.reason[:300],
            recorded_at=clock.now(), recorded_by=self.actor,
        )  # fmt: skip
