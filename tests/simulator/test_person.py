"""What a person can do in a chat besides writing."""

import pytest

from simulator.testing import ANA, Simulator, eventually


async def test_an_edit_changes_the_bubble_and_is_announced(simulator: Simulator) -> None:
    first = (await simulator.say(text="um grafo")).json()["id"]
    assert (await simulator.say(type="edit", text="um grafo sem ciclos")).status_code == 202
    await eventually(lambda: len(simulator.gateway.messages) == 2)
    edit = simulator.gateway.messages[1]
    assert edit["edit"]["original_message_id"] == first
    assert edit["edit"]["message"] == {"type": "text", "text": {"body": "um grafo sem ciclos"}}
    changed, event = await simulator.transcript()
    assert (changed["text"], changed["is_edited"]) == ("um grafo sem ciclos", True)
    assert (event["type"], event["quote"]) == ("edit", first)


async def test_a_message_is_taken_back(simulator: Simulator) -> None:
    first = (await simulator.say(text="ops")).json()["id"]
    await simulator.say(text="isto fica")
    await simulator.say(type="revoke", message_id=first)
    await eventually(lambda: len(simulator.gateway.messages) == 3)
    assert simulator.gateway.messages[2]["revoke"] == {"original_message_id": first}
    assert (await simulator.transcript())[0]["is_revoked"] is True


@pytest.mark.parametrize("said", [{"type": "edit", "text": "x"}, {"type": "revoke"}])
async def test_there_must_be_something_to_change(
    simulator: Simulator, said: dict[str, str]
) -> None:
    assert (await simulator.say(**said)).status_code == 404


async def test_a_reaction_is_taken_back_with_an_empty_emoji(simulator: Simulator) -> None:
    await simulator.say(text="oi")
    target = await simulator.send_id()
    await simulator.say(type="reaction", emoji="🎉")
    await simulator.say(type="reaction", emoji="")
    await eventually(lambda: len(simulator.gateway.messages) == 3)
    assert simulator.gateway.messages[2]["reaction"] == {"message_id": target}


@pytest.mark.parametrize("kind", ["video", "document", "contacts", "order"])
async def test_more_kinds_of_message(simulator: Simulator, kind: str) -> None:
    assert (await simulator.say(type=kind)).status_code == 202
    await eventually(lambda: simulator.gateway.messages)
    message = simulator.gateway.messages[0]
    assert (message["type"], bool(message[kind])) == (kind, True)


async def test_a_voice_message_of_ours_is_played(simulator: Simulator) -> None:
    await simulator.say(text="oi")
    audio = {"link": "https://example.com/a.ogg", "voice": True}
    answer = await simulator.send(type="audio", audio=audio)
    message_id = answer.json()["messages"][0]["id"]
    await eventually(lambda: simulator.gateway.statuses_of(message_id)[-1:] == ["played"])
    assert (await simulator.transcript())[-1]["status"] == "played"


async def test_a_quote_names_who_wrote_it(simulator: Simulator) -> None:
    mine = (await simulator.say(text="oi")).json()["id"]
    ours = await simulator.send_id()
    await simulator.say(text="sobre a minha", quote=mine)
    await simulator.say(text="sobre a sua", quote=ours)
    await eventually(lambda: len(simulator.gateway.messages) == 3)
    about_mine, about_ours = (m["context"] for m in simulator.gateway.messages[1:])
    assert about_mine == {"from": ANA, "id": mine}
    assert about_ours == {"from": "5511300000000", "id": ours}


async def test_a_transcript_can_be_had_of_one_channel(simulator: Simulator) -> None:
    await simulator.say(text="oi", channel="cloud")
    for channel, count in {"cloud": 1, "waha": 0}.items():
        path = f"/control/phones/{ANA}/messages?channel={channel}"
        assert len((await simulator.http.get(path)).json()) == count
    assert (await simulator.transcript())[0]["channel"] == "cloud"
    phones = (await simulator.http.get("/control/phones")).json()
    assert phones[0]["channel"] == "cloud"
