"""Residents and committees say what is missing; the offices check, merge, publish and answer. Three fields have no project at all:
medical care, legal aid and hospice care. That is why the fourth call is about them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from grants.calls.models import Call
from grants.calls.needs import backing, services
from grants.calls.needs.models import Need
from grants.desk.demo.cast import Cast
from grants.desk.demo.diary import Diary
from grants.workflow.door import perform

SCARCE = ("medical", "legal", "hospice")


@dataclass(frozen=True)
class Wish:
    """One need to come: to which office, where, what, how many people, how many back it. who: 称呼 of a resident, "" for a committee."""

    office: str
    street: str
    community: str
    field: str
    title: str
    group: str
    detail: str
    people: int
    backed: int = 0
    who: str = ""


EARLY: tuple[Wish, ...] = (
    Wish(
        "wh", "望湖街道", "望湖里社区", "medical", "失能老人上门换药和护理", "卧床、半卧床的老人",
        "出院以后压疮和管路没有人会处理，去医院要四个人抬下楼。", 120, 14, "张女士",
    ),
    Wish("wh", "望湖街道", "湖滨社区", "elderly", "独居老人每周有人敲门", "80 岁以上独居老人", "子女在外地，病了几天才被邻居发现。", 210, 9),
    Wish("wh", "望湖街道", "湖滨社区", "governance", "加装电梯谈不拢", "老旧小区居民", "低层和高层住户各说各的，三次会都没有谈成。", 300, 6),
    Wish("wh", "望湖街道", "望湖里社区", "hospice", "失去亲人以后没有人陪", "丧亲家庭", "老伴走了一年不出门，社区不知道怎样帮。", 25, 4, "刘先生"),
    Wish("qh", "青禾街道", "幸福里社区", "environment", "楼道飞线充电有隐患", "老旧楼院居民", "夜里在楼道充电，消防通道也堵着。", 480, 8),
    Wish(
        "qh", "青禾街道", "云栖苑社区", "children", "放学到下班之间没人看孩子", "双职工家庭的小学生",
        "三点半放学，家长六点到家，老人也不在身边。", 160, 11, "陈女士",
    ),
    Wish("qh", "青禾街道", "幸福里社区", "legal", "家里出了事不知道找谁", "遇到家事纠纷的妇女和老人", "怕丢脸，也付不起律师费，一拖就是几年。", 35, 7),
    Wish("mz", "柳岸街道", "柳岸社区", "legal", "白天上班没空维权", "外来务工人员", "被拖欠工钱的人白天请不了假，晚上没有地方咨询。", 150, 10, "王先生"),
    Wish("mz", "柳岸街道", "柳岸社区", "hospice", "最后的日子想在家里过", "临终病人和家属", "医院没有床位，在家止痛、翻身、告别都没有人教。", 18, 5),
    Wish(
        "mz", "东港镇", "港南村", "medical", "村里没有人会照护卧床病人", "卧床病人和照护他们的家属",
        "最近的卫生院十二公里，护士一个月来一次。", 80, 9, "李大姐",
    ),
)  # fmt: skip
LATER: tuple[Wish, ...] = (
    Wish("wh", "望湖街道", "湖滨社区", "medical", "老人出院后没有人上门换药", "刚出院的老人", "出院小结看不懂，换药要跑三趟。", 40, 3, "周阿姨"),
    Wish("wh", "望湖街道", "湖滨社区", "legal", "遗嘱和监护该怎样立", "失能老人和独居老人", "怕被骗，也怕以后没有人替自己做主。", 60, 4),
    Wish("qh", "青禾街道", "云栖苑社区", "medical", "手术以后没有人教怎样锻炼", "术后康复的居民", "医院康复要排两个月，自己练又怕练坏。", 45, 5, "赵先生"),
    Wish("mz", "柳岸街道", "河湾社区", "disability", "离校以后的孩子没有去处", "18 岁以上心智障碍青年", "毕业就回家，父母一个人不能上班。", 22, 6),
    Wish("mz", "东港镇", "港北村", "elderly", "空巢老人吃饭凑合", "空巢老人", "一锅菜吃三天，血压血糖都高。", 95, 4),
    Wish("qh", "青禾街道", "幸福里社区", "other", "路口的路灯坏了", "晚归的居民", "报修两次没有人来。", 200, 0, "孙女士"),
)  # fmt: skip
LAST: tuple[Wish, ...] = (
    Wish(
        "wh", "望湖街道", "望湖里社区", "hospice", "想请人教家属怎样陪护重病人", "重病患者的家属",
        "不知道什么时候该送医院，什么时候该让他安静。", 30, 0, "吴女士",
    ),
    Wish("mz", "柳岸街道", "河湾社区", "medical", "慢病老人没有人提醒吃药复查", "高血压、糖尿病老人", "药吃完就停，三个月不量一次血压。", 260, 0),
)  # fmt: skip


def arrange(cast: Cast, diary: Diary) -> None:
    """Put the scenes into the diary: two waves that are screened, one that waits for the officers today."""
    for day, wishes in ((-82, EARLY), (-54, LATER)):
        diary.on(day, partial(_wave, cast, diary, wishes), hour=15)
    diary.on(-30, partial(_tidy, cast), hour=16)
    diary.on(-2, partial(_last, cast), hour=15)


def _wave(cast: Cast, diary: Diary, wishes: tuple[Wish, ...]) -> None:
    """Asked today, checked and published a week later, backed in the fortnight after."""
    asked = _ask(cast, wishes)
    diary.later(7, partial(_publish, cast, asked), hour=11)
    diary.later(20, partial(_back, asked), hour=18)


def _last(cast: Cast) -> None:
    """Asked two days ago: they wait for the officers today."""
    _ask(cast, LAST)


def _ask(cast: Cast, wishes: tuple[Wish, ...]) -> list[tuple[Wish, Need]]:
    return [(wish, _propose(cast, wish, place)) for place, wish in enumerate(wishes, start=1)]


def _propose(cast: Cast, wish: Wish, place: int) -> Need:
    reached: dict[str, Any] = {"kind": "resident", "name": wish.who, "contact": f"0755-2900{place:04d}"} if wish.who else {"kind": "committee"}
    return services.propose(
        cast.offices[wish.office].agency, title=wish.title, who=wish.group, detail=wish.detail, field=wish.field, street=wish.street,
        community=wish.community, people=wish.people, **reached,
    )  # fmt: skip


def _publish(cast: Cast, asked: list[tuple[Wish, Need]]) -> None:
    """What is a matter for somebody else is answered; the rest is checked and published."""
    for wish, need in asked:
        officer = cast.offices[wish.office].officer
        if wish.field == "other":
            perform(need, "decline", by=officer, answer="路灯维修请拨打市政热线，已代为转办。", note="不属于公益创投范围")
            continue
        perform(perform(need, "check_", by=officer), "publish", by=officer)


def _back(asked: list[tuple[Wish, Need]]) -> None:
    for wish, need in asked:
        held = Need.objects.get(pk=need.pk)
        for n in range(wish.backed if held.state == "published" else 0):
            backing.back(held, f"demo-{held.number}-{n}")


def _tidy(cast: Cast) -> None:
    """Two needs that say the same become one; one is met by a project that runs."""
    officer = cast.offices["wh"].officer
    twin, kept = (Need.objects.select_related("agency").get(title=title) for title in (LATER[0].title, EARLY[0].title))
    perform(twin, "merge", by=officer, into=kept, note="同一街道、同一类服务")
    met = Need.objects.select_related("agency").get(title=EARLY[1].title)
    perform(met, "meet", by=officer, answer="已由“敲敲门——高龄独居老人每周探访”回应，社区登记即可。")


def take_up(cast: Cast, call: Call, office: str) -> Call:
    """Write the office's open needs of the three scarce fields into a draft call's 需求指引; returns the call as it stands."""
    found = Need.objects.filter(agency=cast.offices[office].agency, state="published", field__in=SCARCE).select_related("agency")
    services.attach(list(found.order_by("number")), call, by=cast.offices[office].officer)
    return Call.objects.select_related("agency", "rules_version").get(pk=call.pk)
