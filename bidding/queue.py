"""The screening queue of a call: what came in, filtered, how far it is, which bid is next. Querysets only; nothing is written here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from bidding.machine import BidStates
from bidding.models import Attachment, Bid, Finding
from bidding.related import ACCOUNT, ADDRESS, FILE, PERSON, PHONE, Hint, Party, related
from bidding.rules import handed_in
from bidding.screening import FAIL, NEEDS_CLERK, PASS, SCREENING

OUTCOMES = {"open": _("有待人工核实的"), "fail": _("有不合格的"), "ready": _("全部合格，可以通过"), "unscreened": _("还没有核查的")}


@dataclass(frozen=True)
class Filters:
    """What a clerk asked to see; empty strings: everything. Values not known are dropped, never an error."""

    state: str = ""
    track: str = ""
    category: str = ""
    finding: str = ""
    sponsor: str = ""
    q: str = ""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Filters:
        asked = {name: str(given.get(name, "")).strip()[:60] for name in cls.__dataclass_fields__}
        if asked["state"] not in BidStates.values:
            asked["state"] = ""
        if asked["finding"] not in OUTCOMES:
            asked["finding"] = ""
        if asked["sponsor"] not in ("yes", "no"):
            asked["sponsor"] = ""
        return cls(**asked)

    @property
    def query(self) -> str:
        """The same wishes as a query string, for links that keep them."""
        return urlencode({name: value for name, value in asdict(self).items() if value})


def received(call: Any, actor: Any) -> QuerySet[Bid]:
    """Everything the agency received for a call, as far as this person may see it."""
    return Bid.visible.filter(Bid.objects.filter(handed_in(), call=call), actor)


def _standing() -> QuerySet[Finding]:
    """The findings of screening that count: of several about one rule the last. For a subquery over `OuterRef("pk")` of the bid."""
    later = Finding.objects.filter(bid=OuterRef("bid"), moment=SCREENING, rule=OuterRef("rule"), pk__gt=OuterRef("pk"))
    return Finding.objects.filter(~Exists(later), bid=OuterRef("pk"), moment=SCREENING).order_by()


def _count(outcome: str) -> Any:
    rows = _standing().filter(outcome=outcome).values("bid").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(rows), 0)


def tallied(rows: QuerySet[Bid]) -> QuerySet[Bid]:
    """With passed, failed, open_rules (numbers of rules) and asks (元 of the grant), in the order of arrival."""
    grant = Bid.objects.filter(pk=OuterRef("pk")).annotate(s=Sum("budget_lines__amount", filter=Q(budget_lines__source="grant"))).values("s")
    counted = rows.annotate(passed=_count(PASS), failed=_count(FAIL), open_rules=_count(NEEDS_CLERK), asks=Subquery(grant))
    return counted.select_related("organisation", "sponsor").order_by("number")


def narrowed(rows: QuerySet[Bid], filters: Filters) -> QuerySet[Bid]:
    """Only what the filters ask for."""
    exact = {name: value for name in ("state", "track", "category") if (value := getattr(filters, name))}
    rows = rows.filter(**exact)
    if filters.sponsor:
        rows = rows.filter(sponsor__isnull=filters.sponsor == "no")
    if filters.q:
        rows = rows.filter(Q(number__icontains=filters.q) | Q(title__icontains=filters.q) | Q(organisation__name__icontains=filters.q))
    return rows.filter(_found(filters.finding)) if filters.finding else rows


def _found(finding: str) -> Any:
    standing = _standing()
    if finding == "unscreened":
        return ~Exists(standing)
    if finding == "ready":
        return Q(state=BidStates.SUBMITTED) & Exists(standing) & ~Exists(standing.exclude(outcome=PASS))
    return Exists(standing.filter(outcome=FAIL if finding == "fail" else NEEDS_CLERK))


def ready_to_admit(call: Any, actor: Any) -> QuerySet[Bid]:
    """Bids whose every rule is met: what the bulk stroke may take. The door asks each of them again."""
    return narrowed(received(call, actor), Filters(finding="ready")).order_by("number")


@dataclass(frozen=True)
class Place:
    """Where a bid stands in the queue: n of total, and its neighbours' ids (None at the ends)."""

    n: int
    total: int
    before: Any
    after: Any


def place(bid: Bid, rows: QuerySet[Bid]) -> Place:
    """The bid among `rows`; when it is no longer among them (just decided), the place where it was. Two queries, whatever the number of rows."""
    lower, higher = Q(number__lt=bid.number), Q(number__gt=bid.number)
    found = rows.order_by().aggregate(
        n=Count("pk", filter=lower), total=Count("pk"), before=Max("number", filter=lower), after=Min("number", filter=higher)
    )
    keys = dict(Bid.objects.filter(call=bid.call_id, number__in=[found["before"] or "", found["after"] or ""]).values_list("number", "pk"))
    return Place(found["n"] + 1, found["total"], keys.get(found["before"]), keys.get(found["after"]))


def next_open(call: Any, actor: Any, filters: Filters, *, after: str) -> Any:
    """The id of the next bid that still needs somebody, after a number and round the corner; None when nothing is left."""
    rows = narrowed(received(call, actor), filters).filter(state=BidStates.SUBMITTED).exclude(number=after)
    for rest in (rows.filter(number__gt=after), rows):
        found = rest.order_by("number").values_list("pk", flat=True).first()
        if found is not None:
            return found
    return None


def hints(call: Any) -> list[Hint]:
    """What applicants of a call have in common: the database names the shared values, and only their holders are read. Four queries."""
    there = Q(call=call) & handed_in()
    return _among(there, [Q(**{f"{path}__in": values}) for path, values in _shared(there).items()])


def hints_of(bid: Bid) -> list[Hint]:
    """What the applicant of one bid has in common with others of its call, as `hints` says it. Four queries, however many bids there are."""
    there, body = Q(call=bid.call_id) & handed_in(), bid.organisation
    own = [Q(**{path: value}) for path in COMPARED if (value := getattr(body, path.rpartition("__")[2]))]
    files = list(bid.attachments.values_list("file_id", flat=True))
    return [hint for hint in _among(there, [*own, Q(**{f"{SHA256}__in": files})]) if str(bid.pk) in hint.bids]


def _shared(there: Q) -> dict[str, list[str]]:
    """Path → values that bids of at least two organisations have."""
    first, *others = [_shared_at(there, path) for path in (*COMPARED, SHA256)]
    found: dict[str, list[str]] = {}
    for path, value in first.union(*others, all=True):
        found.setdefault(path, []).append(value)
    return found


def _shared_at(there: Q, path: str) -> QuerySet[Bid, tuple[str, str]]:
    rows = Bid.objects.filter(there, **{f"{path}__gt": ""}).order_by().annotate(path=Value(path), value=F(path))
    return rows.values("path", "value").annotate(n=Count("organisation", distinct=True)).filter(n__gt=1).values_list("path", "value")


def _among(there: Q, alike: list[Q]) -> list[Hint]:
    """The hints among bids that fit any of `alike`."""
    holders = _holders(there, alike)
    files: dict[Any, list[str]] = {}
    for bid, sha256 in Attachment.objects.filter(bid__in=holders).values_list("bid_id", "file_id"):
        files.setdefault(bid, []).append(sha256)
    rows = Bid.objects.filter(pk__in=holders).order_by("number").values_list("pk", "organisation_id", *(f"organisation__{name}" for name in PARTICULARS))
    return related([_party(row, files.get(row[0], [])) for row in rows])


def _holders(there: Q, alike: list[Q]) -> set[Any]:
    """One branch for each kind: an OR over all of them would read every bid."""
    found = [Bid.objects.filter(there, each).order_by().values_list("pk", flat=True) for each in alike]
    return set(found[0].union(*found[1:])) if found else set()


SHA256 = "attachments__file"
COMPARED = ("organisation__same_account", "organisation__same_phone", "organisation__same_person", "organisation__same_address")
"""Indexed keyed hashes of what `related` compares (`Organisation.save`)."""
PARTICULARS = ("name", "account_number", "phone", "legal_representative", "address")
"""What is read of an organisation: a thousand bids with all their answers would cost a second."""


def _party(row: tuple[Any, ...], files: list[str]) -> Party:
    bid, body, name, account, phone, person, address = row
    return Party(str(bid), str(body), name, {ACCOUNT: [account], PHONE: [phone], PERSON: [person], ADDRESS: [address], FILE: files})
