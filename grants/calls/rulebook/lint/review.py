"""Contradictions of stages, score sheets, panel, arithmetic and tie rule."""

from __future__ import annotations

from collections.abc import Iterator

from grants.calls.rulebook.lint.registry import Flaw, World, contradiction, error, plain, repeated, warning
from grants.calls.rulebook.model import CallRules
from grants.calls.rulebook.parts.form import MediaType, Phase, Visibility
from grants.calls.rulebook.parts.money import SourceKind
from grants.calls.rulebook.parts.review import Criterion, Official, Scorer, StageKind, TieBy
from grants.sentences import marked as _


@contradiction("L070", _("评分表权重合计不等于 100"))
def sheet_weights(rules: CallRules, world: World) -> Iterator[Flaw]:
    for sheet in rules.review.sheets:
        total = sum(criterion.weight for criterion in sheet.criteria)
        if total != 100:
            yield error(
                f"review.sheets[{sheet.code}].criteria", f"“{sheet.name}”各指标权重合计 {plain(total)}，不等于 100", "调整权重"
            )


@contradiction("L071", _("评审环节权重合计不等于 100"))
def stage_weights(rules: CallRules, world: World) -> Iterator[Flaw]:
    total = sum(stage.weight for stage in rules.review.stages)
    if total != 100:
        yield error("review.stages", f"各评审环节权重合计 {plain(total)}，不等于 100", "调整权重")
    for kind in repeated(stage.kind for stage in rules.review.stages):
        yield error("review.stages", f"评审环节 {kind} 出现了不止一次", "合并为一个环节")


@contradiction("L072", _("总分构成合计不等于 100"))
def mix_weights(rules: CallRules, world: World) -> Iterator[Flaw]:
    mix = rules.review.mix
    total = mix.experts + mix.residents + mix.pledges + mix.public_vote
    if total != 100:
        yield error("review.mix", f"专家、居民、认捐与公众投票合计 {plain(total)}，不等于 100", "调整各项权重")


@contradiction("L073", _("评审人数不够去掉最高最低分"))
def panel_smaller_than_trim(rules: CallRules, world: World) -> Iterator[Flaw]:
    panel, trim = rules.review.panel, rules.review.trim
    dropped = trim.high + trim.low
    if not dropped:
        return
    if trim.from_ballots <= dropped:
        yield error(
            "review.trim.from_ballots", f"{trim.from_ballots} 票时要去掉 {dropped} 票，无分可算", f"改为至少 {dropped + 3} 票"
        )
    if panel.size < trim.from_ballots:
        message = f"评审小组 {panel.size} 人，达不到去最高最低分所需的 {trim.from_ballots} 票"
        yield error("review.panel.size", message, f"增加到 {trim.from_ballots} 人以上，或不去极值")


@contradiction("L123", _("去极值的分档不成立"))
def trim_tiers(rules: CallRules, world: World) -> Iterator[Flaw]:
    """Each step wants more ballots than the one before, leaves at least one, and can be reached."""
    before = rules.review.trim.from_ballots
    for index, tier in enumerate(rules.review.trim.tiers or (), start=1):
        key = f"review.trim.tiers[#{index}].from_ballots"
        if tier.from_ballots <= before:
            yield error(key, f"第 {index} 档从 {tier.from_ballots} 票起，不多于上一档的 {before} 票", "按票数从少到多写")
        if tier.from_ballots <= tier.high + tier.low:
            yield error(key, f"{tier.from_ballots} 票时要去掉 {tier.high + tier.low} 票，无分可算", f"改为至少 {tier.high + tier.low + 3} 票")
        if tier.from_ballots > rules.review.panel.size:
            yield warning(key, f"第 {index} 档从 {tier.from_ballots} 票起，而评审小组只有 {rules.review.panel.size} 人，永远用不到", "去掉这一档，或增加人数")
        before = tier.from_ballots


IDENTIFYING = (
    "名称",
    "单位",
    "机构",
    "法定代表人",
    "负责人",
    "联系",
    "电话",
    "手机",
    "地址",
    "账号",
    "账户",
    "信用代码",
    "登记号",
    "证书",
    "公章",
)


@contradiction("L130", _("隐名评审仍会露出申报单位"))
def identity_shows(rules: CallRules, world: World) -> Iterator[Flaw]:
    """Hidden bidders: an oral stage shows faces, files without a redacted copy stay closed, a redacted copy must be a PDF for experts."""
    yield from _redacted_copies(rules)
    if rules.review.hiding is None:
        return
    if any(stage.kind == StageKind.ORAL for stage in rules.review.stages):
        yield warning("review.stages", "路演答辩时专家会见到申报单位的人，隐名不再成立", "去掉答辩，或不隐名")
    yield from _closed_files(rules)
    yield from _telling_questions(rules)


def _closed_files(rules: CallRules) -> Iterator[Flaw]:
    copied = {a.redacts for a in rules.attachments if a.redacts}
    shown = [a for a in rules.attachments if a.visibility != Visibility.STAFF and a.phase == Phase.APPLICATION and not a.redacts]
    for item in shown:
        if item.code not in copied:
            message = f"“{item.name}”没有隐名版，隐名评审时专家看不到它"
            yield warning(f"attachments[{item.code}]", message, "增加一项附件，“隐名版对应”填它的编号")


def _telling_questions(rules: CallRules) -> Iterator[Flaw]:
    for section in rules.forms.application:
        for field in section.fields:
            if any(word in field.label for word in IDENTIFYING):
                message = f"“{field.label}”可能要求写出单位身份；系统只能遮去登记过的名称、代码、电话、地址和人名"
                yield warning(f"forms.application[{section.code}].fields[{field.code}]", message, "改问法，或提示不要写出单位")


def _redacted_copies(rules: CallRules) -> Iterator[Flaw]:
    known = {a.code for a in rules.attachments if not a.redacts}
    for item in rules.attachments:
        if not item.redacts:
            continue
        where = f"attachments[{item.code}].redacts"
        if item.redacts not in known:
            yield error(where, f"“{item.name}”对应的附件 {item.redacts} 不存在，或本身是隐名版", "填写一项原件的编号")
        if item.visibility == Visibility.STAFF:
            yield error(where, f"“{item.name}”是给专家看的隐名版，可见范围却只有主办方", "可见范围改为“主办方与评审专家”")
        if tuple(item.media_types) != (MediaType.PDF,):
            yield error(where, f"“{item.name}”是隐名版，只能是 PDF，才能清除文件属性里的姓名和单位", "文件类型只留 PDF")


@contradiction("L074", _("评审小组人数为偶数"))
def even_panel(rules: CallRules, world: World) -> Iterator[Flaw]:
    size = rules.review.panel.size
    if size % 2 == 0:
        yield warning("review.panel.size", f"评审小组 {size} 人，表决可能相持", f"改为 {size + 1} 人或 {size - 1} 人")


@contradiction("L075", _("指标没有相应的评分人"))
def criterion_without_scorer(rules: CallRules, world: World) -> Iterator[Flaw]:
    panel = rules.review.panel
    seats = {Scorer.FINANCE: panel.finance, Scorer.FIELD: panel.field, Scorer.RESIDENT: panel.residents}
    for key, criterion in _criteria(rules):
        if seats.get(criterion.scorer, 1) == 0:
            message = f"“{criterion.name}”由{criterion.scorer.zh}评分，而评审小组没有{criterion.scorer.zh}"
            yield error(f"{key}.scorer", message, f"在 [review.panel] 增加{criterion.scorer.zh}，或改由他人评分")


@contradiction("L076", _("及格线不在 0–100 之间"))
def pass_line_out_of_range(rules: CallRules, world: World) -> Iterator[Flaw]:
    line = rules.review.pass_line
    if not 0 < line <= 100:
        yield error("review.pass_line", f"及格线 {plain(line)} 不在 0 到 100 之间", "改为 60 到 75 之间的分数")
    elif line < 60:
        yield warning("review.pass_line", f"及格线 {plain(line)} 低于惯例的 60 分", "确认是否有意放宽")


@contradiction("L077", _("同分规则不一定有结果"))
def ties_without_lot(rules: CallRules, world: World) -> Iterator[Flaw]:
    rule_list = rules.review.ties
    if rule_list[-1].by is not TieBy.LOT:
        yield error("review.ties", "同分规则的最后一步不是抽签，仍可能分不出先后", '在最后加上 { by = "lot" }')
    if any(rule.by is TieBy.LOT for rule in rule_list[:-1]):
        yield error("review.ties", "抽签之后的同分规则永远用不到", "把抽签放在最后")


@contradiction("L078", _("同分规则指向不存在的指标"))
def tie_criterion_unknown(rules: CallRules, world: World) -> Iterator[Flaw]:
    for index, rule in enumerate(rules.review.ties):
        key = f"review.ties[#{index + 1}].criterion"
        if rule.by is TieBy.CRITERION and rule.criterion is None:
            yield error(key, "按指标定先后，却没有写哪个指标", "填写指标编号")
        for sheet in rules.review.sheets:
            if rule.criterion and rule.criterion not in {criterion.code for criterion in sheet.criteria}:
                yield error(key, f"评分表“{sheet.name}”没有指标 {rule.criterion}", "改为各评分表都有的指标")


@contradiction("L079", _("最少有效票数与人数不合"))
def ballots_over_panel(rules: CallRules, world: World) -> Iterator[Flaw]:
    panel, trim = rules.review.panel, rules.review.trim
    if panel.min_ballots > panel.size:
        yield error(
            "review.panel.min_ballots", f"要求 {panel.min_ballots} 张有效票，而评审小组只有 {panel.size} 人", "减少票数或增加人数"
        )
    if trim.high + trim.low >= panel.min_ballots:
        yield error("review.panel.min_ballots", f"{panel.min_ballots} 票去掉最高最低分后无分可算", "增加最少有效票数")


@contradiction("L080", _("评分指标没有分档描述"))
def criterion_without_anchors(rules: CallRules, world: World) -> Iterator[Flaw]:
    for key, criterion in _criteria(rules):
        levels = [anchor.at for anchor in criterion.anchors]
        if len(levels) < 2:
            yield error(
                f"{key}.anchors", f"“{criterion.name}”没有用文字说明各档含义，专家各打各的", "至少写出两档，例如 100% 与 50%"
            )
        if len(set(levels)) < len(levels):
            yield error(f"{key}.anchors", f"“{criterion.name}”有两档得分率相同", "每档用不同的得分率")


@contradiction("L081", _("居民评分与居民代表不合"))
def residents_mismatch(rules: CallRules, world: World) -> Iterator[Flaw]:
    weight, seats = rules.review.mix.residents, rules.review.panel.residents
    if weight and not seats:
        yield error("review.panel.residents", f"居民代表占 {plain(weight)}%，却没有居民代表", "填写居民代表人数")
    if seats and not weight and not any(c.scorer is Scorer.RESIDENT for _, c in _criteria(rules)):
        yield warning("review.mix.residents", f"请了 {seats} 位居民代表，其意见却不计分", "给居民评分一定权重")


@contradiction("L082", _("现场核查分值与所属指标不合"))
def site_points_over_criterion(rules: CallRules, world: World) -> Iterator[Flaw]:
    site = rules.review.site_check
    if site is None:
        return
    weights = {criterion.code: criterion.weight for _, criterion in _criteria(rules)}
    if site.criterion not in weights:
        yield error("review.site_check.criterion", f"没有指标 {site.criterion}", f"改为 {'、'.join(weights)} 之一")
    elif site.points > weights[site.criterion]:
        message = f"现场核查 {plain(site.points)} 分，超过所属指标的 {plain(weights[site.criterion])} 分"
        yield error("review.site_check.points", message, "降低现场核查分值")


@contradiction("L083", _("认捐计分却没有可认捐的来源"))
def pledges_without_source(rules: CallRules, world: World) -> Iterator[Flaw]:
    open_sources = [s for s in rules.sources if s.claim is not None or s.kind in (SourceKind.ENTERPRISE, SourceKind.CROWDFUNDING)]
    if rules.review.mix.pledges and not open_sources:
        yield error("review.mix.pledges", "定向认捐计入总分，却没有企业认购或众筹来源", "增加来源，或认捐不计分")


@contradiction("L084", _("赛道的评分表不存在"))
def track_sheet_unknown(rules: CallRules, world: World) -> Iterator[Flaw]:
    known = [sheet.code for sheet in rules.review.sheets]
    for track in rules.tracks:
        if track.sheet is not None and track.sheet not in known:
            yield error(f"tracks[{track.code}].sheet", f"没有评分表 {track.sheet}", f"改为 {'、'.join(known)} 之一")


@contradiction("L085", _("各类专家合计超过人数"))
def mix_over_panel(rules: CallRules, world: World) -> Iterator[Flaw]:
    panel = rules.review.panel
    needed = panel.finance + panel.field + panel.agency_seats
    if needed > panel.size:
        yield error(
            "review.panel", f"财务、行业专家与主办方席位合计 {needed} 人，超过小组的 {panel.size} 人", "增加人数或减少席位"
        )
    if panel.agency_seats > 1:
        yield warning("review.panel.agency_seats", f"主办方占 {panel.agency_seats} 席，独立性不足", "主办方至多 1 席")


@contradiction("L086", _("评分表或指标编号重复"))
def repeated_review_codes(rules: CallRules, world: World) -> Iterator[Flaw]:
    for code in repeated(sheet.code for sheet in rules.review.sheets):
        yield error("review.sheets", f"评分表编号 {code} 出现了不止一次", "每张表用不同的编号")
    for sheet in rules.review.sheets:
        for code in repeated(criterion.code for criterion in sheet.criteria):
            yield error(f"review.sheets[{sheet.code}].criteria", f"指标编号 {code} 出现了不止一次", "每项指标用不同的编号")


@contradiction("L087", _("公众投票权重过高"))
def vote_brushing(rules: CallRules, world: World) -> Iterator[Flaw]:
    weight = rules.review.mix.public_vote
    if weight > 20:
        yield warning("review.mix.public_vote", f"公众投票占 {plain(weight)}%，刷票足以改变结果", "降到 20% 以下，或只作参考")


@contradiction("L088", _("路演没有时间"))
def oral_without_minutes(rules: CallRules, world: World) -> Iterator[Flaw]:
    for stage in rules.review.stages:
        if stage.kind is StageKind.ORAL and not stage.pitch_minutes:
            yield error("review.stages[oral].pitch_minutes", "有路演答辩，却没有写陈述几分钟", "填写陈述与问答时间，各家一样")


@contradiction("L089", _("没有财务人员审预算"))
def nobody_reads_budget(rules: CallRules, world: World) -> Iterator[Flaw]:
    if not (rules.review.finance_review or rules.review.panel.finance or rules.amounts.micro):
        yield warning("review.panel.finance", "既没有财务预算审核，也没有财务专家", "增加其中之一")


@contradiction("L120", _("校准分作为正式得分"))
def calibrated_is_gamed(rules: CallRules, world: World) -> Iterator[Flaw]:
    review = rules.review
    if review.official is Official.CALIBRATED:
        message = "按专家宽严校准后的得分作为正式得分：一位专家若有意压低其他全部申报，校准反而把他所偏袒的那一份抬上去"
        yield warning("review.official", message, '改为 "trimmed"；校准分仍会作为参考一并列出')
        if not (review.trim.high and review.trim.low):
            yield error("review.trim", "校准分作为正式得分，却不去掉最高分和最低分", "各去掉至少一个")


@contradiction("L121", _("加分项重复或过高"))
def bonuses_too_high(rules: CallRules, world: World) -> Iterator[Flaw]:
    bonuses = rules.review.bonuses
    for code in repeated(bonus.code for bonus in bonuses):
        yield error("review.bonuses", f"加分项编号 {code} 出现了不止一次", "每项用不同的编号")
    if (whole := sum(bonus.cap for bonus in bonuses)) > 50:
        yield warning("review.bonuses", f"加分合计可达 {plain(whole)} 分，足以盖过专家评审", "降到 50 分以下")


def _criteria(rules: CallRules) -> Iterator[tuple[str, Criterion]]:
    for sheet in rules.review.sheets:
        for criterion in sheet.criteria:
            yield f"review.sheets[{sheet.code}].criteria[{criterion.code}]", criterion
