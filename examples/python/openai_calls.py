"""Calls to OpenAI as any program makes them: nothing in here knows of telemetry."""

import os

import openai

QUESTION = "Which way to the station?"
MESSAGES = [{"role": "user", "content": QUESTION}]


def chat(client: openai.OpenAI, model: str) -> None:
    answer = client.chat.completions.create(model=model, messages=MESSAGES)
    print(f"{model}: {answer.choices[0].message.content}")


def streamed_chat(client: openai.OpenAI, model: str) -> None:
    # Without include_usage a stream tells no tokens, so nobody can say what the call cost.
    stream = client.chat.completions.create(
        model=model,
        messages=MESSAGES,
        stream=True,
        stream_options={"include_usage": True},
    )
    pieces = [choice.delta.content or "" for chunk in stream for choice in chunk.choices]
    print(f"{model}, streamed: {''.join(pieces)}")


def response(client: openai.OpenAI, model: str) -> None:
    answer = client.responses.create(model=model, input=QUESTION)
    print(f"{model}, Responses API: {answer.output_text}")


def embedding(client: openai.OpenAI, model: str) -> None:
    answer = client.embeddings.create(model=model, input=QUESTION)
    print(f"{model}: {len(answer.data[0].embedding)} dimensions")


def refused_chat(client: openai.OpenAI, model: str) -> None:
    """Also a refused call is a span: it has an error instead of an answer."""
    try:
        chat(client, model)
    except openai.APIStatusError as error:
        print(f"{model}: refused with HTTP {error.status_code}")


def run() -> None:
    """Makes one call of each kind, to OPENAI_BASE_URL where that is set."""
    client = openai.OpenAI()
    chat(client, "gpt-4o-mini")
    chat(client, "o3")
    streamed_chat(client, "gpt-4o-mini")
    response(client, "gpt-5-mini")
    embedding(client, "text-embedding-3-small")
    refused_chat(client, os.environ.get("EXAMPLE_REFUSED_MODEL", "no-such-model"))
