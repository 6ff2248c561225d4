"""Traces: one for a person's turn, through every subject. Off unless an OTLP endpoint is set."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import context, propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, TraceFlags

TRACEPARENT = "traceparent"
_tracer = trace.get_tracer("sabatina")

AttributeValue = str | int | float | bool


def configure(service: str, version: str) -> None:
    """Export spans to the endpoint that the standard OTEL_* variables name, if they name one."""
    endpoint_names = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    is_disabled = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if is_disabled or not any(os.environ.get(name) for name in endpoint_names):
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": service, "service.version": version})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def shutdown() -> None:
    """Flush what is waiting to be exported. Blocks for up to the exporter's timeout."""
    provider = trace.get_tracer_provider()
    if (stop := getattr(provider, "shutdown", None)) is not None:
        stop()


def current_traceparent() -> str | None:
    return traceparent_of(trace.get_current_span())


def traceparent_of(span: Span) -> str | None:
    span_context = span.get_span_context()
    if not span_context.is_valid:
        return None
    flags = span_context.trace_flags & TraceFlags.SAMPLED
    return f"00-{span_context.trace_id:032x}-{span_context.span_id:016x}-{flags:02x}"


def context_from(carrier: Mapping[str, str] | str | None) -> Context:
    """The context that a message or a stored row carries; a fresh one when it carries none."""
    if isinstance(carrier, str):
        carrier = {TRACEPARENT: carrier}
    if not carrier or TRACEPARENT not in carrier:
        return Context()
    return propagate.extract(carrier, context=Context())


@contextmanager
def span(
    name: str,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    parent: Context | None = None,
    **attributes: AttributeValue,
) -> Iterator[Span]:
    """A span that is current inside the block. An exception's name is kept, its text is not:
    it might quote what a person wrote."""
    started = _tracer.start_span(name, context=parent, kind=kind, attributes=attributes)
    token = context.attach(trace.set_span_in_context(started, parent))
    try:
        yield started
    except BaseException as error:
        started.set_status(Status(StatusCode.ERROR, type(error).__name__))
        raise
    finally:
        context.detach(token)
        started.end()


def process_span(subject: str, consumer: str, parent: Context, deliveries: int) -> Span:
    """The consumer's span of one message: a child of the context that created the message."""
    creation = trace.get_current_span(parent).get_span_context()
    return _tracer.start_span(
        f"process {subject}",
        context=parent,
        kind=SpanKind.CONSUMER,
        links=[Link(creation)] if creation.is_valid else None,
        attributes={
            "messaging.system": "nats",
            "messaging.operation.name": "process",
            "messaging.destination.template": subject,
            "messaging.consumer.group.name": consumer,
            "nats.delivery.count": deliveries,
        },
    )


def fail(started: Span, error: BaseException) -> None:
    started.set_status(Status(StatusCode.ERROR, type(error).__name__))
