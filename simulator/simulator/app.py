from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse

from simulator import control, openai, page
from simulator.clock import TimeGoesBackwards
from simulator.numbers import InvalidNumber
from simulator.phones import NumberTaken
from simulator.said import NoSuchChannel, NothingThere, UnknownReply
from simulator.stage import Stage
from simulator.waha import control as waha_control


def create_app(stage: Stage) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with stage.running():
            yield

    app = FastAPI(title="Sabatina simulator", lifespan=lifespan, docs_url=None, redoc_url=None)
    _add_health(app, stage)
    app.include_router(control.routes(stage))
    app.include_router(waha_control.routes(stage.waha, stage.phones))
    app.include_router(openai.routes(stage))
    app.include_router(page.routes())
    app.router.routes.extend(stage.waha.routes())
    app.router.routes.extend(stage.business.api.routes())
    _add_error_answers(app)
    return app


def _add_health(app: FastAPI, stage: Stage) -> None:
    @app.get("/health")
    async def health() -> dict[str, str | int]:
        return {
            "status": "ok",
            "seed": stage.settings.simulator_seed,
            "webhooks_queued": stage.business.delivery.count_queued(),
        }


def _add_error_answers(app: FastAPI) -> None:
    @app.exception_handler(InvalidNumber)
    @app.exception_handler(NumberTaken)
    @app.exception_handler(TimeGoesBackwards)
    async def unprocessable(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 422)

    @app.exception_handler(NothingThere)
    @app.exception_handler(NoSuchChannel)
    async def nothing_there(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 404)

    @app.exception_handler(UnknownReply)
    async def unknown_reply(request: Request, error: UnknownReply) -> JSONResponse:
        options = [{"id": option.id, "title": option.title} for option in error.options]
        return JSONResponse({"detail": str(error), "options": options}, 404)
