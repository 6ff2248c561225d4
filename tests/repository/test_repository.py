"""Rules of this repository that no other tool checks."""

import ast
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path.name for path in (ROOT / "services").iterdir() if path.is_dir())
LONGEST_FILE = 400
LONGEST_FUNCTION = 50


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


def test_no_file_is_longer_than_a_newcomer_will_read() -> None:
    too_long = {
        str(path.relative_to(ROOT)): lines
        for path in tracked("*.py", "*.ts", "*.tsx", "*.js", "*.css")
        if (lines := len(path.read_text().splitlines())) > LONGEST_FILE
    }
    assert too_long == {}


def test_no_function_is_longer_than_a_screen() -> None:
    too_long = []
    for path in tracked("*.py"):
        if "migrations" in path.parts:
            continue  # one statement after the other
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION:
                too_long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
    assert too_long == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_the_shape_that_all_have(service: str) -> None:
    package = ROOT / "services" / service / service
    for name in ("__main__.py", "app.py", "settings.py", "models.py", "store.py", "py.typed"):
        assert (package / name).exists(), name
    assert list((package / "migrations").glob("0001_*.py"))
    assert (ROOT / "services" / service / "README.md").read_text().startswith("# ")


@pytest.mark.parametrize("service", SERVICES)
def test_migrations_are_one_line_of_history(service: str) -> None:
    revisions = {}
    for path in (ROOT / "services" / service / service / "migrations").glob("[0-9]*.py"):
        text = path.read_text()
        revision = re.search(r'^revision = "(\d{4})"', text, re.MULTILINE)
        parent = re.search(r'^down_revision = (?:"(\d{4})"|None)', text, re.MULTILINE)
        assert revision, path
        assert parent, path
        assert path.name.startswith(revision[1])
        revisions[revision[1]] = parent[1]
    expected = [None, *sorted(revisions)[:-1]]
    assert [revisions[name] for name in sorted(revisions)] == expected


def test_only_settings_read_the_environment() -> None:
    allowed = {"settings.py", "telemetry.py", "migrations.py"}
    readers = [
        str(path.relative_to(ROOT))
        for path in tracked("services/**/*.py", "libs/**/*.py")
        if "tests" not in path.parts
        and path.name not in allowed
        and re.search(r"os\.environ|getenv", path.read_text())
    ]
    assert readers == []


def test_product_code_asks_the_clock_and_never_the_system() -> None:
    offenders = [
        f"{path.relative_to(ROOT)}"
        for path in tracked("services/**/*.py")
        if "tests" not in path.parts
        and re.search(r"datetime\.(now|utcnow)\(|date\.today\(", path.read_text())
    ]
    assert offenders == []


def test_dependencies_are_locked_with_hashes_and_without_addresses() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text, path
    assert not list(ROOT.glob("**/uv.lock"))
    assert not list(ROOT.glob("**/pylock*.toml"))


def test_every_declared_dependency_is_in_the_lock() -> None:
    for service in SERVICES:
        project = tomllib.loads((ROOT / "services" / service / "pyproject.toml").read_text())
        locked = (ROOT / "requirements" / f"{service}.txt").read_text().lower()
        for need in project["project"]["dependencies"]:
            name = re.split(r"[\[<>=;~! ]", need)[0].lower()
            if not name.startswith("sabatina-"):
                assert f"\n{name}==" in f"\n{locked}", f"{service}: {name}; run `make lock`"


def test_links_between_documents_lead_somewhere() -> None:
    broken = [
        f"{path.relative_to(ROOT)} -> {target}"
        for path in tracked("*.md")
        for target in re.findall(r"\]\(([^)#\s]+)", path.read_text())
        if "://" not in target and not (path.parent / target).exists()
    ]
    assert broken == []


def test_contracts_are_json() -> None:
    for path in (ROOT / "docs" / "contracts").glob("*.json"):
        json.loads(path.read_text())


def test_no_file_names_a_folder_of_one_machine() -> None:
    """What lies beside the repository has one name, in `devstack.reference`."""
    somewhere = re.compile(r"(?<![\w./-])/(?:work|root|home|Users)/\w")
    named = [
        str(path.relative_to(ROOT))
        for path in tracked("*.py", "*.toml", "*.md", "*.json", "*.js", "Makefile", ".ci/*")
        if somewhere.search(path.read_text("utf-8"))
    ]
    assert named == []
