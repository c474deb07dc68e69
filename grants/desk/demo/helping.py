"""What stands beside a bid: questions and answers, the profile and the vault, a draft that is carried over, one that waits for a signature;
and changes of running projects. Each is left at a point where a newcomer can go on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bidding import services as bidding
from bidding.models import Bid
from grants import clock
from grants.awards.models import Award
from grants.calls import questioning
from grants.calls.models import Call
from grants.desk.demo import papers
from grants.desk.demo.cast import Body, Cast, Office
from grants.funding import services as funding
from grants.people import keeping
from grants.people import services as people
from grants.people.models import User
from grants.workflow.door import perform

QUESTIONS = (
    ("anxin", "项目专业人员可以是本机构的兼职护士吗？", "可以。须在申报书中写明执业证书编号和每周工作时间，签约前核验。"),
    ("mingli", "同一个社区可以同时申报法律援助和安宁疗护两个领域吗？", "每个单位限报的项数见征集规则；不同领域须分别申报。"),
    ("xiyang", "督导费用列在哪个预算类别？", "列入“专业服务”，单价以当地同类服务的市场价为限。"),
    ("xingyu", "服务对象可以包括暂住在本街道的居民吗？", ""),
)
"""Who asks, what, and the answer; the third is drafted and waits for its publication, the fourth for an answer."""


def ask(call: Call, cast: Cast) -> None:
    """Four organisations ask on the call's page; nobody reads who asked."""
    for key, text, _answer in QUESTIONS:
        body = cast.bodies[key]
        questioning.ask(call, body.organisation, text, by=body.person)


def answer(call: Call, office: Office) -> None:
    """The officer drafts three answers; the approver publishes two at one moment."""
    drafted = []
    for question in call.questions.order_by("created_at"):
        said = next(answer for _key, text, answer in QUESTIONS if text == question.text)
        if said:
            drafted.append(perform(question, "answer_", by=office.officer, answer=said))
    questioning.release(call, drafted[:2], by=office.approver)


def fill_vault(body: Body) -> None:
    """A profile of two paragraphs, two papers, one of which soon expires."""
    organisation, by = body.organisation, body.person
    keeping.save_story(
        organisation, by=by, projects=[{"name": "社区少年篮球营", "year": 2024, "funder": "区体育局", "amount": "30000.00", "result": "服务 260 人次"}],
        introduction="协会成立于 2012 年，长期在社区开展青少年体育活动，每年组织训练营和社区联赛，服务青少年约两千人次。",
        strengths="有持证教练和裁判二十余名，与辖区六所学校和三个社区长期合作。", staff="专职六人，注册志愿者约八十人，均经过急救培训。",
    )  # fmt: skip
    kinds = (("registration", "社会团体法人登记证书", 700), ("qualification", "社会体育指导员证书", 24))
    for kind, name, days in kinds:
        scan = papers.sheet(name, organisation.name, papers.day(clock.today()))
        keeping.keep(organisation, scan, kind=kind, by=by, name=f"{name}.pdf", expires_on=clock.today() + timedelta(days=days))


def carried_over(call: Call, body: Body, **basics: Any) -> Bid:
    """A draft that the profile and earlier bids have filled as far as they go; what was carried waits to be confirmed."""
    return bidding.start_prefilled(call, body.organisation, by=body.person, **basics)


def editor_of(cast: Cast, body: Body) -> User:
    """A colleague who writes and may not sign."""
    user = cast.account(f"{body.key}-editor", "贺小满", f"{body.organisation.name}填报人")
    people.appoint(user, "editor", body.organisation, by=body.person)
    return user


def ask_to_sign(bid: Bid, by: User) -> Bid:
    """The colleague has written everything and asks the signatory to read and sign."""
    return bidding.ask_to_sign(Bid.objects.select_related(*Bid.door_select).get(pk=bid.pk), by=by)


def extended(award: Award, cast: Cast, office: Office) -> None:
    """A change that was asked for, checked and approved: one month more, with its annex."""
    made = funding.propose_change(
        award, by=cast.of(award.bid.organisation_id).person, extension_months=1, reason="活动场地维修，三次活动顺延，需要延长一个月。"
    )
    perform(perform(made, "check_", by=office.officer), "approve", by=office.approver)


def asked_for(award: Award, cast: Cast) -> None:
    """A change that waits for the officer today."""
    funding.propose_change(
        award, by=cast.of(award.bid.organisation_id).person, extension_months=1, people="项目负责人休产假，由副负责人接替，资历相当。",
        reason="项目负责人变动，并顺延一个月。",
    )  # fmt: skip
