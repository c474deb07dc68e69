"""The rule for passwords: ten characters of three kinds, or a sentence of sixteen.

等保 2.0 asks for complexity; NIST SP 800-63B says that length protects and forced kinds make people write them down. Both doors
are open: whoever is assessed for 等保 shows the first, whoever thinks of a sentence needs no special characters. Common passwords
and ones like the person's own name are refused in either case (settings.AUTH_PASSWORD_VALIDATORS), and so are ones that are little more than
words of this site and its trade (OWN_WORDS, its name, its organiser). No forced change after 90 days.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LEAST, KINDS, SENTENCE = 10, 3, 16
OWN_WORDS = (
    "gongchuang", "gongyi", "chuangtou", "minzheng", "jiedao", "password", "passwd", "mima", "admin", "guanliyuan", "grants",
    "公创", "公益创投", "公益", "创投", "民政局", "民政", "街道", "密码", "管理员",
)  # fmt: skip
REST = 4
"""So many letters must be left of a password when the site's own words, digits and signs are taken out."""


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


class NotOurWords:
    """A validator: refuses what anybody guesses first here, such as Gongchuang-2026 or the organiser's name with a year."""

    def validate(self, password: str, user: Any = None) -> None:
        left = password.casefold()
        named = [word.casefold() for word in (settings.SITE_NAME, settings.SITE_AGENCY["organiser"]) if len(word) > 1]
        for word in sorted({*OWN_WORDS, *named}, key=len, reverse=True):
            left = left.replace(word, "")
        if left != password.casefold() and sum(c.isalpha() for c in left) < REST:
            raise ValidationError(self.get_help_text(), code="password_own_words")

    def get_help_text(self) -> str:
        return _("密码不能只由本平台名称、单位名称等容易猜到的词加数字组成。")
