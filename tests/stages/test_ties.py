"""关系网: who is who, what a tie is, and which paths bar an expert from a bid — and that the ledger names nobody."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from grants import clock
from grants.calls.rulebook.toml import from_data
from grants.ledger.models import AuditEvent
from grants.people.identity import check_character
from grants.workflow.refusals import Invalid, NotNow, NotYou
from review import services
from review.conflict_checks import Ground, standing_hits
from review.conflicts import RelationKind as K
from review.models import ConflictHit, Expert, Node, Tie
from review.nodes import Body, Person, find
from tests.world import people, shared
from tests.world import review as world
from tests.world.review import Judged

pytestmark = pytest.mark.django_db
NUMBER = "11010519491231002X"
OTHER_NUMBER = "11010519491231004" + check_character("11010519491231004")


@pytest.fixture(scope="module")
def judged(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """Two bids, some experts, three steps allowed."""
    with shared.rows(django_db_blocker):
        value = world.rules(name="YX-2026-T1")
        plain = value.plain()
        panel = {**plain["review"]["panel"], "conflict_edges": 3}
        yield world.judged(from_data({**plain, "review": {**plain["review"], "panel": panel}}), n=2, sector=4, finance=1)


@pytest.fixture(autouse=True)
def the_third_day(judged: Judged) -> Iterator[None]:
    with clock.at(world.after(judged.call)):
        yield


def tied(judged: Judged, left: Any, right: Any, kind: K, **more: Any) -> Tie:
    return services.record_tie(left, right, kind, agency=judged.desk.agency, by=judged.desk.officer, **more)


def expert(judged: Judged, code: str = "S01") -> Expert:
    return judged.experts[code]


def hits(judged: Judged, code: str = "S01", bid: int = 0) -> list[Any]:
    return standing_hits(expert(judged, code), judged.bids[bid])


# --- who is who -----------------------------------------------------------------------------------------------------------


def test_a_person_is_the_keyed_hash_of_the_number_and_nothing_of_it_is_kept(judged: Judged) -> None:
    """The table holds neither number nor name in the clear, and no bare hash that could be tried."""
    tied(judged, expert(judged), Person("欧阳修远", id_number=NUMBER), K.SPOUSE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM review_node")
        stored = repr(cursor.fetchall())
    assert NUMBER not in stored
    assert "欧阳" not in stored
    assert hashlib.sha256(NUMBER.encode()).hexdigest() not in stored
    assert Node.objects.exclude(mark="").get().name == "欧阳修远"
    assert str(Node.objects.exclude(mark="").get()) == "欧*"


def test_the_same_number_is_one_person_whatever_the_name_and_another_number_another(judged: Judged) -> None:
    tied(judged, expert(judged), Person("张三", id_number=NUMBER), K.SPOUSE)
    tied(judged, expert(judged, "S02"), Person("张三（曾用名）", id_number=NUMBER.lower()), K.COLLATERAL)
    tied(judged, expert(judged, "S03"), Person("张三", id_number=OTHER_NUMBER), K.COLLATERAL)
    assert Node.objects.exclude(mark="").count() == 2


def test_a_name_alone_is_nobody_and_in_an_organisation_it_is_one(judged: Judged) -> None:
    with pytest.raises(Invalid) as told:
        tied(judged, expert(judged), Person("张三"), K.SPOUSE)
    assert told.value.rule == "tie_right"
    at = judged.bodies[0].organisation
    tied(judged, expert(judged), Person("张 三", at=at), K.SPOUSE)
    tied(judged, expert(judged, "S02"), Person("张三", at=Body(uscc=at.uscc)), K.SPOUSE)
    tied(judged, expert(judged, "S03"), Person("张三", at=judged.bodies[1].organisation), K.SPOUSE)
    assert Node.objects.exclude(mark="").count() == 2


def test_a_body_is_its_code_then_its_record_number_then_its_name(judged: Judged) -> None:
    """A registered code is the registered organisation; names are folded; different codes are never one."""
    ours = judged.bodies[0].organisation
    assert find(Body(name="某社")) is None
    tied(judged, expert(judged), Body(uscc=ours.uscc), K.EMPLOYED)
    assert Node.objects.get(kind="body").organisation == ours
    tied(judged, expert(judged), Body(name="(上海)陽光社"), K.EMPLOYED)
    tied(judged, expert(judged, "S02"), Body(name="（上海）阳光社"), K.EMPLOYED)
    assert Node.objects.filter(kind="body", organisation=None).count() == 1


def test_a_body_recorded_before_it_registered_is_the_bidder_afterwards(judged: Judged) -> None:
    """Its row was made when nobody had registered; the bidder's code finds it all the same."""
    ours = judged.bodies[0].organisation
    code, ours.uscc = ours.uscc, "52999901MJ90000226"
    ours.save(update_fields=["uscc"])
    tied(judged, expert(judged), Body(name="当时没有登记", uscc=code), K.BOARD)
    assert hits(judged) == []
    ours.uscc = code
    ours.save(update_fields=["uscc"])
    assert [h.test for h in hits(judged)] == [2]


# --- what is refused ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right", "kind", "more", "rule"),
    [
        ("expert", "ours", "friendship", {}, "tie_kind"), ("expert", "ours", K.DECLARED, {}, "tie_kind"),
        ("ours", "theirs", K.EMPLOYED, {}, "tie_kind"), ("expert", "person", K.SPONSOR, {}, "tie_kind"),
        ("expert", "ours", K.SPOUSE, {}, "tie_kind"), ("ours", "person", K.CONTROLLER, {}, "tie_kind"),
        ("expert", "nobody", K.SPOUSE, {}, "tie_right"), ("expert", "mistyped", K.SPOUSE, {}, "tie_right"),
        ("expert", "nothing", K.EMPLOYED, {}, "tie_right"), ("ours", "ours", K.DISPUTE, {}, "tie_right"),
        ("expert", "ours", K.EMPLOYED, {"since": date(2026, 1, 2), "until": date(2026, 1, 1)}, "tie_until"),
        ("expert", "ours", K.EMPLOYED, {"source": "rumour"}, "tie_source"),
        ("expert", "ours", K.EMPLOYED, {"source": "challenged"}, "tie_evidence"),
    ],
)  # fmt: skip
def test_what_is_no_tie_is_refused_by_its_field_and_leaves_nothing(
    judged: Judged, left: str, right: str, kind: Any, more: Any, rule: str
) -> None:
    parties: dict[str, Any] = {
        "expert": expert(judged), "ours": judged.bodies[0].organisation, "theirs": judged.bodies[1].organisation,
        "person": Person("张三", id_number=NUMBER), "nobody": Person("张三"), "mistyped": Person("张三", id_number="110105194912310021"),
        "nothing": Body(),
    }  # fmt: skip
    before = AuditEvent.objects.count()
    with pytest.raises(Invalid) as told:
        tied(judged, parties[left], parties[right], kind, **more)
    assert told.value.rule == rule
    assert NUMBER[:17] not in str(told.value)
    assert (Tie.objects.count(), AuditEvent.objects.count()) == (0, before)


def test_only_who_keeps_the_pool_records_ends_and_withdraws(judged: Judged) -> None:
    tie = tied(judged, expert(judged), judged.bodies[0].organisation, K.EMPLOYED)
    for who in (judged.desk.finance, judged.bodies[0].signatory, expert(judged).user, people.person("路人")):
        with pytest.raises(NotYou):
            services.record_tie(expert(judged), judged.bodies[1].organisation, K.EMPLOYED, agency=judged.desk.agency, by=who)
        with pytest.raises(NotYou):
            services.end_tie(tie, date(2026, 1, 1), agency=judged.desk.agency, by=who)
        with pytest.raises(NotYou):
            services.withdraw_tie(tie, "误录", agency=judged.desk.agency, by=who)
    assert Tie.objects.get().until is None


def test_the_database_refuses_what_the_service_would(judged: Judged) -> None:
    tie = tied(judged, expert(judged), judged.bodies[0].organisation, K.EMPLOYED, since=date(2025, 1, 1))
    for wrong in ({"until": date(2024, 1, 1)}, {"right_id": tie.left_id}, {"withdrawn_at": clock.now()}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Tie.objects.filter(pk=tie.pk).update(**wrong)
    with pytest.raises(IntegrityError), transaction.atomic():
        Node.objects.create(kind="person")


# --- recorded, ended, withdrawn ---------------------------------------------------------------------------------------------


def test_the_ledger_names_kind_and_rows_and_nobody(judged: Judged) -> None:
    tie = tied(judged, expert(judged), Person("欧阳修远", id_number=NUMBER), K.SPOUSE, since=date(2001, 5, 1), evidence="户口簿")
    event = AuditEvent.objects.get(subject=tie.subject)
    leaf = bytes(event.leaf).decode()
    assert event.event == "tie.record"
    for secret in ("欧阳", NUMBER, "户口簿", "2001-05-01", expert(judged).code):
        assert secret not in leaf
    assert '"kind":"spouse"' in leaf


def test_the_same_tie_again_is_the_same_row_and_no_second_entry(judged: Judged) -> None:
    first = tied(judged, expert(judged), judged.bodies[0].organisation, K.EMPLOYED, since=date(2025, 1, 1))
    events = AuditEvent.objects.count()
    assert tied(judged, expert(judged), judged.bodies[0].organisation, K.EMPLOYED, since=date(2025, 1, 1)) == first
    assert AuditEvent.objects.count() == events
    person = Person("张三", id_number=NUMBER)
    spouse = tied(judged, expert(judged), person, K.SPOUSE)
    assert tied(judged, person, expert(judged), K.SPOUSE) == spouse, "kinship has no direction"
    assert Tie.objects.count() == 2


def test_an_ended_tie_counts_for_three_years_and_a_withdrawn_one_not_at_all(judged: Judged) -> None:
    """To the day: the look-back begins three years before the bid was submitted."""
    tie = tied(judged, expert(judged), judged.bodies[0].organisation, K.EMPLOYED)
    assert [h.test for h in hits(judged)] == [1]
    submitted = judged.bids[0].submitted_at.astimezone(clock.TZ).date()
    start = submitted.replace(year=submitted.year - 3)
    services.end_tie(tie, start, agency=judged.desk.agency, by=judged.desk.officer)
    assert hits(judged)
    services.end_tie(tie, start - timedelta(days=1), agency=judged.desk.agency, by=judged.desk.officer)
    assert hits(judged) == []
    services.end_tie(tie, start, agency=judged.desk.agency, by=judged.desk.officer)
    services.withdraw_tie(tie, "登记错人", agency=judged.desk.agency, by=judged.desk.officer)
    assert hits(judged) == []
    with pytest.raises(NotNow):
        services.withdraw_tie(tie, "再撤", agency=judged.desk.agency, by=judged.desk.officer)
    with pytest.raises(NotNow):
        services.end_tie(tie, start, agency=judged.desk.agency, by=judged.desk.officer)
    tied(judged, expert(judged), judged.bodies[0].organisation, K.EMPLOYED)
    assert hits(judged), "recorded anew after it was withdrawn"


# --- paths ------------------------------------------------------------------------------------------------------------------


def test_the_spouse_of_the_registered_legal_representative_is_the_fourth_test(judged: Judged) -> None:
    """Nobody recorded who leads the bidder as a tie: its register says so, and the name in that organisation is the person."""
    ours = judged.bodies[0].organisation
    tied(judged, expert(judged), Person(ours.legal_representative, at=ours), K.SPOUSE)
    found = hits(judged)
    assert [h.test for h in found] == [4]
    assert ours.legal_representative not in found[0].sentence
    assert hits(judged, bid=1) == []


def test_three_steps_are_followed_where_the_rules_say_so_and_no_person_is_named(judged: Judged) -> None:
    """Spouse, employed at a foundation, which sponsors the bidder; the sentence names the foundation and nobody."""
    person, fund = Person("欧阳修远", id_number=NUMBER), Body(name="云溪慈善基金会")
    tied(judged, expert(judged), person, K.SPOUSE, since=date(2010, 1, 1))
    tied(judged, person, fund, K.EMPLOYED)
    tied(judged, fund, judged.bodies[0].organisation, K.CONTROLLER)
    (found,) = hits(judged)
    assert (found.test, len(found.evidence)) == (5, 3)
    assert "欧阳" not in found.sentence
    for word in ("该亲属", "云溪慈善基金会", "夫妻关系", "控股或实际控制关系", "自 2010-01-01 起"):
        assert word in found.sentence


def test_two_steps_are_the_limit_where_the_rules_say_nothing() -> None:
    plain = world.judged(world.rules(name="YX-2026-T2"), n=1, sector=2, finance=0)
    with clock.at(world.after(plain.call)):
        person, fund = Person("欧阳修远", id_number=NUMBER), Body(name="云溪慈善基金会")
        tied(plain, plain.experts["S01"], person, K.SPOUSE)
        tied(plain, person, fund, K.EMPLOYED)
        tied(plain, fund, plain.bodies[0].organisation, K.CONTROLLER)
        assert standing_hits(plain.experts["S01"], plain.bids[0]) == []
        tied(plain, person, plain.bodies[0].organisation, K.BOARD)
        assert [h.test for h in standing_hits(plain.experts["S01"], plain.bids[0])] == [5]


def test_whoever_controls_what_controls_the_bidder_is_the_third_test_and_not_the_other_way_round(judged: Judged) -> None:
    holding = Body(name="云溪控股", uscc="91999901MA0000001X")
    tied(judged, expert(judged), holding, K.CONTROLLER)
    tied(judged, holding, judged.bodies[0].organisation, K.CONTROLLER)
    assert [h.test for h in hits(judged)] == [3]
    tied(judged, expert(judged, "S02"), holding, K.EMPLOYED)
    assert [h.test for h in hits(judged, "S02")] == [5]


def test_a_page_of_experts_and_bids_costs_the_same_queries_as_one(judged: Judged, django_assert_max_num_queries: Any) -> None:
    for code in ("S01", "S02", "S03", "S04"):
        tied(judged, expert(judged, code), judged.bodies[0].organisation, K.CONSULTED)
    with django_assert_max_num_queries(20):
        ground = Ground.of(judged.experts.values(), judged.bids)
    assert all(ground.hits(expert(judged, code), judged.bids[0]) for code in ("S01", "S02", "S03", "S04"))


def test_a_finding_kept_over_a_tie_stands_until_two_dismiss_it_whatever_becomes_of_the_tie(judged: Judged) -> None:
    """An officer who withdraws the tie has not cleared the expert; dismissal by two has, and stays when the tie is only ended later."""
    panel = world.convened(judged.call, judged.desk.officer)
    member = panel.members.first().expert
    tie = tied(judged, member, judged.bodies[0].organisation, K.CONSULTED)
    services.check_conflicts(panel, by=judged.desk.officer)
    hit = ConflictHit.objects.get(expert=member, bid=judged.bids[0])
    assert hit.ties == [tie.pk]
    services.withdraw_tie(tie, "误录", agency=judged.desk.agency, by=judged.desk.officer)
    (left,) = standing_hits(member, judged.bids[0])
    assert left.sentence == hit.sentence
    services.propose_dismissal(hit, "误录，已撤回", by=judged.desk.officer)
    services.dismiss_hit(hit, "核实", by=judged.desk.approver)
    assert standing_hits(member, judged.bids[0]) == []
