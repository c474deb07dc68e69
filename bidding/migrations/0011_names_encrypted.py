"""What an application says, handed in or not, and who is in its team are encrypted."""

import grants.vault.columns
from django.db import migrations

from grants.vault.migrating import sealed


class Migration(migrations.Migration):

    dependencies = [
        ('bidding', '0010_kept_copies_until'),
    ]

    operations = [
        migrations.AlterField(
            model_name='bid',
            name='answers',
            field=grants.vault.columns.SecretJSON(blank=True, default=dict),
        ),
        migrations.AlterField(
            model_name='bid',
            name='typed',
            field=grants.vault.columns.SecretJSON(blank=True, default=dict, editable=False),
        ),
        migrations.AlterField(
            model_name='bidversion',
            name='document',
            field=grants.vault.columns.Secret(),
        ),
        migrations.AlterField(
            model_name='teammember',
            name='licence_no',
            field=grants.vault.columns.Secret(blank=True, max_length=60, verbose_name='证书编号'),
        ),
        migrations.AlterField(
            model_name='teammember',
            name='name',
            field=grants.vault.columns.Secret(max_length=60, verbose_name='姓名'),
        ),
        sealed("bidding", "Bid", "answers", "typed"),
        sealed("bidding", "BidVersion", "document"),
        sealed("bidding", "TeamMember", "name", "licence_no"),
    ]
