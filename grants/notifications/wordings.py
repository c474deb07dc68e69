"""信件文字: the words of a letter, as they came or as this installation words them.

A worded text can say only what the original can: the same placeholders, the same conditions in the same order. It is checked when it is
saved, so that a letter never fails, or tells more than it should, because somebody edited it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template import Context, Engine, TemplateDoesNotExist, TemplateSyntaxError
from django.template.base import Lexer, TokenType
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from grants import clock
from grants.notifications.models import Wording

FOLDER = "mail"
LONGEST = 6_000
NOT_WORDED = frozenset({"digest"})
"""Letters that are put together rather than written."""


def names() -> list[str]:
    """Every letter that can be worded, e.g. "bidding/receipt"."""
    root = Path(settings.BASE_DIR) / "templates" / FOLDER
    found = (path.relative_to(root).with_suffix("").as_posix() for path in root.rglob("*.txt"))
    return sorted(name for name in found if name not in NOT_WORDED)


def original(template: str) -> str:
    """The text that came with the software. Raises LookupError for what is no letter."""
    if template not in names():
        raise LookupError(template)
    return (Path(settings.BASE_DIR) / "templates" / FOLDER / f"{template}.txt").read_text(encoding="utf-8")


def current(template: str) -> str:
    """The text in use."""
    words = worded(template)
    return words if words is not None else original(template)


def worded(template: str) -> str | None:
    """This installation's own text of a letter, or None. One query."""
    return Wording.objects.filter(template=template).values_list("text", flat=True).first()


def rendered(template: str, context: Mapping[str, Any], words: str | None) -> str:
    """The letter in `words`, or as it came. Raises TemplateDoesNotExist."""
    if words is None:
        return str(render_to_string(f"{FOLDER}/{template}.txt", dict(context)))
    return Engine.get_default().from_string(words).render(Context(dict(context), autoescape=False))


def placeholders(text: str) -> list[str]:
    """What a text puts in, each once, in order: "{{ bid.title }}"."""
    return list(dict.fromkeys(f"{{{{ {token.contents} }}}}" for token in _tokens(text, TokenType.VAR)))


def wrong_with(template: str, text: str) -> list[str]:
    """Why the text cannot replace the original, as sentences; empty when it can."""
    base = original(template)
    problems = []
    if len(text) > LONGEST:
        problems.append(_("最多 %(most)d 个字符。") % {"most": LONGEST})
    extra = [p for p in placeholders(text) if p not in placeholders(base)]
    problems += [_("%(what)s 不是这封信可以使用的内容；可以使用的列在下面。") % {"what": p} for p in extra]
    if _conditions(text) != _conditions(base):
        problems.append(_("请原样保留原文中所有百分号标记及其顺序，只修改它们之间的文字。"))
    if not problems:
        problems += _cannot_be_read(text)
    return problems


def subject_line(text: str) -> str:
    """The first line without its marks: 「…」已通过核验."""
    parts = [token.contents if token.token_type == TokenType.TEXT else "…" * (token.token_type == TokenType.VAR) for token in Lexer(text).tokenize()]
    return "".join(parts).strip().partition("\n")[0]


def _cannot_be_read(text: str) -> list[str]:
    try:
        Engine.get_default().from_string(text)
    except (TemplateSyntaxError, TemplateDoesNotExist) as wrong:
        return [_("这段文字读不通：%(why)s") % {"why": wrong}]
    subject, _blank, body = "".join(t.contents for t in Lexer(text).tokenize() if t.token_type == TokenType.TEXT).strip().partition("\n")
    return [] if subject.strip() and body.strip() else [_("第一行是标题，空一行之后是正文，两者都不能为空。")]


def _tokens(text: str, kind: TokenType) -> list[Any]:
    return [token for token in Lexer(text).tokenize() if token.token_type == kind]


def _conditions(text: str) -> list[str]:
    return [token.contents for token in _tokens(text, TokenType.BLOCK)]


def word(template: str, text: str, *, by: Any) -> Wording:
    """Use this text from now on. The caller has asked `wrong_with` and who may; letters already written stay as they are."""
    changed = {"text": text.strip() + "\n", "changed_by": by, "changed_at": clock.now()}
    return Wording.objects.update_or_create(template=template, defaults=changed)[0]


def restore(template: str) -> bool:
    """Go back to the text that came with the software; whether there was another."""
    return bool(Wording.objects.filter(template=template).delete()[0])
