"""OpenTelemetry's own instrumentations of OpenAI and Anthropic.

They tell no prompts and no answers unless OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT
is set to span_only.
"""

import os

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.genai.anthropic import AnthropicInstrumentor
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import anthropic_calls
import openai_calls

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
