"""The public square: everything is there without an account, nothing of a person is, and a proxy may keep it."""

from __future__ import annotations

import csv
import io
import json
import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, models, transaction
from django.db.models import F, Value
from django.db.models.functions import Cast, Concat
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pypdf import PdfReader

from bidding.models import Bid
from grants import clock
from grants.awards.models import Award, Decision, Objection, PublicNotice
from grants.calls.models import Need
from grants.calls.needs.places import street_of
from grants.calls.rulebook.toml import from_data
from grants.clock.calendar import overrides
from grants.desk.square import passport, passport_paper, records, supply
from grants.desk.square.gaps import State
from grants.desk.square.urls import urlpatterns
from grants.desk.square.whitelist import FIELDS, public
from grants.funding.models import Allocation
from grants.ledger import keys
from grants.ledger.note import Verifier, sign
from grants.people.models import Organisation
from grants.people.privacy import FieldNotPublic
from grants.vault.columns import SecretJSON
from tests.world import awards, calls, funding, needs, people, shared
from tests.world.funding import Project
from tests.world.people import Office

pytestmark = pytest.mark.django_db
FRONT = reverse("square:front")


@pytest.fixture(scope="module")
def city(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Project]]:
    """A call with two running projects (one paid its first tranche) and one bid too many, an objection, needs, and an open call."""
    with shared.rows(django_db_blocker):
        made = awards.ranked(amounts=["200000.00", "150000.00", "120000.00"], shares=["0.9", "0.85", "0.3"])
        awards.proposed(made)
        notice = awards.noticed(made)
        refused = awards.objected(notice, awards.awards(made.call)[0], name="赵钱孙", contact="13700137000", facts="这里写着只有当事人能看的事实和理由。")
        with clock.at(notice.published_at + timedelta(days=1, hours=3)):
            awards.services.refuse(refused, "不予受理，理由另函告知本人。", by=made.desk.officer)
        with clock.at(awards.over(notice)):
            awards.services.confirm_all(made.call, by=made.desk.approver)
            awards.effects.drain()
        projects = [funding.start(made, award) for award in awards.awards(made.call) if award.state == "confirmed"]
        with clock.at(projects[0].day(2)):
            funding.paid(projects[0])
        desk = people.office("澄江市云溪区望湖街道办事处")
        with clock.at(calls.OPENS):
            needs.published(desk)
            needs.published(desk, title="夜间法律咨询", field="legal", people=40, community="")
            needs.published(desk, title="老人陪伴", field="elderly", people=30)
        calls.opened(desk, calls.rules("YX-2026-02"))
        yield projects


@pytest.fixture
def now(city: list[Project]) -> Iterator[Any]:
    """A day on which the street's call is open."""
    with clock.at(calls.OPENS + timedelta(days=2)) as moment:
        yield moment


def text(response: Any) -> str:
    return b"".join(response.streaming_content).decode("utf-8-sig") if response.streaming else response.content.decode()


def get(path: str, **more: Any) -> str:
    answer = Client().get(path, **more)
    assert answer.status_code == 200, path
    return text(answer)


def every_page(city: list[Project]) -> list[str]:
    """Every address of the square and of needs that a visitor can read, with every object in it; forms and downloads too."""
    call, organisation = city[0].call, city[0].award.bid.organisation
    notice, need = PublicNotice.objects.get(), Need.objects.first()
    draws = list(call.draws.all())
    assert need is not None
    assert draws, "a panel was drawn"
    given = {
        "results": [(call.code,)], "objections": [(notice.pk,)], "project": [(p.award.number,) for p in city], "organisation": [(organisation.pk,)],
        "draw": [(d.pk,) for d in draws], "draw_file": [(d.pk,) for d in draws],
        "passport": [(organisation.pk,)], "gaps_file": [("csv",)], "money_file": [("csv",)],
    }  # fmt: skip
    names = [str(p.name) for p in urlpatterns if p.name not in ("prefer", "passport_paper")]
    paths = [reverse(f"square:{name}", args=args) for name in names for args in given.get(name, [()])]
    paths += [reverse("needs:list"), reverse("needs:new"), reverse("needs:show", args=[need.number]), reverse("needs:back", args=[need.number])]
    return [*paths, "/", reverse("awards:notices"), reverse("awards:notice", args=[notice.pk]), reverse("awards:results", args=[call.code])]


# --- nothing of a person -----------------------------------------------------------------------------------------------------

PUBLISHED = {
    "people.agency": {"name", "short_name", "contact"},
    "people.organisation": {"name", "district", "field", "record_no", "uscc"},
    "people.grade": {"grade"},
    "calls.call": {"code", "title"},
    "calls.rulesversion": {"document", "hash"},  # the rules are a public document
    "calls.need": {"number", "title", "who", "detail", "field", "street", "community", "code"},
    "bidding.bid": {"number", "title", "category", "track", "need"},
    "bidding.bidversion": {"document", "hash"},
    "review.draw": {"announced", "announced_sha256", "transcript", "reason", "mode"},  # codes of experts, bids' numbers, random values
    "awards.decision": {"rule", "reason"},
    "awards.publicnotice": {"number", "title", "body"},
    "awards.award": {"number", "agreed_targets"},
    "awards.objection": {"number"},
    "funding.fundsource": {"kind", "name", "code"},
    "evaluation.evaluation": {"grade_name", "grade_code", "achieved"},
    "evaluation.trackrecord": {"grade", "outcome"},
}
"""What the square may print, column by column. Every other text column of every model is planted with a sentinel."""
SENTINEL = "泄露哨兵"
INERT = ("ledger", "workflow", "sessions", "contenttypes", "auth", "guardian", "clock", "documents", "web")
"""Apps whose text is hashed, keyed or the framework's own: not shown as text anywhere."""


MUST = {
    "people.user.name", "people.user.phone", "people.user.email", "people.organisation.legal_representative", "people.organisation.phone",
    "people.organisation.address", "people.organisation.account_number", "people.agency.legal_representative", "calls.need.proposer_name",
    "calls.need.contact", "bidding.teammember.name", "bidding.bid.answers", "awards.objection.objector_name", "awards.objection.objector_contact",
    "awards.objection.facts", "awards.objection.reply", "funding.paymentorder.payee_account", "evaluation.evaluation.answers", "evaluation.evaluation.comment",
}  # fmt: skip
"""Columns that hold a person; the test is worth nothing unless they were really planted (where there are rows)."""


def plant() -> set[str]:
    """Put a sentinel into every text column that is not published; which columns, as app.model.field."""
    return {
        f"{model._meta.label_lower}.{field.name}"
        for model in apps.get_models() if model._meta.app_label not in INERT
        for field in model._meta.concrete_fields if _is_private_text(model, field) and _planted(model, field)
    }  # fmt: skip


def _is_private_text(model: Any, field: Any) -> bool:
    text_column = isinstance(field, models.CharField | models.TextField | models.JSONField)
    return text_column and not field.choices and not field.primary_key and field.name not in PUBLISHED.get(model._meta.label_lower, ())


def _planted(model: Any, field: Any) -> bool:
    """Whether the column took it; codes that a CHECK or a uniqueness guards do not, and say nothing about anybody."""
    numbered = Concat(Value(SENTINEL), Cast(F("pk"), models.CharField()))
    value: Any = {"k": SENTINEL} if isinstance(field, models.JSONField | SecretJSON) else numbered if (field.max_length or 99) >= 42 else Value(SENTINEL[: field.max_length])
    try:
        with transaction.atomic():
            model._base_manager.update(**{field.name: value})
    except (DatabaseError, ValueError, RuntimeError):
        return False
    return True


def test_no_page_of_the_square_prints_what_is_not_published(city: list[Project], now: Any) -> None:
    """Sentinels stand in every unpublished text column of the whole database; every page, both languages, every download is searched."""
    planted = plant()
    assert planted >= MUST
    assert len(planted) > 80
    found = []
    for language in ("zh-hans", "en"):
        client = Client(headers={"accept-language": language})
        for path in every_page(city):
            answer = client.get(path)
            assert answer.status_code == 200, path
            page = text(answer)
            found += [(language, path, page[max(at - 80, 0) : at + 40]) for at in [page.find(SENTINEL[:3])] if at >= 0]
    assert found == []


def test_the_sentinels_would_be_found(city: list[Project], now: Any) -> None:
    """The same search, with one published column planted: it must not pass."""
    type(city[0].award.bid).objects.filter(pk=city[0].award.bid_id).update(title=SENTINEL)
    assert SENTINEL in get(reverse("square:project", args=[city[0].award.number]))


def test_a_number_in_a_published_text_is_masked_everywhere(city: list[Project], now: Any) -> None:
    type(city[0].award.bid).objects.filter(pk=city[0].award.bid_id).update(title="热线13800138000助老")
    for path in every_page(city):
        if path.startswith("/square/"):
            assert "13800138000" not in get(path), path
    assert "热线138****8000助老" in get(reverse("square:projects"))


def test_a_field_that_is_not_on_the_list_does_not_leave_the_house() -> None:
    with pytest.raises(FieldNotPublic):
        public("project", {"number": "P1", "legal_representative": "张三"})
    assert not {"phone", "contact", "legal_representative", "address", "comment", "facts", "reply"} & {f for fields in FIELDS.values() for f in fields}


# --- what is there -------------------------------------------------------------------------------------------------------------


def test_the_front_page_says_what_is_open_needed_and_funded(city: list[Project], now: Any) -> None:
    page = get("/")
    for words in ("截止，还有", "失能老人上门护理", "¥350,000.00", "没有一个资助项目的领域", "医疗照护", "法律援助", "提出需求"):
        assert words in page, words
    assert page == get("/"), "the same bytes for everybody"


def test_an_empty_square_says_what_will_come(django_db_blocker: Any) -> None:
    Need.objects.all().delete()
    for name in ("front", "calls", "notices", "projects", "organisations", "gaps", "money"):
        answer = Client().get(reverse(f"square:{name}"))
        assert answer.status_code == 200


def test_calls_are_filtered_by_field_street_kind_amount_and_deadline(city: list[Project], now: Any) -> None:
    page, title = reverse("square:calls"), calls.preset("YX-2026-02").title.zh
    for query, there in (
        ("", True), ("street=望湖街道", True), ("street=青禾街道", False), ("kind=service", True), ("kind=enterprise", False),
        ("amount=50000", True), ("amount=100000", False), ("within=30", True), ("within=7", False), ("field=neighbours", True), ("field=legal", False),
        ("amount=much", True),
    ):  # fmt: skip
        assert (f">{title}</a>" in get(f"{page}?{query}")) is there, query
    assert city[0].call.title in get(page), "the closed round stands below"


def test_results_name_the_funded_and_number_the_others(city: list[Project], now: Any) -> None:
    page = get(reverse("square:results", args=[city[0].call.code]))
    refused = city[0].made.bids[2]
    assert city[0].award.bid.title in page
    assert refused.number in page
    assert refused.organisation.name not in page
    assert "未获资助" in page


def test_results_wait_for_the_notice() -> None:
    made = awards.ranked(from_data({**awards.rules().plain(), "code": "YX-2026-77"}), amounts=["90000.00", "80000.00"])
    awards.proposed(made)
    page = get(reverse("square:results", args=[made.call.code]))
    assert "公示之前不公开" in page
    assert made.bids[0].number not in page
    assert Client().get(reverse("square:project", args=[awards.awards(made.call)[0].number])).status_code == 404


def test_a_running_notice_says_the_working_days_left(city: list[Project]) -> None:
    notice = PublicNotice.objects.get()
    with clock.at(notice.published_at + timedelta(hours=1)):
        page = get(reverse("square:notices"))
        assert "个工作日" in page
        assert reverse("awards:object", args=[notice.pk]) in page
        assert records.working_days_left(notice.last_day, overrides()) >= 5
    with clock.at(notice.ends_at + timedelta(days=1)):
        assert reverse("awards:object", args=[notice.pk]) not in get(reverse("square:notices"))


def test_an_objection_shows_state_and_project_and_nothing_else(city: list[Project], now: Any) -> None:
    objection = Objection.objects.get()
    page = get(reverse("square:objections", args=[objection.notice_id]))
    assert objection.number in page
    assert "不予受理" in page
    assert city[0].award.number in page
    for secret in ("赵钱孙", "13700137000", "只有当事人能看的事实", "理由另函告知"):
        assert secret not in page


def test_a_project_shows_its_money_and_what_it_promised(city: list[Project], now: Any) -> None:
    page = get(reverse("square:project", args=[city[0].award.number]))
    for words in ("¥200,000.00", "已拨付", "福利彩票公益金", "第 1 期", "承诺"):
        assert words in page, words
    assert Client().get(reverse("square:project", args=["P-none"])).status_code == 404


def test_an_organisation_shows_its_record_and_a_draft_one_is_nobodys_business(city: list[Project], now: Any) -> None:
    organisation = city[0].award.bid.organisation
    page = get(reverse("square:organisation", args=[organisation.pk]))
    assert city[0].award.number in page
    assert organisation.legal_representative not in page
    draft = people.services.register_organisation(by=people.person(), **people.particulars(city[0].desk.agency))
    assert Client().get(reverse("square:organisation", args=[draft.pk])).status_code == 404
    assert Client().get(reverse("square:passport", args=[draft.pk])).status_code == 404


# --- the two pictures ----------------------------------------------------------------------------------------------------------


def test_the_gap_map_marks_holes_by_word_sign_and_pattern_and_offers_the_next_call(city: list[Project], now: Any) -> None:
    page = get(reverse("square:gaps"))
    assert 'fill="url(#hatch)"' in page
    assert "✕ 空白" in page
    assert "没有一个资助项目的领域" in page
    assert f"{reverse('needs:desk')}?state=published&amp;field=medical" in page
    every = supply.funded()
    matrix = supply.gap_map(every)
    assert [row.field for row in matrix.unserved] == ["medical", "legal"]
    assert matrix.total.amount == Decimal("350000.00")
    assert supply.years(every) == [2026]
    assert supply.gap_map(every, 2019).total.awards == 0
    cells = {(r.field, s): c for r in matrix.rows for s, c in zip(matrix.streets, r.cells, strict=True)}
    there = street_of(city[0].desk.agency.name)
    assert cells["elderly", there].state is State.SUPPLY
    assert cells["elderly", "望湖街道"].state is State.GAP, "what the next street does helps nobody here"


def test_a_terminated_project_fills_no_hole_but_stays_in_the_money(city: list[Project], now: Any) -> None:
    Award.objects.filter(pk=city[0].award.pk).update(state="terminated")  # beside the door, on purpose
    assert supply.gap_map(supply.funded()).total.awards == 1
    assert supply.money_flow(supply.funded()).total == Decimal("350000.00")


def test_every_yuan_of_every_award_is_in_the_flow_once(city: list[Project], now: Any) -> None:
    """Σ sources = Σ calls = Σ fields = Σ organisations = Σ awards, also when an award has no contract and so no source yet."""
    given = sum(Award.objects.filter(state__in=supply.COUNTED).values_list("amount", flat=True))
    rows = supply.funded()
    flow = supply.money_flow(rows)
    assert flow.ties_out
    assert flow.total == given == sum(row.amount for row in rows) == Decimal("350000.00")
    Allocation.objects.filter(award=city[1].award).delete()
    flow = supply.money_flow(rows)
    assert flow.ties_out
    assert flow.total == given
    assert "来源待定（未签协议）" in {node.name for node in flow.columns[0]}
    assert "来源待定" in get(reverse("square:money"))


def test_the_pictures_can_be_taken_home_and_the_files_add_up(city: list[Project], now: Any) -> None:
    rows = list(csv.reader(io.StringIO(get(reverse("square:money_file", args=["csv"])))))
    assert len(rows) == 1 + 2 + 1
    assert Decimal(rows[-1][-1]) == Decimal("350000.00")
    cells = list(csv.reader(io.StringIO(get(reverse("square:gaps_file", args=["csv"])))))
    assert any(row[2] == "空白" and row[0] == "医疗照护" for row in cells)
    assert Client().get(reverse("square:gaps_file", args=["xlsx"])).status_code == 200
    assert Client().get(reverse("square:gaps_file", args=["exe"])).status_code == 404


def test_no_picture_carries_style_or_script(city: list[Project], now: Any) -> None:
    """The policy forbids both; attributes of SVG are neither."""
    for path in every_page(city):
        page = get(path)
        assert not re.search(r"<[^>]+\sstyle=|<script(?![^>]*\ssrc=)|\son\w+=", page), path


# --- the passport ----------------------------------------------------------------------------------------------------------------


def test_a_passport_verifies_with_the_key_alone_and_says_the_record(city: list[Project], now: Any) -> None:
    organisation = city[0].award.bid.organisation
    raw = get(reverse("square:passport", args=[organisation.pk])).encode()
    found = passport.verify(raw, [keys.verifier()])
    assert found.content["organisation"]["name"] == organisation.name
    assert found.content["projects"][0]["award_number"] == city[0].award.number
    assert found.content["projects"][0]["amount"] == "200000.00"
    answer = Client().post(reverse("square:passport_check"), {"file": SimpleUploadedFile("p.json", raw)})
    assert "签名有效" in text(answer)


@pytest.mark.parametrize("change", ["name", "amount", "note", "key", "format", "extra"])
def test_a_changed_passport_is_refused(city: list[Project], change: str, now: Any) -> None:
    """One letter in what is read, in what is signed, or another key beside it: never valid."""
    file = json.loads(passport.issue(city[0].award.bid.organisation))
    forger = Ed25519PrivateKey.generate()
    if change == "name":
        file["passport"]["organisation"]["name"] += "一"
    elif change == "amount":
        file["note"] = file["note"].replace("200000.00", "900000.00")
        file["passport"]["projects"][0]["amount"] = "900000.00"
    elif change == "note":
        file["note"] = file["note"][:-6] + "AAAA=\n"
    elif change == "key":
        text_ = file["note"].rpartition("\n\n")[0] + "\n"
        file["note"] = sign(text_, keys.origin(), forger)
        file["key"] = str(Verifier.of(keys.origin(), forger))
    elif change == "format":
        file["format"] = "gongchuang-passport/2"
    else:
        file["passport"]["weight"] = 1.5
    with pytest.raises(passport.BadPassport):
        passport.verify(json.dumps(file).encode(), [keys.verifier()])


def test_a_printed_passport_names_every_project_with_its_amount(city: list[Project], now: Any) -> None:
    """On paper what the file says; a sum in the code that is the sum of the rows."""
    organisation = city[0].award.bid.organisation
    made = passport_paper.paper(organisation)
    told = json.loads(passport_paper.inside(made) or b"")["passport"]
    text = re.sub(r"\s", "", "".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages))
    assert told["projects"] and all(row["award_number"] in text and f"{Decimal(row['amount']):,.2f}" in text for row in told["projects"]), text
    gist = passport_paper.read(passport_paper.line_of(told))
    assert gist is not None and gist.amount == sum(Decimal(row["amount"]) for row in told["projects"])


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b"\xff\xfe", b'{"format": "gongchuang-passport/1", "passport": [], "note": ""}', b"[" * 100_000])
def test_what_is_no_passport_is_refused_with_a_sentence(raw: bytes) -> None:
    with pytest.raises(passport.BadPassport) as refused:
        passport.verify(raw, [])
    assert "履约护照" in str(refused.value)
    answer = Client().post(reverse("square:passport_check"), {"file": SimpleUploadedFile("p.json", raw or b" "), "key": ""})
    assert answer.status_code == 422


def test_another_site_checks_a_passport_by_the_key_it_was_given(city: list[Project], tmp_path: Path, now: Any, capsys: Any) -> None:
    """`manage.py passport verify`: with the issuer's key it passes, with another key it fails with exit status 1."""
    file, good, bad = tmp_path / "p.json", tmp_path / "good", tmp_path / "bad"
    file.write_bytes(passport.issue(city[0].award.bid.organisation))
    good.write_text(str(keys.verifier()), encoding="utf-8")
    bad.write_text(str(Verifier.of("elsewhere", Ed25519PrivateKey.generate())), encoding="utf-8")
    call_command("passport", "verify", str(file), "--key", str(good))
    assert "签名有效" in capsys.readouterr().out
    with pytest.raises(CommandError) as refused:
        call_command("passport", "verify", str(file), "--key", str(bad))
    assert refused.value.returncode == 1
    call_command("passport", "issue", city[0].award.bid.organisation.name)
    assert "gongchuang-passport/1" in capsys.readouterr().out


# --- for proxies and feeds ---------------------------------------------------------------------------------------------------------


def test_a_visitors_page_may_be_kept_and_sets_no_cookie(city: list[Project], now: Any) -> None:
    for path in every_page(city):
        answer = Client().get(path)
        if path.startswith("/awards/") or path.endswith((".csv", ".json", ".atom")) or path in (reverse("needs:new"), reverse("square:passport_check")) or "/back/" in path:
            continue
        assert not answer.cookies, path
        assert "public" in answer.headers["Cache-Control"], path
        assert "max-age=60" in answer.headers["Cache-Control"], path
        assert Client().get(path, headers={"if-none-match": answer.headers["ETag"]}).status_code == 304, path


def test_the_etag_changes_when_anything_happened_and_whoever_has_a_cookie_gets_their_own_page(city: list[Project], now: Any) -> None:
    page = reverse("needs:list")
    before = Client().get(page).headers["ETag"]
    needs.published(city[0].desk, title="又一条需求")
    after = Client().get(page).headers["ETag"]
    assert after != before
    need = Need.objects.get(title="又一条需求")
    Client().post(reverse("needs:back", args=[need.number]))
    assert Client().get(page).headers["ETag"] != after, "backings are counted, not ledgered"
    client = Client()
    client.force_login(city[0].desk.officer)
    own = client.get(page)
    assert own.headers["Cache-Control"] == "private, no-store"
    assert "ETag" not in own.headers
    assert "Cookie" in own.headers["Vary"]


def test_english_is_one_link_away_and_comes_back_to_the_page() -> None:
    client = Client()
    page = reverse("square:gaps")
    switch = reverse("square:prefer")
    assert f"{switch}?to=en&amp;next={page.replace('/', '%2F')}" in text(client.get(page))
    answer = client.get(switch, {"to": "en", "next": page})
    assert answer.headers["Location"] == page
    assert "Needs and supply map" in text(client.get(page))
    assert client.get(switch, {"to": "xx", "next": "https://evil.example/"}).headers["Location"] == FRONT


def test_large_type_is_one_link_away_too() -> None:
    client, page = Client(), reverse("square:calls")
    assert "gc-large" not in text(client.get(page))
    client.get(reverse("square:prefer"), {"show": "large", "next": page})
    assert "gc-large" in text(client.get(page))


def test_the_feed_has_calls_and_notices_newest_first(city: list[Project], now: Any) -> None:
    page = get(reverse("square:feed"))
    assert page.count("<entry>") == 3
    assert city[0].call.title in page
    assert "公示及异议至" in page


# --- costs -------------------------------------------------------------------------------------------------------------------------

COSTS = {
    "front": 14, "calls": 6, "results": 8, "notices": 5, "objections": 5, "projects": 7, "project": 9, "organisations": 3,
    "organisation": 7, "gaps": 7, "money": 6,
}  # fmt: skip
"""Queries of each page, whatever there is to show."""


@pytest.mark.parametrize("name", COSTS)
def test_a_page_costs_the_same_queries_however_much_there_is(name: str, city: list[Project], now: Any) -> None:
    few = _cost(name, city)
    _crowd(city)
    assert (_cost(name, city), few) == (COSTS[name], COSTS[name])


def _cost(name: str, city: list[Project]) -> int:
    args = {
        "results": [city[0].call.code], "objections": [PublicNotice.objects.order_by("pk")[0].pk], "project": [city[0].award.number],
        "organisation": [city[0].award.bid.organisation_id],
    }.get(name, [])  # fmt: skip
    with CaptureQueriesContext(connection) as caught:
        get(reverse(f"square:{name}", args=args))
    return len(caught)


def _crowd(city: list[Project]) -> None:
    """Many more rows of everything that lists show: copies beside the door, for counting only."""
    desk: Office = city[0].desk
    for n in range(4):
        needs.published(desk, title=f"需求{n}", field="hospice", street="青禾街道")
    for project in city:
        for n in range(6):
            _copy(project.award, n)


def _copy(award: Award, n: int) -> None:
    bid, decision, copied = Bid.objects.get(pk=award.bid_id), Decision.objects.get(bid=award.bid_id), Award.objects.get(pk=award.pk)
    body = Organisation.objects.get(pk=bid.organisation_id)
    body.pk, body.uscc, body.name, body.kind_of_body, body.record_no = uuid.uuid4(), None, f"{body.name}{n}", "team", f"{award.number}-{n}"
    body.save(force_insert=True)
    bid.pk, bid.number, bid.organisation = uuid.uuid4(), f"{bid.number}-{n}", body
    bid.save(force_insert=True)
    decision.pk, decision.bid = None, bid
    decision.save(force_insert=True)
    copied.pk, copied.number, copied.bid = uuid.uuid4(), f"{award.number}-{n}", bid
    copied.save(force_insert=True)
