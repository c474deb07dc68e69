"""Autosave: what an expert types is kept as it stands, version by version; nothing of it counts before it is saved as marks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from grants.people.models import User
from grants.workflow.door import require
from grants.workflow.refusals import Invalid, NotNow
from review import sealing
from review.ballot_rules import the_expert
from review.ballots import criteria_for, latest_draft, on_paper, seat_of
from review.merging import Merged, merge
from review.models import Draft, Review

LONGEST = 4000
"""Characters of one field. The sheet itself allows fewer and says so; what was pasted is kept until the expert shortens it."""
KEEP = 60
"""Versions kept of one sheet, besides those that set a text aside."""


@dataclass(frozen=True)
class Kept:
    """number: the version now. content: what it says. clashes: field → text of the other window, where both changed it."""

    number: int
    content: dict[str, str]
    clashes: dict[str, str]


def keep_draft(review: Review, typed: Mapping[str, str], *, base: int | None, by: User) -> Kept:
    """Keep what was typed (field → text; fields of `Draft`) on top of version `base`; None: whatever stands is overwritten.

    Raises NotYou (not the expert), NotNow (the ballot is not open), Invalid (a field longer than LONGEST).
    """
    with transaction.atomic():
        held = Review.objects.select_for_update(of=("self",)).select_related(*Review.door_select).get(pk=review.pk)
        require(the_expert, held, by=by)
        if held.state != "accepted" or held.panel.state != "scoring":
            raise NotNow(_("这份评分现在不能修改，输入的内容没有保存到服务器。"), rule="review_accepted")
        mine = _fields(held, typed)
        return _keep(held, mine, base)


def _fields(review: Review, typed: Mapping[str, str]) -> dict[str, str]:
    """The fields that belong to this sheet, others are dropped."""
    codes = [c.code for c in criteria_for(review.panel.rules, review.bid, seat_of(review))]
    own = {f"{kind}_{code}" for code in codes for kind in ("mark", "comment", "panel")} | {"note"}
    found = {field: str(text).replace("\r\n", "\n").strip() for field, text in typed.items() if field in own}
    if long := [field for field, text in found.items() if len(text) > LONGEST]:
        sentence = _("每一栏最多 %(n)d 字，请缩短后再保存。") % {"n": LONGEST}
        raise Invalid(sentence, rule="draft_length", problems={field: [sentence] for field in long})
    return found


def _keep(review: Review, mine: dict[str, str], base: int | None) -> Kept:
    last = latest_draft(review)
    number, stands = (0, sheet_of(review)) if last is None else (last.number, last.content)
    before = stands if base is None or base == number else _version(review, base)
    merged = merge(before, mine, stands)
    if merged.content != stands or merged.clashes or last is None:
        number = _write(review, number + 1, merged, mine)
    return Kept(number, merged.content, merged.clashes)


def _version(review: Review, number: int) -> dict[str, str]:
    found = review.drafts.filter(number=number).first()
    return dict(found.content) if found else {}


def _write(review: Review, number: int, merged: Merged, mine: Mapping[str, str]) -> int:
    aside = {field: mine[field] for field in merged.clashes}
    sealing.keep_draft(review, number, merged.content, aside)
    Draft.objects.filter(review=review, number__lte=number - KEEP, kept_aside=False).delete()
    return number


def sheet_of(review: Review) -> dict[str, str]:
    """What the sheet shows: the newest draft, or the marks where nothing was drafted."""
    draft = latest_draft(review)
    return dict(draft.content) if draft is not None else on_paper(review.held())


def follow(review: Review, fields: Mapping[str, str]) -> None:
    """Marks were saved elsewhere (grid, workbook): the draft follows, so that no page shows an older state."""
    last = latest_draft(review)
    if last is not None:
        content = {field: text for field, text in {**last.content, **fields}.items() if text != ""}
        if content != last.content:
            sealing.keep_draft(review, last.number + 1, content)
