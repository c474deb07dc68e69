"""The reader of sources that finds a state written beside the door: each way to spell it is found, and what only reads is not."""

from __future__ import annotations

import pytest

from tests.state_writes import writes

WRITTEN = [
    'Bid.objects.filter(pk=1).update(state="won")',
    'Bid.objects.update(\n    title="(a)",\n    state="won",\n)',
    'Bid.objects.update(**{"state": "won"})',
    'Bid.objects.update(**dict(state="won"))',
    'Bid.objects.update(**{**base, "state": "won"})',
    'Bid.objects.update(**(base | {"state": "won"}))',
    'Bid.objects.update(**dict.fromkeys(["state"], "won"))',
    'values = {"title": "a", "state": "won"}\nrows.update(**values)',
    'values = {}\nvalues["state"] = "won"\nrows.update(**values)',
    'QuerySet.update(rows, state="won")',
    'write = rows.update\nwrite(state="won")',
    'partial(rows.update, state="won")()',
    'await rows.aupdate(state="won")',
    'Bid.objects.create(state="won")',
    'Bid.objects.get_or_create(pk=1, defaults={"state": "won"})',
    'Bid.objects.update_or_create(pk=1, create_defaults={"state": "won"})',
    'Bid.objects.bulk_create([Bid(title="a", state="won")])',
    'Bid.objects.bulk_create(Bid(state=s) for s in "ab")',
    'Bid.objects.bulk_update(rows, ["title", "state"])',
    'Bid.objects.bulk_update(rows, fields=("state",))',
    'names = ["state"]\nBid.objects.bulk_update(rows, names)',
    'Bid(title="a", state="won").save()',
    'Bid(**{"state": "won"})',
    'setattr(bid, "state", "won")',
    'object.__setattr__(bid, "state", "won")',
    'partial(setattr, bid, "state")("won")',
    'bid.__dict__["state"] = "won"',
    'vars(bid)["state"] = "won"',
    'bid.state = "won"',
    'bid.state: str = "won"',
    'bid.state += "won"',
    'bid.title, bid.state = "a", "won"',
    'for bid.state in ("won",): pass',
    "del bid.state",
]
READ = [
    'Shown(state="won")',
    'Bid.objects.filter(state="won").update(title="a")',
    'rows.filter(state="won").count()',
    'bid.state == "won"',
    "state = bid.state",
    'seen.update({"title": bid.state})',
    'getattr(bid, "state")',
    'setattr(bid, "title", "state")',
    'Bid.objects.bulk_update(rows, ["title"])',
    'Bid.objects.create(title="state")',
    'render(request, {"state": bid.state})',
    "bid: Bid\nbid.state: str",
    'bid.stated = "won"',
]


@pytest.mark.parametrize("source", WRITTEN)
def test_a_write_is_found(source: str) -> None:
    assert writes(source, {"Bid"})


@pytest.mark.parametrize("source", READ)
def test_what_only_reads_is_not(source: str) -> None:
    assert writes(source, {"Bid"}) == []


def test_a_write_is_told_with_its_line() -> None:
    assert writes('a = 1\n\nbid.state = "won"') == [(3, "bid.state = 'won'")]
