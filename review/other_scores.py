"""What is not on an expert's ballot: residents, pledges, public vote, site check, objective criteria. Entered once by one officer, with a basis;
corrected by two (`review.correcting`)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from grants import clock
from grants.ledger import canonical, merkle
from grants.workflow.machine import Facts
from grants.workflow.refusals import Invalid
from review import composing
from review.composing import ENTERED_ONCE, MIX, SITE_CHECK, Component
from review.models import OtherScore
from review.panels import bids_of, sheet_of
from review.sealing import SALT_BYTES, commitment

if TYPE_CHECKING:
    from bidding.models import Bid
    from grants.calls.rulebook.model import CallRules
    from review.models import Panel, Review

__all__ = [
    "ENTERED_ONCE", "MIX", "SITE_CHECK", "Component", "Objective", "checked", "commitment_of", "committed", "components", "different",
    "leaves", "missing", "named", "objective", "place", "root", "wanted", "write",
]

CENT = Decimal("0.01")


def components(rules: CallRules, bid: Bid) -> list[Component]:
    """Everything the call's rules want entered for this bid."""
    return composing.components(rules, sheet_of(rules, bid).criteria)


def wanted(rules: CallRules) -> bool:
    """Whether the rules want anything entered at all, on any score sheet."""
    return any(composing.components(rules, sheet.criteria) for sheet in rules.review.sheets)


@dataclass(frozen=True)
class Objective:
    """An objective criterion as every expert sees it. value: points entered by the secretariat, None while it is not; basis: on what."""

    name: str
    top: Decimal
    value: Decimal | None
    basis: str


def objective(review: Review) -> list[Objective]:
    """The criteria of a bid that the secretariat enters once, for experts to read and not to score (review.md §2.5).

    What residents and the public gave is not among them: nobody's opinion is shown before the opening.
    """
    asked = [c for c in sheet_of(review.panel.rules, review.bid).criteria if str(c.scorer) == "secretariat"]
    if not asked:
        return []
    codes = {f"criterion:{c.code}": c for c in asked}
    rows = {o.component: o for o in OtherScore.objects.filter(panel=review.panel_id, bid=review.bid_id, component__in=codes)}
    given = {code: (rows[code].value, rows[code].basis) if code in rows else (None, "") for code in codes}
    return [Objective(c.name, Decimal(c.weight), *given[code]) for code, c in codes.items()]


def missing(panel: Panel) -> list[str]:
    """What has not been entered: “编号 名称 · 分项”."""
    given = set(panel.other_scores.values_list("bid_id", "component"))
    return [
        f"{bid.number} {bid.title} · {part.name}"
        for bid in bids_of(panel)
        for part in components(panel.rules, bid)
        if (bid.pk, part.code) not in given
    ]


def write(panel: Panel, bid: Bid, component: str, value: Any, basis: str, *, by: Any) -> Facts:
    """Write one score, once. Raises Invalid: bid, component, range, basis, or entered already: a correction takes two (`review.correcting`)."""
    amount, ground = checked(panel, bid, component, value, basis)
    if OtherScore.objects.filter(panel=panel, bid=bid, component=component).exists():
        what = named(panel, bid, component)
        raise _invalid("component", _(
            "“%(what)s”已经录入，不能再录入一次。要更正的，请打开评审组的“统一录入的分数”页面提出更正，写明理由，由另一位工作人员确认。"
        ) % {"what": what}, rule="other_score_once")  # fmt: skip
    row = OtherScore.objects.create(
        panel=panel, bid=bid, component=component, value=amount, basis=ground, entered_by=by, entered_at=clock.now(),
        salt=secrets.token_hex(SALT_BYTES),
    )  # fmt: skip
    public = {"bid": str(bid.pk), "component": component, "score": committed(row)}
    return Facts(public=public, private={"value": str(row.value), "note": row.basis})


def checked(panel: Panel, bid: Bid, component: str, value: Any, basis: str) -> tuple[Decimal, str]:
    """Value and basis as they are kept. Raises Invalid: bid, component, range, places or basis."""
    amount = _value(_part(panel, bid, component), value)
    if not basis.strip():
        raise _invalid("basis", _("请写明分数的依据（如计票表编号、核查记录）。"))
    return amount, basis.strip()


def different(score: OtherScore, value: Decimal, basis: str) -> None:
    """Raises Invalid when a correction would change nothing."""
    if (score.value, score.basis) == (value, basis):
        raise _invalid("value", _("新的分数和依据与现在的相同，没有要更正的。"), rule="other_score_same")


def named(panel: Panel, bid: Bid, component: str) -> str:
    """“编号 名称 · 分项”."""
    names = {part.code: part.name for part in components(panel.rules, bid)}
    return f"{bid.number} {bid.title} · {names.get(component, component)}"


def committed(row: OtherScore) -> str:
    """HMAC-SHA256 of the score in hundredths under its salt: the log names it, and a bidder who has the score and the salt finds it there."""
    return commitment_of(row.salt, row.component, row.value)


def commitment_of(salt: str, component: str, value: Decimal) -> str:
    """The same of any score, in force or not."""
    return commitment(salt, {component: int(value * 100)})


def leaves(panel: Panel) -> list[tuple[bytes, Any]]:
    """For each bid with entered scores, the hash over the commitments in force (component → commitment) and the bid's key, in order of the hash."""
    told: dict[Any, dict[str, str]] = {}
    for row in OtherScore.objects.filter(panel=panel).order_by("component"):
        told.setdefault(row.bid_id, {})[row.component] = committed(row) if row.salt else ""
    return sorted((merkle.leaf_hash(canonical.encode(sealed)), bid) for bid, sealed in told.items())


def root(panel: Panel) -> str:
    """One hash over every entered score that counts: the lock names it, so that nobody can say afterwards that another score was in force; "" without any."""
    found = leaves(panel)
    return merkle.root([leaf for leaf, _bid in found]).hex() if found else ""


def place(panel: Panel, bid: Any) -> dict[str, Any] | None:
    """Where a bid's scores stand under that root, with the path (RFC 6962) that proves it; None where nothing was entered for it."""
    found = leaves(panel)
    at = next((at for at, (_leaf, owner) in enumerate(found) if owner == bid), None)
    if at is None:
        return None
    path = merkle.inclusion_proof([leaf for leaf, _bid in found], at)
    return {"index": at, "size": len(found), "path": [sibling.hex() for sibling in path]}


def _part(panel: Panel, bid: Bid, component: str) -> Component:
    if bid.pk not in {b.pk for b in bids_of(panel)}:
        raise _invalid("bid", _("这份申报不在本评审组。"))
    found = next((c for c in components(panel.rules, bid) if c.code == component), None)
    if found is None:
        raise _invalid("component", _("征集规则没有“%(what)s”这一分项。") % {"what": component})
    return found


def _value(part: Component, value: Any) -> Decimal:
    figures = {"name": part.name, "value": value, "top": part.top}
    amount = value if isinstance(value, Decimal) else Decimal(str(value))
    if not amount.is_finite() or not 0 <= amount <= part.top:
        raise _invalid("value", _("“%(name)s”的得分 %(value)s 超出 0 至 %(top)s 的范围。") % figures)
    if amount != amount.quantize(CENT):
        raise _invalid("value", _("“%(name)s”的得分 %(value)s 超过两位小数。") % figures)
    return amount.quantize(CENT)


def _invalid(field: str, sentence: str, rule: str = "") -> Invalid:
    return Invalid(sentence, rule=rule or f"other_score_{field}", problems={field: [sentence]})
