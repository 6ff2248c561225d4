"""The people with phones: who they are, what they say and what they do to their accounts."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, ConfigDict, StringConstraints
from starlette.responses import PlainTextResponse

from simulator.phones import Phone
from simulator.said import Said
from simulator.scenarios.recording import recorded
from simulator.stage import Stage
from simulator.transcript import ChannelName, Message
from simulator.views import PhoneChange, PhoneView, change, phone_view


class Taken(BaseModel):
    id: str
    phone: str


class Preference(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    wanted: bool


class NewNumber(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    number: Annotated[str, StringConstraints(min_length=7)]


def routes(stage: Stage) -> APIRouter:
    router = APIRouter(prefix="/phones")
    _add_people(router, stage)
    _add_chats(router, stage)
    _add_accounts(router, stage)
    return router


def _add_people(router: APIRouter, stage: Stage) -> None:
    @router.get("")
    async def list_phones(limit: int | None = Query(None, ge=1)) -> list[PhoneView]:
        """With a limit, those who were active last."""
        phones = stage.phones.all()
        if limit is not None:
            phones = sorted(phones, key=_last_activity, reverse=True)[:limit]
        return [phone_view(phone) for phone in phones]

    @router.get("/{phone}")
    async def read_phone(phone: str) -> PhoneView:
        return phone_view(_known(stage, phone))

    @router.put("/{phone}")
    async def change_phone(phone: str, wanted: PhoneChange) -> PhoneView:
        person = stage.phones.get_or_create(phone)
        change(person, wanted)
        stage.waha.chats.chat_id_of(person)
        stage.phones.touch(person)
        return phone_view(person)


def _add_chats(router: APIRouter, stage: Stage) -> None:
    @router.post("/{phone}/messages", status_code=202)
    async def say(phone: str, said: Said, name: str | None = None) -> Taken:
        person = stage.phones.get_or_create(phone)
        person.name = said.name or name or person.name
        return Taken(id=stage.say(person, said).id, phone=person.number)

    @router.get("/{phone}/messages", response_model_exclude_none=True)
    async def read_transcript(phone: str, channel: ChannelName | None = None) -> list[Message]:
        person = stage.phones.find(phone)
        return person.messages_of(channel) if person else []

    @router.get("/{phone}/scenario")
    async def read_scenario(phone: str, channel: ChannelName | None = None) -> PlainTextResponse:
        """The chat as a scenario file: what was said, and what must come of it."""
        person = _known(stage, phone)
        text = recorded(person.name, person.number, person.messages_of(channel))
        return PlainTextResponse(text, media_type="application/yaml")


def _add_accounts(router: APIRouter, stage: Stage) -> None:
    @router.post("/{phone}/marketing")
    async def prefer_marketing(phone: str, wish: Preference) -> PhoneView:
        """WhatsApp's own switch for marketing messages; the business is told."""
        person = stage.phones.get_or_create(phone)
        stage.business.happenings.prefer(person, wants_marketing=wish.wanted)
        return phone_view(person)

    @router.post("/{phone}/number")
    async def change_number(phone: str, new: NewNumber) -> PhoneView:
        """The person moves to another number, with all chats; the business is told."""
        person = _known(stage, phone)
        stage.business.happenings.change_number(person, new.number)
        return phone_view(person)

    @router.post("/{phone}/user-id")
    async def change_user_id(phone: str) -> PhoneView:
        """WhatsApp gives the person another business-scoped id; the business is told."""
        person = _known(stage, phone)
        stage.business.happenings.change_user_id(person)
        return phone_view(person)


def _known(stage: Stage, phone: str) -> Phone:
    person = stage.phones.find(phone)
    if person is None:
        raise HTTPException(404, f"nobody has the number {phone}")
    return person


def _last_activity(phone: Phone) -> float:
    return phone.messages[-1].at.timestamp() if phone.messages else float("inf")
