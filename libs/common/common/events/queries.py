"""Short reads between services: core request/reply, no effect, no history."""

from typing import ClassVar

from pydantic import AwareDatetime

from common.events.base import Language, Value
from common.events.people import Preferences, UserState
from common.ids import UserId


class Query(Value):
    subject: ClassVar[str]


class UserView(Value):
    user_id: UserId
    name: str | None
    phone: str | None
    state: UserState
    language: Language
    preferences: Preferences | None
    created_at: AwareDatetime
    updated_at: AwareDatetime


class GetUser(Query):
    subject: ClassVar[str] = "user.get"

    user_id: UserId


class ListUsers(Query):
    subject: ClassVar[str] = "user.list"

    state: UserState | None = None
    after: UserId | None = None
    limit: int = 50


class UserPage(Value):
    items: tuple[UserView, ...]
    next_after: UserId | None


class MergeView(Value):
    user_id: UserId
    into: UserId
    merged_at: AwareDatetime
    reversible_until: AwareDatetime
    reversed_at: AwareDatetime | None = None


class ListMerges(Query):
    subject: ClassVar[str] = "merge.list"

    limit: int = 50


class MergePage(Value):
    """Newest first."""

    items: tuple[MergeView, ...]
