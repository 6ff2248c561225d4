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
    number_id = settings.whatsapp_phone_number_id
    async with running(settings) as service:
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
            outlet = Outlet(number_id, channel, pacer, settings.messenger_in_flight)
            _wire(service, renderer, outlet)
            await service.run()
        finally:
            await channel.close()
            await pacer.aclose()


def _wire(service: Service, renderer: Renderer, outlet: Outlet) -> None:
    database = service.use_database("messenger")
    dispatcher = Dispatcher(database, service.clock, renderer, outlet)
    sweeper = Sweeper(database, service.clock, dispatcher.wake)
    handlers = Handlers(service.clock, dispatcher.wake)
    service.consume(MESSENGER_SEND).handle_batches(handlers.queue_messages)
    service.consume(MESSENGER_STATUSES).handle_batches(handlers.follow_deliveries)
    service.consume(MESSENGER_FOLLOW).handle_batches(handlers.follow_people)
    service.in_background("dispatcher", dispatcher.run)
    service.in_background("sweeper", sweeper.run)
    service.on_clock_change(dispatcher.wake)
    service.on_clock_change(sweeper.wake)
