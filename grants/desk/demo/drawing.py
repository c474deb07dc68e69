"""Draws as they go on one day: by commitments, published at ten, committed an hour later, the beacon at two, drawn at four; or announced and drawn."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from grants import clock
from grants.calls.models import Call
from grants.people.models import User
from review import services
from review.models import Draw, Panel


def ceremony(call: Call, office: Any, watcher: User, bidder: User, *, panel: Panel | None = None) -> Draw:
    """Three parties: the office, the supervisor, a bidder. The bidder does not come to reveal; their sealed copy speaks. panel: its order of
    defence is drawn; none: the experts of the call."""
    end = clock.now()  # nothing of the day lies after the scene: what it promises must be due when the scene ends
    start = end - timedelta(hours=6)
    people = [("主办方经办", office.officer), ("监督", watcher), ("申报单位代表", bidder)]
    beacon = {"kind": "named", "source": "中国福利彩票双色球开奖号码", "round": _issue(start), "due": start + timedelta(hours=4)}
    with clock.at(start):
        draw = services.publish(call, parties=people, beacon=beacon, by=office.officer, panel=panel)
        draw = services.start_draw(draw, by=office.officer)
    secrets = {name: hashlib.sha256(f"{call.code}/{name}".encode()).hexdigest() for name, _user in people}
    with clock.at(start + timedelta(hours=1)):
        for name, user in people:
            draw = services.commit(draw, by=user, secret=secrets[name])
        draw = services.close_commitments(draw, by=watcher)
    draw = _revealed(draw, people[:2], secrets)
    silent = draw.parties.get(user=bidder)
    draw = services.substitute(draw, silent, by=watcher, reason="申报单位代表逾期未到场，电话两次未接。")
    draw = services.enter_beacon(draw, _numbers(call.code), evidence="演示用的虚构开奖公告", by=watcher)
    return services.draw_now(draw, by=office.officer)


def simple(call: Call, by: User, *, panel: Panel | None = None, about: str = "") -> Draw:
    """Announced two hours ago on a lottery that fell an hour ago, drawn now by the same officer."""
    end = clock.now()
    beacon = {"kind": "named", "source": "中国福利彩票双色球开奖号码", "round": _issue(end), "due": end - timedelta(hours=1)}
    with clock.at(end - timedelta(hours=2)):
        draw = services.announce(call, beacon=beacon, by=by, panel=panel, about=about)
    draw = services.enter_beacon(draw, _numbers(f"{call.code}{about}"), evidence="演示用的虚构开奖公告", by=by)
    return services.draw_now(draw, by=by)


def _revealed(draw: Draw, people: list[tuple[str, User]], secrets: dict[str, str]) -> Draw:
    for name, user in people:
        draw = services.reveal(draw, secrets[name], by=user)
    return draw


def _issue(start: Any) -> str:
    """The lottery's issue: three a week."""
    return f"{start:%Y}{(int(f'{start:%j}') * 3 // 7) + 1:03d}"


def _numbers(code: str) -> str:
    """Six red balls and a blue one, invented."""
    digest = hashlib.sha256(f"beacon/{code}".encode()).digest()
    red = sorted({byte % 33 + 1 for byte in digest})[:6]
    return " ".join(f"{ball:02d}" for ball in red) + f" + {digest[-1] % 16 + 1:02d}"
