"""The package's checks. Never runs alone: `program.py` puts what stands below the marked line behind the ledger's verifier, in one file.

Python 3.8, standard library only, like the part it follows. Every refusal is a `Bad`, whose text names the file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path

from grants.ledger.offline.verify import (
    TYPE_CHECKING,
    MOST_SIGNATURES,
    Bad,
    Tree,
    canonical,
    check_receipt,
    leaf_hash,
    marks_of,
    outside_keys,
    read_keys,
    read_pin,
    read_proof,
    read_receipt,
)

# --- the package -------------------------------------------------------------------------------------------------------------------

import csv
import hmac
import re
import zipfile
import zlib
from datetime import datetime, timedelta
from decimal import Decimal
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from typing import Any

DECLARED = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
MANIFEST, TAGS, TAGS_512 = "manifest-sha256.txt", "tagmanifest-sha256.txt", "tagmanifest-sha512.txt"
LOG = "data/log/"


def wrong(path, detail, kind="package"):
    return Bad(kind, "%s:%s" % (path, detail))


def manifest(folder, name, length):
    """Path → digest of a manifest. Raises Bad naming the manifest."""
    path = folder / name
    if not path.is_file():
        raise wrong(name, "不见了")
    found = {}
    for number, line in enumerate(path.read_bytes().decode("utf-8", "replace").split("\n")[:-1], 1):
        digest, gap, listed = line.partition("  ")
        parts = listed.split("/")
        if not gap or not re.match("^[0-9a-f]{%d}$" % length, digest) or listed in found or "" in parts or ".." in parts or "\\" in listed:
            raise wrong(name, "第 %d 行读不出" % number)
        found[listed] = digest
    if lines(found) != path.read_bytes():
        raise wrong(name, "不是规范的写法")
    return found


def lines(found):
    return "".join("%s  %s\n" % (found[path], path) for path in sorted(found)).encode("utf-8")


def digest(path, kind="sha256"):
    made = hashlib.new(kind)
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            made.update(block)
    return made.hexdigest()


def check_bag(folder, number):
    """Tag files under two digests, then every payload file, then nothing more and nothing less. Returns the payload's manifest."""
    if number and digest(folder / TAGS) != number:
        raise wrong(TAGS, "与给出的资料包编号不符:不是那一份,或被改写过")
    short, long = manifest(folder, TAGS, 64), manifest(folder, TAGS_512, 128)
    for listed in sorted(set(short) ^ set(long)):
        raise wrong(TAGS if listed in short else TAGS_512, "列出的 %s 另一份清单没有" % listed)
    for listed in sorted(short):
        check_tag(folder, listed, short[listed], long[listed])
    if (folder / "bagit.txt").read_bytes() != DECLARED:
        raise wrong("bagit.txt", "不是 BagIt 1.0 的声明")
    payload = manifest(folder, MANIFEST, 64)
    for listed in sorted(payload):
        check_payload(folder, listed, payload[listed])
    here = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    for extra in sorted(here - set(payload) - set(short) - {TAGS, TAGS_512}):
        raise wrong(extra, "清单里没有这个文件")
    check_sum(folder, payload)
    return payload


def check_payload(folder, listed, said):
    if not (folder / listed).is_file():
        raise wrong(listed, "不见了")
    if digest(folder / listed) != said:
        raise wrong(listed, "内容与清单不符")


def check_tag(folder, listed, short, long):
    path = folder / listed
    if not path.is_file():
        raise wrong(listed, "不见了")
    first, second = digest(path) == short, digest(path, "sha512") == long
    if not first and not second:
        raise wrong(listed, "内容与清单不符")
    if first != second:
        raise wrong(TAGS_512 if first else TAGS, "%s 的摘要在这份清单里不对,在另一份里对" % listed)


def check_sum(folder, payload):
    """Payload-Oxum: bytes and files."""
    text = (folder / "bag-info.txt").read_bytes().decode("utf-8", "replace")
    said = re.search(r"^Payload-Oxum: (\d+)\.(\d+)$", text, re.MULTILINE)
    size = sum((folder / listed).stat().st_size for listed in payload)
    if said is None or (int(said.group(1)), int(said.group(2))) != (size, len(payload)):
        raise wrong("bag-info.txt", "Payload-Oxum 应为 %d.%d" % (size, len(payload)))


# the log of one call: its own entries, the hashes of everybody else's


def read_json(folder, path):
    try:
        return json.loads((folder / path).read_bytes().decode("utf-8"), parse_float=Decimal)
    except (OSError, ValueError, RecursionError):
        raise wrong(path, "读不出 JSON")


def check_tree(folder, keys, pins):
    """Recompute the tree from the leaf hashes, compare every checkpoint and pin; the counts."""
    counts: dict[str, Any] = {}
    log = folder / LOG
    marks, tree, proved = marks_of(log, keys, pins, MOST_SIGNATURES, counts), Tree(), 0
    try:
        mark = next(marks, None)
        with (log / "leaf-hashes.bin").open("rb") as file:
            for leaf in iter(lambda: file.read(32), b""):
                while mark is not None and mark[0] == tree.size:
                    hold(tree, mark, proved)
                    proved, mark = tree.size, next(marks, None)
                if len(leaf) != 32:
                    raise wrong(LOG + "leaf-hashes.bin", "末尾不足 32 字节", "truncated")
                tree.append(leaf)
        while mark is not None and mark[0] == tree.size:
            hold(tree, mark, proved)
            proved, mark = tree.size, next(marks, None)
    except Bad as bad:
        raise bad if bad.detail.startswith(LOG) else Bad(bad.kind, LOG + bad.detail, bad.first, bad.last)
    if mark is not None:
        raise Bad("truncated", "%sleaf-hashes.bin:%s要求 %d 条,文件里只有 %d 条:尾部被截去" % (LOG, mark[2], mark[0], tree.size), proved, mark[0])
    counts.update(entries=tree.size, unanchored=tree.size - proved, root=tree.root().hex())
    return counts


def hold(tree, mark, proved):
    if tree.root() != mark[1]:
        where = "%sleaf-hashes.bin:重算的根与%s(大小 %d)不符:有条目被改动、删除、插入或调换" % (LOG, mark[2], mark[0])
        raise Bad("altered", where, proved, mark[0])


class Story:
    """The call's entries, by what they happened to."""

    def __init__(self):
        self.about, self.count, self.at = {}, 0, {}

    def add(self, index, entry):
        self.about.setdefault(entry["subject"], []).append(entry)
        self.at[index] = entry
        self.count += 1

    def of(self, subject, event=None):
        return [e for e in self.about.get(subject, []) if event is None or e["event"] == event]

    def subjects(self, event):
        return [s for s, entries in self.about.items() if any(e["event"] == event for e in entries)]


def check_entries(folder):
    """Every entry of the call has, at its index, the hash that the tree is made of."""
    story, path, last = Story(), LOG + "entries.jsonl", -1
    with (folder / path).open("rb") as file, (folder / LOG / "leaf-hashes.bin").open("rb") as hashes:
        for number, line in enumerate(file, 1):
            try:
                row = json.loads(line.decode("utf-8"))
                index, leaf = int(row["index"]), row["leaf"].encode("utf-8")
                entry = json.loads(row["leaf"])
            except (ValueError, KeyError, TypeError, AttributeError):
                raise wrong(path, "第 %d 行读不出" % number)
            hashes.seek(32 * index)
            if index <= last or hashes.read(32) != leaf_hash(leaf):
                raise Bad("altered", "%s:第 %d 行(台账第 %d 条)与台账不符" % (path, number, index), index, index + 1)
            story.add(index, entry)
            last = index
    return story


# tables


def unguarded(cell):
    return cell[1:] if cell.startswith("'") else cell


def rows_of(folder, table):
    """The rows of a CSV as dicts by column name, its line of totals checked. Raises Bad."""
    path = "data/tables/%s.csv" % table["code"]
    names = [c[0] for c in table["columns"]]
    with (folder / path).open(encoding="utf-8-sig", newline="") as file:
        found = list(csv.reader(file))
    if len(found) < 2 or [unguarded(c) for c in found[0]] != [c[1] for c in table["columns"]]:
        raise wrong(path, "表头与 index.json 不符")
    if any(len(row) != len(names) for row in found[1:]):
        raise wrong(path, "有一行的列数不对")
    rows = [dict(zip(names, map(unguarded, row))) for row in found[1:-1]]
    closing = dict(zip(names, found[-1]))
    check_totals(path, table, rows, closing)
    return rows


def check_totals(path, table, rows, closing):
    if len(rows) != table["rows"] or not any("%d " % table["rows"] in unguarded(c) for c in closing.values()):
        raise wrong(path, "有 %d 行,末行或 index.json 写的不是这个数" % len(rows))
    for name, said in table["sums"].items():
        summed = sum((Decimal(row[name] or 0) for row in rows), Decimal(0))
        if not summed == Decimal(said) == Decimal(closing[name] or 0):
            raise wrong(path, "%s 合计 %s,末行写 %s,index.json 写 %s" % (name, summed, closing[name], said))


SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def book_rows(path):
    """The cells of a workbook's only sheet, row by row, as text."""
    with zipfile.ZipFile(path) as book:
        shared = []
        if "xl/sharedStrings.xml" in book.namelist():
            tree = ET.fromstring(book.read("xl/sharedStrings.xml"))
            shared = ["".join(t.text or "" for t in item.iter(SPACE + "t")) for item in tree.iter(SPACE + "si")]
        with book.open("xl/worksheets/sheet1.xml") as sheet:
            for _event, node in ET.iterparse(sheet):
                if node.tag == SPACE + "row":
                    yield [cell_text(cell, shared) for cell in node.iter(SPACE + "c")]
                    node.clear()


def cell_text(cell, shared):
    column = cell.get("r", "A").rstrip("0123456789")
    value = cell.find(SPACE + "v")
    if cell.get("t") == "inlineStr":
        return column, "".join(t.text or "" for t in cell.iter(SPACE + "t"))
    text = "" if value is None else value.text or ""
    return column, shared[int(text)] if cell.get("t") == "s" else text


def letters(place):
    return (letters(place // 26 - 1) if place >= 26 else "") + chr(65 + place % 26)


def check_book(folder, table, rows):
    """The workbook says what the CSV says: codes and texts as they are, amounts and numbers by value."""
    path = "data/tables/%s.xlsx" % table["code"]
    try:
        found = [dict(row) for row in book_rows(folder / path)]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, KeyError, ET.ParseError, IndexError, AttributeError, ValueError):
        raise wrong(path, "读不出工作簿")
    if len(found) != len(rows) + 2:
        raise wrong(path, "有 %d 行,CSV 有 %d 行" % (len(found) - 2, len(rows)))
    for number, (cells, row) in enumerate(zip(found[1:-1], rows), 2):
        for place, (name, _label, kind) in enumerate(table["columns"]):
            if not same(cells.get(letters(place), ""), row[name], kind):
                raise wrong(path, "第 %d 行 %s 与 CSV 不同" % (number, name))


def same(cell, text, kind):
    if kind in ("money", "number"):
        return (cell == "") == (text == "") and (cell == "" or abs(Decimal(cell) - Decimal(text)) < Decimal("0.005"))
    if kind in ("date", "datetime"):
        return (cell == "") == (text == "")
    return cell == text or text[:32000] == cell[:32000] or (len(text) > 32767 and cell[:1000] == text[:1000])


# tables against the log


AMOUNTS = ("award.open", "award.approve", "award.confirm", "award.reduce", "award.agree_reduction")


def amount_told(story, subject):
    """The amount that the log last gave for an award."""
    told = [e["public"]["to" if e["event"] == "award.reduce" else "amount"] for e in story.of(subject) if e["event"] in AMOUNTS]
    return told[-1] if told else None


SLACK = timedelta(minutes=1)  # a step that was being written while the tables were read has its time from before, its row from after
LATE = timedelta(minutes=10)  # the log is read right after the tables


def settled_at(story, made_at):
    """Until when the tables must know everything. Tables dated long before the log's end would let old states pass: refused."""
    path = "data/tables/index.json"
    try:
        made = datetime.strptime(made_at, "%Y-%m-%dT%H:%M:%S.%fZ")
    except (TypeError, ValueError):
        raise wrong(path, "made_at 读不出")
    newest = max((e["at"] for e in story.at.values()), default=made_at)
    if newest > stamp(made + LATE):
        raise wrong(path, "表格的时间 %s 早于台账最后的条目 %s" % (made_at, newest), "ledger")
    return stamp(made - SLACK)


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def states_told(story, subject, settled):
    """The state when all was settled, and every one after it: what the row may say."""
    moved = [e for e in story.of(subject) if e["to"]]
    before = [e for e in moved if e["at"] <= settled]
    return {e["to"] for e in before[-1:]} | {e["to"] for e in moved if e["at"] > settled}


def need(holds, table, row, what):
    if not holds:
        raise wrong("data/tables/%s.csv" % table, "%s 与台账不符:%s" % (row.get("number") or row.get("key") or row["subject"], what), "ledger")


def check_states(story, tables, settled):
    for code, rows in tables.items():
        for row in rows:
            if "state_code" in row and code != "orders":
                need(row["state_code"] in states_told(story, row["subject"], settled), code, row, "状态 %s" % row["state_code"])


def equal(told, amount):
    return told is not None and Decimal(told) == Decimal(amount)


def check_money(story, tables):
    """Awards, tranches paid, orders, expenses: row by row, then the sum of what the log says was paid."""
    for row in tables["awards"]:
        need(story.of(row["subject"], "award.open"), "awards", row, "台账没有立项")
        need(equal(amount_told(story, row["subject"]), row["amount"]), "awards", row, "金额 %s" % row["amount"])
    for row in tables["tranches"]:
        if row["state_code"] == "paid":
            told = story.of(row["subject"], "tranche.confirm_paid")
            need(told and equal(told[-1]["public"]["amount"], row["amount"]), "tranches", row, "已付 %s" % row["amount"])
    for row in tables["orders"]:
        check_order(story, row)
    for row in tables["expenses"]:
        told = [e["public"] for e in story.of(row["subject"], "expense.added")]
        need(any(e["voucher"] == row["voucher_no"] and equal(e["amount"], row["amount"]) for e in told), "expenses", row, "凭证 %s" % row["voucher_no"])


def check_draws(story, tables):
    """Which draw of its matter each one is, and what was announced, as the log had it before any chance fell."""
    for row in tables["draws"]:
        told = [e["public"] for e in story.of(row["subject"], "draw.open")]
        need(told and told[0]["announced_sha256"] == row["announced_sha256"], "draws", row, "公布内容 %s" % row["announced_sha256"])
        need(told[0]["announced"]["number"] == int(row["number"]), "draws", row, "第几次 %s" % row["number"])


def check_order(story, row):
    made = [e["public"] for e in story.of(row["subject"], "tranche.order")]
    need(any(e["order"] == row["key"] and equal(e["amount"], row["amount"]) for e in made), "orders", row, "付款单金额 %s" % row["amount"])
    if row["state_code"] == "paid":
        paid = [e["public"] for e in story.of(row["subject"], "tranche.confirm_paid")]
        need(paid and paid[-1]["bank_reference"] == row["bank_reference"], "orders", row, "银行流水 %s" % row["bank_reference"])


WITHHELD = (
    ("awards", "award.open", ()), ("contracts", "contract.open", ()), ("bids", "bid.submit", ("withdrawn",)), ("tranches", "tranche.open", ()),
    ("draws", "draw.open", ()),
)


def check_withheld(story, tables, settled):
    """What the log tells and the tables do not. Sealed bids count once they have been opened, or their keys declared lost."""
    unsealed = (("bids", "bid.seal", ("withdrawn",)),) if story.subjects("seal.open") or story.subjects("seal.declare_lost") else ()
    for code, event, gone in WITHHELD + unsealed:
        listed = {row["subject"] for row in tables[code]}
        for subject in story.subjects(event):
            entries = [e for e in story.of(subject) if e["to"]]
            early = [e for e in story.of(subject, event) if e["at"] <= settled]
            if early and subject not in listed and entries[-1]["to"] not in gone:
                raise wrong("data/tables/%s.csv" % code, "台账里的 %s 在表格里没有" % subject, "ledger")


def check_decisions(story, tables):
    """The decisions of each panel against what was proposed: how many, and how much."""
    by_panel: dict[str, Any] = {}
    for row in tables["decisions"]:
        by_panel.setdefault(row["panel"], []).append(row)
    told = {e["public"].get("panel"): e["public"] for s in story.subjects("call.propose_awards") for e in story.of(s, "call.propose_awards")}
    for panel, rows in by_panel.items():
        summed = sum((Decimal(row["amount"]) for row in rows), Decimal(0))
        said = told.get(panel)
        need(said and (said["bids"], Decimal(said["amount"])) == (len(rows), summed), "decisions", rows[0], "评审组的决定数或金额合计")


MOMENTS = {
    "公布名单前": "pool", "抽取后": "drawn", "工作人员核对时": "asked", "打开材料时": "opening", "提交评分时": "handing_in",
    "锁定评分前": "locking", "公布结果前": "publishing",
}
NAME_ONLY = {"是": "1", "否": "0"}
SETTLED = {"panel.dismiss_hit": "已由两人排除", "panel.confirm_hit": "已由两人确认应当回避"}


def check_conflicts(story, tables, settled):
    """Each finding as the log kept it, what became of it as the log tells, none left out; how many the log names one by one."""
    told = {d: e["at"] for s in story.subjects("call.keep_findings") for e in story.of(s, "call.keep_findings") for d in e["public"]["rows"]}
    left, counted = dict(told), counted_only(story)
    numbers = {row["number"]: row["subject"] for row in tables["bids"]}
    for row in tables["conflicts"]:
        if left.pop(finding_digest(row), None) is None:
            counted -= 1
            need(counted >= 0, "conflicts", named(row), "查到的情形或时点")
        check_settled(story, row, numbers.get(row["bid_number"], ""), settled)
    for digest_told, at in left.items():
        if at <= settled:
            raise wrong("data/tables/conflicts.csv", "台账里记下的情形 %s 在表格里没有" % digest_told, "ledger")
    return len(told)


def named(row):
    return dict(row, number="%s/%s" % (row["bid_number"], row["expert_code"]))


def counted_only(story):
    """Findings of before the log named each: only their number is known."""
    checks = [e["public"] for s in story.about for e in story.of(s) if e["event"] in ("panel.check_conflicts", "call.check_conflicts")]
    others = [e["public"] for s in story.about for e in story.of(s) if e["event"] in ("panel.found_conflict", "call.found_namesakes")]
    return sum(p["hits"] for p in checks if not p.get("kept")) + sum(len(p["findings"]) for p in others if not p.get("kept"))


def finding_digest(row):
    said = [row["bid_number"], row["expert_code"], "%s:%s" % (row["test"], row["rule"]), row["source"], MOMENTS.get(row["moment"], ""),
            NAME_ONLY.get(row["name_only"], ""), row["found_at"], row["fingerprint"]]
    return hashlib.sha256("\n".join(said).encode("utf-8")).hexdigest()


def check_settled(story, row, bid, settled):
    """Outcome, time and role as the last decision about this finding says; without one it stands as it was found."""
    need(bid and (row["subject"] == bid or row["subject"] in story.about), "conflicts", named(row), "对象 %s" % row["subject"])
    about = (row["fingerprint"], row["expert_code"], bid)
    told = [e for s in {row["subject"], bid} for e in story.of(s) if e["event"] in SETTLED and settled_about(e) == about]
    told.sort(key=lambda e: e["at"])
    early = [e for e in told if e["at"] <= settled]
    known = early[-1:] + [e for e in told if e["at"] > settled]
    stands = ("等待两人核实" if row["name_only"] == "是" else "应当回避", "", "")
    may = [] if early else [stands]
    may += [(SETTLED[e["event"]], beijing(e["at"], late), e["role"]) for e in known for late in (0, 1, 2)]
    need((row["outcome"], row["settled_at"], row["settled_role"]) in may, "conflicts", named(row), "处理 %s" % row["outcome"])


def settled_about(entry):
    return entry["public"]["finding"], entry["public"]["expert"], "bid:" + entry["public"]["bid"]


def check_entered(story, tables):
    """Each entered score opens the commitment that the log has in force, each correction both of its own; of a panel that is listed or decided
    none is left out. How many scores, how many corrections."""
    force = in_force(story)
    bids = {row["number"]: row["subject"].split(":", 1)[1] for row in tables["bids"]}
    panels = {"panel:" + row["panel"] for row in tables["decisions"]} | {row["subject"] for row in tables["entered"]}
    left = {key: sealed for key, sealed in force.items() if key[0] in panels}
    for row in tables["entered"]:
        key = (row["subject"], bids.get(row["bid_number"]), row["component"])
        need(key in left and (left.pop(key) or "") == score_sealed(row["salt"], row, "value"), "entered", scored(row), "得分或随机数")
    for _panel, _bid, component in left:
        raise wrong("data/tables/entered.csv", "台账里录入的 %s 在表格里少一行" % component, "ledger")
    check_counted(story, tables["entered"], bids, panels)
    check_corrections(story, tables, panels)
    return len(tables["entered"]), len(tables["corrections"])


def check_counted(story, rows, bids, panels):
    """The lock names one hash over every score in force: entries that were kept back together with their rows would show here, all of them too.

    A panel that is neither listed nor decided may have a lock all the same: a meeting holds its result back.
    """
    told: dict[str, Any] = {}
    for row in rows:
        told.setdefault(row["subject"], {}).setdefault(bids[row["bid_number"]], {})[row["component"]] = score_sealed(row["salt"], row, "value")
    for panel in story.subjects("panel.lock"):
        root = story.of(panel, "panel.lock")[-1]["public"].get("entered")
        tree = Tree()
        for leaf in sorted(leaf_hash(canonical(sealed).encode("utf-8")) for sealed in told.get(panel, {}).values()):
            tree.append(leaf)
        if root is not None and panel in panels and tree.root().hex() != root:
            raise wrong("data/tables/entered.csv", "不是评审组锁定评分时计入的分数", "ledger")


def in_force(story):
    """(panel, bid, component) → the commitment that counts: as entered, then as each confirmed correction says, one after another."""
    force = {}
    for panel in story.subjects("panel.enter_score"):
        for entry in story.of(panel, "panel.enter_score"):
            force[panel, entry["public"]["bid"], entry["public"]["component"]] = entry["public"].get("score")
    done = [e for s in story.subjects("score_correction.confirm") for e in story.of(s, "score_correction.confirm")]
    for entry in sorted(done, key=lambda e: e["at"]):
        told = entry["public"]
        key = ("panel:" + told["panel"], told["bid"], told["component"])
        if (force.get(key) or "") != told["from"]:
            raise wrong(LOG + "entries.jsonl", "%s 的更正接不上原来的分数" % told["component"], "ledger")
        force[key] = told["score"]
    return force


def check_corrections(story, tables, panels):
    listed = set()
    for row in tables["corrections"]:
        told = [e["public"] for e in story.of(row["subject"], "score_correction.open")]
        both = score_sealed(row["salt_before"], row, "value_before"), score_sealed(row["salt"], row, "value")
        need(told and (told[0]["from"], told[0]["score"]) == both, "corrections", scored(row), "原分数、新分数或随机数")
        listed.add(row["subject"])
    for subject in story.subjects("score_correction.open"):
        if "panel:" + story.of(subject)[0]["public"]["panel"] in panels and subject not in listed:
            raise wrong("data/tables/corrections.csv", "台账里的 %s 在表格里没有" % subject, "ledger")


def scored(row):
    return dict(row, number="%s/%s" % (row["bid_number"], row["component"]))


def score_sealed(salt, row, column):
    """HMAC-SHA256 of the score in hundredths under its salt; "" for a score from before scores were committed to."""
    text = json.dumps({row["component"]: int(Decimal(row[column]) * 100)}, separators=(",", ":")).encode("utf-8")
    return hmac.new(bytes.fromhex(salt), text, hashlib.sha256).hexdigest() if salt else ""


def beijing(at, late):
    """A time of the log as the tables show it; a row is written up to two seconds before its entry."""
    moment = datetime.strptime(at, "%Y-%m-%dT%H:%M:%S.%fZ") + timedelta(hours=8) - timedelta(seconds=late)
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def check_texts(story, tables):
    for row in tables["contracts"]:
        hashes = {h for e in story.of(row["subject"]) for h in e["files"].values()}
        need(not row["text_hash"] or row["text_hash"] in hashes, "contracts", row, "协议文本哈希")
    for row in tables["calls"]:
        told = {e["public"].get("rules_hash") for e in story.of(row["subject"])}
        need(row["rules_version_hash"] in told, "calls", row, "规则哈希")


# papers against the log


def check_papers(folder, payload, story, tables):
    """Files whose hash the log must name, contracts and bids in their own story; how many were found, and which are not the log's business."""
    every, anchored, loose = told_hashes(story.at.values()), 0, []
    owners = {"data/%s/%s/" % (code, safe(row["number"])): row["subject"] for code in ("bids", "contracts") for row in tables[code]}
    for path in sorted(payload):
        named = paper_hash(folder, path, payload[path])
        if named is None:
            continue
        owner = owners.get("/".join(path.split("/")[:3]) + "/")
        if named in (every if owner is None else told_hashes(story.of(owner))):
            anchored += 1
        elif MUST.match(path):
            raise wrong(path, "台账里没有这个内容的哈希", "ledger")
        else:
            loose.append(path)
    return anchored, loose


MUST = re.compile(
    r"data/(rules/|sealing/(bids/|opening\.json|keys/call-key)|bids/[^/]+/v\d+\.json|notices/.*\.json|contracts/.*/(printed|signed|grantee-scan|agency-scan)|reports/|draws/(announced|panel|order|tie)-|assignment/\d|analysis/|evidence/.*/|payments/)"
)


def told_hashes(entries):
    """Every hash that these entries name, among their files and in what they say in public."""
    found: set[str] = set()
    for entry in entries:
        said = [entry["files"], entry["public"], *(d for d in entry["public"].values() if isinstance(d, dict))]
        found.update(v for d in said for v in d.values() if isinstance(v, str))
    return found


def safe(text):
    return re.sub(r'[\x00-\x1f/\\:*?"<>|%]', "-", text).strip(" .") or "-"


def paper_hash(folder, path, found):
    """The hash the log should name for this file, or None for files that are made for the package."""
    if re.match(r"data/sealing/(opening\.pdf|keys/(test|shares))", path):
        return None
    if re.match(r"data/(tables|log|ocds|360|review|lost)/|data/about\.json|data/evidence/list\.csv|data/draws/sample", path):
        return None
    if re.match(r"data/bids/[^/]+/v\d+\.json", path):
        value = read_json(folder, path)
        return value["sha256"] if value.get("masked") is True else found
    return found


def check_ballots(folder, story):
    """Opened marks against what was sealed; the others' commitments against the log. Returns (ballots, opened)."""
    path, count, opened = "data/review/ballots.jsonl", 0, 0
    if not (folder / path).exists():
        return 0, 0
    with (folder / path).open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            row = json.loads(line)
            told = story.of(row["review"], "review.submit")
            if not told or told[-1]["files"].get("ballot") != row["commitment"]:
                raise wrong(path, "第 %d 行的承诺值与台账不符" % number, "ledger")
            if "marks" in row:
                if ballot_hash(row) != row["commitment"]:
                    raise wrong(path, "第 %d 行的分数与当时封存的不符" % number, "ledger")
                opened += 1
            count += 1
    return count, opened


def ballot_hash(row):
    points = {code: int(Decimal(value) * 100) for code, value in row["marks"].items()}
    text = json.dumps(points, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hmac.new(bytes.fromhex(row["salt"]), text.encode("utf-8"), hashlib.sha256).hexdigest()


def ballots_in(path):
    """Row by row; none where nobody has scored yet, for then there is no file."""
    if path.exists():
        with path.open(encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)


def check_marks(folder, tables):
    """The table of ballots says what the opened ballots say."""
    if "ballots" not in tables:
        return
    sealed = {}
    for row in ballots_in(folder / "data/review/ballots.jsonl"):
        sealed.update({(row["review"], code): Decimal(value) for code, value in row.get("marks", {}).items()})
    listed = {(row["subject"], row["criterion"]): Decimal(row["value"]) for row in tables["ballots"]}
    if sealed != listed:
        raise wrong("data/tables/ballots.csv", "与打开的评分不同", "ledger")


def before(at, due):
    """Whether an entry was written before a moment to the second; lists of old have no moment."""
    return not due or at[:19] < due[:19]


def check_sample(folder, story, about):
    """The sample of bids is the one whose list was frozen and which was drawn in the log."""
    if not about["sample"]:
        return
    path = "data/draws/sample.json"
    sample = read_json(folder, path)
    drawn = [e["public"] for entries in story.about.values() for e in entries if e["event"] == "sample.draw" and e["public"]["sample"] == about["sample"]]
    if not drawn or drawn[-1]["drawn"] != sample["chosen"] or drawn[-1]["said"] != sample["beacon"]["value"]:
        raise wrong(path, "台账里的抽样不是这个结果", "ledger")
    frozen = [e for entries in story.about.values() for e in entries if e["event"] == "sample.freeze"]
    if not any(e["public"].get("announced") == sample["announced_sha256"] and before(e["at"], sample["announced"]["beacon"]["due"]) for e in frozen):
        raise wrong(path, "台账里没有在随机源产生以前锁定的这份名单", "ledger")
    here = {p.name for p in (folder / "data/bids").iterdir()}
    if here != set(map(safe, sample["chosen"])):
        raise wrong(path, "data/bids/ 里的不是抽中的那些")


# sealed bids: headers, the opening record, shares


def check_sealing(folder, payload, story):
    """The opening record against what was handed in and when; shares against the key's record. Returns (bids, opened)."""
    path = "data/sealing/opening.json"
    if path not in payload:
        return 0, 0
    record = read_json(folder, path)
    handed: dict[str, Any] = {}
    for subject in story.subjects("bid.seal"):
        handed.update((e["public"]["content"], (subject, e)) for e in story.of(subject, "bid.seal"))
    taken_out = {e["public"]["header"] for s in story.subjects("bid.unseal") for e in story.of(s, "bid.unseal")}
    for row in record["bids"]:
        check_opened(path, row, handed.get(row["header"]), story, record["at"])
        if (row["result"] == "opened") != (row["header"] in taken_out):
            raise wrong(path, "结果与台账不符:%s" % row["header"], "ledger")
    check_lost(path, record, story)
    check_shares(folder, payload)
    return len(record["bids"]), record["opened"]


def check_lost(path, record, story):
    """A record that says the keys were lost, against two persons in the log, the second of whom named no bid as opened; and the reverse."""
    declared = [e for s in story.subjects("seal.declare_lost") for e in story.of(s, "seal.declare_lost")]
    if (record.get("why", "") == "key_lost") != bool(declared):
        raise wrong(path, "开标记录与台账对密钥是否宣布丢失说法不一", "ledger")
    if not declared:
        return
    reports = story.of(declared[-1]["subject"], "seal.report_lost")
    if not reports or reports[-1]["actor"] == declared[-1]["actor"]:
        raise wrong(path, "密钥丢失须由两人先后报告和宣布,台账里不是", "ledger")
    if record["opened"] or record["officers"] or any(row["result"] != "key_lost" for row in record["bids"]):
        raise wrong(path, "密钥已宣布丢失,记录却写着有投标打开", "ledger")


def check_opened(path, row, handed, story, at):
    if handed is None:
        raise wrong(path, "投标头 %s 在台账里没有提交过" % row["header"], "ledger")
    subject, entry = handed
    if story.of(subject, "bid.seal")[-1] != entry or entry["at"] >= at:
        raise wrong(path, "打开的不是最后一次提交的版本,或提交晚于开标:%s" % row["header"], "ledger")


def check_shares(folder, payload):
    for share in read_json(folder, "data/sealing/keys/call-key.json")["shares"]:
        at = "data/sealing/keys/shares/%s.age" % safe("+".join(share["officers"]))
        if at in payload and payload[at] != share["sha256"]:
            raise wrong(at, "密钥分份与公开记录不符")


# open data against the tables


def check_open(folder, payload, tables):
    """Grants and awards by number and amount, transactions by key; how many payments are public."""
    if "data/ocds/record.json" not in payload:
        return 0
    amounts = {row["number"]: Decimal(row["amount"]) for row in tables["awards"]}
    grants = read_json(folder, "data/360/grants.json")["grants"] if "data/360/grants.json" in payload else []
    for grant in grants:
        if Decimal(grant["amountAwarded"]) not in [a for n, a in amounts.items() if grant["id"].endswith("-" + n)]:
            raise wrong("data/360/grants.json", "%s 的金额与立项表不符" % grant["id"])
    record = read_json(folder, "data/ocds/record.json")["records"][0]
    if record["releases"] != read_json(folder, "data/ocds/releases.json")["releases"]:
        raise wrong("data/ocds/record.json", "与 releases.json 的发布不同")
    found = record["compiledRelease"]
    for award in found.get("awards", []):
        if award["status"] == "active" and Decimal(award["value"]["amount"]) != amounts.get(award["id"]):
            raise wrong("data/ocds/record.json", "%s 的金额与立项表不符" % award["id"])
        if award["status"] == "active" and not any(g["id"].endswith("-" + award["id"]) for g in grants):
            raise wrong("data/360/grants.json", "缺少立项 %s" % award["id"])
    return check_transactions(found, tables)


def check_transactions(found, tables):
    orders = {row["key"]: Decimal(row["amount"]) for row in tables["orders"] if row["state_code"] == "paid"}
    paid = {t["id"]: Decimal(t["value"]["amount"]) for c in found.get("contracts", []) for t in c.get("implementation", {}).get("transactions", [])}
    for key, amount in paid.items():
        if orders.get(key) != amount:
            raise wrong("data/ocds/record.json", "付款 %s 与付款单表不符" % key)
    return len(paid)


# the whole


def main(argv=None):
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    asked = argparse.ArgumentParser(description="公创审计资料包离线核对")
    asked.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parent, help="解压后的文件夹,默认是本程序所在的")
    asked.add_argument("--package", default="", help="资料包编号(下载页和台账里的 64 位十六进制)")
    asked.add_argument("--key", action="append", default=[], help="另外保存的公钥:文件或公钥行,可重复")
    asked.add_argument("--pin", action="append", default=[], help="另外留存的根:大小:根,可重复")
    asked.add_argument("--receipt", action="append", default=[], type=Path, help="申报单位的回执文件,可重复")
    options = asked.parse_args(argv)
    try:
        return run(options)
    except Bad as bad:
        print("✗ %s" % bad)
        print("结论:不通过 FAILED")
        return 1
    except (OSError, UnicodeDecodeError) as cannot:
        print("无法检查:%s" % cannot)
        return 2


def run(options):
    folder = options.folder
    if not (folder / "bagit.txt").exists() and not (folder / MANIFEST).exists():
        print("无法检查:%s 不是解压后的资料包" % folder)
        return 2
    payload = check_bag(folder, options.package.strip().lower())
    print("✓ 资料包编号 %s" % digest(folder / TAGS))
    print("✓ BagIt 清单:%d 个文件,一个不多,一个不少,逐字节相符" % len(payload))
    keys = outside_keys(options.key)
    inside = not keys
    if inside:
        keys = read_keys([(folder / LOG / "keys.txt").read_bytes().decode("utf-8", "replace")], "文件夹")
    print("公钥来源:%s" % ("资料包里的 keys.txt" if inside else "外部给出(--key)"))
    counts, story = check_log(folder, keys, options)
    loose, about = check_content(folder, payload, story)
    print("查不出来的:")
    for line in undetected(options, counts, inside, about, loose):
        print("  - %s" % line)
    print("结论:完整 INTACT(限于以上检查过的)")
    return 0


def check_log(folder, keys, options):
    counts = check_tree(folder, keys, dict(read_pin(pin) for pin in options.pin))
    print("✓ 台账:%(entries)d 条,根 %(root)s" % counts)
    print("✓ 检查点 %d 个的根全部相符,其中 %d 个核对了签名;见证者联署 %d 个" % (
        counts.get("checkpoints", 0), counts.get("checked", 0), counts.get("cosignatures", 0)))
    story = check_entries(folder)
    print("✓ 本征集的条目 %d 条,逐字节在台账中" % story.count)
    for erased, ground in erased_in(story):
        print("! 条目 %s 的附文已依法删除(%s):承诺值仍在台账,内容不再可核对" % (erased, ground))
    for path in options.receipt:
        check_held(path, keys, story)
        print("✓ 回执 %s 与台账同一条目" % path.name)
    return counts, story


def erased_in(story):
    """Entry's id and ground of each payload of this call that was erased, in the log's order."""
    return [(e["public"]["event"], e["public"]["ground"]) for _index, e in sorted(story.at.items(), key=lambda pair: pair[0]) if e["event"] == "ledger.erase"]


def check_held(path, keys, story):
    """A receipt from elsewhere: signed, and the very entry that the package shows."""
    text = path.read_bytes().decode("utf-8", "replace")
    entry = check_receipt(text, keys, lambda *_told: None)
    receipt = read_receipt(text)
    if "proof" in receipt:
        index = read_proof(receipt["proof"])[0]
        if story.at.get(index) != entry:
            raise Bad("split-view", "%sentries.jsonl:回执证明的第 %d 条在这里不同或没有:给你看的台账被重写过" % (LOG, index), index, index + 1)
    elif entry not in story.at.values():
        raise Bad("split-view", "%sentries.jsonl:回执的条目这里没有(回执尚无证明,也可能在资料包之后才写入)" % LOG)


def check_content(folder, payload, story):
    about, index = read_json(folder, "data/about.json"), read_json(folder, "data/tables/index.json")
    tables = {}
    for table in index["tables"]:
        tables[table["code"]] = rows_of(folder, table)
        check_book(folder, table, tables[table["code"]])
    print("✓ 表格 %d 张:行数、合计、CSV 与 XLSX 一致" % len(tables))
    settled = settled_at(story, index["made_at"])
    check_states(story, tables, settled)
    check_draws(story, tables)
    check_money(story, tables)
    check_withheld(story, tables, settled)
    check_decisions(story, tables)
    check_texts(story, tables)
    conflicts, once = check_conflicts(story, tables, settled), check_entered(story, tables)
    given = sum((Decimal(r["amount"]) for r in tables["awards"] if r["state_code"] != "cancelled"), Decimal(0))
    paid = sum((Decimal(r["amount"]) for r in tables["orders"] if r["state_code"] == "paid"), Decimal(0))
    print("✓ 表格与台账逐行核对:立项 %s 元,已付 %s 元" % (given, paid))
    print("✓ 回避核查 %d 条的处理与台账一致,其中 %d 条逐条记在台账里" % (len(tables["conflicts"]), conflicts))
    print("✓ 统一录入的分数 %d 项与台账里的承诺值一致,更正 %d 项" % once)
    check_marks(folder, tables)
    count, opened = check_ballots(folder, story)
    print("✓ 评分 %d 份的承诺值与台账一致,其中 %d 份打开核对" % (count, opened))
    check_sample(folder, story, about)
    sealed, unsealed = check_sealing(folder, payload, story)
    if sealed:
        print("✓ 密封投标 %d 份:最后提交的版本、开标记录与台账一致,打开 %d 份" % (sealed, unsealed))
    anchored, loose = check_papers(folder, payload, story, tables)
    print("✓ %d 个文件的哈希写在台账里" % anchored)
    print("✓ 开放数据与表格一致,付款 %d 笔" % check_open(folder, payload, tables))
    for path in sorted(payload):
        if path.startswith("data/lost/"):
            print("! 出具时系统里已经缺失的文件见 %s" % path)
    return loose, about


def undetected(options, counts, inside, about, loose):
    """Which attacks this run would not have noticed, given what it was given."""
    found = []
    if not options.package:
        found.append("没有给出资料包编号:不写在台账里的内容(项目名称、单位名称、理由等文字)连同清单一起改写,查不出来。请用 --package。")
    if inside:
        found.append("公钥来自资料包本身:掌握资料包的人可以换钥匙重签一切。请用 --key 给出另外保存的公钥。")
    if not options.pin:
        found.append("没有给出外部留存的根:掌握台账私钥的人改写全部条目并重新签署,或连同检查点截去尾部,查不出来。请用 --pin。")
    if not options.receipt:
        found.append("没有给出回执:没有拿申报单位手里的回执与这本台账比对。")
    if counts["unanchored"]:
        found.append("最后一个检查点之后有 %d 条没有签名保护。" % counts["unanchored"])
    if not about["personal"]:
        found.append("个人信息已遮盖:申报书原文、附件和凭证不在包里,只核对了它们的哈希写在台账里。")
    if loose:
        found.append("%d 个文件的哈希不在台账里,只由清单和资料包编号保护,例如 %s。" % (len(loose), loose[0]))
    found.append("出具的人有意漏掉、又没有任何表格行提到的本征集条目:别的条目只有哈希,看不出属于谁。须与整本台账的导出比对。")
    found.append("事情发生了却从未写入台账;写入时就不真实的内容;服务器的时钟。")
    return found


if __name__ == "__main__":
    sys.exit(main())
