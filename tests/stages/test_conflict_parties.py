"""Who stands behind a bid: its own accounts and the organisations whose codes it gives bar an expert as its applicant does; names bar nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bidding.models import Bid, BidVersion
from grants import clock
from grants.people import uscc
from review import services
from review.conflict_checks import Ground, standing_hits
from review.conflicts import RelationKind as K
from review.models import Expert
from review.nodes import Body, Person
from tests.world import people, shared
from tests.world import review as world
from tests.world.review import Judged

pytestmark = pytest.mark.django_db
NUMBER = "11010519491231002X"
_BODY = "91310000MA1FL000"
_FIRST = _BODY + uscc.organisation_check(_BODY[8:])
UNKNOWN = _FIRST + uscc.check_character(_FIRST)


@pytest.fixture(scope="module")
def judged(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """Two bids, some experts; and a registered organisation that bids nowhere."""
    with shared.rows(django_db_blocker):
        yield world.judged(world.rules(name="YX-2026-P1"), n=2, sector=4, finance=1)


@pytest.fixture(autouse=True)
def the_third_day(judged: Judged) -> Iterator[None]:
    with clock.at(world.after(judged.call)):
        yield


def expert(judged: Judged, code: str = "S01") -> Expert:
    return judged.experts[code]


def hits(judged: Judged, code: str = "S01", bid: int = 0) -> list[Any]:
    return standing_hits(expert(judged, code), Bid.objects.get(pk=judged.bids[bid].pk))


def says(bid: Bid, value: Any, *, by: Any = None) -> BidVersion:
    """Another frozen version of the bid, whose first answer is this."""
    last = bid.versions.latest("number")
    content = last.content
    content["sections"][0]["fields"][0]["value"] = value
    text = json.dumps(content, ensure_ascii=False)
    return BidVersion.objects.create(
        bid=bid, number=last.number + 1, document=text, hash="0" * 64, submitted_at=last.submitted_at, submitted_by=by
    )


# --- accounts -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["written_by", "sign_asked_by", "submitted_by"])
def test_whoever_wrote_sent_or_handed_in_a_bid_does_not_judge_it(judged: Judged, part: str) -> None:
    """By the account, whatever the appointment: whoever helped for an evening has no role in the organisation."""
    bid, user = judged.bids[0], expert(judged).user
    assert hits(judged) == []
    if part == "submitted_by":
        says(bid, "没有信用代码", by=user)
        says(bid, "后来由别人再交一次", by=judged.bodies[0].signatory)
    else:
        Bid.objects.filter(pk=bid.pk).update(**{part: user})
    (found,) = hits(judged)
    assert (found.test, found.rule) == (5, "account")
    assert str(user) not in found.sentence
    assert hits(judged, bid=1) == [] and hits(judged, "S02") == []


def test_the_spouse_of_an_expert_whose_account_wrote_the_bid_is_tied_to_its_team(judged: Judged) -> None:
    """The writer need not be among the experts that are asked about."""
    Bid.objects.filter(pk=judged.bids[0].pk).update(written_by=expert(judged, "S02").user)
    services.record_tie(expert(judged), expert(judged, "S02"), K.SPOUSE, agency=judged.desk.agency, by=judged.desk.officer)
    (found,) = hits(judged)
    assert "项目团队成员" in found.sentence and str(expert(judged, "S02").user) not in found.sentence


# --- codes --------------------------------------------------------------------------------------------------------------------


def partner_of(judged: Judged) -> Any:
    return people.body(judged.desk).organisation


@pytest.mark.parametrize("typed", ["{0}", "合作单位（统一社会信用代码：{0}）", "{0} 13800000000", "{1}", "{2}", [{"name": "合作方", "code": "{0}"}]])
def test_a_partner_known_by_its_code_bars_as_the_applicant_does(judged: Judged, typed: Any) -> None:
    """However the code is typed, in whatever answer or cell: in a sentence, in groups, full-width."""
    partner = partner_of(judged)
    services.record_tie(expert(judged), partner, K.BOARD, agency=judged.desk.agency, by=judged.desk.officer, since=date(2025, 1, 1))
    assert hits(judged) == []
    code = str(partner.uscc)
    wide = "".join(chr(ord(c) + 0xFEE0) for c in code)
    shown = json.loads(json.dumps(typed).replace("{0}", code).replace("{1}", f"{code[:8]}-{code[8:17]}-{code[17]}").replace("{2}", wide))
    says(judged.bids[0], shown)
    (found,) = hits(judged)
    assert found.test == 2 and partner.name in found.sentence
    assert hits(judged, bid=1) == []


def test_the_version_that_counts_decides_and_not_the_working_copy_nor_an_earlier_one(judged: Judged) -> None:
    partner = partner_of(judged)
    services.record_tie(expert(judged), partner, K.EMPLOYED, agency=judged.desk.agency, by=judged.desk.officer)
    Bid.objects.filter(pk=judged.bids[0].pk).update(answers={"basics": {"name": partner.uscc}})
    assert hits(judged) == []
    says(judged.bids[0], str(partner.uscc))
    assert hits(judged)
    says(judged.bids[0], "补正后不再合作")
    assert hits(judged) == []


def test_a_partner_that_never_registered_is_found_in_the_graph_by_its_code(judged: Judged) -> None:
    body, person = Body(name="未登记的合作方", uscc=UNKNOWN), Person("欧阳修远", id_number=NUMBER)
    services.record_tie(person, body, K.CONTROLLER, agency=judged.desk.agency, by=judged.desk.officer)
    services.record_tie(expert(judged), person, K.SPOUSE, agency=judged.desk.agency, by=judged.desk.officer)
    says(judged.bids[0], f"与 {UNKNOWN} 联合申报")
    (found,) = hits(judged)
    assert found.test == 5 and "未登记的合作方" in found.sentence and "欧阳" not in found.sentence


def test_a_name_or_a_mistyped_code_is_no_partner(judged: Judged) -> None:
    """Only what passes both check characters and is registered or tied counts as an identity."""
    partner = partner_of(judged)
    services.record_tie(expert(judged), partner, K.EMPLOYED, agency=judged.desk.agency, by=judged.desk.officer)
    code = str(partner.uscc)
    other = code[:-1] + next(c for c in uscc.ALPHABET if c != code[-1])
    says(judged.bids[0], f"{partner.name} {other} {UNKNOWN} {NUMBER}")
    assert hits(judged) == []


def test_partners_cost_no_more_queries_with_more_bids_and_experts(judged: Judged) -> None:
    partner = partner_of(judged)
    for bid in judged.bids:
        says(bid, f"{partner.uscc} {UNKNOWN}")

    def cost(experts: list[Expert], bids: list[Bid]) -> int:
        with CaptureQueriesContext(connection) as told:
            Ground.of(experts, bids)
        return len(told)

    bids = list(Bid.objects.filter(call=judged.call).select_related("call__rules_version"))
    one = cost([expert(judged)], bids[:1])
    assert cost(list(judged.experts.values()), bids) == one <= 20
