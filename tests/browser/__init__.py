"""Journeys in a real browser: only clicks and typing, by several people, under a clock that the test sets."""
