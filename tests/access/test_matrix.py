"""Who may open what: each address × each role × each stage answers exactly as `matrix.txt` declares, and refusals tell nothing.

`ACCESS_WRITE=1 .venv/bin/python -m pytest -m access` writes the file anew; read its diff as you would read a change of permissions, for it is one.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from grants import clock
from tests.access import addresses, worlds
from tests.access.worlds import World
from tests.world import shared

pytestmark = [pytest.mark.access, pytest.mark.django_db]
DECLARED = Path(__file__).with_name("matrix.txt")
HEAD = """# Who may open what. An address, then for each stage of a call (or "always") the roles it opens for; whoever is not named gets 403,
# 404 or the sign-in page. An address that only takes forms is asked with an empty one. Written by `ACCESS_WRITE=1 … pytest -m access`;
# a change in this file is a change of permissions.
"""
EVERYBODY, SIGNED_IN = "everybody", "signed-in"
OUTSIDE = ("visitor", "stranger", "superuser", "officer_elsewhere", "auditor_elsewhere", "rival", "outsider", "expert_unseated")
Cells = dict[str, dict[str, set[str]]]
Seen = dict[tuple[str, str], "Answer"]


@dataclass(frozen=True)
class Answer:
    """What is looked at of an answer, and no more: thirty thousand whole ones, with the rows on their pages, are gigabytes.

    text: what may have told something — all that an outsider read, and every 404.
    """

    status_code: int
    location: str
    text: str


# The last stage has the most pages: it begins first, so that two processes end together.
@pytest.fixture(scope="module", params=[pytest.param(stage, marks=pytest.mark.xdist_group(stage)) for stage in reversed(worlds.STAGES)])
def world(request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with shared.rows(django_db_blocker):
        yield worlds.build(worlds.STAGES[request.param])


@pytest.fixture(scope="module")
def seen(world: World, django_db_blocker: Any) -> Seen:
    """(address, role) → answer; every request is rolled back."""
    found: Seen = {}
    places = addresses.of(world)
    with django_db_blocker.unblock(), clock.at(world.now):
        for role, user in world.actors.items():
            client = Client(raise_request_exception=True)
            if user is not None:
                client.force_login(user)
            for label, url in places.items():
                found[label, role] = _looked_at(_ask(client, url), role)
    return found


def _ask(client: Client, url: str) -> Any:
    """The page; where it only takes forms, what an empty one is answered. The session outlives even a page that ends it."""
    cookies = client.cookies.copy()
    with transaction.atomic():
        answer = client.get(url)
        if answer.status_code == 405:
            answer = client.post(url)
        answer.text_seen = _text(answer)  # type: ignore[attr-defined]
        transaction.set_rollback(True)
    client.cookies = cookies
    return answer


def _looked_at(answer: Any, role: str) -> Answer:
    told = answer.text_seen if role in OUTSIDE or answer.status_code == 404 else ""
    return Answer(answer.status_code, answer.headers.get("Location", ""), told)


def _text(answer: Any) -> str:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return bytes(body).decode("utf-8", "replace")


def opens(answer: Answer) -> bool:
    """Whether the person got in: a page, a file, a form's answer — not 401, 403, 404 or the way to the sign-in page."""
    if answer.status_code in (301, 302):
        return "/sign-in/" not in answer.location
    return answer.status_code not in (401, 403, 404)


def declared() -> Cells:
    """What the file says: address → stage → roles, or one of the two words for many."""
    cells: Cells = defaultdict(dict)
    label = ""
    for line in DECLARED.read_text().splitlines() if DECLARED.exists() else ():
        if line.startswith("#") or not line:
            continue
        if not line.startswith(" "):
            label = line
            continue
        stage, _space, roles = line.strip().partition(" ")
        for one in worlds.STAGES if stage == "always" else (stage,):
            cells[label][one] = set(roles.split())
    return cells


def observed(world: World, seen: Seen) -> dict[str, set[str]]:
    cells: dict[str, set[str]] = defaultdict(set)
    for (label, role), answer in seen.items():
        if opens(answer):
            cells[label].add(role)
    return {label: _in_words(world, roles) for label, roles in cells.items()}


def _in_words(world: World, roles: set[str]) -> set[str]:
    all_roles = set(world.actors)
    return {EVERYBODY} if roles == all_roles else {SIGNED_IN} if roles == all_roles - {"visitor"} else roles


def _write(stage: str, mine: dict[str, set[str]], order: list[str]) -> None:
    """Put one stage's cells into the file, the others staying."""
    cells = declared()
    for label in {*cells, *mine}:
        cells[label].pop(stage, None)
        if mine.get(label):
            cells[label][stage] = mine[label]
    lines = [HEAD]
    for label in sorted(cells):
        lines += [label, *_rows(cells[label], order)] if cells[label] else []
    DECLARED.write_text("\n".join(lines) + "\n")


def _rows(stages: dict[str, set[str]], order: list[str]) -> list[str]:
    told = {s: " ".join(sorted(stages[s], key=lambda role: (order.index(role) if role in order else 99, role))) for s in worlds.STAGES if s in stages}
    if len(told) == len(worlds.STAGES) and len(set(told.values())) == 1:
        return [f"    always  {told['draft']}"]
    return [f"    {stage:8}{roles}" for stage, roles in told.items()]


def test_each_address_opens_for_the_declared_roles_and_for_nobody_else(world: World, seen: Seen) -> None:
    mine = observed(world, seen)
    if os.environ.get("ACCESS_WRITE"):
        _write(world.stage, mine, list(world.actors))
    said = {label: stages[world.stage] for label, stages in declared().items() if stages.get(world.stage)}
    assert mine == said


def test_nobody_meets_an_error_of_ours(world: World, seen: Seen) -> None:
    """Whatever is asked by whoever: never a 5xx."""
    assert {key: answer.status_code for key, answer in seen.items() if answer.status_code >= 500} == {}


def test_outsiders_read_nothing_of_a_bid_that_is_not_public(world: World, seen: Seen) -> None:
    """Competitors, other agencies, strangers, a superuser and unseated experts: no page, file or refusal holds title, phone or account."""
    leaks = [
        (label, role, secret)
        for (label, role), answer in seen.items()
        if role in OUTSIDE
        for secret in world.secrets
        if secret and secret in answer.text
    ]
    assert leaks == []


def test_a_refusal_does_not_tell_whether_the_thing_exists(world: World, seen: Seen) -> None:
    """No refused page, whoever asked, names the organisation, the project or a person's telephone."""
    names = [worlds.OURS, worlds.THEIRS, world.objects["organisation"].name, world.objects["organisation"].phone]
    told = [
        (label, role, name)
        for (label, role), answer in seen.items()
        if answer.status_code == 404 and not opens(answer)
        for name in names
        if name in answer.text.partition("</header>")[2]
    ]
    assert told == []


def test_zz_every_address_is_reached_in_some_world() -> None:
    """A page that no world knows an object for is a page that this matrix does not guard: say in OBJECTS what its parameters mean."""
    said = declared()
    assert addresses.names() - set(said) - set(addresses.UNREACHED) == set()
