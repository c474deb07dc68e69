"""The offline verifier: `verify.py`, one standard-library file that is copied into every export and runs without this project."""
