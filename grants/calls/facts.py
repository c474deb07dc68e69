"""What is known of an organisation, in the words of the eligibility rules (`rulebook.eligibility.Facts`).

People know registration, checks, credit and sponsors. What later stages know (past projects, bars) they hand up at start-up with
`add_facts`: upstream never names downstream. What belongs to one bid (professionals, members) its stage passes as `more`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from django.utils import translation

from grants.people.models import CreditRecord, Organisation, SponsorAgreement

if TYPE_CHECKING:
    from grants.calls.rulebook.eligibility import Facts, Listing, SponsorFacts

Provider = Callable[[Organisation, date], Mapping[str, Any]]
_providers: list[Provider] = []


def add_facts(provider: Provider) -> None:
    """Register a provider of further fields of `Facts`, e.g. evaluation's `past` and `barred_until`."""
    if provider not in _providers:
        _providers.append(provider)


def eligibility_facts(organisation: Organisation, on: date, **more: Any) -> Facts:
    """The facts about `organisation` on the day `on` (Shanghai); `more` are fields of `Facts` that only the caller knows.

    `more` wins over providers, providers over nothing. Unknown facts stay None: they never pass by themselves.
    """
    from grants.calls.rulebook.eligibility import EntityKind, Facts  # noqa: PLC0415 - pydantic is slow to import

    known: dict[str, Any] = {
        "registered_on": organisation.registered_on,
        "annual_checks": _annual_checks(organisation),
        "assessment": _assessment(organisation, on),
        "credit_looked_up_on": _looked_up(organisation, on),
        "full_time_staff": organisation.full_time_staff,
        "district": organisation.district,
        "sponsor": _sponsor(organisation, on),
        **_listings(organisation),
    }
    for provider in _providers:
        known |= provider(organisation, on)
    known |= more
    kind = next(k for k in EntityKind if k.value == organisation.kind_of_body)
    return Facts(kind=kind, legal_person=organisation.is_legal_person, **known)


def _annual_checks(organisation: Organisation) -> dict[int, str]:
    """Year → result in the words of the rules, which are Chinese whatever language the person at the page reads."""
    with translation.override("zh-hans"):
        return {check.year: str(check.get_result_display()) for check in organisation.annual_checks.all()}


def _assessment(organisation: Organisation, on: date) -> int | None:
    """The best grade that holds on the day: 3 for 3A."""
    held = [int(g.grade[0]) for g in organisation.grades.all() if g.valid_from <= on <= g.valid_to]
    return max(held, default=None)


def _looked_up(organisation: Organisation, on: date) -> date | None:
    days = [row.looked_up_on for row in organisation.credit_lookups.all() if row.looked_up_on <= on]
    return max(days, default=None)


def _listings(organisation: Organisation) -> dict[str, tuple[Listing, ...]]:
    from grants.calls.rulebook.eligibility import Listing  # noqa: PLC0415 - as above

    kinds = CreditRecord.Kind
    names = {kinds.ABNORMAL: "abnormal", kinds.SERIOUS: "serious", kinds.VIOLATION: "violations"}
    rows = list(organisation.credit_records.all())
    return {
        name: tuple(Listing(row.listed_on, _until(row)) for row in rows if row.kind == kind) for kind, name in names.items()
    }


def _until(row: CreditRecord) -> date | None:
    """A violation is over on the day of its penalty; a list entry on the day it was removed."""
    return row.removed_on or (row.listed_on if row.kind == CreditRecord.Kind.VIOLATION else None)


def _sponsor(organisation: Organisation, on: date) -> SponsorFacts | None:
    """The agreement that holds on the day, else the latest accepted one (so that the refusal can say it has run out)."""
    from grants.calls.rulebook.eligibility import SponsorFacts  # noqa: PLC0415 - as above

    accepted = SponsorAgreement.objects.filter(group=organisation, accepted_at__isnull=False).select_related("sponsor")
    rows = sorted(accepted, key=lambda row: (row.holds_on(on), row.valid_to), reverse=True)
    if not rows:
        return None
    sponsor, row = rows[0].sponsor, rows[0]
    signs = sponsor.is_legal_person and sponsor.state == "verified"
    return SponsorFacts(sponsor.name, signs, row.valid_from, row.valid_to)
