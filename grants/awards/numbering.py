"""Numbers of awards, notices, objections and contracts: gapless where one row's lock guards the count."""

from __future__ import annotations

from typing import Any

from grants import clock
from grants.awards.models import Award, Contract, Objection, PublicNotice
from grants.calls.models import Call
from grants.people.models import Agency


def award_number(call: Call) -> str:
    """项目编号: the call's code, P, and the place in the order of proposing. Needs the call's row locked."""
    return f"{call.code}-P{Award.objects.filter(call=call).count() + 1:02d}"


def notice_number(call: Call) -> str:
    """公示编号. Needs the call's row locked."""
    return f"{call.code}-GS{PublicNotice.objects.filter(call=call).count() + 1:02d}"


def objection_number(notice: PublicNotice) -> str:
    """异议编号: counted within the notice, whose row is locked here."""
    list(PublicNotice.objects.select_for_update().filter(pk=notice.pk).values_list("pk"))
    return f"{notice.number}-Y{Objection.objects.filter(notice=notice).count() + 1:02d}"


def contract_number(call: Call) -> str:
    """协议编号 after the call's pattern, e.g. 云民创投〔{year}〕{no}号; numbered within the agency, whose row is locked here.

    Only {year} and {no} are filled in; a pattern without {no} gets it at the end, since two contracts never share a number.
    """
    list(Agency.objects.select_for_update(no_key=True).filter(pk=call.agency_id).values_list("pk"))
    pattern: str = call.rules.contract.number_pattern.replace("{year}", str(clock.today().year))
    pattern = pattern if "{no}" in pattern else pattern + "-{no}"
    head, _no, tail = pattern.partition("{no}")
    taken = set(_taken(head, tail))
    no = len(taken) + 1
    while f"{head}{no}{tail}" in taken:
        no += 1
    return f"{head}{no}{tail}"


def _taken(head: str, tail: str) -> Any:
    return Contract.objects.filter(number__startswith=head, number__endswith=tail).values_list("number", flat=True)
