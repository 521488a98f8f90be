"""OpenLLMetry's instrumentations of OpenAI and Anthropic."""

import os

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor
from opentelemetry.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import anthropic_calls
import openai_calls

# OpenLLMetry tells prompts and answers unless it is told not to.
os.environ.setdefault("TRACELOOP_TRACE_CONTENT", "false")
# Anthropic's SDK makes spans of its own, too: each call would count twice.
os.environ["ANTHROPIC_OPEN_TELEMETRY"] = "false"

# Sends to OTEL_EXPORTER_OTLP_ENDPOINT, or else to port 4318 of this machine.
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)

OpenAIInstrumentor().instrument()
AnthropicInstrumentor().instrument()

try:
    openai_calls.run()
    anthropic_calls.run()
finally:
    provider.shutdown()  # Sends the spans that still wait.
