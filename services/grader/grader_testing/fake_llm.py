"""A small server in the place of an OpenAI-compatible one."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

Mood = Literal[
    "ok", "garbage", "truncated", "filtered", "refusal", "no_choices", "html", "busy", "broken",
    "denied", "slow",
]  # fmt: skip


class FakeLLM:
    """Plays the moods in `script`, one a request; then the last one again and again."""

    def __init__(self) -> None:
        self.script: list[Mood] = ["ok"]
        self.marking: dict[str, object] | None = None
        """What it replies; without it every point is met by the answer's first three words."""
        self.requests: list[dict[str, object]] = []
        self.headers: list[dict[str, str]] = []
        self.slowness = 1.0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def exam(self, request: int = -1) -> dict[str, object]:
        messages = self.requests[request]["messages"]
        assert isinstance(messages, list)
        assert messages[-1]["role"] == "user"
        found: dict[str, object] = json.loads(messages[-1]["content"])
        return found

    def _next_mood(self, request: dict[str, object], headers: dict[str, str]) -> Mood:
        with self._lock:
            self.requests.append(request)
            self.headers.append(headers)
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    def _reply(self, mood: Mood) -> tuple[int, bytes]:
        match mood:
            case "busy":
                return 429, b'{"error": {"message": "slow down"}}'
            case "broken":
                return 500, b'{"error": {"message": "oops"}}'
            case "denied":
                return 401, b'{"error": {"message": "no such key"}}'
            case "html":
                return 200, b"<html>a proxy says hello</html>"
            case "slow":
                time.sleep(self.slowness)
        return 200, json.dumps(self._completion(mood)).encode()

    def _completion(self, mood: Mood) -> dict[str, object]:
        content: str | None = json.dumps(self.marking or self._praise())
        if mood == "garbage":
            content = '{"points": [{"id": oops'
        if mood == "truncated":
            content = (content or "")[:20]
        reason = {"truncated": "length", "filtered": "content_filter"}.get(mood, "stop")
        refusal = "I cannot help with that." if mood == "refusal" else None
        message = {
            "role": "assistant",
            "content": None if refusal else content,
            "refusal": refusal,
        }
        choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": None}
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 0,
            "model": "fake",
            "choices": [] if mood == "no_choices" else [choice],
            "usage": {"prompt_tokens": 700, "completion_tokens": 300, "total_tokens": 1000},
        }

    def _praise(self) -> dict[str, object]:
        exam = self.exam()
        quote = " ".join(str(exam["answer"]).split()[:3])
        points = exam["points"]
        assert isinstance(points, list)
        return {
            "points": [{"id": p["id"], "verdict": "met", "quote": quote} for p in points],
            "next_step": "Write a queue with two stacks and test it.",
            "gradable": True,
            "contradictions": [],
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                request = json.loads(self.rfile.read(length))
                status, body = fake._reply(
                    fake._next_mood(
                        request, {name.lower(): value for name, value in self.headers.items()}
                    )
                )
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True  # the client has given up

            def log_message(self, *_: object) -> None:
                pass

        return Handler
