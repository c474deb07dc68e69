"""三方协议: a recorded group executes, its hub signs, is paid and is named on paper."""

from __future__ import annotations

from io import BytesIO

import pytest
from pypdf import PdfReader

from grants import clock
from grants.awards import services
from grants.documents.files import read_file
from grants.workflow.door import perform
from grants.workflow.refusals import NotYou
from tests.world import awards as world

pytestmark = pytest.mark.django_db


def test_the_sponsor_signs_and_is_paid_and_the_group_may_not() -> None:
    """The paper names three parties, the hub's account and both as signers; the group's signatory is refused, the hub's is let in."""
    made, hub = world.ranked_groups(1)
    world.proposed(made)
    (award,) = world.confirmed(made)
    assert award.payee == hub.organisation
    contract = world.issued(award, made.desk)
    good = {"scan": world.scan("hub"), "number": contract.number, "text_hash": world.head(contract)}
    with clock.at(world.contract_day(award)):
        with pytest.raises(NotYou) as told:
            perform(contract, "sign_grantee", by=made.bodies[0].signatory, **good)
        assert told.value.rule == "may_sign_for"
        services.sign(contract, by=hub.signatory, **good)  # type: ignore[arg-type]
    assert contract.file is not None
    text = "".join(p.extract_text() for p in PdfReader(BytesIO(read_file(contract.file.sha256))).pages).replace("\n", "")
    assert "丙方（执行团队）" in text
    assert hub.organisation.name in text
    assert made.bodies[0].organisation.record_no in text
    assert contract.data["account"]["holder"] == hub.organisation.name
