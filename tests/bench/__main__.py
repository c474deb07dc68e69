"""`make bench`: how fast the door and the contract printer are, beside the bare database and the bare renderer.

Machines are noisy: what counts is the ratio within one run, the growth from 1× to 10× and the number of statements. Commits are durable,
so it runs on a throw-away database and refuses one that holds organisations.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from uuid import uuid4

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "grants.config.settings")


def main() -> None:
    """Parse, prepare a database, print both tables."""
    asked = argparse.ArgumentParser(prog="bench")
    asked.add_argument("--steps", type=int, default=400, help="transitions to take")
    asked.add_argument("--contracts", type=int, default=8, help="contracts to print")
    options = asked.parse_args()
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    print(f"database: {connection.vendor}")
    door(options.steps)
    print(f"paper, {options.contracts} contracts")
    paper(options.contracts)


def door(n: int) -> None:
    """Transitions per second with ledger and outbox, beside one insert per transaction, at 1× and with 10× rows in the table."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from grants.workflow.door import perform

    officer, rows = world(n)
    bare = rate(lambda: [insert(i) for i in range(n)], n)
    taken = rate(lambda: [perform(row, "return_", by=officer, note="请补证书") for row in rows], n)
    print(f"  bare insert, one per transaction      {bare:9.1f} /s")
    print(f"  perform() with ledger and outbox      {taken:9.1f} /s   {taken / bare:.2f} of the bare insert")
    more = organisations(officer, 10 * n)
    grown = rate(lambda: [perform(row, "return_", by=officer, note="请补证书") for row in more[:n]], n)
    print(f"  the same with 10× rows in the table   {grown:9.1f} /s   {grown / taken:.2f} of 1×")
    with CaptureQueriesContext(connection) as seen:
        perform(more[-1], "return_", by=officer, note="请补证书")
    print(f"  statements of one perform()           {len(seen):9d}")


def paper(n: int) -> None:
    """Contracts per CPU second beside WeasyPrint alone on the same HTML."""
    from django.template.loader import render_to_string

    from grants.documents.contract import TEMPLATE, contract_context, render_contract
    from grants.documents.press import bare_render
    from tests.platform.contract_samples import ordinary

    data = ordinary()
    html = render_to_string(TEMPLATE, contract_context(data))
    render_contract(data, identifier="bench:warm")
    bare_render(html)
    bare = cpu(lambda: [bare_render(html) for _ in range(n)])
    whole = cpu(lambda: [render_contract(data, identifier=f"bench:{i}") for i in range(n)])
    print(f"  bare WeasyPrint render                {n / bare:9.2f} /CPU s")
    print(f"  contract: data, tags, PDF/A           {n / whole:9.2f} /CPU s   {bare / whole:.2f} of the bare render")


def world(n: int) -> tuple[Any, list[Any]]:
    """An agency with an officer, and n organisations waiting to be verified."""
    from grants.people.models import Agency, Organisation, User
    from grants.people.permissions import grant
    from grants.people.roles import BY_CODE

    if Organisation.objects.exists():
        raise SystemExit("this database holds organisations: run bench on a throw-away one (make bench)")
    agency = Agency.objects.create(code="11999901MB90000157", name="基准测试局", short_name="基准")
    officer = User.objects.create(username="bench", name="基准")
    grant(BY_CODE["officer"], officer, agency)
    return officer, organisations(officer, n)


def organisations(officer: Any, n: int) -> list[Any]:
    """n more organisations, put into the state before verification beside the door: the door is what is measured."""
    from grants import clock
    from grants.people.models import Agency, Organisation

    columns = {
        "kind_of_body": "recorded", "registrar": Agency.objects.get(), "legal_representative": "某", "phone": "0", "address": "某处",
        "registered_on": date(2020, 1, 1), "created_at": clock.now(), "state": "submitted",
    }  # fmt: skip
    return Organisation.objects.bulk_create(
        [Organisation(name=f"基准组织{i}-{uuid4().hex[:6]}", record_no=f"B{uuid4().hex[:12]}", **columns) for i in range(n)], batch_size=500
    )


def insert(i: int) -> None:
    from grants.workflow.effects import real_now
    from grants.workflow.models import Outbox

    now = real_now()
    Outbox.objects.create(task="bench", subject="bench", object_id=uuid4(), event_id=i, key=f"bench/{uuid4()}", due_at=now, done_at=now)


def rate(work: Callable[[], Any], n: int) -> float:
    with timed(time.perf_counter) as took:
        work()
    return n / took[0]


def cpu(work: Callable[[], Any]) -> float:
    with timed(time.process_time) as took:
        work()
    return took[0]


@contextmanager
def timed(read: Callable[[], float]) -> Iterator[list[float]]:
    took = [0.0]
    began = read()
    yield took
    took[0] = read() - began


if __name__ == "__main__":
    main()
