"""What a file of ballots asks: read key by key into the very values the product counts with.

`rule` says what the `[review]` of a call says, under the same names (docs/call-rules.md): stages, mix, bonuses, site_check, trim with tiers, ties.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar, cast

from grants.calls.rulebook.parts import review as parts
from grants.calls.rulebook.parts.base import Named
from grants.calls.rulebook.parts.review import ReviewRules, Sheet, StageKind
from grants.desk.faces._json import Node
from review import composing
from review.composing import Component
from review.scoring import HUNDRED

N = TypeVar("N", bound=Named)
Marks = Mapping[str, Decimal]
CALIBRATED = "calibrated"
ONE_STAGE = StageKind.DOCUMENT
"""The stage of a file that names none."""
SHEET = "criteria"
NEEDED = ("trim",)
OPTIONAL = (
    "official", "min_ballots", "decimals", "pass_line", "ties", "seed", "lots", "pool", "places", "when_full", "least_bridges",
    "stages", "mix", "bonuses", "site_check", "chair",
)  # fmt: skip
MOST_EXPERTS = 2000


@dataclass(frozen=True)
class FileRules:
    """The rules of a file, where `review.composing` expects those of a call. A bid's sheet stands in place of its track."""

    review: ReviewRules

    def sheet_for(self, track: str | None = None) -> Sheet:
        """The sheet of that code, or the first one."""
        return next((sheet for sheet in self.review.sheets if sheet.code == track), self.review.sheets[0])


@dataclass(frozen=True)
class Listed:
    """One row of `bids`."""

    ask: Decimal = Decimal(0)
    group: str = ""
    sheet: str = ""


@dataclass(frozen=True)
class Question:
    """What the file asks. marks: bid → stage → expert → criterion → points; entered: bid → component → points; tops: (sheet, criterion) → highest
    mark where it is not the weight.

    seed: of the analysis' samples, which decide nothing; lots: of lots among equals, empty where nobody gave one; drawn: equals in the order of a
    public draw over them. staged: whether the file names its stages.
    """

    rules: FileRules
    staged: bool
    chair: str
    seed: str
    lots: str
    drawn: tuple[str, ...]
    pool: Decimal | None
    places: int | None
    stop: bool
    bridges: int
    tops: Mapping[tuple[str, str], Decimal]
    bids: Mapping[str, Listed]
    seats: Mapping[str, str]
    marks: Mapping[str, Mapping[str, Mapping[str, Marks]]]
    entered: Mapping[str, Marks]

    @property
    def review(self) -> ReviewRules:
        return self.rules.review

    @property
    def stages(self) -> list[str]:
        return [str(stage.kind) for stage in self.review.stages]

    @property
    def groups(self) -> dict[str, str]:
        """Bid → panel."""
        return {bid: row.group for bid, row in self.bids.items() if row.group}

    def sheet(self, bid: str) -> Sheet:
        return self.rules.sheet_for(self.bids[bid].sheet)


def parsed(root: Node, lots: str | None = None) -> Question:
    """The question, every key checked; lots: the seed of the command line. Raises CommandError with the path of the bad one."""
    top = root.keys(("rule", "ballots"), ("criteria", "sheets", "bids", "seats", "entered"))
    rule = top["rule"].keys(NEEDED, OPTIONAL)
    sheets, tops = _sheets(root, top)
    rules = FileRules(_review(rule, sheets))
    _site_check_fits(rule, rules, tops)
    listed = _bids(top.get("bids"), {sheet.code for sheet in sheets} if "sheets" in top else set())
    seats = {expert: _word(node, _Seat).value for expert, node in top["seats"].entries().items()} if "seats" in top else {}
    marks = _Ballots(rules, tops, listed, seats, "stages" in rule).read(top["ballots"])
    bids = {bid: listed.get(bid, Listed()) for bid in sorted({*listed, *marks})}
    entered = _entered(top.get("entered", Node([], "entered")), rules, bids, marks)
    return Question(
        rules, "stages" in rule, rule["chair"].text() if "chair" in rule else "", rule["seed"].text() if "seed" in rule else "gongchuang",
        *_lots(rule.get("lots"), lots), rule["pool"].number() if "pool" in rule else None, rule["places"].whole() if "places" in rule else None,
        _stops(rule.get("when_full")), _whole(rule, "least_bridges", 10), tops, bids, seats, marks, entered,
    )  # fmt: skip


class _Seat(Named):
    """Seats whose criteria are reserved; everybody else sits without one."""

    FINANCE = "finance", "财务专家"
    FIELD = "field", "行业专家"


def _word(node: Node, kind: type[N]) -> N:
    """One of a closed list of words of the rules."""
    return node.choice(cast("Callable[[str], N]", kind))


def _review(rule: Mapping[str, Node], sheets: tuple[Sheet, ...]) -> ReviewRules:
    """The same value the product counts with; built without the checks of a call's file, for whose codes a file of ballots is not bound."""
    official = _word(rule["official"], parts.Official) if "official" in rule else parts.Official.TRIMMED
    return ReviewRules.model_construct(
        stages=_stages(rule.get("stages")), sheets=sheets, trim=_trim(rule["trim"]), official=official,
        panel=parts.Panel.model_construct(min_ballots=_whole(rule, "min_ballots", 1)), decimals=_whole(rule, "decimals", 2, most=4),
        pass_line=rule["pass_line"].number(most="100") if "pass_line" in rule else Decimal(0), ties=_ties(rule, sheets),
        mix=_mix(rule.get("mix")), bonuses=_bonuses(rule.get("bonuses")), site_check=_site_check(rule.get("site_check")),
    )  # fmt: skip


def _whole(rule: Mapping[str, Node], key: str, default: int, most: int = 10**6) -> int:
    return rule[key].whole(most=most) if key in rule else default


def _lots(node: Node | None, given: str | None) -> tuple[str, tuple[str, ...]]:
    """(seed of lots among equals: the command line's, else the rule's, never one of our own; the order of a public draw in place of a seed)."""
    if given is not None and not given.strip():
        Node(given, "--seed").refuse("种子不能为空", "must not be empty")
    inside = node.keys((), ("seed", "drawn")) if node is not None else {}
    if node is not None and len(inside) != 1:
        Node(None, f"{node.path}.seed").refuse(
            "写种子（seed）或者公开抽签的次序（drawn），二者取一", "either seed or drawn must be there"
        )
    if "seed" in inside and not inside["seed"].text().strip():
        inside["seed"].refuse("种子不能为空", "must not be empty")
    drawn = tuple(each.text() for each in inside["drawn"].items()) if "drawn" in inside else ()
    if len(set(drawn)) != len(drawn):
        inside["drawn"].refuse("同一申报出现两次", "names a bid twice")
    return given or (inside["seed"].text() if "seed" in inside else ""), drawn


def _stops(node: Node | None) -> bool:
    if node is not None and node.text() not in ("skip", "stop"):
        node.refuse("应为 skip 或 stop", "must be skip or stop")
    return node is not None and node.text() == "stop"


def _trim(node: Node) -> parts.Trim:
    """去极值 and its tiers, each for more ballots than the one before and never for all of them."""
    keys = node.keys(("high", "low"), ("from_ballots", "tiers"))
    high, low, least = keys["high"].whole(most=1000), keys["low"].whole(most=1000), _whole(keys, "from_ballots", 5)
    tiers: list[parts.TrimTier] = []
    for each in keys["tiers"].items() if "tiers" in keys else ():
        step = each.keys(("from_ballots", "high", "low"))
        figures: dict[str, Any] = {name: value.whole() for name, value in step.items()}
        tiers.append(parts.TrimTier.model_construct(None, **figures))
        if tiers[-1].from_ballots <= (tiers[-2].from_ballots if len(tiers) > 1 else least):
            step["from_ballots"].refuse("应多于上一档的票数", "must be more than in the step before")
        if tiers[-1].high + tiers[-1].low >= tiers[-1].from_ballots:
            each.refuse("去掉以后没有剩余", "leaves no ballot")
    return parts.Trim.model_construct(high=high, low=low, from_ballots=least, tiers=tuple(tiers) or None)


def _stages(node: Node | None) -> tuple[parts.ReviewStage, ...]:
    if node is None:
        return (parts.ReviewStage.model_construct(kind=ONE_STAGE, weight=HUNDRED),)
    found: list[parts.ReviewStage] = []
    for each in node.items():
        keys = each.keys(("kind", "weight"))
        kind = _word(keys["kind"], StageKind)
        if kind in {stage.kind for stage in found}:
            keys["kind"].refuse("环节重复", "stands twice")
        found.append(parts.ReviewStage.model_construct(kind=kind, weight=keys["weight"].number(least="0.01", most="100")))
    _adds_up(node, [stage.weight for stage in found], "各环节")
    return tuple(found)


def _adds_up(node: Node, weights: Sequence[Decimal], what: str) -> None:
    if sum(weights, Decimal(0)) != HUNDRED:
        node.refuse(f"{what}权重合计应为 100", "weights must add up to 100")


def _mix(node: Node | None) -> parts.Mix:
    if node is None:
        return parts.Mix()
    shares = {code: share.number(most="100") for code, share in node.keys((), ("experts", *composing.MIX)).items()}
    _adds_up(node, list(shares.values()), "总分构成")
    given: dict[str, Any] = {"experts": Decimal(0), **shares}
    return parts.Mix.model_construct(None, **given)


def _bonuses(node: Node | None) -> tuple[parts.Bonus, ...]:
    found: list[parts.Bonus] = []
    for each in node.items() if node is not None else ():
        keys = each.keys(("code", "cap"), ("name",))
        code = keys["code"].text()
        if code in {bonus.code for bonus in found}:
            keys["code"].refuse("编号重复", "stands twice")
        name = keys["name"].text() if "name" in keys else code
        found.append(parts.Bonus.model_construct(code=code, name=name, cap=keys["cap"].number(least="0.01", most="100")))
    return tuple(found)


def _site_check(node: Node | None) -> parts.SiteCheck | None:
    if node is None:
        return None
    keys = node.keys(("criterion", "points"))
    return parts.SiteCheck.model_construct(
        criterion=keys["criterion"].text(), points=keys["points"].number(least="0.01", most="100")
    )


def _site_check_fits(rule: Mapping[str, Node], rules: FileRules, tops: Mapping[tuple[str, str], Decimal]) -> None:
    check = rules.review.site_check
    if check is None:
        return
    held = [(s.code, c) for s in rules.review.sheets for c in s.criteria if c.code == check.criterion]
    if not held:
        rule["site_check"].refuse("没有这个指标", "must name a known criterion")
    for sheet, criterion in held:
        if check.points > criterion.weight or (sheet, criterion.code) in tops:
            rule["site_check"].refuse(
                "现场核查的分值不能多于指标的权重，该指标也不能另写满分",
                "must be at most the criterion's weight, and it may have no maximum",
            )


def _ties(rule: Mapping[str, Node], sheets: Sequence[Sheet]) -> tuple[parts.TieRule, ...]:
    known = set.intersection(*({c.code for c in sheet.criteria} for sheet in sheets))
    return tuple(_tie(node, known, "chair" in rule) for node in rule["ties"].items()) if "ties" in rule else ()


def _tie(node: Node, known: set[str], chaired: bool) -> parts.TieRule:
    keys = node.keys(("by",), ("criterion",))
    by = _word(keys["by"], parts.TieBy)
    if by is parts.TieBy.CHAIR and not chaired:
        keys["by"].refuse("文件没有写组长是谁（rule.chair），不能用 chair", "needs rule.chair, the chair's expert code")
    code = keys["criterion"].text() if "criterion" in keys else ""
    if by is parts.TieBy.CRITERION and code not in known:
        node.refuse("按指标定先后，须写明已有的指标编号", "must name a known criterion")
    return parts.TieRule.model_construct(by=by, criterion=code or None)


def _sheets(root: Node, top: Mapping[str, Node]) -> tuple[tuple[Sheet, ...], dict[tuple[str, str], Decimal]]:
    """One sheet under `criteria`, or several under `sheets`; and the highest marks that are not the weights."""
    if ("criteria" in top) == ("sheets" in top):
        Node(None, "criteria").refuse(
            "评分指标写在 criteria（一张评分表）或 sheets（几张），二者取一", "either criteria or sheets must be there"
        )
    tops: dict[tuple[str, str], Decimal] = {}
    if "criteria" in top:
        return (_sheet(SHEET, top["criteria"], tops),), tops
    found: list[Sheet] = []
    for each in top["sheets"].items():
        keys = each.keys(("code", "criteria"))
        code = keys["code"].text()
        if code in {sheet.code for sheet in found}:
            keys["code"].refuse("编号重复", "stands twice")
        found.append(_sheet(code, keys["criteria"], tops))
    if not found:
        top["sheets"].refuse("至少一张评分表", "must not be empty")
    return tuple(found), tops


def _sheet(sheet: str, node: Node, tops: dict[tuple[str, str], Decimal]) -> Sheet:
    found: list[parts.Criterion] = []
    for each in node.items():
        keys = each.keys(("code", "weight"), ("name", "maximum", "scorer"))
        code = keys["code"].text()
        if code in {c.code for c in found}:
            keys["code"].refuse("编号重复", "stands twice")
        if "maximum" in keys:
            tops[sheet, code] = keys["maximum"].number(least="0.01", most="100")
        scorer = _word(keys["scorer"], parts.Scorer) if "scorer" in keys else parts.Scorer.EXPERT
        name, weight = keys["name"].text() if "name" in keys else code, keys["weight"].number(least="0.01", most="100")
        found.append(parts.Criterion.model_construct(code=code, name=name, weight=weight, scorer=scorer))
    _adds_up(node, [c.weight for c in found], "各指标")
    return Sheet.model_construct(code=sheet, name=sheet, criteria=tuple(found))


def _bids(node: Node | None, sheets: set[str]) -> dict[str, Listed]:
    found: dict[str, Listed] = {}
    for each in node.items() if node is not None else ():
        keys = each.keys(("bid",), ("ask", "group", "sheet"))
        bid, sheet = keys["bid"].text(), keys["sheet"].text() if "sheet" in keys else ""
        if bid in found:
            keys["bid"].refuse("编号重复", "stands twice")
        if sheet and sheet not in sheets:
            keys["sheet"].refuse("没有这张评分表", "is not a sheet")
        ask = keys["ask"].number() if "ask" in keys else Decimal(0)
        found[bid] = Listed(ask, keys["group"].text() if "group" in keys else "", sheet)
    return found


@dataclass(frozen=True)
class _Ballots:
    """Reads `ballots`: every expert gives what the seat marks on the bid's sheet, no more and no less."""

    rules: FileRules
    tops: Mapping[tuple[str, str], Decimal]
    listed: Mapping[str, Listed]
    seats: Mapping[str, str]
    staged: bool

    def read(self, node: Node) -> dict[str, dict[str, dict[str, Marks]]]:
        """Bid → stage → expert → marks, in the order of the codes."""
        found: dict[str, dict[str, dict[str, Marks]]] = {}
        for each in node.items():
            bid, expert, marks, *stage = each.items(4 if self.staged else 3)
            own = found.setdefault(bid.text(), {}).setdefault(self._stage(stage), {})
            if expert.text() in own:
                each.refuse("同一专家对同一申报有两张评分表", "is a second ballot of one expert for one bid")
            own[expert.text()] = self._marks(marks, bid.text(), expert.text())
        self._few_enough(node, {expert for by in found.values() for own in by.values() for expert in own})
        return {bid: {stage: dict(sorted(own.items())) for stage, own in sorted(by.items())} for bid, by in sorted(found.items())}

    def _few_enough(self, node: Node, experts: set[str]) -> None:
        """Strictness is estimated with the cube of the experts' number: a file of many thousands would not end."""
        if (n := len(experts)) > MOST_EXPERTS:
            zh = f"共 {n} 位专家，一个文件至多 {MOST_EXPERTS} 位，请每个评审组用一个文件"
            node.refuse(zh, f"names {n} experts, {MOST_EXPERTS} at most: give each panel a file of its own")

    def _stage(self, given: Sequence[Node]) -> str:
        if not given:
            return str(ONE_STAGE)
        stage = given[0].text()
        if stage not in {str(s.kind) for s in self.rules.review.stages}:
            given[0].refuse("规则没有这个环节", "is not a stage of the rule")
        return stage

    def _marks(self, node: Node, bid: str, expert: str) -> Marks:
        sheet = self.rules.sheet_for(self.listed[bid].sheet if bid in self.listed else None)
        mine = {c.code: top for c, top in composing.marked_by(self.rules, sheet.criteria, self.seats.get(expert, ""))}
        tops, given = {code: self.tops.get((sheet.code, code), top) for code, top in mine.items()}, node.entries()
        if lacking := [code for code in tops if code not in given]:
            Node(None, f"{node.path}.{lacking[0]}").refuse(
                "缺少这一项；未评的指标不按 0 分计", "is missing; a missing mark is not a zero"
            )
        if strange := [code for code in given if code not in tops]:
            known = strange[0] in {c.code for c in sheet.criteria}
            told = ("这一席位不评这个指标", "is not marked in this seat") if known else ("没有这个指标", "is not a criterion")
            given[strange[0]].refuse(*told)
        return {code: given[code].number(most=str(top)) for code, top in tops.items()}


def _entered(
    node: Node, rules: FileRules, bids: Mapping[str, Listed], marks: Mapping[str, object]
) -> dict[str, dict[str, Decimal]]:
    """Bid → component → points; a bid with ballots has every one that the rule wants: what is missing is not nought."""
    found: dict[str, dict[str, Decimal]] = {}
    wanted = {
        bid: {c.code: c for c in composing.components(rules, rules.sheet_for(row.sheet).criteria)} for bid, row in bids.items()
    }
    for each in node.items():
        bid, part, value = each.items(3)
        if bid.text() not in wanted:
            bid.refuse("没有这份申报", "is not a bid")
        own = found.setdefault(bid.text(), {})
        component = _component(part, wanted[bid.text()], own)
        own[component.code] = value.number(most=str(component.top))
    for bid_code in sorted(marks):
        for code, component in wanted[bid_code].items():
            if code not in found.get(bid_code, {}):
                told = f"缺少申报“{bid_code}”的“{component.name}”（{code}）；缺项不按 0 分计"
                node.refuse(told, f"lacks {code} of {bid_code}; what is missing is not nought")
    return found


def _component(node: Node, wanted: Mapping[str, Component], own: Mapping[str, Decimal]) -> Component:
    if node.text() not in wanted:
        node.refuse("规则没有这一分项", "is not a component of the rule")
    if node.text() in own:
        node.refuse("同一申报的同一分项出现两次", "stands twice for one bid")
    return wanted[node.text()]
