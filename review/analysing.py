"""The reference analysis of a panel: gathered from its sealed ballots, kept once, made again by whoever doubts it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from grants import clock, ledger
from review import composing, scoring
from review.analysis import Analysis, Ballot, Official, Terms, analyse, canonical_bytes, digest, fund_line
from review.calibration.findings import BidView
from review.calibration.sensitivity import Fund
from review.conflict_checks import code_of
from review.models import PanelAnalysis
from review.panels import sheet_of
from review.results import Tally, ask_of

if TYPE_CHECKING:
    from review.models import Panel

Funding = Callable[["Panel"], Fund]
_fundings: list[Funding] = []


def fund_with(funding: Funding) -> None:
    """Register how a ranking of a panel becomes awards; the last one registered is asked. Without any, a plain fund line."""
    if funding not in _fundings:
        _fundings.append(funding)


def analysis_of(panel: Panel) -> Analysis:
    """The analysis of a panel whose scores are locked, counted anew. Raises ScoreRefused where ballots give no score."""
    tally = Tally.of(panel)
    names = {bid.pk: code_of(bid) for bid in tally.bids}
    official = {names[r.bid_id]: Official(_shown(r.total, tally), r.rank) for r in panel.results.all() if r.bid_id in names}
    return analyse(
        _ballots(tally), terms=_terms(tally), criteria=_criteria(tally), bids=sorted(names.values()), official=official,
        fund=_fund(panel, tally), seed=tally.lot_seed(), rule=tally.rules.review.official.value,
    )  # fmt: skip


def keep(panel: Panel, found: Analysis) -> PanelAnalysis:
    """Store the analysis and put its hash into the ledger; one that is kept already stays as it is."""
    row, new = PanelAnalysis.objects.get_or_create(
        panel=panel, defaults={"body": canonical_bytes(found).decode(), "sha256": digest(found)}
    )
    if new:
        _remember(panel, row, found)
    return row


def renew(panel: Panel, found: Analysis) -> PanelAnalysis:
    """The committee excluded a ballot, or lots fell: the analysis follows the result, and its new hash into the ledger; the old one stays there."""
    row, _new = PanelAnalysis.objects.update_or_create(
        panel=panel, defaults={"body": canonical_bytes(found).decode(), "sha256": digest(found), "made_at": clock.now()}
    )
    _remember(panel, row, found)
    return row


def _remember(panel: Panel, row: PanelAnalysis, found: Analysis) -> None:
    ledger.record(
        event="panel.analysis", actor="system", role="system", subject=panel.subject, scope=f"call:{panel.call_id}",
        public={"analysis": row.sha256, "method": found.method, "result": panel.result_hash()},
    )  # fmt: skip


def kept(panel: Panel) -> Analysis | None:
    """The stored analysis; None while it has not been made yet."""
    row = PanelAnalysis.objects.filter(panel=panel).first()
    return None if row is None else Analysis.load(json.loads(row.body))


def views(panels: Collection[Any]) -> dict[tuple[Any, str], BidView]:
    """(panel, bid's code) → the bid in the stored analysis of its panel. One query; nothing of a panel whose analysis is not made yet."""
    rows = PanelAnalysis.objects.filter(panel__in=panels).values_list("panel_id", "body")
    return {(pk, each.bid): each for pk, body in rows for each in Analysis.load(json.loads(body)).bids}


def recheck(panel: Panel) -> list[str]:
    """Make the analysis again from the ballots; what differs from the stored one, in words. Empty: identical to the byte."""
    row = PanelAnalysis.objects.filter(panel=panel).first()
    if row is None:
        return [_("参考分析尚未生成")]
    again = canonical_bytes(analysis_of(panel)).decode()
    return [] if again == row.body else [_("参考分析与重新计算的不一致")]


def _shown(total: Decimal, tally: Tally) -> Decimal:
    return total.quantize(Decimal(1).scaleb(-tally.rules.review.decimals))


def _ballots(tally: Tally) -> list[Ballot]:
    found: list[Ballot] = []
    several = len(_sheets(tally)) > 1
    for bid in tally.bids:
        own = sheet_of(tally.rules, bid) if several else None
        for stage in tally.rules.review.stages:
            marks, totals = tally.full_marks(bid, str(stage.kind)), tally.totals(bid, str(stage.kind))
            found += [
                Ballot(code_of(bid), expert, scoring.rounded(totals[expert]), _keyed(own, marks[expert]), str(stage.kind)) for expert in totals
            ]
    return found


def _terms(tally: Tally) -> Terms:
    rules = tally.rules.review
    stages = {str(stage.kind): Decimal(stage.weight) for stage in rules.stages}
    beside = {code_of(b): composing.beside(rules, tally.entered(b)) for b in tally.bids}
    return Terms(composing.trim_of(rules), rules.decimals, stages, Decimal(rules.mix.experts), beside)


def _criteria(tally: Tally) -> list[scoring.Criterion]:
    """Criteria of all sheets in use. Where there are several, each with its sheet's name: “need” of two sheets are two criteria with points of their own."""
    sheets = _sheets(tally)
    if len(sheets) == 1:
        return [scoring.Criterion(c.code, c.name, Decimal(c.weight)) for c in sheets[0].criteria]
    return [scoring.Criterion(criterion_key(s.code, c.code), f"{c.name}（{s.name}）", Decimal(c.weight)) for s in sheets for c in s.criteria]


def criterion_key(sheet: str, criterion: str) -> str:
    """How the analysis names a criterion where the panel's bids have several score sheets."""
    return f"{sheet}.{criterion}"


def _keyed(sheet: Any, marks: Mapping[str, Decimal]) -> Mapping[str, Decimal]:
    return marks if sheet is None else {criterion_key(sheet.code, code): mark for code, mark in marks.items()}


def _sheets(tally: Tally) -> list[Any]:
    """The score sheets of the panel's bids, in the order of the bids."""
    return list({sheet.code: sheet for sheet in (sheet_of(tally.rules, bid) for bid in tally.bids)}.values())


def _fund(panel: Panel, tally: Tally) -> Fund:
    if _fundings:
        return _fundings[-1](panel)
    rules: Any = tally.rules
    asks = {code_of(bid): ask_of(bid) for bid in tally.bids}
    stop = str(rules.allocation.when_full.value) == "stop"
    return fund_line(
        asks, pool=rules.pool.grants, places=rules.allocation.awards_max, pass_line=Decimal(rules.review.pass_line), stop=stop
    )
