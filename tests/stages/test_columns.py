"""Encrypted columns: a copy of the database tells no telephone and no account number, and nothing is searched for in vain."""

from __future__ import annotations

import base64
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import FieldError
from django.db import connection
from django.db.migrations import RunPython
from django.test import Client, override_settings
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from grants.funding.models import PaymentOrder
from grants.people import services
from grants.people.models import Organisation, User
from grants.vault import CannotOpen, KeyMissing
from grants.vault.columns import PREFIX, Secret, decrypt, encrypt, mark
from tests.world import awards, funding, people

pytestmark = pytest.mark.django_db

OLD, NEW = (base64.urlsafe_b64encode(bytes([n]) * 32).decode() for n in (1, 2))


def stored(model: Any, column: str, pk: Any) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"select {column} from {model._meta.db_table} where id = %s", [model._meta.pk.get_db_prep_value(pk, connection)])
        return str(cursor.fetchone()[0])


@given(st.text(max_size=60).filter(lambda text: "\0" not in text))
def test_any_text_comes_back_and_is_stored_differently_each_time(text: str) -> None:
    first, second = encrypt(text, "a"), encrypt(text, "a")
    assert decrypt(first, "a") == decrypt(second, "a") == text
    assert (first == second) is (text == "")


def test_lengths_say_nothing() -> None:
    assert len({len(encrypt("1" * n, "a")) for n in range(1, 33)}) == 1


def test_a_value_that_was_altered_or_moved_to_another_column_is_refused() -> None:
    sealed = encrypt("13800138000", "people_user.phone")
    raw = bytearray(base64.b64decode(sealed[len(PREFIX) :]))
    raw[-1] ^= 1
    for broken, about in (
        (PREFIX + base64.b64encode(bytes(raw)).decode(), "people_user.phone"), (sealed, "people_organisation.phone"), (PREFIX + "???", "people_user.phone"),
    ):  # fmt: skip
        with pytest.raises(CannotOpen):
            decrypt(broken, about)


def test_what_was_written_before_the_column_was_encrypted_is_still_read() -> None:
    assert decrypt("13800138000", "a") == "13800138000"


def test_a_new_master_key_above_the_old_one_reads_everything_and_changes_no_mark() -> None:
    with override_settings(VAULT_KEY=OLD):
        sealed, before = encrypt("6217000010001234567", "a"), mark("6217000010001234567", "account")
    with override_settings(VAULT_KEY=f"{NEW},{OLD}"):
        assert decrypt(sealed, "a") == "6217000010001234567"
        assert encrypt("1", "a")[:12] != sealed[:12]
        assert mark("6217000010001234567", "account") == before
    with override_settings(VAULT_KEY=NEW), pytest.raises(CannotOpen):
        decrypt(sealed, "a")
    with override_settings(VAULT_KEY="x"), pytest.raises(KeyMissing):
        encrypt("1", "a")


def test_marks_of_another_meaning_or_another_key_never_match() -> None:
    with override_settings(VAULT_KEY=OLD):
        one, other = mark("1", "account"), mark("1", "phone")
    with override_settings(VAULT_KEY=NEW):
        assert len({one, other, mark("1", "account")}) == 3
    assert mark("", "account") == ""


def test_the_database_holds_no_number_of_a_paid_organisation() -> None:
    """Account and telephone of the organisation, of its people, and of the payment order: all in rows that were really written."""
    project = funding.begun(awards.rules(), amounts=("90000.00",))[0]
    funding.paid(project, 1)
    order = PaymentOrder.objects.get()
    body = project.award.payee
    User.objects.filter(pk=project.claimant.pk).update(phone="13800138000")
    assert order.payee_account == body.account_number
    assert body.account_number.isdigit()
    assert User.objects.get(pk=project.claimant.pk).phone == "13800138000"
    for model, column, pk, plain in (
        (PaymentOrder, "payee_account", order.pk, body.account_number), (Organisation, "account_number", body.pk, body.account_number),
        (Organisation, "phone", body.pk, body.phone), (User, "phone", project.claimant.pk, "13800138000"),
    ):  # fmt: skip
        found = stored(model, column, pk)
        assert found.startswith(PREFIX)
        assert plain not in found


@pytest.mark.parametrize("asked", [{"phone": "1"}, {"phone__contains": "1"}, {"phone__in": ["1"]}, {"phone__gt": ""}, {"phone__lower": "1"}])
def test_a_search_that_could_find_nothing_is_refused_instead(asked: dict[str, Any]) -> None:
    with pytest.raises(FieldError):
        list(Organisation.objects.filter(**asked))


def test_whether_there_is_a_value_may_be_asked() -> None:
    desk = people.office()
    body = people.body(desk).organisation
    assert Organisation.objects.exclude(account_number="").filter(pk=body.pk).exists()
    assert not Organisation.objects.filter(account_number="", pk=body.pk).exists()


def test_a_text_that_is_too_long_is_refused_before_it_is_stored() -> None:
    field = User._meta.get_field("phone")
    assert isinstance(field, Secret)
    with pytest.raises(Exception, match="20"):
        field.clean("1" * 21, None)


def test_finance_is_told_that_another_organisation_gave_the_same_account() -> None:
    """However it was typed; the organisation itself and the auditor are told nothing of another's account."""
    desk = people.office()
    first, second = people.body(desk), people.body(desk)
    services.set_account(first.organisation, bank="工商银行", number="6222000011117777", by=first.signatory)
    services.set_account(second.organisation, bank="建设银行", number="6222 0000 1111-7777", by=second.signatory)
    alone = people.body(desk, name="望湖区独一无二社工站").organisation
    services.set_account(alone, bank="建设银行", number="6222000011118888", by=User.objects.get(pk=alone.account_set_by_id))
    assert list(fresh(second.organisation).sharing_account) == [first.organisation]
    assert not fresh(alone).sharing_account.exists()
    page = reverse("desk:object", args=["organisation", second.organisation.pk])
    for user, told in ((desk.finance, True), (second.signatory, False), (desk.auditor, False)):
        client = Client()
        client.force_login(user)
        assert (f"同一账号还登记在：{first.organisation.name}" in client.get(page).content.decode()) is told



def fresh(body: Organisation) -> Organisation:
    return Organisation.objects.get(pk=body.pk)


def put(model: Any, column: str, pk: Any, text: str) -> None:
    """What somebody with the database at hand writes, past the program."""
    with connection.cursor() as cursor:
        cursor.execute(f"update {model._meta.db_table} set {column} = %s where id = %s", [text, model._meta.pk.get_db_prep_value(pk, connection)])


def test_a_value_moved_between_columns_of_the_database_is_not_read_as_anothers() -> None:
    """A telephone put where an account number stands would otherwise be paid to."""
    body = people.body(people.office()).organisation
    put(Organisation, "account_number", body.pk, stored(Organisation, "phone", body.pk))
    with pytest.raises(CannotOpen):
        fresh(body)


def test_the_migration_encrypts_what_stood_in_the_clear_and_sets_the_keyed_hashes() -> None:
    body = people.body(people.office()).organisation
    put(Organisation, "account_number", body.pk, "6222000011112222")
    put(Organisation, "same_account", body.pk, "6222000011112222")
    step = import_module("grants.people.migrations.0008_encrypted_columns")
    for each in step.Migration.operations:
        if isinstance(each, RunPython):
            each.code(apps, None)
    assert stored(Organisation, "account_number", body.pk).startswith(PREFIX)
    assert fresh(body).account_number == "6222000011112222"
    assert stored(Organisation, "same_account", body.pk) == mark("6222000011112222", "account_number")
