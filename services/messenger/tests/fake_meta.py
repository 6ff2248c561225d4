"""The rest of Meta's API at the HTTP edge: templates, uploads, downloads, read marks."""

import asyncio
import base64
import hashlib
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@dataclass
class Translation:
    id: str
    name: str
    language: str
    status: str
    category: str
    components: list[dict[str, object]]
    rejected_reason: str = "NONE"
    quality: str = "GREEN"
    edits: int = 0

    def shown(self) -> dict[str, object]:
        return {
            "id": self.id,
            "name": self.name,
            "language": self.language,
            "status": self.status,
            "category": self.category,
            "components": self.components,
            "rejected_reason": self.rejected_reason,
            "quality_score": {"score": self.quality},
            "something_new": {"that": "nobody knows"},
        }


@dataclass
class FakeTemplates:
    """Reviews as it is told to, pages of two, and edits once a day."""

    verdict: str = "APPROVED"
    known: dict[tuple[str, str], Translation] = field(default_factory=dict)
    lists: int = 0
    broken: web.Response | None = None
    url: str = ""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/v26.0/{account}/message_templates", self._list)
        app.router.add_post("/v26.0/{account}/message_templates", self._create)
        app.router.add_post("/v26.0/{template}", self._edit)
        return app

    async def _list(self, request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == "Bearer a-token"
        self.lists += 1
        if self.broken is not None:
            return self.broken
        start = int(request.query.get("after", "0"))
        rows = [one.shown() for one in self.known.values()]
        paging: dict[str, object] = {"cursors": {"after": str(start + 2)}}
        if start + 2 < len(rows):
            paging["next"] = "http://elsewhere.example/?access_token=secret"
        return web.json_response({"data": rows[start : start + 2], "paging": paging})

    async def _create(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        key = (body["name"], body["language"])
        if key in self.known:
            return _refused(2388024, "Content in this language already exists")
        body_text = next(c for c in body["components"] if c["type"] == "BODY")
        if "{{1}}" in body_text["text"] and "example" not in body_text:
            return _refused(100, "examples are missing")
        number = str(1000 + len(self.known))
        self.known[key] = Translation(
            number, *key, self.verdict, body["category"], body["components"]
        )
        return web.json_response({"id": number, "status": self.verdict})

    async def _edit(self, request: web.Request) -> web.StreamResponse:
        found = next(t for t in self.known.values() if t.id == request.match_info["template"])
        if found.edits:
            return _refused(100, "Message template can only be edited once in 24 hours")
        found.edits += 1
        found.components = json.loads(await request.read())["components"]
        found.status = "PENDING"
        return web.json_response({"success": True})

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["FakeTemplates"]:
        async with serving(self.app()) as address:
            self.url = f"{address}/v26.0"
            yield self


@dataclass
class FakeMedia:
    """`statuses` are those of the next downloads; then it gives the file."""

    content: bytes = b"OggS and more"
    mime_type: str = "audio/ogg; codecs=opus"
    statuses: deque[int] = field(default_factory=deque)
    elsewhere: str = ""
    redirect: str = ""
    sha256: str | None = None
    uploads: list[dict[str, str]] = field(default_factory=list)
    upload_answers: deque[tuple[int, str]] = field(default_factory=deque)
    asked: list[str] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    url: str = ""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v26.0/{number}/media", self._upload)
        app.router.add_get("/v26.0/{media}", self._address)
        app.router.add_get("/files/{media}", self._download)
        app.router.add_get("/waha/api/files/{session}/{file}", self._download)
        return app

    @property
    def hash(self) -> str:
        return base64.b64encode(hashlib.sha256(self.content).digest()).decode()

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        self.uploads.append(
            {
                "messaging_product": str(form["messaging_product"]),
                "type": str(form["type"]),
                "name": file.filename,
                "file_type": file.content_type,
                "bytes": file.file.read().decode("latin-1"),
            }
        )
        if self.upload_answers:
            status, body = self.upload_answers.popleft()
            return web.Response(status=status, text=body)
        return web.json_response({"id": f"media{len(self.uploads)}"})

    async def _address(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        base = str(request.url.origin())
        return web.json_response(
            {
                "url": self.elsewhere or f"{base}/files/{len(self.asked)}",
                "mime_type": self.mime_type,
                "sha256": self.sha256 or hashlib.sha256(self.content).hexdigest(),
                "file_size": len(self.content),
                "id": request.match_info["media"],
            }
        )

    async def _download(self, request: web.Request) -> web.StreamResponse:
        self.keys.append(request.headers.get("Authorization") or request.headers.get("X-Api-Key"))
        if self.redirect:
            raise web.HTTPFound(self.redirect)
        status = self.statuses.popleft() if self.statuses else 200
        return web.Response(status=status, body=self.content, content_type="audio/ogg")

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["FakeMedia"]:
        async with serving(self.app()) as address:
            self.url = address
            yield self


@dataclass
class FakeAudio:
    """OpenAI's transcriptions. A mood a request, then the last one again and again."""

    script: list[str] = field(default_factory=lambda: ["ok"])
    text: str = "  A closure keeps its variables.  "
    requests: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    async def _transcribe(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        self.requests.append(
            {
                "model": str(form["model"]),
                "fields": ",".join(sorted(form)),
                "name": file.filename,
                "key": request.headers["Authorization"],
            }
        )
        file.file.close()
        match self.script.pop(0) if len(self.script) > 1 else self.script[0]:
            case "busy":
                return web.json_response({"error": {"message": "slow"}}, status=429)
            case "broken":
                return web.json_response({"error": {"message": "oops"}}, status=500)
            case "denied":
                return web.json_response({"error": {"message": "no"}}, status=401)
            case "not_audio":
                return web.json_response({"error": {"message": "format"}}, status=400)
            case "garbage":
                return web.Response(text="<html>a proxy</html>", content_type="text/html")
            case "odd":
                return web.json_response({"words": []})
            case "slow":
                await asyncio.sleep(1)
        return web.json_response({"text": self.text})

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["FakeAudio"]:
        app = web.Application()
        app.router.add_post("/v1/audio/transcriptions", self._transcribe)
        async with serving(app) as address:
            self.url = f"{address}/v1"
            yield self


def _refused(code: int, words: str) -> web.Response:
    error = {"message": f"(#{code}) Invalid", "code": code, "error_user_msg": words}
    return web.json_response({"error": error}, status=400)
