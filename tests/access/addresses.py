"""Every address of the site for one world. A new page is found by itself; `OBJECTS` says which object its parameters mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.urls import NoReverseMatch, URLPattern, get_resolver, reverse

from grants.workflow.machine import Machine
from tests.access.worlds import World

Given = Callable[[World], dict[str, Any]]


def pk(name: str, key: str = "pk", **more: Any) -> Given:
    return lambda world: {key: world.objects[name].pk, **more}


def _code(world: World) -> dict[str, Any]:
    return {"code": world.objects["call"].code}


def _version(world: World) -> dict[str, Any]:
    return {**_code(world), "number": 1}


def _section(name: str) -> Given:
    return lambda world: {"pk": world.objects[name].pk, "code": _first_section(world.objects[name])}


def _first_section(obj: Any) -> str:
    from grants.evaluation.reports import sections

    return str(obj.rules.forms.application[0].code if obj.kind() == "bid" else sections(obj)[0].code)


def _row(name: str, related: str, key: str = "pk") -> Given:
    """The first child row of an object; IndexError where there is none."""
    return lambda world: {key: getattr(world.objects[name], related).order_by("pk")[0].pk}


def _a_letter(world: World) -> Any:
    return world.actors["signatory"].letters.order_by("created_at")[0]  # type: ignore[union-attr]


def _last_event(world: World) -> int:
    from grants.ledger.models import AuditEvent

    return int(AuditEvent.objects.filter(scope=f"call:{world.objects['call'].pk}").order_by("-pk")[0].pk)


def _submission(world: World) -> Any:
    from grants.ledger.models import AuditEvent

    return AuditEvent.objects.filter(subject=world.objects["bid"].subject, event="bid.submit").order_by("pk")[0].uid


def _calendar_key(world: World) -> str:
    from grants.notifications.models import CalendarKey

    user = world.actors["signatory"]
    return CalendarKey.objects.get_or_create(to=user, defaults={"key": "k" * 43, "made_at": world.now})[0].key


DEFAULT = {
    "calls": "call", "bidding": "bid", "review": "panel", "awards": "award", "funding": "award", "evaluation": "award", "people": "organisation",
}  # fmt: skip
"""What `pk` means in a stage's addresses unless OBJECTS or the address itself says otherwise."""

MORE: dict[str, dict[str, Any]] = {
    "desk:audit_records": {"what": "bids"}, "awards:board_file": {"form": "csv"},
    "calls:edit_part": {"part": "money"},
    "square:gaps_file": {"ending": "csv"}, "square:money_file": {"ending": "csv"}, "people:text": {"template": "bidding/receipt"},
    "bidding:save": {"page": "about"},
}  # fmt: skip
"""Parameters that are words."""

GENERIC = ("desk:object", "desk:step", "desk:file")

OBJECTS: dict[str, Given] = {
    "desk:path": pk("bid"), "desk:plan_ics": pk("bid"),
    "audit:packages": pk("call"), "open:file": lambda world: {"code": world.objects["call"].code, "name": "ocds.json"},
    "desk:audit_event": lambda world: {"pk": _last_event(world)},
    "desk:calendar_feed": lambda world: {"key": _calendar_key(world)},
    "square:project": lambda world: {"number": world.objects["award"].number}, "square:objections": pk("notice"),
    "square:passport": pk("organisation"),
    "square:passport_paper": pk("organisation"),
    "people:deliver_again": lambda world: {"pk": _a_letter(world).deliveries.order_by("pk")[0].pk},
    "needs:show": lambda world: {"number": world.objects["need"].number}, "needs:back": lambda world: {"number": world.objects["need"].number},
    "needs:contact": lambda world: {"number": world.objects["need"].number},
    "needs:receipt": lambda world: {"receipt": world.objects["need"].receipt},
    "people:add_record": pk("organisation", what="annual-check"),
    "people:accept_sponsorship": _row("organisation", "sponsored_by"),
    "people:end_sponsorship": _row("organisation", "sponsored_by"),
    "people:revoke_check": _row("organisation", "annual_checks"),
    "people:remove_credit": _row("organisation", "credit_records"),
    "people:dismiss": lambda world: {"pk": world.actors["editor"].appointments.get().pk},  # type: ignore[union-attr]
    "people:staff": pk("organisation", kind="organisation"),
    "notifications:letter": lambda world: {"pk": _a_letter(world).pk},
    "calls:public": _code, "calls:versions": _code, "calls:toml": _version, "calls:json": _version,
    "bidding:start": pk("call"), "bidding:of_call": pk("call"), "bidding:run": pk("call"), "bidding:section": _section("bid"),
    "bidding:remove": lambda world: {"pk": world.objects["bid"].pk, **_row("bid", "attachments", "attachment")(world)},
    "bidding:version": pk("bid", number=1),
    "bidding:receipt": lambda world: {"pk": world.objects["bid"].pk, "event": _submission(world)},
    "funding:not_received": pk("order"),
    "review:expert": pk("expert"), "review:convene": pk("call"), "review:namesakes": pk("call"), "review:review": pk("review"), "review:score": pk("review"),
    "review:dismiss": lambda world: {"pk": world.objects["panel"].pk, **_row("panel", "hits", "hit")(world)},
    "review:void": lambda world: {"pk": world.objects["panel"].pk, "review": world.objects["review"].pk},
    "review:propose_voiding": lambda world: {"pk": world.objects["panel"].pk, "review": world.objects["review"].pk},
    "review:swap": lambda world: {"pk": world.objects["panel"].pk, "review": world.objects["review"].pk},
    "review:run": lambda world: {"pk": world.objects["panel"].pk, "which": "IN", **_row("panel", "runs", "run")(world)},
    "awards:notice": pk("notice"), "awards:sheet": pk("notice"), "awards:object": pk("notice"), "awards:objected": pk("notice"),
    "awards:results": _code, "awards:call": pk("call"), "awards:propose": pk("call"), "awards:approve": pk("call"),
    "awards:confirm": pk("call"), "awards:preview": pk("call"), "awards:objections": pk("call"), "awards:objector": pk("objection"),
    "funding:batch": lambda world: {"pk": world.objects["order"].batch_id}, "funding:overview": pk("call"),
    "funding:voucher": pk("expense"), "funding:disallow": pk("expense"), "funding:receipt": pk("tranche"),
    "funding:verify_receipt": _row("tranche", "receipts"), "funding:account": lambda world: {"pk": world.objects["order"].tranche_id},
    "evaluation:save": _section("evaluation"), "evaluation:report": pk("evaluation"), "evaluation:section": _section("evaluation"),
    "evaluation:evidence": lambda world: {"pk": world.objects["award"].pk, **_row("award", "evidence", "number")(world)},
    "evaluation:record": pk("organisation"),
}  # fmt: skip

SEGMENTS = {
    "calls": "call", "call": "call", "bids": "bid", "panels": "panel", "reviews": "review", "experts": "expert", "awards": "award",
    "accounts": "person", "rounds": "call", "round": "call", "organisations": "organisation", "tranches": "tranche", "notices": "notice", "contracts": "contract", "objections": "objection",
    "evaluations": "evaluation", "expenses": "expense", "project": "bid",
}  # fmt: skip
"""Where a page's own table says nothing: the word before `<…:pk>` in an address names the object."""

UNREACHED: dict[str, str] = {
    "mfa_deactivate_totp": "tests/stages/test_sign_in.py",
    "mfa_view_recovery_codes": "tests/stages/test_sign_in.py", "socialaccount_signup": "tests/stages/test_sign_in.py",
    "people:forgotten": "tests/stages/test_sign_in.py", "mfa_remove_webauthn": "tests/stages/test_sign_in.py", "mfa_edit_webauthn": "tests/stages/test_sign_in.py",
    "socialaccount_login_error": "tests/stages/test_sign_in.py", "openid_connect_login": "tests/stages/test_sign_in.py", "openid_connect_callback": "tests/stages/test_sign_in.py",
    "people:welcome": "tests/stages/test_site.py", "people:end_visit": "tests/stages/test_sign_in.py", "people:retry": "tests/stages/test_site.py",
    "people:drop": "tests/stages/test_applicant.py", "people:revoke_check": "tests/stages/test_people_pages.py",
    "people:remove_credit": "tests/stages/test_people_pages.py", "people:accept_sponsorship": "tests/stages/test_people_pages.py",
    "people:end_sponsorship": "tests/stages/test_people_pages.py", "review:dismiss": "tests/stages/test_review_pages.py",
    "review:meeting_act": "tests/stages/test_review_meeting.py", "review:meeting_state": "tests/stages/test_review_meeting.py",
    "review:screen": "tests/stages/test_review_meeting.py", "review:paper": "tests/stages/test_review_meeting.py",
    "calls:edit_element": "tests/stages/test_call_editor.py", "desk:audit_sample": "tests/stages/test_audit.py", "desk:audit_sample_json": "tests/stages/test_audit.py",
    "evaluation:evidence": "tests/stages/test_evaluation.py", "funding:verify_receipt": "tests/stages/test_funding_pages.py",
    "desk:job": "tests/stages/test_screening_queue.py", "desk:job_cancel": "tests/stages/test_screening_queue.py",
    "bidding:receipt_proof": "tests/stages/test_receipts.py", "desk:root_notice": "tests/stages/test_evidence_roots.py",
    "awards:feedback": "tests/stages/test_feedback.py", "awards:feedback_paper": "tests/stages/test_feedback.py",
    "awards:evidence": "tests/stages/test_evidence.py", "awards:review_file": "tests/stages/test_showing.py",
    "bidding:following": "tests/stages/test_files_follow.py", "square:draw": "tests/stages/test_draws.py", "square:draw_file": "tests/stages/test_draws.py",
    "review:tie": "tests/stages/test_tie_pages.py", "review:second_ballots": "tests/stages/test_committee.py", "review:propose_ruling": "tests/stages/test_committee.py",
    "review:correct": "tests/stages/test_score_corrections.py",
    "review:keep_hit": "tests/stages/test_draws.py", "review:propose_dismissal": "tests/stages/test_review_pages.py",
    "audit:package": "tests/stages/test_audit_package.py", "audit:file": "tests/stages/test_audit_package.py",
    "bidding:sealed": "tests/stages/test_sealing_pages.py",
    "bidding:seal": "tests/stages/test_sealing_pages.py",
    "bidding:seal_sign": "tests/stages/test_sealing_pages.py",
    "bidding:seal_replace": "tests/stages/test_sealing_pages.py",
    "bidding:sealed_offline": "tests/stages/test_sealed_offline.py",
    "bidding:sealed_sheet": "tests/stages/test_sealed_offline.py",
    "bidding:seal_lost": "tests/stages/test_sealing_lost.py",
    "bidding:seal_found": "tests/stages/test_sealing_lost.py",
    "bidding:seal_turn": "tests/stages/test_sealing_pages.py",
    "bidding:seal_finish": "tests/stages/test_sealing_pages.py",
    "bidding:seal_again": "tests/stages/test_sealing_pages.py",
    "bidding:seal_public": "tests/stages/test_sealing_pages.py",
    "bidding:seal_file": "tests/stages/test_sealing_pages.py",
    "bidding:hand_in": "tests/stages/test_sealing_pages.py",
    "bidding:seal_here": "tests/stages/test_sealing_pages.py",
    "bidding:restore": "tests/stages/test_sealing_pages.py",
    "desk:job_resume": "tests/stages/test_screening_queue.py", "desk:job_package": "tests/stages/test_office_pack.py",
}  # fmt: skip
"""Addresses that no world of these tests has an object for, each with the test that covers it."""


@dataclass(frozen=True)
class Address:
    """name with its namespace, the whole route, its parameters."""

    name: str
    route: str
    keys: tuple[str, ...]


@cache
def addresses() -> tuple[Address, ...]:
    """Every address of the site."""
    return tuple(sorted(_walk(get_resolver(), ""), key=lambda found: (found.name, found.route)))


def names() -> set[str]:
    return {address.name for address in addresses()} - set(GENERIC)


def _walk(resolver: Any, space: str, before: str = "", outer: tuple[str, ...] = ()) -> Iterator[Address]:
    for entry in resolver.url_patterns:
        keys, route = (*outer, *entry.pattern.converters), before + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield Address(f"{space}:{entry.name}".lstrip(":"), route, keys)
        else:
            yield from _walk(entry, f"{space}:{entry.namespace}".strip(":") if entry.namespace else space, route, keys)


def of(world: World) -> dict[str, str]:
    """Label → address, of every page whose objects this world has."""
    found: dict[str, str] = {}
    for address in addresses():
        if address.name in GENERIC:
            continue
        try:
            found[address.name] = reverse(address.name, kwargs=_kwargs(address, world))
        except (KeyError, IndexError, NoReverseMatch, ObjectDoesNotExist):
            continue
    return found | _of_machines(world)


def _kwargs(address: Address, world: World) -> dict[str, Any]:
    if not address.keys:
        return {}
    given = OBJECTS.get(address.name)
    if given is not None:
        return given(world)
    kwargs = {**MORE.get(address.name, {})}
    for key in set(address.keys) - set(kwargs):
        kwargs[key] = world.objects["call"].code if key == "code" else world.objects[_named(address)].pk
    return kwargs


def _named(address: Address) -> str:
    """The object that `pk` means: by the word before it, or what the stage is about."""
    word = address.route.partition("<uuid:pk>")[0].strip("/").rpartition("/")[2]
    return SEGMENTS.get(word) or DEFAULT[address.name.partition(":")[0]]


def _of_machines(world: World) -> dict[str, str]:
    """The generic pages, once for each kind of object, with one step and every file that anybody may have."""
    found = {}
    for obj in world.objects.values():
        if not isinstance(obj, Machine) or f"desk:object {obj.kind()}" in found:
            continue
        kind = obj.kind()
        found[f"desk:object {kind}"] = reverse("desk:object", args=[kind, obj.pk])
        verb = next((v for v, step in type(obj).steps().items() if step.by.roles != {"system"}), None)
        if verb is not None:
            found[f"desk:step {kind} {verb}"] = reverse("desk:step", args=[kind, obj.pk, verb])
        for place, sha256 in enumerate(_files(obj), start=1):
            found[f"desk:file {kind} {place}"] = reverse("desk:file", args=[kind, obj.pk, sha256])
    return found


def _files(obj: Machine) -> list[str]:
    """Hashes of the files that hang on an object, whoever may have them."""
    own = [getattr(obj, f.name) for f in obj._meta.fields if f.related_model is not None and f.related_model.__name__ == "StoredFile"]
    versions = getattr(obj, "versions", None)
    last = versions.order_by("-number").first() if versions is not None and obj.kind() == "bid" else None
    extra = [last.receipt] if last is not None else []
    return [file.sha256 for file in (*own, *extra) if file is not None]
