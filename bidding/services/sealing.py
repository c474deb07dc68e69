"""Handing in what is sealed, and taking it out again. Nothing of a bid is stored in clear before its call is opened (ADR 22, 28)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.files import File
from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from bidding.models import Bid, SealedVersion, SealKey
from bidding.sealing import envelope
from bidding.sealing.envelope import KeptCopy, Place
from bidding.sealing.refusals import SealRefused
from bidding.sealing.sheet import written
from grants.documents.files import keep
from grants.documents.inspection import FileRefused
from grants.documents.models import StoredFile
from grants.ledger.canonical import NotCanonical, encode
from grants.people.models import User
from grants.workflow.door import perform
from grants.workflow.refusals import Invalid, NotNow

AGE = b"age-encryption.org/v1\n"
AGE_TYPE = "application/age"
MOST_HEADER, MOST_FILES = 64 * 1024, 60
MOST_BYTES = 200 * 1024 * 1024
"""Sealed bytes of one version: what a browser holds in memory without trouble."""
Content = bytes | File  # type: ignore[type-arg]


def key_of(call: Any) -> SealKey:
    """The key that bids of a call are sealed to. Raises NotNow."""
    key = SealKey.objects.filter(call=call, state__in=("ready", "opened")).first()
    if key is None:
        raise NotNow(_("本次征集的开标密钥还没有准备好，暂时不能投标；请联系主办方。"), rule="seal_is_ready")
    return key


def place_of(bid: Bid) -> Place:
    """Which version of which bid is sealed next. The second name is random ids: whose bid it is, not who they are."""
    last = bid.sealed_versions.order_by("-number").values_list("number", flat=True).first() or 0
    return _place(bid, last + 1)


def _place(bid: Bid, version: int) -> Place:
    return Place(bid.call.code, f"{bid.organisation_id}/{bid.pk}", version)


def refuse_another_bid(version: SealedVersion) -> None:
    """A header that names another bid than the one whose row it stands in: header and files were changed over together in the database.

    Raises SealRefused("other_bid").
    """
    for field, value in _place(version.bid, version.number).says().items():
        if version.told.get(field) != value:
            raise SealRefused("other_bid", envelope.MANIFEST, field=field)


def hand_in(
    bid: Bid,
    header: Mapping[str, Any],
    files: Mapping[str, Content],
    *,
    by: User,
    declarations: Sequence[str],
    mode: str = "client",
) -> Bid:
    """Hand a sealed bid in; before the deadline it may be handed in again and replaces the earlier version.

    header, files: as `sealing.envelope.Sealed`; the files may be uploads. Raises NotYou, NotNow (late, not verified…), Invalid
    (a file that is not age, not the header's, or another version). The receipt follows as an effect.
    """
    text = _canonical(header)
    _refuse_size(files)
    kept = {name: keep(_age(name, content), media_type=AGE_TYPE) for name, content in files.items()}
    _fits(header, kept)
    with transaction.atomic():
        held = Bid.objects.select_for_update(of=("self",)).select_related("call", "organisation").get(pk=bid.pk)
        _is_next(held, header)
        version = SealedVersion(
            number=header["version"], header=text, hash=envelope.hash_of(header), mode=mode, declarations=list(declarations)
        )
        return perform(held, "seal", by=by, version=version, files=kept)


def has_arrived(bid: Bid, header: Mapping[str, Any]) -> bool:
    """Whether this very header is the version that counts: handed in, and not withdrawn since."""
    last = bid.sealed_latest
    return last is not None and bid.state == "submitted" and last.header == _canonical(header)


def _canonical(header: Mapping[str, Any]) -> str:
    try:
        text = encode(header).decode()
    except NotCanonical as wrong:
        raise Invalid(_("投标头的格式无法识别，请重新封标。"), rule="header", problems={"header": [str(wrong)]}) from wrong
    if len(text) > MOST_HEADER:
        raise Invalid(_("投标头过大，请重新封标。"), rule="header")
    return text


def _refuse_size(files: Mapping[str, Content]) -> None:
    size = sum(len(content) if isinstance(content, bytes) else int(content.size) for content in files.values())
    if size > MOST_BYTES or len(files) > MOST_FILES:
        sentence = _("一份投标最多 %(n)d 个文件、共 %(mb)d MB，现在太大；请压缩附件后重新封标。")
        raise Invalid(sentence % {"n": MOST_FILES, "mb": MOST_BYTES // 2**20}, rule="too_large")


def _age(name: str, content: Content) -> Iterator[bytes]:
    """The pieces of a file, refused at its first line when it is not sealed: plain text must not be kept by mistake."""
    pieces = iter([content] if isinstance(content, bytes) else content.chunks())
    first = next(pieces, b"")
    if not first.startswith(AGE):
        raise Invalid(_("“%(name)s”没有加密，系统没有保存它；请重新封标。") % {"name": name}, rule="not_sealed")
    yield first
    yield from pieces


def _fits(header: Mapping[str, Any], kept: Mapping[str, StoredFile]) -> None:
    try:
        envelope.check_hashes(header, {name: file.sha256 for name, file in kept.items()})
    except SealRefused as refusal:
        raise invalid(refusal) from refusal


def _is_next(bid: Bid, header: Mapping[str, Any]) -> None:
    place = place_of(bid).says()
    if header.get("version") != place["version"]:
        sentence = _("刚刚已有另一次提交（第 %(n)d 版），请核对后重新封标。") % {"n": place["version"] - 1}
        raise NotNow(sentence, rule="next_version", verb="seal")
    if any(header.get(field) != value for field, value in place.items()):
        raise Invalid(_("投标头写的不是这份投标，请重新打开页面再封标。"), rule="other_bid")


def invalid(refusal: SealRefused) -> Invalid:
    """What the pure core refused, as the door says it, in the reader's language."""
    sentence = refusal.sentence if (get_language() or "zh").startswith("zh") else refusal.english
    return Invalid(sentence, rule=refusal.rule)


def seal_here(
    bid: Bid, fields: Sequence[Sequence[str]], attachments: Mapping[str, bytes], *, by: User, declarations: Sequence[str]
) -> tuple[Bid, KeptCopy]:
    """系统代为封标, the weaker mode: the text passes through this process's memory and is stored sealed only. Raises as `hand_in`.

    The kept copy is handed to the bidder at once and exists nowhere else.
    """
    content = payload(bid, fields, declarations)
    sealed, kept = envelope.sealed(place_of(bid), content, attachments, key_of(bid.call).recipient)
    return hand_in(bid, sealed.header, sealed.files, by=by, declarations=declarations, mode="server"), kept


def payload(bid: Bid, fields: Sequence[Sequence[str]], declarations: Sequence[str]) -> dict[str, Any]:
    """What a manifest says of a bid: every control of the form with its text, in the order of the page."""
    return written(bid.rules_version.hash, fields, declarations)


def restore(bid: Bid, copy: KeptCopy, *, by: User) -> Bid:
    """用留存包恢复 a bid that did not open: accepted only when it is byte for byte what was handed in.

    Raises NotYou, NotNow (it opened, or opening has not been tried), Invalid (another copy, a virus scanner that does not answer).
    """
    version = bid.sealed_latest
    if version is None:
        raise NotNow(_("这份投标没有密封提交过，不需要恢复。"), rule="did_not_open", verb="restore")
    try:
        refuse_another_bid(version)
        content = envelope.restored(version.told, copy)
    except SealRefused as refusal:
        raise invalid(refusal) from refusal
    with scanned():
        return perform(bid, "restore", by=by, version=version, content=content)


@contextmanager
def scanned() -> Iterator[None]:
    """Inside, a virus scanner that does not answer stops everything, with what to do; what was begun is rolled back by the caller's transaction."""
    try:
        yield
    except FileRefused as away:
        raise Invalid(_("病毒检查程序没有应答，附件收不下，所以什么也没有打开。请管理员恢复后再试一次。"), rule="unscanned") from away


def header_json(text: str) -> Mapping[str, Any]:
    """A header as it came over the wire. Raises Invalid."""
    try:
        value = json.loads(text)
    except ValueError as wrong:
        raise Invalid(_("投标头的格式无法识别，请重新封标。"), rule="header") from wrong
    if not isinstance(value, dict):
        raise Invalid(_("投标头的格式无法识别，请重新封标。"), rule="header")
    return value
