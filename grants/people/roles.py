"""Roles: readable classes, so that someone who does not program can approve them (design §5).

A role has a code, a name, a scope it is held on, permissions on that scope, and a sentence that says what its holder must
never do.
Separation of duty ("must never") is enforced in the machines' `by` rules, also for superusers, who have no business role at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from grants.workflow.refusals import Sentence

AGENCY, CALL, ORGANISATION, SITE = "agency", "call", "organisation", "site"


@dataclass(frozen=True)
class Role:
    """A role on a scope. `permissions` are codenames granted on the scope object through its direct-FK permission table."""

    code: str
    name: Sentence
    scope: str
    permissions: tuple[str, ...]
    may: Sentence
    never: Sentence


ROLES: tuple[Role, ...] = (
    Role(
        "officer",
        _("主办方经办"),
        AGENCY,
        ("draft_calls", "screen_bids", "convene_panels", "prepare_awards", "handle_objections", "check_tranches",
         "verify_organisations", "read_calls"),
        _("起草公告、审查资格、组织评审、拟定立项、核对拨款条件"),
        _("审批自己起草的事项；评分"),
    ),
    Role(
        "approver",
        _("主办方负责人"),
        AGENCY,
        ("approve_calls", "confirm_awards", "decide_objections", "sign_contracts", "approve_tranches", "confirm_evaluations",
         "read_calls"),
        _("发布公告、批准立项、签署协议、批准拨款、确认评估"),
        _("起草同一事项"),
    ),
    Role(
        "finance_officer",
        _("财务"),
        AGENCY,
        ("pay_tranches", "verify_accounts", "read_calls"),
        _("核验账户、付款、对账"),
        _("支付自己核对或批准的拨款；批准立项"),
    ),
    Role("auditor", _("审计"), AGENCY, ("audit", "read_calls"), _("开标后查阅全部记录、下载资料"), _("写入任何内容")),
    Role(
        "operator",
        _("承办方"),
        CALL,
        ("screen_bids", "convene_panels", "supervise"),
        _("受理、资格预审、组织评审与督导"),
        _("在本次征集中申报；评估自己的服务；付款"),
    ),
    Role("observer", _("监督"), CALL, ("observe",), _("监督抽取与评审过程、记录异议"), _("评分")),
    Role(
        "editor",
        _("申报单位填报人"),
        ORGANISATION,
        ("write_bids", "see_bids"),
        _("填写申报书、报告"),
        _("查看其他单位未公开内容"),
    ),
    Role(
        "viewer",
        _("申报单位查阅人"),
        ORGANISATION,
        ("see_bids",),
        _("查阅本单位的申报书、回执和进度"),
        _("填写、提交或签署任何内容"),
    ),
    Role("claimant", _("申报单位财务"), ORGANISATION, ("claim", "see_bids"), _("申请拨款、登记支出与票据"), _("核对或批准拨款")),
    Role(
        "signatory",
        _("申报单位签署人"),
        ORGANISATION,
        ("sign_for", "see_bids"),
        _("提交申报书、签署协议、同意核减"),
        _("代表其他单位签署"),
    ),
    Role("sponsor_contact", _("枢纽/托管组织"), ORGANISATION, ("sponsor",), _("为挂靠团队签约、收款"), _("评审所托管团队的项目")),
    Role(
        "system_admin",
        _("系统管理员"),
        SITE,
        ("keep_accounts", "keep_agencies", "watch_system"),
        _("开立和停用账号并核对身份、建立主办方、查看运行状况并重做失败的事项"),
        _("任免角色、查看安全日志、参与任何征集"),
    ),
    Role(
        "security_admin",
        _("安全管理员"),
        SITE,
        ("appoint_staff", "unlock_accounts"),
        _("任免主办方人员、解除登录锁定、与系统管理员共同任免管理员和重设第二重验证"),
        _("开立账号、查看安全日志、参与任何征集"),
    ),
    Role(
        "audit_admin",
        _("审计管理员"),
        SITE,
        ("read_security_log",),
        _("查看并下载安全日志：登录、失败、锁定、任免、下载"),
        _("改动任何内容、参与任何征集"),
    ),
)

BY_CODE: dict[str, Role] = {role.code: role for role in ROLES}

# Roles that are not appointments but follow from a record: an assignment, a nomination, or nothing at all.
CONTEXT_ROLES: dict[str, Sentence] = {
    "expert": _("评审专家"),
    "evaluator": _("评估人"),
    "custodian": _("开标人"),
    "system": _("系统时钟"),
    "public": _("公众"),
    "self": _("本人"),
    "administrator": _("系统管理员"),  # in entries written before the three administrators were separated
}


def permissions_on(scope: str) -> list[tuple[str, str]]:
    """(codename, description) of every permission on a scope type, for the scope model's Meta.permissions."""
    names = dict.fromkeys(p for role in ROLES if role.scope == scope for p in role.permissions)
    return [(name, name.replace("_", " ")) for name in names]


def holders_of(permission: str) -> frozenset[str]:
    """Codes of the roles that carry a permission."""
    return frozenset(role.code for role in ROLES if permission in role.permissions)


def name_of(code: str) -> str:
    """The Chinese name of a role code."""
    return str(BY_CODE[code].name if code in BY_CODE else CONTEXT_ROLES[code])
