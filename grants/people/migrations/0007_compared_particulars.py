"""The particulars by which applicants are compared, kept as they are compared and indexed."""

from typing import Any

from django.db import migrations, models

from grants.people.identity import folded

COMPARED = {"same_account": "account_number", "same_phone": "phone", "same_person": "legal_representative", "same_address": "address"}


def fill(apps: Any, editor: Any) -> None:
    organisations = apps.get_model("people", "Organisation")
    for row in organisations.objects.using(editor.connection.alias).iterator(chunk_size=500):
        for column, source in COMPARED.items():
            setattr(row, column, folded(getattr(row, source), digits=source in ("account_number", "phone")))
        row.save(update_fields=list(COMPARED))


class Migration(migrations.Migration):

    dependencies = [("people", "0006_security_log_pruned")]

    operations = [
        *(
            migrations.AddField("organisation", column, models.CharField(db_index=True, default="", editable=False, max_length=200))
            for column in COMPARED
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
