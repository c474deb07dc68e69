"""Sentences of modules that know no framework: marked here for the catalogue, translated where they are shown (`grants.web.speaking`)."""

from __future__ import annotations


def marked(text: str) -> str:
    """The text itself; imported as `_`, so that the sentence is collected for translation."""
    return text


def pgettext(context: str, text: str) -> str:
    """A word that means something else elsewhere, collected with its context."""
    return text
