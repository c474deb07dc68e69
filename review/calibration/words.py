"""One sentence on how far to trust the order, in both languages. Pure."""

from __future__ import annotations

from review.calibration.findings import Words
from review.calibration.model import Connection
from review.calibration.reliability import Reliability, Share

NOTHING = Words("评分太少，不能说明专家之间的一致程度。", "There are too few ballots to say how far the experts agree.")
FLAT = Words("所有评分完全相同，没有差异，谈不上一致程度。", "All totals are equal: there is no spread to agree about.")


def reliability_words(found: Reliability | None) -> Words:
    """How far the experts agree, how sure the mean is, and how many reviews would do."""
    if found is None:
        return NOTHING
    if not found.spread:
        return FLAT
    single = found.icc2_single if found.icc2_single.value is not None else found.icc1
    if single.value is None:
        return NOTHING
    mean = found.icc2_mean
    zh = f"两位专家对同一份申报的一致程度为 {_interval(single, '，90% 区间 {} 至 {}')}（0 为全凭偶然，1 为完全一致）"
    en = f"Two experts on one bid agree by {_interval(single, ', 90 % interval {} to {}')} (0 is chance, 1 is full agreement)"
    if mean.value is not None:
        zh += f"；{found.k} 位专家的平均分，可靠程度为 {mean.value}"
        en += f"; the mean of {found.k} experts is reliable by {mean.value}"
    if found.needed is None:
        return Words(f"{zh}。增加评审份数也达不到 {found.target}。", f"{en}. No number of reviews would reach {found.target}.")
    zh += f"。要达到 {found.target}，每份申报约需 {found.needed} 位专家。"
    return Words(zh, f"{en}. To reach {found.target}, each bid needs about {found.needed} experts.")


def _interval(share: Share, words: str) -> str:
    if share.low is None or share.high is None:
        return f"{share.value}"
    return f"{share.value}{words.format(share.low, share.high)}"


def connection_words(found: Connection | None, least: int) -> Words:
    """Whether bids of different panels may be compared."""
    if found is None:
        return Words("没有评分。", "There are no ballots.")
    if found.comparable and found.groups == 1:
        return Words(
            "所有申报由互相衔接的专家评审，可以放在一起比较。", "All bids were scored by connected experts and may be compared."
        )
    if found.comparable:
        zh = f"{found.groups} 个评审组之间，每组都有不少于 {least} 份跨组评审，可以跨组比较。"
        return Words(
            zh, f"Each of the {found.groups} panels has {least} bridging reviews or more: bids may be compared across panels."
        )
    fewest = min(found.bridges.values(), default=0)
    zh = f"{found.groups} 个评审组之间衔接不足（跨组评审最少的一组 {fewest} 份，至少应有 {least} 份），校准分只能在组内比较，不作跨组排序。"
    en = f"{found.groups} panels are not bridged (fewest bridging reviews {fewest}, at least {least}): no calibrated order across panels."
    return Words(zh, en)
