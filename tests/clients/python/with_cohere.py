"""cohere: rerank of both versions of its client, by a reranker and by a model that embeds."""

import cohere
from cohere.errors import NotFoundError, UnprocessableEntityError

from cases import case, expect, near, refused, says

LIBRARY = "cohere"
QUERY = "two oars"
DOCUMENTS = ["a quiet harbour", "a pair of oars", "a dull , lifeless mess"]


def first(server):
    return cohere.Client("none", base_url=server.url)


def second(server):
    return cohere.ClientV2("none", base_url=server.url)


def best_first(scores):
    """The place of every score with it."""
    return sorted(enumerate(scores), key=lambda item: -item[1])


@case("rerank by a reranker")
def by_a_reranker(servers):
    server = servers.reranker
    scores = [server.scores(QUERY, document)[0][1] for document in DOCUMENTS]
    expected = best_first(scores)
    for client in [first(server), second(server)]:
        got = client.rerank(model=server.model, query=QUERY, documents=DOCUMENTS)
        expect("the ranks", [(one.index, one.relevance_score) for one in got.results], expected)


@case("rerank by a model that embeds")
def by_cosine(servers):
    server = servers.default
    expected = best_first(server.cosines(QUERY, DOCUMENTS))
    for client in [first(server), second(server)]:
        got = client.rerank(model=server.model, query=QUERY, documents=DOCUMENTS)
        expect("the order", [one.index for one in got.results], [index for index, _ in expected])
        scores = [score for _, score in expected]
        near("the scores", [one.relevance_score for one in got.results], scores)


@case("rerank: the best alone, with its document, which may be an object")
def options(servers):
    server = servers.reranker
    options = {"model": server.model, "query": QUERY, "top_n": 1}
    for documents in [DOCUMENTS, [{"text": document} for document in DOCUMENTS]]:
        got = first(server).rerank(
            documents=documents, return_documents=True, max_chunks_per_doc=10, **options
        )
        expect("how many", len(got.results), 1)
        expect("the text", got.results[0].document.text, DOCUMENTS[got.results[0].index])
    got = second(server).rerank(documents=DOCUMENTS, max_tokens_per_doc=4096, **options)
    expect("how many", len(got.results), 1)


@case("rerank: who answered")
def who(servers):
    server = servers.reranker
    for client in [first(server), second(server)]:
        got = client.rerank(model=server.model, query=QUERY, documents=DOCUMENTS)
        expect("the length of the id", len(got.id), 32)
        expect("the search units", got.meta.billed_units.search_units, 1)


@case("a model that is not there, and an empty text")
def refusals(servers):
    server = servers.default
    for client in [first(server), second(server)]:
        ask = client.rerank
        error = refused(
            NotFoundError, lambda: ask(model="rerank-v3.5", query=QUERY, documents=DOCUMENTS)
        )
        says("the message", error.body["message"], "rerank-v3.5", server.model)
        error = refused(
            UnprocessableEntityError,
            lambda: ask(model=server.model, query=QUERY, documents=["two oars", ""]),
        )
        says("the message", error.body["message"], "text 1 is empty")
