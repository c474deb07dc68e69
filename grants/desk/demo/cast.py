"""Who plays: three agencies with their staff, 24 organisations, 15 experts, two evaluators. Every name and number is invented."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password

from grants import clock
from grants.people import services, uscc
from grants.people.models import Agency, Organisation, Site, User
from grants.workflow.door import SYSTEM, perform
from review.models import Expert
from review.services import register_expert

PASSWORD = "gongchuang-2026"  # noqa: S105 - printed at every start; a demonstration answers this machine only
DIVISION = "999901"
DISTRICT = "澄江市云溪区"


@dataclass(frozen=True)
class Office:
    """An agency and one person per duty."""

    agency: Agency
    officer: User
    approver: User
    finance: User
    auditor: User


@dataclass(frozen=True)
class Body:
    """An organisation and the person who signs, writes and claims for it."""

    key: str
    organisation: Organisation
    person: User


@dataclass
class Cast:
    """Everybody by a short key."""

    offices: dict[str, Office] = field(default_factory=dict)
    bodies: dict[str, Body] = field(default_factory=dict)
    experts: dict[str, Expert] = field(default_factory=dict)
    evaluators: list[User] = field(default_factory=list)
    operators: dict[str, User] = field(default_factory=dict)
    accounts: list[tuple[str, str, str]] = field(default_factory=list)
    encoded: str = ""

    def of(self, organisation_id: Any) -> Body:
        """The body of an organisation's primary key."""
        return next(b for b in self.bodies.values() if b.organisation.pk == organisation_id)

    def account(self, username: str, name: str, what: str) -> User:
        """A new account with the one demonstration password; hashed once, because hashing is slow on purpose."""
        self.encoded = self.encoded or make_password(PASSWORD)
        self.accounts.append((username, name, what))
        address = f"{username}@{settings.DEMO_MAIL_DOMAIN}"
        return services.create_person(username=username, password=PASSWORD, name=name, email=address, encoded=self.encoded)


OFFICES = (
    ("mz", "澄江市云溪区民政局", "云溪区民政局", ("周敏", "陈国栋", "林会", "郑审")),
    ("wh", "澄江市云溪区望湖街道办事处", "望湖街道", ("吴晓岚", "何建平", "罗佳", "谢明")),
    ("qh", "澄江市云溪区青禾街道办事处", "青禾街道", ("孙倩", "马立新", "高洁", "冯正")),
)
DUTIES = (("officer", "经办"), ("approver", "负责人"), ("finance_officer", "财务"), ("auditor", "审计"))

LEGAL = (
    ("yilian", "service", "澄江市益联社会组织发展中心", "郭志远", date(2014, 6, 18), "社会组织培育"),
    ("lianhe", "association", "青禾街道社区社会组织联合会", "唐秀英", date(2017, 9, 12), "社区社会组织服务"),
    ("jijin", "foundation", "云溪社区发展基金会", "曹文博", date(2016, 4, 20), "社区发展"),
    ("xiyang", "service", "云溪区夕阳红为老服务中心", "蒋桂芳", date(2013, 3, 8), "为老服务"),
    ("xingyu", "service", "云溪区星语儿童发展中心", "沈静怡", date(2018, 7, 2), "儿童服务"),
    ("tongxing", "service", "云溪区同行助残服务中心", "韩立", date(2015, 11, 30), "助残服务"),
    ("mingli", "service", "云溪区明理法律服务中心", "许卫东", date(2019, 5, 16), "法律服务"),
    ("anxin", "service", "云溪区安心居家护理服务中心", "邓丽萍", date(2020, 1, 10), "医疗护理"),
    ("tiyu", "association", "云溪区青少年体育协会", "彭程", date(2012, 8, 8), "体育"),
    ("quyi", "association", "云溪区曲艺家协会", "苏成林", date(2011, 10, 21), "文艺"),
    ("xiju", "service", "云溪区澄湖戏剧文化服务中心", "叶知秋", date(2019, 12, 5), "文艺"),
    ("juwei", "committee", "青禾街道幸福里社区居民委员会", "魏淑兰", date(2009, 1, 1), "社区自治"),
    ("gaoxiao", "institution", "云溪职业技术学院", "钱学文", date(2003, 9, 1), "教育"),
)
GROUPS = (
    ("hechang", "recorded", "青禾街道五点钟合唱队", "杜美华", "文艺"),
    ("shuhua", "recorded", "青禾街道墨韵书画社", "程万里", "文艺"),
    ("wudao", "recorded", "青禾街道银龄舞蹈队", "宋玉兰", "文艺"),
    ("taiji", "recorded", "青禾街道晨光太极拳队", "傅长海", "体育"),
    ("jianshen", "recorded", "青禾街道健身操队", "丁红", "体育"),
    ("pingpang", "recorded", "青禾街道乒乓球队", "任大勇", "体育"),
    ("huzhu", "recorded", "青禾街道三号院互助队", "姚春梅", "邻里互助"),
    ("huayuan", "recorded", "青禾街道一米花园小组", "方青", "社区环境"),
    ("xunluo", "recorded", "青禾街道安全巡逻队", "石建军", "社区安全"),
    ("dushu", "team", "幸福里居民读书小组", "汪慧", "邻里学习"),
    ("qinzi", "team", "云栖苑亲子活动小组", "陆小雨", "亲子"),
)
ADMINISTRATORS = (("admin", "石磊", "system_admin"), ("security", "安然", "security_admin"), ("audit", "甄明", "audit_admin"))
EXPERTS = (
    *((f"S{n:02d}", "sector") for n in range(1, 9)), *((f"F{n:02d}", "finance") for n in range(1, 5)),
    *((f"P{n:02d}", "field") for n in range(1, 4)),
)  # fmt: skip
SERVED = ("为老服务", "助残服务", "儿童青少年服务", "救助帮困")
EXPERT_NAMES = ("顾维", "严明", "金兰", "白雪", "邱实", "江涛", "文静", "庄严", "钟正", "祝平", "舒畅", "田禾", "华安", "柏青", "龙飞")
PREFIX = {"association": "51", "service": "52", "foundation": "53", "institution": "12", "committee": "55", "agency": "11"}


def credit_code(number: int, kind: str) -> str:
    """A check-valid code of the fictional division 999901 (GB 32100-2015)."""
    first = f"MJD{number:05d}"
    body = f"{PREFIX[kind]}{DIVISION}{first}{uscc.organisation_check(first)}"
    return body + uscc.check_character(body)


def gather(cast: Cast) -> None:
    """Everybody, with accounts, verified and appointed, under the clock that is set."""
    for username, name, office in ADMINISTRATORS:
        services.appoint(cast.account(username, name, "平台管理员（不参与业务）"), office, Site.there(), by=SYSTEM)
    for number, (key, name, short, people) in enumerate(OFFICES, start=1):
        cast.offices[key] = _office(cast, number, key, name, short, people)
    for number, row in enumerate(LEGAL, start=11):
        cast.bodies[row[0]] = _legal(cast, number, row)
    for number, group in enumerate(GROUPS, start=1):
        cast.bodies[group[0]] = _group(cast, number, group)
    _experts(cast)
    cast.evaluators = [cast.account(f"evaluator{n}", name, "第三方评估人") for n, name in ((1, "章评"), (2, "毕竟"))]
    cast.operators = {"yilian": cast.account("operator", "尹承", "承办方（益联）"), "observer": cast.account("observer", "黎观", "监督")}


def _office(cast: Cast, number: int, key: str, name: str, short: str, people: tuple[str, ...]) -> Office:
    agency = services.create_agency(
        code=credit_code(number, "agency"), name=name, short_name=short, by=SYSTEM, address=f"{DISTRICT}政务路{number}号",
        contact=f"0755-8800{number:04d}", legal_representative=people[1],
    )  # fmt: skip
    staff = []
    for (role, duty), person in zip(DUTIES, people, strict=True):
        user = cast.account(f"{key}-{role.removesuffix('_officer')}", person, f"{short}{duty}")
        services.appoint(user, role, agency, by=SYSTEM)
        staff.append(user)
    return Office(agency, *staff)


def _legal(cast: Cast, number: int, row: tuple[Any, ...]) -> Body:
    key, kind, name, head, since, what = row
    office = cast.offices["mz"]
    person = cast.account(key, head, name)
    made = services.register_organisation(
        by=person, kind_of_body=kind, name=name, uscc=credit_code(number, kind), registered_on=since, registrar=office.agency,
        legal_representative=head, phone=f"0755-2600{number:04d}", address=f"{DISTRICT}公益路{number}号", district=DISTRICT, field=what,
        full_time_staff=4 + number % 7, business_scope=f"{what}及相关公益服务。",
    )  # fmt: skip
    made = perform(made, "submit", by=person)
    made = perform(made, "verify", by=office.officer, evidence=f"登记证书原件；社会组织政务服务平台 {clock.today()} 查询一致")
    services.set_account(made, bank="云溪农村商业银行公益园支行", number=f"62284800{number:011d}", by=person)
    return Body(key, services.verify_account(made, evidence="基本存款账户信息", by=office.finance), person)


def _group(cast: Cast, number: int, row: tuple[str, ...]) -> Body:
    key, kind, name, head, what = row
    office = cast.offices["qh"]
    person = cast.account(key, head, name)
    made = services.register_organisation(
        by=person, kind_of_body=kind, name=name, record_no=f"青禾备字〔2024〕{number:03d}号", registered_on=date(2024, 3, number),
        registrar=office.agency, legal_representative=head, phone=f"0755-2700{number:04d}", address=f"{DISTRICT}青禾街道幸福路{number}号",
        district=DISTRICT, field=what,
    )  # fmt: skip
    made = perform(made, "submit", by=person)
    made = perform(made, "verify", by=office.officer, evidence="备案登记册核对一致；负责人到场确认")
    return Body(key, made, person)


def _fields(number: int) -> list[str]:
    """Two neighbouring fields of service for each expert of the sector."""
    return [SERVED[number % len(SERVED)], SERVED[(number + 1) % len(SERVED)]]


def _experts(cast: Cast) -> None:
    office = cast.offices["mz"]
    titles = {"sector": "高级社会工作师", "finance": "注册会计师", "field": "主任医师/律师"}
    for number, ((code, seat), name) in enumerate(zip(EXPERTS, EXPERT_NAMES, strict=True), start=1):
        user = cast.account(f"expert{number:02d}", name, f"评审专家 {code}")
        employer = cast.bodies["xingyu"].organisation if code == "S01" else None
        cast.experts[code] = register_expert(
            user=user, code=code, seat=seat, agency=office.agency, by=office.officer, title=titles[seat], employer_organisation=employer,
            employer=employer.name if employer else f"澄江市第{number}研究所", fields=_fields(number) if seat == "sector" else (),
        )  # fmt: skip


def sponsor_groups(cast: Cast, until: date) -> None:
    """Every group agrees with the federation that it signs and holds the account."""
    host = cast.bodies["lianhe"]
    services.appoint(host.person, "sponsor_contact", host.organisation, by=host.person)
    for key, *_rest in GROUPS:
        group = cast.bodies[key]
        agreement = services.propose_sponsorship(
            group.organisation, host.organisation, scope="签约、收款、财务监管", by=group.person, valid_from=clock.today(), valid_to=until,
            liability="托管组织对资金安全负责，团队对项目实施负责，不收取管理费",
        )  # fmt: skip
        services.accept_sponsorship(agreement, by=host.person)


def record_checks(cast: Cast, *years: int) -> None:
    """年检结论 of those years for every registered body; the residents' committee and the college have none."""
    office = cast.offices["mz"]
    for key, kind, *_rest in LEGAL:
        if kind in ("association", "service", "foundation"):
            for year in years:
                services.record_annual_check(cast.bodies[key].organisation, year=year, result="passed", by=office.officer)
