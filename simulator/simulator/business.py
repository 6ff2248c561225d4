"""Everything that is the Cloud API's, wired together."""

from datetime import timedelta

from simulator import webhooks
from simulator.agenda import Agenda
from simulator.clock import Clock
from simulator.cloud_api import CloudApi, Edges
from simulator.delivery import WebhookDelivery
from simulator.faults import Faults
from simulator.happenings import Happenings
from simulator.journal import Journal
from simulator.media import MediaStore
from simulator.media_api import MediaApi
from simulator.moderation import Moderation
from simulator.person import People
from simulator.phones import Phones
from simulator.quirks import Quirks
from simulator.sending import Sending
from simulator.settings import Settings
from simulator.standing import Standing
from simulator.statuses import Statuses
from simulator.template_api import TemplateApi
from simulator.templates import TemplateBook


class Business:
    """Our account with Meta: its number, its templates, and the people who write to it."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        faults: Faults,
        phones: Phones,
        media: MediaStore,
        *,
        calls: Journal,
        webhook_journal: Journal,
    ) -> None:
        self._settings = settings
        self.account = _account(settings)
        self.agenda = Agenda(clock)
        self.standing = Standing(settings.simulator_tier)
        self.templates = TemplateBook(settings.simulator_templates)
        self.delivery = WebhookDelivery(settings, self.account, clock, faults, webhook_journal)
        self.people = People(clock, phones, self.delivery, self.account, media)
        self.happenings = Happenings(clock, phones, self.delivery, self.account, self.standing)
        self.moderation = Moderation(
            self.templates,
            clock,
            self.agenda,
            self.delivery,
            review_time=_review_time(settings),
        )
        statuses = Statuses(
            clock,
            phones,
            faults,
            self.delivery,
            self.account,
            gap_seconds=settings.simulator_status_gap_seconds,
        )
        self.sending = Sending(
            settings, clock, phones, self.templates, statuses, self.standing, media
        )
        template_api = TemplateApi(self.templates, self.moderation, clock)
        edges = Edges(self.sending, MediaApi(media), template_api)
        self.api = CloudApi(settings, clock, faults, self.account, self.standing, edges, calls)

    def reset(self) -> None:
        self.account.quirks = _quirks(self._settings)
        self.agenda.forget_all()
        self.standing.forget_all()
        self.templates.forget_all()
        self.delivery.forget_all()
        self.sending.forget_all()


def _review_time(settings: Settings) -> timedelta | None:
    seconds = settings.simulator_template_review_seconds
    return None if seconds is None else timedelta(seconds=seconds)


def _quirks(settings: Settings) -> Quirks:
    return Quirks(user_ids=settings.simulator_user_ids)


def _account(settings: Settings) -> webhooks.Account:
    return webhooks.Account(
        business_account_id=settings.simulator_business_account_id,
        metadata=webhooks.Metadata(
            display_phone_number=settings.simulator_business_phone,
            phone_number_id=settings.whatsapp_phone_number_id,
        ),
        quirks=_quirks(settings),
    )
