"""The reference analysis: made once after the lock, hashed into the ledger, the same when made again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from grants import clock
from grants.calls.rulebook.toml import from_data
from grants.ledger.models import AuditEvent
from grants.workflow import effects
from grants.workflow.refusals import Invalid, NotNow
from review import analysing, services
from review.analysis import Analysis, Refusal, canonical_bytes
from review.models import Panel, PanelAnalysis, Review
from review.results import recompute
from tests.world import review as world
from tests.world import shared
from tests.world.review import Judged

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def judged(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """Four admitted bids, made once; each test's changes are rolled back."""
    with shared.rows(django_db_blocker):
        yield world.judged(n=4)


def given(review: Review) -> Decimal:
    """Bids a tenth apart; every expert a little different."""
    place = int(review.bid.number[-2:])
    return Decimal("0.9") - Decimal("0.08") * place + Decimal(int(review.expert.code[1:]) % 4) / 100


@pytest.fixture(scope="module")
def started(judged: Judged, django_db_blocker: Any) -> Panel:
    """Scored and locked, once (tests that need the call before that come first)."""
    with django_db_blocker.unblock():
        return world.locked(world.started(judged.call, judged.desk.officer), judged.desk.officer, given)


@pytest.fixture
def panel(started: Panel) -> Panel:
    return Panel.objects.select_related(*Panel.door_select).get(pk=started.pk)


def test_locking_does_not_wait_and_the_worker_keeps_the_analysis_with_its_hash_in_the_ledger(panel: Panel) -> None:
    assert not PanelAnalysis.objects.exists()
    assert analysing.kept(panel) is None
    assert analysing.recheck(panel) == ["参考分析尚未生成"]
    effects.drain()
    row = PanelAnalysis.objects.get(panel=panel)
    assert row.sha256 == hashlib.sha256(row.body.encode()).hexdigest()
    assert row.sha256.encode() in bytes(AuditEvent.objects.get(event="panel.analysis").leaf)


def test_it_is_read_back_whole_and_made_again_to_the_byte(panel: Panel) -> None:
    effects.drain()
    found = analysing.kept(panel)
    assert isinstance(found, Analysis)
    assert canonical_bytes(found).decode() == PanelAnalysis.objects.get(panel=panel).body
    assert analysing.recheck(panel) == []
    analysing.keep(panel, found)
    assert AuditEvent.objects.filter(event="panel.analysis").count() == 1


def test_a_changed_analysis_is_noticed(panel: Panel) -> None:
    effects.drain()
    PanelAnalysis.objects.filter(panel=panel).update(body="{}")
    assert analysing.recheck(panel) == ["参考分析与重新计算的不一致"]


def test_official_scores_and_ranks_are_those_of_the_result(panel: Panel) -> None:
    effects.drain()
    found = analysing.kept(panel)
    assert found is not None
    assert found.refusal is Refusal.NONE
    assert {b.bid: (b.official, b.rank) for b in found.bids} == {
        r.bid.number: (r.total.quantize(Decimal("0.01")), r.rank) for r in panel.results.select_related("bid")
    }
    trimmed = next(r for r in found.robust if r.what == "trimmed")
    assert trimmed.changes == 0, "the official rule against itself changes nothing"
    assert {e.n for e in found.experts} == {4}
    assert all(h.n == sum(h.counts) > 0 for h in found.criteria)


@pytest.mark.slow
def test_two_stages_are_calibrated_on_the_weighted_ballot(judged: Judged) -> None:
    two = world.judged(world.rules(name="YX-2026-93", stages=2), n=3, sector=5, finance=1)
    panel = world.locked(world.started(two.call, two.desk.officer), two.desk.officer, given)
    found = analysing.analysis_of(panel)
    assert found.unused == 0
    assert [b.official for b in found.bids] == [r.total.quantize(Decimal("0.01")) for r in panel.results.order_by("bid__number")]
    assert next(r for r in found.robust if r.what == "trimmed").changes == 0


@pytest.mark.slow
def test_calibrated_scores_are_official_only_where_the_rules_say_so(judged: Judged) -> None:
    """The strictness taken off stands beside every ballot; ballots and the analysis stay what they were."""
    value = world.rules(name="YX-2026-94", official="calibrated")
    case = world.judged(value, n=3)
    panel = world.locked(world.started(case.call, case.desk.officer), case.desk.officer, given)
    (stage,) = panel.results.first().explanation["stages"]
    assert {Decimal(b["off"]) for b in stage["ballots"]} != {Decimal(0)}
    counted = sorted(Decimal(b["total"]) - Decimal(b["off"]) for b in stage["ballots"] if not b["dropped"])
    assert Decimal(stage["value"]) == (sum(counted) / len(counted)).quantize(Decimal("0.01"))
    assert recompute(panel) == []
    assert analysing.analysis_of(panel).rule == "calibrated"


def test_bonus_points_come_on_top_and_nobody_without_a_figure(judged: Judged) -> None:
    """Zhongshan 2013: experts to 100, money raised up to 50 more. 80.00 and 12.50 make 92.50."""
    case = world.judged(world.rules(name="YX-2026-95", bonuses=[{"code": "raised", "name": "募资", "cap": "50.00"}]), n=1)
    panel, by = world.started(case.call, case.desk.officer), case.desk.officer
    with clock.at(world.after(panel.call, 10)):
        world.all_scored(panel)
        with pytest.raises(NotNow) as waiting:
            services.lock(panel, by=by)
        assert waiting.value.rule == "other_scores_are_in"
        with pytest.raises(Invalid):
            services.enter_other_score(panel, case.bids[0], "bonus:raised", Decimal("50.01"), basis="到账凭证", by=by)
        services.enter_other_score(panel, case.bids[0], "bonus:raised", Decimal("12.50"), basis="到账凭证", by=by)
        panel = services.lock(panel, by=by)
    row = panel.results.get()
    assert row.total == Decimal("92.50")
    assert row.explanation["bonuses"] == [{"code": "raised", "name": "募资", "value": "12.50"}]
    assert analysing.analysis_of(panel).bids[0].official == Decimal("92.50")


@pytest.mark.slow
def test_the_same_criterion_of_two_score_sheets_is_two_with_points_of_its_own() -> None:
    """Bids of the second track are marked out of other points: neither histogram nor mean mixes them, nor does the chart that shows them."""
    plain = world.rules(name="YX-2026-96").plain()
    (first,) = plain["review"]["sheets"]
    turned = [{**c, "weight": w} for c, w in zip(first["criteria"], [c["weight"] for c in reversed(first["criteria"])], strict=True)]
    plain["review"]["sheets"] = [first, {**first, "code": "small", "name": "小微评分表", "criteria": turned}]
    kinds = plain["eligibility"]["kinds"]
    plain["tracks"] = [{"code": "big", "name": "一般", "kinds": kinds}, {"code": "tiny", "name": "小微", "kinds": kinds, "sheet": "small"}]
    case = world.judged(from_data(plain), n=4, tracks=["big", "tiny", "big", "tiny"])
    panel = world.locked(world.started(case.call, case.desk.officer), case.desk.officer, given)
    found = analysing.analysis_of(panel)
    tops = {f"{s}.{c['code']}": Decimal(c["weight"]) for s, sheet in ((first["code"], first["criteria"]), ("small", turned)) for c in sheet}
    assert [h.criterion for h in found.criteria] == list(tops)
    for h in found.criteria:
        assert (h.n, h.mean <= tops[h.criterion]) == (10, True)
    assert {r.what for r in found.robust if r.kind == "weight"} == set(tops)
