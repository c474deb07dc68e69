"""隐名评审: where the rules hide who bids, a reviewer's rows carry no bidder at all, so no page, file, search or sentence can show one.

The selector `review.queue.own` gives out reviews through `Reviews.as_reviewer()`; each row of a panel that hides identities comes with a bid
whose organisation, sponsor and frozen document have been replaced by ones without them. What an applicant wrote into an answer about itself
(its names, codes, numbers, people) is blackened. Of attachments only redacted copies remain. Nothing here is ever saved.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from grants.people.models import Organisation

if TYPE_CHECKING:
    from bidding.models import Bid, BidVersion
    from review.models import Review

BLACK, SAID = "■■■", "_words_of_the_bidder"
SHORTEST = 2
"""Characters of a name that is looked for in answers; one character would blacken half of every text."""
HIDDEN_IN = {"locked": ("forming", "scoring"), "concluded": ("forming", "scoring", "scored")}
"""`Panel.hides_until` → states of the panel in which its members do not learn who bids."""
STEMS = re.compile(r"(社会工作服务中心|社工服务中心|服务中心|有限公司|基金会|促进会|协会|中心)$")


class Reviews(QuerySet["Review"]):
    """Reviews that may be given out as a reviewer sees them."""

    _reviewer = False

    def as_reviewer(self) -> Reviews:
        """The same rows without the bidder where the panel hides it."""
        rows = self.select_related("panel", "bid__organisation", "bid__sponsor")
        rows._reviewer = True
        return rows

    def _clone(self) -> Reviews:
        copy: Reviews = super()._clone()  # type: ignore[misc]
        copy._reviewer = self._reviewer
        return copy

    def _fetch_all(self) -> None:
        fresh = self._result_cache is None
        super()._fetch_all()  # type: ignore[misc]
        if fresh and self._reviewer:
            for row in self._result_cache or ():
                if hasattr(row, "panel_id"):
                    blind(row)


def hides(panel: Any) -> bool:
    """Whether members of this panel do not learn who bids now."""
    return panel.state in HIDDEN_IN.get(panel.hides_until, ())


def hidden() -> Q:
    """`hides` as a question to the database about rows that belong to a panel."""
    return reduce(or_, (Q(panel__hides_until=until, panel__state__in=states) for until, states in HIDDEN_IN.items()))


def hidden_from(actor: Any, panel: Any) -> bool:
    """Whether this person scores in this panel and must not learn who bids now."""
    user = getattr(actor, "pk", None)
    return hides(panel) and user is not None and panel.members.filter(expert__user_id=user).exists()


def scores_blindly(actor: Any) -> bool:
    """Whether this person sits in any panel that hides bidders now."""
    from review.models import PanelMember  # noqa: PLC0415 - models use this module's queryset

    user: Any = getattr(actor, "pk", None)
    return PanelMember.objects.filter(hidden(), expert__user_id=user).exists()


def blind(review: Review) -> Review:
    """Take the bidder out of this row, where its panel hides it."""
    if hides(review.panel):
        anonymous(review.bid)
    return review


def anonymous(bid: Bid) -> Bid:
    """The bid without its bidder: to be shown, never to be saved."""
    if SAID in bid.__dict__:
        return bid
    said = [word for body in (bid.organisation, bid.sponsor) if body is not None for word in _known(body)]
    bid.organisation = Organisation(name=str(_("申报单位（评审期间不公开）")))
    bid.sponsor = None
    bid.title = blackened(bid.title, said)
    bid.__dict__[SAID] = said
    return bid


def frozen(bid: Bid, version: BidVersion | None) -> dict[str, Any]:
    """A frozen version of this bid as its row may show it; {} before anything was submitted."""
    content = {} if version is None else version.content
    return content if SAID not in bid.__dict__ else without_bidder(content, bid.__dict__[SAID])


def without_bidder(content: Mapping[str, Any], said: Iterable[str]) -> dict[str, Any]:
    """A frozen document without organisation, sponsor, people, signed declarations and plain attachments; answers blackened."""
    bodies = [content.get(name) or {} for name in ("organisation", "sponsor")]
    names = [*said, *(str(b.get(key) or "") for b in bodies for key in ("name", "uscc", "record_no"))]
    names += [m.get("name", "") for m in content.get("team", ())]
    kept = {key: value for key, value in content.items() if key not in ("organisation", "sponsor", "declarations", "bid")}
    shown = {key: blackened(value, names) for key, value in kept.items() if key not in ("team", "attachments", "kpis", "budget")}
    shown["budget"], shown["kpis"] = blackened(content.get("budget", {}), names), blackened(content.get("kpis", []), names)
    shown["team"] = [
        {**m, "name": "■", "qualification": blackened(m.get("qualification", ""), names)} for m in content.get("team", ())
    ]
    copies = [a for a in content.get("attachments", ()) if a.get("redacts") and "added_by" in a]
    shown["attachments"] = [{**a, "name": a["title"], "added_by": ""} for a in copies]  # file names are the applicant's own words
    return shown


def blackened(value: Any, said: Iterable[str]) -> Any:
    """A value with every word that names the bidder blacked out, at whatever depth."""
    words = sorted({w for w in said if len(w) >= SHORTEST}, key=len, reverse=True)
    if not words:
        return value
    return _black(value, re.compile("|".join(map(_loosely, words)), re.IGNORECASE))


def _loosely(word: str) -> str:
    """A word, also when written with blanks or hyphens between its characters, as telephone numbers are."""
    return r"[\s\-]?".join(re.escape(character) for character in word if not character.isspace() and character != "-")


def _black(value: Any, pattern: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return pattern.sub(BLACK, value)
    if isinstance(value, Mapping):
        return {key: _black(inner, pattern) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_black(inner, pattern) for inner in value]
    return value


def _known(body: Organisation) -> list[str]:
    """Every text by which a body is known: columns of the register, and its name without the legal form."""
    found = [str(getattr(body, name) or "") for name in TELLING]
    stem = STEMS.sub("", body.name)
    return [text for text in [*found, stem] if len(text) >= SHORTEST]


TELLING = ("name", "uscc", "record_no", "legal_representative", "phone", "address", "account_number")
