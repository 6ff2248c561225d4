"""The phone page as files: what is served, and what it may load."""

import asyncio
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from simulator import page
from simulator.testing import Simulator

MODULES = sorted(page.HERE.rglob("*.js"))
LONGEST_MODULE = 200
WRITES_HTML = re.compile(r"(inner|outer|Adjacent)HTML|document\.write|\beval\(|new Function")
NODE = shutil.which("node")
# What the page names without loading it: a namespace, the product's own page, a curl command.
NAMED_ONLY = ("http://www.w3.org/2000/svg", "http://127.0.0.1:8080")


def path_of(file: Path) -> str:
    return f"/page/{file.relative_to(page.HERE).as_posix()}"


class Inline(HTMLParser):
    """What a policy without 'unsafe-inline' refuses."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._holder: str | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found += [name for name, _ in attributes if name == "style" or name[:2] == "on"]
        self._holder = tag

    def handle_endtag(self, tag: str) -> None:
        self._holder = None

    def handle_data(self, text: str) -> None:
        if self._holder in ("script", "style") and text.strip():
            self.found.append(text)


async def test_the_page_is_served_under_a_strict_policy(simulator: Simulator) -> None:
    answer = await simulator.http.get("/")
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert not re.search(r"unsafe|https?:|\*", policy)
    inline = Inline()
    inline.feed(answer.text)
    assert inline.found == []


async def test_every_file_that_the_page_asks_for_is_served(simulator: Simulator) -> None:
    index = (page.HERE / "index.html").read_text()
    wanted = set(re.findall(r'(?:src|href)="(/page/[^"]+)"', index))
    for module in MODULES:
        wanted |= set(re.findall(r'from "(/page/[^"]+)"', module.read_text()))
    assert {path_of(module) for module in MODULES} <= wanted
    for path in sorted(wanted):
        answer = await simulator.http.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["Cache-Control"] == "no-cache"
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("module", MODULES, ids=path_of)
def test_no_module_is_long_or_writes_html(module: Path) -> None:
    source = module.read_text()
    assert source.count("\n") < LONGEST_MODULE
    assert not re.search(
        r"(inner|outer|Adjacent)HTML|document\.write|\beval\(|new Function", source
    )


@pytest.mark.parametrize("file", [*MODULES, *page.HERE.rglob("*.css")], ids=path_of)
def test_nothing_is_loaded_from_elsewhere(file: Path) -> None:
    addresses = re.findall(r"https?://[\w.:/]+", file.read_text())
    assert [a for a in addresses if not a.startswith(NAMED_ONLY)] == []


@pytest.mark.skipif(NODE is None, reason="node is not installed")
async def test_every_module_parses() -> None:
    for module in MODULES:
        process = await asyncio.create_subprocess_exec(
            str(NODE),
            "--check",
            "--input-type=module",
            "-",
            stdin=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        _, errors = await process.communicate(module.read_bytes())
        assert process.returncode == 0, f"{path_of(module)}: {errors.decode()}"
