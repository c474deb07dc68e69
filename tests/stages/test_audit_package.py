"""The audit package: one ZIP with a call's whole record, checked by a bare Python; who may have which kind; what it holds and what it must not."""

from __future__ import annotations

import ast
import contextlib
import csv
import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import bagit
import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import translation

from bidding.models import TeamMember
from grants import clock, ledger
from grants.audit import packing
from grants.audit.offline import program
from grants.desk.audit import samples
from grants.ledger.models import AuditEvent
from grants.people.models import User
from grants.workflow import effects, jobs
from grants.workflow.models import BulkJob, JobFile
from grants.workflow.refusals import Invalid, NotNow, NotYou
from review import findings
from review.models import ConflictHit, Expert
from review.services import settling
from tests.world import bidding, calls, packages, people, review, shared
from tests.world.funding import Project

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def two(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Project]]:
    """Two awards of one call; the first is paid its first tranche and has spent ¥100.00."""
    with shared.rows(django_db_blocker):
        yield packages.projects()


@pytest.fixture(scope="module")
def bag(two: list[Project], django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The auditor's package of the call, unpacked."""
    with django_db_blocker.unblock(), clock.at(two[-1].day(3)):
        return packages.unpacked(two[0], "auditor", tmp_path_factory.mktemp("bag"))


@pytest.fixture
def project(two: list[Project]) -> Iterator[Project]:
    with clock.at(two[-1].day(3)):
        yield two[0]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client


def made(project: Project, kind: str = "auditor", **more: Any) -> packing.Package:
    found = packing.package_of(packages.packed(project, kind, **more))
    assert found is not None
    return found


def names(package: packing.Package) -> list[str]:
    return [packed.path for packed in package.files]


# --- what a stranger finds --------------------------------------------------------------------------------------------------


def test_a_bare_python_finds_the_package_whole_and_says_what_it_cannot_see(bag: Path) -> None:
    """`python3 -S -E` in the folder, nothing of ours importable: exit 0, the sums, and the attacks it would not have noticed."""
    found = subprocess.run([sys.executable, "-S", "-E", "verify.py"], cwd=bag, capture_output=True, text=True, check=False, encoding="utf-8")
    assert found.returncode == 0, found.stdout + found.stderr
    for told in ("结论:完整 INTACT", "立项 170000.00 元,已付 45000.00 元", "评分 10 份的承诺值与台账一致,其中 10 份打开核对", "没有给出资料包编号"):
        assert told in found.stdout


def test_the_program_is_one_file_for_python_3_8_and_the_standard_library() -> None:
    text = program.text()
    tree = ast.parse(text, feature_version=(3, 8))
    used = {name.split(".")[0] for node in ast.walk(tree) for name in _imported(node)}
    assert used <= sys.stdlib_module_names
    assert "grants" not in used
    assert text.count("def ed25519(") == 1  # the ledger's verifier is in it, once


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


def test_a_second_reader_of_bagit_agrees(bag: Path) -> None:
    found = bagit.Bag(str(bag))
    assert found.validate()
    assert found.version_info == (1, 0)
    assert found.info["Payload-Oxum"] == f"{sum(p.stat().st_size for p in (bag / 'data').rglob('*') if p.is_file())}.{len(list(found.payload_files()))}"


def test_tables_are_safe_and_whole(bag: Path) -> None:
    """Codes stay text, each file ends with its rows and its sum, and the index says the same."""
    index = {t["code"]: t for t in json.loads((bag / "data/tables/index.json").read_text("utf-8"))["tables"]}
    rows = list(csv.reader((bag / "data/tables/awards.csv").open(encoding="utf-8-sig", newline="")))
    assert (len(rows) - 2, index["awards"]["rows"], index["awards"]["sums"]) == (2, 2, {"amount": "170000.00"})
    sheet: Any = openpyxl.load_workbook(bag / "data/tables/awards.xlsx").active
    assert sheet["E2"].data_type == "s"
    assert str(sheet["G4"].value) in ("170000", "170000.0")
    assert len(index) == 17


def test_the_same_job_gives_the_same_bytes_and_its_number_stands_in_the_log(project: Project) -> None:
    package = made(project)
    first, second = (hashlib.sha256(b"".join(packing.pieces(package))).hexdigest() for _again in range(2))
    assert first == second
    entry = AuditEvent.objects.filter(event="call.package", subject=project.call.subject).latest("pk")
    public = json.loads(bytes(entry.leaf))["public"]
    assert (public["package"], public["kind"], entry.scope) == (package.number, "auditor", f"call:{project.call.pk}")


# --- who, and when ------------------------------------------------------------------------------------------------------------


def test_kinds_are_for_those_who_may(project: Project) -> None:
    """The agency's people get no marks of single experts and no originals; the grantee and strangers get nothing; a superuser neither."""
    desk, call = project.desk, project.call
    for kind, by in (("auditor", desk.officer), ("originals", desk.approver), ("agency", project.claimant), ("auditor", people.office().auditor)):
        with pytest.raises(NotYou):
            packing.pack(call, packing.KINDS[f"audit.{kind}"], by=by, reason="纪委来函要求核对")
    package = made(project, "agency", by=desk.officer)
    assert not [n for n in names(package) if "ballots.csv" in n or n.startswith("data/analysis/")]
    lines = read(package, "data/review/ballots.jsonl").decode().splitlines()
    assert {frozenset(json.loads(line)) for line in lines} == {frozenset({"review", "bid", "stage", "commitment"})}


def read(package: packing.Package, path: str) -> bytes:
    from grants.documents.files import read_file

    return read_file(next(p.file.sha256 for p in package.files if p.path == path))


def test_before_the_bids_are_opened_there_is_no_package(project: Project) -> None:
    desk = people.office()
    call = calls.opened(desk, review.rules(name="YX-2026-09"))
    with clock.at(bidding.opens(call)), pytest.raises(NotNow, match="开标之前"):
        packing.pack(call, packing.KINDS["audit.auditor"], by=desk.auditor)


def test_originals_need_a_reason_and_hold_what_was_submitted_byte_for_byte(project: Project) -> None:
    with pytest.raises(Invalid):
        packing.pack(project.call, packing.KINDS["audit.originals"], by=project.desk.auditor, reason="看看")
    package = made(project, "originals", reason="纪委来函要求核对原件")
    bid = project.award.bid
    content = read(package, f"data/bids/{bid.number}/v1.json")
    assert hashlib.sha256(content).hexdigest() == bid.latest.hash  # type: ignore[union-attr]
    assert [n for n in names(package) if n.startswith(f"data/bids/{bid.number}/") and not n.endswith(".json")]
    assert [n for n in names(package) if n.startswith("data/payments/")]
    assert json.loads(read(package, "data/about.json"))["personal"] is True


def test_a_package_with_originals_verifies_too(project: Project, tmp_path: Path) -> None:
    folder = packages.unpacked(project, "originals", tmp_path, reason="纪委来函要求核对原件")
    program_of = packages.program(folder)
    assert program_of.main([str(folder)]) == 0


def test_a_masked_package_names_nobody(project: Project, bag: Path) -> None:
    """No team member, expert, officer or evaluator, no telephone number: in no file of tables, bids, open data or the guide."""
    secret = set(TeamMember.objects.filter(bid__call=project.call).values_list("name", flat=True))
    secret |= {str(u) for u in User.objects.filter(expert__isnull=False)} | {str(project.desk.officer), str(project.desk.finance)}
    secret |= set(TeamMember.objects.exclude(licence_no="").values_list("licence_no", flat=True))
    assert len(secret) > 5
    for path in [p for p in bag.rglob("*") if p.suffix in (".csv", ".json", ".jsonl", ".md") and "notices" not in p.parts and "log" not in p.parts]:
        text = path.read_text("utf-8-sig")
        assert [s for s in secret if s in text] == [], path


def with_findings(project: Project) -> list[str]:
    """A namesake set aside by two, a finding that stands, a name that waits; the codes of the three experts."""
    panel, experts = project.call.panels.get(), list(Expert.objects.order_by("code")[:3])
    about = {"bid": project.award.bid, "panel": panel, "source": "computed", "found_at": clock.now(), "moment": "pool"}
    findings.keep_rows([
        ConflictHit(**about, expert=experts[0], fingerprint="a" * 64, test="5:same_name", sentence="某句", candidate=True),
        ConflictHit(**about, expert=experts[1], fingerprint="b" * 64, test="2:direct", sentence="欧阳修远任理事"),
        ConflictHit(**about, expert=experts[2], fingerprint="c" * 64, test="5:same_name", sentence="某句", candidate=True),
    ])  # fmt: skip
    hit = ConflictHit.objects.get(fingerprint="a" * 64)
    settling.propose_dismissal(hit, "欧阳修远不是同一人", by=project.desk.officer)
    settling.dismiss_hit(hit, "欧阳修远电话核实", by=project.desk.approver)
    return [e.code for e in experts]


def test_the_record_of_conflicts_goes_with_the_package_by_codes_and_roles_only(project: Project, tmp_path: Path) -> None:
    """Rule, moment, what became of it; neither names nor reasons; and it verifies."""
    first, second, third = with_findings(project)
    folder = packages.unpacked(project, "auditor", tmp_path)
    rows = list(csv.DictReader((folder / "data/tables/conflicts.csv").open(encoding="utf-8-sig", newline="")))[:-1]
    told = [(r["专家代码"], r["条文项次"], r["情形代码"], r["仅凭名称"], r["查到的时点"], r["处理"], r["处理人角色"]) for r in rows]
    assert told == [
        (first, "5", "same_name", "是", "公布名单前", "已由两人排除", "approver"), (second, "2", "direct", "否", "公布名单前", "应当回避", ""),
        (third, "5", "same_name", "是", "公布名单前", "等待两人核实", ""),
    ]  # fmt: skip
    assert rows[0]["处理时间"] and not rows[1]["处理时间"] and {r["对象"] for r in rows} == {project.call.panels.get().subject}
    assert "欧阳" not in (folder / "data/tables/conflicts.csv").read_text("utf-8-sig") + (folder / "data/tables/index.json").read_text("utf-8")
    assert packages.program(folder).main([str(folder)]) == 0


def test_a_finding_that_was_altered_or_left_out_is_named(project: Project, tmp_path: Path) -> None:
    """Every cell of the table of findings, all checksums made again each time; an added row too, and the untouched package passes."""
    with clock.at(clock.now() - timedelta(hours=1)):  # of the last minute before the tables were read, rows may be missing
        with_findings(project)
    whole = packages.unpacked(project, "auditor", tmp_path)
    check = packages.program(whole)
    for row, column, value in (
        (0, "outcome", "已由两人确认应当回避"), (0, "outcome", "应当回避"), (0, "settled_role", "officer"), (0, "settled_at", "2026-01-01 00:00:00"),
        (0, "expert_code", "E999"), (0, "bid_number", "SB-1"), (1, "outcome", "已由两人排除"), (1, "rule", "own"), (1, "test", 3), (1, "source", "declared"),
        (1, "moment", "抽取后"), (1, "found_at", "2026-01-01 00:00:00"), (1, "name_only", "是"), (1, "fingerprint", "d" * 64), (2, "outcome", "应当回避"),
        (2, "settled_role", "approver"), (1, "subject", "panel:other"),
    ):  # fmt: skip
        copied = tmp_path / "copy"
        shutil.copytree(whole, copied)
        edited(copied, "conflicts", column, value, row=row)
        assert packages.said(check, copied).startswith("✗ data/tables/conflicts.csv:"), (row, column)
        shutil.rmtree(copied)
    for row in range(3):
        copied = tmp_path / "copy"
        shutil.copytree(whole, copied)
        edited(copied, "conflicts", "subject", "", row=row, drop=True)
        assert "在表格里没有" in packages.said(check, copied), row
        shutil.rmtree(copied)
    assert packages.program(whole).main([str(whole)]) == 0


def test_findings_of_before_the_log_named_each_are_counted(project: Project, tmp_path: Path) -> None:
    """A row without a digest passes when an older entry counted it, and no second one does."""
    panel, experts = project.call.panels.get(), list(Expert.objects.order_by("code")[:2])
    about = {"bid": project.award.bid, "panel": panel, "source": "computed", "found_at": clock.now(), "moment": "pool", "test": "2:direct"}
    ConflictHit.objects.create(**about, expert=experts[0], fingerprint="a" * 64, sentence="某句")
    ledger.record(
        event="panel.check_conflicts", actor="system", role="system", subject=panel.subject, scope=f"call:{project.call.pk}", public={"pairs": 9, "hits": 1}
    )  # fmt: skip
    folder = packages.unpacked(project, "auditor", tmp_path / "one")
    assert packages.program(folder).main([str(folder)]) == 0
    ConflictHit.objects.create(**about, expert=experts[1], fingerprint="b" * 64, sentence="某句")
    folder = packages.unpacked(project, "auditor", tmp_path / "two")
    assert packages.said(packages.program(folder), folder).startswith("✗ data/tables/conflicts.csv:")


def test_the_programs_words_of_moments_and_outcomes_are_the_tables() -> None:
    from grants.audit.offline import check

    with translation.override("zh-hans"):
        assert {str(label): str(value) for value, label in ConflictHit.Moment.choices} == check.MOMENTS


def test_a_kept_file_whose_bytes_are_gone_is_listed_and_the_rest_is_there(project: Project, tmp_path: Path) -> None:
    """An auditor must learn of a loss; the package is made all the same, checks, and says where to read of it."""
    from grants.awards.models import PublicNotice
    from grants.documents.files import path_of

    notice = PublicNotice.objects.exclude(file=None).get(call=project.call)
    gone = path_of(str(notice.file_id))
    gone.rename(gone.with_suffix(".away"))
    try:
        folder = packages.unpacked(project, "auditor", tmp_path)
    finally:
        gone.with_suffix(".away").rename(gone)
    assert json.loads((folder / "data/lost/papers.json").read_text("utf-8")) == [[f"notices/{notice.number}.pdf", notice.file_id]]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert packages.program(folder).main([str(folder)]) == 0
    assert "已经缺失的文件见 data/lost/papers.json" in out.getvalue()


# --- pages --------------------------------------------------------------------------------------------------------------------


def test_one_click_makes_it_and_every_download_is_told_to_the_agency(project: Project) -> None:
    auditor, call = signed_in(project.desk.auditor), project.call
    page = reverse("audit:packages", args=[call.pk])
    assert "审计资料包" in auditor.get(page).content.decode()
    answer = auditor.post(page, {"kind": "auditor"})
    job = BulkJob.objects.get(kind="audit.auditor", finished_at=None)
    assert answer.headers["Location"] == reverse("desk:job", args=[job.pk])
    assert auditor.get(reverse("audit:package", args=[job.pk])).status_code == 404  # not sealed yet
    effects.drain()
    assert jobs.progress(job) == jobs.Progress(5, 5, 0)
    assert reverse("audit:package", args=[job.pk]) in auditor.get(reverse("desk:job", args=[job.pk])).content.decode()
    found = packing.package_of(job)
    assert found is not None
    assert found.number in auditor.get(reverse("audit:package", args=[job.pk])).content.decode()
    taken = auditor.get(reverse("audit:file", args=[job.pk]))
    assert zipfile.ZipFile(io.BytesIO(b"".join(taken.streaming_content))).testzip() is None  # type: ignore[attr-defined]
    last = json.loads(bytes(AuditEvent.objects.filter(event="call.download").latest("pk").leaf))
    assert (last["public"]["package"], last["role"], last["scope"]) == (found.number, "auditor", f"call:{call.pk}")
    readings = signed_in(project.desk.officer).get(reverse("desk:audit_readings", args=[call.pk])).content.decode()
    assert readings.count(f"审计资料包 {found.number[:12]}") == 2  # made, and taken


def test_an_auditors_package_is_not_the_officers(project: Project) -> None:
    """Neither its page, nor its file, nor through the page of jobs; strangers get 404 everywhere."""
    job = packages.packed(project, "auditor")
    for who in (project.desk.officer, project.claimant, people.person("路人")):
        client = signed_in(who)
        assert client.get(reverse("audit:package", args=[job.pk])).status_code == 404
        assert client.get(reverse("audit:file", args=[job.pk])).status_code == 404
        assert client.get(reverse("desk:job_package", args=[job.pk])).status_code == 404
    assert signed_in(project.desk.auditor).get(reverse("desk:job_package", args=[job.pk])).status_code == 404
    assert signed_in(people.person("路人乙")).get(reverse("audit:packages", args=[project.call.pk])).status_code == 404


def test_a_refused_wish_is_told_beside_the_field(project: Project) -> None:
    answer = signed_in(project.desk.auditor).post(reverse("audit:packages", args=[project.call.pk]), {"kind": "originals", "reason": ""})
    assert answer.status_code == 422
    assert "请写明为什么需要个人信息原件" in answer.content.decode()


def test_parts_made_again_are_sealed_anew(project: Project) -> None:
    """A job that stopped half-way goes on; a package whose last part was missing has a number only when it is whole."""
    job = packing.pack(project.call, packing.KINDS["audit.auditor"], by=project.desk.auditor)
    jobs.cancel(job, by=project.desk.auditor)
    effects.drain()
    assert packing.package_of(job) is None
    jobs.resume(job, by=project.desk.auditor)
    effects.drain()
    assert packing.package_of(job) is not None
    assert JobFile.objects.filter(item__job=job, path="bagit.txt").count() == 1


# --- sampling and the command ----------------------------------------------------------------------------------------------------


def drawn(project: Project, size: int = 1) -> samples.Sample:
    frozen = samples.freeze(project.call, "bids", size, beacon(), by=project.desk.auditor)
    with clock.at(clock.now() + timedelta(hours=1)):
        return samples.say(project.call, frozen, "03 06 02", by=project.desk.auditor, evidence="中国福彩网公告")


def beacon() -> dict[str, Any]:
    return {"kind": "named", "source": "双色球", "round": "2026039", "due": clock.now() + timedelta(hours=1)}


def test_a_sample_encloses_the_drawn_bids_and_the_drawing(project: Project, tmp_path: Path) -> None:
    sample = drawn(project)
    with clock.at(clock.now() + timedelta(hours=2)):
        folder = packages.unpacked(project, "auditor", tmp_path, sample=sample)
    assert {p.name for p in (folder / "data/bids").iterdir()} == set(sample.drawn)
    check = packages.program(folder)
    assert check.main([str(folder)]) == 0
    moments = [check.before(at, "2026-04-02T01:00:00Z") for at in ("2026-04-02T00:59:59.900000Z", "2026-04-02T01:00:00.000000Z")]
    assert (moments, check.before("2026-04-02T01:00:00.000000Z", "")) == ([True, False], True), "frozen before the beacon fell; lists of old have no hour"
    other = json.loads((folder / "data/draws/sample.json").read_text("utf-8"))
    other["chosen"] = sorted(set(sample.population) - set(sample.drawn))
    (folder / "data/draws/sample.json").write_text(json.dumps(other, ensure_ascii=False), encoding="utf-8")
    packages.rewrap(folder)
    assert packages.said(check, folder).startswith("✗ data/draws/sample.json")


def test_a_list_that_was_not_drawn_is_no_sample(project: Project) -> None:
    frozen = samples.get(project.call, samples.freeze(project.call, "bids", 1, beacon(), by=project.desk.auditor))
    with pytest.raises(Invalid):
        packing.pack(project.call, packing.KINDS["audit.auditor"], by=project.desk.auditor, sample=frozen)


def test_the_command_freezes_waits_and_then_draws_and_writes_a_package(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No sample ready: it says what to do. Frozen, not fallen: it says when. Fallen: it asks, draws, packs. Drawn: the same bids again, nothing asked."""
    out, told, code = tmp_path / "p.zip", io.StringIO(), project.call.code
    auditor = User.objects.get(pk=project.desk.auditor.pk)

    def package(path: Path, *more: str) -> None:
        call_command("audit", "package", code, "--sample", "1", "--by", auditor.username, "--out", str(path), *more, stdout=told, stderr=io.StringIO())

    def frozen(*more: str) -> None:
        call_command("audit", "sample", code, "1", "--by", auditor.username, *more, stdout=told)

    with pytest.raises(CommandError, match=f"audit sample {code} 1"):
        package(out)
    with pytest.raises(CommandError, match="--drand"):
        frozen("--source", "双色球")
    due = (clock.now() + timedelta(hours=1)).astimezone(clock.TZ).replace(microsecond=0)
    frozen("--source", "双色球", "--round", "2026039", "--due", f"{due:%Y-%m-%dT%H:%M:%S}")
    assert samples.of_call(project.call)[-1].digest in told.getvalue()
    with pytest.raises(CommandError, match=f"{due:%Y-%m-%d %H:%M:%S} 才产生"):
        package(out)
    assert not out.exists()
    given = iter(["01 01 04", "公告"])
    monkeypatch.setattr("builtins.input", lambda: next(given))
    with clock.at(due):
        package(out)
        package(tmp_path / "again.zip")
        with pytest.raises(CommandError, match="已经完成"):
            package(tmp_path / "other.zip", "--value", "02", "--evidence", "公告")
        with pytest.raises(CommandError, match="再抽一次须说明理由"):
            frozen("--drand", "99000000")
    assert samples.of_call(project.call)[-1].said == "01 01 04"
    with zipfile.ZipFile(out) as package:
        package.extractall(tmp_path / "x")
    folder = tmp_path / "x" / project.call.code
    assert len(list((folder / "data/bids").iterdir())) == 1
    number_of = hashlib.sha256((folder / "tagmanifest-sha256.txt").read_bytes()).hexdigest()
    assert number_of in told.getvalue()
    assert packages.program(folder).main([str(folder), "--package", number_of]) == 0
    with pytest.raises(CommandError, match="已经存在"):
        call_command("audit", "package", project.call.code, "--out", str(out))
    with pytest.raises(CommandError, match="--by"):
        call_command("audit", "package", project.call.code, "--sample", "1", "--out", str(tmp_path / "q.zip"))


# --- tampering ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def copy(bag: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bag, tmp_path / "copy"))


def test_one_byte_flipped_in_any_file_names_that_file(copy: Path) -> None:
    """Every file of the package, the program and the manifests themselves among them: none passes, and the first line names it."""
    check = packages.program(copy)
    files = sorted(p for p in copy.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    assert len(files) > 50
    for path in files:
        content, name = path.read_bytes(), path.relative_to(copy).as_posix()
        for at in {0, len(content) // 2, len(content) - 1}:
            path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
            assert packages.said(check, copy).startswith(f"✗ {name}:"), (name, at, packages.said(check, copy))
        path.write_bytes(content)
    assert packages.said(check, copy) == ""


def test_a_file_taken_out_or_slipped_in_is_named(copy: Path) -> None:
    check = packages.program(copy)
    held = (copy / "data/tables/awards.csv").read_bytes()
    (copy / "data/tables/awards.csv").unlink()
    assert packages.said(check, copy).startswith("✗ data/tables/awards.csv:不见了")
    (copy / "data/tables/awards.csv").write_bytes(held)
    (copy / "data/tables/extra.csv").write_bytes(held)
    assert packages.said(check, copy).startswith("✗ data/tables/extra.csv:清单里没有")


def edited(folder: Path, code: str, column: str, value: Any, *, row: int = 0, drop: bool = False) -> None:
    """A table edited by somebody who thinks of everything: CSV, workbook, totals, index, and every manifest."""
    index = json.loads((folder / "data/tables/index.json").read_text("utf-8"))
    table = next(t for t in index["tables"] if t["code"] == code)
    at = [c[0] for c in table["columns"]].index(column)
    rows = list(csv.reader((folder / f"data/tables/{code}.csv").open(encoding="utf-8-sig", newline="")))
    body, book = rows[1:-1], openpyxl.load_workbook(folder / f"data/tables/{code}.xlsx")
    sheet: Any = book.active
    if drop:
        rows[-1] = [cell.replace(f"{len(body)} ", f"{len(body) - 1} ") for cell in rows[-1]]
        table["rows"] -= 1
        body.pop(row)
        sheet.delete_rows(row + 2)
    else:
        body[row][at] = str(value)
        sheet.cell(row + 2, at + 1).value = value
    for name in table["sums"]:
        place = [c[0] for c in table["columns"]].index(name)
        table["sums"][name] = rows[-1][place] = str(sum((Decimal(r[place] or 0) for r in body), Decimal("0.00")))
    with (folder / f"data/tables/{code}.csv").open("w", encoding="utf-8-sig", newline="") as out:
        csv.writer(out, lineterminator="\r\n").writerows([rows[0], *body, rows[-1]])
    book.save(folder / f"data/tables/{code}.xlsx")
    (folder / "data/tables/index.json").write_text(json.dumps(index, ensure_ascii=False), encoding="utf-8")
    packages.rewrap(folder)


@pytest.mark.parametrize(
    ("code", "column", "value"),
    [
        ("awards", "amount", Decimal("90001.00")), ("awards", "state_code", "closed"), ("tranches", "amount", Decimal("1.00")),
        ("orders", "amount", Decimal("44999.00")), ("orders", "bank_reference", "HD99999999"), ("expenses", "amount", Decimal("99.00")),
        ("decisions", "amount", Decimal("1.00")), ("contracts", "text_hash", "0" * 64), ("ballots", "value", Decimal("1.00")),
        ("bids", "state_code", "rejected"), ("calls", "rules_version_hash", "0" * 64), ("evaluations", "state_code", "confirmed"),
        ("draws", "number", 7), ("draws", "announced_sha256", "0" * 64), ("draws", "state_code", "failed"),
    ],
)  # fmt: skip
def test_a_table_that_says_otherwise_than_the_log_is_named_although_every_manifest_was_rewritten(copy: Path, code: str, column: str, value: Any) -> None:
    """BagIt alone is no evidence: the bag is valid again, and the row is found."""
    check = packages.program(copy)
    edited(copy, code, column, value)
    assert bagit.Bag(str(copy)).is_valid()
    assert packages.said(check, copy).startswith(f"✗ data/tables/{code}.csv:")


@pytest.mark.parametrize("code", ["awards", "bids", "contracts", "tranches", "decisions", "draws"])
def test_a_row_left_out_is_named(copy: Path, code: str) -> None:
    edited(copy, code, "subject", "", drop=True)
    assert packages.said(packages.program(copy), copy).startswith("✗ data/tables/")


def test_tables_cannot_be_dated_back_so_that_old_states_pass(copy: Path) -> None:
    path = copy / "data/tables/index.json"
    index = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**index, "made_at": "2026-04-13T00:00:00.000000Z"}, ensure_ascii=False), encoding="utf-8")
    edited(copy, "awards", "state_code", "approved")
    assert packages.said(packages.program(copy), copy).startswith("✗ data/tables/index.json:表格的时间")


def test_csv_and_workbook_that_differ_are_named(copy: Path) -> None:
    book = openpyxl.load_workbook(copy / "data/tables/awards.xlsx")
    sheet: Any = book.active
    sheet["C2"].value = "另一个项目"
    book.save(copy / "data/tables/awards.xlsx")
    packages.rewrap(copy)
    assert packages.said(packages.program(copy), copy).startswith("✗ data/tables/awards.xlsx:第 2 行")


def test_papers_exchanged_are_named(copy: Path) -> None:
    """Two contracts' files and two bids in each other's place: every hash stands in the log, but not in that story."""
    check = packages.program(copy)
    for pattern in ("data/contracts/*/printed.pdf", "data/bids/*/v1.json"):
        first, second = sorted(copy.glob(pattern))[:2]
        one, two = first.read_bytes(), second.read_bytes()
        first.write_bytes(two)
        second.write_bytes(one)
        packages.rewrap(copy)
        assert packages.said(check, copy).startswith(f"✗ {first.relative_to(copy).as_posix()}:"), pattern
        first.write_bytes(one)
        second.write_bytes(two)
    packages.rewrap(copy)
    assert packages.said(check, copy) == ""


def lines_of(copy: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (copy / "data/log/entries.jsonl").read_text("utf-8").splitlines()]


def write_lines(copy: Path, rows: list[dict[str, Any]]) -> None:
    (copy / "data/log/entries.jsonl").write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), encoding="utf-8")
    packages.rewrap(copy)


def test_entries_edited_inserted_swapped_or_cut_are_named(copy: Path) -> None:
    check, rows = packages.program(copy), lines_of(copy)
    paid = next(i for i, r in enumerate(rows) if '"tranche.confirm_paid"' in r["leaf"])
    write_lines(copy, [*rows[:paid], {**rows[paid], "leaf": rows[paid]["leaf"].replace("45000.00", "46000.00")}, *rows[paid + 1 :]])
    assert packages.said(check, copy).startswith(f"✗ 区间 [{rows[paid]['index']}, {rows[paid]['index'] + 1}) data/log/entries.jsonl:")
    write_lines(copy, [*rows[:paid], {**rows[paid + 1], "index": rows[paid]["index"]}, {**rows[paid], "index": rows[paid + 1]["index"]}, *rows[paid + 2 :]])
    assert "data/log/entries.jsonl" in packages.said(check, copy)
    write_lines(copy, [*rows, {"index": rows[-1]["index"] + 1000, "leaf": rows[-1]["leaf"]}])
    assert "data/log/entries.jsonl" in packages.said(check, copy)
    write_lines(copy, rows[:paid] + rows[paid + 1 :])
    assert packages.said(check, copy).startswith("✗ data/tables/tranches.csv:")  # an entry left out: the row that needs it is named
    write_lines(copy, rows)
    hashes = (copy / "data/log/leaf-hashes.bin").read_bytes()
    for other in (hashes[:-32], hashes[:-7], hashes[32:], hashes[32:64] + hashes[:32] + hashes[64:], hashes[:64] + hashes[32:64] + hashes[64:]):
        (copy / "data/log/leaf-hashes.bin").write_bytes(other)
        packages.rewrap(copy)
        assert "data/log/leaf-hashes.bin" in packages.said(check, copy)


# --- what is not detected, each with what would show it (docs/audit-package.md) ----------------------------------------------------


def test_words_that_are_not_in_the_log_can_be_rewritten_unless_the_number_is_known(copy: Path) -> None:
    check, number = packages.program(copy), hashlib.sha256((copy / "tagmanifest-sha256.txt").read_bytes()).hexdigest()
    assert packages.said(check, copy, "--package", number) == ""
    edited(copy, "awards", "bid_title", "另一个项目")
    assert packages.said(check, copy) == ""
    assert packages.said(check, copy, "--package", number).startswith("✗ tagmanifest-sha256.txt:")


def test_whoever_holds_the_logs_key_can_rewrite_it_unless_a_root_is_kept_elsewhere(copy: Path) -> None:
    """The amount paid is another in entry, tree, checkpoint, tables and open data, signed anew with the real key: only the pin shows it."""
    check, rows = packages.program(copy), lines_of(copy)
    last = json.loads((copy / "data/log/checkpoints.jsonl").read_text("utf-8").splitlines()[-1])
    pin = f"{last['size']}:{last['note'].splitlines()[2]}"
    hashes = bytearray((copy / "data/log/leaf-hashes.bin").read_bytes())
    for row in rows:
        if '"tranche.confirm_paid"' in row["leaf"]:
            row["leaf"] = row["leaf"].replace("HD", "XX")
            hashes[32 * row["index"] : 32 * row["index"] + 32] = hashlib.sha256(b"\0" + row["leaf"].encode()).digest()
    (copy / "data/log/leaf-hashes.bin").write_bytes(bytes(hashes))
    signed_again(copy, bytes(hashes), last)
    write_lines(copy, rows)
    reference = next(r for r in csv.DictReader((copy / "data/tables/orders.csv").open(encoding="utf-8-sig")) if r["状态代码"] == "paid")["银行流水"]
    edited(copy, "orders", "bank_reference", reference.replace("HD", "XX"))
    assert packages.said(check, copy) == ""
    key = (copy / "data/log/keys.txt").read_text("utf-8").splitlines()[0]
    assert packages.said(check, copy, "--key", key) == ""
    assert "leaf-hashes.bin" in packages.said(check, copy, "--pin", pin)


def signed_again(copy: Path, hashes: bytes, last: dict[str, Any]) -> None:
    """One checkpoint over these leaves, signed with the installation's own key."""
    from grants.ledger import keys, merkle, note
    from grants.ledger.note import TreeHead

    root = merkle.root([hashes[at : at + 32] for at in range(0, len(hashes), 32)])
    head = TreeHead(keys.origin(), len(hashes) // 32, root)
    signed = note.sign(head.text(), keys.origin(), keys.signing_key())
    line = json.dumps({"size": last["size"], "at": last["at"], "note": signed}, ensure_ascii=False)
    (copy / "data/log/checkpoints.jsonl").write_text(line + "\n", encoding="utf-8")


def test_entries_that_no_row_needs_can_be_left_out_and_the_tree_still_stands(copy: Path) -> None:
    """The others' entries are hashes: one cannot see whose they are. The whole log's export would show it."""
    check, rows = packages.program(copy), lines_of(copy)
    write_lines(copy, [r for r in rows if '"panel.check_conflicts"' not in r["leaf"]])
    assert packages.said(check, copy) == ""


def test_a_receipt_from_elsewhere_must_be_in_the_package(project: Project, bag: Path, tmp_path: Path) -> None:
    from grants.ledger import receipts

    path, event = tmp_path / "receipt.json", AuditEvent.objects.filter(event="bid.submit", subject=project.award.bid.subject).latest("pk")
    path.write_bytes(receipts.file(receipts.receipt(event, {"event": event.event})))
    assert packages.said(packages.program(bag), bag, "--receipt", str(path)) == ""
    rows = lines_of(bag)
    other = Path(shutil.copytree(bag, tmp_path / "other"))
    write_lines(other, [r for r in rows if f'"{project.award.bid.subject}"' not in r["leaf"] or '"bid.submit"' not in r["leaf"]])
    assert "回执证明的" in packages.said(packages.program(other), other, "--receipt", str(path))
