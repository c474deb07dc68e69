import grants.vault.columns
from grants.vault.migrating import sealed
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('funding', '0003_payment_attempts'),
    ]

    operations = [
        migrations.AlterField(
            model_name='paymentorder',
            name='payee_account',
            field=grants.vault.columns.Secret(max_length=40),
        ),
        sealed("funding", "PaymentOrder", "payee_account"),
    ]
