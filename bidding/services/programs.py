"""What seals the bids of a call, as it was announced and as it is served: the clock tells every change, pages compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from bidding import sealing_bundle
from bidding.models import SealKey, SealProgram
from grants.workflow.door import SYSTEM, perform
from grants.workflow.refusals import NotNow


@dataclass(frozen=True)
class Programs:
    """served: the fingerprint of the scripts that pages send now; announced: oldest first."""

    served: str
    announced: Sequence[SealProgram]

    @property
    def renewed(self) -> bool:
        """The scripts changed while bids could come in: whoever noted the first fingerprint sees another one now."""
        return len({row.fingerprint for row in self.announced}) > 1

    @property
    def unannounced(self) -> bool:
        """Pages send scripts that are not the last announced: either an upgrade of this minute, or somebody altered them."""
        return bool(self.announced) and self.announced[-1].fingerprint != self.served


def of_key(key: SealKey) -> Programs:
    """What was announced for a key beside what is served. One query."""
    return Programs(sealing_bundle.fingerprint(), list(key.programs.all()))


def announce_changes() -> int:
    """Announce the programs of calls that take bids where pages serve others by now, e.g. after an upgrade. Returns how many.

    Safe at any time and any number of times. One query when nothing changed.
    """
    done = 0
    for key in _outdated():
        try:
            perform(key, "renew_program", by=SYSTEM)
            done += 1
        except NotNow:  # another worker was faster, or the call has just closed
            continue
    return done


def _outdated() -> QuerySet[SealKey]:
    last = SealProgram.objects.filter(key=OuterRef("pk")).order_by("-pk").values("fingerprint")[:1]
    rows = SealKey.objects.filter(state="ready", call__state__in=("published", "open"))
    return rows.annotate(last=Coalesce(Subquery(last), Value(""))).exclude(last=sealing_bundle.fingerprint()).order_by("pk")
