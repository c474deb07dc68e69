"""抽取: publish, commit, reveal, draw; or announce, then draw. Steps of the draw's machine, taken through the door."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from grants import clock
from grants.calls.models import Call
from grants.people.models import AgencyPermission, User
from grants.workflow.door import begin, perform, require
from grants.workflow.machine import Facts
from grants.workflow.refusals import Invalid, NotNow
from review.beacons import invalid, public, settled
from review.drawing import Terms, order_announcement, panel_announcement, tie_announcement
from review.drawing_parties import head_of
from review.findings import look_over
from review.models import ConflictHit, Draw, DrawParty, Panel
from review.rules import organiser
from review.transcript import COMMITTED, FEWEST_PARTIES, PUBLIC_BEACONS, SIMPLE, announced_hash

Party = tuple[str, User]
"""A party's public name, e.g. 监督员, and who throws the number."""


def publish(
    call: Call, *, parties: Sequence[Party], beacon: dict[str, Any], by: User, panel: Panel | None = None, reason: str = "",
    challenge_until: datetime | None = None, about: str = "",
) -> Draw:  # fmt: skip
    """Publish pool, rule, parties and beacon of a draw by commitments, hashed, before any chance falls.

    beacon: {"kind": "named", "source", "round", "due": datetime} or {"kind": "drand", "round": int}. panel: its order of defence is drawn,
    or with about “tie” the places of its equals; none: the experts of the call. reason: why a further draw, where the matter was drawn before, whatever
    became of it. Raises NotYou, NotNow, Invalid.
    """
    if panel is None:
        look_over(call, by=by)
    with transaction.atomic():
        held, draw = _new(call, panel, by, about, reason)
        _refuse_parties(held, parties)
        if beacon["kind"] not in PUBLIC_BEACONS:
            raise invalid("beacon_kind", _("多方抽取须事先指定一个人人查得到的公共随机源。"))
        due, told = settled(beacon)
        draw.mode, draw.challenge_until, draw.beacon_due = COMMITTED, challenge_until, due
        _announce(draw, Terms(COMMITTED, tuple(name.strip() for name, _user in parties), told, draw.number, draw.reason))
        begin(draw, by=by, facts=_facts(draw))
        _note_findings(draw)
        DrawParty.objects.bulk_create(
            DrawParty(draw=draw, position=at, name=name.strip(), user=user) for at, (name, user) in enumerate(parties, start=1)
        )
    return draw


def announce(
    call: Call, *, beacon: dict[str, Any], by: User, panel: Panel | None = None, about: str = "", reason: str = ""
) -> Draw:  # fmt: skip
    """Publish pool, rule and beacon of a simple draw, hashed. It is drawn by a second action, once the beacon has fallen: `enter_beacon`, `draw_now`.

    beacon: as in `publish`, or {"kind": "said", "source", "due": datetime} for what will be thrown in the room at that hour; panel, about, reason:
    as in `publish`. The ledger head goes into the seed as it is now, so that nothing written later can steer it.
    Raises NotYou, NotNow (the rules of the call want commitments, a draw is running, nothing to draw, no reason for a further one), Invalid.
    """
    if panel is None:
        look_over(call, by=by)
    with transaction.atomic():
        held, draw = _new(call, panel, by, about, reason)
        if str(held.rules.review.panel.draw) == COMMITTED:
            sentence = _("本次征集的规则规定多方承诺抽取，请先公布名单、承诺方和公共随机源。")
            raise NotNow(sentence, rule="draw_by_parties", verb="announce")
        draw.beacon_due, told = settled(beacon)
        draw.mode, draw.closed_at = SIMPLE, clock.now().replace(microsecond=0)
        draw.ledger_head = head_of(panel.subject if panel is not None else held.subject)
        _announce(draw, Terms(SIMPLE, (), told, draw.number, draw.reason))
        begin(draw, by=by, facts=_facts(draw))
        return _note_findings(draw)


def _new(call: Call, panel: Panel | None, by: User, about: str, reason: str) -> tuple[Call, Draw]:
    """The call's row is held, and the panel's: two draws published at once come one after the other, and what is drawn over is read now.
    Every earlier draw of the same matter counts."""
    held = Call.objects.select_for_update(of=("self",)).select_related("agency", "rules_version").get(pk=call.pk)
    panel = panel and Panel.objects.select_for_update(of=("self",)).select_related(*Panel.door_select).get(pk=panel.pk)
    draw = Draw(call=held, panel=panel, about=about or (Draw.About.PANEL if panel is None else Draw.About.ORDER), published_by=by)
    require(organiser, draw, by=by)
    draw.number, draw.reason = draw.of_the_same_matter().count() + 1, public("reason", reason.strip())
    return held, draw


def _announce(draw: Draw, terms: Terms) -> None:
    if draw.panel is None:
        draw.announced = panel_announcement(draw.call, terms)
    elif draw.about == Draw.About.TIE:
        draw.announced = tie_announcement(draw.panel, draw.codes_now(), terms)
    else:
        codes = draw.codes_now()
        if not codes:
            raise Invalid(_("评审组还没有申报，不能抽取答辩顺序。"), rule="meeting_bids")
        draw.announced = order_announcement(draw.panel, codes, terms)
    draw.announced_sha256 = announced_hash(draw.announced)


def _note_findings(draw: Draw) -> Draw:
    """Findings that no draw knows yet are those with which this pool was announced."""
    if draw.about == Draw.About.PANEL:
        pool = [code for code, _seat in draw.announced["pool"]]
        ConflictHit.objects.filter(bid__call=draw.call_id, expert__code__in=pool, draw=None, panel=None).update(draw=draw)
    return draw


def _facts(draw: Draw) -> Facts:
    """The announcement, its hash, and of a simple draw what the seed takes from the log."""
    head = {"ledger_head": draw.ledger_head, "closed_at": draw.stamp(draw.closed_at)} if draw.closed_at is not None else {}
    return Facts(public={"announced": draw.announced, "announced_sha256": draw.announced_sha256, **head})


def _refuse_parties(call: Call, parties: Sequence[Party]) -> None:
    names, users = [name.strip() for name, _user in parties], [user.pk for _name, user in parties]
    if len(parties) < FEWEST_PARTIES or len(set(users)) != len(users) or len(set(names)) != len(names) or not all(names):
        raise invalid("parties", _("承诺方至少三个，姓名和人员各不相同。"))
    inside = set(AgencyPermission.objects.filter(content_object_id=call.agency_id, user_id__in=users).values_list("user_id", flat=True))
    if not set(users) - inside:
        raise invalid("parties", _("承诺方不能都是主办方的人，请加入监督、申报方代表或公证员。"))


def start_draw(draw: Draw, *, by: User) -> Draw:
    """Ask the parties to commit; the pool no longer moves."""
    return perform(draw, "start", by=by)


def commit(draw: Draw, *, by: User, secret: str = "", sha256: str = "", envelope: str = "") -> Draw:
    """Commit to 32 random bytes: the bytes themselves (an encrypted copy is kept), or their hash with a paper envelope somewhere."""
    return perform(draw, "commit", by=by, secret=secret, sha256=sha256, envelope=envelope)


def close_commitments(draw: Draw, *, by: User) -> Draw:
    """Close the commitments, before the beacon falls; the ledger head goes into the seed."""
    return perform(draw, "close", by=by)


def reveal(draw: Draw, value: str, *, by: User) -> Draw:
    """Reveal what was committed to."""
    return perform(draw, "reveal", by=by, value=value)


def substitute(draw: Draw, party: DrawParty, *, by: User, reason: str, value: str = "") -> Draw:
    """Open the sealed copy of a party who stayed silent. value: from the paper envelope, where there is no copy in the system."""
    return perform(draw, "substitute", by=by, note=reason, party=party, value=value)


def enter_beacon(draw: Draw, value: str, *, evidence: str, by: User) -> Draw:
    """Write the beacon's value with its evidence, once it has fallen."""
    return perform(draw, "enter_beacon", by=by, value=value, evidence=evidence)


def draw_now(draw: Draw, *, by: User, name: str = "") -> Draw:
    """Draw. The panel, the meeting or the places of equals come into being in the same transaction."""
    return perform(draw, "draw", by=by, name=name)


def fail_draw(draw: Draw, reason: str, *, by: User) -> Draw:
    """Stop a draw that cannot be finished; it stays visible."""
    return perform(draw, "fail", by=by, note=reason, reason=reason)
