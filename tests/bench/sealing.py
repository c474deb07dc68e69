"""`make bench-seal`: bids sealed, handed in and opened: CPU of each part, and how an opening grows from 1× to 10×.

    seal      what a bidder's machine does (here: Python's age; a browser's is slower and the bidder's own)
    hand in   the server's part: files kept, header checked, door, ledger
    open      everything in one transaction: decrypted, commitment checked, form read, version frozen
    memory    the resident set before and at the end of the opening

A throw-away SQLite database. Attachments are random bytes under a PDF's head, so that nothing compresses.
"""

from __future__ import annotations

import argparse
import os
import resource
import secrets
import tempfile
import time
from typing import Any

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "grants.config.settings")


def main() -> None:
    """Parse, make a throw-away database, run twice, print one table."""
    asked = argparse.ArgumentParser(prog="bench-seal")
    asked.add_argument("--bids", type=int, default=300, help="bids of the larger call")
    asked.add_argument("--kib", type=int, default=1024, help="size of each of the two attachments")
    options = asked.parse_args()
    settings.DATABASES["default"]["NAME"] = f"{tempfile.mkdtemp()}/bench.sqlite3"
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    print(f"{'bids':>6} {'seal':>8} {'hand in':>8} {'open':>8} ms CPU per bid   {'open':>7} s CPU   memory MB")
    for n in (max(options.bids // 10, 1), options.bids):
        once(n, options.kib * 1024)


def once(n: int, size: int) -> None:
    """One call with n sealed bids, to the signed record."""
    from bidding.models import OpeningRecord
    from grants import clock
    from tests.world import bidding as plain
    from tests.world import people
    from tests.world import sealing as world

    found = world.ready(people.office(), "YX-2026-01", code=f"BENCH-{n}")
    spent = {"seal": 0.0, "hand in": 0.0}
    for _ in range(n):
        who = people.body(found.desk)
        bid = world.begun(found.call, who)
        with clock.at(plain.before_closing(found.call)):
            _hand_in(found, bid, who, size, spent)
    found = world.closed(found)
    before, start = memory(), time.process_time()
    with clock.at(found.call.closes_at + plain.timedelta(minutes=5)):
        found.open()
    opened = time.process_time() - start
    record = OpeningRecord.objects.get(key=found.key)
    assert (record.opened, record.failed) == (n, 0), record.document
    each = [1000 * spent["seal"] / n, 1000 * spent["hand in"] / n, 1000 * opened / n]
    print(f"{n:>6} {each[0]:>8.1f} {each[1]:>8.1f} {each[2]:>8.1f} {'':>17} {opened:>7.2f}         {before:.0f} → {memory():.0f}")


def _hand_in(found: Any, bid: Any, who: Any, size: int, spent: dict[str, float]) -> None:
    from bidding.completeness import asked_attachments
    from bidding.sealing import envelope
    from bidding.services import sealing
    from tests.world import bidding as plain
    from tests.world import sealing as world

    pledges, asked = plain.pledges(found.call), asked_attachments(bid)
    papers = {f"{a.code}/{a.code}.pdf": plain.pdf() + secrets.token_bytes(size) for a in asked[:2]}
    start = time.process_time()
    sealed, _copy = envelope.sealed(sealing.place_of(bid), sealing.payload(bid, world.fields(), pledges), papers, found.key.recipient)
    middle = time.process_time()
    sealing.hand_in(bid, sealed.header, sealed.files, by=who.signatory, declarations=pledges)
    spent["seal"] += middle - start
    spent["hand in"] += time.process_time() - middle


def memory() -> float:
    """The largest resident set so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
