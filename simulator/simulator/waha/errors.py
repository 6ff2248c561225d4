"""What WAHA answers when it does not do what it was asked."""

from simulator.waha.wire import Json


class WahaError(Exception):
    def __init__(self, http_status: int, body: Json) -> None:
        self.http_status = http_status
        self.body = body
        super().__init__(f"HTTP {http_status}")


class Unauthorized(WahaError):
    def __init__(self) -> None:
        super().__init__(401, {"message": "Unauthorized", "statusCode": 401})


class BadRequest(WahaError):
    def __init__(self, *problems: str) -> None:
        body: Json = {"message": list(problems), "error": "Bad Request", "statusCode": 400}
        super().__init__(400, body)


class NotFound(WahaError):
    def __init__(self, what: str) -> None:
        super().__init__(404, {"message": what, "error": "Not Found", "statusCode": 404})


class Unprocessable(WahaError):
    def __init__(self, why: str) -> None:
        body: Json = {"message": why, "error": "Unprocessable Entity", "statusCode": 422}
        super().__init__(422, body)


class SessionNotWorking(WahaError):
    def __init__(self, session: str, status: str, expected: tuple[str, ...] = ("WORKING",)) -> None:
        body: Json = {
            "error": ("Session status is not as expected. Try again later or restart the session"),
            "session": session,
            "status": status,
            "expected": list(expected),
        }
        super().__init__(422, body)


class EngineFailure(WahaError):
    """The body tells the caller's own message back, as WAHA's does."""

    def __init__(self, path: str, request: object, at: str, http_status: int = 500) -> None:
        body: Json = {
            "statusCode": http_status,
            "timestamp": at,
            "exception": {
                "name": "Error",
                "message": "the engine failed (simulated)",
                "stack": "Error: the engine failed (simulated)\n    at SimulatedEngine.send",
            },
            "request": {"path": path, "method": "POST", "body": request},
        }
        super().__init__(http_status, body)
