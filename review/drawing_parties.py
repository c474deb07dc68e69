"""What the steps of a draw write: commitments, reveals, the beacon. Called by the machine's steps only."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Any

from django.utils.translation import gettext as _

from grants import clock
from grants.ledger.models import AuditEvent
from grants.ledger.personal import found_in
from grants.workflow.machine import Facts
from grants.workflow.refusals import Invalid
from review import transcript
from review.escrow import sealed
from review.models import Draw, DrawParty


def commit(party: DrawParty, secret: str, sha256: str, envelope: str) -> Facts:
    """Take a party's commitment: the secret itself (its encrypted copy is kept), or its hash with a paper envelope. Raises Invalid."""
    secret, sha256, envelope = secret.strip().lower(), sha256.strip().lower(), envelope.strip()
    if secret:
        party.sha256, party.sealed = transcript.commitment(_hex(secret, "secret")), sealed(secret)
    else:
        party.sha256 = _hex(sha256, "sha256")
        if not envelope:
            raise _invalid("envelope", _("只提交哈希时，须写明纸质密封信封由谁保管，以备逾期时启用。"))
    if party.draw.parties.filter(sha256=party.sha256).exclude(pk=party.pk).exists():
        raise _invalid("secret" if secret else "sha256", _("这个承诺与另一方相同。每一方须用自己的随机数。"))
    party.envelope, party.committed_at = envelope, clock.now()
    party.save(update_fields=["sha256", "sealed", "envelope", "committed_at"])
    return Facts(public={"party": party.name, "sha256": party.sha256})


def reveal(party: DrawParty, value: str, *, by: str, actor: Any) -> Facts:
    """Take what a party committed to; by: party or escrow. Raises Invalid when it is something else, or is known already."""
    value = _hex(value.strip().lower(), "value")
    if party.revealed:
        raise _invalid("party", _("这一方已经公开。"))
    if transcript.commitment(value) != party.sha256:
        raise _invalid("value", _("这个数与“%(who)s”的承诺不符，没有收下。请核对后再填。") % {"who": party.name})
    party.revealed, party.revealed_by, party.revealed_at = value, by, clock.now()
    party.save(update_fields=["revealed", "revealed_by", "revealed_at"])
    return Facts(public={"party": party.name, "value": value, "by": by})


def enter_beacon(draw: Draw, value: str, evidence: str, *, actor: Any) -> Facts:
    """Write the beacon's value (NFKC, single spaces) with its evidence; a drand round is checked against its signature. Raises Invalid."""
    value, evidence = plain(value), evidence.strip()
    for name, text in (("value", value), ("evidence", evidence)):
        if not text:
            raise _invalid(name, _("请填写结果和依据。"))
        if any(True for _found in found_in({name: text}, name)):
            raise _invalid(name, _("这里的内容会公开并写入台账，看起来包含证件号、电话或账号，请改写。"))
    draw.beacon_value, draw.beacon_evidence, draw.beacon_entered_by = value, evidence, actor
    if draw.announced["beacon"]["kind"] == "drand":
        _signature_fits(draw)
    return Facts(public={"value": value, "evidence": evidence})


def _signature_fits(draw: Draw) -> None:
    broken = [c for c in transcript.checks(shell(draw), upto="beacon") if c.step == "beacon" and not c.ok]
    if broken:
        raise _invalid("value", broken[0].said)


def shell(draw: Draw) -> dict[str, Any]:
    """The transcript as far as it is known now, without an outcome."""
    parties = list(draw.parties.all())
    return {
        "format": transcript.FORMAT, "announced": draw.announced, "ledger_head": draw.ledger_head, "closed_at": draw.stamp(draw.closed_at),
        "commitments": [{"party": p.name, "sha256": p.sha256} for p in parties if p.sha256],
        "reveals": [{"party": p.name, "value": p.revealed, "by": p.revealed_by} for p in parties if p.revealed],
        "beacon": {"value": draw.beacon_value, "evidence": draw.beacon_evidence},
    }  # fmt: skip


def head_of(subject: str) -> str:
    """The leaf hash, hex, of the last ledger entry about a subject; empty when there is none."""
    last = AuditEvent.objects.filter(subject=subject).order_by("-id").first()
    return "" if last is None else hashlib.sha256(b"\0" + bytes(last.leaf)).hexdigest()


def plain(text: str) -> str:
    """A value as people type it, made one: half-width, single spaces, none around."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _hex(text: str, field: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise _invalid(field, _("应为 64 位十六进制数（32 个字节）。可以点“生成”，或运行 openssl rand -hex 32。"))
    return text


def _invalid(field: str, sentence: str) -> Invalid:
    return Invalid(sentence, rule=f"draw_{field}", problems={field: [sentence]})
