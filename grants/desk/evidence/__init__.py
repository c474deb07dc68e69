"""What anybody can check: receipts, the ledger's daily roots, its public keys. Public pages that only read."""
