"""Wires the service together."""

from collections.abc import Sequence
from functools import partial

from common.bus.consumer import Delivery
from common.database import Database, Transaction
from common.events import (
    ChangeUser,
    DeleteUser,
    GetUser,
    LearnAliases,
    ListMerges,
    ListUsers,
    Message,
    MessageReceived,
    PreferenceReceived,
    RegisterUser,
    ReverseMerge,
    UnsubscribeUser,
    VoiceTranscribed,
)
from common.service import Service, running
from common.topology import USERS_COMMANDS, USERS_FOLLOW, USERS_UNDERSTAND
from users import acquaintance, handlers, merging, queries, registration, switch
from users.occasion import Occasion
from users.settings import Settings
from users.store import Store


async def main() -> None:
    settings = Settings()
    async with running(settings) as service:
        database = service.use_database("users")
        understand(service, settings.policy_version)
        obey(service, settings)
        follow(service, settings.policy_version)
        service.in_background("merges", merging.Purge(database, service.clock).run)
        await answer(service, database)
        await service.run()


def understand(service: Service, policy_version: str) -> None:
    inbound = service.consume(USERS_UNDERSTAND)
    now = service.clock.now

    async def understand_message(message: MessageReceived, tx: Transaction) -> None:
        turn = handlers.Turn(message, now(), policy_version)
        await handlers.understand_message(turn, Store(tx))

    inbound.handle(MessageReceived, understand_message)
    inbound.handle(
        PreferenceReceived,
        lambda event, tx: switch.hear_preference(event, Store(tx), now(), policy_version),
    )
    inbound.handle(
        VoiceTranscribed,
        lambda event, tx: handlers.hear_transcript(event, Store(tx), now(), policy_version),
    )


def obey(service: Service, settings: Settings) -> None:
    now = service.clock.now
    commands = service.consume(USERS_COMMANDS)
    commands.handle(
        RegisterUser,
        lambda command, tx: registration.register_user(command, Store(tx), now(), settings.channel),
    )
    commands.handle(
        ChangeUser, lambda command, tx: registration.change_user(command, Store(tx), now())
    )
    commands.handle(
        UnsubscribeUser,
        lambda command, tx: registration.unsubscribe_user(
            command, Store(tx), now(), settings.policy_version
        ),
    )
    commands.handle(
        DeleteUser, lambda command, tx: registration.delete_user(command, Store(tx), now())
    )

    def occasion(command: Message) -> Occasion:
        return Occasion(command.message_id, settings.channel, now(), settings.policy_version)

    commands.handle(
        LearnAliases,
        lambda command, tx: acquaintance.learn_aliases(command, Store(tx), occasion(command)),
    )
    commands.handle(
        ReverseMerge,
        lambda command, tx: merging.reverse_merge(command, Store(tx), occasion(command)),
    )


def follow(service: Service, policy_version: str) -> None:
    async def follow_news(deliveries: Sequence[Delivery], transaction: Transaction) -> None:
        events = [delivery.message for delivery in deliveries]
        now = service.clock.now()
        await handlers.follow(events, Store(transaction), now, policy_version)

    service.consume(USERS_FOLLOW).handle_batches(follow_news)


async def answer(service: Service, database: Database) -> None:
    publisher = service.publisher
    await publisher.serve(GetUser, partial(queries.get_user, database=database), group="users")
    await publisher.serve(ListUsers, partial(queries.list_users, database=database), group="users")
    await publisher.serve(
        ListMerges, partial(queries.list_merges, database=database), group="users"
    )
