"""What the processes of the kill test run: `python tests/kills/child.py prepare FOLDER | run FOLDER KILLS SEED`. Prints JSON.

`run` forks workers and one person, and kills them: a child that starts in ten milliseconds can be killed two hundred times.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import django

django.setup()

import psycopg  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402

from grants import clock, ledger  # noqa: E402
from grants.funding import services  # noqa: E402
from grants.funding.models import PaymentAttempt, PaymentOrder, Tranche  # noqa: E402
from grants.funding.sending import Answer, Instruction  # noqa: E402
from grants.people.models import User  # noqa: E402
from grants.workflow import effects  # noqa: E402
from grants.workflow.refusals import Refusal  # noqa: E402

ORDERS, WORKERS, BATCH = 400, 3, 4
AHEAD = 40  # orders that may be batched before the kills have earned them: the last is paid when enough was killed, on any machine
LOST = 0.04  # of the requests the line breaks before, and of as many after the bank has heard
effects.LEASE = timedelta(seconds=2)
PATIENCE = timedelta(seconds=3)  # until the person asks the bank about an attempt without an answer


class FakeBank:
    """A bank that pays each key once and remembers every request. One file per payment, linked into place: paid or not, never half."""

    def __init__(self) -> None:
        self.folder = Path(os.environ["FAKE_BANK"])

    def send(self, instruction: Instruction) -> Answer:
        time.sleep(random.uniform(0, 0.02))
        if random.random() < LOST:
            raise ConnectionError("the line broke before the bank heard")
        self._note("requests", instruction.key)
        self._pay(instruction)
        time.sleep(random.uniform(0, 0.02))
        if random.random() < LOST:
            raise ConnectionError("the line broke after the bank had heard")
        return Answer(accepted=True, said="received")

    def _pay(self, instruction: Instruction) -> None:
        aside = self.folder / f".{os.getpid()}.{random.getrandbits(64):x}"
        told = {"account": instruction.payee_account, "amount": f"{instruction.amount:.2f}", "note": instruction.purpose}
        aside.write_text(json.dumps(told), encoding="utf-8")
        try:
            os.link(aside, self.folder / "paid" / instruction.key)
        except FileExistsError:
            self._note("recognised", instruction.key)
        finally:
            aside.unlink()

    def _note(self, name: str, key: str) -> None:
        with (self.folder / name).open("a") as file:
            file.write(f"{key}\n")

    def statement(self) -> bytes:
        """What the bank paid, as it exports it."""
        rows = ["流水号,收款账号,金额,用途"]
        for path in sorted((self.folder / "paid").iterdir()):
            told = json.loads(path.read_text(encoding="utf-8"))
            rows.append(f"HD-{path.name},{told['account']},{told['amount']},{told['note']}")
        return "\r\n".join(rows).encode("gb18030")


settings.BANK_GATEWAY = "tests.kills.child.FakeBank"


# --- before -----------------------------------------------------------------------------------------------------------------------


def prepare() -> None:
    """One project whose grant is to be paid in 400 tranches, each with its order. The rows are made beside the door: paying is what is tested."""
    from tests.world import funding as world

    call_command("migrate", verbosity=0)
    (project,) = world.begun(amounts=("100000.00",))
    award, sample = project.award, project.tranche()
    Tranche.objects.filter(award=award).delete()
    common = {"award": award, "percent": Decimal("0.25"), "created_at": clock.now(), "ordered_by": project.desk.finance}
    part = award.amount / ORDERS
    rows = [Tranche(number=n, amount=part, state="ordered", conditions=sample.conditions, **common) for n in range(1, ORDERS + 1)]
    Tranche.objects.bulk_create(rows)
    body = award.payee
    PaymentOrder.objects.bulk_create(
        PaymentOrder(tranche=t, key=f"{award.number}-{t.number:03d}", amount=part, payee_name=body.name, payee_bank="某银行", payee_account="6222001",
                     made_at=clock.now()) for t in rows
    )  # fmt: skip
    clock.set_now(None)
    print(json.dumps({"finance": str(project.desk.finance.pk), "approver": str(project.desk.approver.pk), "call": str(project.call.pk)}))


# --- what is killed ---------------------------------------------------------------------------------------------------------------


def worker() -> None:
    while True:
        patiently(lambda: effects.drain(5) or time.sleep(0.05))


def person(who: dict[str, str]) -> None:
    """Finance makes small batches, compares the bank's statement, confirms; the approver asks the bank about what got no answer."""
    while True:
        patiently(lambda: a_round(who))
        time.sleep(0.1)


def patiently(work: Callable[[], Any]) -> None:
    """Whatever the database does: begin again with a fresh connection."""
    try:
        work()
    except Refusal:
        pass
    except Exception:  # noqa: BLE001 - a database that was killed answers in many ways
        connections.close_all()
        time.sleep(0.1)


def a_round(who: dict[str, str]) -> None:
    from grants.calls.models import Call

    finance, approver = User.objects.get(pk=who["finance"]), User.objects.get(pk=who["approver"])
    call = Call.objects.select_related("agency").get(pk=who["call"])
    waiting = PaymentOrder.objects.filter(status__in=("ready", "sent_unknown")).select_related("tranche__award__call__agency", "batch")
    found = services.compare(FakeBank().statement(), waiting, by=finance)
    for order in waiting.filter(key__in=list(found.references)):
        services.reconcile(order, bank_reference=found.references[order.key], by=finance)
    old = PaymentAttempt.objects.filter(answered_at=None, began_at__lt=clock.now() - PATIENCE).values("order_id", "batch_id")
    silent = {(row["order_id"], row["batch_id"]) for row in old}
    for order in waiting.filter(status="sent_unknown"):
        if (order.pk, order.batch_id) in silent and order.key not in found.references:
            services.not_received(order, by=approver, note="银行张某电话答复：没有收到")
    ready = list(PaymentOrder.objects.filter(status="ready").order_by("?").values_list("pk", flat=True)[:BATCH])
    earned = int(Path(os.environ["EARNED"]).read_text() or 0)
    if ready and PaymentOrder.objects.exclude(status="ready").count() < earned:
        services.make_batch(call, by=finance, only=ready)


# --- who kills --------------------------------------------------------------------------------------------------------------------


class Killer:
    """Forks workers and a person, and kills one of them, a connection's server process or the whole server, again and again."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.who = json.loads((folder / "who.json").read_text())
        self.server, self.dice, self.kills = folder / "data", random.Random(seed), Counter[str]()
        self.pids: dict[int, Callable[[], None]] = {}
        self.earned = Path(os.environ["EARNED"])

    def fork(self, work: Callable[[], None]) -> None:
        connections.close_all()
        pid = os.fork()
        if pid == 0:
            random.seed()
            try:
                work()
            finally:
                os._exit(1)
        self.pids[pid] = work

    def earn(self, least: int) -> None:
        """How many orders may be under way after so many kills; one write, so that no reader sees half of it."""
        aside = self.earned.with_suffix(".new")
        aside.write_text(str(AHEAD + ORDERS * self.kills.total() // least))
        aside.replace(self.earned)

    def run(self, least: int) -> None:
        self.earn(least)
        for _ in range(WORKERS):
            self.fork(worker)
        self.fork(lambda: person(self.who))
        began = time.monotonic()
        while self.open_orders() or self.kills.total() < least:
            assert time.monotonic() - began < 1200, f"stuck: {self.open_orders()} orders open after {self.kills}"
            time.sleep(self.dice.uniform(0.05, 0.4))
            if self.kills.total() < least:  # afterwards whoever lives finishes what is open
                self.strike()
                self.earn(least)
        for pid in list(self.pids):
            self.end(pid)

    def strike(self) -> None:
        so_far = self.kills.total()
        if so_far % 100 == 50:
            self.whole_server()
        elif so_far % 12 == 6:
            self.one_connection()
        else:
            likely = [p for p, work in self.pids.items() for _ in range(3 if work is worker else 1)]  # a person lives long enough to finish a round
            pid = self.dice.choice(likely)
            work = self.end(pid)
            self.kills["worker" if work is worker else "person"] += 1
            self.fork(work)

    def end(self, pid: int) -> Callable[[], None]:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return self.pids.pop(pid)

    def ask(self, question: str) -> list[Any]:
        for _attempt in range(300):
            try:
                with psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=2, autocommit=True) as connection:
                    return connection.execute(question).fetchall()  # type: ignore[call-overload]
            except psycopg.Error:
                time.sleep(0.1)
        raise AssertionError("the database did not come back")

    def open_orders(self) -> int:
        return int(self.ask("SELECT count(*) FROM funding_paymentorder WHERE status <> 'paid'")[0][0])

    def one_connection(self) -> None:
        """A server process dies: PostgreSQL throws every connection out and recovers from its log."""
        pids = self.ask("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
        if pids:
            os.kill(self.dice.choice(pids)[0], signal.SIGKILL)
            self.kills["connection"] += 1
            self.back()

    def whole_server(self) -> None:
        postmaster = int((self.server / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGKILL)
        self.kills["server"] += 1
        os.system(os.environ["START_SERVER"])
        self.back()

    def back(self) -> None:
        """Recovery takes seconds on a busy machine: the next blow falls on a server that works, or nothing would ever be paid."""
        self.ask("SELECT 1")
        time.sleep(1)


def run(folder: Path, least: int, seed: int) -> None:
    killer, began = Killer(folder, seed), time.monotonic()
    killer.run(least)
    while effects.drain():
        pass
    print(json.dumps({"kills": killer.kills, "seconds": round(time.monotonic() - began), **outcome()}))


def outcome() -> dict[str, Any]:
    """Everything the test looks at, read after the killing."""
    bank = Path(os.environ["FAKE_BANK"])
    paid = {path.name: json.loads(path.read_text(encoding="utf-8"))["amount"] for path in (bank / "paid").iterdir()}
    orders = {o.key: o for o in PaymentOrder.objects.select_related("tranche")}
    ledger.checkpoint()
    return {
        "orders": len(orders), "at_bank": len(paid), "requests": lines(bank / "requests"), "recognised": lines(bank / "recognised"),
        "not_paid_at_bank": sorted(set(orders) - set(paid)), "paid_beside": sorted(set(paid) - set(orders)),
        "wrong_amount": [k for k, o in orders.items() if paid.get(k) != f"{o.amount:.2f}"],
        "not_paid_here": [k for k, o in orders.items() if o.status != "paid" or o.tranche.state != "paid" or o.bank_reference != f"HD-{k}"],
        "attempts": PaymentAttempt.objects.count(), "silent": PaymentAttempt.objects.filter(answered_at=None).count(),
        "log": str(ledger.verify().fault or ""),
    }  # fmt: skip


def lines(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0


if __name__ == "__main__":
    sys.modules["tests.kills.child"] = sys.modules["__main__"]  # BANK_GATEWAY names it so
    if sys.argv[1] == "prepare":
        prepare()
    else:
        run(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
