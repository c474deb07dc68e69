"""One object of every machine, built row by row beside the door — for tests of the door itself, and for nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from bidding.models import Bid, OfficerKey, OpeningRecord, SealKey
from grants import clock
from grants.awards.models import Award, Contract, Objection, PublicNotice
from grants.calls.models import Call, Need, Question, RulesVersion
from grants.calls.rulebook import presets
from grants.documents.models import StoredFile
from grants.evaluation.models import Evaluation
from grants.funding.models import ChangeRequest, Tranche
from grants.people.models import AccountRequest, Agency, Organisation, Site, User
from grants.people.permissions import grant
from grants.people.roles import ROLES
from grants.workflow.machine import Machine
from grants.workflow.rules import PUBLIC, SYSTEM
from review.models import (
    Challenge,
    Draw,
    DrawParty,
    Expert,
    Meeting,
    OtherScore,
    Panel,
    PanelMember,
    Review,
    Ruling,
    ScoreCorrection,
    Swap,
    Voiding,
)


@dataclass
class Graph:
    """The objects by kind, and an actor for every role."""

    objects: dict[str, Machine] = field(default_factory=dict)
    actors: dict[str, Any] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)


def person(name: str) -> User:
    return User.objects.create(username=name, name=name, email=f"{name}@example.org")


def build() -> Graph:
    """Everything once. Drafter, preparer, handler… are bystanders, so that separation of duty does not hide the roles."""
    g = Graph()
    g.others["bystander"] = person("bystander")
    _scopes(g)
    _needs(g)
    _bid_side(g)
    _seal(g)
    _review_side(g)
    _award_side(g)
    _actors(g)
    return g


def _make(model: type[Machine], **columns: Any) -> Any:
    return model.objects.create(created_at=clock.now(), **columns)


def _scopes(g: Graph) -> None:
    by = g.others["bystander"]
    agency = Agency.objects.create(code="11999901MB90000157", name="澄江市云溪区民政局", short_name="云溪区民政局")
    organisation = _make(
        Organisation,
        kind_of_body="service",
        name="云溪区暖阳社工服务中心",
        uscc="52999901MJ90000226",
        registrar=agency,
        legal_representative="张三",
        phone="0000-0000000",
        address="云溪区",
    )
    host = _make(
        Organisation,
        kind_of_body="association",
        name="云溪区社会组织联合会",
        uscc="51999901MJ9000014E",
        registrar=agency,
        legal_representative="李四",
        phone="0000-0000000",
        address="云溪区",
    )
    rules = presets.load("district")
    now = clock.now()
    call = _make(
        Call,
        agency=agency,
        code="T-1",
        title="测试征集",
        drafted_by=by,
        opens_at=now - timedelta(days=9),
        questions_until=now + timedelta(days=5),
        closes_at=now + timedelta(days=9),
    )
    version = RulesVersion.objects.create(
        call=call, number=1, document=rules.canonical().decode(), hash=rules.rules_hash, created_by=by, created_at=now
    )
    call.rules_version = version
    call.save()
    question = _make(Question, call=call, organisation=organisation, asked_by=by, text="可以联合申报吗？", answer="可以。", answered_by=by)
    g.objects |= {"organisation": organisation, "call": call, "question": question}
    g.objects["account_request"] = _make(
        AccountRequest, site=Site.there(), what="dismiss", person=by, asked_by=person("asker"), asked_as="nobody"
    )
    g.others |= {"agency": agency, "host": host, "version": version}


def _needs(g: Graph) -> None:
    agency = g.others["agency"]
    need = _make(
        Need, agency=agency, number="XQ-T", title="上门护理", who="失能老人", detail="没有人上门", field="medical", street="望湖街道", people=9,
        proposer_kind="resident", merged_into=_make(
            Need, agency=agency, number="XQ-U", title="护理", who="老人", detail="同上", field="medical", street="望湖街道", people=9, proposer_kind="resident",
        ),
    )  # fmt: skip
    g.objects["need"] = need


def _bid_side(g: Graph) -> None:
    call = g.objects["call"]
    g.objects["bid"] = _make(
        Bid,
        call=call,
        organisation=g.objects["organisation"],
        sponsor=g.others["host"],
        rules_version=g.others["version"],
        title="测试项目",
    )


def _seal(g: Graph) -> None:
    """A key whose only officer is the custodian; the matrix asks who may, not what the key opens."""
    user = g.actors["custodian"] = person("custodian")
    key = OfficerKey.objects.create(user=user, recipient="age1custodian", made_at=clock.now())
    record = '{"test":{"content":""}}'
    seal = _make(SealKey, call=g.objects["call"], threshold=2, recipient="age1call", record=record, test="", made_by=g.others["bystander"])
    seal.officers.create(position=0, name="财务", user=user, key=key)
    OpeningRecord.objects.create(key=seal, document="{}", hash="0" * 64, at=clock.now(), officers=["财务"], opened=0, failed=0)
    g.objects["seal"] = seal


def _review_side(g: Graph) -> None:
    expert = Expert.objects.create(user=person("expert"), code="E01")
    panel = _make(Panel, call=g.objects["call"], name="评审组", seed="0" * 64, convened_by=g.others["bystander"])
    PanelMember.objects.create(panel=panel, expert=expert, seat="sector", chair=True)
    draw = _make(Draw, call=g.objects["call"], panel=panel, about="panel", mode="commit-reveal", published_by=g.others["bystander"], beacon_due=clock.now())
    g.actors["self"] = person("objector")
    DrawParty.objects.create(draw=draw, position=1, name="申报方代表", user=g.actors["self"])
    g.objects |= {
        "draw": draw,
        "challenge": _make(Challenge, bid=g.objects["bid"], name="王某", reason="近亲属", filed_by=g.others["bystander"]),
        "panel": panel,
        "review": _make(Review, panel=panel, bid=g.objects["bid"], expert=expert),
        "meeting": _make(Meeting, panel=panel, seed="0" * 64, draw={"order": []}),
    }
    heir = Expert.objects.create(user=person("heir"), code="E02")
    g.objects["swap"] = _make(Swap, panel=panel, review=g.objects["review"], expert=heir, reason="出差", proposed_by=g.others["bystander"])
    odd = _make(Review, panel=panel, bid=g.objects["bid"], expert=heir)
    g.objects["ruling"] = _make(Ruling, panel=panel, review=odd, outcome="exclude", reason="与材料不符", proposed_by=g.others["bystander"])
    g.objects["voiding"] = _make(Voiding, panel=panel, review=odd, why="存在劳动关系", reason="应当回避", proposed_by=g.others["bystander"])
    by = g.others["bystander"]
    score = OtherScore.objects.create(panel=panel, bid=g.objects["bid"], component="residents", value="50.00", basis="计票表", entered_by=by)
    g.objects["score_correction"] = _make(
        ScoreCorrection, panel=panel, score=score, value_before="50.00", basis_before="计票表", value="60.00", basis="计票表（复核）", reason="看错一行",
        proposed_by=by, decided_by=person("decider"),
    )  # fmt: skip
    g.actors["expert"] = expert.user


def _award_side(g: Graph) -> None:
    by, call, now = g.others["bystander"], g.objects["call"], clock.now()
    notice = PublicNotice.objects.create(
        call=call,
        number="N-1",
        title="公示",
        body={},
        published_at=now,
        ends_at=now + timedelta(days=7),
        last_day=clock.today() + timedelta(days=6),
        published_by=by,
    )
    award = _make(Award, call=call, bid=g.objects["bid"], number="A-1", amount=Decimal("1000.00"), prepared_by=by)
    objector = g.actors["self"]
    g.objects |= {
        "award": award,
        "objection": _make(
            Objection,
            call=call,
            notice=notice,
            award=award,
            number="O-1",
            filed_by=objector,
            objector_kind="person",
            objector_name="王某",
            objector_contact="某处",
            facts="事实",
            handled_by=by,
        ),
        "contract": _make(Contract, award=award, number="C-1", drafted_by=by),
        "tranche": _make(
            Tranche, award=award, number=1, percent=100, amount=Decimal("1000.00"), requested_by=by, checked_by=by, approved_by=by
        ),
        "change": _make(
            ChangeRequest, award=award, number=1, before={"lines": {}, "targets": {}}, after={"lines": {}, "targets": {}}, reason="原因",
            decider="agency", sentence="由主办方批准", requested_by=by, checked_by=by,
        ),
        "evaluation": _make(Evaluation, award=award, moment="final", evaluator=person("evaluator")),
    }
    g.actors["evaluator"] = g.objects["evaluation"].evaluator
    g.others |= {
        "notice": notice,
        "scan": StoredFile.objects.create(sha256="ab" * 32, size=1, media_type="application/pdf", created_at=now),
    }


def _actors(g: Graph) -> None:
    scopes = {
        "agency": g.others["agency"], "call": g.objects["call"], "organisation": g.objects["organisation"], "site": Site.there(),
    }  # fmt: skip
    for role in ROLES:
        user = person(role.code)
        scope = g.others["host"] if role.code == "sponsor_contact" else scopes[role.scope]
        grant(role, user, scope)
        if role.code in {"signatory", "claimant"}:  # the signing party and the payee is the sponsor in this graph
            grant(role, user, g.others["host"])
        g.actors[role.code] = user
    g.actors |= {"system": SYSTEM, "public": PUBLIC, "nobody": person("nobody")}
    g.actors["superuser"] = User.objects.create(username="super", name="super", is_superuser=True, is_staff=True)
