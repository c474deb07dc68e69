"""`make bench-ledger`: the log's throughput beside bare inserts, the cost of a checkpoint and a proof as it grows, and offline verification.

Machines are noisy: what counts is the ratio within one run and the growth. Writers are processes with connections of their own; every
transaction is durable. Runs on a throw-away PostgreSQL database and refuses one that holds events.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "grants.config.settings")
ACTOR = "3f8c2f0e-7d0b-4b8e-9a53-0d7b1f2c4e11"
DIGEST = sha256(b"a plan").hexdigest()


def main() -> None:
    """Parse, prepare a database, print the tables."""
    asked = argparse.ArgumentParser(prog="bench.ledger")
    asked.add_argument("--writers", type=int, default=8)
    asked.add_argument("--seconds", type=float, default=6.0, help="of each run")
    asked.add_argument("--runs", type=int, default=3, help="of each design; medians are compared")
    asked.add_argument("--grown", type=int, default=100_000, help="the largest log that checkpoints and proofs are measured on")
    asked.add_argument("--events", type=int, default=1_000_000, help="of the export that is verified offline")
    options = asked.parse_args()
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    _refuse_a_real_one()
    print(f"database: {connection.vendor}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    throughput(options.writers, options.seconds, options.runs)
    growth(options.grown)
    offline(options.events)


def _refuse_a_real_one() -> None:
    from grants.ledger.models import AuditEvent

    if AuditEvent.objects.exists():
        raise SystemExit("this database holds events: run bench on a throw-away one (make bench-ledger)")


@dataclass(frozen=True)
class Run:
    """One design once: seconds that each transaction took, and CPU µs of all its processes and their database backends for each transaction."""

    took: list[float]
    cpu: float
    seconds: float

    @property
    def speed(self) -> float:
        return len(self.took) / self.seconds

    @property
    def p99(self) -> float:
        return sorted(self.took)[int(len(self.took) * 0.99)] * 1000


def throughput(writers: int, seconds: float, runs: int) -> None:
    """Transactions per second: one business row each, without and with an event in the log; the sequencer runs beside the second."""
    print(f"throughput, {writers} writers, medians of {runs}; CPU: writers, sequencer and their database backends, for each transaction")
    bare, logged = [], []
    for _run in range(runs):  # in turn, so that a neighbour's load falls on both
        bare.append(_race(_bare, writers, seconds))
        logged.append(_race(_logged, writers, seconds, beside=_sequencer))
        print(f"    a run: {logged[-1].speed / bare[-1].speed:.2f} of bare by the clock, {bare[-1].cpu / logged[-1].cpu:.2f} by CPU")
    _told("bare insert, one per transaction", bare)
    _told("the same with its event in the log", logged)
    speed = statistics.median(one.speed for one in logged) / statistics.median(one.speed for one in bare)
    cpu = statistics.median(one.cpu for one in bare) / statistics.median(one.cpu for one in logged)
    print(f"  {speed:.2f} of bare by the clock, {cpu:.2f} by CPU")
    print(f"  sequencer after the last commit       {_catch_up():9.2f} s until every event had its place and a signature")


def _told(name: str, runs: list[Run]) -> None:
    speed, late, cpu = (statistics.median(one) for one in zip(*((r.speed, r.p99, r.cpu) for r in runs), strict=True))
    print(f"  {name:37s} {speed:9.1f} /s   p99 {late:6.1f} ms   CPU {cpu:6.0f} µs")


def _race(work: Callable[[float, Any], None], writers: int, seconds: float, beside: Callable[[Any, Any], None] | None = None) -> Run:
    """`writers` processes that start together, and the sequencer beside them where the log is written."""
    fresh = multiprocessing.get_context("spawn")
    answers, spent, stop, ready = fresh.Queue(), fresh.Queue(), fresh.Event(), fresh.Barrier(writers + 1)
    helper = fresh.Process(target=beside, args=[stop, spent]) if beside else None
    if helper:
        helper.start()
    crowd = [fresh.Process(target=_writer, args=[work, seconds, ready, answers]) for _ in range(writers)]
    for each in crowd:
        each.start()
    ready.wait()
    found = [answers.get() for _ in crowd]
    for each in crowd:
        each.join()
    stop.set()
    if helper:
        found.append(([], spent.get()))
        helper.join()
    took = [t for times, _cpu in found for t in times]
    return Run(took, sum(cpu for _times, cpu in found) / len(took) * 1e6, seconds)


def _writer(work: Callable[[float, Any], None], seconds: float, ready: Any, answers: Any) -> None:
    import django

    django.setup()
    took: list[float] = []
    backend = _backend()
    ready.wait()
    began = _cpu(backend)
    work(time.perf_counter() + seconds, took)
    answers.put((took, _cpu(backend) - began))


def _backend() -> int:
    """The process of this connection's server side; 0 where there is none to look at."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()" if connection.vendor == "postgresql" else "SELECT 0")
        return int(cursor.fetchone()[0])


def _cpu(backend: int) -> float:
    """CPU seconds of this process and of its backend so far (the scheduler counts in ns; a server elsewhere is not counted)."""
    account = Path(f"/proc/{backend}/schedstat")
    return time.process_time() + (int(account.read_text().split()[0]) / 1e9 if backend and account.exists() else 0.0)


def _bare(end: float, took: list[float]) -> None:
    from django.db import transaction

    while (began := time.perf_counter()) < end:
        with transaction.atomic():
            _row()
        took.append(time.perf_counter() - began)


def _logged(end: float, took: list[float]) -> None:
    from django.db import transaction

    while (began := time.perf_counter()) < end:
        with transaction.atomic():
            _row()
            _event()
        took.append(time.perf_counter() - began)


def _row() -> None:
    from grants.workflow.effects import real_now
    from grants.workflow.models import Outbox

    now = real_now()
    Outbox.objects.create(task="bench", subject="bench", object_id=uuid.uuid4(), event_id=1, key=f"b/{uuid.uuid4()}", due_at=now, done_at=now)


def _event() -> Any:
    from grants import ledger

    return ledger.record(
        event="bid.submit", actor=ACTOR, role="applicant", subject=f"bid:{uuid.uuid4()}", scope="call:bench", verb="submit", source="draft",
        target="submitted", files={"plan.1": DIGEST}, public={"number": "YX-001", "version": 1},
    )  # fmt: skip


def _sequencer(stop: Any, spent: Any) -> None:
    import django

    django.setup()
    from grants import ledger

    backend = _backend()
    began, signed = _cpu(backend), time.monotonic()
    while not stop.is_set():  # five times as often as the worker, which looks once a second
        while ledger.sequence() == 1000:
            pass
        time.sleep(0.2)
        if time.monotonic() - signed > 1:
            ledger.checkpoint()
            signed = time.monotonic()
    ledger.checkpoint()
    spent.put(_cpu(backend) - began)


def _catch_up() -> float:
    from grants import ledger

    began = time.perf_counter()
    ledger.checkpoint()
    return time.perf_counter() - began


def growth(largest: int) -> None:
    """Seconds of a checkpoint over 100 new events, and of one inclusion proof, as the log grows."""
    from django.db import transaction

    from grants import ledger
    from grants.ledger import proofs
    from grants.ledger.models import AuditEvent

    print("growth: a checkpoint over 100 new events, and a proof of the first event under the newest root's predecessor")
    for size in (s for s in (1_000, 10_000, 100_000, 1_000_000) if s <= largest):
        _fill(size)
        ledger.checkpoint()
        proofs.keep_tiles()
        took = []
        for _ in range(5):
            with transaction.atomic():
                for _event_of in range(100):
                    _event()
            began = time.perf_counter()
            ledger.checkpoint()
            took.append(time.perf_counter() - began)
        newest = AuditEvent.objects.order_by("-pk")[0]
        began = time.perf_counter()
        assert proofs.inclusion(newest) is not None
        proof = time.perf_counter() - began
        print(f"  {size:>9,} events: checkpoint {statistics.median(took) * 1000:7.1f} ms, proof {proof * 1000:7.1f} ms")


def _fill(size: int) -> None:
    """Events until there are `size`, in bulk: how they come in was measured above."""
    from django.db import transaction

    from grants import clock, ledger
    from grants.ledger.models import AuditEvent

    now = clock.now()
    while (there := AuditEvent.objects.count()) < size:
        batch = min(5_000, size - there)
        rows = [AuditEvent(leaf=leaf, uid=uid, subject="bid:b", scope="call:b", event="bid.submit", at=now) for leaf, uid in _leaves(batch)]
        with transaction.atomic():
            AuditEvent.objects.bulk_create(rows)
        ledger.sequence(limit=batch, sweep=True)


def _leaves(count: int) -> Iterator[tuple[bytes, uuid.UUID]]:
    for n in range(count):
        uid = uuid.uuid4()
        leaf = {
            "actor": ACTOR, "at": "2026-03-01T08:59:59.000005Z", "commit": None, "event": "bid.submit", "files": {"plan.1": "0" * 64},
            "from": "draft", "id": str(uid), "public": {"n": n}, "role": "applicant", "scope": "call:bench", "subject": f"bid:{n}",
            "to": "submitted", "v": 1, "verb": "submit",
        }  # fmt: skip
        yield json.dumps(leaf, sort_keys=True, separators=(",", ":")).encode(), uid


def offline(events: int) -> None:
    """Seconds that `python3 -S -E verify.py` takes for an export of so many events and a hundred checkpoints."""
    from grants.ledger.offline import verify

    folder = Path(tempfile.mkdtemp(prefix="gongchuang-bench-"))
    try:
        _synthetic(folder, events)
        command = [sys.executable, "-S", "-E", verify.__file__, str(folder)]
        began = time.perf_counter()
        done = subprocess.run(["/usr/bin/time", "-f", "%U %S %M", *command] if Path("/usr/bin/time").exists() else command,
                              capture_output=True, text=True, check=True)  # fmt: skip
        wall = time.perf_counter() - began
        print(f"offline: {events:,} events, {_megabytes(folder):.0f} MB, 100 checkpoints: {wall:.1f} s wall")
        if done.stderr.strip():
            user, system, memory = done.stderr.split()[-3:]
            print(f"  {float(user) + float(system):.1f} s CPU, {int(memory) / 1024:.0f} MB of memory")
    finally:
        shutil.rmtree(folder)


def _synthetic(folder: Path, events: int) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from grants.ledger import merkle, note
    from grants.ledger.offline import verify

    key, tree, signed = Ed25519PrivateKey.generate(), merkle.Frontier(), []
    with (folder / "entries.jsonl").open("wb") as file:
        for leaf, _uid in _leaves(events):
            file.write(leaf + b"\n")
            tree.append(merkle.leaf_hash(leaf))
            if tree.size % max(1, events // 100) == 0:
                head = note.TreeHead("bench", tree.size, tree.root())
                signed.append(json.dumps({"size": tree.size, "note": note.sign(head.text(), "bench", key)}))
    (folder / "checkpoints.jsonl").write_text("".join(f"{row}\n" for row in signed))
    (folder / "keys.txt").write_text(f"{note.Verifier.of('bench', key)}\n")
    sums = [f"{verify.digest_of(f)}  {f.name}\n" for f in sorted(folder.iterdir())]
    (folder / "SHA256SUMS").write_text("".join(sums))


def _megabytes(folder: Path) -> float:
    return sum(f.stat().st_size for f in folder.iterdir()) / 1024**2


if __name__ == "__main__":
    main()
