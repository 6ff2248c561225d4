"""`python -m bench [name ...]`: measure, print, and write bench/results.json."""

import json
import os
import platform
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

NAMES = ("webhook", "bus", "claim", "wave", "turn", "pacing", "footprint", "grading")
RESULTS = Path(__file__).parent / "results.json"


def main(names: list[str]) -> int:
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in names or NAMES:
        print(f"{name} ...", flush=True)
        results[name] = import_module(f"bench.{name}").run()
        print(json.dumps(results[name], indent=2), flush=True)
        results["measured"] = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        }
        RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
