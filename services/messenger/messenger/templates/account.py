"""The templates of a WhatsApp Business Account, over Meta's API."""

import re
from typing import Literal, TypeVar

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport
from pydantic import BaseModel, ConfigDict, ValidationError

from common.errors import SabatinaError
from messenger.catalogue import TemplateWording

TIMEOUT = 20.0  # seconds
PAGE = 100
MOST_PAGES = 100
FIELDS = "id,name,language,status,category,components,quality_score,rejected_reason"

Body = TypeVar("Body", bound=BaseModel)
Category = Literal["UTILITY", "MARKETING"]
_numbers = re.compile(r"\{\{(\d+)\}\}")


class Reply(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Button(Reply):
    type: str
    text: str = ""


class Component(Reply):
    type: str
    text: str | None = None
    buttons: tuple[Button, ...] = ()


class Quality(Reply):
    score: str | None = None


class AccountTemplate(Reply):
    """One translation, as Meta has it."""

    id: str
    name: str
    language: str
    status: str
    category: str | None = None
    components: tuple[Component, ...] = ()
    quality_score: Quality | None = None
    rejected_reason: str | None = None

    def text(self, kind: str) -> str:
        return next((c.text or "" for c in self.components if c.type.upper() == kind), "")

    @property
    def buttons(self) -> tuple[str, ...]:
        return tuple(button.text for c in self.components for button in c.buttons)

    @property
    def quality(self) -> str | None:
        return self.quality_score.score if self.quality_score else None

    @property
    def reason(self) -> str | None:
        return self.rejected_reason if self.rejected_reason not in (None, "", "NONE") else None


class _Cursors(Reply):
    after: str | None = None


class _Paging(Reply):
    cursors: _Cursors | None = None
    next: str | None = None


class _Page(Reply):
    data: tuple[AccountTemplate, ...]
    paging: _Paging | None = None

    @property
    def next_cursor(self) -> str | None:
        """The address in `next` holds the token and is never followed."""
        if self.paging is None or self.paging.next is None or self.paging.cursors is None:
            return None
        return self.paging.cursors.after


class _Problem(Reply):
    code: int
    message: str = ""
    error_user_msg: str | None = None


class _Refusal(Reply):
    error: _Problem


class _Done(Reply):
    """The answer to a creation or an edit; its status is asked for afterwards."""


class TemplateApiRefused(SabatinaError):
    def __init__(self, code: int, words: str) -> None:
        super().__init__(f"Meta refuses with {code}: {words}")
        self.code = code


class TemplateApiUnavailable(SabatinaError):
    """No answer that can be understood."""


class TemplateAccount:
    def __init__(self, api_url: str, account_id: str, token: str) -> None:
        self._api_url = api_url.rstrip("/")
        self._edge = f"{self._api_url}/{account_id}/message_templates"
        self._client = httpx.AsyncClient(
            transport=AiohttpTransport(),
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT,
            trust_env=False,
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def list(self) -> tuple[AccountTemplate, ...]:
        """Every page of it. Raises TemplateApiRefused or TemplateApiUnavailable."""
        found: list[AccountTemplate] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            query = {"fields": FIELDS, "limit": str(PAGE)} | ({"after": cursor} if cursor else {})
            page = await self._call(_Page, "GET", self._edge, query=query)
            found.extend(page.data)
            cursor = page.next_cursor
            if cursor is None:
                break
        return tuple(found)

    async def create(
        self, name: str, language: str, category: Category, wording: TemplateWording
    ) -> None:
        body: dict[str, object] = {
            "name": name,
            "language": language,
            "category": category,
            "components": components_of(wording),
        }
        await self._call(_Done, "POST", self._edge, body=body)

    async def edit(self, template_id: str, wording: TemplateWording) -> None:
        """Meta refuses it while a review is under way, and more than once a day."""
        url = f"{self._api_url}/{template_id}"
        await self._call(_Done, "POST", url, body={"components": components_of(wording)})

    async def _call(
        self,
        answer: type[Body],
        method: str,
        url: str,
        *,
        query: dict[str, str] | None = None,
        body: dict[str, object] | None = None,
    ) -> Body:
        try:
            response = await self._client.request(method, url, params=query, json=body)
        except (httpx.HTTPError, aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TemplateApiUnavailable(f"no answer: {type(error).__name__}") from None
        if not response.is_success:
            raise _refusal(response)
        try:
            return answer.model_validate_json(response.content)
        except ValidationError:
            raise TemplateApiUnavailable("an answer that is not Meta's") from None


def components_of(wording: TemplateWording) -> list[dict[str, object]]:
    body: dict[str, object] = {"type": "BODY", "text": wording.body}
    if _numbers.search(wording.body):
        body["example"] = {"body_text": [list(wording.examples)]}
    components = [body]
    if wording.footer:
        components.append({"type": "FOOTER", "text": wording.footer})
    if wording.buttons:
        buttons = [{"type": "QUICK_REPLY", "text": title} for title in wording.buttons]
        components.append({"type": "BUTTONS", "buttons": buttons})
    return components


def _refusal(response: httpx.Response) -> SabatinaError:
    try:
        problem = _Refusal.model_validate_json(response.content).error
    except ValidationError:
        return TemplateApiUnavailable(f"HTTP {response.status_code} without a reason")
    return TemplateApiRefused(problem.code, problem.error_user_msg or problem.message)
