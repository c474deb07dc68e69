"""拨付: sources, tranches, payment orders, expenses, surplus."""
