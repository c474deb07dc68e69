"""Validators of our OCDS data, offline: the official package schemas and the OCP's own checker. 360Giving stands in `giving360`."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

OCDS = Path(__file__).parents[1] / "vectors/ocds"
BASE = "https://standard.open-contracting.org/schema/1__1__5"
FILES = {
    "release-schema.json": "release-schema-1__1__4.json",
    "release-package-schema.json": "release-package-schema-1__1__5.json",
    "record-package-schema.json": "record-package-schema-1__1__5.json",
}
"""Name in the standard → file here; which version and why, says vectors/ocds/README.md."""
VERSIONED: dict[str, Any] = {"$schema": "http://json-schema.org/draft-04/schema#", "type": "object"}
"""We publish no versioned release; its schema is asked for all the same."""


def official(name: str) -> Any:
    """A schema as it lies there, if nobody changed it."""
    content = (OCDS / FILES[name]).read_bytes()
    told = dict(re.findall(r"\| `([^`]+\.json)` \|.*`([0-9a-f]{64})` \|", (OCDS / "README.md").read_text("utf-8")))
    assert hashlib.sha256(content).hexdigest() == told[FILES[name]], f"{FILES[name]} is not the official file any more"
    return json.loads(content)


def ocds(package: Any) -> list[str]:
    """What the official schema of its kind says against a release or record package: place and sentence."""
    known = {f"{BASE}/{name}": official(name) for name in FILES} | {f"{BASE}/versioned-release-validation-schema.json": VERSIONED}
    registry = Registry().with_resources((uri, Resource(contents=said, specification=DRAFT4)) for uri, said in known.items())
    name = "record-package-schema.json" if "records" in package else "release-package-schema.json"
    return _said(Draft4Validator(official(name), registry=registry, format_checker=FormatChecker()), package)


def libcove(package: Any, folder: Path) -> list[str]:
    """What lib-cove-ocds finds, read from its findings (it never fails by itself). `folder` is for its files; nothing is fetched."""
    from libcoveocds.api import ocds_json_output
    from libcoveocds.config import LibCoveOCDSConfig

    asked = LibCoveOCDSConfig({"context": "api", "standard_zip": _standard()})
    found = ocds_json_output(str(folder), json_data=package, lib_cove_ocds_config=asked)
    listed = ("validation_errors", "additional_fields", "deprecated_fields", "additional_closed_codelist_values", "structure_warnings", "conformance_errors", "json_deref_error")
    checks = {name: said for name, said in (found.get("additional_checks") or {}).items() if said}
    return [f"{name}: {found[name]}" for name in listed if found.get(name)] + [f"{name}: {said}" for name, said in checks.items()]


def _standard() -> bytes:
    """The ZIP of the standard's repository that lib-cove-ocds reads, with what lies here. Of code lists the closed ones, whose codes the schemas hold."""
    kept = {name: official(name) for name in FILES} | {"versioned-release-validation-schema.json": VERSIONED}
    del kept["record-package-schema.json"]["definitions"]["record"]["properties"]["versionedRelease"]["$ref"]  # it would be fetched
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as package:
        package.writestr("standard/", b"")
        for name, said in kept.items():
            package.writestr(f"standard/schema/{name}", json.dumps(said))
        for name, codes in _closed(kept["release-schema.json"]).items():
            package.writestr(f"standard/schema/codelists/{name}", "\n".join(["Code", *codes]))
    return made.getvalue()


def _closed(schema: Any) -> dict[str, list[str]]:
    """File of a closed code list → its codes."""
    found: dict[str, list[str]] = {}
    for value in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else []:
        found |= _closed(value)
    if isinstance(schema, dict) and schema.get("openCodelist") is False:
        found[schema["codelist"]] = [code for code in schema.get("enum") or schema["items"]["enum"] if code is not None]
    return found


def _said(validator: Draft4Validator, value: Any) -> list[str]:
    return [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in validator.iter_errors(value)]
