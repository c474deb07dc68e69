"""`make bench-pages`: what a page costs on a call with 1,000 bids and with 100,000, on PostgreSQL.

For each request: statements, CPU of the web process and of its database backend (ms, median), and the growth of their sum. Rows are copied
beside the door, which is why this runs only on a throw-away database.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "grants.config.settings")
BATCH = 2_000
REVIEWS_A_BID = 2.5
"""Ballots for each bid, as in the comparison's data set (2,500 for 1,000)."""


@dataclass(frozen=True)
class Cost:
    """One request: statements, CPU ms of Python, CPU ms of the backend, bytes."""

    statements: int
    web: float
    database: float
    size: int

    @property
    def cpu(self) -> float:
        return self.web + self.database


def main() -> None:
    """Prepare, measure at each size, print one table."""
    asked = argparse.ArgumentParser(prog="bench.pages")
    asked.add_argument("--sizes", type=int, nargs="+", default=[1_000, 100_000], help="bids in the call")
    asked.add_argument("--rounds", type=int, default=5, help="requests per figure")
    options = asked.parse_args()
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    if connection.vendor != "postgresql":
        raise SystemExit("bench.pages measures on PostgreSQL: make bench-pages")
    call_command("migrate", verbosity=0)
    site = Site()
    costs: dict[int, dict[str, Cost]] = {}
    for size in options.sizes:
        site.grow(size)
        costs[size] = {name: site.measure(name, options.rounds) for name in site.requests}
    _print(options.sizes, costs)


def _print(sizes: list[int], costs: dict[int, dict[str, Cost]]) -> None:
    print(f"{'request':38}" + "".join(f"{f'{n:,} bids':>38}" for n in sizes) + f"{'growth':>9}")
    print(f"{'':38}" + "".join(f"{'SQL':>8}{'web ms':>10}{'PG ms':>10}{'KB':>10}" for _n in sizes))
    for name in costs[sizes[0]]:
        row = [costs[n][name] for n in sizes]
        cells = "".join(f"{c.statements:8d}{c.web:10.1f}{c.database:10.1f}{c.size / 1024:10.0f}" for c in row)
        print(f"{name:38}{cells}{row[-1].cpu / max(row[0].cpu, 0.1):8.1f}×")


class Site:
    """One closed call with a panel at work; its people's browsers."""

    def __init__(self) -> None:
        from django.conf import settings
        from django.urls import reverse

        from tests.world import review

        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        settings.ALLOWED_HOSTS = ["testserver"]
        made = review.judged(review.rules(), n=2, sector=40, finance=6)
        self.call, self.desk, self.bid = made.call, made.desk, made.bids[0]
        self.panel = review.started(made.call, made.desk.officer)
        self.ballot = review.review_of(self.panel, made.bids[0])
        self.now: datetime = review.after(made.call, 9)
        self.applicant = made.bodies[0].signatory
        self.experts = list(self.panel.members.values_list("expert_id", flat=True))
        call, bid = self.call.pk, self.bid.pk
        self.requests: dict[str, tuple[Any, str]] = {
            "staff list of a round": (made.desk.officer, reverse("bidding:of_call", args=[call])),
            "the same, page 10, filtered": (made.desk.officer, reverse("bidding:of_call", args=[call]) + "?page=10&state=admitted"),
            "the same as CSV": (made.desk.officer, reverse("bidding:of_call", args=[call]) + "?as=csv"),
            "detail page, staff": (made.desk.officer, reverse("desk:object", args=["bid", bid])),
            "bid as submitted, staff": (made.desk.officer, reverse("bidding:version", args=[bid, 1])),
            "screening of one bid": (made.desk.officer, reverse("bidding:screening", args=[bid])),
            "related applicants of a call": (made.desk.officer, reverse("bidding:related", args=[call])),
            "what waits for an officer": (made.desk.officer, reverse("desk:home")),
            "expert's list": (self.ballot.expert.user, reverse("review:mine")),
            "expert's two panes": (self.ballot.expert.user, reverse("review:review", args=[self.ballot.pk])),
            "applicant's list": (self.applicant, reverse("bidding:mine")),
            "applicant's task list": (self.applicant, reverse("bidding:tasks", args=[bid])),
            "public page of the call": (None, reverse("calls:public", args=[self.call.code])),
            "public front page": (None, reverse("desk:home")),
        }

    # --- rows

    def grow(self, size: int) -> None:
        """Copy the first bid until the call has `size`; versions, findings and ballots with it."""
        from django.db import connection

        from bidding.models import Bid

        have = Bid._base_manager.filter(call=self.call).count()
        for start in range(have, size, BATCH):
            self._copies(start, min(start + BATCH, size))
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    def _copies(self, start: int, stop: int) -> None:
        from bidding.models import Bid, BidVersion, Finding
        from grants.people.models import Organisation

        version = self.bid.versions.get(number=1)
        findings = list(self.bid.findings.all())
        bodies = [self._body(at) for at in range(start, stop)]
        Organisation._base_manager.bulk_create(bodies)
        bids = [
            self._copy(self.bid, number=f"{self.call.code}-{at:06d}", title=f"项目{at}", organisation_id=body.pk)
            for at, body in enumerate(bodies, start=start)
        ]
        Bid._base_manager.bulk_create(bids)
        BidVersion._base_manager.bulk_create([self._copy(version, bid_id=b.pk) for b in bids])
        Finding._base_manager.bulk_create([self._copy(f, bid_id=b.pk) for b in bids for f in findings], batch_size=BATCH)
        self._ballots(bids, start)

    def _ballots(self, bids: list[Any], start: int) -> None:
        from review.models import Review

        rows = []
        for at, bid in enumerate(bids, start=start):
            for seat in range(int(REVIEWS_A_BID * (at + 1)) - int(REVIEWS_A_BID * at)):
                expert = self.experts[(at + seat) % len(self.experts)]
                rows.append(self._copy(self.ballot, bid_id=bid.pk, expert_id=expert))
        Review._base_manager.bulk_create(rows, batch_size=BATCH)

    def _body(self, at: int) -> Any:
        """Another organisation, related to none."""
        from grants.people.identity import folded
        from grants.people.models import COMPARED
        from tests.world.people import credit_code

        particulars = {"uscc": credit_code(9_000 + at % 90_000, ("51", "53")[at // 90_000]), "name": f"云溪区第{at}公益服务中心", "account_number": f"62170000{at:011d}"}
        more = {"phone": f"0755-{at:08d}", "legal_representative": f"负责人{at}", "address": f"云溪路{at}号"}
        made = self._copy(self.bid.organisation, **particulars, **more)
        for column, source in COMPARED.items():  # rows are written in bulk, past `Organisation.save`
            setattr(made, column, folded(getattr(made, source), digits=source in ("account_number", "phone")))
        return made

    def _copy(self, row: Any, **changes: Any) -> Any:
        """The same row again under a new key."""
        model = type(row)
        values = {f.attname: getattr(row, f.attname) for f in model._meta.concrete_fields if not f.primary_key}
        key = {model._meta.pk.attname: uuid4()} if model._meta.pk.get_internal_type() == "UUIDField" else {}
        return model(**{**values, **key, **changes})

    # --- requests

    def measure(self, name: str, rounds: int) -> Cost:
        """The median of several requests after a warm one. Raises RuntimeError for anything but a page."""
        from django.db import connection
        from django.test import Client
        from django.test.utils import CaptureQueriesContext

        from grants import clock

        user, url = self.requests[name]
        client = Client()
        if user is not None:
            client.force_login(user)
        web, database = [], []
        with clock.at(self.now):
            answer = client.get(url)
            if answer.status_code != 200:
                raise RuntimeError(f"{name}: {url} answered {answer.status_code}")
            with CaptureQueriesContext(connection) as seen:
                _read(client.get(url))
                statements = len(seen)  # read at once: the next request empties the log
            for _round in range(rounds):
                python, backend = time.process_time(), _backend_cpu()
                size = _read(client.get(url))
                web.append(1000 * (time.process_time() - python))
                database.append(_backend_cpu() - backend)
        return Cost(statements, statistics.median(web), statistics.fmean(database), size)


def _read(answer: Any) -> int:
    """Bytes of an answer, read to its end: files are made while they are read."""
    return sum(map(len, answer.streaming_content)) if answer.streaming else len(answer.content)


def _backend_cpu() -> float:
    """CPU ms that this connection's PostgreSQL backend has used; the kernel counts in steps of ten."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        pid = cursor.fetchone()[0]
    with open(f"/proc/{pid}/stat") as told:  # noqa: PTH123 - a file of the kernel
        fields = told.read().rpartition(") ")[2].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
