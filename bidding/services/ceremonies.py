"""The key of a sealed call: officers register, the key is made, every group rehearses in turns. The system never holds a whole secret (ADR 22)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from bidding.models import OfficerKey, SealKey, SealShare
from bidding.sealing import ceremony, handover
from bidding.sealing.ceremony import CallKey, Group
from bidding.sealing.keys import Officer
from bidding.sealing.refusals import SealRefused
from bidding.services.sealing import AGE, invalid
from grants import clock, ledger
from grants.calls.models import Call
from grants.ledger.canonical import encode
from grants.people.models import User
from grants.workflow.door import begin, perform
from grants.workflow.machine import Facts
from grants.workflow.refusals import Invalid, NotNow

MOST_BLOB = 20 * 1024
"""Bytes of a share: a key of 74 letters under at most five layers is well under 2 KB."""


@dataclass(frozen=True)
class Seat:
    """One officer of a ceremony: whose key, and the office that is printed in the call."""

    user: User
    name: str


@dataclass(frozen=True)
class Made:
    """What the dealer's machine hands over: nothing of it is secret. shares: group of offices → age file."""

    recipient: str
    shares: Mapping[Group, bytes]
    test: bytes
    test_hash: str


@transaction.atomic
def register(user: User, recipient: str, protected: bytes) -> OfficerKey:
    """登记开标钥匙: the public half, and the secret half under its passphrase (may be empty: then the officer keeps the file). Replaces an earlier one.

    Raises Invalid (no age recipient, not protected, or somebody's already).
    """
    try:
        Officer("x", recipient)
    except SealRefused as refusal:
        raise invalid(refusal) from refusal
    if protected and not protected.startswith(AGE):
        raise Invalid(
            _("钥匙文件没有用口令保护，系统不接收；请重新生成。"),
            rule="not_sealed",
            problems={"protected": [str(_("请重新生成。"))]},
        )
    now = clock.now()
    OfficerKey.objects.filter(user=user, retired_at=None).update(retired_at=now)
    try:
        with transaction.atomic():
            made = OfficerKey.objects.create(user=user, recipient=recipient, protected=text_of(protected), made_at=now)
    except IntegrityError as wrong:
        raise Invalid(_("这把钥匙已经登记过，请重新生成一把。"), rule="recipient") from wrong
    ledger.record(
        event="seal.register", actor=str(user.pseudonym), role="custodian", subject=f"user:{user.pseudonym}", verb="register",
        public={"recipient": recipient},
    )  # fmt: skip
    return made


def candidates() -> Any:
    """Keys in use with their holders, by name: whoever has registered one can be named as an officer. One outside the bureau is good practice."""
    return OfficerKey.objects.filter(retired_at=None, user__is_active=True).select_related("user").order_by("user__name", "pk")


def make(call: Call, seats: Sequence[Seat], threshold: int, made: Made, *, by: User) -> SealKey:
    """制作开标密钥 out of what the dealer's machine made. Raises NotYou, NotNow, Invalid; then nothing was written."""
    officers, keys = _officers(seats)
    try:
        groups = [tuple(o.name for o in group) for group in ceremony.groups(officers, threshold)]
        Officer("x", made.recipient)
    except SealRefused as refusal:
        raise invalid(refusal) from refusal
    if set(made.shares) != set(groups) or not all(blob.startswith(AGE) for blob in (made.test, *made.shares.values())):
        raise Invalid(_("密钥分份不完整，请重新制作。"), rule="shares")
    ordered = {group: made.shares[group] for group in groups}
    record = CallKey(call.code, threshold, tuple(officers), made.recipient, ordered, made.test, made.test_hash).record()
    with transaction.atomic():
        key = SealKey(
            call=call,
            threshold=threshold,
            recipient=made.recipient,
            record=encode(record).decode(),
            test=text_of(made.test),
            made_by=by,
        )
        key = begin(key, by=by, facts=Facts(public={"record": key.fingerprint}))
        for i, seat in enumerate(seats):
            key.officers.create(position=i, name=seat.name, user=seat.user, key=keys[i])
        for i, (group, blob) in enumerate(ordered.items()):
            key.shares.create(position=i, group=list(group), blob=text_of(blob))
    return key


def _officers(seats: Sequence[Seat]) -> tuple[list[Officer], list[OfficerKey]]:
    keys = [OfficerKey.objects.filter(user=seat.user, retired_at=None).first() for seat in seats]
    lacking = [seat.name for seat, key in zip(seats, keys, strict=True) if key is None]
    if lacking:
        sentence = _("%(who)s还没有登记开标钥匙；请本人登录后在“开标钥匙”页面生成。") % {"who": "、".join(lacking)}
        raise Invalid(sentence, rule="officer_key", problems={"officers": [sentence]})
    held = [key for key in keys if key is not None]
    return [Officer(seat.name, key.recipient) for seat, key in zip(seats, held, strict=True)], held


def make_here(call: Call, seats: Sequence[Seat], threshold: int = 2, *, by: User) -> SealKey:
    """The same with this process as the dealer: its memory holds the secret once. For a trusted machine and for `manage.py`; pages use the browser."""
    officers, _keys = _officers(seats)
    try:
        key = ceremony.make_call_key(call.code, officers, threshold)
    except SealRefused as refusal:
        raise invalid(refusal) from refusal
    return make(call, seats, threshold, Made(key.recipient, key.shares, key.test, key.test_hash), by=by)


def take_over(call: Call, content: bytes, *, by: User) -> SealKey:
    """接收离线制作的密钥: the file of `manage.py seal ceremony`. Its officers are found by their registered keys.

    Raises NotYou, NotNow, Invalid (damaged, another call's, an officer's key that nobody has registered); then nothing was written.
    """
    try:
        key = handover.taken(content)
    except SealRefused as refusal:
        raise invalid(refusal) from refusal
    if key.call != call.code:
        sentence = _("这份文件是为“%(code)s”制作的，不是本次征集（%(this)s）的密钥。") % {"code": key.call, "this": call.code}
        raise Invalid(sentence, rule="other_call", problems={"file": [sentence]})
    return make(call, _seats_of(key), key.threshold, Made(key.recipient, key.shares, key.test, key.test_hash), by=by)


def _seats_of(key: CallKey) -> list[Seat]:
    wanted = [officer.recipient for officer in key.officers]
    held = {row.recipient: row.user for row in OfficerKey.objects.filter(recipient__in=wanted, retired_at=None).select_related("user")}
    lacking = [officer.name for officer in key.officers if officer.recipient not in held]
    if lacking:
        sentence = _("%(who)s在离线制作时用的公钥没有在系统登记，或已经更换；请本人登录后在“开标钥匙”页面登记同一把公钥，再交这份文件。")
        raise Invalid(sentence % {"who": "、".join(lacking)}, rule="officer_key", problems={"file": [sentence % {"who": "、".join(lacking)}]})
    return [Seat(held[officer.recipient], officer.name) for officer in key.officers]


def replace(key: SealKey, *, by: User, note: str) -> SealKey:
    """更换密钥 before the call opens. Raises NotYou, NotNow."""
    return perform(key, "replace", by=by, note=note)


@transaction.atomic
def pass_on(share: SealShare, rest: bytes, *, by: User) -> SealShare:
    """The officer at turn has taken their layer off and hands the rest to the next. Raises NotYou, NotNow, Invalid.

    In a rehearsal this is no step of its own; at an opening each layer stands in the log.
    """
    held = at_turn(share, by)
    if held.is_last:
        raise NotNow(_("您是这一组的最后一位，请打开信封。"), rule="last_layer")
    if not rest.startswith(AGE) or len(rest) > MOST_BLOB:
        raise Invalid(_("交出的内容不是下一位的加密分份，没有保存；请重新解开一次。"), rule="not_sealed")
    if held.key.state == "ready":
        perform(held.key, "peel", by=by, share=held, layer=held.layer + 1)
    held.layer, held.waiting = held.layer + 1, text_of(rest)
    held.save(update_fields=["layer", "waiting"])
    return held


def at_turn(share: SealShare, by: User) -> SealShare:
    """The locked share, if it is this officer's turn and the keys were not declared lost. Raises NotNow."""
    held = (
        SealShare.objects.select_for_update(of=("self",))
        .select_related("key__call__agency", "key__call__rules_version")
        .get(pk=share.pk)
    )
    refuse_lost(held.key)
    if not held.key.officers.filter(user=by, name=held.at_turn).exists():
        raise NotNow(_("现在轮到“%(who)s”，请稍候再试或刷新页面。") % {"who": held.at_turn}, rule="turn")
    return held


def refuse_lost(key: SealKey) -> None:
    """A key that is found after the declaration opens nothing: bids may have been restored, and the record is public. Raises NotNow."""
    if key.is_lost:
        sentence = _("这次征集已经宣布密钥丢失，开标记录已公开，找回的钥匙不再用来开标；各投标单位凭投标留存包恢复。")
        raise NotNow(sentence, rule="declared_lost")


def start_again(share: SealShare, *, by: User) -> SealShare:
    """Begin a group's turns anew, e.g. when one left half-way. Raises NotYou."""
    held = SealShare.objects.select_related("key").get(pk=share.pk)
    if not held.key.officers.filter(user=by).exists():
        raise NotNow(_("只有本次征集的开标人可以办理。"), rule="custodian")
    held.layer, held.waiting = 0, ""
    held.save(update_fields=["layer", "waiting"])
    return held


@transaction.atomic
def rehearse(share: SealShare, content: bytes, *, by: User) -> SealKey:
    """The last of a group opened the test envelope and shows what was in it; with the last group the call may open.

    Raises NotYou, NotNow (not at turn, call already open), Invalid (something else was opened).
    """
    held = at_turn(share, by)
    key = perform(held.key, "rehearse", by=by, share=held, content=content)
    if key.shares.filter(rehearsed_at=None).exists():
        return key
    return perform(key, "get_ready", by=by)


def text_of(content: bytes) -> str:
    """Bytes as they are kept in a text column."""
    return base64.b64encode(content).decode()


def bytes_of(text: str, field: str) -> bytes:
    """What a page sent as base64. Raises Invalid."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise Invalid(
            _("传来的内容已损坏，请刷新页面再试。"), rule="format", problems={field: [str(_("请刷新页面再试。"))]}
        ) from wrong


def mine(user: User) -> Any:
    """Keys on which a person is an officer and has something to do: rehearse, open or sign."""
    rows = SealKey.objects.filter(officers__user=user).select_related("call__agency")
    unsigned = Q(state="opened", lost_declared_by=None) & ~Q(opening_record__signatures__user=user)
    return rows.filter(Q(state="made") | Q(state="ready", call__state="closed") | unsigned).order_by("call__closes_at")
