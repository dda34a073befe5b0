"""tritonclient: the Open Inference Protocol, in bytes behind JSON as by default, and in JSON alone."""

import numpy
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

from cases import case, expect, refused, says
from server import singles

LIBRARY = "tritonclient"
TEXTS = ["two oars", "a quiet harbour — «naïve» 船 🙂", "a dull , lifeless mess"]
PAIRS = ["a pair of oars", "a harbour", "x"]
BINARY = [True, False]


def client(server):
    return InferenceServerClient(server.url.removeprefix("http://"))


def tensor(name, texts, binary):
    tensor = InferInput(name, [len(texts)], "BYTES")
    tensor.set_data_from_numpy(numpy.array(texts, dtype=numpy.object_), binary_data=binary)
    return tensor


def infer(server, texts, binary=True, pairs=None, outputs=None, **options):
    inputs = [tensor("text", texts, binary)]
    if pairs:
        inputs.append(tensor("pair", pairs, binary))
    if outputs:
        outputs = [InferRequestedOutput(name, binary_data=binary) for name in outputs]
    options = {"model_name": server.model, **options}
    return client(server).infer(inputs=inputs, outputs=outputs, **options)


def words(array):
    """A tensor of texts, which is bytes where it came as bytes."""
    return [word.decode() if isinstance(word, bytes) else word for word in array.tolist()]


@case("the server and the model are there")
def there(servers):
    server = servers.default
    live = client(server)
    expect("live", live.is_server_live(), True)
    expect("ready", live.is_server_ready(), True)
    expect("the model", live.is_model_ready(server.model), True)
    expect("its version", live.is_model_ready(server.model, server.version), True)
    expect("another", live.is_model_ready("gpt"), False)
    expect("the server's name", live.get_server_metadata()["name"], "trireme")


@case("what the model takes and gives")
def metadata(servers):
    server = servers.default
    about = client(server).get_model_metadata(server.model)
    expect("the name", about["name"], server.model)
    says("its versions", about["versions"], server.version)
    tensors = {one["name"]: (one["datatype"], one["shape"]) for one in about["inputs"]}
    expect("the text", tensors["text"], ("BYTES", [-1]))
    tensors = {one["name"]: (one["datatype"], one["shape"]) for one in about["outputs"]}
    expect("the embedding", tensors["embedding"], ("FP32", [-1, len(server.vector("x"))]))
    expect("the scores", tensors["scores"], ("FP32", [-1, len(server.scores("x"))]))
    expect("the label", tensors["label"], ("BYTES", [-1]))
    expect("the prediction's shape", tensors["prediction"][1], [-1])


@case("embeddings, in bytes and in JSON")
def embeddings(servers):
    for server in [servers.default, servers.embedder]:
        expected = [singles(server.ask("/encode", {"text": text})["embedding"]) for text in TEXTS]
        for binary in BINARY:
            got = infer(server, TEXTS, binary, outputs=["embedding"]).as_numpy("embedding")
            expect("the type", str(got.dtype), "float32")
            expect(f"the vectors, binary {binary}", [singles(one) for one in got], expected)


@case("classes, in bytes and in JSON")
def classes(servers):
    server = servers.default
    predicted = [server.ask("/predict", {"text": text}) for text in TEXTS]
    scores = [singles(one["probabilities"].values()) for one in predicted]
    for binary in BINARY:
        got = infer(server, TEXTS, binary, outputs=["scores", "label", "prediction"])
        expect("the scores", [singles(one) for one in got.as_numpy("scores")], scores)
        expect("the labels", words(got.as_numpy("label")), [one["label"] for one in predicted])
        expect(
            "the predictions",
            got.as_numpy("prediction").tolist(),
            [one["prediction"] for one in predicted],
        )
        expect("what else", got.as_numpy("embedding"), None)


@case("pairs, in bytes and in JSON")
def pairs(servers):
    server = servers.reranker
    expected = [singles([server.scores(text, pair)[0][1]]) for text, pair in zip(TEXTS, PAIRS)]
    for binary in BINARY:
        got = infer(server, TEXTS, binary, pairs=PAIRS, outputs=["scores"]).as_numpy("scores")
        expect(f"the scores, binary {binary}", [singles(one) for one in got], expected)


@case("every output, where none is asked for by name")
def every(servers):
    server = servers.default
    for binary in BINARY:
        # The library then asks for bytes, also where it sent JSON.
        got = infer(server, TEXTS, binary, request_id="seven", model_version=server.version)
        about = got.get_response()
        expect("the id", about["id"], "seven")
        expect("the model", about["model_name"], server.model)
        expect("its version", about["model_version"], server.version)
        expect("how many labels", len(words(got.as_numpy("label"))), len(TEXTS))


@case("a model that is not there")
def no_model(servers):
    error = refused(
        InferenceServerException, lambda: infer(servers.default, TEXTS, model_name="gpt")
    )
    expect("the status", error.status(), "404")
    says("the message", error.message(), "gpt", servers.default.model)


@case("an empty text, no such input, and no such output")
def refusals(servers):
    server = servers.default
    for binary in BINARY:
        error = refused(InferenceServerException, lambda: infer(server, ["two oars", ""], binary))
        expect("the status", error.status(), "422")
        says("the message", error.message(), "text 1 is empty")
        error = refused(
            InferenceServerException, lambda: infer(server, TEXTS, binary, outputs=["logits"])
        )
        says("the message", error.message(), "logits")
        inputs = [tensor("sentence", TEXTS, binary)]
        error = refused(
            InferenceServerException, lambda: client(server).infer(server.model, inputs)
        )
        says("the message", error.message(), "sentence")

