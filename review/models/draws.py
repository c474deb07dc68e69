"""抽取: draws with their parties, and bidders' requests for recusal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bidding.models import Bid
from grants import clock
from grants.calls.models import Call
from grants.people.models import Agency, Organisation, User
from grants.vault.columns import Secret
from grants.workflow.machine import Facts, states_are
from review.challenge_machine import ChallengeMachine, ChallengeStates
from review.challenge_rules import challenge_visible
from review.draw_machine import DrawMachine, DrawStates
from review.draw_rules import draw_visible
from review.models.panels import Panel
from review.models.pool import Expert, Relation


class Draw(DrawMachine):
    """一次抽取: what was announced, what the parties and the beacon gave, what followed — as `transcript` for anybody to repeat.

    about: panel (experts of a call), order (defence, of `panel`) or tie (equals of `panel`). panel is empty until its experts are drawn.
    announced: the published value (format in docs/review-commands.md); nothing in it changes afterwards. challenge_until: how long bidders may ask for recusal.
    number: all earlier draws of the same matter and one, whatever became of them. closed_at, ledger_head: of a simple draw, when it was announced.
    """

    class About(models.TextChoices):
        PANEL = "panel", _("评审专家")
        ORDER = "order", _("答辩顺序")
        TIE = "tie", _("同分名次")

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
        """Draws about the same for the same call or, for an order or a tie, the same panel; this one not."""
        rows = Draw._base_manager.filter(call_id=self.call_id, about=self.about).exclude(pk=self.pk)
        return rows if self.about == Draw.About.PANEL else rows.filter(panel=self.panel)

    def codes_now(self) -> list[str]:
        """What an order of defence or a lot would be drawn over now."""
        from review.drawing import order_codes, tie_codes  # noqa: PLC0415 - reads these models

        assert self.panel is not None  # only a panel's bids are drawn over
        return tie_codes(self.panel) if self.about == Draw.About.TIE else order_codes(self.panel)

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
    name = Secret(_("专家姓名"), max_length=40)
    employer = Secret(_("工作单位"), max_length=100, blank=True)
    reason = Secret(_("理由和证据"), max_length=2000)
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
