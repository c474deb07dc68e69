"""抽样: an auditor's sample that anybody can draw again.

First the list is frozen: its hash, how many are drawn, and who will give the random number go into the log. Only then is the number said
(dice, a lottery's result); the seed is made of the frozen list, the event that froze it, and that number, so that neither the
auditor nor the agency could choose what comes out; `manage.py draw verify` and the public page repeat it. A second sample of the same
list needs a reason and carries its number. Both entries are the whole record: the drawing is computed again each time it is shown.
Generator and shuffle: `review/draw.py`; the file: `review/transcript.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from grants import ledger
from grants.calls.models import Call
from grants.desk.audit.tables import SAMPLED
from grants.ledger import canonical
from grants.ledger.log import Entry, entry_of
from grants.ledger.models import AuditEvent
from grants.ledger.personal import found_in
from grants.workflow.refusals import Invalid, NotNow
from review import transcript
from review.drawing import program

FROZEN, DRAWN = "sample.freeze", "sample.draw"
MOST = 10_000  # identifiers in one list: the entry that holds them must stay readable


@dataclass(frozen=True)
class Sample:
    """One sample: the frozen list, and, once the number was said, the drawing."""

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
    said: str = ""
    drawn: Sequence[str] = ()
    stands: bool = True

    @property
    def name(self) -> str:
        return str(SAMPLED[self.of][0])

    def document(self) -> dict[str, Any]:
        """The draw's transcript (docs/review-commands.md, section draw); before the number is said, without an outcome."""
        given = shell(self.announced, self.head, self.said)
        return transcript.run(given) if self.said else given


def announcement(subject: str, of: str, size: int, number: int, source: str, reason: str, population: Sequence[str]) -> dict[str, Any]:
    """What is fixed before the number is said: the whole list, how many, where the number will come from."""
    return {
        "kind": "sample", "subject": subject, "title": of, "number": number, "reason": reason, "method": transcript.METHOD, "program": program(),
        "mode": transcript.SIMPLE, "pool": [[item, ""] for item in sorted(population)], "barred": {},
        "rule": {"size": size, "minimum": {}, "maximum": {}, "alternates": 0}, "parties": [],
        "beacon": {"kind": "said", "source": source, "round": "", "due": ""},
    }  # fmt: skip


def shell(announced: Mapping[str, Any], head: str, said: str) -> dict[str, Any]:
    """A transcript without its outcome."""
    return {
        "format": transcript.FORMAT, "announced": dict(announced), "ledger_head": head, "closed_at": "", "commitments": [], "reveals": [],
        "beacon": {"value": said, "evidence": ""},
    }  # fmt: skip


def head_of(row: AuditEvent) -> str:
    """The leaf hash, hex, of the entry that froze the list."""
    return hashlib.sha256(b"\0" + bytes(row.leaf)).hexdigest()


def digest_of(population: Sequence[str]) -> str:
    """SHA-256, hex, of the canonical JSON of the sorted list."""
    return hashlib.sha256(canonical.encode(sorted(population))).hexdigest()


def freeze(call: Call, of: str, size: int, source: str, *, by: Any, reason: str = "") -> str:
    """Write down the list, the size and where the number will come from; returns the sample's id. Raises Invalid, NotNow."""
    population = sorted(SAMPLED[of][1](call))
    if not 1 <= size <= len(population):
        sentence = _("可抽取的共 %(n)d 项，请填写 1 到 %(n)d 之间的数。") % {"n": len(population)} if population else _("还没有可以抽取的记录。")
        raise Invalid(sentence, rule="sample_size", problems={"size": [sentence]})
    if len(population) > MOST:
        raise NotNow(_("一次最多从 %(n)d 项中抽取，请缩小范围。") % {"n": MOST}, rule="sample_population", verb="freeze")
    _public("source", source)
    earlier = [s for s in of_call(call) if s.of == of]
    if earlier and not reason.strip():
        sentence = _("这份名单已经抽过 %(n)d 次；再抽一次须说明理由。") % {"n": len(earlier)}
        raise Invalid(sentence, rule="second_sample", problems={"reason": [sentence]})
    public = {"of": of, "size": size, "count": len(population), "population": digest_of(population), "source": source.strip(), "number": len(earlier) + 1}
    announced = announcement(call.subject, of, size, len(earlier) + 1, source.strip(), reason.strip(), population)
    public["announced"] = transcript.announced_hash(announced)
    return _write(call, FROZEN, by, public, {"announced": announced, "population": population, "reason": reason.strip()})


def say(call: Call, sample: str, said: str, *, by: Any) -> Sample:
    """Say the number and draw, once. Raises NotNow when it was drawn already, Invalid for a number that cannot be public."""
    found = get(call, sample)
    if found.said:
        raise NotNow(_("这次抽样已经完成，随机数不能再改。如需重抽，请另行抽样并说明理由。"), rule="drawn_once", verb="draw")
    text = said.strip()
    if not text:
        sentence = _("请填写当场产生的随机数，例如“骰子 3 6 2 5”。")
        raise Invalid(sentence, rule="said_given", problems={"said": [sentence]})
    _public("said", text)
    outcome = transcript.run(shell(found.announced, found.head, text))
    _write(call, DRAWN, by, {"sample": sample, "said": text, "seed": outcome["seed"], "drawn": outcome["chosen"]}, None)
    return get(call, sample)


def _public(field: str, text: str) -> None:
    """What goes into the log in the clear may hold nobody's number."""
    for _path, _kind in found_in({field: text}, field):
        sentence = _("这里的内容会公开并写入台账，看起来包含证件号、电话或账号，请改写。")
        raise Invalid(sentence, rule="no_personal_data", problems={field: [sentence]})


def _write(call: Call, event: str, by: Any, public: Mapping[str, Any], private: Mapping[str, Any] | None) -> str:
    with transaction.atomic():
        Call.objects.select_for_update(of=("self",)).get(pk=call.pk)  # two auditors drawing at once come one after the other
        if event == DRAWN and any(e.public.get("sample") == public["sample"] for e in _entries(call, DRAWN)):
            raise NotNow(_("这次抽样已经完成，随机数不能再改。如需重抽，请另行抽样并说明理由。"), rule="drawn_once", verb="draw")
        row = ledger.record(
            event=event, actor=str(by.pseudonym), role="auditor", subject=call.subject, scope=f"call:{call.pk}",
            verb=event.partition(".")[2], source=call.state, target=call.state, public=public, private=private,
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
    population, public, announced, head = tuple(private.get("population", ())), frozen.public, private.get("announced", {}), head_of(row)
    said, drawn = (str(drawing.public["said"]), tuple(drawing.public["drawn"])) if drawing is not None else ("", ())
    again = tuple(transcript.run(shell(announced, head, said))["chosen"]) if said and announced else ()
    return Sample(
        id=frozen.uid, number=public["number"], of=public["of"], size=public["size"], population=population, digest=public["population"],
        source=public["source"], reason=str(private.get("reason", "")), frozen=frozen, announced=announced, head=head, said=said, drawn=drawn,
        stands=bool(announced) and transcript.announced_hash(announced) == public.get("announced") and digest_of(population) == public["population"]
        and again == drawn,
    )  # fmt: skip
