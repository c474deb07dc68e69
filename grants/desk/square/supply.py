"""What was funded, where and in which field, from the rows; laid beside the needs and along the money. A fixed number of queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _

from grants import clock
from grants.awards.models import Award
from grants.calls.models import Call
from grants.calls.needs.fields import ServiceField, of_category, of_words
from grants.calls.needs.models import Need
from grants.calls.needs.places import DISTRICT_WIDE, street_of
from grants.desk.square.flow import Flow, Path, flow
from grants.desk.square.gaps import Matrix, NeedFact, SupplyFact, matrix
from grants.desk.square.whitelist import public
from grants.evaluation.models import Evaluation
from grants.funding.models import Allocation
from grants.money import ZERO, total
from grants.people.models import Organisation

COUNTED = ("confirmed", "active", "closed", "terminated")
"""Awards whose money was given: a terminated project's stays in the flow, for what was promised is part of the record."""
SERVING = ("confirmed", "active", "closed")
"""Awards that serve somebody: a terminated project fills no hole."""


@dataclass(frozen=True)
class Funded:
    """One award as the square counts it. street: DISTRICT_WIDE when it is not tied to one."""

    pk: Any
    number: str
    call: str
    call_title: str
    field: ServiceField
    street: str
    organisation: str
    organisation_id: Any
    amount: Decimal
    state: str
    year: int


def funded() -> list[Funded]:
    """Every award whose money was given, by number. Three queries."""
    rows = Award.objects.filter(state__in=COUNTED, confirmed_at__isnull=False).select_related("bid__organisation").order_by("number")
    calls = {call.pk: call for call in _calls()}
    listed = {(call, code): street for call, code, street in Need.objects.exclude(code="").values_list("call_id", "code", "street")}
    return [_funded(award, calls[award.call_id], listed) for award in rows.defer("agreed_targets", "bid__answers")]


def _calls() -> Any:
    held = Award.objects.filter(state__in=COUNTED).values("call_id")
    return Call.objects.filter(pk__in=held).select_related("agency", "rules_version")


def _funded(award: Award, call: Call, listed: dict[tuple[Any, str], str]) -> Funded:
    bid = award.bid
    assert award.confirmed_at is not None  # asked for confirmed awards only
    return Funded(
        award.pk, award.number, call.code, call.title, field_of(call, bid.category),
        listed.get((call.pk, bid.need)) or _street(call, bid.need), bid.organisation.name, bid.organisation_id, award.amount, award.state,
        award.confirmed_at.astimezone(clock.TZ).year,
    )  # fmt: skip


def field_of(call: Call, category: str) -> ServiceField:
    """The field of service that a category of this call is about."""
    name = next((c.name for c in call.rules.categories if c.code == category), "")
    return of_category(category, name)


def _street(call: Call, need: str) -> str:
    """Where: the place of the listed need, else the street whose office published the call, else the whole district."""
    place = next((item.place for item in call.rules.needs.items if item.code == need), "") if need else ""
    return street_of(place) or street_of(call.agency.name) or DISTRICT_WIDE


def years(rows: Iterable[Funded]) -> list[int]:
    """Years in which something was funded or asked for, newest first. One query."""
    asked = Need.objects.filter(published_at__isnull=False).values_list("published_at", flat=True)
    return sorted({row.year for row in rows} | {at.astimezone(clock.TZ).year for at in asked if at is not None}, reverse=True)


def of_year(rows: Iterable[Funded], year: int | None) -> list[Funded]:
    """Those of one year; all when none is asked."""
    return [row for row in rows if year in (None, row.year)]


def gap_map(rows: Iterable[Funded], year: int | None = None) -> Matrix:
    """The grid: needs that are still open, projects that serve, organisations that name the field as theirs. Two queries."""
    supply = [SupplyFact(f.field, f.street, str(f.organisation_id), f.amount) for f in of_year(rows, year) if f.state in SERVING]
    return matrix(_needs(year), supply, fields=ServiceField.values, everywhere=DISTRICT_WIDE, registered=_registered())


def _needs(year: int | None) -> list[NeedFact]:
    rows = Need.objects.filter(state="published")
    if year is not None:
        rows = rows.filter(published_at__year=year)
    return [NeedFact(field, street, people) for field, street, people in rows.values_list("field", "street", "people")]


def _registered() -> Counter[str]:
    """Verified organisations by the field they name as theirs."""
    words = Organisation.objects.filter(state="verified").order_by().values("field").annotate(n=Count("pk")).values_list("field", "n")
    found: Counter[str] = Counter()
    for text, n in words:  # counted by the database: one row for each wording, however many organisations use it
        found[str(of_words(text))] += n
    return found


def money_flow(rows: Sequence[Funded]) -> Flow:
    """The money of these awards. What no contract has tied to a source yet flows from a stop of its own. One query."""
    held: dict[Any, list[tuple[str, Decimal]]] = {}
    for award, source, amount in Allocation.objects.values_list("award_id", "source__kind", "amount"):
        held.setdefault(award, []).append((source, amount))
    paths = [path for row in rows for path in _paths(row, held.get(row.pk, []))]
    return flow(paths, others=_("其他单位"))


def _paths(row: Funded, sources: Sequence[tuple[str, Decimal]]) -> Iterable[Path]:
    stops = (row.call, str(row.field.label), public("organisation", {"name": row.organisation})["name"])
    for kind, amount in sources:
        yield Path(source_name(kind), *stops, amount)
    rest = row.amount - total([amount for _kind, amount in sources])
    if rest:
        yield Path(_("来源待定（未签协议）"), *stops, rest)


def source_name(kind: str) -> str:
    """A kind of source in words."""
    names = {
        "lottery": _("福利彩票公益金"), "fiscal": _("财政资金"), "foundation": _("基金会"), "enterprise": _("企业认购"), "crowdfunding": _("网络众筹"),
    }  # fmt: skip
    return names.get(kind, kind)


def reached() -> int:
    """People whom confirmed reports say were reached: the newest confirmed report of each project counts, once. Two queries."""
    from bidding.models import Kpi  # noqa: PLC0415 - the desk reads across stages

    counted: dict[Any, set[str]] = {}
    for bid, code, kind in Kpi.objects.filter(kind="persons").values_list("bid_id", "code", "kind"):
        counted.setdefault(bid, set()).add(code or kind)
    newest: dict[Any, int] = {}
    rows = Evaluation.objects.filter(state="confirmed", award__state__in=COUNTED).order_by("confirmed_at")
    for bid, achieved in rows.values_list("award__bid_id", "achieved"):
        newest[bid] = sum(_whole(achieved.get(code)) for code in counted.get(bid, ()))
    return sum(newest.values())


def _whole(value: Any) -> int:
    return int(Decimal(str(value))) if value not in (None, "") else 0


def in_short(rows: Sequence[Funded]) -> dict[str, Any]:
    """The line on the front page: projects, organisations, 元, people reached."""
    return {
        "projects": len(rows), "organisations": len({row.organisation_id for row in rows}),
        "amount": total([row.amount for row in rows]) if rows else ZERO, "people": reached(),
    }  # fmt: skip
