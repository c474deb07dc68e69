"""An empty page on a secure origin that serves our scripts and nothing else, to ask single functions of them. No site, no database."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route

from bidding.sealing_bundle import content_of

ORIGIN = "https://bench.invalid"
PAGE = "<!doctype html><meta charset=utf-8><title>bench</title>"


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def raw(text: str) -> bytes:
    return base64.b64decode(text)


class Bench:
    """altered: script name → what is served instead. Policy: the site's own, so that what needs eval or wasm fails here too."""

    def __init__(self, browser: Browser, policy: str, *, head: str = "", altered: Mapping[str, bytes] | None = None) -> None:
        self.context = browser.new_context()
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.altered = altered or {}
        self.page.route(f"{ORIGIN}/**", self._answer(policy, head))
        self.page.goto(f"{ORIGIN}/")

    def _answer(self, policy: str, head: str) -> Callable[[Route], None]:
        def answer(route: Route) -> None:
            name = Path(route.request.url).name
            if not name.endswith(".js"):
                route.fulfill(body=PAGE + head, content_type="text/html", headers={"content-security-policy": policy})
                return
            content = self.altered.get(name) or content_of("/".join(Path(route.request.url).parts[-2:]))
            route.fulfill(body=content, content_type="text/javascript")

        return answer

    def ask(self, script: str, given: Any = None) -> Any:
        """The value of an async function body: `given`, the modules `s` (sealing), `z` (zip), `c` (ceremony), and bytes as base64."""
        whole = """async ([script, given]) => {
            const [s, z, c] = await Promise.all(["sealing", "zip", "ceremony"].map((name) => import(`/static/bidding/${name}.js`)));
            const { b64, raw } = { b64: async (x) => s.base64(await s.bytesOf(x)), raw: s.fromBase64 };
            const refused = async (act) => { try { await act(); return "nothing"; } catch (wrong) { return wrong.rule ?? String(wrong); } };
            SCRIPT
        }""".replace("SCRIPT", script)
        return self.page.evaluate(whole, ["", given])
