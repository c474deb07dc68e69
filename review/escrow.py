"""密封副本: a party's secret kept for the case that they do not reveal it. Encrypted with a key that is not in the database.

The key comes from SECRET_KEY (older ones, SECRET_KEY_FALLBACKS, still open): a stolen copy of the database opens nothing. Whoever runs the
server could open the copies before the hour; that alone gains nothing, because the public beacon falls after the commitments are
closed (docs/adr/0017). A party who does not trust even that leaves a paper envelope instead.
"""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.translation import gettext as _

from grants.workflow.refusals import NotNow


def sealed(secret: str) -> str:
    """The encrypted copy."""
    return _box().encrypt(secret.encode()).decode()


def opened(copy: str) -> str:
    """The secret in a copy. Raises NotNow when there is none or the key has been changed."""
    try:
        return _box().decrypt(copy.encode()).decode()
    except InvalidToken as wrong:
        raise NotNow(_("系统里没有可以打开的密封副本，请打开纸质信封，把其中的数填入。"), rule="escrow_opens") from wrong


def _box() -> MultiFernet:
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    keys = [base64.urlsafe_b64encode(hashlib.sha256(b"gongchuang draw escrow " + s.encode()).digest()) for s in secrets]
    return MultiFernet([Fernet(key) for key in keys])
