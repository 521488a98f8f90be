"""OpenTelemetry's earlier instrumentation of OpenAI, for programs that use the SDK 1.x or 2.x.

It tells no prompts and no answers unless OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT
is set, and neither cached nor reasoning tokens: a call that read from a cache seems dearer than
it was. with_opentelemetry.py has its successor.
"""

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import openai_calls

# Sends to OTEL_EXPORTER_OTLP_ENDPOINT, or else to port 4318 of this machine.
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)

OpenAIInstrumentor().instrument()

try:
    openai_calls.run()
finally:
    provider.shutdown()  # Sends the spans that still wait.
