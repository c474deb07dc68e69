"""A bid, from an idea to submission, filled from whatever the call's rules ask, section by section as on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from bidding import services
from bidding.completeness import asked_attachments, needs_sponsor
from bidding.models import Bid
from grants import clock
from grants.calls.models import Call
from grants.calls.rulebook.parts.timetable import months_after
from grants.desk.demo import papers
from grants.desk.demo.cast import Body
from grants.desk.demo.content import BUDGET, MICRO_BUDGET, Idea
from grants.people.services import sponsor_on

PLACES = ("望湖社区党群服务中心", "青禾街道综合养老服务中心", "幸福里社区居民活动室", "云栖苑小区架空层", "澄湖公园东门广场", "云溪公益园 2 号楼")


class Writer:
    """One bid being written. Figures vary with `luck`, a generator seeded by call and organisation."""

    def __init__(self, call: Call, body: Body, idea: Idea, ask: int, *, category: str, need: str = "") -> None:
        self.call, self.body, self.idea, self.ask = call, body, idea, ask
        self.category, self.need = category, need
        self.rules = call.rules
        self.luck = Random(f"{call.code}/{body.key}/{idea.title}")  # noqa: S311 - figures of a story, nothing secret
        self.sessions = self.luck.choice((16, 20, 24, 30, 36))
        self.persons = 12 * self.luck.randint(4, 14) if not self.rules.amounts.micro else self.luck.randint(20, 80)

    def begin(self) -> Bid:
        """A draft with its title, field, need and sponsor."""
        organisation = self.body.organisation
        sponsor = sponsor_on(organisation, clock.today()) if needs_sponsor(self.rules, organisation) else None
        return services.start_bid(
            self.call, organisation, by=self.body.person, title=self.idea.title, category=self.category, need=self.need, sponsor=sponsor
        )

    def fill(self, bid: Bid) -> Bid:
        """Everything the call asks for."""
        by = self.body.person
        for section in self.rules.forms.application:
            services.save_answers(bid, section.code, self._answers(section), by=by)
        services.save_budget(bid, self._budget(), by=by)
        services.save_kpis(bid, self._kpis(), by=by)
        services.save_team(bid, self._team(), by=by)
        for asked in asked_attachments(bid):
            if asked.required:
                self._attach(bid, asked)
        return bid

    def submit(self, bid: Bid) -> Bid:
        """Declarations accepted, handed in."""
        fresh = Bid.objects.select_related(*Bid.door_select).get(pk=bid.pk)
        return services.submit(fresh, by=self.body.person, declarations=[d.code for d in self.rules.forms.declarations])

    def _attach(self, bid: Bid, asked: Any) -> None:
        until = clock.today() + timedelta(days=900) if asked.expires else None
        scan = papers.paper(asked.media_types, asked.name, self.body.organisation.name, self.idea.title, papers.day(clock.today()))
        services.attach(bid, asked.code, scan, by=self.body.person, expires_on=until)

    def _answers(self, section: Any) -> dict[str, Any]:
        return {f.code: self._answer(f) for f in section.fields if f.kind != "file"}

    def _answer(self, field: Any) -> Any:
        if field.kind == "table":
            return self._table(field)
        known = self._figures() | self._texts()
        value = known.get(field.code) or self._plain(field)
        most = getattr(field, "max_chars", 0)
        return value[:most] if isinstance(value, str) and most else value

    def _figures(self) -> dict[str, Any]:
        start = clock.today() + timedelta(days=75)
        return {
            "persons": str(self.persons), "indirect": str(self.persons * 3), "sessions": str(self.sessions), "satisfaction": "90",
            "person_times": str(self.persons * 6), "hours": str(self.sessions * 20), "starts_on": start.isoformat(),
            "ends_on": months_after(start, self.rules.timetable.term_months).isoformat(), "place": self.luck.choice(PLACES),
            "agreed": True, "venue_hours": "36", "mentor_hours": "12", "crowd_target": "8000.00",
        }  # fmt: skip

    def _texts(self) -> dict[str, str]:
        idea, name = self.idea, self.body.organisation.name
        first, second, third = idea.acts
        return {
            "name": idea.title,
            "summary": f"面向{idea.people}，开展{first}、{second}和{third}，全年不少于 {self.sessions} 场，直接服务 {self.persons} 人。",
            "profile": f"{name}主要从事{self.body.organisation.field}，有稳定的工作人员和志愿者队伍，财务独立核算，近三年无违规记录。",
            "problem": f"{idea.trouble}。走访中，多数{idea.people}提到这一困难。",
            "target": f"{idea.people}。由社区摸底推荐，经入户核实和本人同意后建档，优先保障困难家庭。",
            "goal": f"服务期内建立名册和服务记录，使 {self.persons} 名{idea.people}得到持续支持，并形成可以延续的互助小组。",
            "risk": "活动前评估场地和天气，参加者购买意外保险；配备急救包和联络员；如遇突发事件，半小时内报告社区和主办方。",
            "change": f"以入项和结项两次问卷比较{idea.people}的社会联系与生活满意度，并访谈 6 个典型案例。",
            "volunteers": f"招募志愿者 {self.luck.randint(12, 30)} 名，上岗前培训两次，服务时长登记备查。",
            "match": "本单位自有资金和社区提供的场地折价，明细见预算表。",
            "after": "培养 6 至 8 名骨干，结项后由社区互助小组接续，所需小额经费申请社区公益基金。",
            "residents": "居民骨干参加方案讨论、轮流值班，并在结项时评议。",
            "supervision": "聘请行业督导每月一次，个案会商并留存记录。",
            "norms": "执行行业服务规范和操作流程，持证上岗，服务全程留痕。",
            "consent": "服务前签署知情同意书，个人信息单独授权，档案专柜保存，到期销毁。",
            "referral": "发现危机个案，两小时内转介至合作医疗机构或公安、妇联，并由督导跟进。",
            "story": f"您的一份支持，会让一位{idea.people}多一次被看见的机会。",
            "disclosure": "每季度在社区公告栏和线上公布进展、账目和照片（隐去个人信息）。",
            "work": f"{first}、{second}、{third}，四个月内每周一次，在居民活动室，由组员轮流负责。",
            "helpers": f"组员 6 人带头，邻居自愿参加，约 {self.persons} 名{idea.people}受益。",
        }

    def _plain(self, field: Any) -> Any:
        return {
            "number": "24", "money": "2000.00", "date": self._figures()["starts_on"], "choice": next(iter(field.options), ""),
            "multichoice": list(field.options[:1]), "yesno": True,
        }.get(str(field.kind), f"按项目方案执行：{'、'.join(self.idea.acts)}。")  # fmt: skip

    def _table(self, field: Any) -> list[dict[str, Any]]:
        if field.code == "experience":
            year = str(clock.today().year - 1)
            return [{"name": f"{self.idea.acts[0]}试点", "year": year, "funder": "街道社区建设经费", "amount": "30000.00", "result": "良好"}]
        return [self._row(field, at) for at in range(max(field.min_rows, 3))]

    def _row(self, field: Any, at: int) -> dict[str, Any]:
        act = self.idea.acts[at % 3]
        known: dict[str, Any] = {
            "name": act, "content": f"{act}：每次两小时，签到、拍照并记录", "times": str(max(self.sessions // 3, 1)), "persons": "20",
            "month": str(1 + at * 3), "work": f"{act}，完成阶段小结", "role": ("项目负责人", "社工", "财务")[at % 3],
            "duty": ("统筹与督导", "活动执行", "专账核算")[at % 3], "licence": ("中级社工师", "助理社工师", "会计")[at % 3], "days": str(120 - 30 * at),
        }  # fmt: skip
        return {c.code: known.get(c.code) or self._plain(c) for c in field.columns}

    def _budget(self) -> list[dict[str, Any]]:
        lines = [self._line(*row) for row in (MICRO_BUDGET if self.rules.amounts.micro else BUDGET)]
        if self.rules.amounts.match_share is None:
            return lines
        cash, kind = (self.ask // 2 // 12 + 1) * 12, self.ask // 5
        return [
            *lines,
            {"category": "activity", "name": "自筹活动经费", "unit_price": f"{cash // 12}.00", "quantity": "12", "source": "match_cash"},
            {"category": "venue", "name": "自有场地折价", "unit_price": f"{kind}.00", "quantity": "1", "source": "match_in_kind"},
        ]

    def _line(self, category: str, name: str, share: int, quantity: int) -> dict[str, Any]:
        price = max(Decimal(self.ask) * share / 100 // quantity, Decimal(1))
        return {"category": category, "name": name, "unit_price": f"{price:.2f}", "quantity": str(quantity), "source": "grant"}

    def _kpis(self) -> list[dict[str, Any]]:
        figures = self._figures()
        asked = [{"code": k.code, "target": figures.get(k.code, "20")} for k in self.rules.outcomes.kpis]
        group = max(self.rules.outcomes.beneficiaries, key=lambda name: len(set(name) & set(self.idea.people)))
        return [*asked, {"kind": "persons", "name": "直接受益", "target": str(self.persons), "group": group}]

    def _team(self) -> list[dict[str, Any]]:
        wanted = self.rules.eligibility.professionals
        titles: Sequence[str] = tuple(wanted.titles) if wanted else ("中级社工师", "助理社工师", "会计")
        surname = self.luck.sample("赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨", 4)
        roles = ("项目负责人", "执行社工", "财务", "志愿者督导")
        return [
            {"name": f"{s}{self.luck.choice('文慧明芳伟静丽军')}", "role": role, "qualification": titles[at % len(titles)],
             "licence_no": f"ZS{self.luck.randint(10**6, 10**7)}", "is_supervisor": at == 0}
            for at, (s, role) in enumerate(zip(surname, roles, strict=True))
        ]  # fmt: skip

