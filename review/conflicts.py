"""回避: is an expert barred from a bid by the tests of 政府采购法实施条例 §9, which every call uses, grants too?

The five tests: within three years before the bid (1) 劳动关系, (2) 董事、监事 or their like, (3) 控股股东或实际控制人;
(4) 夫妻、直系血亲、三代以内旁系血亲、近姻亲 of the legal representative or head; (5) anything else that may affect fairness.

Relations are edges with an interval between persons, organisations and bids, named by stable codes (信用代码, expert code, bid
code), never by names: names only suggest candidates for a person to confirm. A path from the expert to the bid is a hit when it
has no more edges than the call's rules say (two if they say nothing, three at most). Days are dates in Shanghai; both ends of an
interval belong to it. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Final

from grants.sentences import marked as _

LOOK_BACK_YEARS: Final = 3
EDGES: Final = 2
MOST_EDGES: Final = 3
"""Edges of a path unless the rules of the call say otherwise, and the most they may say: over four edges everybody in a city is tied to everybody."""
PERSON: Final = "person:"
"""How the code of somebody who is neither an expert nor named in the bid begins: such a person is never named in a sentence."""


class RelationKind(StrEnum):
    """What joins two parties. Kinship joins two persons, or a person to an organisation whose head the relative is."""

    EMPLOYED = "employed"
    BOARD = "board"
    SUPERVISOR = "supervisor"
    LEGAL_REPRESENTATIVE = "legal_representative"
    HEAD = "head"
    CONTROLLER = "controller"
    SAME_CONTROLLER = "same_controller"
    SHAREHOLDER = "shareholder"
    STAFF_OF_BID = "staff_of_bid"
    SPOUSE = "spouse"
    LINEAL = "lineal"
    COLLATERAL = "collateral"
    AFFINITY = "affinity"
    CONSULTED = "consulted"
    MENTOR = "mentor"
    SUPPLIER = "supplier"
    DISPUTE = "dispute"
    DONOR = "donor"
    CO_APPLICANT = "co_applicant"
    SPONSOR = "sponsor"
    DECLARED = "declared"
    CHALLENGED = "challenged"

    @property
    def zh(self) -> str:
        """The Chinese term."""
        return _NAMES[self]


_NAMES: Final[Mapping[RelationKind, str]] = {
    RelationKind.EMPLOYED: _("劳动关系"),
    RelationKind.BOARD: _("董事（理事）任职关系"),
    RelationKind.SUPERVISOR: _("监事任职关系"),
    RelationKind.LEGAL_REPRESENTATIVE: _("法定代表人任职关系"),
    RelationKind.HEAD: _("负责人任职关系"),
    RelationKind.CONTROLLER: _("控股或实际控制关系"),
    RelationKind.SAME_CONTROLLER: _("受同一人控制的关系"),
    RelationKind.SHAREHOLDER: _("股东关系"),
    RelationKind.STAFF_OF_BID: _("项目团队成员关系"),
    RelationKind.SPOUSE: _("夫妻关系"),
    RelationKind.LINEAL: _("直系血亲关系"),
    RelationKind.COLLATERAL: _("三代以内旁系血亲关系"),
    RelationKind.AFFINITY: _("近姻亲关系"),
    RelationKind.CONSULTED: _("为申报提供咨询的关系"),
    RelationKind.MENTOR: _("督导或导师关系"),
    RelationKind.SUPPLIER: _("服务或供货合同关系"),
    RelationKind.DISPUTE: _("纠纷或诉讼关系"),
    RelationKind.DONOR: _("捐赠或资助关系"),
    RelationKind.CO_APPLICANT: _("联合申报关系"),
    RelationKind.SPONSOR: _("托管（挂靠）关系"),
    RelationKind.DECLARED: _("本人申报的利害关系"),
    RelationKind.CHALLENGED: _("申报方提出并经核实的利害关系"),
}

KINSHIP: Final = frozenset({RelationKind.SPOUSE, RelationKind.LINEAL, RelationKind.COLLATERAL, RelationKind.AFFINITY})
LEADS: Final = frozenset({RelationKind.LEGAL_REPRESENTATIVE, RelationKind.HEAD})
_OWN_TEST: Final[Mapping[RelationKind, int]] = {
    RelationKind.EMPLOYED: 1, RelationKind.BOARD: 2, RelationKind.SUPERVISOR: 2, RelationKind.LEGAL_REPRESENTATIVE: 2,
    RelationKind.HEAD: 2, RelationKind.CONTROLLER: 3,
}  # fmt: skip
"""Which test a direct relation to the bidder meets; all others are the fifth. 法定代表人 counts with the board it heads."""
_BELONGS: Final = frozenset({*_OWN_TEST, RelationKind.STAFF_OF_BID})
_TIMELESS: Final = frozenset({RelationKind.DECLARED, RelationKind.CHALLENGED})

ITEMS: Final = (_("一"), _("二"), _("三"), _("四"), _("五"))
RELATIVE, SOMEBODY, TEAM = _("该亲属"), _("相关人员"), _("项目团队成员")
SENTENCES: Final[Mapping[str, str]] = {
    "direct": _("与申报“%(bid)s”的“%(target)s”存在%(relation)s（%(period)s）。"),
    "kin": _("与申报“%(bid)s”的“%(target)s”的法定代表人或负责人存在%(relation)s（%(period)s）。"),
    "path": _(
        "与“%(middle)s”存在%(relation)s（%(period)s），该方与申报“%(bid)s”的“%(target)s”存在%(onward)s（%(onward_period)s）。"
    ),
    "long": _(
        "与“%(middle)s”存在%(relation)s（%(period)s），该方与“%(further)s”存在%(onward)s（%(onward_period)s），后者与申报“%(bid)s”的“%(target)s”存在%(last)s（%(last_period)s）。"
    ),
    "competitor": _("所在单位“%(target)s”在同一征集中有申报，与申报“%(bid)s”竞争。"),
    "own": _("是申报“%(bid)s”的当事人。"),
    "account": _("本人的账号填写、送签或提交过申报“%(bid)s”。"),
    "unknown_start": _("至 %(end)s"),
    "still": _("自 %(start)s 起"),
    "always": _("起止不详"),
    "basis": _("依据政府采购法实施条例第九条第（%(test)s）项，应当回避。"),
}


@dataclass(frozen=True)
class Relation:
    """An edge, alive from `since` to `until` inclusive (None: always was, still is). source: declared, computed, imported or challenged.

    ref: the record it was read from, "" where it was inferred. left controls, heads or sponsors right where the kind has a direction.
    """

    kind: RelationKind
    left: str
    right: str
    since: date | None = None
    until: date | None = None
    source: str = "computed"
    evidence: str = ""
    ref: str = ""

    def other(self, party: str) -> str:
        """The far end."""
        return self.right if party == self.left else self.left

    def touches(self, first: date, last: date) -> bool:
        """Whether it was alive on any day from first to last, both included."""
        return (self.since is None or self.since <= last) and (self.until is None or self.until >= first)


@dataclass(frozen=True)
class BidFacts:
    """A bid: its organisations (applicant, partners, sponsor), the people it names, and the day it was submitted.

    accounts: experts whose own account wrote, sent or handed it in.
    """

    code: str
    organisations: tuple[str, ...]
    submitted_on: date
    people: tuple[str, ...] = ()
    accounts: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ConflictRules:
    """Settings of a call: years of look-back, edges of a path at most, kinds left out, and whether experts of competing organisations are out.

    edges outside 1…MOST_EDGES raise ValueError: a longer search is none that was published.
    """

    look_back_years: int = LOOK_BACK_YEARS
    edges: int = EDGES
    ignored: frozenset[RelationKind] = frozenset()
    competitors_out: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.edges <= MOST_EDGES:
            raise ValueError(f"edges: {self.edges} is not between 1 and {MOST_EDGES}")


@dataclass(frozen=True)
class Hit:
    """One reason to step aside. test: 1…5 of §9; evidence: the edges of the path; the sentence names no person."""

    test: int
    rule: str
    bid: str
    target: str
    evidence: tuple[Relation, ...]
    sentence: str


@dataclass(frozen=True)
class Relations:
    """All known edges, found by either end. labels: code → what a sentence shows instead of the code (an organisation's name)."""

    by_party: Mapping[str, tuple[Relation, ...]]
    labels: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, relations: Iterable[Relation], labels: Mapping[str, str] | None = None) -> Relations:
        """Index the edges."""
        index: dict[str, list[Relation]] = defaultdict(list)
        for relation in relations:
            index[relation.left].append(relation)
            if relation.right != relation.left:
                index[relation.right].append(relation)
        return cls({party: tuple(edges) for party, edges in index.items()}, labels or {})

    def label(self, party: str) -> str:
        """What to call a party in a sentence."""
        return self.labels.get(party, party)


def find_conflicts(
    expert: str,
    bid: BidFacts,
    relations: Relations,
    *,
    as_of: date,
    rules: ConflictRules | None = None,
    rivals: frozenset[str] = frozenset(),
) -> list[Hit]:
    """Every reason why the expert may not review the bid, gravest test first; empty: none known.

    as_of: the day of asking (Shanghai); ask again after the draw, when the file opens and before publishing. rivals:
    organisations that bid in the same call. Look-back: from the same day of the year `look_back_years` before submission
    (民法典§202: where there is no such day, the month's last), that day included, to `as_of`.
    """
    search = _Search(expert, bid, relations, as_of, rules or ConflictRules())
    hits = [*search.own(), *search.paths(), *(search.competitors(rivals) if search.rules.competitors_out else ())]
    unique = {(h.rule, h.target, h.evidence): h for h in hits}
    return sorted(unique.values(), key=lambda h: (h.test, h.target, h.rule, h.sentence))


def look_back_start(submitted_on: date, years: int) -> date:
    """The first day of the look-back: the same month and day `years` earlier; 29 February becomes 28 February."""
    try:
        return submitted_on.replace(year=submitted_on.year - years)
    except ValueError:
        return submitted_on.replace(year=submitted_on.year - years, day=28)


@dataclass(frozen=True)
class _Search:
    """One question: this expert, this bid, this day."""

    expert: str
    bid: BidFacts
    relations: Relations
    as_of: date
    rules: ConflictRules

    @property
    def targets(self) -> frozenset[str]:
        return frozenset({self.bid.code, *self.bid.organisations, *self.bid.people, *self.bid.accounts})

    def own(self) -> Iterator[Hit]:
        if self.expert in self.bid.accounts:
            yield self._hit(5, "account", self.expert, ())
        elif self.expert in self.targets:
            yield self._hit(5, "own", self.expert, ())

    def paths(self) -> Iterator[Hit]:
        """Every path that visits nobody twice, ends at the first party of the bid it meets, and has no more edges than the rules say."""
        for path, parties in self._walk((), (self.expert,)):
            yield self._told(path, parties)

    def _walk(
        self, path: tuple[Relation, ...], parties: tuple[str, ...]
    ) -> Iterator[tuple[tuple[Relation, ...], tuple[str, ...]]]:
        for edge in self._alive(parties[-1]):
            end = edge.other(parties[-1])
            if end in parties:
                continue
            if end in self.targets:
                yield (*path, edge), (*parties, end)
            elif len(path) + 1 < self.rules.edges:
                yield from self._walk((*path, edge), (*parties, end))

    def _told(self, path: tuple[Relation, ...], parties: tuple[str, ...]) -> Hit:
        if len(path) == 1:
            return self._direct(path[0], parties[-1])
        return self._two(*path, *parties[1:]) if len(path) == 2 else self._long(path, parties)

    def competitors(self, rivals: frozenset[str]) -> Iterator[Hit]:
        for edge in self._alive(self.expert):
            home = edge.other(self.expert)
            if edge.kind in _BELONGS and home in rivals and home not in self.targets and self._current(edge):
                yield self._hit(5, "competitor", home, (edge,))

    def _alive(self, party: str) -> Iterator[Relation]:
        first = look_back_start(self.bid.submitted_on, self.rules.look_back_years)
        for edge in self.relations.by_party.get(party, ()):
            if edge.kind not in self.rules.ignored and (edge.kind in _TIMELESS or edge.touches(first, self.as_of)):
                yield edge

    def _current(self, edge: Relation) -> bool:
        """Alive between submission and today: §9(4) speaks of relations that are, not of those that were."""
        return edge.touches(min(self.bid.submitted_on, self.as_of), self.as_of)

    def _direct(self, edge: Relation, target: str) -> Hit:
        if edge.kind in KINSHIP:
            return self._hit(4 if self._current(edge) else 5, "kin", target, (edge,), relation=edge.kind.zh, period=_period(edge))
        test = _OWN_TEST.get(edge.kind, 5)
        return self._hit(test, "direct", target, (edge,), relation=edge.kind.zh, period=_period(edge))

    def _two(self, first: Relation, second: Relation, middle: str, end: str) -> Hit:
        of_leader = first.kind in KINSHIP and second.kind in LEADS and self._current(first) and self._current(second)
        words = {"relation": first.kind.zh, "period": _period(first)}
        if of_leader:
            return self._hit(4, "kin", end, (first, second), **words)
        onward = {"onward": second.kind.zh, "onward_period": _period(second), "middle": self._public(first, middle)}
        return self._hit(
            self._by_control((first, second), (self.expert, middle)), "path", end, (first, second), **words, **onward
        )

    def _long(self, path: tuple[Relation, ...], parties: tuple[str, ...]) -> Hit:
        first, second, last = path
        words = {
            "relation": first.kind.zh, "period": _period(first), "middle": self._public(first, parties[1]),
            "onward": second.kind.zh, "onward_period": _period(second), "further": self._public(second, parties[2]),
            "last": last.kind.zh, "last_period": _period(last),
        }  # fmt: skip
        return self._hit(self._by_control(path, parties), "long", parties[-1], path, **words)

    def _by_control(self, path: tuple[Relation, ...], parties: tuple[str, ...]) -> int:
        """Whoever controls the body that controls the bidder is its 实际控制人: the third test; every other path is the fifth."""
        down = all(e.kind is RelationKind.CONTROLLER and e.left == at for e, at in zip(path, parties, strict=False))
        return 3 if down else 5

    def _public(self, edge: Relation, party: str) -> str:
        """A person is never named: whoever reads this sentence need not learn who is whose relative, or who works where."""
        if edge.kind in KINSHIP:
            return RELATIVE
        return SOMEBODY if party.startswith((PERSON, "expert:")) else self.relations.label(party)

    def _hit(self, test: int, rule: str, target: str, evidence: tuple[Relation, ...], **words: str) -> Hit:
        bid = self.relations.label(self.bid.code)
        inside = target in self.bid.people or target in self.bid.accounts
        shown = TEAM if inside else self.relations.label(target)
        sentence = SENTENCES[rule] % {"bid": bid, "target": shown, **words}
        return Hit(test, rule, self.bid.code, target, evidence, sentence + SENTENCES["basis"] % {"test": ITEMS[test - 1]})


def _period(edge: Relation) -> str:
    if edge.since and edge.until:
        return f"{edge.since} – {edge.until}"
    rule = "still" if edge.since else "unknown_start" if edge.until else "always"
    return SENTENCES[rule] % {"start": edge.since and edge.since.isoformat(), "end": edge.until and edge.until.isoformat()}


# --- candidates by name: suggestions for a person to confirm, never a decision -------------------------------------------

_SUFFIXES: Final = (
    "有限责任公司", "股份有限公司", "有限公司", "集团", "社会工作服务中心", "社工服务中心", "社会服务中心",
    "服务中心", "发展中心", "中心", "协会", "促进会", "联合会", "学会", "商会", "基金会", "服务社", "工作室",
    "志愿服务队", "志愿者协会",
)  # fmt: skip
_PLACE: Final = re.compile(r"(?<!社)(?:特别行政区|自治[区州县]|新区|街道|[省市区县镇乡])")
"""What says which kind of place a name begins with; 社区 is none."""


@cache
def _simplifier() -> Callable[[str], str]:
    from opencc import OpenCC  # noqa: PLC0415 - its dictionaries are read once, and only where names are compared

    converter = OpenCC("t2s")
    return lambda text: str(converter.convert(text))


def fold_name(name: str) -> str:
    """A name for comparison: half-width, simplified, lower case, letters and digits only (张 三 = 張三, (上海) = (上海))."""
    folded = _simplifier()(unicodedata.normalize("NFKC", name).casefold())
    return "".join(c for c in folded if c.isalnum())


def stem(name: str) -> str:
    """An organisation's folded name without its legal-form suffixes, down to two characters: 阳光社工服务中心 → 阳光.

    For candidates only: 阳光协会 and 阳光中心 are different bodies with the same stem.
    """
    text = fold_name(name)
    while suffix := next(
        (s for s in sorted(_SUFFIXES, key=len, reverse=True) if text.endswith(s) and len(text) - len(s) >= 2), ""
    ):
        text = text.removesuffix(suffix)
    return text


def core(name: str) -> str:
    """The stem without the kinds of places in it, down to two characters: 上海市浦东新区阳光 and 上海浦东阳光 are one."""
    text = stem(name)
    short = _PLACE.sub("", text)
    return short if len(short) >= 2 else text


def name_candidates(name: str, known: Mapping[str, str]) -> list[str]:
    """Codes of known organisations (code → name) that might be meant by a name as typed: equal names, then equal stems, then equal cores.

    Suggestions for a person to confirm: the credit code decides.
    """
    wanted = fold_name(name), stem(name), core(name)
    ranks = {code: _likeness(other, wanted) for code, other in known.items()}
    return sorted((code for code, rank in ranks.items() if rank is not None), key=lambda code: (ranks[code], code))


def _likeness(other: str, wanted: tuple[str, str, str]) -> int | None:
    found = fold_name(other), stem(other), core(other)
    return next((rank for rank, (left, right) in enumerate(zip(wanted, found, strict=True)) if left == right), None)
