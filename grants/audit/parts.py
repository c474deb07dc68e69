"""What each part of a package holds. A part writes what it makes piece by piece and names kept files by their hash; nothing is held whole.

Paths stand below data/.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bidding.models import Bid, BidVersion
from bidding.rules import handed_in
from grants import clock
from grants.audit import guide, guide_page, logpart, masking, opendata
from grants.audit.bag import safe
from grants.audit.offline import program
from grants.audit.sealedpart import sealed
from grants.audit.tables import Sheet, opened_marks, sheets
from grants.awards.models import Contract, PublicNotice
from grants.calls.models import Call
from grants.desk import rehearsing
from grants.desk.audit import samples
from grants.documents.files import keep, path_of
from grants.documents.models import StoredFile
from grants.evaluation.models import Evidence
from grants.funding.models import Expense, PaymentBatch, Receipt
from grants.ledger import canonical
from grants.ledger.log import rfc3339
from grants.web.cells import Totals
from grants.web.exports import CHUNK, csv_pieces, write_workbook
from grants.workflow.refusals import Sentence
from review.models import AssignmentRun, Draw, Panel, PanelAnalysis, Review
from review.transcript_reading import write as written

Made = tuple[str, StoredFile]
JSON, CSV, TEXT = "application/json", "text/csv", "text/plain"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PIECE = 64 * 1024


@dataclass(frozen=True)
class Wish:
    """What kind of package: with each expert's marks (auditors only), with personal data (with a reason), bids of one sample only."""

    ballots: bool = False
    personal: bool = False
    sample: samples.Sample | None = None
    lost: list[list[str]] = field(default_factory=list)  # path and hash of kept files whose bytes are gone


Part = Callable[[Call, Wish], Iterator[Made]]


def _json(path: str, value: Any) -> Made:
    return path, keep([(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()], media_type=JSON)


def _kept(wish: Wish, path: str, sha256: str | None) -> Iterator[Made]:
    """A kept file under its path, if there is one. One whose bytes are gone is noted: an auditor must learn of it and still have the rest."""
    row = StoredFile.objects.filter(sha256=sha256 or "").first()
    if row is not None and path_of(row.sha256).exists():
        yield path, row
    elif sha256:
        wish.lost.append([path, sha256])


def _lines(path: str, pieces: Iterable[bytes]) -> Iterator[Made]:
    """A file made piece by piece; none for nothing at all."""
    begun = iter(pieces)
    first = next(begun, b"")
    if first:
        yield path, keep(_after(first, begun), media_type=TEXT)


def _after(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


# --- tables, open data and the log: one part, because they are checked against each other ------------------------------------------------


def facts(call: Call, wish: Wish) -> Iterator[Made]:
    """表格、开放数据和台账"""
    made_at, told = clock.now(), []
    for sheet in sheets(call, ballots=wish.ballots, personal=wish.personal):
        files, entry = _sheet(sheet)
        yield from files
        told.append(entry)
    yield _json("tables/index.json", {"call": call.code, "made_at": rfc3339(made_at), "personal": wish.personal, "tables": told})
    yield from _open(call)
    head = logpart.sign_up_to_now()
    for name, pieces in logpart.files(call, head):
        yield from _lines(f"log/{name}", pieces)
    yield _json("about.json", _about(call, wish, made_at, head.size))


def _about(call: Call, wish: Wish, made_at: Any, size: int) -> dict[str, Any]:
    return {
        "format": "gongchuang-package/1", "call": call.subject, "code": call.code, "title": call.title, "agency": call.agency.name,
        "made_at": rfc3339(made_at), "log_size": size, "ballots": wish.ballots, "personal": wish.personal,
        "sample": wish.sample.id if wish.sample else "",
    }  # fmt: skip


def _sheet(sheet: Sheet) -> tuple[list[Made], dict[str, Any]]:
    """CSV and XLSX of one table, and its line in the index: rows, sums, columns."""
    done, broken = _("合计：共 {count} 行"), _("！！！导出中断：第 {count} 行之后没有读到，这份文件不完整，请重新导出。")
    totals = Totals(sheet.columns, sheet.total_of)
    pieces = csv_pieces(totals, sheet.rows.iterator(chunk_size=CHUNK), done=done, broken=broken)
    table = keep((piece.encode() for piece in pieces), media_type=CSV)
    with tempfile.TemporaryFile() as out:
        write_workbook(out, Totals(sheet.columns, sheet.total_of), sheet.rows.iterator(chunk_size=CHUNK), done=done)
        out.seek(0)
        book = keep(iter(lambda: out.read(PIECE), b""), media_type=XLSX)
    entry = {
        "code": sheet.code, "name": sheet.name, "rows": totals.count, "sums": {name: f"{value:f}" for name, value in totals.sums.items()},
        "columns": [[c.name, str(c.label), c.kind] for c in sheet.columns],
    }  # fmt: skip
    return [(f"tables/{sheet.code}.csv", table), (f"tables/{sheet.code}.xlsx", book)], entry


def _open(call: Call) -> Iterator[Made]:
    """The same bytes as the public addresses give."""
    if call.published_at is None:
        return
    made = {"ocds/releases.json": opendata.release_package(call), "ocds/record.json": opendata.record_package(call), "360/grants.json": opendata.grants(call)}
    for path, value in made.items():
        if value:  # no grant, no file of grants
            yield path, keep([opendata.as_bytes(value)], media_type=JSON)


# --- papers ----------------------------------------------------------------------------------------------------------------------------


def papers(call: Call, wish: Wish) -> Iterator[Made]:
    """规则、协议、公示、评审报告和银行批次"""
    for version in call.versions.filter(frozen_at__isnull=False):
        yield f"rules/v{version.number}.json", keep([version.document.encode()], media_type=JSON)
    for contract in Contract.objects.filter(award__call=call, issued_at__isnull=False).order_by("number"):
        yield from _contract(wish, contract)
    for notice in PublicNotice.objects.filter(call=call).order_by("number"):
        yield f"notices/{safe(notice.number)}.json", keep([canonical.encode(notice.body)], media_type=JSON)
        yield from _kept(wish, f"notices/{safe(notice.number)}.pdf", notice.file_id)
    for panel in Panel.objects.filter(call=call, state="concluded").order_by("created_at"):
        yield from _kept(wish, f"reports/{safe(panel.name)}-{panel.pk}.pdf", panel.report_id)
    for batch in PaymentBatch.objects.filter(call=call).order_by("number") if wish.personal else ():
        yield from _kept(wish, f"payments/{safe(batch.number)}.csv", batch.file_id)


def _contract(wish: Wish, contract: Contract) -> Iterator[Made]:
    folder = f"contracts/{safe(contract.number)}"
    copies = {"printed": contract.file_id, "signed": contract.signed_id, "grantee-scan": contract.grantee_scan_id, "agency-scan": contract.agency_scan_id}
    for name, sha256 in copies.items():
        for path, row in _kept(wish, f"{folder}/{name}", sha256):
            yield f"{path}.{_ending(row)}", row


def _ending(row: StoredFile) -> str:
    known = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png", XLSX: "xlsx", "text/csv": "csv", "text/plain": "txt"}
    return known.get(row.media_type, "docx" if "wordprocessingml" in row.media_type else "bin")


# --- bids ------------------------------------------------------------------------------------------------------------------------------


def bids(call: Call, wish: Wish) -> Iterator[Made]:
    """申报材料"""
    rows = Bid.objects.filter(handed_in(), call=call).order_by("number")
    if wish.sample is not None:
        rows = rows.filter(number__in=wish.sample.drawn)
        yield "draws/sample.json", keep([written(wish.sample.document())], media_type=JSON)
    yield from sealed(call, whole=wish.personal)
    for bid in rows.iterator(chunk_size=100):
        versions = list(bid.versions.order_by("number"))
        for version in versions:
            yield f"bids/{safe(bid.number)}/v{version.number}.json", _document(version, personal=wish.personal)
        if versions and wish.personal:
            yield from _attached(wish, bid, versions[-1])


def _document(version: BidVersion, *, personal: bool) -> StoredFile:
    """As submitted, byte for byte; or without persons, with the hash that the log names."""
    if personal:
        return keep([version.document.encode()], media_type=JSON)
    value = {"masked": True, "version": version.number, "sha256": version.hash, "content": masking.bid(version.content)}
    return _json("", value)[1]


def _attached(wish: Wish, bid: Bid, version: BidVersion) -> Iterator[Made]:
    for place, listed in enumerate(version.attachments(), start=1):
        for path, row in _kept(wish, f"bids/{safe(bid.number)}/{safe(listed['code'])}.{place}", listed["sha256"]):
            yield f"{path}.{_ending(row)}", row


# --- review ----------------------------------------------------------------------------------------------------------------------------


def reviews(call: Call, wish: Wish) -> Iterator[Made]:
    """评审：承诺值、抽取、分派、分析"""
    yield from _lines("review/ballots.jsonl", _ballots(call, opened=wish.ballots))
    for draw in Draw.objects.filter(call=call).order_by("created_at"):
        yield f"draws/announced-{draw.about}-{draw.number}-{draw.pk}.json", keep([canonical.encode(draw.announced)], media_type=JSON)
        if draw.state == "drawn":
            yield f"draws/{draw.about}-{draw.number}-{draw.pk}.json", keep([canonical.encode(draw.transcript)], media_type=JSON)
    for run in AssignmentRun.objects.filter(panel__call=call, carried_out=True).order_by("pk"):
        yield f"assignment/{run.pk}-IN.json", keep([run.question.encode()], media_type=JSON)
        yield f"assignment/{run.pk}-OUT.json", keep([run.answer.encode()], media_type=JSON)
    if wish.ballots:
        if (round_ := rehearsing.for_files(call)) is not None:
            yield _json("review/trial.json", round_)
        for analysis in PanelAnalysis.objects.filter(panel__call=call).order_by("pk"):
            yield f"analysis/{analysis.panel_id}.json", keep([analysis.body.encode()], media_type=JSON)


def _ballots(call: Call, *, opened: bool) -> Iterator[bytes]:
    """One line for each ballot handed in: its commitment as the log has it; the marks and the salt that open it, for auditors, once opened."""
    shown = set(opened_marks(call).values_list("review_id", flat=True)) if opened else set()
    rows = Review.objects.filter(panel__call=call, state="submitted").select_related("bid", "expert", "panel").prefetch_related("marks")
    for review in rows.order_by("bid__number", "stage", "expert__code").iterator(chunk_size=200):
        line: dict[str, Any] = {"review": review.subject, "bid": review.bid.number, "stage": review.stage, "commitment": review.ballot_hash()}
        if review.pk in shown:
            marks = {m.criterion: str(m.value) for m in sorted(review.marks.all(), key=lambda m: m.criterion)}
            line |= {"expert": review.expert.code, "salt": review.salt, "marks": marks}
        yield (json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n").encode()


# --- what was handed in while projects ran ------------------------------------------------------------------------------------------------


def evidence(call: Call, wish: Wish) -> Iterator[Made]:
    """执行材料：佐证、票据、凭证"""
    yield from _lines("evidence/list.csv", _listed(call))
    if not wish.personal:
        return
    for path, sha256 in _papers_of(call):
        for found, row in _kept(wish, path, sha256):
            yield f"{found}.{_ending(row)}", row


def _papers_of(call: Call) -> Iterator[tuple[str, str]]:
    for row in Evidence.objects.filter(award__call=call).select_related("award").order_by("pk"):
        yield f"evidence/{safe(row.award.number)}/{safe(row.code)}-{row.pk}", row.file_id
    for receipt in Receipt.objects.filter(tranche__award__call=call).select_related("tranche__award").order_by("pk"):
        yield f"evidence/{safe(receipt.tranche.award.number)}/receipt-{receipt.pk}", receipt.file_id
    for expense in Expense.objects.filter(award__call=call, voucher__isnull=False).select_related("award").order_by("pk"):
        yield f"evidence/{safe(expense.award.number)}/voucher-{expense.pk}", str(expense.voucher_id)


def _listed(call: Call) -> Iterator[bytes]:
    """What there is, by place and hash, whether it is enclosed or not."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([("path", "sha256"), *_papers_of(call)])
    yield out.getvalue().encode()


PARTS: Mapping[str, tuple[Sentence, Part]] = {
    "facts": (gettext_lazy("表格、开放数据和台账"), facts), "papers": (gettext_lazy("规则、协议、公示和报告"), papers),
    "bids": (gettext_lazy("申报材料"), bids), "reviews": (gettext_lazy("评审：承诺值、抽取、分派"), reviews),
    "evidence": (gettext_lazy("执行材料"), evidence),
}  # fmt: skip


def made(code: str, call: Call, wish: Wish) -> list[Made]:
    """One part's files by their path in the bag. Chinese whatever the asker's page is."""
    with translation.override("zh-hans"):
        found = list(PARTS[code][1](call, wish))
        if wish.lost:
            found.append(_json(f"lost/{code}.json", wish.lost))
        return [(f"data/{path}", row) for path, row in found]


def beside(call: Call, wish: Wish) -> Sequence[tuple[str, bytes]]:
    """What stands beside data/: the checking program and the reading guide."""
    with translation.override("zh-hans"):
        told = guide.text(call, wish)
        return [("verify.py", program.text().encode()), ("阅读指南.html", guide_page.page(told).encode()), ("阅读指南.md", told.encode())]
