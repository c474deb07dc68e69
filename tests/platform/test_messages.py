"""Sentences in two languages: the same refusal reads in Chinese as written and in English from the catalogue, with its names filled in."""

from __future__ import annotations

import gettext
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from grants.workflow.door import perform
from grants.workflow.refusals import NotNow, NotYou, Refusal
from tests.world import people

CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|\{\w*\}")


@pytest.fixture
def english(settings: Any, tmp_path: Path) -> Path:
    """The catalogue as it stands, compiled aside: the .mo beside it may be older, and the translations already loaded are let go."""
    target = tmp_path / "en" / "LC_MESSAGES" / "django.mo"
    target.parent.mkdir(parents=True)
    source = Path(settings.LOCALE_PATHS[0]) / "en" / "LC_MESSAGES" / "django.po"
    subprocess.run(["msgfmt", "--check-format", "-o", target, source], check=True)
    settings.LOCALE_PATHS = [tmp_path]  # Django forgets what it loaded whenever this setting changes
    return target


@pytest.fixture
def sent() -> people.Body:
    """A verified organisation of the fictional district: submitting it once more comes too late."""
    return people.body(people.office())


def refusal(language: str, expected: type[Refusal], *args: Any, **kwargs: Any) -> str:
    """What the person reads when `perform` refuses them in that language."""
    with translation.override(language):
        with pytest.raises(expected) as caught:
            perform(*args, **kwargs)
        return str(caught.value)


@pytest.mark.django_db
def test_a_wrong_role_is_refused_in_the_readers_language(english: Path, sent: people.Body) -> None:
    """NotYou names the role that may, in Chinese and in English."""
    stranger = people.person()
    act: tuple[Any, ...] = (NotYou, sent.organisation, "reopen")
    assert refusal("zh-hans", *act, by=stranger) == (
        "这一步由申报单位签署人办理；您没有这个角色。如需办理，请联系本单位管理员任命。"
    )
    said = refusal("en", *act, by=stranger)
    assert "Applicant’s signatory" in said and "You do not have that role" in said
    assert not CHINESE.search(said) and "%(" not in said


@pytest.mark.django_db
def test_a_step_that_came_too_late_is_refused_in_the_readers_language(english: Path, sent: people.Body) -> None:
    """NotNow names the state, the step and the states in which it is possible; all three are translated with the sentence."""
    act: tuple[Any, ...] = (NotNow, sent.organisation, "submit")
    chinese = refusal("zh-hans", *act, by=sent.signatory)
    assert "现在是「已核验」，不能「提交核验」；只有「草稿、已退回」时可以" in chinese
    said = refusal("en", *act, by=sent.signatory)
    for part in ("now ‘Verified’", "‘Send for verification’ is not possible", "Draft", "Returned"):
        assert part in said
    assert "%(" not in said


def test_no_english_sentence_loses_or_invents_a_placeholder(english: Path) -> None:
    """A lost name would be a gap in a refusal, an invented one a KeyError in front of the person."""
    pairs = catalogue(english)
    assert len(pairs) > 1000
    assert [chinese for chinese, said in pairs.items() if names(chinese) != names(said)] == []


def test_what_people_read_is_written_in_chinese_at_the_source(english: Path) -> None:
    """A sentence of several words without Chinese in it would reach the Chinese reader in English: nothing translates into Chinese."""
    assert [text for text in catalogue(english) if len(text.split()) > 1 and not CHINESE.search(text)] == []


def catalogue(compiled: Path) -> dict[str, str]:
    """Every sentence of ours with its English, plural forms apart."""
    with compiled.open("rb") as file:
        pairs = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]  # no public way to list a catalogue
    return {text if isinstance(text, str) else text[0]: said for text, said in pairs.items() if text}


def names(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))
