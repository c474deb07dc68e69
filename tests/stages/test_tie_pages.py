"""关系网 on the screen and from a file: who may, what is refused by line, column and rule, nothing half written, the same file twice."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import translation

from grants import clock
from grants.ledger.models import AuditEvent
from grants.web.speaking import spoken
from grants.workflow.refusals import Invalid, NotYou
from review import services, tie_sheet
from review.conflict_checks import standing_hits
from review.models import Node, Tie
from review.tie_sheet import COLUMNS, SENTENCES
from tests.world import people, shared
from tests.world import review as world
from tests.world.review import Judged

pytestmark = pytest.mark.django_db
NUMBER = "11010519491231002X"
BLANK = dict.fromkeys(COLUMNS, "")


@pytest.fixture(scope="module")
def judged(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    with shared.rows(django_db_blocker):
        yield world.judged(world.rules(name="YX-2026-P1"), n=2, sector=3, finance=1)


@pytest.fixture(autouse=True)
def the_third_day(judged: Judged) -> Iterator[None]:
    with clock.at(world.after(judged.call)):
        yield


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def line(**cells: str) -> dict[str, str]:
    return {**BLANK, **cells}


def works(judged: Judged, **more: str) -> dict[str, str]:
    """S01 is on the board of the first bidder."""
    return line(
        关系="董事",
        甲方类型="专家",
        甲方="S01",
        乙方类型="单位",
        乙方=judged.bodies[0].organisation.name,
        起="2024-01-31",
        **more,
    )


def married(**more: str) -> dict[str, str]:
    cells = {
        "关系": "夫妻",
        "甲方类型": "专家",
        "甲方": "S02",
        "乙方类型": "个人",
        "乙方": "欧阳修远",
        "乙方证件号码": NUMBER,
        **more,
    }
    return line(**cells)


def sheet(*rows: dict[str, str], heads: Any = COLUMNS) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(heads)
    writer.writerows([row.get(c, "") for c in heads] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def read(judged: Judged, content: bytes) -> Any:
    return services.read_ties(content, agency=judged.desk.agency, by=judged.desk.officer)


def imported(judged: Judged, content: bytes) -> tuple[int, int]:
    return services.import_ties(content, agency=judged.desk.agency, by=judged.desk.officer)


def told(found: Any) -> list[tuple[int, str, str]]:
    return [(p.line, p.column, p.rule) for p in found.problems]


# --- the file -------------------------------------------------------------------------------------------------------------------


def test_a_file_is_imported_whole_and_the_same_again_changes_nothing(judged: Judged) -> None:
    content = sheet(works(judged), married())
    assert imported(judged, content) == (2, 0)
    events = AuditEvent.objects.count()
    assert imported(judged, content) == (0, 2)
    assert (Tie.objects.count(), AuditEvent.objects.count()) == (2, events)
    assert set(Tie.objects.values_list("source", flat=True)) == {"imported"}
    assert [h.test for h in standing_hits(judged.experts["S01"], judged.bids[0])] == [2]
    assert Tie.objects.get(kind="board").since == date(2024, 1, 31)


@pytest.mark.parametrize(
    ("cells", "column", "rule"),
    [
        ({"关系": "朋友"}, "关系", "kind"), ({"甲方类型": "公司"}, "甲方类型", "type"), ({"甲方": ""}, "甲方", "missing"),
        ({"甲方": "X99"}, "甲方", "expert"), ({"甲方证件号码": NUMBER}, "甲方证件号码", "expert_number"), ({"甲方所在单位": "某社"}, "甲方所在单位", "at"),
        ({"乙方证件号码": "110105194912310021"}, "乙方证件号码", "identity"), ({"乙方证件号码": ""}, "乙方所在单位", "who"),
        ({"乙方类型": "单位", "乙方证件号码": "52999901MJ9000022X"}, "乙方证件号码", "code"), ({"起": "去年"}, "起", "date"),
        ({"止": "2024-02-30"}, "止", "date"), ({"起": "2024-01-02", "止": "2024/1/1"}, "止", "order"), ({"依据": "长" * 301}, "依据", "long"),
        ({"乙方类型": "单位", "乙方证件号码": "", "关系": "夫妻"}, "关系", "kinship"),
        ({"关系": "挂靠"}, "关系", "of_bodies"),
    ],
)  # fmt: skip
def test_each_wrong_cell_is_named_by_line_column_and_rule_and_nothing_is_written(
    judged: Judged, cells: dict[str, str], column: str, rule: str
) -> None:
    """The good row beside it is not written either; the sentence speaks English to whoever reads English, and repeats no number."""
    content = sheet(works(judged), married(**cells))
    found = read(judged, content)
    assert told(found) == [(3, column, rule)]
    before = AuditEvent.objects.count()
    with pytest.raises(Invalid) as refused:
        imported(judged, content)
    assert refused.value.rule == f"tie_{rule}"
    assert (Tie.objects.count(), Node.objects.count(), AuditEvent.objects.count()) == (0, 0, before)
    assert "1949123100" not in found.problems[0].sentence
    with translation.override("en"):
        assert spoken(found.problems[0].sentence) != found.problems[0].sentence


def test_a_file_that_is_none_is_refused_as_a_whole(judged: Judged) -> None:
    """Missing and unknown headings, no rows, too many, no text, the samples of the template, the same row twice."""
    assert [p.rule for p in read(judged, sheet(works(judged), heads=[c for c in COLUMNS if c != "起"])).problems] == ["columns"]
    assert [p.rule for p in read(judged, sheet(works(judged), heads=[*COLUMNS, "备注"])).problems] == ["unknown_columns"]
    assert [p.rule for p in read(judged, sheet()).problems] == ["empty"]
    assert [p.rule for p in read(judged, b"\xff\xfe\x00PNG").problems] == ["encoding"]
    assert [p.rule for p in read(judged, b"").problems] == ["columns"]
    assert {p.rule for p in read(judged, sheet(*([works(judged)] * (tie_sheet.MOST_ROWS + 1)))).problems} == {"most"}
    assert told(read(judged, sheet(works(judged), works(judged)))) == [(3, "关系", "twice")]
    samples = sheet(*(dict(zip(COLUMNS, cells, strict=True)) for cells in tie_sheet.SAMPLES))
    assert {p.rule for p in read(judged, samples).problems} == {"sample"}


def test_a_spreadsheets_habits_change_nothing(judged: Judged) -> None:
    """GB 18030, an apostrophe before the code, full width, another order of columns, blank lines."""
    row = married(乙方证件号码=f"'{NUMBER}", 甲方="Ｓ０２", 起="2010年5月1日")
    heads = list(reversed(COLUMNS))
    content = sheet(row, heads=heads).decode("utf-8-sig").replace("\r\n", "\r\n\r\n").encode("gb18030")
    assert imported(judged, content) == (1, 0)
    assert imported(judged, sheet(married(起="2010-05-01"))) == (0, 1)


def test_whoever_does_not_keep_the_pool_reads_and_imports_nothing(judged: Judged) -> None:
    for who in (judged.desk.finance, judged.desk.auditor, judged.bodies[0].signatory, judged.experts["S01"].user):
        with pytest.raises(NotYou):
            services.read_ties(sheet(works(judged)), agency=judged.desk.agency, by=who)
        with pytest.raises(NotYou):
            services.import_ties(sheet(works(judged)), agency=judged.desk.agency, by=who)
    assert not Tie.objects.exists()


def test_every_sentence_of_the_file_is_in_the_catalogue() -> None:
    with translation.override("en"):
        for sentence in SENTENCES.values():
            assert translation.gettext(sentence) != sentence, sentence


# --- pages ----------------------------------------------------------------------------------------------------------------------


def upload(client: Client, content: bytes) -> Any:
    return client.post(reverse("review:import_ties"), {"file": SimpleUploadedFile("ties.csv", content, "text/csv")})


def test_preview_then_confirm_and_the_page_keeps_no_number(judged: Judged) -> None:
    client = client_of(judged.desk.officer)
    page = upload(client, sheet(works(judged), married()))
    body = page.content.decode()
    assert page.status_code == 200
    assert NUMBER not in body
    assert "欧阳修远" not in body
    assert "欧*" in body
    assert not Tie.objects.exists(), "a preview writes nothing"
    token = page.context["token"]
    assert client.post(reverse("review:import_ties"), {"confirmed": token}).status_code == 302
    assert Tie.objects.count() == 2
    assert "新登记 0 条" in upload(client, sheet(works(judged), married())).content.decode()


def test_a_preview_is_confirmed_by_whoever_made_it_within_the_hour(judged: Judged) -> None:
    """Another officer's token, an altered one, one of yesterday: nothing is written."""
    client = client_of(judged.desk.officer)
    token = upload(client, sheet(works(judged))).context["token"]
    other = people.office("澄江市邻县民政局").officer
    for who, sent in (
        (other, token),
        (judged.desk.officer, token[:-8] + "AAAAAAAA"),
        (judged.desk.officer, '{"by": "x"}'),
        (judged.desk.officer, "GY1:"),
    ):
        answer = client_of(who).post(reverse("review:import_ties"), {"confirmed": sent})
        assert answer.status_code == 302
    with clock.at(world.after(judged.call, 4)):
        assert client.post(reverse("review:import_ties"), {"confirmed": token}).status_code == 302
    assert not Tie.objects.exists()


def test_wrong_rows_are_shown_as_a_table_and_there_is_nothing_to_confirm(judged: Judged) -> None:
    page = upload(client_of(judged.desk.officer), sheet(works(judged), married(关系="朋友"), married(起="去年")))
    body = page.content.decode()
    assert page.status_code == 422
    assert 'name="confirmed"' not in body
    for word in ("没有“朋友”这种关系", "“去年”不是日期", "这次什么都没有导入"):
        assert word in body


def test_the_template_is_what_the_reader_reads(judged: Judged) -> None:
    answer = client_of(judged.desk.officer).get(reverse("review:tie_template"))
    assert answer["Content-Disposition"].startswith("attachment")
    assert {p.rule for p in read(judged, answer.content).problems} == {"sample"}


def test_an_officer_adds_searches_ends_and_withdraws_on_the_screen(judged: Judged) -> None:
    client, ours = client_of(judged.desk.officer), judged.bodies[0].organisation
    empty = client.get(reverse("review:ties")).content.decode()
    assert "下载模板" in empty, "an empty list says what to do"
    form = {
        "kind": "spouse",
        "left_type": "专家",
        "left_name": "S01",
        "right_type": "个人",
        "right_name": "欧阳修远",
        "right_at": ours.name,
        "source": "declared",
    }
    answer = client.post(reverse("review:new_tie"), form)
    assert answer.status_code == 302, answer.content.decode()
    tie = Tie.objects.get()
    assert (tie.source, tie.recorded_by, tie.agency) == ("declared", judged.desk.officer, judged.desk.agency)
    page = reverse("review:tie", args=[tie.pk])
    for query, there in (("欧阳修远", True), ("欧阳", False), ("S01", True), ("无此单位", False)):
        assert (page in client.get(reverse("review:ties"), {"about": query}).content.decode()) is there, query
    assert "欧阳修远" not in client.get(page).content.decode()
    assert page in client.get(reverse("review:expert", args=[judged.experts["S01"].pk])).content.decode()
    assert client.post(page, {"do": "end", "until": "2020-01-01"}).status_code == 302
    assert page in client.get(reverse("review:ties"), {"standing": "ended"}).content.decode()
    assert client.post(page, {"do": "withdraw", "reason": ""}).status_code == 422
    assert client.post(page, {"do": "withdraw", "reason": "登记错人"}).status_code == 302
    assert page not in client.get(reverse("review:ties"), {"standing": "standing"}).content.decode()
    assert page in client.get(reverse("review:ties"), {"standing": "withdrawn"}).content.decode()
    assert client.post(page, {"do": "end", "until": "2021-01-01"}).status_code == 409


def test_the_form_refuses_at_the_field_what_a_file_would_be_refused_for(judged: Judged) -> None:
    client = client_of(judged.desk.officer)
    form = {
        "kind": "spouse",
        "left_type": "专家",
        "left_name": "X99",
        "right_type": "个人",
        "right_name": "某人",
        "right_at": "某社",
        "source": "declared",
    }
    for more, field in (({}, "left_name"), ({"left_name": "S01", "right_at": ""}, "right_at"), ({"left_name": "S01", "right_number": "123"}, "right_number"),
                        ({"left_name": "S01", "kind": "employed"}, "kind")):  # fmt: skip
        answer = client.post(reverse("review:new_tie"), {**form, **more})
        assert answer.status_code == 422
        assert list(answer.context["form"].errors) == [field], more
    assert not Tie.objects.exists()


def test_an_organisations_page_leads_to_its_ties_for_who_keeps_the_pool(judged: Judged) -> None:
    imported(judged, sheet(works(judged), married()))
    ours = judged.bodies[0].organisation
    desk = reverse("desk:object", args=["organisation", ours.pk])
    mine = f"{reverse('review:ties')}?organisation={ours.pk}"
    assert mine in client_of(judged.desk.officer).get(desk).content.decode()
    assert mine not in client_of(judged.bodies[0].signatory).get(desk).content.decode()
    listed = client_of(judged.desk.officer).get(mine).content.decode()
    board, spouse = Tie.objects.get(kind="board"), Tie.objects.get(kind="spouse")
    assert reverse("review:tie", args=[board.pk]) in listed
    assert reverse("review:tie", args=[spouse.pk]) not in listed


def test_nobody_else_opens_any_of_it(judged: Judged) -> None:
    """Least of all the expert: whose relative somebody is, is not shown to them either."""
    imported(judged, sheet(works(judged)))
    pages = [reverse(f"review:{name}") for name in ("ties", "new_tie", "import_ties", "tie_template")] + [
        reverse("review:tie", args=[Tie.objects.get().pk])
    ]
    for who in (
        judged.desk.finance,
        judged.desk.auditor,
        judged.bodies[0].signatory,
        judged.experts["S01"].user,
        people.person("路人"),
    ):
        assert {client_of(who).get(page).status_code for page in pages} == {404}
    own = client_of(judged.experts["S01"].user).get(reverse("review:expert", args=[judged.experts["S01"].pk])).content.decode()
    assert "关系网" not in own
