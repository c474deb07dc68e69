"""Who stands behind a bid: the accounts that wrote it, sent it for signature or handed it in, and the organisations whose credit codes it gives.

A code decides who a partner is, never a name. Read are the frozen answers and budget of the version that counts, not the working copy.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import OuterRef, Subquery

from bidding.models import Bid, BidVersion, SealedVersion
from grants.people import uscc
from grants.people.models import Organisation
from review.models import Expert, Node
from review.nodes import Body, body_marks

READ: Final = ("sections", "budget")
"""Parts of a frozen bid in which partners and co-applicants are named; its organisation and sponsor are columns of the bid."""


@dataclass(frozen=True)
class Behind:
    """Of one bid. accounts: experts' parties whose account wrote or handed it in; partners: registered organisations (ids) and bodies of the
    graph whose credit codes it gives; content: the version that counts, {} before there is one."""

    accounts: frozenset[str] = frozenset()
    partners: tuple[str, ...] = ()
    content: Mapping[str, Any] = field(default_factory=dict, repr=False)


NOBODY: Final = Behind()


def behind(bids: Iterable[Bid]) -> dict[Any, Behind]:
    """Bid → who stands behind it. Three queries, two more where codes are given, whatever the number of bids."""
    papers = list(bids)
    contents = {pk: _read(document) for pk, document in _documents(papers)}
    codes = {pk: frozenset(codes_in(content)) for pk, content in contents.items()}
    known, accounts = _named({code for found in codes.values() for code in found}), _accounts(papers)
    return {
        b.pk: Behind(accounts.get(b.pk, frozenset()), tuple(known[c] for c in sorted(codes.get(b.pk, ())) if c in known), contents.get(b.pk, {}))
        for b in papers
    }


def codes_in(value: Any) -> Iterator[str]:
    """Every valid credit code in a value of JSON, at whatever depth."""
    return (code for text in texts_in(value) for code in uscc.found_in(text))


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a value of JSON, at whatever depth; keys are none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts_in(inner)


def _read(document: str) -> dict[str, Any]:
    content = json.loads(document)
    return {part: content[part] for part in (*READ, "team") if part in content}


def _documents(bids: list[Bid]) -> Iterator[tuple[Any, str]]:
    last = BidVersion.objects.filter(bid=OuterRef("bid")).order_by("-number").values("pk")[:1]
    rows = BidVersion.objects.filter(bid__in=[b.pk for b in bids], pk=Subquery(last))
    return rows.values_list("bid_id", "document").iterator(chunk_size=200)


def _accounts(bids: list[Bid]) -> dict[Any, frozenset[str]]:
    """Bid → parties of the experts whose own account had a hand in it, whoever of them is asked about."""
    pks = [b.pk for b in bids]
    pairs = {(b.pk, user) for b in bids for user in (b.written_by_id, b.sign_asked_by_id)}
    kinds = (BidVersion, SealedVersion)
    handed, sealed = (kind.objects.filter(bid__in=pks).order_by().values_list("bid_id", "submitted_by_id") for kind in kinds)
    pairs |= set(handed.union(sealed))
    users = {user for _bid, user in pairs if user is not None}
    experts = dict(Expert.objects.filter(user__in=users).values_list("user_id", "pk"))
    found: dict[Any, set[str]] = {}
    for bid, user in pairs:
        if user in experts:
            found.setdefault(bid, set()).add(f"expert:{experts[user]}")
    return {bid: frozenset(parties) for bid, parties in found.items()}


def _named(codes: set[str]) -> dict[str, str]:
    """Code → how edges name the organisation that has it; codes that nobody knows are left out."""
    if not codes:
        return {}
    known = {str(code): str(pk) for code, pk in Organisation.objects.filter(uscc__in=codes).values_list("uscc", "pk")}
    marks = {body_marks(Body(uscc=code))[0]: code for code in codes - known.keys()}
    rows = Node.objects.filter(mark__in=marks).values_list("mark", "pk") if marks else ()
    return known | {marks[mark]: f"body:{pk}" for mark, pk in rows}
