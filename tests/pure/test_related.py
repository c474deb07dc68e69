"""Related applicants: what is shared is found however it is typed, what is innocent can be told apart, nothing is shown in clear."""

from __future__ import annotations

from bidding.related import Party, related


def party(n: int, organisation: str = "", **values: str) -> Party:
    return Party(f"bid{n}", organisation or f"org{n}", f"单位{n}", {kind: [value] for kind, value in values.items()})


def test_the_planted_pair_is_found_although_it_was_typed_differently() -> None:
    found = related(
        [party(1, phone="0755-8800 1234"), party(2, phone="０７５５８８００１２３４"), party(3, phone="0755-88009999")]
    )
    assert [(h.kind, h.bids, h.names) for h in found] == [("phone", ("bid1", "bid2"), ("单位1", "单位2"))]
    assert "88001234" not in found[0].sentence


def test_two_bids_of_one_organisation_are_no_hint_and_unknown_values_are_not_equal() -> None:
    assert related([party(1, "same", account="6217000010001234567"), party(2, "same", account="6217000010001234567")]) == []
    assert related([party(1, account="", address=" "), party(2, account="", address="　")]) == []


def test_the_weightiest_comes_first_and_the_order_of_bids_does_not_matter() -> None:
    rows = [party(1, address="望湖路1号", account="123456789"), party(2, address="望湖路 1号", account="123456789")]
    found = related(rows)
    assert [h.kind for h in found] == ["account", "address"]
    assert related(rows[::-1]) == found


def test_a_dismissal_outlives_another_bid_of_the_same_two_but_not_a_third_that_joins() -> None:
    two = related([party(1, person="李某"), party(2, person="李某")])[0].fingerprint
    again = related([party(1, person="李某"), party(2, person="李某"), party(4, "org1", person="李某")])
    three = related([party(1, person="李某"), party(2, person="李某"), party(3, person="李某")])
    assert again[0].fingerprint == two
    assert three[0].fingerprint != two
