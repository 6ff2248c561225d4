"""Chats as files: played, recorded and played again."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.scenarios.playing import StepFailed, play
from simulator.scenarios.scenario import InvalidScenario, Scenario, read_scenario
from simulator.testing import ANA, Gateway, Json, Simulator, Start, eventually

SAMPLES = Path(__file__).parents[2] / "simulator" / "scenarios"
BUTTONS = [
    {"type": "reply", "reply": {"id": "yes", "title": "Sim"}},
    {"type": "reply", "reply": {"id": "no", "title": "Não"}},
]


class Bot:
    """The product in small: asks, and repeats whatever else is said."""

    def __init__(self, gateway: Gateway) -> None:
        self.simulator: Simulator | None = None
        self._seen = 0
        self._gateway = gateway

    async def run(self) -> None:
        while True:
            for message in self._gateway.messages[self._seen :]:
                self._seen += 1
                await self._answer(message)
            await asyncio.sleep(0.01)

    async def _answer(self, message: Json) -> None:
        assert self.simulator
        text = message.get("text", {}).get("body", message["type"])
        if text == "oi":
            action = {"buttons": BUTTONS}
            asked = {"type": "button", "body": {"text": "Pronto?"}, "action": action}
            await self.simulator.send(message["from"], type="interactive", interactive=asked)
        elif text != "nada":
            await self.simulator.send_text(f"Você disse: {text}", message["from"])


@pytest.fixture
async def bot(simulator: Simulator) -> Any:
    made = Bot(simulator.gateway)
    made.simulator = simulator
    task = asyncio.create_task(made.run())
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def scenario(*steps: dict[str, Any], **more: object) -> Scenario:
    return Scenario.model_validate({"name": "Uma conversa", "phone": ANA, "steps": steps} | more)


GREETING = {"expect": {"text": "Pronto", "options": ["Sim", "Não"], "kind": "interactive"}}


async def test_a_scenario_is_played_to_its_end(simulator: Simulator, bot: Bot) -> None:
    steps: list[dict[str, Any]] = [
        {"say": "oi"},
        GREETING,
        {"tap": "Sim"},
        {"expect": {"exactly": "Você disse: interactive", "status": "read"}},
        {"advance": "PT2H"},
        {"clock": {"next": "09:00", "zone": "America/Sao_Paulo"}},
        {"send": {"type": "audio", "text": "falei"}},
        {"expect": {"text": "audio", "anywhere": True}},
        {"tap": {"option": "no", "of": 1}},
        {"expect": {}},
        {"say": "nada"},
        {"silence": 0.2},
        {"phone": "14155550100"},
        {"say": "oi"},
        GREETING,
        {"marketing": False},
        {"change": {"blocked": True}},
        {"fault": {"target": "webhook", "kind": "duplicate"}},
    ]
    await play(scenario(*steps, person="Ana"), simulator.url)
    assert (await simulator.http.get(f"/control/phones/{ANA}")).json()["name"] == "Ana"
    other = (await simulator.http.get("/control/phones/14155550100")).json()
    assert (other["blocked"], other["wants_marketing"]) == (True, False)


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ({"expect": {"text": "Adeus"}}, "expected a text with 'Adeus', got 'Pronto?'"),
        ({"expect": {"options": ["Talvez"]}}, "expected the options ['Talvez']"),
        ({"expect": {"kind": "template"}}, "expected the kind template, got interactive"),
        ({"expect": {"text": "x", "anywhere": True, "within": 0.2}}, "within 0.2 s"),
        ({"silence": 0.5}, "expected nothing for 0.5 s"),
        ({"tap": "Talvez"}, "no option has the id or title 'Talvez'"),
        ({"tap": {"option": "Sim", "of": 9}}, "the bot has sent only"),
    ],
)
async def test_a_difference_is_told_with_the_step_and_the_chat(
    simulator: Simulator, bot: Bot, step: dict[str, Any], reason: str
) -> None:
    await simulator.say(text="oi")
    await eventually(lambda: simulator.gateway.statuses)
    played = scenario({"say": "oi"}, {"expect": {"text": "Pronto"}}, {"say": "oi"}, GREETING)
    await play(played, simulator.url)
    wait = {"say": "oi"}
    with pytest.raises(StepFailed) as failed:
        await play(scenario(wait, step, phone="14155550100"), simulator.url)
    said = str(failed.value)
    assert "step 2 of 2 failed" in said
    assert reason in said
    assert "> text: 'oi'" in said


async def recorded(simulator: Simulator, phone: str = ANA) -> str:
    answer = await simulator.http.get(f"/control/phones/{phone}/scenario")
    assert answer.status_code == 200, answer.text
    return answer.text


async def chat(simulator: Simulator) -> None:
    steps: list[dict[str, Any]] = [
        {"say": "oi"},
        {"expect": {}},
        {"tap": "Sim"},
        {"expect": {}},
        {"advance": "PT3H"},
        {"say": 'Olá 😀: tudo "bem"?'},
        {"expect": {}},
        {"tap": {"option": "Não", "of": 1}},
        {"expect": {}},
        {"send": {"type": "audio", "text": "falei"}},
        {"expect": {}},
        {"send": {"type": "image", "caption": "Veja"}},
        {"expect": {}},
    ]
    await play(scenario(*steps), simulator.url)


async def test_a_recorded_chat_plays_again_and_records_the_same(
    simulator: Simulator, bot: Bot, tmp_path: Path
) -> None:
    await chat(simulator)
    first = await recorded(simulator)
    assert {"advance": "PT180M"} in yaml.safe_load(first)["steps"]
    path = tmp_path / "chat.yaml"
    path.write_text(first, "utf-8")
    bot._seen = 0
    simulator.gateway.changes.clear()
    await simulator.http.post("/control/reset")
    await play(read_scenario(path), simulator.url)
    assert await recorded(simulator) == first


async def transcript(start: Start, gateway: Gateway, seed: int) -> list[Json]:
    gateway.changes.clear()
    simulator = await start(simulator_seed=seed)
    made = Bot(gateway)
    made.simulator = simulator
    task = asyncio.create_task(made.run())
    await chat(simulator)
    await eventually(lambda: len(gateway.statuses) == 18)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    messages = await simulator.transcript()
    return [{key: value for key, value in m.items() if key != "at"} for m in messages]


async def test_the_same_seed_gives_the_same_transcript(start: Start, gateway: Gateway) -> None:
    first = await transcript(start, gateway, 11)
    assert await transcript(start, gateway, 11) == first
    other = await transcript(start, gateway, 12)
    assert [m["id"] for m in other] != [m["id"] for m in first]


async def test_after_a_reset_no_id_comes_again(simulator: Simulator) -> None:
    before = (await simulator.say(text="oi")).json()["id"]
    await simulator.http.post("/control/reset")
    assert (await simulator.say(text="oi")).json()["id"] != before


async def test_nobody_has_no_scenario(simulator: Simulator) -> None:
    answer = await simulator.http.get(f"/control/phones/{ANA}/scenario")
    assert answer.status_code == 404


async def run_command(*arguments: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "simulator.scenarios", *arguments],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def test_the_command_tells_what_passed_and_what_did_not(
    simulator: Simulator, bot: Bot, tmp_path: Path
) -> None:
    good, bad, broken = (tmp_path / name for name in ("good.yaml", "bad.yaml", "broken.yaml"))
    head = f"name: Saudação\nphone: '{ANA}'\nsteps:\n  - say: oi\n"
    good.write_text(head + "  - expect: {text: Pronto}\n", "utf-8")
    bad.write_text(head + "  - expect: {text: Adeus}\n", "utf-8")
    broken.write_text(head + "  - shout: oi\n", "utf-8")
    status, output = await run_command("run", str(good), "--url", simulator.url)
    assert (status, output.startswith("ok")) == (0, True)
    status, output = await run_command("run", str(bad), str(broken), "--url", simulator.url)
    assert (status, output.count("FAILED")) == (1, 2)
    assert "shout" in output


async def test_the_command_says_that_nobody_is_there() -> None:
    sample = next(iter(sorted(SAMPLES.glob("*.yaml"))))
    status, output = await run_command("run", str(sample), "--url", "http://127.0.0.1:9")
    assert (status, "does not answer" in output) == (2, True)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_samples_are_scenarios(path: Path) -> None:
    assert read_scenario(path).steps


def test_a_step_does_one_thing(tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    path.write_text("name: x\nphone: '1'\nsteps: [{say: a, tap: b}]\n", "utf-8")
    with pytest.raises(InvalidScenario, match="one thing"):
        read_scenario(path)
