"""立项: selection, public notice, objection, reduction, contract."""
