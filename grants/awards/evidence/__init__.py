"""证据包: everything needed to re-run one bid's result, with a program that does it (`verify.py`, standard library only)."""
