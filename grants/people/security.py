"""The security log: who signed in, failed, was locked out, was appointed, downloaded. Written by whatever happens, read by the 审计管理员.

Nothing personal is written in the clear: persons by pseudonym, addresses shortened and as a keyed hash, unknown user names
not at all (people type their password into that field).
"""

from __future__ import annotations

import ipaddress
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from grants.people.site_models import SecurityEvent
from grants.web.limits import address_of
from grants.workflow.effects import real_now

Kind = SecurityEvent.Kind


def note(kind: str, *, person: Any = None, by: Any = None, request: HttpRequest | None = None, detail: str = "") -> SecurityEvent:
    """One more line. person: whose account; by: who did it, when it was somebody else. detail: codes only, never a name or number.

    The moment is the machine's own, not the clock of a rehearsal.
    """
    address = address_of(request) if request is not None else ""
    return SecurityEvent.objects.create(
        at=real_now(),
        kind=kind,
        person=_pseudonym(person),
        actor=_pseudonym(by),
        network=network_of(address),
        mark=mark_of(address),
        detail=detail[:200],
    )


def _pseudonym(person: Any) -> UUID | None:
    found = getattr(person, "pseudonym", None)
    return found if isinstance(found, UUID) else None


def network_of(address: str) -> str:
    """203.0.113.7 → 203.0.113.x; an IPv6 address → its /48. Empty for none."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if parsed.version == 4:
        return address.rpartition(".")[0] + ".x"
    return str(ipaddress.ip_network(f"{parsed}/48", strict=False))


def mark_of(address: str) -> str:
    """Ten characters that tell two addresses apart without telling either."""
    return salted_hmac("grants.people.security", address).hexdigest()[:10] if address else ""
