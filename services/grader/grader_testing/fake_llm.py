"""A small server in the place of OpenAI's, or of a compatible one: it speaks both APIs."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

Mood = Literal[
    "ok", "garbage", "empty", "truncated", "filtered", "refusal", "no_choices", "html", "page",
    "failed", "nothing", "busy", "broken", "denied", "slow", "dripping",
]  # fmt: skip
Json = dict[str, object]
Marking = Callable[[Json], Json]


class FakeLLM:
    """Plays the moods in `script`, one a request; then the last one again and again."""

    def __init__(self) -> None:
        self.script: list[Mood] = ["ok"]
        self.marking: Json | Marking | None = None
        """What it replies; without it every point is met by the answer's first three words."""
        self.takes_schemas = True
        self.takes_effort = True
        self.tells_usage = True
        self.requests: list[Json] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.slowness = 1.0
        self.models: dict[str, Json] = {}
        """What it tells of each model that it knows."""
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

    def exam(self, request: int = -1) -> Json:
        messages = self.turns(request)
        assert messages[-1]["role"] == "user"
        found: Json = json.loads(messages[-1]["content"])
        return found

    def told(self, request: int = -1) -> str:
        """All that the model was told beside the exam."""
        instructions = str(self.requests[request].get("instructions", ""))
        return "\n".join(
            [instructions, *(m["content"] for m in self.turns(request) if m["role"] != "user")]
        )

    def turns(self, request: int = -1) -> list[dict[str, str]]:
        asked = self.requests[request]
        messages = asked.get("messages", asked.get("input"))
        assert isinstance(messages, list)
        return messages

    def next_mood(self, path: str, request: Json, headers: dict[str, str]) -> Mood:
        with self._lock:
            self.requests.append(request)
            self.paths.append(path)
            self.headers.append(headers)
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    def refusal_of(self, request: Json) -> bytes | None:
        """What a server says that does not know a part of the request."""
        effort = "reasoning_effort" if "reasoning_effort" in request else "reasoning.effort"
        if not self.takes_effort and ("reasoning_effort" in request or "reasoning" in request):
            return _error(f"Unsupported parameter: '{effort}'", effort)
        wanted = json.dumps([request.get("response_format"), request.get("text")])
        if not self.takes_schemas and "json_schema" in wanted:
            return _error("response_format: json_schema is not supported here", None)
        return None

    def reply(self, mood: Mood, path: str) -> tuple[int, bytes]:
        match mood:
            case "busy":
                return 429, b'{"error": {"message": "slow down"}}'
            case "broken":
                return 500, b'{"error": {"message": "oops"}}'
            case "denied":
                return 401, b'{"error": {"message": "no such key"}}'
            case "html" | "page":
                return 200, b"<html>a proxy says hello</html>"
            case "nothing":
                return 200, b"{}"
            case "slow":
                time.sleep(self.slowness)
        written = self._response(mood) if path.endswith("/responses") else self._completion(mood)
        return 200, json.dumps(written).encode()

    def _content(self, mood: Mood) -> str:
        content = json.dumps(self._marked())
        return {"garbage": '{"points": [{"id": oops', "empty": "", "truncated": content[:20]}.get(
            mood, content
        )

    def _completion(self, mood: Mood) -> Json:
        reason = {"truncated": "length", "filtered": "content_filter"}.get(mood, "stop")
        refusal = "I cannot help with that." if mood == "refusal" else None
        message = {
            "role": "assistant",
            "content": None if refusal else self._content(mood),
            "refusal": refusal,
        }
        choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": None}
        usage = {"prompt_tokens": 700, "completion_tokens": 300, "total_tokens": 1000}
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 0,
            "model": "fake",
            "choices": [] if mood in ("no_choices", "failed") else [choice],
            **({"usage": usage} if self.tells_usage else {}),
        }

    def _response(self, mood: Mood) -> Json:
        part: Json = {"type": "output_text", "text": self._content(mood), "annotations": []}
        if mood == "refusal":
            part = {"type": "refusal", "refusal": "I cannot help with that."}
        message = {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [part],
        }
        thinking = {"type": "reasoning", "id": "rs_1", "summary": []}
        cut = {"truncated": "max_output_tokens", "filtered": "content_filter"}.get(mood)
        status = "incomplete" if cut else "failed" if mood == "failed" else "completed"
        usage = {
            "input_tokens": 700,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 300,
            "output_tokens_details": {"reasoning_tokens": 100},
            "total_tokens": 1000,
        }
        return {
            "id": "resp_1",
            "object": "response",
            "created_at": 0,
            "model": "fake",
            "status": status,
            "incomplete_details": {"reason": cut} if cut else None,
            "error": {"code": "server_error", "message": "oops"} if mood == "failed" else None,
            "output": [thinking] if mood in ("no_choices", "failed") else [thinking, message],
            "parallel_tool_calls": False,
            "tool_choice": "auto",
            "tools": [],
            **({"usage": usage} if self.tells_usage else {}),
        }

    def _marked(self) -> Json:
        if callable(self.marking):
            return self.marking(self.exam())
        return self.marking or praise(self.exam())

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                known = fake.models.get(self.path.removeprefix("/v1/models/"))
                body = json.dumps(known or {"error": {"message": "no such model"}}).encode()
                self.send_response(200 if known else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                request = json.loads(self.rfile.read(length))
                headers = {name.lower(): value for name, value in self.headers.items()}
                mood = fake.next_mood(self.path, request, headers)
                refused = fake.refusal_of(request)
                status, body = (400, refused) if refused else fake.reply(mood, self.path)
                self.send_response(status)
                kind = "text/html" if mood == "page" else "application/json"
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self._write(body, fake.slowness if mood == "dripping" else 0)
                except OSError:
                    self.close_connection = True  # the client has given up

            def _write(self, body: bytes, seconds: float) -> None:
                """In `seconds` altogether, never long without a byte."""
                step = max(1, len(body) // 20) if seconds else len(body)
                for start in range(0, len(body), step):
                    self.wfile.write(body[start : start + step])
                    self.wfile.flush()
                    time.sleep(seconds / 20)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def _error(message: str, param: str | None) -> bytes:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": None}
    return json.dumps({"error": error}).encode()


def praise(exam: Json) -> Json:
    quote = " ".join(str(exam["answer"]).split()[:3])
    points = exam["points"]
    assert isinstance(points, list)
    return {
        "points": [{"id": p["id"], "verdict": "met", "quote": quote} for p in points],
        "next_step": "Write a queue with two stacks and test it.",
        "gradable": True,
        "contradictions": [],
        "misconceptions": [],
    }
