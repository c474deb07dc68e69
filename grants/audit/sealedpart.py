"""密封投标 in a package: the key's public record, every header, the opening record; with personal data also the ciphertext and the shares.

Laid out as `bidding.sealing.folder` reads it, so that the officers can open everything again beside the auditor with `manage.py seal open`
or with the stock age command, and prove that what was reviewed is what was sealed.
"""

from __future__ import annotations

from collections.abc import Iterator

from bidding.models import SealedVersion, SealKey
from grants.audit.bag import safe
from grants.calls.models import Call
from grants.documents.files import keep
from grants.documents.models import StoredFile

Made = tuple[str, StoredFile]
JSON, AGE = "application/json", "application/age"


def sealed(call: Call, *, whole: bool) -> Iterator[Made]:
    """Nothing for a call without seals. whole: with ciphertext and shares, which hold personal data for those who can open them."""
    key = SealKey.objects.filter(call=call, state="opened").select_related("opening_record__pdf").first()
    if key is None:
        return
    yield "sealing/keys/call-key.json", keep([key.record.encode()], media_type=JSON)
    yield "sealing/opening.json", keep([key.opening_record.document.encode()], media_type=JSON)
    if key.opening_record.pdf is not None:
        yield "sealing/opening.pdf", key.opening_record.pdf
    for number, row in enumerate(key.programs.exclude(pdf=None).select_related("pdf"), start=1):
        assert row.pdf is not None
        yield f"sealing/notice-{number}.pdf", row.pdf
    if whole:
        yield from _shares(key)
    for version in SealedVersion.objects.filter(bid__call=call).select_related("bid").order_by("bid__number", "number").iterator(chunk_size=100):
        yield from _version(version, whole=whole)


def _shares(key: SealKey) -> Iterator[Made]:
    told = key.as_key()
    yield "sealing/keys/test.age", keep([told.test], media_type=AGE)
    for group, blob in told.shares.items():
        yield f"sealing/keys/shares/{safe('+'.join(group))}.age", keep([blob], media_type=AGE)


def _version(version: SealedVersion, *, whole: bool) -> Iterator[Made]:
    folder = f"sealing/bids/{safe(version.bid.number)}-v{version.number}"
    yield f"{folder}/header.json", keep([version.header.encode()], media_type=JSON)
    if whole:
        for row in version.files.select_related("file").order_by("name"):
            yield f"{folder}/{safe(row.name)}.age", row.file
