"""The spans that Anthropic's SDK makes by itself: nothing is instrumented.

They tell more than those of the instrumentations: how long each cache write lasts, and the time
to the first token. Prompts and answers they do not tell.
"""

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import anthropic_calls

# Sends to OTEL_EXPORTER_OTLP_ENDPOINT, or else to port 4318 of this machine.
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)

try:
    anthropic_calls.run()
finally:
    provider.shutdown()  # Sends the spans that still wait.
