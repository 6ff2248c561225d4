"""The public and the admin API. Every effect is a command on the bus; reads ask the owner."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from common.bus.publisher import Publisher
from common.clock import Clock
from common.errors import NotAnswered
from common.events import (
    ChangeUser,
    Command,
    DeleteUser,
    GetUser,
    Language,
    ListUsers,
    Track,
    UnsubscribeUser,
    UserPage,
    UserRegistration,
    UserState,
    UserView,
)
from common.ids import UserId
from gateway.auth import RequireKey
from gateway.limits import RateLimit
from gateway.problems import Responses, problem, problem_responses
from gateway.registration import Registration
from gateway.settings import Settings
from gateway.store import AuditLog

ANSWER_WITHIN = 5.0  # seconds
EXAMPLE_ID = "01934f2a-7c00-7000-8000-000000000001"
EXAMPLE_ANSWER: JsonDict = {"id": EXAMPLE_ID, "user_id": EXAMPLE_ID, "state": "pending"}


class Registered(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_ANSWER]})

    id: Annotated[UUID, Field(description="The same as user_id.")]
    user_id: UUID
    state: UserState


class Accepted(BaseModel):
    """Stored, and not yet done."""

    title: str
    status: int


REGISTER_RESPONSES: Responses = {
    200: {"model": Registered, "description": "The number was already known."},
    202: {"model": Accepted, "description": "Saved; it will be done in a moment."},
    **problem_responses(409, 413, 429, 503),
}
ADMIN_RESPONSES = problem_responses(401, 403, 503)


class UserChanges(BaseModel):
    """Fields left out stay as they are."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name: Annotated[str | None, Field(max_length=80)] = None
    language: Language | None = None
    tracks: Annotated[list[Track] | None, Field(min_length=1, max_length=4)] = None
    level: Annotated[int | None, Field(ge=1, le=3)] = None
    timezone: str | None = None
    time: Annotated[str | None, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = None


def public_routes(
    settings: Settings, publisher: Publisher, clock: Clock, limit: RateLimit
) -> APIRouter:
    router = APIRouter(tags=["registration"])

    @router.post(
        "/register",
        status_code=201,
        response_model=Registered,
        response_description="A new number: created.",
        responses=REGISTER_RESPONSES,
    )
    async def register(registration: Registration, request: Request) -> Response:
        """Sign somebody up. They confirm once in the chat before anything is sent daily.

        201 for a new number, 200 when it was already known; never a second person for one number.
        """
        address = request.client.host if request.client else ""
        if wait := await limit.seconds_to_wait(address):
            title = f"Too many registrations from this address. Try again in {wait} seconds."
            return problem(429, title, headers={"Retry-After": str(wait)})
        command = registration.command(settings.consent_version, clock.now())
        try:
            answer = await publisher.ask(command, UserRegistration, timeout=ANSWER_WITHIN)
        except NotAnswered:
            title = "Saved, and waiting to be processed. The confirmation comes on WhatsApp."
            return JSONResponse(Accepted(title=title, status=202).model_dump(), 202)
        user_id = answer.user_id
        body = Registered(id=user_id, user_id=user_id, state=answer.state).model_dump(mode="json")
        return JSONResponse(body, 201 if answer.is_new else 200)

    return router


def admin_routes(
    settings: Settings, publisher: Publisher, clock: Clock, audit: AuditLog
) -> APIRouter:
    router = APIRouter(
        tags=["users"],
        dependencies=[Depends(RequireKey(settings.admin_key))],
        responses=ADMIN_RESPONSES,
    )

    async def do(command: Command, action: str, user_id: UUID) -> UserView:
        await audit.record(clock.now(), "admin-key", action, user_id)
        return await publisher.ask(command, UserView, timeout=ANSWER_WITHIN)

    @router.get("")
    async def list_users(
        state: UserState | None = None,
        after: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> UserPage:
        """A page of people, oldest first. `next_after` of one page is `after` of the next."""
        query = ListUsers(state=state, after=UserId(after) if after else None, limit=limit)
        return await publisher.query(query, UserPage)

    @router.get("/{user_id}", responses=problem_responses(404))
    async def get_user(user_id: UUID) -> UserView:
        return await publisher.query(GetUser(user_id=UserId(user_id)), UserView)

    @router.patch("/{user_id}", responses=problem_responses(404))
    async def change_user(user_id: UUID, changes: UserChanges) -> UserView:
        fields = changes.model_dump(exclude_unset=True)
        command = ChangeUser.model_validate(
            {"user_id": user_id, "occurred_at": clock.now(), **fields}
        )
        return await do(command, "change", user_id)

    @router.delete("/{user_id}", status_code=204, responses=problem_responses(404))
    async def delete_user(user_id: UUID) -> None:
        """Remove the person from every service. This cannot be undone."""
        now = clock.now()
        command = DeleteUser(user_id=UserId(user_id), occurred_at=now, source="admin")
        await do(command, "delete", user_id)

    @router.post("/{user_id}/unsubscribe", responses=problem_responses(404))
    async def unsubscribe_user(user_id: UUID) -> UserView:
        """The same as the person's own STOP."""
        now = clock.now()
        command = UnsubscribeUser(user_id=UserId(user_id), occurred_at=now, source="admin")
        return await do(command, "unsubscribe", user_id)

    return router
