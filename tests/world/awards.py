"""Awards at every stage, from a signed ranking to an effective contract, through the services a person clicks."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw
from pypdf import PdfReader, PdfWriter

from bidding.models import Bid
from bidding.services import record_finding
from bidding.services.screening import assess
from grants import clock
from grants.awards import services
from grants.awards.models import Award, Contract, Objection, PublicNotice
from grants.calls.models import Call
from grants.calls.rulebook.toml import from_data
from grants.documents.files import read_file, store
from grants.documents.models import StoredFile
from grants.people.models import User
from grants.workflow import effects
from grants.workflow.door import perform
from tests.world import bidding, calls, people, review
from tests.world.people import Body, Office
from tests.world.review import Judged

FACTS = "该项目与去年区妇联资助的项目内容重复，活动照片为同一批。"


def rules(code: str = "YX-2026-01", *, review_changes: dict[str, Any] | None = None, **changes: Any) -> Any:
    """The district call with a panel of five; top-level keys deep-merged with `changes` (plain data)."""
    plain = review.rules(code, **(review_changes or {})).plain()
    return from_data(_merged(plain, changes))


def _merged(plain: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = dict(plain)
    for key, value in changes.items():
        merged[key] = _merged(merged[key], value) if isinstance(value, dict) and isinstance(merged.get(key), dict) else value
    return merged


def ranked(value: Any = None, *, amounts: list[str], shares: list[str] | None = None, recommend: dict[int, str] | None = None, **more: Any) -> Judged:
    """Bids asking `amounts`, given `shares` (0…1) of all points, with a concluded panel. recommend: bid's place in the list → 元."""
    made = review.judged(value or rules(), amounts=amounts, n=len(amounts), **more)
    given = review.by_bid({b.pk: s for b, s in zip(made.bids, shares or _falling(len(amounts)), strict=True)})
    by = made.desk.officer
    panel = review.locked(review.started(made.call, by), by, given)
    with clock.at(review.after(made.call, 10)):
        for place, amount in (recommend or {}).items():
            review.services.recommend_amount(panel, made.bids[place], Decimal(amount), "预算偏高", by=by)
    review.concluded(panel, by)
    return made


def _falling(n: int) -> list[str]:
    return [str(Decimal("0.95") - Decimal("0.02") * i) for i in range(n)]


def at(call: Call, days: float = 12) -> datetime:
    """Some days after the call closed; the panel of these tests concludes on the eleventh."""
    return review.after(call, days)


def proposed(made: Judged) -> list[Award]:
    """Decisions and awards, in order of number."""
    with clock.at(at(made.call)):
        services.propose(made.call, by=made.desk.officer)
    return awards(made.call)


def awards(call: Call) -> list[Award]:
    return list(Award.objects.filter(call=call).select_related(*Award.door_select, "call__rules_version").order_by("number"))


def noticed(made: Judged) -> PublicNotice:
    """Approved and published; the sheet printed."""
    with clock.at(at(made.call, 13)):
        services.release(made.call, by=made.desk.approver)
        notice = services.publish_notice(made.call, by=made.desk.officer)
        effects.drain()
    return PublicNotice.objects.select_related("call__agency", "call__rules_version").get(pk=notice.pk)


def over(notice: PublicNotice, hours: float = 1) -> datetime:
    """Some hours after the notice and the time to object are over."""
    return notice.objections_end + timedelta(hours=hours)


def confirmed(made: Judged) -> list[Award]:
    """Through notice to 已立项."""
    notice = noticed(made)
    with clock.at(over(notice)):
        services.confirm_all(made.call, by=made.desk.approver)
        effects.drain()
    return awards(made.call)


def contract_day(award: Award) -> datetime:
    """The day after confirmation."""
    assert award.confirmed_at is not None
    return award.confirmed_at + timedelta(days=1)


def drafted(award: Award, by: User) -> Contract:
    """Composed and printed."""
    with clock.at(contract_day(award)):
        contract = services.draft_contract(award, by=by)
        effects.drain()
    return fresh(contract)


def fresh(contract: Contract) -> Contract:
    return Contract.objects.select_related(*Contract.door_select).get(pk=contract.pk)


def looked_up(bid: Bid, by: User) -> None:
    """The clerk repeats every look-up that has aged, with evidence."""
    for finding in assess(bid).values():
        if finding.outcome.value == "needs_clerk":
            record_finding(bid, finding.rule, "pass", by=by, evidence_note="信用中国查询截图", moment="contract")


def issued(award: Award, desk: Office) -> Contract:
    """Drafted, re-checked and sent to the grantee."""
    contract = drafted(award, desk.officer)
    with clock.at(contract_day(award)):
        looked_up(award.bid, desk.officer)
        services.issue(contract, by=desk.officer)
        effects.drain()
    return fresh(contract)


def head(contract: Contract) -> str:
    """What the footer prints of the digest, as much as must be copied."""
    return contract.text_hash[:8]


def picture(words: str = "scan") -> bytes:
    """A PNG as a scanner makes it; other words, other bytes."""
    image = Image.new("RGB", (300, 200), "white")
    ImageDraw.Draw(image).text((10, 10), words, fill="black")
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def scan(words: str = "scan") -> StoredFile:
    return store(picture(words), name="scan.png", allowed={"png"}, max_bytes=10**6)


def resaved(stored: StoredFile, mark: str = "1") -> StoredFile:
    """The same pages saved again: other bytes, same text layer."""
    writer = PdfWriter(clone_from=PdfReader(BytesIO(read_file(stored.sha256))))
    writer.add_metadata({"/Saved": mark})
    out = BytesIO()
    writer.write(out)
    return store(out.getvalue(), name="again.pdf", allowed={"pdf"}, max_bytes=10**7)


def signed(award: Award, desk: Office, signatory: User) -> Contract:
    """Issued and signed by the grantee's side."""
    return with_signature(issued(award, desk), signatory)


def with_signature(contract: Contract, signatory: User) -> Contract:
    """An issued contract, signed by the grantee's side."""
    with clock.at(contract_day(contract.award)):
        services.sign(contract, scan(f"yi {contract.number!r}"), number=contract.number, text_hash=head(contract), by=signatory)
    return fresh(contract)


def effective(award: Award, desk: Office, signatory: User) -> Contract:
    """Signed by both; the award has begun."""
    return with_both(signed(award, desk, signatory), desk)


def with_both(contract: Contract, desk: Office) -> Contract:
    """A contract signed by the grantee, countersigned; the award has begun."""
    good = {"number": contract.number, "text_hash": head(contract)}
    with clock.at(contract_day(contract.award)):
        services.countersign(contract, scan(f"jia {contract.number!r}"), by=desk.approver, **good)
        effects.drain()
    return fresh(contract)


def signatory_of(made: Judged, award: Award) -> User:
    """Who signs for the award's organisation."""
    return next(b.signatory for b in made.bodies if b.organisation.pk == award.bid.organisation_id)


def body_of(made: Judged, award: Award) -> Body:
    return next(b for b in made.bodies if b.organisation.pk == award.bid.organisation_id)


def objected(notice: PublicNotice, award: Award | None = None, **more: Any) -> Objection:
    """A named person's objection, filed on the second day of the notice by somebody without an account."""
    details = {"kind": "person", "name": "王某某", "contact": "望湖社区居委会转", "facts": FACTS, **more}
    with clock.at(notice.published_at + timedelta(days=1)):
        made = services.file_objection(notice, award=award, **details)
    return Objection.objects.select_related(*Objection.door_select).get(pk=made.pk)


def accepted(objection: Objection, desk: Office) -> Objection:
    with clock.at(objection.created_at + timedelta(hours=2)):
        return perform(objection, "accept", by=desk.officer)


def ranked_groups(n: int = 2) -> tuple[Judged, Body]:
    """The micro call (YX-2026-03) with `n` recorded groups under its hub, ranked; and the hub."""
    desk = people.office()
    call = calls.opened(desk)
    hub = people.body(desk, kind_of_body="association", name=call.rules.eligibility.sponsor.name)
    groups = [people.group(desk, hub) for _ in range(n)]
    with clock.at(bidding.opens(call)):
        bids = [bidding.submitted(call, who, amount=Decimal("4000.00")) for who in groups]
    call = calls.closed(call)
    with clock.at(at(call, 1)):
        bids = [bidding.admitted(Bid.objects.select_related(*Bid.door_select).get(pk=b.pk), desk) for b in bids]
    experts = {e.code: e for e in review.pool(desk, sector=5, finance=1)}
    effects.drain()
    review.ranking(call, desk.officer)
    return Judged(desk, call, bids, experts, groups), hub
