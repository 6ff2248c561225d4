"""`python -m simulator.scenarios run FILE.yaml ... --url http://127.0.0.1:8090`"""

import argparse
import asyncio
import sys
from pathlib import Path

import aiohttp

from simulator.scenarios.playing import StepFailed, play
from simulator.scenarios.scenario import InvalidScenario, read_scenario

DEFAULT_URL = "http://127.0.0.1:8090"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m simulator.scenarios")
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run", help="play scenario files against a running product")
    run.add_argument("files", nargs="+", type=Path)
    run.add_argument("--url", default=DEFAULT_URL, help="the simulator")
    arguments = parser.parse_args()
    return asyncio.run(_run(arguments.files, arguments.url))


async def _run(files: list[Path], url: str) -> int:
    failed = 0
    for path in files:
        try:
            scenario = read_scenario(path)
            await play(scenario, url)
        except (StepFailed, InvalidScenario) as error:
            failed += 1
            _print(f"FAILED {path}\n{error}")
        except aiohttp.ClientConnectionError:
            _print(f"The simulator at {url} does not answer. Is the product running?")
            return 2
        else:
            _print(f"ok     {path}: {scenario.name}, {len(scenario.steps)} steps")
    return 1 if failed else 0


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
