"""llama-index-embeddings-text-embeddings-inference: documents and queries, at once and awaited."""

import asyncio

from llama_index.embeddings.text_embeddings_inference import TextEmbeddingsInference

from cases import case, expect, refused
from server import singles

LIBRARY = "llama-index-embeddings-text-embeddings-inference"
TEXTS = ["two oars", "a quiet harbour", "x"]


def embedder(server, **options):
    return TextEmbeddingsInference(model_name=server.model, base_url=server.url, **options)


@case("a text, a query and a list")
def texts(servers):
    server = servers.default
    got = embedder(server).get_text_embedding(TEXTS[0])
    expect("a text", singles(got), server.vector(TEXTS[0]))
    got = embedder(server).get_query_embedding(TEXTS[1])
    expect("a query", singles(got), server.vector(TEXTS[1]))
    got = embedder(server, embed_batch_size=2).get_text_embedding_batch(TEXTS)
    expect("a list", [singles(one) for one in got], server.vectors(TEXTS))


@case("the same, awaited")
def awaited(servers):
    server = servers.default
    got = asyncio.run(embedder(server).aget_text_embedding_batch(TEXTS))
    expect("a list", [singles(one) for one in got], server.vectors(TEXTS))


@case("an instruction before every query, and a token")
def instruction(servers):
    server = servers.default
    got = embedder(server, query_instruction="find:", auth_token="none").get_query_embedding("x")
    expect("a query", singles(got), server.vector("find: x"))


@case("a text that is too long is cut, or refused")
def long(servers):
    server = servers.default
    long = "very good " * 300
    expect("cut", singles(embedder(server).get_text_embedding(long)), server.vector(long))
    # It looks at no status, and takes the answer for a list.
    refused(KeyError, lambda: embedder(server, truncate_text=False).get_text_embedding(long))


@case("an empty text")
def empty(servers):
    refused(KeyError, lambda: embedder(servers.default).get_text_embedding(""))
