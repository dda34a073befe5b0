"""langchain-openai: OpenAIEmbeddings, which sends ids of another tokenizer unless told otherwise."""

import asyncio

import tiktoken
import tiktoken.registry
from langchain_openai import OpenAIEmbeddings
from openai import NotFoundError, UnprocessableEntityError

from cases import case, expect, refused, says
from server import singles

LIBRARY = "langchain-openai"
TEXTS = ["two oars", "a quiet harbour", "x"]

# The real one is downloaded at its first use. Which ids it would give makes no difference here.
tiktoken.registry.ENCODINGS["cl100k_base"] = tiktoken.Encoding(
    "cl100k_base",
    pat_str=r"\S+|\s+",
    mergeable_ranks={bytes([byte]): byte for byte in range(256)},
    special_tokens={},
)


def embeddings(server, **options):
    options = {"model": server.model, "api_key": "none", **options}
    return OpenAIEmbeddings(base_url=f"{server.url}/v1", **options)


@case("texts, with check_embedding_ctx_length=False")
def texts(servers):
    server = servers.default
    embed = embeddings(server, check_embedding_ctx_length=False)
    expect("a query", singles(embed.embed_query(TEXTS[0])), server.vector(TEXTS[0]))
    got = embed.embed_documents(TEXTS, chunk_size=2)
    expect("documents", [singles(one) for one in got], server.vectors(TEXTS))
    got = asyncio.run(embed.aembed_documents(TEXTS))
    expect("documents, awaited", [singles(one) for one in got], server.vectors(TEXTS))


@case("texts in fewer dimensions")
def dimensions(servers):
    server = servers.default
    embed = embeddings(server, check_embedding_ctx_length=False, dimensions=64)
    got = singles(embed.embed_query(TEXTS[0]))
    expect("a query", got, server.vector(TEXTS[0], dimensions=64))


@case("as it comes: ids are refused, and the message names the option")
def ids(servers):
    embed = embeddings(servers.default)
    for call in [lambda: embed.embed_query(TEXTS[0]), lambda: embed.embed_documents(TEXTS)]:
        error = refused(UnprocessableEntityError, call)
        says("the message", error, "token ids", "check_embedding_ctx_length=False")


@case("an empty text, and a model that is not there")
def refusals(servers):
    embed = embeddings(servers.default, check_embedding_ctx_length=False)
    error = refused(UnprocessableEntityError, lambda: embed.embed_documents(["two oars", ""]))
    expect("the code", error.code, "empty_text")
    embed = embeddings(servers.default, check_embedding_ctx_length=False, model="gpt")
    error = refused(NotFoundError, lambda: embed.embed_query(TEXTS[0]))
    expect("the code", error.code, "model_not_found")
