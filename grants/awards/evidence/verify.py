#!/usr/bin/env python3
"""证据包核对程序: re-runs the result of one bid from the files beside it and prints OK or FAIL for every step.

    python3 -S -E verify.py            in the folder where the pack was unpacked; ends with 0 when every step is OK, else 1

Python 3.8 or later, the standard library only, no network, nothing written. Amounts are 元, scores points out of 100; every rounding is
half up (四舍五入). Read it: it is meant to be read, and to be redone with a spreadsheet. This copy is part of the pack and checked by its hash,
as is every other file; the hash of manifest.json itself stands in the public log under the download.
"""

import base64
import hashlib
import hmac
import json
import sys
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from pathlib import Path

HERE = Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
HERE = HERE if HERE.is_dir() else HERE.parent
MANIFEST = "manifest.json"
SEATED, ONCE = ("finance", "field"), ("secretariat", "resident")


class Fail(Exception):
    """A step does not hold; the message says where."""


def need(holds, where):
    if not holds:
        raise Fail(where)


def read(name):
    return json.loads((HERE / name).read_bytes().decode("utf-8"))


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def half_up(value, places=2):
    """Exact: no division is rounded before this one."""
    exact = Fraction(value)
    units = abs(exact) * 10**places + Fraction(1, 2)
    whole = units.numerator // units.denominator
    return Decimal(whole if exact >= 0 else -whole).scaleb(-places)


def mean(values):
    return sum((Fraction(v) for v in values), Fraction(0)) / len(values)


# --- 1 every file is what it was ----------------------------------------------------------------------------------------------


def step_files():
    listed = read(MANIFEST)["files"]
    for name, digest in sorted(listed.items()):
        path = HERE / name
        need(path.is_file(), f"{name} 不在包里")
        need(hashlib.sha256(path.read_bytes()).hexdigest() == digest, f"{name} 与清单的摘要不符")
    more = sorted(p.name for p in HERE.iterdir() if p.name not in listed and p.name not in (MANIFEST, "__pycache__"))
    need(not more, "清单以外的文件：" + "、".join(more))
    return f"{len(listed)} 个文件与清单一致"


# --- 2 the ballots are those that were sealed -----------------------------------------------------------------------------------


def step_seals():
    ballots = read("ballots.json")
    twice = [b["first"] for b in ballots if "first" in b]
    for ballot in ballots:
        for given in (ballot, *([ballot["first"]] if "first" in ballot else [])):
            need(committed(given["marks"], given["salt"]) == given["commitment"], f"专家 {ballot['expert']}（{ballot['stage']}）的评分与封存的承诺不符")
    entered = [other for other in read("others.json") if "salt" in other]
    for other in read("others.json"):
        for given in [*other.get("corrected", []), other]:
            opened = "salt" not in given or committed({other["component"]: given["value"]}, given["salt"]) == given["commitment"]
            need(opened, f"统一录入的 {other['component']} 与录入时的承诺不符")
    again = f"，其中 {len(twice)} 份讨论后再评，第一次也一致" if twice else ""
    once = f"，{len(entered)} 项统一录入的分数也一致" if entered else ""
    return f"{len(ballots)} 份评分与封存时的承诺一致{again}{once}"


def committed(marks, salt):
    """HMAC-SHA256 of the marks in hundredths, canonical JSON, under the salt."""
    text = json.dumps({code: int(Decimal(value) * 100) for code, value in marks.items()}, sort_keys=True, separators=(",", ":")).encode()
    return hmac.new(bytes.fromhex(salt), text, hashlib.sha256).hexdigest()


# --- 3 what was sealed stands in the log ----------------------------------------------------------------------------------------


def leaf_hash(leaf):
    return hashlib.sha256(b"\x00" + leaf).digest()


def root_of(index, size, leaf, path):
    """The root an RFC 6962 audit path leads to (RFC 9162 §2.1.3.2)."""
    here, last, result = index, size - 1, leaf
    need(0 <= index < size, "台账位置超出范围")
    for sibling in path:
        need(last > 0, "台账证明过长")
        if here & 1 or here == last:
            result = hashlib.sha256(b"\x01" + sibling + result).digest()
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            result = hashlib.sha256(b"\x01" + result + sibling).digest()
        here, last = here >> 1, last >> 1
    need(last == 0, "台账证明过短")
    return result


def step_log():
    entries, waiting = read("ledger.json"), 0
    for entry in entries:
        leaf = entry["leaf"].encode("utf-8")
        need(canonical(json.loads(entry["leaf"])) == leaf, f"台账条目 {entry['event']} 不是规范的写法")
        if entry["proof"] is None:
            waiting += 1
            continue
        proof = entry["proof"]
        head = proof["checkpoint"].split("\n")
        need(int(head[1]) == proof["size"], "检查点的大小不符")
        path = [bytes.fromhex(h) for h in proof["path"]]
        need(root_of(proof["index"], proof["size"], leaf_hash(leaf), path) == base64.b64decode(head[2]), f"台账条目 {entry['event']} 不在检查点的树中")
    _in_the_log(entries)
    told = f"，其中 {waiting} 条还在等待下一个检查点" if waiting else ""
    return f"{len(entries)} 条台账记录成立{told}"


def _in_the_log(entries):
    """Every commitment and the rules' hash are what the log says."""
    leaves = [json.loads(e["leaf"]) for e in entries]
    named = {event: {leaf["files"].get("ballot") for leaf in leaves if leaf["event"] == event} for event in ("review.submit", "review.revise")}
    for ballot in read("ballots.json"):
        first = ballot.get("first", ballot)
        need(first["commitment"] in named["review.submit"], f"专家 {ballot['expert']} 的承诺不在台账中")
        need("first" not in ballot or ballot["commitment"] in named["review.revise"], f"专家 {ballot['expert']} 第二次评分的承诺不在台账中")
    need(len(named["review.submit"]) == len(read("ballots.json")), "台账中的评分与包里的评分数量不同")
    need(len(named["review.revise"]) == sum("first" in b for b in read("ballots.json")), "台账中的第二次评分与包里的数量不同")
    entered = _entered(leaves)
    told = {o["component"]: [given.get("commitment") for given in [*o.get("corrected", []), o]] for o in read("others.json")}
    need(entered == told, "统一录入的分数与台账不符")
    _counted(leaves, {component: chain[-1] or "" for component, chain in entered.items()})
    ruled = {(r["expert"], r["stage"]): r["outcome"] for r in (leaf["public"] for leaf in leaves if leaf["event"] == "ruling.adopt")}
    told = {(b["expert"], b["stage"]): b["ruling"] for b in read("ballots.json") if "ruling" in b}
    need(ruled == told, "评审组对偏离评分的处理与台账不符")


def _entered(leaves):
    """Component → the commitments that were in force one after another: as entered, then each that a second officer confirmed."""
    found, proposed = {}, {}
    for leaf in leaves:
        if leaf["event"] == "panel.enter_score":
            found[leaf["public"]["component"]] = [leaf["public"].get("score")]
        elif leaf["event"] == "score_correction.open":
            proposed[leaf["subject"]] = leaf
        elif leaf["event"] == "score_correction.confirm":
            asked, public = proposed.get(leaf["subject"], {}), leaf["public"]
            need(asked.get("public") == public, f"统一录入的 {public['component']} 的更正没有同样的提出记录")
            need(asked["actor"] != leaf["actor"], f"统一录入的 {public['component']} 的更正由同一个人提出和确认")
            chain = found.get(public["component"], [])
            need(chain and (chain[-1] or "") == public["from"], f"统一录入的 {public['component']} 的更正接不上原来的分数")
            chain.append(public["score"])
    return found


def _counted(leaves, sealed):
    """The lock names one hash over the scores in force of every bid; this bid's stand under it. A correction that is kept back would show here."""
    locks = [leaf["public"] for leaf in leaves if leaf["event"] == "panel.lock"]
    need(locks, "台账记录里没有锁定评分")
    place, root = read("entered.json"), locks[-1].get("entered")
    if root is None:  # locked before the lock named it, or nothing was entered for any bid
        return
    need(place is not None or not sealed, "没有统一录入的分数在锁定评分时的位置")
    if sealed:
        path = [bytes.fromhex(h) for h in place["path"]]
        own = root_of(place["index"], place["size"], leaf_hash(canonical(sealed)), path)
        need(own.hex() == root, "统一录入的分数不是锁定评分时计入的")


# --- 4 the checkpoints are signed by the log's key (Ed25519, RFC 8032; C2SP signed note) ------------------------------------------


PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
CURVE = -121665 * pow(121666, PRIME - 2, PRIME) % PRIME


def added(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % PRIME, (p[1] + p[0]) * (q[1] + q[0]) % PRIME
    c, d = 2 * p[3] * q[3] * CURVE % PRIME, 2 * p[2] * q[2] % PRIME
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % PRIME, g * h % PRIME, f * g % PRIME, e * h % PRIME


def times(point, n):
    total = (0, 1, 1, 0)
    while n:
        if n & 1:
            total = added(total, point)
        point, n = added(point, point), n >> 1
    return total


def point_of(raw):
    """The curve point written in 32 bytes."""
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    u, v = (y * y - 1) % PRIME, (CURVE * y * y + 1) % PRIME
    x = u * pow(v, 3, PRIME) * pow(u * pow(v, 7, PRIME), (PRIME - 5) // 8, PRIME) % PRIME
    if (v * x * x - u) % PRIME:
        x = x * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
    need(y < PRIME and not (v * x * x - u) % PRIME and not (x == 0 and sign), "公钥或签名不是曲线上的点")
    x = PRIME - x if x & 1 != sign else x
    return x, y, 1, x * y % PRIME


def signed(public, message, signature):
    """Whether 64 bytes are the Ed25519 signature of the message by the key."""
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or s >= ORDER:
        return False
    base = point_of((4 * pow(5, PRIME - 2, PRIME) % PRIME).to_bytes(32, "little"))
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    left, right = times(base, s), added(point_of(signature[:32]), times(point_of(public), k))
    return all((left[at] * right[2] - right[at] * left[2]) % PRIME == 0 for at in (0, 1))


def step_signature():
    notes = sorted({e["proof"]["checkpoint"] for e in read("ledger.json") if e["proof"] is not None})
    keys = []
    for line in read(MANIFEST)["log_keys"]:
        name, shown, encoded = line.split("+", 2)
        raw = base64.b64decode(encoded)
        need(hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4].hex() == shown, "公钥的编号与内容不符")
        if raw[:1] == b"\x01":
            keys.append((name, bytes.fromhex(shown), raw[1:], line))
    for note in notes:
        text, _blank, lines = note.partition("\n\n")
        need(any(accepted(key, text + "\n", line) for line in lines.splitlines() for key in keys), "检查点没有台账公钥的有效签名")
    told = "、".join(key[3] for key in keys)
    return f"{len(notes)} 个检查点由台账签名；请与主办方另外公布的公钥比对：{told}" if notes else "还没有检查点，台账记录等待签名"


def accepted(key, text, line):
    name, number, public, _written = key
    dash, said, encoded = [*line.split(" ", 2), "", ""][:3]
    raw = base64.b64decode(encoded) if dash == "\u2014" else b""
    return said == name and raw[:4] == number and signed(public, text.encode("utf-8"), raw[4:])


# --- 5 the rules are those that were published ------------------------------------------------------------------------------------


def step_rules():
    digest = hashlib.sha256((HERE / "rules.json").read_bytes()).hexdigest()
    leaves = [json.loads(e["leaf"]) for e in read("ledger.json")]
    published = [leaf["public"]["rules_hash"] for leaf in leaves if "rules_hash" in leaf["public"]]
    need(digest in published, "规则的摘要不在台账公布的版本中")
    need(digest == read(MANIFEST)["rules_hash"], "规则的摘要与清单不符")
    return f"规则版本 {digest[:16]}… 与公布时的记录一致"


def rules():
    return read("rules.json")


def sheet():
    """The criteria of the bid's score sheet: code → (weight, scorer, name)."""
    found, track = rules(), read(MANIFEST)["track"]
    wanted = next((t.get("sheet") for t in found.get("tracks", []) if t["code"] == track), None)
    sheets = found["review"]["sheets"]
    chosen = next((s for s in sheets if s["code"] == wanted), sheets[0])
    return {c["code"]: (Decimal(c["weight"]), c.get("scorer", "expert"), c["name"]) for c in chosen["criteria"]}


# --- 6 from marks to the total of every ballot --------------------------------------------------------------------------------------


def full_marks(stage, first=False):
    """Expert → criterion → points, with what a seat, the secretariat, residents or the visit gave once for everybody. Ballots that the
    committee excluded do not count; first: as the ballots were before the discussion."""
    ballots = [b for b in read("ballots.json") if b["stage"] == stage and b.get("ruling") != "exclude"]
    ballots = [{**b, **b["first"]} if first and "first" in b else b for b in ballots]
    others = {o["component"]: Decimal(o["value"]) for o in read("others.json")}
    check = rules()["review"].get("site_check") or {"criterion": "", "points": "0"}
    shared = {}
    for code, (weight, scorer, name) in sheet().items():
        on_site = Decimal(check["points"]) if check["criterion"] == code else Decimal(0)
        if scorer in SEATED and weight > on_site:
            given = [Decimal(b["marks"][code]) for b in ballots if b["seat"] == scorer]
            need(given, f"“{name}”没有对应席位的评分")
            shared[code] = half_up(mean(given))
        elif scorer in ONCE:
            shared[code] = others["criterion:" + code]
    found = {b["expert"]: {**{c: Decimal(v) for c, v in b["marks"].items()}, **shared} for b in ballots}
    if check["criterion"] in sheet():
        for marks in found.values():
            marks[check["criterion"]] = marks.get(check["criterion"], Decimal(0)) + others.get("site_check", Decimal(0))
    return found


def totals(stage, first=False):
    found = {}
    for expert, marks in full_marks(stage, first).items():
        need(set(marks) == set(sheet()), f"专家 {expert} 的指标与评分表不符")
        for code, value in marks.items():
            need(0 <= value <= sheet()[code][0], f"专家 {expert} 的“{sheet()[code][2]}”超出满分")
        found[expert] = half_up(sum(marks.values(), Decimal(0)), rules()["review"]["decimals"])
    return found


def step_totals():
    n = 0
    for stage in read("result.json")["stages"]:
        told = {b["expert"]: Decimal(b["total"]) for b in stage["ballots"]}
        redone = totals(stage["stage"])
        need(set(told) == set(redone), f"{stage['name']}的专家与结果不符")
        for expert, total in redone.items():
            need(total == told[expert], f"专家 {expert} 的{stage['name']}总分应为 {total}，结果写的是 {told[expert]}")
        before, here = stage.get("first", {}), [b for b in read("ballots.json") if b["stage"] == stage["stage"]]
        need(set(before) == {b["expert"] for b in here if "first" in b and b.get("ruling") != "exclude"}, f"{stage['name']}讨论前的评分没有列全")
        firsts = totals(stage["stage"], first=True) if before else {}
        for expert, total in before.items():
            need(firsts[expert] == Decimal(total), f"专家 {expert} 的{stage['name']}讨论前总分应为 {firsts[expert]}")
        need(sorted(stage.get("struck", [])) == sorted(b["expert"] for b in here if b.get("ruling") == "exclude"), f"{stage['name']}排除的评分没有列全")
        n += len(redone)
    return f"{n} 份评分表的总分重算一致"


# --- 7 which were dropped, and the mean of the others ---------------------------------------------------------------------------------


def counting(stage):
    """The totals that count: as given, or less the published strictness where the rules made calibrated scores official (0…100)."""
    found = totals(stage)
    if rules()["review"].get("official", "trimmed") != "calibrated":
        return found
    told = next(s for s in read("result.json")["stages"] if s["stage"] == stage)["ballots"]
    off = {b["expert"]: Decimal(b["off"]) for b in told}
    return {code: min(max(total - off[code], Decimal(0)), Decimal(100)) for code, total in found.items()}


def trimmed(stage):
    """(kept, dropped high, dropped low, mean). Among equal totals the expert code decides which is shown as dropped."""
    found, trim, panel = counting(stage), rules()["review"]["trim"], rules()["review"]["panel"]
    need(len(found) >= panel["min_ballots"], "有效评分不足规定的份数")
    order = sorted(found, key=lambda code: (found[code], code))
    reached = [step for step in (trim, *trim.get("tiers", [])) if len(order) >= step["from_ballots"]]
    step = max(reached, key=lambda each: each["from_ballots"], default={"high": 0, "low": 0})
    high, low = step["high"], step["low"]
    kept = order[low : len(order) - high]
    return kept, order[len(order) - high :], order[:low], half_up(mean([found[c] for c in kept]), rules()["review"]["decimals"])


def step_trim():
    told = []
    for stage in read("result.json")["stages"]:
        _kept, high, low, value = trimmed(stage["stage"])
        fate = {**dict.fromkeys(high, "high"), **dict.fromkeys(low, "low")}
        for ballot in stage["ballots"]:
            need(ballot["dropped"] == fate.get(ballot["expert"], ""), f"专家 {ballot['expert']} 的{stage['name']}是否去掉，与规则不符")
        need(value == Decimal(stage["value"]), f"{stage['name']}应为 {value}，结果写的是 {stage['value']}")
        told.append(f"{stage['name']} {value}")
    return "、".join(told) + "，去掉的评分符合规则"


# --- 8 from stages and other parts to the score -------------------------------------------------------------------------------------------


def step_mix():
    review, result = rules()["review"], read("result.json")
    places = review["decimals"]
    experts = half_up(sum((Fraction(s["weight"]) * Fraction(trimmed(s["kind"])[3]) / 100 for s in review["stages"]), Fraction(0)), places)
    others = {o["component"]: Fraction(o["value"]) for o in read("others.json")}
    bonus = sum((others["bonus:" + b["code"]] for b in review.get("bonuses", [])), Fraction(0))
    parts = {code: Fraction(share) for code, share in review["mix"].items() if Fraction(share) > 0}
    score = half_up(sum((share * (Fraction(experts) if code == "experts" else others[code]) / 100 for code, share in parts.items()), bonus), places)
    need(score == Decimal(result["score"]), f"得分应为 {score}，结果写的是 {result['score']}")
    need((score >= Decimal(review["pass_line"])) == result["passed"], "是否达到及格线与得分不符")
    for code, value in criterion_means().items():
        need(value == Decimal(result["criteria"][code]), f"“{sheet()[code][2]}”的平均分应为 {value}")
    return f"得分 {score}，及格线 {review['pass_line']}，各项平均分一致"


def criterion_means():
    found = {code: Decimal(0) for code in sheet()}
    for stage in rules()["review"]["stages"]:
        marks, kept = full_marks(stage["kind"]), trimmed(stage["kind"])[0]
        for code in found:
            found[code] += half_up(mean([marks[k][code] for k in kept])) * Decimal(stage["weight"]) / 100
    return {code: half_up(value) for code, value in found.items()}


# --- 9 the place among all ------------------------------------------------------------------------------------------------------------------


def step_rank():
    ranking, result = read("ranking.json"), read("result.json")
    rows = ranking["rows"]
    own = [r for r in rows if r["own"]]
    need(len(own) == 1, "排名中没有或不止一份本申报")
    need(own[0]["score"] == result["score"] and own[0]["place"] == result["place"], "排名中的本申报与结果不符")
    ranked = [r for r in rows if r["place"] is not None]
    for row in ranked:
        better = sum(Decimal(o["score"]) > Decimal(row["score"]) for o in ranked)
        same = sum(Decimal(o["score"]) == Decimal(row["score"]) for o in ranked)
        need(better < row["place"] <= better + same, f"第 {row['place']} 名的得分与名次不符")
    tied = ranking["tied"]
    if tied:
        redone = places_of(tied, lot_order(ranking), sum(Decimal(o["score"]) > Decimal(result["score"]) for o in ranked))
        for bid in tied:
            need(redone[bid["code"]] == bid["place"], f"同分的 {bid['code']} 应列第 {redone[bid['code']]} 名")
    need(len(tied) in (0, sum(r["score"] == result["score"] for r in ranked)), "同分的申报没有列全")
    return f"第 {result['place']} 名（共 {len(ranked)} 份），{'同分规则重算一致' if tied else '没有同分'}"


def lot_order(ranking):
    """Numbers → their order by lot. The public draw is repeated from what was announced, committed to and revealed; results from before lots
    were drawn in public have a seed instead."""
    drawn = ranking.get("lot")
    if drawn is None:
        return lambda numbers: shuffled(numbers, bytes.fromhex(ranking["lot_seed"]))
    order = repeated(drawn, "tie")
    return lambda numbers: [number for number in order if number in set(numbers)]


def repeated(drawn, kind):
    """The order of a draw's transcript (gongchuang-draw-1), every step of it asked: hash, parties, reveals, beacon, seed, order, the log."""
    told = drawn["announced"]
    announced = hashlib.sha256(canonical(told)).digest()
    need(announced.hex() == drawn["announced_sha256"], "抽签：公布的名单、规则与其摘要不符")
    need(told["kind"] == kind and drawn["format"] == "gongchuang-draw-1" and told["method"] == "GY-DRAW-1", "抽签：不认识的抽取记录")
    simple = told["mode"] == "simple"
    need(told["number"] == 1 or told["reason"].strip(), "抽签：不是第一次抽取，却没有写明理由")
    need(simple or len(told["parties"]) >= 3, "抽签：承诺方不足三方")
    need([c["party"] for c in drawn["commitments"]] == told["parties"] == [r["party"] for r in drawn["reveals"]], "抽签：承诺或公开不齐")
    for made, shown in zip(drawn["commitments"], drawn["reveals"]):  # noqa: B905 - Python 3.8
        need(hashlib.sha256(bytes.fromhex(shown["value"])).hexdigest() == made["sha256"], f"抽签：{made['party']}公开的数与承诺不符")
    later = drawn["closed_at"] and drawn["closed_at"] < told["beacon"]["due"] and drawn["beacon"]["value"]
    need(later if told["beacon"]["due"] else simple, "抽签：公共随机源不晚于公布或承诺截止，或没有结果")
    parts = [announced, bytes.fromhex(drawn["ledger_head"]), *(bytes.fromhex(r["value"]) for r in drawn["reveals"]), drawn["beacon"]["value"].encode("utf-8")]
    seed = hashlib.sha256(b"GY-DRAW-1\0" + b"".join(len(p).to_bytes(8, "big") + p for p in parts)).digest()
    need(seed.hex() == drawn["seed"], "抽签：种子不是由公布、承诺和随机源合成的")
    need(shuffled([code for code, _seat in told["pool"]], seed) == drawn["order"], "抽签：次序不是由种子得出的")
    said = [json.loads(e["leaf"]) for e in read("ledger.json") if e["event"] in ("draw.open", "draw.draw")]
    need(any(leaf["public"].get("announced_sha256") == announced.hex() for leaf in said), "抽签：公布的名单不在台账中")
    need(any(leaf["public"].get("transcript") == hashlib.sha256(canonical(drawn)).hexdigest() for leaf in said), "抽签：抽取记录不在台账中")
    return drawn["order"]


def places_of(tied, lots, before):
    """Places of equal scores by the tie rule; what no step splits shares one."""
    chair_sat = read("ranking.json")["chair_sat"]
    parts = [tied]
    for step in rules()["review"]["ties"]:
        if step["by"] == "chair" and not chair_sat:
            continue
        parts = [piece for part in parts for piece in split(part, step, lots)]
    places, at = {}, before + 1
    for part in parts:
        places.update({bid["code"]: at for bid in part})
        at += len(part)
    return places


def split(part, step, lots):
    if len(part) == 1:
        return [part]
    if step["by"] == "lot":
        order = lots([bid["number"] for bid in part])
        need(len(order) == len(part), "同分的申报不在抽签名单中")
        key = {bid["code"]: order.index(bid["number"]) for bid in part}
    elif step["by"] == "criterion":
        key = {bid["code"]: -Decimal(bid["criteria"][step["criterion"]]) for bid in part}
    elif step["by"] == "chair":
        key = {bid["code"]: -int(bid["chair"]) for bid in part}
    else:
        key = {bid["code"]: Decimal(bid["ask"]) for bid in part}
    return [[bid for bid in part if key[bid["code"]] == value] for value in sorted(set(key.values()))]


# --- 10 the panel was drawn ------------------------------------------------------------------------------------------------------------------------


def numbers(seed):
    """word(i) = first 8 bytes of SHA-256(seed ‖ i), big-endian; below(n) throws away what would favour small numbers."""
    at = [0]

    def below(limit):
        while True:
            word = int.from_bytes(hashlib.sha256(seed + at[0].to_bytes(8, "big")).digest()[:8], "big")
            at[0] += 1
            if word < (1 << 64) - (1 << 64) % limit:
                return word % limit

    return below


def shuffled(items, seed):
    """Sorted by code point, then Fisher–Yates from the end."""
    order, below = sorted(items), numbers(seed)
    for last in range(len(order) - 1, 0, -1):
        lot = below(last + 1)
        order[last], order[lot] = order[lot], order[last]
    return order


def step_draw():
    draw = read("draw.json")
    told, seed = draw["transcript"], bytes.fromhex(draw["seed"])
    need(told["method"] == "GY-DRAW-1", f"不认识的抽取办法 {told['method']}")
    seats = dict(told["pool"])
    need(shuffled(seats, seed) == told["order"], "抽取顺序不是由种子得出的")
    if draw["record"] is not None:
        _recorded(draw, told)
    seated = []
    for code in told["order"]:
        if code not in told["conflicted"] and may_sit(seats[code], [seats[s] for s in seated], told):
            seated.append(code)
    need(seated == told["seated"], "入选专家不是由抽取顺序得出的")
    how = "由公布的名单、各方的随机数和公共随机源重算一致" if draw["record"] is not None else "由种子重算一致"
    return f"从 {len(seats)} 名专家中抽取 {len(seated)} 名，{how}"


def _recorded(draw, told):
    """The published record gives this seed and order, and the log names the announcement before the record."""
    record, announced = draw["record"], draw["record"]["announced"]
    need(repeated(record, "panel") == told["order"] and record["seed"] == draw["seed"], "抽取记录的种子或次序与专家名单的不同")
    need(record["chosen"] == told["seated"], "抽取记录的入选专家与名单不同")
    need(announced["pool"] == told["pool"] and announced["barred"] == told["conflicted"], "公布的专家名单或回避名单与抽取所用的不同")
    need(all(announced["rule"][name] == told[name] for name in ("size", "minimum", "maximum")), "公布的席位规则与抽取所用的不同")


def may_sit(seat, taken, told):
    size = told["size"]
    if len(taken) >= size or taken.count(seat) >= min(told["maximum"].get(seat, size), size):
        return False
    missing = {s: n - taken.count(s) for s, n in told["minimum"].items() if n > taken.count(s)}
    return seat in missing or size - len(taken) > sum(missing.values())


# --- 11 who reviewed this bid -----------------------------------------------------------------------------------------------------------------------


def step_assignment():
    given, told, panel = read("assignment.json"), read("draw.json")["transcript"], rules()["review"]["panel"]
    names = [row["expert"] for row in given["assigned"]]
    need(len(set(names)) == len(names), "同一专家列了两次")
    need({b["expert"] for b in read("ballots.json")} <= set(names), "有未经分配的专家评分")
    for row in given["assigned"]:
        need(row["expert"] in dict(told["pool"]) and dict(told["pool"])[row["expert"]] == row["seat"], f"专家 {row['expert']} 不在抽取名单中，或席位不符")
        need(row["expert"] in told["seated"] or row["called_up"], f"专家 {row['expert']} 既未入选也未递补")
        need(row["expert"] not in given["left_out"], f"专家 {row['expert']} 应当回避")
    need(len(names) >= panel["min_ballots"], "评审人数不足")
    need(sum(r["seat"] == "finance" for r in given["assigned"]) >= panel.get("finance", 0), "财务专家不足")
    return f"{len(names)} 名专家均在抽取名单中，回避的 {len(given['left_out'])} 名没有评分" + _by_run(given.get("run"), names)


def _by_run(run, names):
    """The bid's own rows of the solved assignment: lawful, no weaker than it claims for all, and the files are those the log names."""
    if run is None:
        return ""
    leaves = [e["leaf"] for e in read("ledger.json") if e["event"] in ("panel.assign", "panel.fill_gaps", "swap.approve")]
    need(any(run["sha256"]["question"] in leaf and run["sha256"]["answer"] in leaf for leaf in leaves), "分派文件的摘要不在台账中")
    need(set(names) <= set(run["pairs"]), "有专家不是由这次分派得出的")
    need(not set(run["pairs"]) & set(run["barred"]), "分派了应当回避的专家")
    need(len(run["pairs"]) == run["need"], "分派的人数与要求不符")
    worth = [run["affinity"].get(expert, 1) for expert in run["pairs"]]
    need(min(worth) >= run["weakest_pair"] and sum(worth) >= run["worst_bid"], "契合度低于分派声明的最弱一对或最弱申报")
    return f"；契合度合计 {sum(worth)}（全部申报中最弱的 {run['worst_bid']}，满分每人 1000）"


# --- 12 the money -------------------------------------------------------------------------------------------------------------------------------------


def step_money():
    told, result = read("money.json"), read("result.json")
    redone = give_out(told["bids"])
    cumulative = Decimal(0)
    for bid in told["bids"]:
        awarded, amount, rule = redone[bid["code"]]
        need(awarded == bid["awarded"] and rule == bid["rule"], f"第 {bid['place']} 名（{bid['code']}）应为 {rule}，写的是 {bid['rule']}")
        need(amount == Decimal(bid["amount"]), f"{bid['code']} 的资助金额应为 {amount}")
        cumulative += amount if bid["counted"] else 0
        need(not bid["counted"] or cumulative == Decimal(bid["cumulative"]), f"{bid['code']} 的累计金额应为 {cumulative}")
    own = [b for b in told["bids"] if b["own"]]
    need(len(own) == 1, "没有或不止一份本申报")
    need((own[0]["awarded"], own[0]["amount"], own[0]["rule"]) == (result["awarded"], result["amount"], result["rule"]), "本申报的决定与测算不符")
    ranked = {r["code"]: (r["score"], r["place"]) for r in read("ranking.json")["rows"]}
    for bid in told["bids"]:
        need(not bid["counted"] or ranked[bid["code"]] == (bid["score"], bid["place"]), f"{bid['code']} 的得分与排名不符")
    words = f"资助 {own[0]['amount']} 元" if own[0]["awarded"] else f"不予立项（{own[0]['rule']}）"
    return f"两轮分配重算一致：本申报{words}，合计 {cumulative} 元"


class Book:
    """What has been given so far."""

    def __init__(self):
        found = rules()
        self.pool = Decimal(found["pool"]["grants"])
        self.allocation, self.cap = found["allocation"], found["amounts"].get("cap")
        self.categories = {c["code"]: self._category(c) for c in found["categories"]}
        self.tracks = {t["code"]: t for t in found.get("tracks", [])}
        self.sources = [(Decimal(s["amount"]), self._serves(found, s)) for s in found.get("sources", [])]
        self.each = found["eligibility"].get("awards_per_organisation")
        self.line = Decimal(found["review"]["pass_line"])
        self.used, self.tracked, self.count, self.track_count, self.held, self.stopped, self.done = {}, {}, {}, {}, {}, set(), {}
        self.placed = {}

    def _category(self, c):
        share = c.get("reserve_share")
        reserve = Decimal(c["amount"]) if c.get("amount") is not None else None
        if reserve is None and share is not None:
            reserve = (self.pool * Decimal(share) / 100).quantize(Decimal("0.01"), "ROUND_FLOOR")
        return {**c, "reserve": reserve, "places": c.get("count"), "others": c.get("rollover", "others") == "others"}

    def _serves(self, found, source):
        wanted = source.get("purposes") or []
        return {c["code"] for c in found["categories"] if c.get("purpose") in wanted or c["name"] in wanted} if wanted else None

    def category(self, code):
        return self.categories.get(code, {"code": code, "name": code, "reserve": None, "places": None, "others": True})

    def total(self):
        return sum(self.used.values(), Decimal(0))

    def locked(self, but):
        """Money that categories have not used and nobody else may have."""
        whole = Decimal(0)
        for code, c in self.categories.items():
            if code == but or c["others"]:
                continue
            if c["reserve"] is not None:
                whole += max(c["reserve"] - self.used.get(code, Decimal(0)), Decimal(0))
            elif c["places"] is not None and (c.get("cap") or self.cap) is not None:
                whole += max(Decimal(c.get("cap") or self.cap) * (c["places"] - self.count.get(code, 0)), Decimal(0))
        return whole

    def give(self, bid, amount, rule):
        for table, key, value in (
            (self.used, bid["category"], amount), (self.tracked, bid["track"], amount), (self.count, bid["category"], 1),
            (self.track_count, bid["track"], 1), (self.held, bid["organisation"], 1), (self.placed, bid.get("district", ""), amount),
        ):  # fmt: skip
            table[key] = table.get(key, type(value)(0)) + value
        self.done[bid["code"]] = (True, amount, rule)

    def refuse(self, bid, rule):
        self.done[bid["code"]] = (False, Decimal("0.00"), rule)


def give_out(bids):
    """Two passes in official order: each category from its own money, then everybody from what is left. Bids with a lot (the grey band)
    stand together where the first of them stood, in order of lot."""
    book = Book()
    first = min((b["place"] for b in bids if b.get("lot")), default=0)
    bids = sorted(bids, key=lambda b: (b["place"] is None, first if b.get("lot") else b["place"] or 0, b.get("lot") or 0))
    able = eligible(bids, book)
    reserved_pass(able, book)
    for bid, amount in able:
        if bid["code"] in book.done:
            continue
        rule, queue = limits(bid, book) or stopped(bid, book) or money(bid, amount, book) or ("", None)
        if not rule:
            book.give(bid, amount, "awarded")
            continue
        book.refuse(bid, rule)
        if book.allocation["when_full"] == "stop" and queue:
            book.stopped.add(queue)
    return book.done


def eligible(bids, book):
    """Bids that may be funded at all, with their amount; the others are refused here."""
    able = []
    for bid in bids:
        amount = amount_for(bid, book)
        if bid["place"] is None:
            book.refuse(bid, "unranked")
        elif bid["counted"] and Decimal(bid["score"]) < book.line:
            book.refuse(bid, "below_line")
        elif amount is None:
            book.refuse(bid, "no_band" if book.allocation["method"] == "grade_bands" else "no_amount")
        else:
            able.append((bid, amount))
    return able


def amount_for(bid, book):
    base, method = bid["ask"], book.allocation["method"]
    if method == "reduce":
        base = bid["recommended"]
    elif method == "grade_bands":
        bands = [b for b in book.allocation["bands"] if Decimal(bid["score"]) >= Decimal(b["at_least"])]
        base = max(bands, key=lambda b: Decimal(b["at_least"]))["amount"] if bands else None
    caps = [base, book.cap, book.category(bid["category"]).get("cap"), book.tracks.get(bid["track"], {}).get("cap"), bid["ask"]]
    return min(Decimal(c) for c in caps if c is not None) if base is not None and Decimal(base) else None


def reserved_pass(able, book):
    ended = set()
    for bid, amount in able:
        c = book.category(bid["category"])
        sets_aside = c["reserve"] is not None or c["places"] is not None
        fits = c["reserve"] is None or book.used.get(c["code"], Decimal(0)) + amount <= c["reserve"]
        open_place = c["places"] is None or book.count.get(c["code"], 0) < c["places"]
        if c["code"] in ended or not (sets_aside and fits and open_place):
            if book.allocation["when_full"] == "stop":
                ended.add(c["code"])
        elif limits(bid, book) is None and money(bid, amount, book) is None:
            book.give(bid, amount, "awarded_reserved")


def limits(bid, book):
    """Limits that have nothing to do with money left."""
    c, most, track = book.category(bid["category"]), book.allocation.get("awards_max"), book.tracks.get(bid["track"], {})
    if book.each is not None and book.held.get(bid["organisation"], 0) >= book.each:
        return "organisation", None
    if most is not None and sum(book.count.values()) >= most:
        return "awards_max", None
    full = not c["others"] and c["places"] is not None and book.count.get(c["code"], 0) >= c["places"]
    return ("places", None) if full or (track.get("places") is not None and book.track_count.get(bid["track"], 0) >= track["places"]) else None


def stopped(bid, book):
    queues = {"pool", "category:" + bid["category"], "track:" + bid["track"], "district:" + bid.get("district", "")}
    return ("stopped", None) if book.stopped & queues else None


def money(bid, amount, book):
    track = book.tracks.get(bid["track"], {}).get("amount")
    if track is not None and book.tracked.get(bid["track"], Decimal(0)) + amount > Decimal(track):
        return "ceiling", "track:" + bid["track"]
    district, most = bid.get("district", ""), book.allocation.get("district_cap")
    if most is not None and book.placed.get(district, Decimal(0)) + amount > Decimal(most):
        return "ceiling", "district:" + district
    if amount > book.pool - book.total() - book.locked(bid["category"]):
        return "pool", "pool"
    return sources(bid, amount, book)


def sources(bid, amount, book):
    """For every set of sources, what only they may pay must not exceed what they bring (Hall)."""
    for size in range(len(book.sources) + 1 if book.sources else 0):
        for some in combinations(range(len(book.sources)), size):
            others = [serves for at, (_amount, serves) in enumerate(book.sources) if at not in some]
            bound = {c for c in [*book.used, bid["category"]] if not any(serves is None or c in serves for serves in others)}
            if bid["category"] in bound:
                used = sum((book.used.get(c, Decimal(0)) for c in bound), Decimal(0))
                if used + amount > sum((book.sources[at][0] for at in some), Decimal(0)):
                    return "source", "category:" + bid["category"]
    return None


STEPS = (
    ("文件清单", step_files), ("评分封存", step_seals), ("台账", step_log), ("检查点签名", step_signature), ("规则", step_rules), ("评分表总分", step_totals),
    ("去高去低", step_trim), ("总分构成", step_mix), ("名次", step_rank), ("专家抽取", step_draw), ("专家分配", step_assignment),
    ("资金分配", step_money),
)  # fmt: skip


def main():
    failed = 0
    for at, (name, step) in enumerate(STEPS, start=1):
        try:
            line = f"OK   {at:2d} {name}：{step()}"
        except Fail as why:
            line, failed = f"FAIL {at:2d} {name}：{why}", failed + 1
        except Exception as wrong:  # noqa: BLE001 - whatever a tampered file makes of this, the step fails and the next is tried
            line, failed = f"FAIL {at:2d} {name}：读不出（{type(wrong).__name__}: {wrong}）", failed + 1
        sys.stdout.write(line + "\n")
    sys.stdout.write(f"{len(STEPS) - failed} 步成立，{failed} 步不成立。\n" if failed else f"全部 {len(STEPS)} 步成立。\n")
    return 1 if failed else 0


if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    sys.exit(main())
