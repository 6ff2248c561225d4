"""The calls about sessions and the server itself."""

import base64
import io

import segno
from starlette.requests import Request
from starlette.responses import Response

from simulator.clock import Clock
from simulator.waha import payloads
from simulator.waha.announcing import Announcer
from simulator.waha.api import Handler, answer, query_value
from simulator.waha.errors import SessionNotWorking
from simulator.waha.sessions import Session, SessionConfig, Sessions, SessionStatus
from simulator.waha.wire import Engine, Json, environment, milliseconds

_QR_SCALE = 4


class SessionApi:
    def __init__(
        self, clock: Clock, sessions: Sessions, announcer: Announcer, engine: Engine
    ) -> None:
        self._clock = clock
        self._sessions = sessions
        self._announcer = announcer
        self._engine = engine
        self._started_at = clock.now()

    def calls(self) -> list[tuple[str, str, Handler]]:
        one = "/api/sessions/{session}"
        return [
            ("GET", "/api/sessions", self._list),
            ("POST", "/api/sessions", self._create),
            ("GET", one, self._show),
            ("PUT", one, self._update),
            ("DELETE", one, self._delete),
            ("GET", f"{one}/me", self._me),
            ("POST", f"{one}/start", self._start),
            ("POST", f"{one}/stop", self._stop),
            ("POST", f"{one}/restart", self._restart),
            ("POST", f"{one}/logout", self._logout),
            ("GET", "/api/{session}/auth/qr", self._qr),
            ("GET", "/ping", self._ping),
            ("GET", "/health", self._health),
            ("GET", "/api/server/version", self._version),
            ("GET", "/api/server/status", self._status),
        ]

    def _session(self, request: Request) -> Session:
        return self._sessions.get(request.path_params["session"])

    async def _list(self, request: Request, body: bytes) -> Response:
        """Without `all=true`, those that are stopped stay out."""
        shows_all = query_value(request, "all") == "true"
        sessions = [
            session
            for session in self._sessions.all()
            if shows_all or session.status is not SessionStatus.STOPPED
        ]
        return answer([self._info(session) for session in sessions])

    async def _show(self, request: Request, body: bytes) -> Response:
        return answer(self._info(self._session(request)))

    async def _create(self, request: Request, body: bytes) -> Response:
        call = payloads.parse(body, payloads.SessionCreate)
        config = call.config or SessionConfig()
        session = self._sessions.create(call.name, config, starts=call.start)
        return answer(_summary(session), 201)

    async def _update(self, request: Request, body: bytes) -> Response:
        session = self._session(request)
        call = payloads.parse(body, payloads.SessionUpdate)
        self._sessions.update(session, call.config or SessionConfig())
        return answer(_summary(session))

    async def _delete(self, request: Request, body: bytes) -> Response:
        self._sessions.delete(request.path_params["session"])
        return Response(status_code=200)

    async def _me(self, request: Request, body: bytes) -> Response:
        return answer(self._me_of(self._session(request)))

    async def _start(self, request: Request, body: bytes) -> Response:
        session = self._session(request)
        self._sessions.start(session)
        return answer(_summary(session), 201)

    async def _stop(self, request: Request, body: bytes) -> Response:
        session = self._session(request)
        self._sessions.stop(session)
        return answer(_summary(session), 201)

    async def _restart(self, request: Request, body: bytes) -> Response:
        session = self._session(request)
        self._sessions.restart(session)
        return answer(_summary(session), 201)

    async def _logout(self, request: Request, body: bytes) -> Response:
        session = self._session(request)
        self._sessions.logout(session)
        return answer(_summary(session), 201)

    async def _qr(self, request: Request, body: bytes) -> Response:
        session = self._session(request)
        if session.status is not SessionStatus.SCAN_QR_CODE:
            expected = (SessionStatus.SCAN_QR_CODE.value,)
            raise SessionNotWorking(session.name, session.status, expected)
        value = f"2@simulated,{session.name},{session.qr}"
        if query_value(request, "format") == "raw":
            return answer({"value": value})
        image = io.BytesIO()
        segno.make(value).save(image, kind="png", scale=_QR_SCALE)
        if "application/json" in request.headers.get("accept", ""):
            data = base64.b64encode(image.getvalue()).decode()
            return answer({"mimetype": "image/png", "data": data})
        return Response(image.getvalue(), media_type="image/png")

    async def _ping(self, request: Request, body: bytes) -> Response:
        return answer({"message": "pong"})

    async def _health(self, request: Request, body: bytes) -> Response:
        """It says nothing of WhatsApp, as the real one does not."""
        up: Json = {"status": "up"}
        return answer({"status": "ok", "info": {"disk": up}, "error": {}, "details": {"disk": up}})

    async def _version(self, request: Request, body: bytes) -> Response:
        return answer(environment(self._engine))

    async def _status(self, request: Request, body: bytes) -> Response:
        started = milliseconds(self._started_at)
        uptime = milliseconds(self._clock.now()) - started
        return answer({"startTimestamp": started, "uptime": uptime, "worker": {"id": None}})

    def _info(self, session: Session) -> Json:
        active_at = session.active_at
        return _summary(session) | {
            "me": self._me_of(session),
            "assignedWorker": None,
            "presence": None,
            "timestamps": {"activity": milliseconds(active_at) if active_at else None},
            "engine": {"engine": self._engine},
        }

    def _me_of(self, session: Session) -> Json | None:
        return self._announcer.me.info() if session.is_paired else None


def _summary(session: Session) -> Json:
    return {
        "name": session.name,
        "status": session.status,
        "config": session.config.model_dump(mode="json", exclude_none=True),
    }
