"""Recovery codes: what was a seed from which they could be computed becomes hashes of those that were shown and not used. They go on working.

Backwards nothing is done: from hashes no code can be told, and the library then finds an empty list; whoever needs codes makes new ones.
"""

from typing import Any

from cryptography.fernet import InvalidToken
from django.db import migrations


def hashed(apps: Any, _editor: Any) -> None:
    from grants.people import codes

    for held in apps.get_model("mfa", "Authenticator").objects.filter(type="recovery_codes"):
        if "hashes" not in held.data:
            held.data = codes.hashed(held.user_id, _unused(held)) if held.data.get("viewed_at") else {"migrated_codes": []}
            held.save(update_fields=["data"])


def _unused(held: Any) -> list[str]:
    """Nothing where the key they were encrypted under is gone: they opened nothing before either."""
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

    try:
        return list(RecoveryCodes(held).get_unused_codes())
    except (InvalidToken, KeyError, ValueError):
        return []


class Migration(migrations.Migration):

    dependencies = [("people", "0010_erased_accounts"), ("mfa", "0003_authenticator_type_uniq")]

    operations = [migrations.RunPython(hashed, migrations.RunPython.noop)]
