"""The rules of a call's budget as data for `budget-rules.js`, which judges in the browser what the server may not read yet.

Amounts travel as whole fen in text, shares exactly and as they are written in sentences, expressions as trees: nothing is parsed or rounded there.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext

from bidding.budget import SENTENCES
from bidding.completeness import COMBINED
from grants.calls.rulebook import expressions
from grants.calls.rulebook.expressions import Arithmetic, Call, Comparison, Logic, Name, Number, Rule, Term
from grants.money import percent_text

if TYPE_CHECKING:
    from grants.calls.rulebook.model import CallRules

Json = dict[str, Any]
CHOICES = {"about-category": "categories", "about-track": "tracks", "about-need": "needs"}
"""Control → what of the rules is chosen there; each choice may lower the cap."""


def for_page(rules: CallRules) -> Json:
    """Everything `judgeBudget` and `lowestCap` read, sentences in the reader's language."""
    chosen: dict[str, Any] = {"categories": rules.categories, "tracks": rules.tracks, "needs": rules.needs.items}
    return {
        "categories": [_category(c) for c in rules.budget.categories],
        "cap": _fen(rules.amounts.cap),
        "caps": {control: {c.code: _fen(c.cap) for c in chosen[what] if c.cap is not None} for control, what in CHOICES.items()},
        "floor": _fen(rules.amounts.floor),
        "capShare": _share(rules.amounts.cap_share),
        "matchShare": _share(rules.amounts.match_share),
        "inKindShare": _share(rules.amounts.in_kind_share),
        "bannedItems": list(rules.budget.banned),
        "maxLines": rules.budget.max_lines,
        "rules": [{"rule": tree(expressions.parse(each.expr)), "message": each.message} for each in rules.budget.rules],
        **_words(),
    }


def _words() -> Json:
    said = expressions.WORDS
    return {
        "sentences": {rule: [gettext(sentence) for sentence in pair] for rule, pair in SENTENCES.items()},
        "combined": str(COMBINED),
        "fields": {name: gettext(label) for name, label in (("unit_price", "单价"), ("quantity", "数量"), ("amount", "金额"))},
        "words": {name: gettext(text) for name, text in said.items()},
    }


def _category(category: Any) -> Json:
    share, amount = _share(category.cap_share), _fen(category.cap_amount)
    return {"code": category.code, "name": category.name, "banned": category.banned, "share": share, "amount": amount}


def _fen(amount: Decimal | None) -> str | None:
    return None if amount is None else str(int(amount * 100))


def _share(share: Decimal | None) -> Json | None:
    return None if share is None else {"exact": f"{share:f}", "text": percent_text(share)}


def tree(node: Rule | Term) -> Json:
    """An expression as the script reads it."""
    match node:
        case Number(value=value, text=text):
            return {"number": f"{value:f}", "text": text}
        case Name(name=name):
            return {"name": name}
        case Arithmetic(sign=sign, left=left, right=right):
            return {"sign": sign, "left": tree(left), "right": tree(right)}
        case Call(function=function, arguments=arguments):
            return {"call": function, "of": [tree(each) for each in arguments]}
        case Comparison(terms=terms, signs=signs):
            return {"terms": [tree(each) for each in terms], "signs": list(signs)}
        case Logic(word=word, parts=parts):
            return {"word": word, "parts": [tree(each) for each in parts]}
