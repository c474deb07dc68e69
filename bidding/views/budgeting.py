"""What the budget page says about money: sums, every limit row by row, and what is wrong — the same sentences from server and script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bidding import frozen
from bidding.budget import BudgetTotals, Cap, caps, totals
from bidding.completeness import budget_rules, problems
from bidding.models import Bid
from bidding.services.keeping import Kept
from grants.money import percent_text, yuan
from grants.web.speaking import spoken

SENTENCES: Mapping[str, Any] = {
    "over": gettext_lazy("{what} 上限 {limit}，现在 {now}，超 {over}"),
    "most": gettext_lazy("{what} 上限 {limit}，现在 {now}，还可列 {left}"),
    "short": gettext_lazy("{what} 下限 {limit}，现在 {now}，还差 {short}"),
    "least": gettext_lazy("{what} 下限 {limit}，现在 {now}，已达到"),
}
"""With the figures in braces; the script fills in the very same ones while somebody types."""


@dataclass(frozen=True)
class CapLine:
    """One limit on the page: what it is about, where it stands, and the sentence that says so."""

    cap: Cap
    what: str
    key: str
    sentence: str

    @property
    def broken(self) -> bool:
        return self.key in ("over", "short")


def cap_line(cap: Cap, sums: BudgetTotals) -> CapLine:
    """人员费 40% 上限 ¥80,000.00，现在 ¥92,000.00，超 ¥12,000.00."""
    now, limit, what = cap.now(sums), cap.limit(sums), _what(cap)
    apart = abs(now - limit)
    key = ("short" if now < limit else "least") if cap.at_least else ("over" if now > limit else "most")
    figures = {"what": what, "limit": yuan(limit), "now": yuan(now), "over": yuan(apart), "left": yuan(apart), "short": yuan(apart)}
    return CapLine(cap, what, key, str(SENTENCES[key]).format(**figures))


def _what(cap: Cap) -> str:
    if cap.share is None:
        return spoken(cap.name)
    base = {"project": _("占项目总预算"), "match": _("占配套"), "grant": ""}[cap.of]
    return f"{spoken(cap.name)} {base} {percent_text(cap.share)}".replace("  ", " ")


def budget_facts(bid: Bid) -> dict[str, Any]:
    """Everything beside the rows: sums, limits, sums by category, and the rulebook's own words."""
    rules, sums = budget_rules(bid), totals(frozen.budget_lines(bid))
    by_category = [(c, sums.by_category.get(c.code, Decimal(0))) for c in rules.categories if not c.banned]
    lines = [cap_line(cap, sums) for cap in caps(rules)]
    return {"totals": sums, "limits": rules, "caps": lines, "categories": by_category, "rulebook": bid.rules.budget,
            "cap_sentences": {key: str(said) for key, said in SENTENCES.items()}}  # fmt: skip


def told_after_saving(kept: Kept) -> dict[str, Any]:
    """What is wrong with the budget as it was just saved, for the list above the table."""
    return {"told": [[problem.field, problem.sentence] for problem in problems(kept.held) if problem.page == "budget"]}
