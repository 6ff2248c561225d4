from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from common.events import Channel as ChannelName
from common.events import InboundUnderstood, TranscribeVoice
from common.service import Service, running
from common.topology import (
    MESSENGER_FOLLOW,
    MESSENGER_SEND,
    MESSENGER_STATUSES,
    MESSENGER_TRANSCRIBE,
)
from messenger import catalogue
from messenger.catalogue import Catalogue
from messenger.channels.cloud import CloudChannel
from messenger.channels.cloud_media import CloudDownloads
from messenger.channels.media import MediaSource, WahaDownloads
from messenger.dispatch import Dispatcher, Outlet
from messenger.handlers import Handlers
from messenger.limits.budgets import TierAllowance
from messenger.limits.pacing import RedisPacer
from messenger.notices import Notices
from messenger.numbered import NumberedRenderer
from messenger.reading import Reading
from messenger.rendering import Renderer
from messenger.settings import Settings
from messenger.sweeping import Sweeper
from messenger.templates.account import TemplateAccount
from messenger.templates.watch import TemplateWatch
from messenger.transcriber import OpenAITranscriber
from messenger.voice import Voice
from messenger.waha import outlet as waha_outlet
from messenger.waha.outlet import Waha


async def main() -> None:
    settings = Settings()
    loaded = catalogue.load(settings.content)
    async with running(settings) as service, AsyncExitStack() as opened:
        service.use_database("messenger")
        watch = await opened.enter_async_context(_template_watch(settings, service, loaded))
        voice = await opened.enter_async_context(_voice(settings, service))
        service.consume(MESSENGER_TRANSCRIBE).handle_free(TranscribeVoice, voice.transcribe)
        renderer = Renderer(loaded, settings.constants, watch.current)
        outlets = []
        if "cloud" in settings.channels:
            outlets.append(await opened.enter_async_context(_cloud(settings, service)))
        waha = None
        if "waha" in settings.channels:
            waha = await opened.enter_async_context(waha_outlet.opened(settings, service))
            outlets.append(waha.outlet)
        _wire(service, settings, renderer, outlets, watch, waha)
        await service.run()


@asynccontextmanager
async def _cloud(settings: Settings, service: Service) -> AsyncIterator[Outlet]:
    number_id = settings.whatsapp_phone_number_id
    channel = CloudChannel(
        settings.whatsapp_api_url,
        number_id,
        settings.whatsapp_access_token.get_secret_value(),
        connections=settings.messenger_in_flight,
        clock=service.clock,
    )
    pacer = RedisPacer(
        settings.redis_url.get_secret_value(),
        number_id,
        settings.whatsapp_rate,
        settings.messenger_replicas,
    )
    try:
        yield Outlet(
            "cloud",
            number_id,
            channel,
            pacer,
            settings.messenger_in_flight,
            allowance=TierAllowance(settings.assumed_tier),
        )
    finally:
        await channel.close()
        await pacer.aclose()


@asynccontextmanager
async def _template_watch(
    settings: Settings, service: Service, loaded: Catalogue
) -> AsyncIterator[TemplateWatch]:
    account = None
    if settings.whatsapp_business_account_id and "cloud" in settings.channels:
        account = TemplateAccount(
            settings.whatsapp_api_url,
            settings.whatsapp_business_account_id,
            settings.whatsapp_access_token.get_secret_value(),
        )
    number_id = settings.whatsapp_phone_number_id
    assert service.database is not None
    try:
        yield TemplateWatch(service.database, service.clock, number_id, loaded.templates, account)
    finally:
        if account is not None:
            await account.close()


@asynccontextmanager
async def _voice(settings: Settings, service: Service) -> AsyncIterator[Voice]:
    sources: dict[ChannelName, MediaSource] = {}
    if "cloud" in settings.channels:
        sources["cloud"] = CloudDownloads(
            settings.whatsapp_api_url,
            settings.whatsapp_phone_number_id,
            settings.whatsapp_access_token.get_secret_value(),
        )
    if "waha" in settings.channels:
        sources["waha"] = WahaDownloads(settings.waha_url, settings.waha_api_key.get_secret_value())
    assert service.database is not None
    transcriber = OpenAITranscriber.from_settings(settings)
    voice = Voice(service.database, service.clock, sources, transcriber)
    try:
        yield voice
    finally:
        await voice.close()


def _wire(
    service: Service,
    settings: Settings,
    renderer: Renderer,
    outlets: Sequence[Outlet],
    watch: TemplateWatch,
    waha: Waha | None,
) -> None:
    database = service.database
    assert database is not None
    renderers: dict[ChannelName, Renderer | NumberedRenderer] = {
        "cloud": renderer,
        "waha": NumberedRenderer(renderer),
    }
    dispatchers = [
        Dispatcher(database, service.clock, renderers[outlet.name], outlet) for outlet in outlets
    ]

    def wake() -> None:
        for dispatcher in dispatchers:
            dispatcher.wake()

    sweeper = Sweeper(database, service.clock, wake)
    session_changed = waha.watch(service, settings, wake) if waha else {}
    handlers = Handlers(
        service.clock,
        wake,
        Notices(settings.whatsapp_phone_number_id, session_changed, watch.wake),
        _reading(service, settings, dispatchers),
    )
    service.consume(MESSENGER_SEND).handle_batches(handlers.queue_messages)
    service.consume(MESSENGER_STATUSES).handle_batches(handlers.follow_deliveries)
    service.consume(MESSENGER_FOLLOW).handle_batches(handlers.follow_people)
    for outlet, dispatcher in zip(outlets, dispatchers, strict=True):
        service.in_background(f"dispatcher-{outlet.name}", dispatcher.run)
    service.in_background("sweeper", sweeper.run)
    service.in_background("templates", watch.follow)
    service.in_background("templates-asked", partial(watch.keep_asking, wake))
    service.on_clock_change(wake)
    service.on_clock_change(sweeper.wake)


def _reading(
    service: Service, settings: Settings, dispatchers: Sequence[Dispatcher]
) -> Callable[[Sequence[InboundUnderstood]], None] | None:
    """Read marks of the Cloud API; on WAHA they are part of behaving like a person."""
    if not settings.read_receipts or service.database is None:
        return None
    for dispatcher in dispatchers:
        channel = dispatcher.outlet.channel
        if isinstance(channel, CloudChannel):
            reading = Reading(service.database, service.clock, channel, dispatcher.is_busy)
            service.in_background("reading", reading.run)
            return reading.offer
    return None
