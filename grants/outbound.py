"""What this site sends to other machines over HTTP: to the address that the operator set and to no other.

A redirect is refused instead of followed: whoever answers at that address must not choose where our request goes next, into this house's own network
least of all. Sign-in from elsewhere asks by allauth's session, which refuses in the same way (`grants.people.elsewhere`).
"""

from __future__ import annotations

import urllib.request
from dataclasses import dataclass
from http.client import HTTPMessage
from typing import IO

from django.utils.translation import gettext as _


class Redirected(OSError):
    """The address answers with another address; the sentence names both and the way out."""


@dataclass(frozen=True)
class Answer:
    """kind: the media type, without its parameters."""

    body: bytes
    kind: str


def post(url: str, body: bytes, *, headers: dict[str, str], seconds: float, largest: int) -> Answer:
    """One POST, at most `largest` bytes of its answer. Raises OSError: no answer, an error answer, or a redirect (Redirected)."""
    if not url.startswith(("http://", "https://")):
        raise OSError(_("%(url)s 不是 http:// 或 https:// 地址。") % {"url": url})
    asked = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310 - scheme checked
    with urllib.request.build_opener(_Straight).open(asked, timeout=seconds) as answer:
        return Answer(bytes(answer.read(largest)), answer.headers.get_content_type())


class _Straight(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        sentence = _("%(url)s 要求转到 %(there)s，没有跟随。请核对后把设置改成最终的地址。")
        raise Redirected(sentence % {"url": req.full_url, "there": newurl})
