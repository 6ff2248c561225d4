import re
from typing import Any

import httpx
import psycopg
import pytest

from devstack.pytest_plugin import Migrated

from .conftest import ADMIN_KEY, People

ANA = {
    "name": "Ana",
    "phone": "+5511987654321",
    "language": "pt",
    "tracks": ["python", "dsa"],
    "level": 2,
    "timezone": "America/Sao_Paulo",
    "time": "09:00",
    "consent": True,
}
KEY = {"Authorization": f"Bearer {ADMIN_KEY}"}


async def register(client: httpx.AsyncClient, **changes: Any) -> httpx.Response:
    return await client.post("/api/users/register", json=ANA | changes)


async def test_a_new_number_is_created_and_a_known_one_is_found(
    client: httpx.AsyncClient, people: People
) -> None:
    first, second = await register(client), await register(client)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert first.json()["user_id"] == first.json()["id"]
    assert first.json()["state"] == "pending"
    assert len(people.by_phone) == 1


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("phone", "11987654321"),
        ("phone", "+55 1"),
        ("phone", ""),
        ("phone", 5511987654321),
        ("phone", "+5511987654321<script>"),
        ("language", "fr"),
        ("tracks", []),
        ("tracks", ["cobol"]),
        ("level", 4),
        ("level", "x"),
        ("timezone", "Mars/Base"),
        ("timezone", "../../etc/passwd"),
        ("time", "24:00"),
        ("time", "9"),
        ("consent", False),
        ("name", "x" * 81),
        ("surprise", 1),
    ],
)
async def test_a_wrong_field_is_named_with_advice(
    client: httpx.AsyncClient, field: str, wrong: Any
) -> None:
    answer = await register(client, **{field: wrong})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    [error] = answer.json()["errors"]
    assert error["field"] == field
    assert len(error["message"]) > 10


async def test_a_field_with_two_wrong_items_is_named_once(client: httpx.AsyncClient) -> None:
    answer = await register(client, tracks=["cobol", "python", "fortran"])
    assert [error["field"] for error in answer.json()["errors"]] == ["tracks"]


@pytest.mark.parametrize(
    ("phone", "zone"),
    [
        ("+5511987654321", "America/Sao_Paulo"),
        ("+5592987654321", "America/Manaus"),
        ("+12125550123", "America/New_York"),
        ("+18005550123", "America/New_York"),
        ("+525512345678", "America/Mexico_City"),
        ("+351912345678", "Europe/Lisbon"),
        ("+34612345678", "Europe/Madrid"),
        ("+79161234567", "Europe/Moscow"),
        ("+56912345678", "America/Santiago"),
        ("+819012345678", "Asia/Tokyo"),
    ],
)
async def test_a_zone_that_is_left_out_is_the_numbers_own(
    client: httpx.AsyncClient, people: People, phone: str, zone: str
) -> None:
    whole = {key: value for key, value in ANA.items() if key != "timezone"}
    answer = await client.post("/api/users/register", json=whole | {"phone": phone})
    assert answer.status_code == 201
    preferences = people.by_phone[phone].preferences
    assert preferences is not None
    assert preferences.timezone == zone


async def test_missing_fields_are_all_named(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/users/register", json={})
    named = {error["field"] for error in answer.json()["errors"]}
    assert named == {"phone", "language", "tracks", "consent"}


async def test_a_name_loses_markup_and_control_characters(
    client: httpx.AsyncClient, people: People
) -> None:
    await register(client, name="*Ana*\u202e <b>\n")
    assert people.by_phone[ANA["phone"]].name == "Ana b"  # type: ignore[index]


async def test_the_eleventh_registration_in_a_minute_must_wait(
    client: httpx.AsyncClient, people: People
) -> None:
    codes = [(await register(client)).status_code for _ in range(11)]
    last = await register(client)
    assert codes.count(429) >= 1 or last.status_code == 429
    assert 0 < int(last.headers["retry-after"]) <= 60


async def test_a_body_over_64_kib_is_refused(client: httpx.AsyncClient) -> None:
    assert (await register(client, name="x" * 70_000)).status_code == 413


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_the_admin_api_needs_the_key(client: httpx.AsyncClient, method: str) -> None:
    path = "/api/users/00000000-0000-4000-8000-000000000001"
    assert (await client.request(method, path, json={})).status_code == 401
    wrong = {"Authorization": "Bearer guess"}
    assert (await client.request(method, path, json={}, headers=wrong)).status_code == 403


async def test_a_person_can_be_read_changed_unsubscribed_and_deleted(
    client: httpx.AsyncClient, people: People, migrated: Migrated
) -> None:
    user_id = (await register(client)).json()["id"]
    path = f"/api/users/{user_id}"
    assert (await client.get(path, headers=KEY)).json()["phone"] == ANA["phone"]
    page = (await client.get("/api/users", headers=KEY)).json()
    assert [item["user_id"] for item in page["items"]] == [user_id]
    changed = await client.patch(path, json={"language": "en"}, headers=KEY)
    assert changed.json()["language"] == "en"
    stopped = await client.post(f"{path}/unsubscribe", headers=KEY)
    assert stopped.json()["state"] == "opted_out"
    assert (await client.delete(path, headers=KEY)).status_code == 204
    with psycopg.connect(migrated.url("gateway")) as connection:
        rows = connection.execute("SELECT action FROM gateway.audit_log ORDER BY at").fetchall()
    assert [row[0] for row in rows] == ["change", "unsubscribe", "delete"]


async def test_an_unknown_person_is_404(client: httpx.AsyncClient, people: People) -> None:
    path = "/api/users/00000000-0000-4000-8000-000000000001"
    assert (await client.get(path, headers=KEY)).status_code == 404
    assert (await client.delete(path, headers=KEY)).status_code == 404


async def test_reads_say_so_when_the_users_service_is_away(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/users", headers=KEY)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]


async def test_the_start_page_and_health_answer(client: httpx.AsyncClient) -> None:
    assert "phone page" in (await client.get("/")).text
    for path in ("/health", "/health/"):
        assert (await client.get(path)).text == "ok"
    schema = (await client.get("/openapi.json")).json()
    assert "/api/users/register" in schema["paths"]


async def test_the_api_page_describes_what_is_really_answered(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert "HTTPValidationError" not in str(document)
    register = document["paths"]["/api/users/register"]["post"]["responses"]
    assert set(register) == {"200", "201", "202", "409", "413", "422", "429", "503"}
    for path in document["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    [(media_type, content)] = response["content"].items()
                    assert media_type == "application/problem+json"
                    assert content["schema"]["$ref"].endswith("/Problem")
                    assert content["example"]["status"] == int(status)
    assert set(document["components"]["schemas"]["Problem"]["properties"]) == {
        *("title", "status", "errors"),
    }
    assert "FieldProblem" in document["components"]["schemas"]


async def test_the_api_page_loads_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    page = (await client.get("/docs")).text
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert addresses
    for address in addresses:
        assert address.startswith("/")
        assert (await client.get(address)).status_code == 200
