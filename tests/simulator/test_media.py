import base64
import hashlib

import httpx
import pytest

from simulator import samples, voice
from simulator.testing import AUTHORIZED, Simulator, eventually

UPLOAD = "/v23.0/100000000000001/media"
PNG = samples.png()
BINARY = b"%PDF-1.4\r\n--not-a-boundary\r\n\r\n\x00\xff\n"


async def upload(
    simulator: Simulator, data: bytes = PNG, mime_type: str = "image/png", **form: str
) -> httpx.Response:
    fields = {"messaging_product": "whatsapp", "type": mime_type} | form
    files = {"file": ("file.bin", data, mime_type)}
    return await simulator.http.post(UPLOAD, data=fields, files=files, headers=AUTHORIZED)


async def described(simulator: Simulator, media_id: str) -> httpx.Response:
    query = {"phone_number_id": "100000000000001"}
    return await simulator.http.get(f"/v23.0/{media_id}", params=query, headers=AUTHORIZED)


async def test_what_is_uploaded_can_be_had_again(simulator: Simulator) -> None:
    media_id = (await upload(simulator, BINARY, "application/pdf")).json()["id"]
    view = (await described(simulator, media_id)).json()
    assert (view["mime_type"], view["file_size"]) == ("application/pdf", str(len(BINARY)))
    assert view["sha256"] == hashlib.sha256(BINARY).hexdigest()
    assert (await simulator.http.get(view["url"])).status_code == 401
    file = await simulator.http.get(view["url"], headers=AUTHORIZED)
    assert (file.content, file.headers["content-type"]) == (BINARY, "application/pdf")


async def test_an_uploaded_image_can_be_sent(simulator: Simulator) -> None:
    await simulator.say(text="oi")
    media_id = (await upload(simulator)).json()["id"]
    answer = await simulator.send(type="image", image={"id": media_id, "caption": "Veja"})
    assert answer.status_code == 200
    bubble = (await simulator.transcript())[-1]
    assert (bubble["text"], bubble["media"]["id"]) == ("Veja", media_id)


async def test_a_url_lasts_five_minutes_and_a_new_one_can_be_asked_for(
    simulator: Simulator,
) -> None:
    media_id = (await upload(simulator)).json()["id"]
    url = (await described(simulator, media_id)).json()["url"]
    await simulator.advance("PT5M")
    assert (await simulator.http.get(url, headers=AUTHORIZED)).status_code == 404
    fresh = (await described(simulator, media_id)).json()["url"]
    assert (await simulator.http.get(fresh, headers=AUTHORIZED)).content == PNG


async def test_media_from_people_goes_after_a_week(simulator: Simulator) -> None:
    await simulator.say(type="image")
    await eventually(lambda: simulator.gateway.messages)
    media_id = simulator.gateway.messages[0]["image"]["id"]
    assert (await described(simulator, media_id)).status_code == 200
    await simulator.advance("P7D")
    answer = await described(simulator, media_id)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)


async def test_deleted_media_is_gone(simulator: Simulator) -> None:
    media_id = (await upload(simulator)).json()["id"]
    answer = await simulator.http.delete(f"/v23.0/{media_id}", headers=AUTHORIZED)
    assert answer.json() == {"success": True}
    assert (await described(simulator, media_id)).status_code == 400
    again = await simulator.http.delete(f"/v23.0/{media_id}", headers=AUTHORIZED)
    assert again.status_code == 400


async def test_media_is_asked_for_by_the_number_that_it_was_sent_to(
    simulator: Simulator,
) -> None:
    media_id = (await upload(simulator)).json()["id"]
    query = {"phone_number_id": "42"}
    answer = await simulator.http.get(f"/v23.0/{media_id}", params=query, headers=AUTHORIZED)
    assert answer.json()["error"]["error_subcode"] == 33


@pytest.mark.parametrize(
    ("data", "mime_type", "code"),
    [
        (b"x", "application/x-msdownload", 100),
        (b"", "image/png", 131053),
        (b"x" * (5 * 1024 * 1024 + 1), "image/png", 131053),
        (b"x" * (500 * 1024 + 1), "image/webp", 131053),
    ],
)
async def test_what_whatsapp_does_not_take_is_refused(
    simulator: Simulator, data: bytes, mime_type: str, code: int
) -> None:
    answer = await upload(simulator, data, mime_type)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


async def test_an_upload_without_its_parts_is_refused(simulator: Simulator) -> None:
    files = {"file": ("a.png", PNG, "image/png")}
    answer = await simulator.http.post(UPLOAD, files=files, headers=AUTHORIZED)
    assert "messaging_product" in answer.json()["error"]["message"]
    plain = await simulator.http.post(UPLOAD, content=b"x", headers=AUTHORIZED)
    assert plain.json()["error"]["code"] == 100


async def test_media_faults_hit_uploads_and_downloads(simulator: Simulator) -> None:
    await simulator.arm(target="media", kind="error", code=131053)
    assert (await upload(simulator)).json()["error"]["code"] == 131053
    media_id = (await upload(simulator)).json()["id"]
    url = (await described(simulator, media_id)).json()["url"]
    await simulator.arm(target="media", kind="http_500_before")
    assert (await simulator.http.get(url, headers=AUTHORIZED)).status_code == 500


@pytest.mark.parametrize(
    ("kind", "beginning"),
    [
        ("image", b"\x89PNG"),
        ("video", b"\0\0\0\x18ftyp"),
        ("audio", b"OggS"),
        ("document", b"%PDF"),
        ("sticker", b"RIFF"),
    ],
)
async def test_each_kind_of_media_comes_with_a_real_file(
    simulator: Simulator, kind: str, beginning: bytes
) -> None:
    await simulator.say(type=kind)
    await eventually(lambda: simulator.gateway.messages)
    wire = simulator.gateway.messages[0][kind]
    view = (await described(simulator, wire["id"])).json()
    file = (await simulator.http.get(view["url"], headers=AUTHORIZED)).content
    assert file.startswith(beginning)
    assert wire["sha256"] == base64.b64encode(hashlib.sha256(file).digest()).decode()


async def test_a_person_sends_a_file_of_their_own(simulator: Simulator) -> None:
    data = base64.b64encode(BINARY).decode()
    more = {"filename": "cv.pdf", "mime_type": "application/pdf", "caption": "Meu CV"}
    await simulator.say(type="document", data=data, **more)
    await eventually(lambda: simulator.gateway.messages)
    wire = simulator.gateway.messages[0]["document"]
    assert (wire["filename"], wire["caption"]) == ("cv.pdf", "Meu CV")
    assert (await simulator.say(type="document", data="not base64!")).status_code == 422


async def test_a_voice_note_says_what_was_said(simulator: Simulator) -> None:
    await simulator.say(type="audio", text="Uma árvore é um grafo sem ciclos")
    await eventually(lambda: simulator.gateway.messages)
    wire = simulator.gateway.messages[0]["audio"]
    assert wire["voice"] is True
    url = (await described(simulator, wire["id"])).json()["url"]
    file = (await simulator.http.get(url, headers=AUTHORIZED)).content
    assert await heard(simulator, file) == {"text": "Uma árvore é um grafo sem ciclos"}


async def heard(simulator: Simulator, file: bytes, **form: str) -> object:
    answer = await simulator.http.post(
        "/openai/v1/audio/transcriptions",
        data={"model": "whisper-1"} | form,
        files={"file": ("voice.ogg", file, "audio/ogg")},
        headers={"Authorization": "Bearer key"},
    )
    is_text = answer.headers["content-type"].startswith("text/plain")
    return answer.text if is_text else answer.json()


async def test_audio_from_elsewhere_says_a_fixed_sentence(simulator: Simulator) -> None:
    assert await heard(simulator, b"OggS anything") == {"text": voice.NOT_OURS}
    spoken = voice.MARKER + "olá".encode()
    assert await heard(simulator, spoken, response_format="text") == "olá"


async def test_transcription_needs_a_key_and_its_parts(simulator: Simulator) -> None:
    path = "/openai/v1/audio/transcriptions"
    assert (await simulator.http.post(path, content=b"")).status_code == 401
    key = {"Authorization": "Bearer key"}
    answer = await simulator.http.post(path, data={"model": "whisper-1"}, headers=key)
    assert (answer.status_code, "file" in answer.json()["error"]["message"]) == (400, True)


@pytest.mark.parametrize("kind", ["garbage", "truncated"])
async def test_a_transcript_can_be_spoilt(simulator: Simulator, kind: str) -> None:
    await simulator.arm(target="llm", kind=kind)
    first = await heard(simulator, voice.record("uma frase bem longa"))
    assert first != {"text": "uma frase bem longa"}
    assert await heard(simulator, voice.record("de novo")) == {"text": "de novo"}


async def test_transcription_can_fail(simulator: Simulator) -> None:
    await simulator.arm(target="llm", kind="error", code=503)
    answer = await heard(simulator, voice.record("oi"))
    assert isinstance(answer, dict)
    assert answer["error"]["type"] == "server_error"


async def test_the_journal_keeps_no_files(simulator: Simulator) -> None:
    await upload(simulator)
    calls = (await simulator.http.get("/control/sent")).json()
    assert list(calls[0]["body"]) == ["multipart_bytes"]


async def test_the_page_reads_a_file_without_a_token(simulator: Simulator) -> None:
    await simulator.say(type="image")
    [message] = await simulator.transcript()
    answer = await simulator.http.get(f"/control/media/{message['media']['id']}")
    assert answer.headers["content-type"].startswith("image/")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await simulator.http.get("/control/media/unknown")).status_code == 404
