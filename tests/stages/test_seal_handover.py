"""A ceremony on a machine without a network is handed to the site as one file; what does not fit is refused and nothing is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from bidding.models import OfficerKey, SealKey
from bidding.sealing import ceremony, handover
from bidding.sealing.keys import Officer, generate_pair
from bidding.services import ceremonies
from grants import clock
from grants.calls import services as call_services
from grants.calls.models import Call
from grants.workflow.refusals import Invalid, NotYou
from tests.world import calls, people
from tests.world import sealing as world
from tests.world.people import Office
from tests.world.sealing import Sealed

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Office:
    return people.office()


@pytest.fixture
def call(desk: Office) -> Call:
    return calls.published(desk, world.rules())


def offline(tmp_path: Path, code: str, officers: list[world.Custodian]) -> bytes:
    """What the dealer brings back: the real command in a folder of its own."""
    named = [f"{o.name}={OfficerKey.objects.get(user=o.user, retired_at=None).recipient}" for o in officers]
    call_command("seal", "ceremony", str(tmp_path / "KEYS"), "--call", code, *(word for one in named for word in ("--officer", one)))
    return (tmp_path / "KEYS" / handover.NAME).read_bytes()


def upload(desk: Office, call: Call, content: bytes) -> Any:
    client = Client()
    client.force_login(desk.officer)
    file = SimpleUploadedFile("hand-over.json", content, content_type="application/json")
    with clock.at(calls.BEFORE):
        return client.post(reverse("bidding:seal", args=[call.pk]), {"offline": "1", "file": file})


def test_a_key_made_offline_is_taken_rehearsed_and_opens_bids(desk: Office, call: Call, tmp_path: Path) -> None:
    officers = world.three(desk)
    answer = upload(desk, call, offline(tmp_path, call.code, officers))
    assert answer.status_code == 302
    found = Sealed(desk, call, officers, SealKey.objects.get())
    assert [row.name for row in found.key.officers.all()] == [o.name for o in officers]
    with clock.at(calls.BEFORE):
        assert found.rehearse_all().state == "ready"
    assert call.opens_at is not None
    with clock.at(call.opens_at):
        call_services.tick()
    found.call = calls.fresh(call)
    bid, _kept = world.handed_in(found, people.body(desk))
    with clock.at(after_closing(found)):
        call_services.tick()
        found.open()
    bid.refresh_from_db()
    assert bid.title == "银龄守望"


def after_closing(found: Sealed) -> Any:
    assert found.call.closes_at is not None
    return found.call.closes_at + timedelta(seconds=settings.SUBMISSION_DRAIN + 1)


def test_the_page_shows_the_whole_command_with_the_registered_keys(desk: Office, call: Call) -> None:
    world.three(desk)
    client = Client()
    client.force_login(desk.officer)
    with clock.at(calls.BEFORE):
        page = client.get(reverse("bidding:seal", args=[call.pk])).content.decode()
    assert f"seal ceremony KEYS --call {call.code}" in page
    assert all(key.recipient in page for key in OfficerKey.objects.all())


def spoiled(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    def apply(content: bytes) -> bytes:
        told = json.loads(content)
        change(told)
        return json.dumps(told).encode()

    return apply


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda content: content[:-40], "格式无法识别"),
        (lambda _content: b"\x00\xff not JSON", "格式无法识别"),
        (lambda _content: b"[]", "格式无法识别"),
        (lambda _content: b"x" * (handover.MOST + 1), "文件过大"),
        (spoiled(lambda told: told.update(format="other/1")), "格式无法识别"),
        (spoiled(lambda told: told["shares"].pop()), "已损坏"),
        (spoiled(lambda told: told["shares"][0].update(blob=told["shares"][1]["blob"])), "已损坏"),
        (spoiled(lambda told: told.update(test=told["shares"][0]["blob"])), "已损坏"),
        (spoiled(lambda told: told["record"].update(note="one word more")), "已损坏"),
        (spoiled(lambda told: told["record"].update(threshold=3)), "密钥分份不完整"),
    ],
    ids=["cut", "noise", "list", "large", "format", "share-lost", "share-swapped", "test-swapped", "record-extended", "threshold"],
)
def test_a_file_that_is_not_what_the_command_wrote_is_refused(desk: Office, call: Call, tmp_path: Path, change: Any, says: str) -> None:
    answer = upload(desk, call, change(offline(tmp_path, call.code, world.three(desk))))
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not SealKey.objects.exists()


def test_another_calls_key_is_refused_by_name(desk: Office, call: Call, tmp_path: Path) -> None:
    answer = upload(desk, call, offline(tmp_path, "YX-1999-09", world.three(desk)))
    assert answer.status_code == 422
    assert "YX-1999-09" in answer.content.decode()
    assert not SealKey.objects.exists()


def test_an_officer_whose_public_key_is_not_registered_is_named_with_the_way_out(desk: Office, call: Call, tmp_path: Path) -> None:
    """Also when the officer has registered another key since."""
    officers = world.three(desk)
    content = offline(tmp_path, call.code, officers)
    world.custodian(officers[2].user, officers[2].name)
    answer = upload(desk, call, content)
    assert answer.status_code == 422
    assert "社区在离线制作时用的公钥没有在系统登记" in answer.content.decode()
    assert not SealKey.objects.exists()


def test_only_who_may_draft_calls_hands_a_key_over(desk: Office, call: Call, tmp_path: Path) -> None:
    content = offline(tmp_path, call.code, world.three(desk))
    with clock.at(calls.BEFORE), pytest.raises(NotYou):
        ceremonies.take_over(call, content, by=desk.finance)
    with clock.at(calls.BEFORE), pytest.raises(Invalid):
        ceremonies.take_over(call, b"{}", by=desk.officer)
    assert not SealKey.objects.exists()


def test_no_secret_is_in_the_file_and_what_was_handed_is_what_is_taken() -> None:
    pairs = [generate_pair() for _ in range(3)]
    officers = [Officer(name, pair[0]) for name, pair in zip(world.OFFICES, pairs, strict=True)]
    key = ceremony.make_call_key("YX-1", officers, 2)
    content = handover.handed(key)
    assert b"AGE-SECRET-KEY" not in content
    assert handover.taken(content) == key


def test_a_second_key_is_not_taken_while_one_is_in_use(desk: Office, call: Call, tmp_path: Path) -> None:
    content = offline(tmp_path, call.code, world.three(desk))
    assert upload(desk, call, content).status_code == 302
    upload(desk, call, content)
    assert SealKey.objects.count() == 1
