import json
import logging as standard_logging
from collections.abc import Iterator

import pytest
import structlog
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from common import logging, telemetry


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = standard_logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_line_is_json_with_service_level_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    logging.configure("users", "1.2.3", level="INFO", as_json=True)
    structlog.get_logger().info("person_registered", consumer="users-commands")
    [line] = lines(capsys)
    assert line["event"] == "person_registered"
    assert (line["service"], line["version"], line["level"]) == ("users", "1.2.3", "info")
    assert line["timestamp"]


def test_the_standard_librarys_loggers_take_the_same_way(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logging.configure("users", "1", level="INFO", as_json=True)
    standard_logging.getLogger("uvicorn.error").warning("from +5511987654321")
    [line] = lines(capsys)
    assert line["event"] == "from [number]"
    assert line["service"] == "users"


def test_personal_data_is_masked_by_key_and_by_look(capsys: pytest.CaptureFixture[str]) -> None:
    logging.configure("users", "1", level="INFO", as_json=True)
    structlog.get_logger().info(
        "said", text="my answer", phone="+5511987654321", note="call +55 (11) 98765-4321 now"
    )
    [line] = lines(capsys)
    assert (line["text"], line["phone"]) == ("[redacted]", "[redacted]")
    assert line["note"] == "call [number] now"


def test_an_exception_is_its_name_and_place_without_its_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logging.configure("users", "1", level="INFO", as_json=True)
    try:
        raise ValueError("my secret answer")
    except ValueError as error:
        structlog.get_logger().error("failed", exc_info=error)
    [line] = lines(capsys)
    assert line["error"] == "ValueError"
    assert "test_logging.py" in str(line["where"])
    assert "secret" not in json.dumps(line)


def test_a_line_inside_a_span_names_its_trace(capsys: pytest.CaptureFixture[str]) -> None:
    logging.configure("users", "1", level="INFO", as_json=True)
    tracer = TracerProvider().get_tracer("test")
    with trace.use_span(tracer.start_span("turn")) as span:
        structlog.get_logger().info("inside")
    [line] = lines(capsys)
    assert line["trace_id"] == f"{span.get_span_context().trace_id:032x}"
    traceparent = telemetry.traceparent_of(span)
    assert traceparent
    assert str(line["trace_id"]) in traceparent


@pytest.mark.parametrize(
    ("level", "seen"), [("DEBUG", 4), ("INFO", 3), ("WARNING", 2), ("ERROR", 1)]
)
def test_the_level_is_a_setting(capsys: pytest.CaptureFixture[str], level: str, seen: int) -> None:
    logging.configure("users", "1", level=level, as_json=True)
    log = structlog.get_logger()
    for say in (log.debug, log.info, log.warning, log.error):
        say("word")
    assert len(lines(capsys)) == seen


def test_development_has_colours(capsys: pytest.CaptureFixture[str]) -> None:
    logging.configure("users", "1", level="INFO", as_json=False)
    structlog.get_logger().info("ready")
    assert "\x1b[" in capsys.readouterr().out
