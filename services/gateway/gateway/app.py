"""Wires the gateway. HTTP stops first, so that nothing new comes in while the rest drains."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi_offline import FastAPIOffline

from common.bus.publisher import Publisher
from common.clock import Clock
from common.service import VERSION, running
from gateway import problems
from gateway.api import admin_routes, public_routes
from gateway.http import App, LimitedBodies, Observed
from gateway.limits import RateLimit
from gateway.merges import merge_routes
from gateway.pages import page_routes
from gateway.questions import question_routes
from gateway.reviews import review_routes
from gateway.settings import Settings
from gateway.store import AuditLog
from gateway.webhook import webhook_routes


class Server(uvicorn.Server):
    """Leaves the signals to the service, which stops things in the right order."""

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Several processes may share the port: the kernel spreads the connections."""
        await super().serve(sockets or [_listen(self.config.host, self.config.port)])

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.bind((host, port))
    listening.set_inheritable(True)
    return listening


def create_app(
    settings: Settings, publisher: Publisher, clock: Clock, limit: RateLimit, audit: AuditLog
) -> App:
    app = FastAPIOffline(title="Sabatina", version=VERSION, redirect_slashes=False)
    app.router.routes[:0] = webhook_routes(settings, publisher, clock)
    app.include_router(public_routes(settings, publisher, clock, limit), prefix="/api/users")
    admin = admin_routes(settings, publisher, clock, audit)
    app.include_router(admin, prefix="/api/users")
    app.include_router(merge_routes(settings, publisher, clock, audit), prefix="/api/v1/merges")
    app.include_router(review_routes(settings, publisher, clock, audit), prefix="/api/v1/reviews")
    questions = question_routes(settings, publisher, clock, audit)
    app.include_router(questions, prefix="/api/v1/questions")
    app.include_router(page_routes(settings.simulator_url if settings.simulation else None))
    problems.install(app)
    return Observed(LimitedBodies(app))


async def main() -> None:
    settings = Settings()
    async with running(settings) as service:
        database = service.use_database("gateway", is_essential=False)
        limit = RateLimit(
            settings.redis_url.get_secret_value(),
            settings.register_limit,
            settings.register_window,
        )
        audit = AuditLog(database)
        app = create_app(settings, service.publisher, service.clock, limit, audit)
        server = Server(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                log_config=None,
                access_log=False,
                lifespan="off",
                proxy_headers=True,
                forwarded_allow_ips=settings.trusted_proxies,
                timeout_graceful_shutdown=int(settings.drain_seconds),
                server_header=False,
            )
        )
        service.serve_http(server)
        await service.run()
        await limit.close()
