"""The browser's sealing program: the vendored file is the pinned one, its licences lie beside it, nothing in it asks for what the policy forbids."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path, PurePosixPath

from bidding import sealing_bundle as bundle

ASSETS = Path(bundle.__file__).parent / "assets"


def test_the_vendored_bundle_is_the_pinned_one() -> None:
    content = bundle.content_of(bundle.BUNDLE)
    assert hashlib.sha256(content).hexdigest() == bundle.SHA256
    assert bundle.sri(content) == bundle.SRI
    assert bundle.sri(content + b"\n") != bundle.SRI


def test_versions_are_exact_and_every_licence_lies_beside_the_bundle() -> None:
    wanted = json.loads((ASSETS / "package.json").read_text())
    told = (bundle.FOLDERS["bidding"] / "bidding" / "LICENSE-age.txt").read_text()
    for name, version in {**wanted["dependencies"], **wanted["devDependencies"]}.items():
        assert version.replace(".", "").isdigit(), name
    assert all(f"{name} {version}\n" in told for name, version in wanted["dependencies"].items())


def test_the_program_needs_no_evaluation_no_wasm_and_no_other_site() -> None:
    """Its own scripts import only one another; nothing is rewritten when static files are gathered."""
    for name in bundle.PROGRAM:
        text = bundle.content_of(name).decode()
        assert not any(word in text for word in ("eval(", "new Function", "WebAssembly", "sourceMappingURL", "importScripts")), name
        assert {str(PurePosixPath(name).parent.joinpath(part)) for part in imported(text)} <= AS_WRITTEN, name


AS_WRITTEN = {*bundle.PROGRAM, *(f"bidding/../{name}" for name in bundle.PROGRAM)}
"""Every script of the program as another one of it may name it."""


def imported(text: str) -> list[str]:
    return [line.split('"')[-2] for line in text.splitlines() if line.startswith(('import "', "import {", "export {")) and '"' in line]


def test_the_fingerprint_is_what_cat_and_sha256sum_say() -> None:
    whole = b"".join(bundle.content_of(name) for name in bundle.PROGRAM)
    assert bundle.fingerprint() == hashlib.sha256(whole).hexdigest()
    assert {bundle.integrity(name)[:7] for name in bundle.PROGRAM} == {"sha384-"}
