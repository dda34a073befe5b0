"""huggingface_hub: its InferenceClient, which is given the URL of a route or of a server."""

from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError

from cases import case, expect, near, refused, says
from server import singles

LIBRARY = "huggingface_hub"
TEXTS = ["two oars", "a pair of oars", "a dull , lifeless mess"]


def client(url):
    return InferenceClient(url, provider="hf-inference", token="none")


@case("feature_extraction at the server itself")
def extraction(servers):
    server = servers.embedder
    got = client(server.url).feature_extraction(TEXTS[0], normalize=True)
    expect("the vector", singles(got[0]), server.vector(TEXTS[0]))


@case("feature_extraction with every option")
def options(servers):
    server = servers.embedder
    options = {"normalize": False, "truncate": True, "truncation_direction": "left"}
    got = client(server.url).feature_extraction(
        TEXTS[0], dimensions=8, encoding_format="float", **options
    )
    expect("the vector", singles(got[0]), server.vector(TEXTS[0], normalize=False, dimensions=8))


@case("feature_extraction of a list, at every path that has it")
def routes(servers):
    server = servers.default
    task = "/pipeline/feature-extraction"
    for route in ["/embed", task, f"/models/{server.model}{task}"]:
        got = client(server.url + route).feature_extraction(TEXTS, normalize=True)
        expect(route, [singles(one) for one in got], server.vectors(TEXTS))


@case("sentence_similarity at the server itself, and at /similarity")
def similarity(servers):
    text, *others = TEXTS
    for server in [servers.default, servers.embedder]:
        for url in [server.url, f"{server.url}/similarity"]:
            got = client(url).sentence_similarity(text, others)
            near(f"the cosines at {url}", got, server.cosines(text, others))


@case("text_classification, with a model's name before the task and without")
def classification(servers):
    server = servers.default
    task = "/pipeline/text-classification"
    for route in [task, f"/models/{server.model}{task}"]:
        for text in TEXTS:
            got = client(server.url + route).text_classification(text)
            expect(text, [(one.label, one.score) for one in got], server.scores(text))


@case("text_classification: the best class alone, and numbers as they are")
def classes(servers):
    server = servers.default
    route = client(f"{server.url}/pipeline/text-classification")
    got = route.text_classification(TEXTS[2], top_k=1)
    expect("the best", [(one.label, one.score) for one in got], server.scores(TEXTS[2])[:1])
    got = route.text_classification(TEXTS[2], function_to_apply="softmax")
    expect("softmax", [(one.label, one.score) for one in got], server.scores(TEXTS[2]))
    raw = route.text_classification(TEXTS[2], function_to_apply="none")
    asked = {"inputs": TEXTS[2], "raw_scores": True}
    expected = [(one["label"], one["score"]) for one in server.ask("/predict", asked)]
    expect("none", [(one.label, one.score) for one in raw], expected)


@case("what the endpoint is, and whether it is well")
def endpoint(servers):
    server = servers.default
    info = client(server.url).get_endpoint_info()
    expect("the model", info["model_id"], server.model)
    expect("its health", client(server.url).health_check(), True)


@case("an empty text")
def empty(servers):
    for server, path, call in [
        (servers.default, "/pipeline/text-classification", "text_classification"),
        (servers.default, "/embed", "feature_extraction"),
        (servers.embedder, "", "feature_extraction"),
    ]:
        ask = getattr(client(server.url + path), call)
        error = refused(HfHubHTTPError, lambda: ask(""))
        expect(f"the status at {path}/", error.response.status_code, 422)
        says(f"the message at {path}/", error.server_message, "is empty")


@case("an option that can't be had")
def no_option(servers):
    route = client(f"{servers.default.url}/pipeline/text-classification")
    error = refused(
        HfHubHTTPError, lambda: route.text_classification("two oars", function_to_apply="sigmoid")
    )
    expect("the status", error.response.status_code, 422)
    says("the message", error.server_message, "function_to_apply")
