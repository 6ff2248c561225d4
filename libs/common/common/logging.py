"""One JSON line an event in production, colours in development, personal data masked in both."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from opentelemetry import trace

LONG_NUMBER = re.compile(r"\+?\d(?:[\s()-]{0,2}\d){7,}")
PRIVATE_KEYS = frozenset(
    {"phone", "wa_id", "text", "body", "name", "token", "authorization", "secret", "payload"}
)
KEPT_KEYS = frozenset({"timestamp", "trace_id", "span_id", "message_id", "service", "version"})

Event = MutableMapping[str, Any]


def configure(
    service: str, version: str, *, level: str, as_json: bool, colors: bool = True
) -> None:
    """Route everything, the standard library's loggers included, through one set of processors."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_service(service, version),
        _add_trace,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=colors, pad_event_to=28)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _frames_without_values,
                redact,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for noisy in ("uvicorn.access", "httpx", "httpcore", "nats", "openai"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def redact(_logger: Any, _name: str, event: Event) -> Event:
    """Drop what is personal by its key, mask what looks like a number that reaches a person."""
    for key, value in event.items():
        if key in PRIVATE_KEYS:
            event[key] = "[redacted]"
        elif isinstance(value, str) and key not in KEPT_KEYS:
            event[key] = LONG_NUMBER.sub("[number]", value)
    return event


def _frames_without_values(_logger: Any, _name: str, event: Event) -> Event:
    """An exception is its class and where it was raised: its text may quote a person."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    elif isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["where"] = " < ".join(_frames(error))
    return event


def _frames(error: BaseException) -> list[str]:
    frames = []
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        frames.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{step.tb_lineno}:{code.co_name}")
        step = step.tb_next
    return list(reversed(frames))[:8]


def _add_service(service: str, version: str) -> Any:
    def add(_logger: Any, _name: str, event: Event) -> Event:
        event["service"] = service
        event["version"] = version
        return event

    return add


def _add_trace(_logger: Any, _name: str, event: Event) -> Event:
    span_context = trace.get_current_span().get_span_context()
    if span_context.is_valid:
        event["trace_id"] = f"{span_context.trace_id:032x}"
        event["span_id"] = f"{span_context.span_id:016x}"
    return event
