"""Who is asked to step aside and why, and what is known of an expert's ties, are encrypted."""

import grants.vault.columns
from django.db import migrations

from grants.vault.migrating import sealed


class Migration(migrations.Migration):

    dependencies = [
        ('review', '0013_namesakes'),
    ]

    operations = [
        migrations.AlterField(
            model_name='challenge',
            name='employer',
            field=grants.vault.columns.Secret(blank=True, max_length=100, verbose_name='工作单位'),
        ),
        migrations.AlterField(
            model_name='challenge',
            name='name',
            field=grants.vault.columns.Secret(max_length=40, verbose_name='专家姓名'),
        ),
        migrations.AlterField(
            model_name='challenge',
            name='reason',
            field=grants.vault.columns.Secret(max_length=2000, verbose_name='理由和证据'),
        ),
        migrations.AlterField(
            model_name='relation',
            name='evidence',
            field=grants.vault.columns.Secret(blank=True, max_length=300, verbose_name='依据'),
        ),
        sealed("review", "Challenge", "name", "employer", "reason"),
        sealed("review", "Relation", "evidence"),
    ]
