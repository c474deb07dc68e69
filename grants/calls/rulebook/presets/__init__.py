"""Five calls to start from, as files an officer can copy: 区级、街道、微创投、专业服务、联合资助."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from grants.calls.rulebook import toml
from grants.calls.rulebook.model import CallRules

NAMES: Final = ("district", "street", "micro", "professional", "joint")
"""In the order of their call numbers."""


def text(name: str) -> str:
    """The preset's TOML text; raises KeyError naming the known presets."""
    if name not in NAMES:
        raise KeyError(f"没有名为 {name} 的样例，可用：{'、'.join(NAMES)}")
    return files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")


def load(name: str) -> CallRules:
    """The preset as rules; raises KeyError for an unknown name."""
    return toml.loads(text(name), file=f"{name}.toml")
