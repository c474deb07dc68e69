"""The rule for passwords: ten characters of three kinds, or a sentence of sixteen.

等保 2.0 asks for complexity; NIST SP 800-63B says that length protects and forced kinds make people write them down. Both doors
are open: whoever is assessed for 等保 shows the first, whoever thinks of a sentence needs no special characters. Common passwords
and ones like the person's own name are refused in either case (settings.AUTH_PASSWORD_VALIDATORS). No forced change after 90 days.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LEAST, KINDS, SENTENCE = 10, 3, 16


def kinds_of(password: str) -> int:
    """How many of: lower case, upper case, digit, anything else (Chinese characters count as anything else)."""
    lower = any("a" <= c <= "z" for c in password)
    upper = any("A" <= c <= "Z" for c in password)
    digit = any("0" <= c <= "9" for c in password)
    return lower + upper + digit + any(not (c.isascii() and c.isalnum()) for c in password)


class KindsOrLength:
    """A validator for AUTH_PASSWORD_VALIDATORS."""

    def validate(self, password: str, user: Any = None) -> None:
        if len(password) >= SENTENCE and len(set(password)) >= LEAST - 2:
            return
        if kinds_of(password) < KINDS:
            raise ValidationError(self.get_help_text(), code="password_kinds")

    def get_help_text(self) -> str:
        return _("密码至少 10 位，含大写字母、小写字母、数字、其他字符中的三种；或者用一句至少 16 个字的话。")
