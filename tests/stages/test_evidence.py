"""The evidence pack: anybody re-runs one bid's result in a bare folder; whatever is changed, the step that fails is named."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from grants import clock, ledger
from grants.awards import services
from grants.awards.evidence.packing import pack
from grants.awards.models import Decision
from grants.ledger import canonical
from grants.ledger.models import AuditEvent
from grants.people.models import User
from grants.workflow import effects
from grants.workflow.door import perform
from review import other_scores
from review.ballots import own_criteria
from review.models import OtherScore, ScoreCorrection
from review.sealing import commitment
from tests.world import awards as world
from tests.world import people, shared
from tests.world.people import Body
from tests.world.review import Judged

pytestmark = pytest.mark.django_db
STEPS = ["文件清单", "评分封存", "台账", "检查点签名", "规则", "评分表总分", "去高去低", "总分构成", "名次", "专家抽取", "专家分配", "资金分配"]


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """Six bids: two equal, one that the pool no longer carries, one below the pass line; released and in public notice; the log signed."""
    with shared.rows(django_db_blocker):
        asks = ["90000.00", "80000.00", "80000.00", "75000.00", "30000.00", "60000.00"]
        judged = world.ranked(_thin(world.rules()), amounts=asks, shares=["0.9", "0.85", "0.85", "0.82", "0.8", "0.4"])
        world.proposed(judged)
        yield judged


def _thin(value: Any) -> Any:
    """The call's rules with a pool of 300,000 元 and a sub-quota of 90,000 for the first category only."""
    from grants.calls.rulebook.toml import from_data

    plain = value.plain()
    plain["pool"] = {**plain["pool"], "total": "300000.00", "grants": "300000.00", "hosting": "0.00", "evaluation": "0.00"}
    plain["sources"][0]["amount"] = "300000.00"
    plain["categories"] = [{**c, "amount": "90000.00"} if at == 0 else {**c, "amount": "1.00"} for at, c in enumerate(plain["categories"])]
    return from_data(plain)


@pytest.fixture(autouse=True)
def after_the_panel(made: Judged) -> Iterator[None]:
    with clock.at(world.at(made.call, 14)):
        yield


def published(made: Judged) -> None:
    services.release(made.call, by=made.desk.approver)
    services.publish_notice(made.call, by=made.desk.officer)
    effects.drain()
    ledger.sequence()
    ledger.checkpoint()


def decision(made: Judged, place: int) -> Decision:
    rows = Decision.objects.select_related("bid__organisation", "call__rules_version", "call__agency", "panel")
    return rows.filter(call=made.call).order_by("rank", "bid__number")[place - 1]


def body_of(made: Judged, found: Decision) -> Body:
    return next(b for b in made.bodies if b.organisation.pk == found.bid.organisation_id)


def fetch(user: User, found: Decision) -> Any:
    client = Client()
    client.force_login(user)
    return client.get(reverse("awards:evidence", args=[found.bid_id]))


def unpacked(content: bytes, folder: Path) -> Path:
    folder.mkdir(parents=True)
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        package.extractall(folder)
    return folder


def run(folder: Path) -> tuple[int, list[str]]:
    """The program as somebody without this project runs it: no site packages, no environment, in the folder itself."""
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-B", "verify.py"], cwd=folder, capture_output=True, env={}, timeout=60, check=False, encoding="utf-8"
    )
    return done.returncode, done.stdout.splitlines()


def failed(lines: list[str]) -> list[str]:
    return [line.split("：")[0].split()[-1] for line in lines if line.startswith("FAIL")]


@pytest.fixture
def folder(made: Judged, tmp_path: Path) -> Path:
    """The pack of the second of two equal bids, unpacked."""
    published(made)
    return unpacked(pack(decision(made, 3)).content, tmp_path / "pack")


def test_every_bidder_reruns_its_own_result_in_a_bare_folder(made: Judged, tmp_path: Path) -> None:
    """Funded from the sub-quota, from the open pool, tied, refused for want of money, below the line: twelve times OK for each."""
    published(made)
    rules = set()
    for place in range(1, 7):
        found = decision(made, place)
        answer = fetch(body_of(made, found).signatory, found)
        assert answer.status_code == 200
        code, lines = run(unpacked(answer.content, tmp_path / str(place)))
        assert code == 0, lines
        assert [line.split("：")[0].split()[-1] for line in lines[:-1]] == STEPS
        assert all(line.startswith("OK") for line in lines[:-1])
        rules.add(found.rule)
    assert rules >= {"awarded_reserved", "awarded", "pool", "below_line"}, "the case has every kind of decision"


def test_the_pack_has_no_word_of_another_bidder(made: Judged, folder: Path) -> None:
    words = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.iterdir()))
    mine = decision(made, 3)
    by_lot = {b["number"] for b in json.loads((folder / "ranking.json").read_bytes())["tied"]} - {mine.bid.number}
    for other in Decision.objects.filter(call=made.call).exclude(pk=mine.pk).select_related("bid__organisation"):
        assert (other.bid.number in words) == (other.bid.number in by_lot), "a number only where a lot was drawn over it"
        assert other.bid.number not in by_lot or other.score == mine.score
        for secret in (str(other.bid.pk), str(other.bid.organisation), str(other.bid.organisation_id)):
            assert secret not in words
    for expert in made.experts.values():
        assert expert.user.name not in words
    ballots = json.loads((folder / "ballots.json").read_bytes())
    assert len(by_lot) == 1, "the case has one"
    assert len(ballots) == 5, "own ballots only"


def test_the_same_decision_gives_the_same_bytes(made: Judged) -> None:
    published(made)
    assert pack(decision(made, 2)).content == pack(decision(made, 2)).content


@pytest.mark.slow
def test_a_byte_changed_in_any_file_fails_and_names_the_file(folder: Path, tmp_path: Path) -> None:
    files = sorted(p.name for p in folder.iterdir())
    assert len(files) == 13
    for name in files:
        other = tmp_path / f"tampered-{name}"
        shutil.copytree(folder, other)
        path = other / name
        path.write_bytes(path.read_bytes() + (b"\n# x" if name.endswith((".py", ".txt")) else b" x"))
        code, lines = run(other)
        assert code == 1, name
        assert "文件清单" in failed(lines), name
        if name != "manifest.json":
            assert name in lines[0]
        (other / name).unlink() if name != "verify.py" else None
        assert name == "verify.py" or run(other)[0] == 1, f"{name} missing"


def _set(*path: Any, to: Any) -> Callable[[Any], None]:
    def change(value: Any) -> None:
        for step in path[:-1]:
            value = value[step]
        value[path[-1]] = to(value[path[-1]]) if callable(to) else to

    return change


def _hex(text: str) -> str:
    return ("0" if text[0] != "0" else "1") + text[1:]


FORGED: list[tuple[str, Callable[[Any], None], str]] = [
    ("ballots.json", _set(0, "marks", "need", to="1.00"), "评分封存"),
    ("ballots.json", _set(0, "salt", to=_hex), "评分封存"),
    ("ballots.json", _set(0, "commitment", to=_hex), "台账"),
    ("ballots.json", _set(0, "expert", to="X99"), "评分表总分"),
    ("ballots.json", lambda rows: rows.pop(), "台账"),
    ("ledger.json", _set(1, "leaf", to=lambda leaf: leaf.replace("expert", "expart")), "台账"),
    ("ledger.json", _set(1, "proof", "path", 0, to=_hex), "台账"),
    ("ledger.json", _set(1, "proof", "index", to=lambda n: n + 1), "台账"),
    ("ledger.json", _set(1, "proof", "checkpoint", to=lambda note: note[:-6] + ("A" if note[-6] != "A" else "B") + note[-5:]), "检查点签名"),
    ("ranking.json", _set("lot", "order", to=lambda rows: rows[::-1]), "名次"),
    ("ranking.json", _set("lot", "beacon", "value", to="6-6-6"), "名次"),
    ("ranking.json", _set("lot", "announced", "reason", to="重抽"), "名次"),
    ("assignment.json", _set("run", "sha256", "answer", to=_hex), "专家分配"),
    ("assignment.json", _set("run", "pairs", to=lambda rows: rows[1:]), "专家分配"),
    ("assignment.json", lambda value: value["run"]["barred"].append(value["run"]["pairs"][0]), "专家分配"),
    ("rules.json", _set("review", "pass_line", to="10.00"), "规则"),
    ("rules.json", _set("review", "trim", "high", to=0), "规则"),
    ("result.json", _set("stages", 0, "ballots", 0, "total", to="99.00"), "评分表总分"),
    ("result.json", _set("stages", 0, "value", to="99.00"), "去高去低"),
    ("result.json", _set("stages", 0, "ballots", 0, "dropped", to=lambda was: "" if was else "high"), "去高去低"),
    ("result.json", _set("score", to="99.00"), "总分构成"),
    ("result.json", _set("criteria", "need", to="99.00"), "总分构成"),
    ("result.json", _set("passed", to=False), "总分构成"),
    ("result.json", _set("place", to=1), "名次"),
    ("result.json", _set("amount", to="1.00"), "资金分配"),
    ("ranking.json", _set("rows", 0, "score", to="1.00"), "名次"),
    ("ranking.json", _set("tied", 0, "place", to=5), "名次"),
    ("ranking.json", _set("tied", to=lambda rows: rows[:1]), "名次"),
    ("draw.json", _set("seed", to=_hex), "专家抽取"),
    ("draw.json", _set("transcript", "seated", to=lambda rows: rows[1:]), "专家抽取"),
    ("draw.json", _set("transcript", "order", to=lambda rows: rows[::-1]), "专家抽取"),
    ("draw.json", _set("record", "announced", "pool", to=lambda rows: rows[1:]), "专家抽取"),
    ("draw.json", _set("record", "announced", "number", to=2), "专家抽取"),
    ("draw.json", _set("record", "beacon", "value", to="6-6-6"), "专家抽取"),
    ("draw.json", _set("record", "chosen", to=lambda rows: rows[::-1]), "专家抽取"),
    ("draw.json", _set("record", "program", to="another"), "专家抽取"),
    ("draw.json", _set("transcript", "minimum", "finance", to=0), "专家抽取"),
    ("assignment.json", _set("assigned", 0, "expert", to="X99"), "专家分配"),
    ("assignment.json", lambda value: value["left_out"].append(value["assigned"][0]["expert"]), "专家分配"),
    ("money.json", _set("bids", 0, "amount", to="1.00"), "资金分配"),
    ("money.json", _set("bids", 3, "awarded", to=True), "资金分配"),
    ("money.json", _set("bids", 1, "cumulative", to="1.00"), "资金分配"),
    ("others.json", lambda rows: rows.append({"component": "site_check", "value": "5.00", "salt": "0" * 64, "commitment": "0" * 64}), "评分封存"),
]


@pytest.mark.slow
def test_a_forgery_that_mends_the_manifest_too_fails_at_the_step_it_touches(folder: Path, tmp_path: Path) -> None:
    """The forger rewrites the file and its digest: the arithmetic, the seal or the log gives it away."""
    for at, (name, change, step) in enumerate(FORGED):
        other = tmp_path / f"forged-{at}"
        shutil.copytree(folder, other)
        value = json.loads((other / name).read_bytes())
        change(value)
        raw = json.dumps(value, ensure_ascii=False, indent=None if name == "rules.json" else 1, sort_keys=True).encode()
        (other / name).write_bytes(raw)
        manifest = json.loads((other / "manifest.json").read_bytes())
        manifest["files"][name] = hashlib.sha256(raw).hexdigest()
        if name == "rules.json":
            manifest["rules_hash"] = manifest["files"][name]
        (other / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False))
        code, lines = run(other)
        assert (step in failed(lines)) if step else code == 0, (name, at, lines)
        assert code == (1 if step else 0)
        assert "文件清单" not in failed(lines), "the manifest was mended"


def test_a_file_that_is_not_in_the_list_is_named(folder: Path) -> None:
    (folder / "extra.json").write_text("{}")
    code, lines = run(folder)
    assert code == 1
    assert "extra.json" in lines[0]


def test_before_the_notice_the_bidder_gets_none_and_never_anothers(made: Judged) -> None:
    found = decision(made, 1)
    owner = body_of(made, found).signatory
    assert fetch(made.desk.officer, found).status_code == 404, "nothing is released"
    services.release(made.call, by=made.desk.approver)
    effects.drain()
    assert fetch(owner, found).status_code == 404, "released, not yet in public notice"
    assert fetch(made.desk.officer, found).status_code == 200
    assert fetch(made.desk.auditor, found).status_code == 200
    services.publish_notice(made.call, by=made.desk.officer)
    for body in made.bodies:
        assert fetch(body.signatory, found).status_code == (200 if body.signatory == owner else 404)
    assert fetch(people.office().officer, found).status_code == 404
    assert fetch(next(iter(made.experts.values())).user, found).status_code == 404


def test_every_download_is_an_entry_with_the_manifests_hash(made: Judged) -> None:
    published(made)
    found = decision(made, 1)
    for user in (body_of(made, found).signatory, made.desk.officer, made.desk.auditor):
        content = fetch(user, found).content
        manifest = zipfile.ZipFile(io.BytesIO(content)).read("manifest.json")
        leaf = json.loads(bytes(AuditEvent.objects.filter(event="bid.download", subject=found.bid.subject).latest("id").leaf))
        assert leaf["files"] == {"manifest": hashlib.sha256(manifest).hexdigest()}
        assert leaf["actor"] == str(user.pseudonym)
        assert leaf["role"]


def test_the_program_needs_nothing_but_the_standard_library_and_python_3_8() -> None:
    """No import from outside, no syntax younger than 3.8."""
    import ast

    from grants.awards.evidence.packing import PROGRAM

    tree = ast.parse(PROGRAM.read_text(encoding="utf-8"), feature_version=(3, 8))
    imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    imported |= {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert imported <= set(sys.stdlib_module_names)


@pytest.mark.slow
def test_calibrated_scores_bonuses_lots_and_district_ceilings_are_rerun_too(tmp_path: Path) -> None:
    """A call that chose them all: every bid of it, funded or not, reruns its result."""
    review = {"official": "calibrated", "bonuses": [{"code": "raised", "name": "募资", "cap": "5.00"}], "name": "YX-2026-96"}
    value = world.rules(review_changes=review, allocation={"method": "rank", "grey_band": "3.00", "district_cap": "150000.00"})
    judged = world.ranked(_thin(value), amounts=["90000.00", "80000.00", "70000.00", "60000.00"], shares=["0.9", "0.86", "0.85", "0.84"])
    world.proposed(judged)
    with clock.at(world.at(judged.call, 14)):
        published(judged)
        assert any("抽签" in d.reason for d in Decision.objects.filter(call=judged.call))
        for place in range(1, 5):
            code, lines = run(unpacked(pack(decision(judged, place)).content, tmp_path / f"all{place}"))
            assert code == 0, lines
    _another_bonus(tmp_path / "all1")


def _another_bonus(folder: Path) -> None:
    """Whoever writes another entered score is named by its seal; with the seal made anew, by the log; a score left out, too."""
    (given,) = json.loads((folder / "others.json").read_bytes())
    more = {**given, "value": "4.90"}
    resealed = {**more, "commitment": commitment(given["salt"], {given["component"]: 490})}
    bare = {"component": given["component"], "value": "4.90"}
    for rows, step in (([more], "评分封存"), ([resealed], "台账"), ([bare], "台账"), ([], "台账")):
        _rewritten(folder, "others.json", rows)
        assert step in failed(run(folder)[1])


def test_scores_entered_before_they_were_committed_to_still_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A panel that an upgrade met half-way: no salt, and an entry without a commitment; the result is rerun all the same."""
    write = other_scores.write

    def as_before(*args: Any, **more: Any) -> Any:
        facts = write(*args, **more)
        del facts.public["score"]
        OtherScore.objects.update(salt="")
        return facts

    monkeypatch.setattr(other_scores, "write", as_before)
    review = {"bonuses": [{"code": "raised", "name": "募资", "cap": "5.00"}], "name": "YX-2026-98"}
    judged = world.ranked(world.rules(review_changes=review), amounts=["90000.00"], shares=["0.9"])
    world.proposed(judged)
    with clock.at(world.at(judged.call, 14)):
        published(judged)
        folder = unpacked(pack(decision(judged, 1)).content, tmp_path / "before")
    assert [set(row) for row in json.loads((folder / "others.json").read_bytes())] == [{"component", "value"}]
    code, lines = run(folder)
    assert code == 0, lines


def test_second_ballots_excluded_ones_and_corrected_scores_are_rerun_too(tmp_path: Path) -> None:
    """One expert changes their mind after the discussion, one flagged ballot is excluded, an entered score is corrected by two: the pack has all, and
    forging any is named."""
    bonus = {"bonuses": [{"code": "raised", "name": "募资", "cap": "5.00"}]}
    judged = world.review.judged(world.review.rules(name="YX-2026-97", least=4, second_ballot={"hours": 1}, **bonus), n=1, sector=5, finance=1)
    panel = world.review.started(judged.call, judged.desk.officer)
    with clock.at(world.review.after(judged.call, 5)):
        _two_changes(judged, panel)
    with clock.at(world.review.after(judged.call, 6)):
        review = world.review.services
        panel = review.lock(panel, by=judged.desk.officer)
        low = _ballot(panel, "S", 1)
        first, second = [m.expert.user for m in panel.members.filter(alternate=False).exclude(expert=low.expert)][:2]
        perform(review.propose_ruling(low, "exclude", "与材料不符", by=first), "adopt", by=second)
    world.review.concluded(panel, judged.desk.officer)
    world.proposed(judged)
    with clock.at(world.at(judged.call, 14)):
        published(judged)
        folder = unpacked(pack(decision(judged, 1)).content, tmp_path / "two")
    code, lines = run(folder)
    assert code == 0, lines
    ballots = json.loads((folder / "ballots.json").read_bytes())
    assert [b["ruling"] for b in ballots if "ruling" in b] == ["exclude"]
    twice = next(at for at, b in enumerate(ballots) if "first" in b and "ruling" not in b)
    struck = next(at for at, b in enumerate(ballots) if "ruling" in b)
    for change, step in ((_set(twice, "first", "marks", "need", to="1.00"), "评分封存"), (lambda rows: rows[struck].pop("ruling"), "台账")):
        other = tmp_path / step
        shutil.copytree(folder, other)
        value = json.loads((other / "ballots.json").read_bytes())
        change(value)
        (other / "ballots.json").write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
        assert step in failed(run(other)[1])
    _another_correction(folder)


def _another_correction(folder: Path) -> None:
    """The old score with its own salt, a declined one, a history left out or rewritten; and in the log one person in both places."""
    (given,) = json.loads((folder / "others.json").read_bytes())
    (was,) = given["corrected"]
    assert (was["value"], given["value"], was["reason"], was["basis_after"]) == ("4.00", "2.50", "到账金额看错", "到账凭证复核")
    declined = ScoreCorrection.objects.get(score__panel__call__code="YX-2026-97", state="refused")
    seal = commitment(declined.salt, {given["component"]: int(declined.value * 100)})
    old = {**{k: was[k] for k in ("value", "salt", "commitment")}, "component": given["component"]}
    other = {**given, "value": str(declined.value), "salt": declined.salt, "commitment": seal}
    bare = {k: v for k, v in given.items() if k != "corrected"}
    for rows in ([old], [other], [bare]):
        _rewritten(folder, "others.json", rows)
        assert "台账" in failed(run(folder)[1])
    _rewritten(folder, "others.json", [{**given, "corrected": [{**was, "value": "3.00"}]}])
    assert "评分封存" in failed(run(folder)[1])
    _rewritten(folder, "others.json", [given])
    log = json.loads((folder / "ledger.json").read_bytes())
    for entries in ([e for e in log if e["event"] != "score_correction.open"], _by_one(log)):
        _rewritten(folder, "ledger.json", entries)
        assert "台账" in failed(run(folder)[1])
    _rewritten(folder, "others.json", [old])
    _rewritten(folder, "ledger.json", [e for e in log if not e["event"].startswith("score_correction.")])
    assert any("不是锁定评分时计入的" in line for line in run(folder)[1]), "kept back whole, the lock still knows it"


def _by_one(log: list[Any]) -> list[Any]:
    """The log as it would be, unproven, had the proposer confirmed as well."""
    leaves = {e["event"]: json.loads(e["leaf"]) for e in log if e["event"].startswith("score_correction.")}
    alone = {**leaves["score_correction.confirm"], "actor": leaves["score_correction.open"]["actor"]}
    return [{**e, "leaf": canonical.encode(alone).decode(), "proof": None} if e["event"] == "score_correction.confirm" else e for e in log]


def _rewritten(folder: Path, name: str, value: Any) -> None:
    """Another file under a manifest that knows it."""
    raw = json.dumps(value, ensure_ascii=False).encode()
    (folder / name).write_bytes(raw)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["files"][name] = hashlib.sha256(raw).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False))


def _ballot(panel: Any, letter: str, at: int) -> Any:
    codes = sorted(m.expert.code for m in panel.members.filter(alternate=False) if m.expert.code.startswith(letter))
    return world.review.review_of(panel, code=codes[at])


def _corrected_by_two(judged: Judged, panel: Any) -> None:
    """A correction declined, then another confirmed: 4.00 becomes 2.50."""
    second, propose = people.appointed("officer", judged.desk.agency), world.review.services.propose_correction
    score, by = panel.other_scores.get(), judged.desk.officer
    perform(propose(score, Decimal("5.00"), basis="到账凭证", reason="漏计", by=by), "refuse", by=second, reason="没有漏计")
    perform(propose(score, Decimal("2.50"), basis="到账凭证复核", reason="到账金额看错", by=by), "confirm", by=second)


def _two_changes(judged: Judged, panel: Any) -> None:
    """All give 80 per cent; afterwards one gives 90 and one 40, which deviates and is explained."""
    review = world.review
    review.all_scored(panel)
    review.others_entered(panel, judged.desk.officer)
    _corrected_by_two(judged, panel)
    review.services.open_discussion(panel, by=judged.desk.officer)
    for at, share in ((0, "0.9"), (1, "0.4")):
        ballot = _ballot(panel, "S", at)
        marks = {c.code: (c.top * Decimal(share)).quantize(Decimal("0.01")) for c in own_criteria(ballot)}
        review.services.revise(ballot, marks, "讨论后改变看法", by=ballot.expert.user)
    review.services.explain_deviation(_ballot(panel, "S", 1), "预算对不上", by=_ballot(panel, "S", 1).expert.user)
