"""异议 of every kind and outcome: accepted and dismissed, upheld, refused, withdrawn."""

from __future__ import annotations

from grants.awards import services
from grants.awards.models import Award, Objection, PublicNotice
from grants.desk.demo import papers
from grants.desk.demo.cast import Body, Office
from grants.workflow.door import perform

SAME_WORK = "该项目与申报单位去年在同一社区承接的服务内容、对象和照片高度重合，涉嫌重复申报，请核查。"
NOT_THERE = "申报书所列活动场地自去年起已停用，本单位为场地产权方，未与其签订任何使用协议，附书面证明。"
RUMOUR = "听说这个项目的负责人与评委相识，希望查一查，不方便留名。"
TOO_DEAR = "活动单价明显高于同类项目的市场价格，申请公开预算测算依据。"


def by_person(notice: PublicNotice, award: Award, facts: str, name: str) -> Objection:
    """A resident without an account."""
    return _fresh(services.file_objection(notice, award=award, kind="person", facts=facts, name=name, contact="由所在社区居委会转交"))


def by_unit(notice: PublicNotice, award: Award, facts: str, name: str) -> Objection:
    """A body, with its written statement."""
    paper = papers.picture("关于公示项目的异议书", name, facts[:36])
    made = services.file_objection(
        notice, award=award, kind="unit", facts=facts, name=name, contact="办公室，公函答复", upload=paper, upload_name=paper.name or ""
    )
    return _fresh(made)


def without_name(notice: PublicNotice, award: Award) -> Objection:
    """A lead, not an objection."""
    return _fresh(services.file_objection(notice, award=award, kind="anonymous", facts=RUMOUR))


def by_rival(notice: PublicNotice, award: Award, body: Body) -> Objection:
    """Another applicant, signed in, who may withdraw it."""
    made = services.file_objection(
        notice, by=body.person, award=award, kind="person", facts=TOO_DEAR, name=body.person.name, contact="系统内消息"
    )
    return _fresh(made)


def accept(objection: Objection, office: Office) -> None:
    services.accept(_fresh(objection), by=office.officer)


def refuse(objection: Objection, office: Office) -> None:
    services.refuse(_fresh(objection), "匿名材料且无具体事实，作为线索转监督人员了解，不作为异议受理。", by=office.officer)


def dismiss(objection: Objection, office: Office) -> None:
    services.dismiss(_fresh(objection), "经核查，两个项目服务对象和内容不同，照片为不同批次，异议不成立。", by=office.approver)


def uphold(objection: Objection, office: Office) -> None:
    services.uphold(_fresh(objection), "经实地核实，所列场地确无使用协议，申报内容不实，取消立项。", by=office.approver)


def withdraw(objection: Objection) -> None:
    perform(_fresh(objection), "withdraw", by=objection.filed_by, note="对方已公开测算依据。")


def _fresh(objection: Objection) -> Objection:
    return Objection.objects.select_related(*Objection.door_select).get(pk=objection.pk)
