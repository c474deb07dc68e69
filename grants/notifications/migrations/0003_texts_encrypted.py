"""Letters are encrypted: they name people and say what became of them."""

import grants.vault.columns
from django.db import migrations

from grants.vault.migrating import sealed


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0002_wishes_words_calendar'),
    ]

    operations = [
        migrations.AlterField(
            model_name='message',
            name='body',
            field=grants.vault.columns.Secret(verbose_name='正文'),
        ),
        migrations.AlterField(
            model_name='message',
            name='subject',
            field=grants.vault.columns.Secret(max_length=150, verbose_name='标题'),
        ),
        sealed("notifications", "Message", "subject", "body"),
    ]
