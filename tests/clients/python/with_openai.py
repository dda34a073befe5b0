"""openai: embeddings in every form it asks for, and the list of models."""

from openai import NotFoundError, OpenAI, UnprocessableEntityError

from cases import case, expect, near, refused, says
from server import length, singles, unpacked

LIBRARY = "openai"
TEXTS = ["two oars", "a quiet harbour — «naïve» 船 🙂"]


def client(server):
    return OpenAI(base_url=f"{server.url}/v1", api_key="none")


@case("embeddings, asked for in base64 as by default")
def embeddings(servers):
    server = servers.default
    answer = client(server).embeddings.create(model=server.model, input=TEXTS)
    expect("the vectors", [singles(one.embedding) for one in answer.data], server.vectors(TEXTS))
    expect("their places", [one.index for one in answer.data], [0, 1])
    expect("the model", answer.model, server.model)
    tokens = sum(server.ask("/encode", {"text": text})["tokens"] for text in TEXTS)
    expect("the tokens", (answer.usage.prompt_tokens, answer.usage.total_tokens), (tokens, tokens))


@case("embeddings in base64 that the caller unpacks")
def base64(servers):
    server = servers.default
    options = {"model": server.model, "encoding_format": "base64"}
    answer = client(server).embeddings.create(input=TEXTS[0], **options)
    expect("the type", type(answer.data[0].embedding), str)
    expect("the vector", unpacked(answer.data[0].embedding), server.vector(TEXTS[0]))


@case("embeddings as floats")
def floats(servers):
    server = servers.default
    options = {"model": server.model, "encoding_format": "float"}
    answer = client(server).embeddings.create(input=TEXTS[0], **options)
    expect("the vector", singles(answer.data[0].embedding), server.vector(TEXTS[0]))


@case("embeddings in fewer dimensions")
def dimensions(servers):
    server = servers.default
    options = {"model": server.model, "dimensions": 64}
    answer = client(server).embeddings.create(input=TEXTS[0], **options)
    got = singles(answer.data[0].embedding)
    expect("the vector", got, server.vector(TEXTS[0], dimensions=64))
    near("its length", [length(got)], [1])


@case("embeddings for an end user")
def user(servers):
    server = servers.default
    answer = client(server).embeddings.create(model=server.model, input=TEXTS[0], user="somebody")
    expect("the vector", singles(answer.data[0].embedding), server.vector(TEXTS[0]))


@case("the list of models, and one of them")
def models(servers):
    server = servers.default
    listed = client(server).models.list()
    expect("the list", [one.id for one in listed], [server.model])
    expect("the one", client(server).models.retrieve(server.model), listed.data[0])


@case("a model that is not there")
def no_model(servers):
    server = servers.default
    calls = [
        lambda: client(server).embeddings.create(model="gpt", input="two oars"),
        lambda: client(server).models.retrieve("gpt"),
        lambda: client(server).models.retrieve("somebody/gpt"),
    ]
    for call in calls:
        error = refused(NotFoundError, call)
        expect("the code", error.code, "model_not_found")
        expect("the type", error.type, "invalid_request_error")
        says("the message", error.message, "gpt", server.model)


@case("an empty text")
def empty(servers):
    server = servers.default
    for texts in ["", ["two oars", " "]]:
        create = client(server).embeddings.create
        error = refused(UnprocessableEntityError, lambda: create(model=server.model, input=texts))
        expect("the code", error.code, "empty_text")
        says("the message", error.message, "empty")


@case("token ids")
def ids(servers):
    server = servers.default
    for tokens in [[101, 2048], [[101, 2048], [102]]]:
        create = client(server).embeddings.create
        error = refused(UnprocessableEntityError, lambda: create(model=server.model, input=tokens))
        expect("the code", error.code, "invalid_request")
        says("the message", error.message, "token ids", "check_embedding_ctx_length=False")


@case("more dimensions than there are")
def too_many_dimensions(servers):
    server = servers.default
    options = {"model": server.model, "dimensions": 9999}
    create = client(server).embeddings.create
    error = refused(UnprocessableEntityError, lambda: create(input="two oars", **options))
    expect("the code", error.code, "invalid_option")
