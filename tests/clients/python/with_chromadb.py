"""chromadb-client: its HuggingFaceEmbeddingServer."""

from chromadb.utils.embedding_functions import HuggingFaceEmbeddingServer

from cases import case, expect, refused, says
from server import singles

LIBRARY = "chromadb-client"
TEXTS = ["two oars", "a quiet harbour", "x"]


@case("documents and queries, at /embed and at the server itself")
def documents(servers):
    for server, url in [
        (servers.default, f"{servers.default.url}/embed"),
        (servers.embedder, servers.embedder.url),
    ]:
        embed = HuggingFaceEmbeddingServer(url=url)
        expect("documents", [singles(one) for one in embed(TEXTS)], server.vectors(TEXTS))
        got = embed.embed_query(TEXTS[:1])
        expect("a query", [singles(one) for one in got], server.vectors(TEXTS[:1]))


@case("with a key")
def key(servers):
    server = servers.default
    embed = HuggingFaceEmbeddingServer(url=f"{server.url}/embed", api_key="none")
    expect("documents", [singles(one) for one in embed(TEXTS)], server.vectors(TEXTS))


@case("an empty text")
def empty(servers):
    embed = HuggingFaceEmbeddingServer(url=f"{servers.default.url}/embed")
    # It looks at no status, and takes the answer for a list.
    error = refused(ValueError, lambda: embed(["two oars", ""]))
    says("the message", error, "'error'")
