"""The working copy of a bid, held for one act: locked, and only for who may write it while it may be written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NoReturn

from django.utils.translation import gettext as _

from bidding.models import Bid
from bidding.rules import working_copy_open, writer
from grants import clock
from grants.money import NotMoney, exact, fen, number
from grants.people.models import User
from grants.workflow.door import require
from grants.workflow.refusals import Invalid, NotNow
from grants.workflow.rules import Answer, Ask, Rule

Row = Mapping[str, Any]


def held_for(bid: Bid, by: User, *, open_while: Rule = working_copy_open) -> tuple[Bid, Answer]:
    """The locked row, once the actor may write it and the working copy is open. Raises NotYou, NotNow. Needs a transaction."""
    rows = Bid._base_manager.select_for_update(of=("self",)).select_related(*Bid.door_select, "call__rules_version")
    held = rows.get(pk=bid.pk)
    answer = require(writer, held, by=by)
    when = open_while.answer(Ask(by, held, clock.now()))
    if not when.ok:
        raise NotNow(when.sentence, rule=when.rule, verb="write")
    return held, answer


def refuse(field: str, sentence: str, *, rule: str) -> NoReturn:
    """Raise Invalid about one field."""
    raise Invalid(sentence, rule=rule, problems={field: [sentence]})


def one_of(field: str, code: str, known: Iterable[str]) -> None:
    """A code may be empty in a draft, but never unknown. Raises Invalid."""
    choices = list(known)
    if code and code not in choices:
        refuse(field, _("“%(code)s”不在本次征集的选项中，请重新选择。") % {"code": code}, rule=field.rpartition("-")[2])


def money(field: str, value: object) -> Decimal:
    """An amount in 元, exact to the fen, 0 to 10 亿. Raises Invalid."""
    try:
        amount = exact(_tidy(value))
    except NotMoney as wrong:
        refuse(field, wrong.sentence, rule="not_money")
    if not 0 <= amount < Decimal(1_000_000_000):
        refuse(field, _("金额须在 0 到 10 亿元之间。"), rule="not_money")
    return amount


def count(field: str, value: object) -> Decimal:
    """A number of things, at most two places, 0 to one hundred million. Raises Invalid."""
    try:
        given = number(_tidy(value))
    except NotMoney as wrong:
        refuse(field, wrong.sentence, rule="not_a_number")
    if not 0 <= given < Decimal(100_000_000) or given != fen(given):
        refuse(field, _("请填写 0 到 1 亿之间的数，最多两位小数。"), rule="not_a_number")
    return given


def text(field: str, value: object, most: int) -> str:
    """Text without outer spaces, at most `most` characters; never shortened. Raises Invalid."""
    given = str(value).strip()
    if len(given) > most:
        refuse(field, _("最多 %(most)d 个字，现有 %(n)d 个。") % {"most": most, "n": len(given)}, rule="too_long")
    return given


def _tidy(value: object) -> object:
    """Full-width digits, blanks, thousands separators, ¥ and 元 are what people type; they mean the same number."""
    return re.sub(r"[\s,、¥元]", "", unicodedata.normalize("NFKC", value)) if isinstance(value, str) else value
