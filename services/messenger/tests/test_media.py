"""Files: uploaded once, fetched from where our secrets may go, and never larger than allowed."""

import json
from collections import deque
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest

from common.clock import FixedClock
from common.events import Attachment, Media
from messenger.attachments import check_attachment
from messenger.channels import NotSent, OutboundMessage, SendRefused
from messenger.channels.cloud_media import CloudDownloads, CloudUploads, is_trusted
from messenger.channels.cloud_payloads import payload_of
from messenger.channels.media import MediaRefused, MediaUnavailable, WahaDownloads, check
from messenger.rendering import (
    ButtonsContent,
    Choice,
    Content,
    Group,
    ListContent,
    NotRenderable,
    TextContent,
)

from .conftest import NUMBER, START
from .fake_meta import FakeMedia

PICTURE = Attachment(kind="image", mime_type="image/png", filename="week.png", data=b"iVBORw0KGgo=")
PAPER = Attachment(
    kind="document", mime_type="application/pdf", filename="week.pdf", data=b"JVBERi0xLjc="
)
LIMIT = 1_000


@pytest.fixture
async def meta() -> AsyncIterator[FakeMedia]:
    async with FakeMedia().serving() as fake:
        yield fake


@pytest.fixture
async def uploads(meta: FakeMedia) -> AsyncIterator[CloudUploads]:
    opened = CloudUploads(f"{meta.url}/v26.0", NUMBER, "a-token", FixedClock(START))
    yield opened
    await opened.close()


@pytest.fixture
async def downloads(meta: FakeMedia) -> AsyncIterator[CloudDownloads]:
    opened = CloudDownloads(f"{meta.url}/v26.0", NUMBER, "a-token")
    yield opened
    await opened.close()


async def test_the_same_file_is_uploaded_once(uploads: CloudUploads, meta: FakeMedia) -> None:
    assert [await uploads.id_of(PICTURE) for _ in range(3)] == ["media1"] * 3
    assert await uploads.id_of(PAPER) == "media2"
    assert meta.uploads[0] == {
        "messaging_product": "whatsapp",
        "type": "image/png",
        "name": "week.png",
        "file_type": "image/png",
        "bytes": PICTURE.data.decode("latin-1"),
    }


async def test_an_upload_is_forgotten_before_meta_forgets_it(meta: FakeMedia) -> None:
    clock = FixedClock(START)
    uploads = CloudUploads(f"{meta.url}/v26.0", NUMBER, "a-token", clock)
    await uploads.id_of(PICTURE)
    clock.advance(timedelta(days=28))
    assert await uploads.id_of(PICTURE) == "media1"
    clock.advance(timedelta(days=2))
    assert await uploads.id_of(PICTURE) == "media2"
    uploads.forget(PICTURE)
    assert await uploads.id_of(PICTURE) == "media3"
    await uploads.close()


@pytest.mark.parametrize(
    ("answer", "code", "is_transient"),
    [
        ((400, json.dumps({"error": {"code": 131053}})), 131053, False),
        ((502, "<html>"), None, True),
        ((200, "{}"), None, True),
    ],
)
async def test_an_upload_that_fails_leaves_the_message_unsent(
    uploads: CloudUploads,
    meta: FakeMedia,
    answer: tuple[int, str],
    code: int | None,
    is_transient: bool,
) -> None:
    meta.upload_answers = deque([answer])
    with pytest.raises(SendRefused) as refused:
        await uploads.id_of(PICTURE)
    assert (refused.value.code, refused.value.is_transient) == (code, is_transient)
    assert await uploads.id_of(PICTURE) == "media2"


async def test_without_a_connection_nothing_is_uploaded() -> None:
    uploads = CloudUploads("http://127.0.0.1:9/v26.0", NUMBER, "a-token", FixedClock(START))
    with pytest.raises(NotSent):
        await uploads.id_of(PICTURE)
    await uploads.close()


@pytest.mark.parametrize("attachment", [PICTURE, PAPER])
def test_the_text_of_a_file_is_its_caption(attachment: Attachment) -> None:
    message = OutboundMessage(
        uuid4(), "5511", TextContent("🙂" * 900), "reply", attachment=attachment
    )
    payload = payload_of(message, media_id="m1")
    assert payload["type"] == attachment.kind
    file = payload[attachment.kind]
    assert isinstance(file, dict)
    assert file["id"] == "m1"
    assert len(file["caption"].encode("utf-16-le")) // 2 <= 1024
    assert ("filename" in file) is (attachment.kind == "document")


def test_a_file_heads_a_message_with_buttons() -> None:
    buttons = ButtonsContent("Body", (Choice("a", "A"),))
    message = OutboundMessage(uuid4(), "5511", buttons, "reply", attachment=PICTURE)
    interactive = payload_of(message, media_id="m1")["interactive"]
    assert isinstance(interactive, dict)
    assert interactive["header"] == {"type": "image", "image": {"id": "m1"}}


@pytest.mark.parametrize(
    ("attachment", "content", "told"),
    [
        (PICTURE.model_copy(update={"mime_type": "image/tiff"}), TextContent("x"), "type"),
        (PICTURE.model_copy(update={"mime_type": "application/pdf"}), TextContent("x"), "type"),
        (PICTURE.model_copy(update={"data": b"x" * (5 * 2**20 + 1)}), TextContent("x"), "size"),
        (PICTURE.model_copy(update={"data": b""}), TextContent("x"), "size"),
        (PICTURE, ListContent("b", "c", (Group("t", (Choice("1", "1"),)),)), "with_list"),
    ],
)
def test_a_file_that_would_be_refused_is_not_uploaded(
    attachment: Attachment, content: Content, told: str
) -> None:
    with pytest.raises(NotRenderable, match=told):
        check_attachment(attachment, content)
    check_attachment(None, content)


async def test_a_file_is_fetched_in_two_steps_with_the_token(
    downloads: CloudDownloads, meta: FakeMedia
) -> None:
    media = Media(id="900800", mime_type="audio/ogg", sha256=meta.hash)
    assert await downloads.fetch(media, limit=LIMIT) == meta.content
    assert meta.asked == [f"/v26.0/900800?phone_number_id={NUMBER}"]
    assert meta.keys == ["Bearer a-token"]


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_an_address_that_is_too_old_is_asked_for_once_more(
    downloads: CloudDownloads, meta: FakeMedia, status: int
) -> None:
    meta.statuses.append(status)
    assert await downloads.fetch(Media(id="1"), limit=LIMIT) == meta.content
    meta.statuses.extend([status, status])
    with pytest.raises(MediaUnavailable):
        await downloads.fetch(Media(id="1"), limit=LIMIT)
    assert len(meta.asked) == 4


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://lookaside.fbsbx.com/x",
        "https://lookaside.fbsbx.com:8443/x",
        "https://evilfbcdn.net/x",
        "https://fbcdn.net.evil.example/x",
        "https://fbcdn.net@evil.example/x",
        "https://user:pw@scontent.fbcdn.net/x",
        "https://evil.example/?https://fbcdn.net",
        "https://evil.example\\@fbcdn.net/x",
        "ftp://mmg.whatsapp.net/x",
        "file:///etc/passwd",
        "//fbcdn.net/x",
        "https://[fbcdn.net/x",
        "https://fbcdn.net:port/x",
        "http://graph.facebook.com/v26.0/x",
        "",
    ],
)
async def test_our_token_goes_to_no_other_host(
    downloads: CloudDownloads, meta: FakeMedia, url: str
) -> None:
    assert not is_trusted(url, "https://graph.facebook.com/v26.0")
    meta.elsewhere = url or "http://127.0.0.1:9/"
    with pytest.raises(MediaRefused, match="unreadable"):
        await downloads.fetch(Media(id="1"), limit=LIMIT)
    assert meta.keys == []


@pytest.mark.parametrize(
    "url",
    [
        "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1",
        "https://scontent.xx.fbcdn.net/x",
        "https://MMG.whatsapp.net./x",
        "https://graph.facebook.com/v26.0/x",
    ],
)
def test_metas_hosts_are_trusted(url: str) -> None:
    assert is_trusted(url, "https://api.example/v26.0")


async def test_a_redirect_is_not_followed(downloads: CloudDownloads, meta: FakeMedia) -> None:
    meta.redirect = f"{meta.url}/files/other"
    with pytest.raises(MediaUnavailable, match="HTTP 302"):
        await downloads.fetch(Media(id="1"), limit=LIMIT)
    assert len(meta.keys) == 1


async def test_more_bytes_than_allowed_are_not_read(
    downloads: CloudDownloads, meta: FakeMedia
) -> None:
    meta.content = b"x" * (LIMIT + 1)
    with pytest.raises(MediaRefused, match="too_large"):
        await downloads.fetch(Media(id="1"), limit=LIMIT)
    assert meta.keys == []  # it said so itself


async def test_bytes_that_were_not_announced_are_not_used(
    downloads: CloudDownloads, meta: FakeMedia
) -> None:
    other = FakeMedia(content=b"other").hash
    with pytest.raises(MediaUnavailable):
        await downloads.fetch(Media(id="1", sha256=other), limit=LIMIT)
    with pytest.raises(MediaUnavailable):
        check(b"x", "not a hash")


@pytest.mark.parametrize("media_id", [None, "", "../me", "1?fields=x", "a/b"])
async def test_an_id_that_is_none_is_not_asked_for(
    downloads: CloudDownloads, meta: FakeMedia, media_id: str | None
) -> None:
    with pytest.raises(MediaRefused):
        await downloads.fetch(Media(id=media_id), limit=LIMIT)
    assert meta.asked == []


@pytest.mark.parametrize(
    "announced",
    [
        "http://localhost:3000/api/files/default/one.oga",
        "https://evil.example/waha/api/files/default/one.oga",
    ],
)
async def test_wahas_key_goes_to_the_configured_host_only(meta: FakeMedia, announced: str) -> None:
    downloads = WahaDownloads(f"{meta.url}/waha", "a-key")
    media = Media(url=announced, sha256=meta.hash)
    assert await downloads.fetch(media, limit=LIMIT) == meta.content
    assert meta.keys == ["a-key"]
    with pytest.raises(MediaRefused, match="too_large"):
        await downloads.fetch(media, limit=3)
    await downloads.close()


@pytest.mark.parametrize(
    "announced",
    [None, "", "http://[", "http://localhost:3000/api/sessions", "http://x/api/files/../sessions"],
)
async def test_other_paths_of_waha_are_not_fetched(meta: FakeMedia, announced: str | None) -> None:
    downloads = WahaDownloads(f"{meta.url}/waha", "a-key")
    with pytest.raises(MediaRefused):
        await downloads.fetch(Media(url=announced), limit=LIMIT)
    assert meta.keys == []
    await downloads.close()
