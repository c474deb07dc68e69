"""What the slow tests of the whole demonstration share: it is loaded once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.world.demonstration import load_demo


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation's folder with the demonstration in it; whoever alters something takes a copy."""
    folder = tmp_path_factory.mktemp("demo")
    first = load_demo(folder)
    assert first.returncode == 0, first.stdout + first.stderr
    (folder / "said.txt").write_text(first.stdout, encoding="utf-8")
    return folder
