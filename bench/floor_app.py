"""The floor for the webhook: a bare FastAPI route that checks the HMAC and publishes."""

import hashlib
import hmac
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats
import uvicorn
from fastapi import FastAPI, Request, Response

SECRET = os.environ["FLOOR_SECRET"].encode()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    connection = await nats.connect(os.environ["SABATINA_NATS_URL"])
    app.state.jetstream = connection.jetstream(publish_async_max_pending=4000)
    yield
    await connection.close()


app = FastAPI(lifespan=lifespan)


@app.get("/ready")
async def ready() -> str:
    return "ok"


@app.post("/webhook")
async def webhook(request: Request) -> Response:
    body = await request.body()
    expected = "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, request.headers.get("x-hub-signature-256", "")):
        return Response(status_code=401)
    message = json.loads(body)["entry"][0]["changes"][0]["value"]["messages"][0]
    await request.app.state.jetstream.publish(
        "sabatina.message.received.7", body, headers={"Nats-Msg-Id": message["id"]}
    )
    return Response(status_code=200)


if __name__ == "__main__":
    port = int(os.environ["FLOOR_PORT"])
    uvicorn.run(
        app, port=port, loop="uvloop", http="httptools", access_log=False, log_level="error"
    )
