"""Agencies, organisations and the persons in them, made through services only. Deterministic but for random ids."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import count
from typing import Any

from grants import clock
from grants.people import services, uscc
from grants.people.models import Agency, Organisation, Site, User
from grants.workflow.door import SYSTEM, perform

PASSWORD = "yunxi-Chuangtou-2026"
_numbers = count(1)


@dataclass(frozen=True)
class Office:
    """An agency and its people, one per duty."""

    agency: Agency
    officer: User
    approver: User
    finance: User
    auditor: User


@dataclass(frozen=True)
class Trio:
    """The three administrators, three persons."""

    system: User
    security: User
    audit: User


@dataclass(frozen=True)
class Body:
    """An organisation and its people."""

    organisation: Organisation
    signatory: User


def person(name: str = "某某", **more: Any) -> User:
    """An account with a unique user name and an address."""
    username = f"user{next(_numbers)}"
    return services.create_person(username=username, password=PASSWORD, name=name, email=f"{username}@demo.invalid", **more)


def credit_code(number: int, prefix: str = "52") -> str:
    """A check-valid code in the fictional division 999901. prefix: 51 association, 52 service, 53 foundation, 11 agency."""
    first = f"MJ9{number:05d}"
    body = f"{prefix}999901{first}{uscc.organisation_check(first)}"
    return body + uscc.check_character(body)


def agency(name: str = "") -> Agency:
    """An agency set up by the installation."""
    number = next(_numbers)
    name = name or f"云溪区第{number}街道办事处"
    return services.create_agency(code=credit_code(number, "11"), name=name, short_name=name[-8:], by=SYSTEM)


def office(name: str = "") -> Office:
    """An agency with officer, approver, finance officer and auditor."""
    held = agency(name)
    staff = {role: person(title) for role, title in (
        ("officer", "经办甲"), ("approver", "负责人乙"), ("finance_officer", "财务丙"), ("auditor", "审计丁"),
    )}  # fmt: skip
    for role, user in staff.items():
        services.appoint(user, role, held, by=SYSTEM)
    return Office(held, staff["officer"], staff["approver"], staff["finance_officer"], staff["auditor"])


def trio() -> Trio:
    """One administrator of each kind, made by the installation."""
    three = {office: person(name) for office, name in (("system_admin", "系统甲"), ("security_admin", "安全乙"), ("audit_admin", "审计丙"))}
    for office, user in three.items():
        services.appoint(user, office, Site.there(), by=SYSTEM)
    return Trio(*three.values())


def vouched(name: str = "某某", **more: Any) -> User:
    """An account whose identity a 系统管理员 has checked."""
    user = person(name, **more)
    user.vouched_at = clock.now()
    user.save(update_fields=["vouched_at"])
    return user


def appointed(role: str, scope: Any, name: str = "", *, by: Any = SYSTEM) -> User:
    """A new person with one role on a scope."""
    user = person(name or role)
    services.appoint(user, role, scope, by=by)
    return user


def particulars(registrar: Agency, **more: Any) -> dict[str, Any]:
    """What a registered social-work body fills in; `more` overrides."""
    number = next(_numbers)
    return {
        "kind_of_body": "service",
        "name": f"云溪区第{number}社会工作服务中心",
        "uscc": credit_code(number),
        "registered_on": date(2020, 5, 18),
        "registrar": registrar,
        "legal_representative": "李某",
        "phone": f"0755-{number:08d}",
        "address": f"澄江市云溪区望湖路{number}号",
        "district": "云溪区",
        "full_time_staff": 6,
        **more,
    }


def body(desk: Office, **more: Any) -> Body:
    """A verified organisation, its founder as signatory, editor and claimant. A legal person also has a verified account."""
    founder = person("签署人")
    made = services.register_organisation(by=founder, **particulars(desk.agency, **more))
    made = perform(made, "submit", by=founder)
    made = perform(made, "verify", by=desk.officer, evidence="登记证书原件;中国社会组织政务服务平台 2026-03-01 查询一致")
    if made.is_legal_person:
        services.set_account(made, bank="云溪农商银行望湖支行", number="6217000010001234567", by=founder)
        made = services.verify_account(made, evidence="开户许可证", by=desk.finance)
    return Body(made, founder)


def group(desk: Office, sponsor: Body | None = None, **more: Any) -> Body:
    """A recorded group (备案), with an accepted agreement with `sponsor` through the end of 2027 when one is given."""
    number = next(_numbers)
    kind = {"kind_of_body": "recorded", "uscc": "", "record_no": f"云备{number:04d}", "name": f"望湖第{number}邻里互助队"}
    made = body(desk, **{**kind, **more})
    if sponsor is not None:
        sponsored(made, sponsor)
    return made


def sponsored(member: Body, sponsor: Body, *, valid_from: date = date(2026, 1, 1), valid_to: date = date(2027, 12, 31)) -> Any:
    """An accepted agreement between a group and its sponsor."""
    agreement = services.propose_sponsorship(
        member.organisation,
        sponsor.organisation,
        scope="签约、收款、财务监管",
        liability="托管组织对资金安全负责,团队对实施负责",
        valid_from=valid_from,
        valid_to=valid_to,
        by=member.signatory,
    )
    return services.accept_sponsorship(agreement, by=sponsor.signatory)


def checked(member: Body, desk: Office, *years: int, result: str = "passed") -> None:
    """Annual checks of those years."""
    for year in years:
        services.record_annual_check(member.organisation, year=year, result=result, by=desk.officer)
