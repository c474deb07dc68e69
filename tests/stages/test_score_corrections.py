"""An entered score is corrected by two: proposed with its reason, confirmed by another officer; until then the old one counts (ADR 34)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from grants import clock
from grants.ledger.models import AuditEvent
from grants.people.models import User
from grants.workflow.door import perform
from grants.workflow.refusals import Invalid, NotNow, NotYou
from review import services
from review.models import OtherScore, Panel, ScoreCorrection
from review.other_scores import commitment_of, committed
from review.pages import waiting
from tests.world import packages, people, shared
from tests.world import review as world
from tests.world.review import Judged

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[Judged, Panel, User]]:
    """Two bids, experts 80 %, residents 20 %; every ballot is in, residents gave 80.00 each; a second officer."""
    with shared.rows(django_db_blocker):
        judged = world.judged(world.rules(residents=20, mix={"experts": "80.00", "residents": "20.00"}), n=2, sector=5, finance=1)
        panel = world.started(judged.call, judged.desk.officer)
        with clock.at(world.after(judged.call, 5)):
            world.all_scored(panel)
            world.others_entered(panel, judged.desk.officer)
        yield judged, panel, people.appointed("officer", judged.desk.agency, "经办戊")


@pytest.fixture
def judged(made: tuple[Judged, Panel, User]) -> Iterator[Judged]:
    with clock.at(world.after(made[0].call, 6)):
        yield made[0]


@pytest.fixture
def panel(judged: Judged, made: tuple[Judged, Panel, User]) -> Panel:
    return Panel.objects.select_related(*Panel.door_select).get(pk=made[1].pk)


@pytest.fixture
def second(made: tuple[Judged, Panel, User]) -> User:
    return User.objects.get(pk=made[2].pk)


@pytest.fixture
def score(panel: Panel, judged: Judged) -> OtherScore:
    return OtherScore.objects.get(panel=panel, bid=judged.bids[0])


def proposed(score: OtherScore, by: User, value: str = "60.00", **more: str) -> ScoreCorrection:
    words = {"basis": "计票表 2026-04-02 复核", "reason": "看错一行", **more}
    return services.propose_correction(score, Decimal(value), by=by, **words)


def now(score: OtherScore) -> OtherScore:
    return OtherScore.objects.get(pk=score.pk)


def of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_one_proposes_another_confirms_and_until_then_the_old_score_counts(score: OtherScore, judged: Judged, second: User) -> None:
    old = committed(score)
    made = proposed(score, judged.desk.officer)
    assert (now(score).value, committed(now(score))) == (Decimal("80.00"), old)
    made = perform(made, "confirm", by=second)
    fresh = now(score)
    assert (made.state, made.proposed_by_id, made.decided_by_id) == ("confirmed", judged.desk.officer.pk, second.pk)
    assert (fresh.value, fresh.basis, fresh.entered_by_id) == (Decimal("60.00"), "计票表 2026-04-02 复核", judged.desk.officer.pk)
    assert (made.value_before, made.basis_before, made.reason) == (Decimal("80.00"), "计票表 2026-04-02", "看错一行")
    assert commitment_of(made.salt_before, score.component, made.value_before) == old != committed(fresh)


def test_the_log_has_both_commitments_in_the_clear_and_both_scores_only_in_its_private_part(score: OtherScore, judged: Judged, second: User) -> None:
    """Proposal and confirmation say the same, each under its own person; nothing about a value stands in a leaf."""
    old = committed(score)
    perform(proposed(score, judged.desk.officer, "61.50"), "confirm", by=second)
    events = list(AuditEvent.objects.filter(event__startswith="score_correction.").order_by("id"))
    leaves = [json.loads(bytes(e.leaf)) for e in events]
    public = {"panel": str(score.panel_id), "bid": str(score.bid_id), "component": "residents", "from": old, "score": committed(now(score))}
    assert [(leaf["event"], leaf["actor"], leaf["public"]) for leaf in leaves] == [
        ("score_correction.open", str(judged.desk.officer.pseudonym), public), ("score_correction.confirm", str(second.pseudonym), public),
    ]  # fmt: skip
    for event in events:
        assert not any(word in bytes(event.leaf).decode() for word in ("61.5", "80.00", "复核", "看错"))
        private = bytes(event.payload.body).decode()
        assert all(word in private for word in ("61.50", "80.00", "复核", "看错一行"))


def test_nobody_confirms_or_declines_their_own_and_only_the_proposer_withdraws(score: OtherScore, judged: Judged, second: User) -> None:
    made = proposed(score, judged.desk.officer)
    for verb, details in (("confirm", {}), ("refuse", {"reason": "不对"})):
        with pytest.raises(NotYou) as told:
            perform(made, verb, by=judged.desk.officer, **details)
        assert told.value.rule == "not_proposed_by"
    with pytest.raises(NotNow) as told:
        perform(made, "withdraw", by=second)
    assert told.value.rule == "proposed_it"
    assert perform(made, "withdraw", by=judged.desk.officer).state == "withdrawn"
    assert now(score).value == Decimal("80.00")
    with pytest.raises(NotNow):
        perform(made, "confirm", by=second)


@pytest.mark.parametrize("who", ["approver", "finance", "auditor", "expert", "elsewhere", "bidder"])
def test_whoever_may_not_enter_scores_neither_proposes_nor_confirms(who: str, score: OtherScore, judged: Judged) -> None:
    strangers = {
        "expert": next(iter(judged.experts.values())).user, "bidder": judged.bodies[0].signatory, "approver": judged.desk.approver,
        "finance": judged.desk.finance, "auditor": judged.desk.auditor,
    }  # fmt: skip
    user = strangers.get(who) or people.appointed("officer", people.agency("别处街道办事处"))
    with pytest.raises(NotYou):
        proposed(score, user)
    made = proposed(score, judged.desk.officer)
    for verb, details in (("confirm", {}), ("refuse", {"reason": "不对"}), ("withdraw", {})):
        with pytest.raises(NotYou):
            perform(made, verb, by=user, **details)
    assert now(score).value == Decimal("80.00")


def test_a_correction_is_declined_with_a_reason_and_changes_nothing(score: OtherScore, judged: Judged, second: User) -> None:
    made = proposed(score, judged.desk.officer)
    with pytest.raises(Invalid) as told:
        perform(made, "refuse", by=second, reason="  ")
    assert told.value.rule == "reason_given"
    made = perform(made, "refuse", by=second, reason="计票表上就是 80")
    assert (made.state, made.decision, now(score).value) == ("refused", "计票表上就是 80", Decimal("80.00"))
    assert proposed(score, judged.desk.officer).state == "proposed", "and may be proposed anew"


@pytest.mark.parametrize(("change", "rule"), [
    ({"reason": "  "}, "reason_given"), ({"basis": " "}, "other_score_basis"), ({"value": "100.01"}, "other_score_value"),
    ({"value": "1.005"}, "other_score_value"), ({"value": "80.00", "basis": "计票表 2026-04-02"}, "other_score_same"),
])  # fmt: skip
def test_a_proposal_names_what_is_wrong_with_it(change: dict[str, str], rule: str, score: OtherScore, judged: Judged) -> None:
    with pytest.raises(Invalid) as told:
        proposed(score, judged.desk.officer, **change)
    assert told.value.rule == rule
    assert not ScoreCorrection.objects.exists()


def test_a_second_proposal_waits_for_the_first(score: OtherScore, judged: Judged, second: User) -> None:
    proposed(score, judged.desk.officer)
    with pytest.raises(NotNow) as told:
        proposed(score, second, "70.00")
    assert told.value.rule == "correction_waits"


def test_entering_a_score_again_is_refused_and_says_how_to_correct_it(score: OtherScore, panel: Panel, judged: Judged) -> None:
    """One officer alone changes nothing, not even with the same figure; on the page what was typed stays."""
    for value in ("60.00", "80.00"):
        with pytest.raises(Invalid) as told:
            services.enter_other_score(panel, judged.bids[0], "residents", Decimal(value), basis="计票表", by=judged.desk.officer)
        assert told.value.rule == "other_score_once"
        assert "提出更正" in str(told.value) and judged.bids[0].number in str(told.value)
    typed = {"bid": judged.bids[0].pk, "component": "residents", "value": "61.25", "basis": "计票表复核"}
    answer = of(judged.desk.officer).post(reverse("desk:step", args=["panel", panel.pk, "enter_score"]), typed)
    assert answer.status_code == 422
    assert all(word in answer.content.decode() for word in ("61.25", "计票表复核", "提出更正"))
    assert now(score).value == Decimal("80.00")


def test_scores_are_not_locked_while_a_correction_waits_and_then_count_as_confirmed(
    score: OtherScore, panel: Panel, judged: Judged, second: User
) -> None:
    """The refusal names bid, part and way out. 80 % of 80 and 20 % of 60.00 make 76.00; once opened nothing is corrected any more."""
    made = proposed(score, judged.desk.officer)
    with pytest.raises(NotNow) as told:
        services.lock(panel, by=judged.desk.officer)
    assert told.value.rule == "no_correction_waits"
    assert all(word in str(told.value) for word in (judged.bids[0].number, "居民", "统一录入的分数", "撤回"))
    other = OtherScore.objects.get(panel=panel, bid=judged.bids[1])
    perform(proposed(other, judged.desk.officer, "10.00"), "refuse", by=second, reason="没有错")
    perform(made, "confirm", by=second)
    services.lock(panel, by=judged.desk.officer)
    assert {r.bid_id: r.total for r in panel.results.all()} == {judged.bids[0].pk: Decimal("76.00"), judged.bids[1].pk: Decimal("80.00")}
    for state in ("scored", "concluded", "scoring"):  # the last: opened again for one voided ballot, its results seen
        Panel.objects.filter(pk=panel.pk).update(state=state)  # beside the door, on purpose
        with pytest.raises(NotNow) as late:
            proposed(score, judged.desk.officer, "70.00")
        assert late.value.rule == "never_opened"


def test_a_proposal_left_from_before_the_opening_is_never_confirmed_and_holds_the_report_up(
    score: OtherScore, panel: Panel, judged: Judged, second: User
) -> None:
    """Should one ever wait behind the lock, it can be declined or withdrawn only, and no report leaves before that."""
    made = proposed(score, judged.desk.officer)
    Panel.objects.filter(pk=panel.pk).update(state="scored", locked_by=judged.desk.officer)
    panel.members.filter(alternate=False, excused=False).update(signed_at=clock.now())
    with pytest.raises(NotNow) as told:
        services.conclude(panel, by=judged.desk.officer)
    assert told.value.rule == "no_correction_waits"
    with pytest.raises(NotNow) as late:
        perform(made, "confirm", by=second)
    assert late.value.rule == "never_opened"
    assert perform(made, "refuse", by=second, reason="太晚").state == "refused"


def test_the_database_itself_refuses_one_person_in_both_places_and_two_proposals(score: OtherScore, judged: Judged) -> None:
    made = proposed(score, judged.desk.officer)
    rows = ScoreCorrection.objects.filter(pk=made.pk)
    for change in ({"decided_by": judged.desk.officer}, {"state": "confirmed"}, {"reason": ""}, {"value": Decimal(101)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**change)
    made.pk = made.id = None
    with pytest.raises(IntegrityError), transaction.atomic():
        ScoreCorrection.objects.bulk_create([made])


def test_the_pages_lead_from_the_score_to_the_decision_of_the_second_person(score: OtherScore, panel: Panel, judged: Judged, second: User) -> None:
    """The proposer sees it waiting without a way to decide; the second has it in their list, decides, and the history stands beside the score."""
    listed, form = reverse("review:entered", args=[panel.pk]), reverse("review:correct", args=[panel.pk, score.pk])
    first = of(judged.desk.officer)
    assert listed in first.get(reverse("review:panel", args=[panel.pk])).content.decode()
    assert form in first.get(listed).content.decode()
    answer = first.post(form, {"value": "100.5", "basis": "复核表", "reason": "看错一行"})
    assert answer.status_code == 422
    assert all(word in answer.content.decode() for word in ("100.5", "复核表", "看错一行"))
    assert first.post(form, {"value": "60", "basis": "复核表", "reason": "看错一行"}).status_code == 302
    made = ScoreCorrection.objects.get()
    page = reverse("desk:object", args=["score_correction", made.pk])
    own, theirs = first.get(listed).content.decode(), of(second).get(listed).content.decode()
    assert "80.00 改为 60.00" in own and "80.00 改为 60.00" in theirs and judged.desk.officer.name in theirs
    assert "核对并决定" in theirs and "核对并决定" not in own and "查看或撤回" in own
    assert page in of(second).get(reverse("review:panel", args=[panel.pk])).content.decode()
    assert [w.url for w in waiting(second) if w.url == page] == [page]
    assert page not in [w.url for w in waiting(judged.desk.officer)]
    step = reverse("desk:step", args=["score_correction", made.pk, "confirm"])
    assert step in of(second).get(page).content.decode() and step not in first.get(page).content.decode()
    perform(made, "confirm", by=second)
    history = first.get(listed).content.decode()
    assert "80.00 → 60.00" in history and second.name in history


def test_entered_scores_are_read_by_whoever_enters_them_and_by_auditors_when_results_are_out(
    score: OtherScore, panel: Panel, judged: Judged, second: User
) -> None:
    """Before the opening neither expert, approver nor auditor; a member of the panel at no time."""
    made = proposed(score, judged.desk.officer)
    pages = [reverse("review:entered", args=[panel.pk]), reverse("desk:object", args=["score_correction", made.pk])]
    member = panel.members.select_related("expert__user").first()
    assert member is not None
    readers = (second, judged.desk.auditor, judged.desk.approver, member.expert.user)
    assert [[of(u).get(p).status_code for p in pages] for u in readers] == [[200, 200], [404, 404], [404, 404], [404, 404]]
    assert of(judged.desk.auditor).get(reverse("review:correct", args=[panel.pk, score.pk])).status_code == 404
    perform(made, "confirm", by=second)
    services.lock(panel, by=judged.desk.officer)
    assert [[of(u).get(p).status_code for p in pages] for u in readers] == [[200, 200], [200, 200], [200, 200], [404, 404]]
    assert "提出更正</a>" not in of(second).get(pages[0]).content.decode()
    assert of(judged.desk.auditor).get(reverse("review:correct", args=[panel.pk, score.pk])).status_code == 404


def test_the_page_of_entered_scores_costs_no_more_for_more_bids(panel: Panel, judged: Judged, second: User, django_assert_max_num_queries: Any) -> None:
    """One correction or two, decided or waiting: the same statements."""
    client = of(second)
    url = reverse("review:entered", args=[panel.pk])
    client.get(url)
    scores = list(OtherScore.objects.filter(panel=panel))
    perform(proposed(scores[0], judged.desk.officer), "refuse", by=second, reason="没有错")
    with CaptureQueriesContext(connection) as before:
        client.get(url)
    for each in scores:
        proposed(each, judged.desk.officer)
    with django_assert_max_num_queries(len(before)):
        client.get(url)


def test_the_audit_package_has_both_scores_and_every_proposal_and_its_program_names_a_forged_one(
    score: OtherScore, panel: Panel, judged: Judged, second: User, tmp_path: Path
) -> None:
    """The whole package passes; in its tables another score, the old one back in force, a forged history or a row left out is named; names are masked."""
    perform(proposed(score, judged.desk.officer, "10.00"), "refuse", by=second, reason="没有错")
    perform(proposed(score, judged.desk.officer), "confirm", by=second)
    services.lock(panel, by=judged.desk.officer)
    folder = packages.unpacked(judged, "auditor", tmp_path)  # type: ignore[arg-type]
    check = packages.program(folder)
    assert packages.said(check, folder) == ""
    index = json.loads((folder / "data/tables/index.json").read_text("utf-8"))["tables"]
    tables, story = {t["code"]: check.rows_of(folder, t) for t in index}, check.check_entries(folder)
    assert [(row["bid_number"], row["value"]) for row in tables["entered"]] == [(judged.bids[0].number, "60.00"), (judged.bids[1].number, "80.00")]
    declined, confirmed = sorted(tables["corrections"], key=lambda row: row["state_code"], reverse=True)
    assert [(r["value_before"], r["value"], r["state_code"], r["decision"]) for r in (declined, confirmed)] == [
        ("80.00", "10.00", "refused", "没有错"), ("80.00", "60.00", "confirmed", ""),
    ]  # fmt: skip
    assert confirmed["reason"] == "看错一行" and second.name not in json.dumps(tables["corrections"], ensure_ascii=False)
    first = tables["entered"][0]
    old = {**first, "value": "80.00", "salt": confirmed["salt_before"]}
    forged = [
        {"entered": [{**first, "value": "61.00"}, *tables["entered"][1:]]}, {"entered": [old, *tables["entered"][1:]]},
        {"entered": [{**first, "value": "10.00", "salt": declined["salt"]}, *tables["entered"][1:]]}, {"entered": tables["entered"][1:]},
        {"corrections": [declined]}, {"corrections": [{**confirmed, "value_before": "70.00"}, declined]},
    ]  # fmt: skip
    for change in forged:
        with pytest.raises(check.Bad) as told:
            check.check_entered(story, {**tables, **change})
        assert next(iter(change)) in str(told.value)
    for row in tables["corrections"]:
        del story.about[row["subject"]]  # kept back together with their rows: only the lock still knows
    with pytest.raises(check.Bad, match=r"entered\.csv.*锁定"):
        check.check_entered(story, {**tables, "entered": [old, *tables["entered"][1:]], "corrections": []})
    story.about[panel.subject] = [entry for entry in story.about[panel.subject] if entry["event"] != "panel.enter_score"]
    with pytest.raises(check.Bad, match=r"entered\.csv.*锁定"):  # every score of a decided panel, rows and entries
        check.check_entered(story, {**tables, "entered": [], "corrections": [], "decisions": [{"panel": str(panel.pk)}]})
