"""What can go wrong with a person, besides a refused command."""

from common.errors import SabatinaError
from common.events import UserState


class UsersError(SabatinaError):
    pass


class SenderHasNoName(UsersError):
    def __init__(self) -> None:
        super().__init__("an inbound message names no sender")


class StateMoveForbidden(UsersError):
    def __init__(self, before: UserState, after: UserState) -> None:
        super().__init__(f"nobody moves from {before} to {after}")


class PersonKeepsVanishing(UsersError):
    retryable = True

    def __init__(self) -> None:
        super().__init__("the person was deleted again and again while the message was read")


class NamesJustTaken(UsersError):
    """Read again, the message finds whoever took them, and the two are united."""

    retryable = True

    def __init__(self) -> None:
        super().__init__("somebody new was created under the names that a person has changed to")


class MergeMovedOn(UsersError):
    retryable = True

    def __init__(self) -> None:
        super().__init__("the people of the merge were changed while it was read")
