"""档案完整度: which papers a project should have by now, which are there, and what closing still waits for (ux #29).

A paper is asked for from the moment its step was taken: a contract's scans once it is effective, a receipt once a tranche is paid, a voucher
once an expense is booked. What is not due yet is neither missing nor counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q, Sum
from django.urls import reverse
from django.utils.translation import gettext as _

from grants.awards.models import Award
from grants.evaluation.gate import archive_gaps, missing_for, rules
from grants.money import ZERO


@dataclass(frozen=True)
class Paper:
    """One paper the file should hold: its name, whether it is there, and where to add it."""

    name: str
    there: bool
    url: str = ""


@dataclass(frozen=True)
class Meter:
    """Papers asked for so far, those there, and what closing still waits for, in sentences with the way out."""

    papers: tuple[Paper, ...]
    gates: tuple[str, ...]

    @property
    def there(self) -> int:
        return sum(p.there for p in self.papers)

    @property
    def missing(self) -> list[Paper]:
        return [p for p in self.papers if not p.there]

    @property
    def percent(self) -> int:
        """Whole per cent, rounded down: 100 only when nothing is missing."""
        return self.there * 100 // len(self.papers) if self.papers else 100


def meter(award: Award) -> Meter:
    """The file of one project today. A fixed number of queries."""
    gates = missing_for(award) if award.state == "active" else []
    return Meter(tuple(_papers(award)), tuple(gates))


def _papers(award: Award) -> Iterator[Paper]:
    yield Paper(_("申报书及回执"), award.bid.versions.filter(receipt__isnull=False).exists())
    yield Paper(_("公示文本"), award.notice is not None and award.notice.file_id is not None)
    yield from _contract(award)
    yield from _money(award)
    if award.state in ("active", "closed", "terminated"):
        file = reverse("evaluation:closing", args=[award.pk])
        gaps = set(archive_gaps(award))
        for item in rules(award).items:
            if item.required:
                yield Paper(item.name, item.name not in gaps, file)


def _contract(award: Award) -> Iterator[Paper]:
    contract: Any = getattr(award, "contract", None)
    if contract is None:
        return
    url = reverse("desk:object", args=["contract", contract.pk])
    yield Paper(_("协议文本"), contract.file_id is not None, url)
    if contract.grantee_signed_at or contract.effective_at:
        yield Paper(_("乙方签章扫描件"), contract.grantee_scan_id is not None, url)
    if contract.effective_at:
        yield Paper(_("双方签章扫描件"), contract.agency_scan_id is not None, url)


def _money(award: Award) -> Iterator[Paper]:
    """A checked receipt per paid tranche, a bank reference with it; a voucher per expense, as one line with its figure."""
    verified = Sum("receipts__amount", filter=Q(receipts__verified_at__isnull=False))
    for row in award.tranches.filter(state="paid").annotate(verified=verified).order_by("number"):
        url = reverse("desk:object", args=["tranche", row.pk])
        enough: Decimal = row.verified or ZERO
        yield Paper(_("第 %(n)d 期票据（已核验）") % {"n": row.number}, enough >= row.amount, url)
    spent = award.expenses.filter(disallowed_reason="")
    total, bare = spent.count(), spent.filter(voucher=None).count()
    if total:
        words = _("支出凭证（%(t)d 笔，缺 %(b)d 笔）") % {"t": total, "b": bare}
        yield Paper(words, bare == 0, reverse("funding:award", args=[award.pk]))
