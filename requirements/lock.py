"""Lock what each image installs: exact versions with hashes, no download addresses.

`python requirements/lock.py [--upgrade]` rewrites requirements/*.txt from the pyproject files.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MEMBERS = ("libs/common", "services/*", "simulator", "devstack")
DEVELOPMENT = (
    "coverage",
    "editables",
    "hatchling",
    "hypothesis",
    "import-linter",
    "jsonschema",
    "mypy",
    "opentelemetry-proto",
    "pytest",
    "pytest-asyncio",
    "pytest-cov",
    "pytest-timeout",
    "pywa",
    "ruff",
    "scikit-learn",
    "types-PyYAML",
    "types-jsonschema",
    "uv",
)
HEADER = "# Made by requirements/lock.py. Do not edit.\n"


def main(arguments: list[str]) -> None:
    projects = {path.name: _dependencies(path) for path in _members()}
    for path in _members():
        if path.parent.name == "services":
            _compile(path.name, _closure(path.name, projects), arguments)
    everything = {need for name in projects for need in _closure(name, projects)}
    _compile("dev", everything | set(DEVELOPMENT), arguments)


def _members() -> list[Path]:
    found = [path for pattern in MEMBERS for path in ROOT.glob(pattern)]
    return sorted(path for path in found if (path / "pyproject.toml").exists())


def _dependencies(project: Path) -> list[str]:
    table = tomllib.loads((project / "pyproject.toml").read_text())
    return list(table["project"]["dependencies"])


def _closure(name: str, projects: dict[str, list[str]]) -> set[str]:
    """The outside packages that a member needs, through the members that it needs."""
    needs: set[str] = set()
    for dependency in projects[name]:
        if member := re.fullmatch(r"sabatina-(\w+)", dependency):
            needs |= _closure(member[1], projects)
        else:
            needs.add(dependency)
    return needs


def _compile(name: str, needs: set[str], arguments: list[str]) -> None:
    output = ROOT / "requirements" / f"{name}.txt"
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", "-", "--quiet", "--no-header"),
        *("--universal", "--python-version", "3.11", "--generate-hashes"),
        *("--no-emit-index-url", "--no-annotate", "--output-file", str(output), *arguments),
    ]
    subprocess.run(command, input="\n".join(sorted(needs)), text=True, check=True)
    output.write_text(HEADER + output.read_text())


if __name__ == "__main__":
    main(sys.argv[1:])
