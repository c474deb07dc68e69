"""What a report answers and what the evaluator writes of it are encrypted: both name people."""

import grants.vault.columns
from django.db import migrations

from grants.vault.migrating import sealed


class Migration(migrations.Migration):

    dependencies = [
        ('evaluation', '0002_report_answers_have_versions'),
    ]

    operations = [
        migrations.AlterField(
            model_name='evaluation',
            name='answers',
            field=grants.vault.columns.SecretJSON(blank=True, default=dict),
        ),
        migrations.AlterField(
            model_name='evaluation',
            name='comment',
            field=grants.vault.columns.Secret(blank=True),
        ),
        sealed("evaluation", "Evaluation", "answers", "comment"),
    ]
