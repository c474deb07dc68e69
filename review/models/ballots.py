"""评分: a review with its sealed ballot, the marks after the opening, what was typed, and scores that no expert gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from bidding.models import Bid
from grants import clock
from grants.people.models import User
from grants.workflow.machine import states_are
from review.ballot_rules import review_visible
from review.blinding import Reviews, blind
from review.machine import ReviewMachine, ReviewStates
from review.models.panels import OfPanel, Panel
from review.models.pool import Expert

LIVE = ("assigned", "accepted", "submitted")
"""States of a review that still counts or may come to count."""


class Review(OfPanel, ReviewMachine):
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

    def counting(self) -> dict[str, Mark]:
        """Criterion → mark of the ballot that counts: the second, where one was given after the discussion. Readers as of `held`."""
        from review.second import counting  # noqa: PLC0415 - as above

        return counting(self)

    def write_second(self, marks: Mapping[str, Any], comments: Mapping[str, tuple[str, str]], reason: str) -> dict[str, str]:
        """Seal a second ballot; its commitments. Called by the `revise` step only. Raises Invalid."""
        from review.second import cast  # noqa: PLC0415 - as above

        return cast(self, marks, comments, reason)

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


class SecondBallot(models.Model):
    """第二次评分: what an expert gave a bid after the discussion. It counts instead of the first, which stays as it is (`review.second`).

    sealed: the whole ballot with its reason and salts, encrypted; the rest stands in the clear only since opened_at. points: criterion →
    hundredths; words: criterion → [to the bidder, to the panel].
    """

    review = models.OneToOneField(Review, on_delete=models.CASCADE, related_name="second")
    sealed = models.BinaryField(editable=False)
    cast_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, editable=False)
    points: Any = models.JSONField(default=dict, editable=False)
    words: Any = models.JSONField(default=dict, editable=False)
    reason = models.TextField(blank=True, editable=False)
    salt = models.CharField(max_length=64, blank=True, editable=False)
    words_salt = models.CharField(max_length=64, blank=True, editable=False)
    reason_salt = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        verbose_name = _("第二次评分")

    def __str__(self) -> str:
        return f"{self.review} 2"


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


class OtherScore(models.Model):
    """What is not on an expert's ballot, entered by an officer with its basis.

    component: residents, pledges, public_vote (0…100, parts of the mix), site_check or criterion:<code> (points of the score sheet
    that the secretariat or residents give once for everybody). salt: 32 bytes in hex, of the commitment that the ledger names.
    """

    panel = models.ForeignKey(Panel, on_delete=models.CASCADE, related_name="other_scores")
    bid = models.ForeignKey(Bid, on_delete=models.PROTECT, related_name="other_scores")
    component = models.CharField(max_length=60)
    value = models.DecimalField(max_digits=6, decimal_places=2)
    basis = models.CharField(max_length=200)
    salt = models.CharField(max_length=64, default="", editable=False)
    entered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["panel", "bid", "component"], name="other_score_once"),
            models.CheckConstraint(name="other_score_range", condition=Q(value__gte=0) & Q(value__lte=100)),
        ]

    def __str__(self) -> str:
        return f"{self.component} {self.value}"
