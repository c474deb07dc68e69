"""抽样: an auditor's sample that anybody can draw again.

First the list is frozen: its hash, how many are drawn, and the public beacon that will decide — a lottery's issue, a round of drand — with its
hour, which must be still to come. Only once it has fallen is its value entered, with the evidence. The seed is made of the frozen list, the event
that froze it, and that value, so that neither the auditor nor the agency could choose what comes out, nor try before saying; `manage.py draw
verify` and the public page repeat it. A second sample of the same list needs a reason and carries its number. Both entries are the whole record:
the drawing is computed again each time it is shown. Lists frozen before beacons were asked for wait for a number said in the room: it is typed by
somebody other than who froze them. Generator and shuffle: `review/draw.py`; the file: `review/transcript.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from grants import clock, ledger
from grants.calls.models import Call
from grants.desk.audit.tables import SAMPLED
from grants.ledger import canonical
from grants.ledger.log import Entry, entry_of
from grants.ledger.models import AuditEvent
from grants.workflow.refusals import Invalid, NotNow, NotYou
from review import transcript
from review.beacons import invalid, public, settled
from review.drawing import program
from review.drawing_parties import plain
from review.models import Draw
from review.transcript import PUBLIC_BEACONS

FROZEN, DRAWN = "sample.freeze", "sample.draw"
MOST = 10_000  # identifiers in one list: the entry that holds them must stay readable


@dataclass(frozen=True)
class Sample:
    """One sample: the frozen list, and, once the beacon has fallen, the drawing. said, evidence: the beacon's value and where it stands.

    due: when the beacon falls; None for a list that waits for a number said in the room.
    """

    id: str
    number: int
    of: str
    size: int
    population: Sequence[str]
    digest: str
    source: str
    reason: str
    frozen: Entry
    announced: Mapping[str, Any]
    head: str
    due: datetime | None = None
    said: str = ""
    evidence: str = ""
    drawn: Sequence[str] = ()
    stands: bool = True

    @property
    def name(self) -> str:
        return str(SAMPLED[self.of][0])

    @property
    def ready(self) -> bool:
        """Whether its number can be entered now."""
        return not self.said and (self.due is None or clock.now() >= self.due)

    def document(self) -> dict[str, Any]:
        """The draw's transcript (docs/review-commands.md, section draw); before the beacon's value is entered, without an outcome."""
        given = self.shell(self.said, self.evidence)
        return transcript.run(given) if self.said else given

    def shell(self, said: str, evidence: str) -> dict[str, Any]:
        """A transcript without its outcome."""
        closed = Draw.stamp(self.frozen.at) if self.due is not None else ""
        return {
            "format": transcript.FORMAT, "announced": dict(self.announced), "ledger_head": self.head, "closed_at": closed, "commitments": [],
            "reveals": [], "beacon": {"value": said, "evidence": evidence},
        }  # fmt: skip


def announcement(
    subject: str, of: str, size: int, number: int, beacon: Mapping[str, str], reason: str, population: Sequence[str]
) -> dict[str, Any]:  # fmt: skip
    """What is fixed before the beacon falls: the whole list, how many, which beacon."""
    return {
        "kind": "sample", "subject": subject, "title": of, "number": number, "reason": reason, "method": transcript.METHOD, "program": program(),
        "mode": transcript.SIMPLE, "pool": [[item, ""] for item in sorted(population)], "barred": {},
        "rule": {"size": size, "minimum": {}, "maximum": {}, "alternates": 0}, "parties": [], "beacon": dict(beacon),
    }  # fmt: skip


def head_of(row: AuditEvent) -> str:
    """The leaf hash, hex, of the entry that froze the list."""
    return hashlib.sha256(b"\0" + bytes(row.leaf)).hexdigest()


def digest_of(population: Sequence[str]) -> str:
    """SHA-256, hex, of the canonical JSON of the sorted list."""
    return hashlib.sha256(canonical.encode(sorted(population))).hexdigest()


def freeze(call: Call, of: str, size: int, beacon: Mapping[str, Any], *, by: Any, reason: str = "") -> str:
    """Write down the list, the size and the public beacon (`review.beacons.settled`); returns the sample's id. Raises Invalid, NotNow."""
    if beacon["kind"] not in PUBLIC_BEACONS:
        raise invalid("beacon_kind", _("审计抽样须事先指定一个人人查得到的公共随机源。"))
    _due, told = settled(beacon)
    with _held(call):
        population = _population(call, of, size)
        earlier = sum(s.of == of for s in of_call(call))
        if earlier and not reason.strip():
            sentence = _("这份名单已经抽过 %(n)d 次；再抽一次须说明理由。") % {"n": earlier}
            raise Invalid(sentence, rule="second_sample", problems={"reason": [sentence]})
        announced = announcement(call.subject, of, size, earlier + 1, told, public("reason", reason.strip()), population)
        facts = {
            "of": of, "size": size, "count": len(population), "population": digest_of(population), "source": f"{told['source']} {told['round']}",
            "due": told["due"], "number": earlier + 1, "announced": transcript.announced_hash(announced),
        }  # fmt: skip
        return _write(call, FROZEN, by, facts, {"announced": announced, "population": population, "reason": reason.strip()})


@contextmanager
def _held(call: Call) -> Iterator[None]:
    """A transaction that holds the call's row: two auditors at once come one after the other."""
    with transaction.atomic():
        Call.objects.select_for_update(of=("self",)).get(pk=call.pk)
        yield


def _population(call: Call, of: str, size: int) -> list[str]:
    population = sorted(SAMPLED[of][1](call))
    if not 1 <= size <= len(population):
        sentence = _("可抽取的共 %(n)d 项，请填写 1 到 %(n)d 之间的数。") % {"n": len(population)} if population else _("还没有可以抽取的记录。")
        raise Invalid(sentence, rule="sample_size", problems={"size": [sentence]})
    if len(population) > MOST:
        raise NotNow(_("一次最多从 %(n)d 项中抽取，请缩小范围。") % {"n": MOST}, rule="sample_population", verb="freeze")
    return population


def say(call: Call, sample: str, said: str, *, by: Any, evidence: str = "") -> Sample:
    """Enter the beacon's value with its evidence and draw, once. Raises NotNow (drawn already, the beacon has not fallen), NotYou (a number said in
    the room, by who froze the list), Invalid (nothing entered, somebody's number, not the signature's hash)."""
    with _held(call):
        found = get(call, sample)
        _refuse(found, by)
        text, ground = _given("said", plain(said)), _given("evidence", evidence.strip()) if found.due is not None else evidence.strip()
        try:
            outcome = transcript.run(found.shell(text, ground))
        except transcript.Broken as broken:
            raise invalid("said", broken.said) from broken
        facts = {"sample": sample, "said": text, "evidence": ground, "seed": outcome["seed"], "drawn": outcome["chosen"]}
        _write(call, DRAWN, by, facts, None)
        return get(call, sample)


def _refuse(found: Sample, by: Any) -> None:
    if found.said:
        raise NotNow(_("这次抽样已经完成，随机数不能再改。如需重抽，请另行抽样并说明理由。"), rule="drawn_once", verb="draw")
    if found.due is not None and clock.now() < found.due:
        when = found.due.astimezone(clock.TZ).strftime("%Y-%m-%d %H:%M")
        raise NotNow(_("公共随机源要到 %(due)s 才产生。") % {"due": when}, rule="beacon_has_fallen", verb="draw")
    if found.due is None and found.frozen.actor == str(by.pseudonym):
        raise NotYou(_("名单由您锁定，现场产生的随机数须由另一位审计人员填写；也可以另行抽样，指定公共随机源。"), rule="second_auditor", verb="draw")


def _given(field: str, text: str) -> str:
    if not text:
        raise invalid(field, _("请填写结果和依据。"))
    return public(field, text)


def _write(call: Call, event: str, by: Any, facts: Mapping[str, Any], private: Mapping[str, Any] | None) -> str:
    row = ledger.record(
        event=event, actor=str(by.pseudonym), role="auditor", subject=call.subject, scope=f"call:{call.pk}", verb=event.partition(".")[2],
        source=call.state, target=call.state, public=facts, private=private,
    )  # fmt: skip
    return str(row.uid)


def _rows(call: Call, event: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(scope=f"call:{call.pk}", event=event).select_related("payload").order_by("id"))


def _entries(call: Call, event: str) -> list[Entry]:
    return [entry_of(row) for row in _rows(call, event)]


def of_call(call: Call) -> list[Sample]:
    """Every sample of a call, oldest first; each drawing checked against its own list and number. Two queries."""
    drawings = {e.public["sample"]: e for e in _entries(call, DRAWN)}
    return [_sample(row, drawings.get(str(row.uid))) for row in _rows(call, FROZEN)]


def get(call: Call, sample: str) -> Sample:
    """One sample of a call. Raises LookupError."""
    for found in of_call(call):
        if found.id == sample:
            return found
    raise LookupError(sample)


def _sample(row: AuditEvent, drawing: Entry | None) -> Sample:
    frozen = entry_of(row)
    private = frozen.private or {}
    found = Sample(
        id=frozen.uid, number=frozen.public["number"], of=frozen.public["of"], size=frozen.public["size"],
        population=tuple(private.get("population", ())), digest=frozen.public["population"], source=frozen.public["source"],
        reason=str(private.get("reason", "")), frozen=frozen, announced=private.get("announced", {}), head=head_of(row),
        due=datetime.fromisoformat(told) if (told := frozen.public.get("due")) else None,
    )  # fmt: skip
    if drawing is not None:
        fell = drawing.public
        found = replace(found, said=str(fell["said"]), evidence=str(fell.get("evidence", "")), drawn=tuple(fell["drawn"]))
    return replace(found, stands=_stands(found))


def _stands(found: Sample) -> bool:
    """Whether list and drawing are what the log has the hashes of, and come out again."""
    if not found.announced or transcript.announced_hash(found.announced) != found.frozen.public.get("announced"):
        return False
    again = tuple(found.document()["chosen"]) if found.said else ()
    return digest_of(found.population) == found.digest and again == tuple(found.drawn)
