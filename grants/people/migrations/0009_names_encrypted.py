"""Legal representatives and addresses are encrypted; what applicants are compared by has been a keyed hash since 0008."""

import grants.vault.columns
from django.db import migrations

from grants.vault.migrating import sealed


class Migration(migrations.Migration):

    dependencies = [
        ('people', '0008_encrypted_columns'),
    ]

    operations = [
        migrations.AlterField(
            model_name='organisation',
            name='address',
            field=grants.vault.columns.Secret(max_length=200, verbose_name='地址'),
        ),
        migrations.AlterField(
            model_name='organisation',
            name='legal_representative',
            field=grants.vault.columns.Secret(max_length=60, verbose_name='法定代表人/负责人'),
        ),
        sealed("people", "Organisation", "legal_representative", "address"),
    ]
