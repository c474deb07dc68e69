"""Telephones and account numbers are encrypted; what applicants are compared by is a keyed hash."""

from typing import Any

from django.db import migrations

from grants.people.identity import folded
from grants.vault.columns import Secret, mark
from grants.vault.migrating import sealed

COMPARED = {"same_account": "account_number", "same_phone": "phone", "same_person": "legal_representative", "same_address": "address"}


def hashed(row: Any) -> dict[str, Any]:
    return {
        column: mark(folded(getattr(row, source), digits=source in ("account_number", "phone")), source) for column, source in COMPARED.items()
    }


class Migration(migrations.Migration):

    dependencies = [("people", "0007_compared_particulars")]

    operations = [
        migrations.AlterField("organisation", "account_number", Secret(blank=True, max_length=40, verbose_name="银行账号")),
        migrations.AlterField("organisation", "phone", Secret(max_length=30, verbose_name="联系电话")),
        migrations.AlterField("user", "phone", Secret(blank=True, max_length=20, verbose_name="手机")),
        sealed("people", "User", "phone"),
        sealed("people", "Organisation", "phone", "account_number", then=hashed),
    ]
