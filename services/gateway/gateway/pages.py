"""The start page: one plain page, until the web front end takes its place."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, PlainTextResponse

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sabatina</title>
<style>
  body {{ font: 1.1rem/1.6 system-ui, sans-serif; max-width: 40rem }}
  body {{ margin: 4rem auto; padding: 0 1rem }}
  h1 {{ margin-bottom: 0 }} a {{ color: #0a6b55 }}
  @media (prefers-color-scheme: dark) {{
    body {{ background: #101614; color: #e6efec }} a {{ color: #5ad1b0 }}
  }}
</style>
<h1>Sabatina</h1>
<p>One technical interview question a day on WhatsApp, graded with evidence.</p>
<ul>
  {phone}
  <li><a href="/docs">The API</a>: register with <code>POST /api/users/register</code></li>
  <li><a href="/health">Health</a></li>
</ul>
</html>
"""
PHONE = '<li><a href="{url}">The phone page</a>: be the WhatsApp user (simulation)</li>'


def page_routes(simulator_url: str | None) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    page = PAGE.format(phone=PHONE.format(url=simulator_url) if simulator_url else "")

    @router.get("/", response_class=HTMLResponse)
    async def start() -> str:
        return page

    @router.get("/health", response_class=PlainTextResponse)
    @router.get("/health/", response_class=PlainTextResponse)
    async def health() -> str:
        return "ok"

    return router
