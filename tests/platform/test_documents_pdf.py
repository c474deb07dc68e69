"""Documents as paper: everything that was agreed is on it, in glyphs, on pages that say how many they are, in the same bytes."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from django.template import engines
from django.utils import translation
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject

from grants.documents.capitals import capitals
from grants.documents.contract import DATA_FILE, render_contract
from grants.documents.contract_data import BudgetItem, ContractData, ContractInconsistent, FundingShare, TrancheTerm
from grants.documents.glyphs import drawable, faces, spell_out
from grants.documents.pdf import render_pdf
from grants.documents.press import OutsideFetch
from tests.platform.contract_samples import extreme, ordinary
from tests.platform.sheet_samples import SHEETS

CLAUSES = [
    "协议依据",
    "名词定义",
    "项目内容与绩效目标",
    "资助金额",
    "资金来源与标识",
    "分期拨付",
    "收款账户",
    "票据",
    "预算执行与调整",
    "配套资金",
    "项目采购",
    "场地与实物支持",
    "人员与保险",
    "安全与突发事件",
    "个人信息与未成年人保护",
    "宣传与知识产权",
    "监督、评估与审计",
    "档案",
    "中止、终止与追回",
    "结余资金",
    "廉洁约定",
    "信用后果",
    "不可抗力",
    "通知与电子签名",
    "争议解决",
    "生效与份数",
    "附件",
]
SAMPLES = {"two-party": ordinary, "three-party": extreme}
ISSUED = dt.date(2026, 5, 20)


@cache
def printed(which: str) -> bytes:
    return render_contract(SAMPLES[which](), identifier=f"contract:{which}:1")


@cache
def pages(which: str) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(printed(which))).pages]


def squeezed(text: str) -> str:
    """Without blanks and line ends: where a line breaks is not what is tested."""
    return re.sub(r"\s", "", text)


def whole(which: str) -> str:
    return squeezed("".join(pages(which)))


@pytest.mark.parametrize("which", SAMPLES)
def test_project_parties_both_amounts_and_number_can_be_found_in_the_text(which: str) -> None:
    data, text = SAMPLES[which](), whole(which)
    for value in (
        data.project,
        data.funder.name,
        data.grantee.name,
        f"¥{data.amount:,.2f}",
        capitals(data.amount),
        data.number,
        data.bid_sha256,
    ):
        assert squeezed(value) in text, value


@pytest.mark.parametrize("which", SAMPLES)
def test_every_clause_has_its_heading_and_numbers_run_without_gap(which: str) -> None:
    text = whole(which)
    for title in CLAUSES:
        assert re.search(f"第[一二三四五六七八九十]+条{title}", text), title
    assert "第二十七条" in text
    assert ("第二十八条" in text) is (which == "three-party")  # one clause more: 党建引领


def test_only_the_three_party_form_binds_sponsor_and_group() -> None:
    assert "乙方（依托组织）" in whole("three-party")
    assert "丙方（执行团队）：" in whole("three-party")
    assert "一式6份" in whole("three-party")
    assert "丙方" not in whole("two-party")
    assert "一式4份" in whole("two-party")


def test_lottery_money_brings_its_wording_and_other_money_does_not() -> None:
    assert "彩票公益金资助—中国福利彩票" in whole("two-party")
    assert "含彩票公益金" not in whole("three-party")


def test_options_of_a_call_change_the_clauses() -> None:
    assert "人民法院提起诉讼" in whole("two-party")
    assert "江口仲裁委员会仲裁" in whole("three-party")
    assert "投影仪一台" in whole("three-party")


@pytest.mark.parametrize("which", SAMPLES)
def test_each_page_says_which_of_how_many_it_is_and_carries_the_digest(which: str) -> None:
    digest, total = SAMPLES[which]().digest, len(pages(which))
    for number, text in enumerate(pages(which), 1):
        assert f"第{number}页共{total}页" in squeezed(text)
        assert f"—{number}—" in squeezed(text)
        assert f"SHA-256{digest[:16]}" in squeezed(text)


@pytest.mark.parametrize("which", SAMPLES)
def test_every_budget_line_and_every_tranche_is_printed(which: str) -> None:
    data, text = SAMPLES[which](), whole(which)
    for line in data.budget:
        assert squeezed(line.category + line.item) in text
    assert text.count("业务活动费") >= (30 if which == "three-party" else 1)
    for tranche in data.tranches:
        assert f"{tranche.amount:,.2f}" in text


@pytest.mark.parametrize("which", SAMPLES)
def test_all_fonts_are_ours_and_embedded(which: str) -> None:
    names = set()
    for font in fonts_of(printed(which)):
        names.add(str(font["/BaseFont"]).split("+")[-1])
        descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert "/FontFile2" in descriptor or "/FontFile3" in descriptor
    assert names
    assert all(name.startswith("gc-") for name in names), names


def fonts_of(pdf: bytes) -> list[DictionaryObject]:
    found = {}
    for page in PdfReader(io.BytesIO(pdf)).pages:
        for reference in page["/Resources"]["/Font"].values():
            found[reference.idnum] = reference.get_object()
    return list(found.values())


def shown_glyphs(pdf: bytes) -> set[int]:
    """Glyph numbers that any page draws (two bytes each, Identity-H)."""
    drawn: set[int] = set()
    for page in PdfReader(io.BytesIO(pdf)).pages:
        for operands, operator in page.get_contents().operations:
            if operator not in (b"Tj", b"TJ"):
                continue
            for part in operands[0] if isinstance(operands[0], ArrayObject) else [operands[0]]:
                if hasattr(part, "original_bytes"):
                    raw = part.original_bytes
                    drawn.update(int.from_bytes(raw[i : i + 2], "big") for i in range(0, len(raw), 2))
    return drawn


@pytest.mark.parametrize("which", SAMPLES)
def test_no_empty_box_is_drawn(which: str) -> None:
    """Glyph 0 is .notdef; a document full of boxes would otherwise still have a perfect text layer."""
    glyphs = shown_glyphs(printed(which))
    assert len(glyphs) > 300
    assert 0 not in glyphs


def test_rare_characters_in_names_are_glyphs_and_text() -> None:
    for letter in "䶮㛃𬭎犇堃喆𬀩":
        assert ord(letter) in drawable()
        assert letter in whole("three-party")


def test_a_character_that_no_font_has_is_spelled_out_not_lost() -> None:
    assert "团队口号〔U+1F600〕" in whole("three-party")
    assert spell_out("A👨‍👩") == "A〔U+1F468〕〔U+1F469〕"
    assert spell_out("守望\u3000𬭎\n") == "守望\u3000𬭎\n"


@pytest.mark.parametrize("which", SAMPLES)
def test_nothing_runs_over_the_edge_of_the_paper(which: str) -> None:
    """Every run of text, from its start to its end, stays inside A4 less 12 mm, however long names and words are.

    Widths are reckoned as one em for Chinese and half an em for Latin, which is a little more than the face needs.
    """
    margin = 12 / 25.4 * 72
    for page in PdfReader(io.BytesIO(printed(which))).pages:
        edges: list[float] = []

        def visit(text: str, cm: list[float], tm: list[float], font: object, size: float, edges: list[float] = edges) -> None:
            if text.strip():
                ems = sum(0.5 if ord(letter) < 0x2000 else 1 for letter in text.strip())
                start = tm[4] * cm[0] + cm[4]
                edges.extend([start, start + ems * size * tm[0] * cm[0]])

        page.extract_text(visitor_text=visit)
        assert min(edges) >= margin
        assert max(edges) <= float(page.mediabox.width) - margin


def test_the_same_data_gives_the_same_bytes_and_other_data_does_not() -> None:
    assert render_contract(ordinary(), identifier="contract:two-party:1") == printed("two-party")
    assert render_contract(ordinary(), identifier="contract:two-party:2") != printed("two-party")


def test_the_readers_language_does_not_change_the_paper() -> None:
    with translation.override("en"):
        assert render_contract(ordinary(), identifier="contract:two-party:1") == printed("two-party")


def test_the_data_is_embedded_and_hashes_to_the_digest_on_the_paper() -> None:
    reader = PdfReader(io.BytesIO(printed("two-party")))
    assert reader.attachments[DATA_FILE] == [ordinary().canonical()]
    assert json.loads(reader.attachments[DATA_FILE][0])["amount"] == "107000.53"
    assert ordinary().digest[:16] in whole("two-party")


def test_metadata_names_title_language_date_and_archival_form() -> None:
    reader = PdfReader(io.BytesIO(printed("two-party")))
    assert reader.metadata.title == f"{ordinary().project} 项目资助协议书"
    assert reader.root_object["/Lang"] == "zh-Hans"
    assert reader.metadata.creation_date.date() == ordinary().drawn_on
    assert b"pdfaid:part" in reader.root_object["/Metadata"].get_object().get_data()


def test_no_picture_of_a_seal_is_on_the_paper() -> None:
    assert "（盖章）" in whole("two-party")
    assert all(not page.images for page in PdfReader(io.BytesIO(printed("two-party"))).pages)


@pytest.mark.parametrize("template", SHEETS)
def test_each_other_sheet_prints_its_values_on_a4(template: str) -> None:
    pdf = render_pdf(template, SHEETS[template], identifier=template, issued_on=ISSUED)
    reader = PdfReader(io.BytesIO(pdf))
    text = squeezed("".join(page.extract_text() for page in reader.pages))
    assert squeezed(SHEETS[template]["number"]) in text
    assert "2026年5月20日" in text
    assert f"第1页共{len(reader.pages)}页" in text
    for amount in (SHEETS[template].get("total"), SHEETS[template].get("amount")):
        if amount is not None:
            assert capitals(amount) in text
    assert 0 not in shown_glyphs(pdf)
    assert [round(float(side)) for side in reader.pages[0].mediabox[2:]] == [595, 842]


def test_values_are_escaped() -> None:
    hostile = {**SHEETS["documents/notice.html"], "intro": "<img src=x><script>1</script>"}
    pdf = render_pdf("documents/notice.html", hostile, identifier="x", issued_on=ISSUED)
    assert "<imgsrc=x><script>1</script>" in squeezed("".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages))


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/x.png", "file:///etc/hostname", "https://example.invalid/x.css"])
def test_a_template_that_fetches_anything_fails_loudly(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    page = engines["django"].from_string(f'<html><body><img src="{address}"></body></html>')
    monkeypatch.setattr("grants.documents.press.render_to_string", lambda name, context: page.render(context))
    with pytest.raises(OutsideFetch):
        render_pdf("any", {}, identifier="x", issued_on=ISSUED)


def test_a_process_that_prints_nothing_starts_without_the_press() -> None:
    """Every page and task is imported; WeasyPrint, a quarter of what starting costs, is not."""
    asked = "import django; django.setup(); import grants.config.urls, grants.config.celery, bidding.tasks, sys; print('weasyprint' in sys.modules)"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "grants.config.settings"}
    told = subprocess.run([sys.executable, "-c", asked], env=environment, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"


def test_an_office_can_bring_its_own_font_and_ours_stays_behind_it(settings, tmp_path) -> None:
    (tmp_path / "fonts").mkdir()
    (tmp_path / "fonts" / "body.ttf").write_bytes(faces()[0][1].read_bytes())
    settings.GONGCHUANG_HOME = tmp_path
    assert [family for family, _path in faces()][:2] == ["own-body", "gc-body"]


def changed(**values: object) -> ContractData:
    return replace(ordinary(), **values)


def one(amount: str) -> Decimal:
    return Decimal(amount)


CONTRADICTIONS = {
    "sources": {"sources": (FundingShare("甲", one("107000.52")),)},
    "tranches": {"tranches": (TrancheTerm(1, one("100"), one("107000.54"), (), 5),)},
    "budget": {"budget": (BudgetItem("甲", "乙", "", one("1"), one("107000.00"), one("30000")),)},
    "shares": {"tranches": (TrancheTerm(1, one("99"), one("107000.53"), (), 5),)},
    "match": {"match": one("30000.01")},
    "period": {"ends_on": dt.date(2026, 6, 30)},
    "amount": {"asked": one("107000.52")},
    "account": {"account": replace(ordinary().account, holder="别的单位")},
}


@pytest.mark.parametrize("rule", CONTRADICTIONS)
def test_numbers_that_contradict_each_other_never_become_paper(rule: str) -> None:
    with pytest.raises(ContractInconsistent) as refused:
        changed(**CONTRADICTIONS[rule])
    assert refused.value.rule == rule


def test_one_amount_in_two_notations_is_one_digest_and_another_amount_is_not() -> None:
    assert changed(match=one("30000")).digest == ordinary().digest
    assert changed(head="别人").digest != ordinary().digest
