"""The officer's rounds: list with filters and files, one round as a task list, confirmations without names, rehearsals with the real arithmetic."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bidding import services as bidding_services
from grants import clock
from grants.calls import services
from grants.calls.models import Call
from grants.calls.rulebook import presets
from grants.calls.rulebook.invented import synthetic
from grants.calls.rulebook.rehearsal import rehearse
from grants.calls.rulebook.toml import dumps, from_data
from grants.desk import rehearsing, rounds
from grants.people.models import User
from review.models import Result
from tests.world import awards as award_world
from tests.world import calls, people
from tests.world.calls import DAY, fresh

pytestmark = pytest.mark.django_db


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


def test_the_list_holds_the_agencys_calls_and_is_filtered() -> None:
    """Drafts too, by state and by words; other agencies' people and visitors see none of it; the file has the same rows."""
    desk, elsewhere = people.office(), people.office()
    calls.draft(desk, calls.rules("YX-2026-02"))
    calls.published(desk)
    client, url = as_(desk.officer), reverse("desk:rounds")
    page = text(client.get(url))
    assert "YX-2026-02" in page and "YX-2026-03" in page
    assert "YX-2026-02" not in text(client.get(url, {"state": "published"}))
    assert "YX-2026-03" not in text(client.get(url, {"words": "2026-02"}))
    assert "YX-2026" not in text(as_(elsewhere.officer).get(url))
    assert Client().get(url).status_code == 302
    rows = b"".join(client.get(url, {"as": "csv", "state": "draft"}).streaming_content).decode()
    assert "YX-2026-02" in rows and "YX-2026-03" not in rows


@pytest.mark.parametrize("n", [1, 3])
def test_the_list_asks_the_same_number_of_questions_for_any_number_of_calls(n: int) -> None:
    """Session, person, may draft, count, page."""
    desk = people.office()
    for code in sorted(calls.PRESETS)[:n]:
        calls.published(desk, calls.rules(code))
    client = as_(desk.officer)
    client.get(reverse("desk:rounds"))
    with CaptureQueriesContext(connection) as asked:
        page = text(client.get(reverse("desk:rounds")))
    assert page.count("gc-data__row") == n
    assert len(asked) == 5, [q["sql"][:90] for q in asked]


def test_a_round_is_a_task_list_from_draft_to_archive() -> None:
    """A draft has only its first station open; a closed call counts bids and leads to screening and panel; others get 404."""
    desk, elsewhere = people.office(), people.office()
    made = calls.draft(desk)
    url = reverse("desk:round", args=[made.pk])
    stations = as_(desk.officer).get(url).context["tasks"]
    assert [s.title for s in stations][:3] == ["起草", "审批发布", "答疑与补充公告"] and len(stations) == 12
    assert stations[0].url and not any(s.url for s in stations[1:])
    assert as_(elsewhere.officer).get(url).status_code == 404 and Client().get(url).status_code == 302
    with clock.at(calls.BEFORE):
        services.propose(made, by=desk.officer)
        assert rounds.stations(fresh(made))[1].status == "待审批"
        services.publish(made, by=desk.approver)
    with clock.at(calls.OPENS):
        services.tick()
    opened = fresh(made)
    assert rounds.stations(opened)[3].status == "0 份已提交"
    closed = calls.closed(opened)
    by_title = {s.title: s for s in rounds.stations(closed)}
    assert by_title["资格审查"].url and by_title["评审"].url == reverse("review:convene", args=[made.pk])
    assert as_(desk.approver).get(url).status_code == 200


def test_a_round_asks_the_same_number_of_questions_whatever_its_bids() -> None:
    """One aggregate for each station."""
    desk = people.office()
    made = calls.opened(desk)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            rounds.stations(fresh(made))
        counts.append(len(asked))
        with clock.at(calls.OPENS + DAY):
            body = people.body(desk, kind_of_body="association")
            bidding_services.start_bid(made, body.organisation, title="一", by=body.signatory)
    assert counts[0] == counts[1] <= 8, counts


def test_confirmations_are_counted_before_the_deadline_and_named_after_it() -> None:
    """Who has a bid is nobody's business before: not in the numbers' page, not for the approver, not for a stranger."""
    desk = people.office()
    made = calls.opened(desk, calls.rules("YX-2026-02"))
    body = people.body(desk)
    with clock.at(calls.OPENS + DAY):
        bidding_services.start_bid(made, body.organisation, title="邻里", by=body.signatory)
        version = services.draft_addendum(made, calls.later(made.rules), by=desk.officer)
        services.amend(made, version, by=desk.approver)
        url = reverse("desk:acknowledged", args=[made.pk])
        page = as_(desk.officer).get(url)
        assert page.context["receipts"].waiting == 1 and page.context["receipts"].names is None
        assert body.organisation.name not in text(page) and "截止之前只显示份数" in text(page)
        assert as_(body.signatory).get(url).status_code == 404
    now = fresh(made)
    assert now.closes_at is not None
    with clock.at(now.closes_at):
        assert body.organisation.name in text(as_(desk.officer).get(url))


# --- 预演 ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", presets.NAMES)
def test_every_sample_can_be_carried_out(name: str) -> None:
    """Scores, places and awards by the real arithmetic, within the pool and each sub-quota's own sum; the same twice."""
    rules = presets.load(name)
    result = rehearse(rules, synthetic(rules))
    assert not result.refused and result.bids == 60
    assert result.awarded + result.left == rules.pool.grants and result.left >= 0
    assert sum((u.used for u in result.usage), Decimal(0)) == result.awarded
    assert len(result.lines) + len(result.exclusions) == 60
    assert result == rehearse(rules, synthetic(rules))


def test_rules_that_cannot_be_carried_out_say_why() -> None:
    """Weights that are not 100 refuse every ballot: one sentence instead of a ranking."""
    plain = presets.load("micro").plain()
    plain["review"]["sheets"][0]["criteria"][0]["weight"] = "1.00"
    rules = from_data(plain)
    result = rehearse(rules, synthetic(rules))
    assert "100" in result.refused and not result.lines and result.exclusions


def test_a_weight_that_decides_is_found_by_moving_it() -> None:
    """Two bids, money for one, good at different things: the award hangs on a tenth of the weight, and the swing says so."""
    plain = presets.load("micro").plain()
    plain["review"]["sheets"][0]["criteria"] = [
        {"code": "need", "name": "需求", "weight": "50.00"}, {"code": "plan", "name": "方案", "weight": "50.00"},
    ]  # fmt: skip
    plain["review"]["ties"] = [{"by": "lot"}]
    plain["review"]["site_check"] = None
    plain["allocation"] = {**plain["allocation"], "awards_max": 1}
    rules = from_data({k: v for k, v in plain.items() if v is not None} | {"review": {k: v for k, v in plain["review"].items() if v is not None}})
    base = synthetic(rules, count=2)
    one = replace(base[0], stages={}, others={}, ballots=({"need": Decimal("0.95"), "plan": Decimal("0.70")},) * rules.review.panel.size)
    two = replace(base[1], stages={}, others={}, ballots=({"need": Decimal("0.70"), "plan": Decimal("0.94")},) * rules.review.panel.size)
    result = rehearse(rules, [one, two])
    assert [line.bid for line in result.lines if line.awarded] == [one.code]
    flips = {(swing.criterion, swing.percent): swing.flips for swing in result.swings}
    assert flips["需求", 10] == () and set(flips["需求", -10]) == {one.code, two.code} == set(flips["方案", 10])
    assert set(result.fragile) == {one.code, two.code}


def test_a_rehearsal_counts_a_district_cap_place_by_place() -> None:
    """Bids that all stood in one nameless place shared one cap: two awards where every place may have its own."""
    plain = presets.load("district").plain()
    plain["allocation"] = {**plain["allocation"], "district_cap": "400000.00"}
    rules = from_data(plain)
    result = rehearse(rules, synthetic(rules))
    assert result.awarded > Decimal(400000) and sum(line.awarded for line in result.lines) > 2


def test_a_rehearsal_mixes_in_what_residents_and_pledges_give() -> None:
    """60/20/20: the same ballots, and the bid that residents and pledges prefer leads by forty points of a hundred."""
    plain = presets.load("district").plain()
    plain["review"]["mix"] = {"experts": "60.00", "residents": "20.00", "pledges": "20.00"}
    rules = from_data(plain)
    base = synthetic(rules, count=2)
    others = [{"residents": Decimal(share), "pledges": Decimal(share)} for share in (0, 1)]
    lines = rehearse(rules, [replace(bid, stages=base[0].stages, others=entered) for bid, entered in zip(base, others, strict=True)]).lines
    assert [line.bid for line in lines] == [base[1].code, base[0].code]
    assert lines[0].score is not None and lines[1].score is not None and lines[0].score - lines[1].score == 40


def two(rules: Any, **of_each: tuple[Any, Any]) -> list[Any]:
    """Two invented bids of two organisations, alike but for what is given."""
    first, second = synthetic(rules, count=2)
    twin = replace(first, code=second.code, organisation=second.organisation)
    return [replace(bid, **{name: pair[n] for name, pair in of_each.items()}) for n, bid in enumerate((first, twin))]


def led_by(rules: Any, bids: list[Any]) -> Decimal:
    """How far the second bid is ahead of the first."""
    scores = {line.bid: line.score for line in rehearse(rules, bids).lines}
    return scores[bids[1].code] - scores[bids[0].code]


def changed(name: str, **review: Any) -> Any:
    plain = presets.load(name).plain()
    plain["review"] = {**plain["review"], **review}
    return from_data(plain)


def test_a_rehearsal_adds_bonus_points() -> None:
    rules = changed("district", bonuses=[{"code": "award", "name": "获奖加分", "cap": "4.00"}])
    others = synthetic(rules, count=1)[0].others
    assert led_by(rules, two(rules, others=({**others, "bonus:award": Decimal(0)}, {**others, "bonus:award": Decimal(1)}))) == 4


def test_a_rehearsal_weighs_stages_as_the_rules_do() -> None:
    """One bid is twenty points of a hundred better on paper, at sixty per cent; nothing else differs."""
    rules = changed("district", stages=[{"kind": "document", "weight": "60.00"}, {"kind": "oral", "weight": "40.00"}])
    codes = [c.code for c in rules.review.sheets[0].criteria]
    readers = [f"{n:02}" for n in range(1, max(rules.review.panel.size, rules.review.panel.min_ballots) + 1)]

    def stage(share: str) -> dict[str, dict[str, Decimal]]:
        return {reader: dict.fromkeys(codes, Decimal(share)) for reader in readers}

    worse, better = {"document": stage("0.6"), "oral": stage("0.6")}, {"document": stage("0.8"), "oral": stage("0.6")}
    assert led_by(rules, two(rules, stages=(worse, better))) == 12


def test_a_rehearsal_counts_what_was_found_on_site() -> None:
    rules = presets.load("professional")
    check = rules.review.site_check
    assert check is not None
    others = synthetic(rules, count=1)[0].others
    pair = ({**others, "site_check": Decimal(0)}, {**others, "site_check": Decimal(1)})
    assert led_by(rules, two(rules, others=pair)) == check.points * rules.review.mix.experts / 100


def test_a_rehearsal_takes_off_strictness_where_calibrated_scores_are_official() -> None:
    """The strict reader's bids catch up: under trimmed means they trail by more."""
    plain, official = changed("district", official="trimmed"), changed("district", official="calibrated")
    spread = []
    for rules in (plain, official):
        lines = rehearse(rules, synthetic(rules, experts=12)).lines
        spread.append({line.bid: line.score for line in lines if line.score is not None})
    assert spread[0].keys() == spread[1].keys()
    assert spread[0] != spread[1]


def test_a_rehearsal_draws_lots_in_the_grey_band_as_the_proposal_does() -> None:
    """Near the last place the lot decides, not the third digit: other awards than by rank alone, and the page says that the real lot will differ."""
    banded = presets.load("district").plain()
    banded["allocation"] = {**banded["allocation"], "grey_band": "3.00"}
    bids = synthetic(from_data(banded))
    result, plain = rehearse(from_data(banded), bids), rehearse(presets.load("district"), bids)
    assert [line.score for line in result.lines] == [line.score for line in plain.lines]
    assert [line.awarded for line in result.lines] != [line.awarded for line in plain.lines]
    assert any("抽签用预演自己的种子" in sentence for sentence in result.unrehearsed)


def test_the_rehearsal_page_is_for_those_who_draft_or_approve() -> None:
    """With the exclusions by rule; auditors and other agencies are refused; nothing is written."""
    desk, elsewhere = people.office(), people.office()
    made = calls.draft(desk)
    url = reverse("desk:rehearsal", args=[made.pk])
    page = as_(desk.officer).get(url)
    assert page.status_code == 200 and "谁会被哪一条排除" in text(page) and "权重上下一成" in text(page)
    sizes = page.context["sizes"]
    assert [each.chosen for each in sizes].count(True) == 1 and "假定为 0.390" in text(page), "no round has been measured yet"
    assert all(each.load is None for each in sizes), "nobody is in the pool"
    assert as_(desk.approver).get(url).status_code == 200
    assert as_(desk.auditor).get(url).status_code == 403
    assert as_(elsewhere.officer).get(url).status_code == 404
    assert as_(desk.officer).get(url, {"bids": "NOWHERE-1"}).context["asked"] == ""
    assert Call.objects.count() == 1


def test_the_command_rehearses_a_file(tmp_path: Any) -> None:
    """Exclusions by rule, money by field, swings; the same output twice; exit 1 when the rules cannot be carried out."""
    file = tmp_path / "call.toml"
    file.write_text(presets.text("district"), encoding="utf-8")
    outputs = []
    for _ in range(2):
        out = StringIO()
        call_command("call", "rehearse", str(file), stdout=out)
        outputs.append(out.getvalue())
    assert outputs[0] == outputs[1] and "被排除" in outputs[0] and "立项" in outputs[0] and "±" not in outputs[0]
    plain = presets.load("micro").plain()
    plain["review"]["sheets"][0]["criteria"][0]["weight"] = "1.00"
    file.write_text(dumps(from_data(plain)), encoding="utf-8")
    with pytest.raises(SystemExit):
        call_command("call", "rehearse", str(file), stdout=StringIO())


def rehearsed(folder: Any, preset: str, *options: str) -> str:
    (folder / "call.toml").write_text(presets.text(preset), encoding="utf-8")
    out = StringIO()
    call_command("call", "rehearse", str(folder / "call.toml"), *options, stdout=out)
    return out.getvalue()


def test_the_command_says_what_an_order_is_worth_and_who_reads_how_much(tmp_path: Any) -> None:
    """60 bids, 12 fall out, 48 × 7 ÷ 20 = 16.8 → 17 each; 7·0.39 ÷ (1 + 6·0.39) = 0.817. Without --experts no load is invented."""
    told = rehearsed(tmp_path, "district", "--experts", "20")
    assert "假定为 0.390；由 20 位专家分担；48 份进入评审" in told
    assert "每份 7 位专家（现在的规则）：可靠程度 0.817，评分 336 份，每位专家约 17 份" in told
    assert "每份 3 位专家：可靠程度 0.657，评分 144 份，每位专家约 8 份" in told
    without = rehearsed(tmp_path, "district")
    assert "可靠程度 0.817" in without and "每位专家约" not in without and "--experts N" in without


def test_the_command_rehearses_on_the_ballots_of_an_earlier_round(tmp_path: Any) -> None:
    """The bids by their numbers, the experts who were there, no organisation's name."""
    made = award_world.ranked(amounts=["60000", "50000"])
    told = rehearsed(tmp_path, "district", "--from", made.call.code)
    assert f"2 份{made.call.code} 的申报" in told and "由 5 位专家分担" in told
    assert "没有“路演答辩”的评分：用它们另一个环节的评分代替" in told, "the earlier round judged documents only"
    assert not any(name in told for name in made.call.bids.values_list("organisation__name", flat=True))
    assert "由 30 位专家分担" in rehearsed(tmp_path, "district", "--from", made.call.code, "--experts", "30")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--experts", "6"], "--experts：每份申报要 7 位专家评，只写了 6 位"),
        (["--experts", "0"], "--experts："),
        (["--experts", "-3"], "--experts："),
        (["--bids", "0"], "--bids：应为 1 到 2000"),
        (["--bids", "2001"], "--bids："),
        (["--from", "NOWHERE-1"], "--from：没有编号为 NOWHERE-1 的征集"),
        (["--from", "NOWHERE-1", "--seed", "3"], "--from：用往期的申报时没有虚构的申报"),
        (["--from", "NOWHERE-1", "--bids", "3"], "--from：用往期的申报时没有虚构的申报"),
    ],
)  # fmt: skip
def test_a_rehearsal_that_cannot_be_asked_names_the_option(tmp_path: Any, options: list[str], told: str) -> None:
    with pytest.raises(CommandError) as refused:
        rehearsed(tmp_path, "district", *options)
    assert str(refused.value).startswith(told)


def test_a_round_without_results_cannot_be_rehearsed_on(tmp_path: Any) -> None:
    made = calls.draft(people.office())
    with pytest.raises(CommandError, match="还没有出具评审报告"):
        rehearsed(tmp_path, "district", "--from", made.code)


def test_the_page_takes_a_number_of_experts_and_draws_what_follows() -> None:
    """Load of each from what was typed, full-width digits too; fewer than a bid needs, and what is no number, is refused and stays typed."""
    desk = people.office()
    made = calls.draft(desk, calls.rules("YX-2026-01"))
    client, url = as_(desk.officer), reverse("desk:rehearsal", args=[made.pk])
    page = client.get(url, {"experts": "２０"})
    assert [(each.n, each.load) for each in page.context["sizes"]] == [(3, 8), (5, 12), (7, 17)]
    assert "按 20 位专家分担计算" in text(page) and text(page).count("<svg") >= 3
    assert "现在的规则 7 位专家：0.817。达到 0.800 要 7 位。" in text(page)
    for typed, told in (("6", "只写了 6 位"), ("几位", "应为 1 到 9999 的整数"), ("0", "只写了 0 位"), ("-7", "应为 1 到 9999"), ("7.5", "应为 1 到 9999")):
        refused = client.get(url, {"experts": typed})
        assert refused.status_code == 400 and told in text(refused) and f'value="{typed}"' in text(refused), typed
    assert "专家库现有 0 位" in text(client.get(url)) and "每位专家约评几份" not in text(client.get(url))


def test_last_rounds_bids_under_last_rounds_rules_give_last_rounds_awards() -> None:
    """The rehearsal is the real thing: same order, same awards, same amounts as the panel and the proposal made of the same bids."""
    made = award_world.ranked(amounts=["60000", "50000", "40000"])
    real = award_world.proposed(made)
    bids = rehearsing.last_round(made.call)
    result = rehearse(made.call.rules, bids)
    assert not result.refused and not result.exclusions
    ranks = list(Result.objects.filter(panel__call=made.call).order_by("rank").values_list("bid__number", flat=True))
    assert [line.bid for line in result.lines] == ranks
    assert {line.bid: line.amount for line in result.lines if line.awarded} == {award.bid.number: award.amount for award in real}


def test_an_earlier_round_is_offered_and_used_on_the_page() -> None:
    """Only rounds of the same agency whose panel has concluded; the organisations appear by their bids' numbers only."""
    made = award_world.ranked(amounts=["60000", "50000"])
    draft = calls.draft(made.desk, calls.rules("YX-2026-03"))
    client, url = as_(made.desk.officer), reverse("desk:rehearsal", args=[draft.pk])
    page = client.get(url, {"bids": made.call.code})
    assert page.context["asked"] == made.call.code and page.context["result"].bids == 2
    names = list(made.call.bids.values_list("organisation__name", flat=True))
    assert not any(name in text(page) for name in names)
    other = calls.draft(people.office(), calls.rules("YX-2026-02"))
    assert as_(made.desk.officer).get(reverse("desk:rehearsal", args=[other.pk])).status_code == 404
