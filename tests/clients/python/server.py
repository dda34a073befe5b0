"""A server, and what it answers on its own routes: the numbers that every library must get too."""

import base64
import json
import math
import sys
import urllib.request
from array import array

# No proxy leads to a server of a test.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Server:
    def __init__(self, url):
        self.url = url.rstrip("/")
        about = self.ask("/model_info")
        self.model, self.version = about["model"], about["version"]

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with DIRECT.open(urllib.request.Request(self.url + path, data)) as answer:
            return json.load(answer)

    def vector(self, text, **options):
        """The vector of a text, scaled to length 1 unless asked otherwise."""
        body = {"text": text, "normalize": True, **options}
        return singles(self.ask("/encode", body)["embedding"])

    def vectors(self, texts, **options):
        return [self.vector(text, **options) for text in texts]

    def cosines(self, text, others):
        one = self.vector(text)
        return [sum(a * b for a, b in zip(one, self.vector(other))) for other in others]

    def scores(self, text, pair=None):
        """Every label with its score, the highest first."""
        body = {"text": text} if pair is None else {"text": text, "pair": pair}
        scores = self.ask("/predict", body)["probabilities"]
        return sorted(scores.items(), key=lambda item: -item[1])


def singles(numbers):
    """Numbers as what the server computes in, so that two ways of writing one are equal."""
    return array("f", (float(number) for number in numbers)).tolist()


def length(vector):
    return math.sqrt(sum(number * number for number in vector))


def unpacked(text):
    """Little-endian singles in base64."""
    numbers = array("f", base64.b64decode(text))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()
