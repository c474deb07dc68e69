"""跨组立项: two panels of one call compete for the same money. Not by who concluded first: bridged and in one list, or each by itself for a reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from grants import clock
from grants.awards import services
from grants.awards.board import board
from grants.awards.models import Award, Decision
from grants.ledger.log import entry_of
from grants.ledger.models import AuditEvent
from grants.workflow.door import perform
from grants.workflow.refusals import NotNow
from review import services as review
from review.calibration import bridging
from review.models import Expert, Panel
from review.scoring import ScoreRefused
from tests.world import awards as world
from tests.world import review as judging
from tests.world import shared
from tests.world.refusals import refused
from tests.world.review import Judged

pytestmark = pytest.mark.django_db
SHARES = ["0.70", "0.80", "0.90", "0.75"]
"""The first panel has the first two bids: the best of all is the second panel's."""


def two_panels(name: str, *, same: bool, shares: list[str] = SHARES) -> Judged:
    """Two bids each, concluded one after the other. same: by the very same experts; else by others."""
    made = judging.judged(judging.rules(name=name), n=4, amounts=["90000.00"] * 4, sector=4 if same else 9, finance=1 if same else 3)
    Expert.objects.filter(is_active=False).update(is_active=True)
    if same:
        Expert.objects.exclude(code__in=["S01", "S02", "S03", "S04", "F01"]).update(is_active=False)
    given = judging.by_bid({bid.pk: share for bid, share in zip(made.bids, shares, strict=True)})
    by = made.desk.officer
    first = judging.started(made.call, by)
    first.reviews.filter(bid__in=made.bids[2:]).delete()
    first = judging.concluded(judging.locked(first, by, given), by)
    if not same:
        Expert.objects.filter(pk__in=first.reviews.values("expert_id")).update(is_active=False)
    with clock.at(judging.after(made.call, 11.5)):
        second = judging.panel_drawn(made.call, by, reason="其余申报另组评审组", name="第二评审组")
        review.assign(second, by=by)
        second = perform(second, "start", by=by)
    with clock.at(judging.after(made.call, 11.8)):
        judging.all_scored(second, given)
        judging.others_entered(second, by)
        second = review.lock(second, by=by)
    judging.concluded(second, by)
    Panel._base_manager.filter(pk=second.pk).update(concluded_at=judging.after(made.call, 12))
    return made


@pytest.fixture(scope="module")
def apart(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    with shared.rows(django_db_blocker):
        yield two_panels("YX-2026-X1", same=False)


def at(made: Judged) -> Any:
    return clock.at(world.at(made.call, 13))


def test_unbridged_panels_are_not_put_into_one_list_and_the_refusal_says_what_is_missing(apart: Judged) -> None:
    with at(apart):
        told = refused(NotNow, "unbridged", services.propose, apart.call, by=apart.desk.officer)
        for words in ("评审组（第 1 组）”0 份", "第二评审组（第 2 组）”0 份", "至少应有 10 份", "不能再补评", "请各组分别立项，并写明理由"):
            assert words in str(told), words
        assert "安排跨组评审" not in str(told), "both reports are signed: there is nothing left to arrange"
        assert not Decision.objects.filter(call=apart.call).exists()
        assert "至少应有 10 份" in board(apart.call).trouble, "the board says the same"
        page = Client()
        page.force_login(apart.desk.officer)
        answer = page.post(reverse("awards:propose", args=[apart.call.pk]))
        assert (answer.status_code, 'name="within"' in answer.content.decode()) == (409, True)
        assert page.post(reverse("awards:propose", args=[apart.call.pk]), {"within": "两组评的是不同领域"}).status_code == 302


def test_each_panel_by_itself_only_for_a_written_reason_that_stands_in_the_log(apart: Judged) -> None:
    with at(apart):
        refused(NotNow, "unbridged", services.propose, apart.call, by=apart.desk.officer, within="  ")
        services.propose(apart.call, by=apart.desk.officer, within="两组评的是不同领域")
    said = AuditEvent.objects.filter(event="call.propose_awards", scope=apart.call.subject).order_by("id")
    assert [json.loads(bytes(e.leaf))["public"]["within_panels"] for e in said] == [True, True]
    assert all(entry_of(e).private == {"note": "两组评的是不同领域"} for e in said)


def test_a_panel_that_concludes_after_the_money_was_given_needs_the_reason_too(apart: Judged) -> None:
    late = Panel.objects.filter(call=apart.call).latest("concluded_at")
    Panel._base_manager.filter(pk=late.pk).update(state="scored")
    with at(apart):
        services.propose(apart.call, by=apart.desk.officer)
        Panel._base_manager.filter(pk=late.pk).update(state="concluded")
        refused(NotNow, "decided_before", services.propose, apart.call, by=apart.desk.officer)
        assert services.propose(apart.call, by=apart.desk.officer, within="补充评审的申报")


@pytest.mark.slow
def test_the_same_experts_rank_in_one_list_whoever_concluded_first() -> None:
    """Money for two of the four: the best two of all, not the two whose panel was first."""
    made = two_panels("YX-2026-X2", same=True)
    with at(made):
        counted = [row.result.bid.number for row in board(made.call).rows if row.awarded]
        services.propose(made.call, by=made.desk.officer)
    won = {a.bid.number for a in Award.objects.filter(call=made.call).select_related("bid")}
    assert set(counted) == won, "the board counts like the proposal"
    order = [d.bid.number for d in Decision.objects.filter(call=made.call, awarded=True).select_related("bid").order_by("-score")]
    assert made.bids[2].number in won
    assert order[0] == made.bids[2].number
    said = AuditEvent.objects.filter(event="call.propose_awards", scope=made.call.subject)
    assert {json.loads(bytes(e.leaf))["public"]["together"] for e in said} == {2}


@pytest.mark.slow
def test_equals_of_different_panels_are_not_parted_by_who_concluded_first() -> None:
    made = two_panels("YX-2026-X3", same=True, shares=["0.70", "0.80", "0.80", "0.75"])
    with at(made):
        told = refused(NotNow, "tied_across", services.propose, made.call, by=made.desk.officer)
        assert made.bids[1].number in str(told) and made.bids[2].number in str(told)


def test_no_further_panel_where_every_bid_has_one(apart: Judged) -> None:
    with at(apart):
        Expert.objects.update(is_active=True)
        told = refused(NotNow, "no_other_panel", judging.announced, apart.call, apart.desk.officer, reason="想再评一次")
        assert "都已有评审组" in str(told)


def test_bridges_are_counted_by_panel_and_the_same_experts_need_none() -> None:
    ballots = {f"{p}{b}": {f"e{e}": Decimal(70) for e in range(5)} for p in "ab" for b in range(3)}
    groups = {bid: bid[0] for bid in ballots}
    bridging.require(ballots, groups)
    ballots["a0"] = {**ballots["a0"], "other": Decimal(70)}
    with pytest.raises(ScoreRefused, match="“a”0 份、“b”15 份"):
        bridging.require(ballots, groups)
