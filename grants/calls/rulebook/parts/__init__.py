"""The parts a call's rules are made of: one module for each heading of `call.toml`."""
