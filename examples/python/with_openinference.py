"""OpenInference's instrumentations of OpenAI and Anthropic."""

import os

from openinference.instrumentation import TraceConfig
from openinference.instrumentation.anthropic import AnthropicInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
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

# OpenInference tells prompts, answers and whole embeddings unless it is told not to.
without_content = TraceConfig(
    hide_inputs=True,
    hide_outputs=True,
    hide_embeddings_text=True,
    hide_embeddings_vectors=True,
)
OpenAIInstrumentor().instrument(config=without_content)
AnthropicInstrumentor().instrument(config=without_content)

try:
    openai_calls.run()
    anthropic_calls.run()
finally:
    provider.shutdown()  # Sends the spans that still wait.
