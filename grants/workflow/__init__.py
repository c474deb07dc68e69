"""The vocabulary of state machines: machines, steps, rules, the one door and the outbox."""
