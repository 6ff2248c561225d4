from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from common.service import Service, running
from common.topology import MESSENGER_FOLLOW, MESSENGER_SEND, MESSENGER_STATUSES
from messenger import catalogue
from messenger.channels.cloud import CloudChannel
from messenger.dispatch import Dispatcher, Outlet
from messenger.handlers import Handlers
from messenger.pacing import RedisPacer
from messenger.rendering import Renderer
from messenger.settings import Settings
from messenger.sweeping import Sweeper


async def main() -> None:
    settings = Settings()
    renderer = Renderer(catalogue.load(settings.content), settings.constants)
    async with running(settings) as service, AsyncExitStack() as opened:
        outlets = []
        if "cloud" in settings.channels:
            outlets.append(await opened.enter_async_context(_cloud(settings)))
        _wire(service, renderer, outlets)
        await service.run()


@asynccontextmanager
async def _cloud(settings: Settings) -> AsyncIterator[Outlet]:
    number_id = settings.whatsapp_phone_number_id
    channel = CloudChannel(
        settings.whatsapp_api_url,
        number_id,
        settings.whatsapp_access_token.get_secret_value(),
        connections=settings.messenger_in_flight,
    )
    pacer = RedisPacer(
        settings.redis_url.get_secret_value(),
        number_id,
        settings.whatsapp_rate,
        settings.messenger_replicas,
    )
    try:
        yield Outlet("cloud", number_id, channel, pacer, settings.messenger_in_flight)
    finally:
        await channel.close()
        await pacer.aclose()


def _wire(service: Service, renderer: Renderer, outlets: Sequence[Outlet]) -> None:
    database = service.use_database("messenger")
    dispatchers = [Dispatcher(database, service.clock, renderer, outlet) for outlet in outlets]

    def wake() -> None:
        for dispatcher in dispatchers:
            dispatcher.wake()

    sweeper = Sweeper(database, service.clock, wake)
    handlers = Handlers(service.clock, wake)
    service.consume(MESSENGER_SEND).handle_batches(handlers.queue_messages)
    service.consume(MESSENGER_STATUSES).handle_batches(handlers.follow_deliveries)
    service.consume(MESSENGER_FOLLOW).handle_batches(handlers.follow_people)
    for outlet, dispatcher in zip(outlets, dispatchers, strict=True):
        service.in_background(f"dispatcher-{outlet.name}", dispatcher.run)
    service.in_background("sweeper", sweeper.run)
    service.on_clock_change(wake)
    service.on_clock_change(sweeper.wake)
