"""Who objects and why, and what a contract says about people, are encrypted."""

import grants.vault.columns
from django.db import migrations

from grants.vault.migrating import sealed


class Migration(migrations.Migration):

    dependencies = [
        ('awards', '0007_provable_until'),
    ]

    operations = [
        migrations.AlterField(
            model_name='contract',
            name='data',
            field=grants.vault.columns.SecretJSON(default=dict),
        ),
        migrations.AlterField(
            model_name='objection',
            name='facts',
            field=grants.vault.columns.Secret(verbose_name='事实和理由'),
        ),
        migrations.AlterField(
            model_name='objection',
            name='objector_contact',
            field=grants.vault.columns.Secret(blank=True, max_length=100, verbose_name='联系方式'),
        ),
        migrations.AlterField(
            model_name='objection',
            name='objector_name',
            field=grants.vault.columns.Secret(blank=True, max_length=100, verbose_name='姓名/单位名称'),
        ),
        sealed("awards", "Contract", "data"),
        sealed("awards", "Objection", "objector_name", "objector_contact", "facts"),
    ]
