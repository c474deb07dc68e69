import grants.vault.columns
from grants.vault.migrating import sealed
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('calls', '0004_downtime'),
    ]

    operations = [
        migrations.AlterField(
            model_name='need',
            name='contact',
            field=grants.vault.columns.Secret(blank=True, max_length=100, verbose_name='联系方式'),
        ),
        migrations.AlterField(
            model_name='need',
            name='proposer_name',
            field=grants.vault.columns.Secret(blank=True, max_length=60, verbose_name='姓名'),
        ),
        sealed("calls", "Need", "proposer_name", "contact"),
    ]
