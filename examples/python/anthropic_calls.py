"""Calls to Anthropic as any program makes them: nothing in here knows of telemetry."""

import os

import anthropic

MAX_TOKENS = 1000
MESSAGES = [{"role": "user", "content": "Which way to the station?"}]


def message(client: anthropic.Anthropic, model: str) -> None:
    answer = client.messages.create(model=model, max_tokens=MAX_TOKENS, messages=MESSAGES)
    print(f"{model}: {''.join(part.text for part in answer.content if part.type == 'text')}")


def streamed_message(client: anthropic.Anthropic, model: str) -> None:
    with client.messages.stream(
        model=model, max_tokens=MAX_TOKENS, messages=MESSAGES
    ) as stream:
        print(f"{model}, streamed: {''.join(stream.text_stream)}")


def streamed_events(client: anthropic.Anthropic, model: str) -> None:
    events = client.messages.create(
        model=model, max_tokens=MAX_TOKENS, messages=MESSAGES, stream=True
    )
    print(f"{model}, as events: {', '.join(event.type for event in events)}")


def refused_message(client: anthropic.Anthropic, model: str) -> None:
    """Also a refused call is a span: it has an error instead of an answer."""
    try:
        message(client, model)
    except anthropic.APIStatusError as error:
        print(f"{model}: refused with HTTP {error.status_code}")


def run() -> None:
    """Makes one call of each kind, to ANTHROPIC_BASE_URL where that is set."""
    client = anthropic.Anthropic()
    message(client, "claude-sonnet-4-5")
    streamed_message(client, "claude-sonnet-4-5")
    streamed_events(client, "claude-sonnet-4-5")
    refused_message(client, os.environ.get("EXAMPLE_REFUSED_MODEL", "no-such-model"))
