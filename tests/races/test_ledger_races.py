"""Eight writers and two sequencers at once on PostgreSQL: no event is lost, none placed twice, the log verifies."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from django.db import connection, transaction

from grants import ledger
from grants.ledger import sequencer
from grants.ledger.models import AuditEvent, AuditLeaf, Checkpoint
from tests.platform import ledger_book as bk

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]

WRITERS, EACH = 8, 60


@pytest.fixture(autouse=True)
def _postgresql_only() -> None:
    if connection.vendor != "postgresql":
        pytest.fail("races are proven on PostgreSQL; set TEST_DATABASE_URL (make test-races)")


def in_threads(*works: Callable[[], None]) -> list[BaseException]:
    """Run each in a thread with a connection of its own; return what went wrong."""
    wrong: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - a thread's failure must reach the test
            wrong.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return wrong


def test_no_event_is_lost_while_eight_write_and_two_place() -> None:
    """Commits come in another order than ids; every committed event gets one place, every rolled back one none."""
    stop = threading.Event()
    rolled_back: list[int] = []

    def writer(seed: int) -> Callable[[], None]:
        def work() -> None:
            dice = random.Random(seed)
            for i in range(EACH):
                with transaction.atomic():
                    row = bk.write(1, f"bid:{seed}")[0]
                    time.sleep(dice.random() * 0.004)  # the business work that makes commits overtake each other
                    if i % 10 == 9:
                        rolled_back.append(row.pk)
                        transaction.set_rollback(True)

        return work

    def placer() -> None:
        while not stop.is_set():
            ledger.sequence(limit=50)

    def signer() -> None:
        while not stop.is_set():
            ledger.checkpoint()
            time.sleep(0.02)

    def all_writers() -> None:
        try:
            assert not in_threads(*(writer(seed) for seed in range(WRITERS)))
        finally:
            stop.set()

    assert not in_threads(all_writers, placer, placer, signer)
    ledger.checkpoint()
    order = list(AuditLeaf.objects.order_by("index").values_list("event_id", flat=True))
    late = [b for a, b in pairwise(order) if b < a]
    assert AuditEvent.objects.count() == len(order) == WRITERS * EACH * 9 // 10
    assert len(set(order)) == len(order)
    assert not set(order) & set(rolled_back)
    assert late, "commits never overtook ids: this run proved nothing about them"
    report = ledger.verify()
    assert report.ok, report.fault
    assert report.unsequenced == report.unanchored == 0
    assert Checkpoint.objects.count() > 1


def test_an_event_committed_after_higher_ids_were_signed_still_gets_its_place() -> None:
    """The exact case a high-water mark loses."""
    recorded, may_commit = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            bk.write(1, "bid:slow")
            recorded.set()
            assert may_commit.wait(30)

    def quick() -> None:
        assert recorded.wait(30)
        with transaction.atomic():
            bk.write(3, "bid:quick")
        ledger.checkpoint()
        may_commit.set()

    assert not in_threads(slow, quick)
    assert sequencer.unplaced() == 1
    assert ledger.sequence() == 1
    slow_id = AuditEvent.objects.get(subject="bid:slow").pk
    assert AuditLeaf.objects.get(event_id=slow_id).index == 3
    assert slow_id < min(AuditEvent.objects.filter(subject="bid:quick").values_list("pk", flat=True))
    ledger.checkpoint()
    assert ledger.verify().ok


def test_a_growing_log_never_looks_broken() -> None:
    """verify() runs while others write, place and sign."""
    stop = threading.Event()
    verdicts: list[bool] = []

    def grow() -> None:
        try:
            for _ in range(40):
                with transaction.atomic():
                    bk.write(3)
                ledger.checkpoint()
        finally:
            stop.set()

    def doubt() -> None:
        while not stop.is_set():
            verdicts.append(ledger.verify().ok)

    assert not in_threads(grow, doubt, doubt)
    assert len(verdicts) > 3
    assert all(verdicts)


def test_two_processes_first_signing_make_one_key(settings: object, tmp_path: object) -> None:
    """The key file appears whole and once; both sign with it."""
    settings.GONGCHUANG_HOME = tmp_path  # type: ignore[attr-defined]
    from grants.ledger import keys

    seen: list[str] = []
    gate = threading.Barrier(4)

    def first() -> None:
        gate.wait()
        seen.append(str(keys.verifier()))

    assert not in_threads(*[first] * 4)
    assert len(set(seen)) == 1
