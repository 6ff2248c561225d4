"""Wires the service together."""

from collections.abc import Sequence
from functools import partial

from common.bus.consumer import Delivery
from common.database import Database, Transaction
from common.events import (
    ChangeUser,
    DeleteUser,
    GetUser,
    ListUsers,
    MessageReceived,
    RegisterUser,
    UnsubscribeUser,
)
from common.service import Service, running
from common.topology import USERS_COMMANDS, USERS_FOLLOW, USERS_UNDERSTAND
from users import handlers, queries, registration
from users.settings import Settings
from users.store import Store


async def main() -> None:
    settings = Settings()
    async with running(settings) as service:
        database = service.use_database("users")
        understand(service, settings.policy_version)
        obey(service, settings.policy_version)
        follow(service)
        await answer(service, database)
        await service.run()


def understand(service: Service, policy_version: str) -> None:
    async def understand_message(message: MessageReceived, transaction: Transaction) -> None:
        now = service.clock.now()
        turn = handlers.Turn(message, now, policy_version)
        await handlers.understand_message(turn, Store(transaction))

    service.consume(USERS_UNDERSTAND).handle(MessageReceived, understand_message)


def obey(service: Service, policy_version: str) -> None:
    clock = service.clock
    commands = service.consume(USERS_COMMANDS)
    commands.handle(
        RegisterUser,
        lambda command, tx: registration.register_user(command, Store(tx), clock.now()),
    )
    commands.handle(
        ChangeUser, lambda command, tx: registration.change_user(command, Store(tx), clock.now())
    )
    commands.handle(
        UnsubscribeUser,
        lambda command, tx: registration.unsubscribe_user(
            command, Store(tx), clock.now(), policy_version
        ),
    )
    commands.handle(
        DeleteUser, lambda command, tx: registration.delete_user(command, Store(tx), clock.now())
    )


def follow(service: Service) -> None:
    async def follow_questions(deliveries: Sequence[Delivery], transaction: Transaction) -> None:
        events = [delivery.message for delivery in deliveries]
        await handlers.follow_questions(events, Store(transaction), service.clock.now())

    service.consume(USERS_FOLLOW).handle_batches(follow_questions)


async def answer(service: Service, database: Database) -> None:
    publisher = service.publisher
    await publisher.serve(GetUser, partial(queries.get_user, database=database), group="users")
    await publisher.serve(ListUsers, partial(queries.list_users, database=database), group="users")
