"""The phone page: static files, no build step."""

from pathlib import Path

from fastapi import APIRouter
from starlette.responses import FileResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

HERE = Path(__file__).parent / "static"
HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' http: https: data:",
    "X-Content-Type-Options": "nosniff",
}


def routes() -> APIRouter:
    router = APIRouter()

    @router.get("/", include_in_schema=False)
    async def index() -> Response:
        return FileResponse(HERE / "index.html", headers=HEADERS)

    router.routes.append(Mount("/page", StaticFiles(directory=HERE)))
    return router
