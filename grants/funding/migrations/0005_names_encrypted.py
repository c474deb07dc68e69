"""Who joins and who leaves a project is encrypted."""

import grants.vault.columns
from django.db import migrations

from grants.vault.migrating import sealed


class Migration(migrations.Migration):

    dependencies = [
        ('funding', '0004_encrypted_columns'),
    ]

    operations = [
        migrations.AlterField(
            model_name='changerequest',
            name='people',
            field=grants.vault.columns.Secret(blank=True, verbose_name='人员变更'),
        ),
        sealed("funding", "ChangeRequest", "people"),
    ]
