"""The reference: how sentence-transformers and transformers answer one text."""

import hashlib
import json
import platform
from pathlib import Path

import sentence_transformers
import tokenizers
import torch
import transformers
from sentence_transformers import CrossEncoder, SentenceTransformer
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

SCRIPT = "tests/goldens/make.py"


def versions():
    return {
        "python": platform.python_version(),
        "torch": torch.__version__.split("+")[0],
        "transformers": transformers.__version__,
        "sentence_transformers": sentence_transformers.__version__,
        "tokenizers": tokenizers.__version__,
    }


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def numbers(values):
    """Nine significant digits: enough to give back every f32 exactly."""
    return [float(f"{float(value):.9g}") for value in values]


def is_fairseq(config):
    """RoBERTa, XLM-R, CamemBERT and MPNet count positions from the one behind the padding token's id."""
    return config.model_type in ("roberta", "xlm-roberta", "camembert", "mpnet")


def _tokens(encoding):
    return {
        "ids": encoding.ids,
        "type_ids": encoding.type_ids,
        "offsets": [list(span) for span in encoding.offsets],
    }


class Embedder:
    """`SentenceTransformer.encode`, one text at a time, so that nothing is ever padded."""

    task = "embed"

    def __init__(self, folder, **options):
        self.folder = Path(folder)
        self.sentence = SentenceTransformer(str(folder), device="cpu", **options)
        self.sentence.eval()
        self.model = self.sentence[0].model
        self.tokenizer = self.sentence.tokenizer

    def answer(self, text, pair=None, prompt_name=None):
        return self.sentence.encode(text, batch_size=1, prompt_name=prompt_name, convert_to_tensor=True).clone()

    def case(self, text, pair=None, prompt_name=None):
        prompt = self.sentence._resolve_prompt(None, prompt_name) or ""
        encoding = self.tokenizer([prompt + text], truncation="longest_first").encodings[0]
        seen = self.sentence.preprocess([text], prompt=prompt)["input_ids"][0].tolist()
        assert encoding.ids == seen, "the recorded tokens are those that the model saw"
        return {**_tokens(encoding), "embedding": numbers(self.answer(text, prompt_name=prompt_name))}

    def facts(self):
        return {"task": "embed", "dimensions": self.sentence.get_embedding_dimension()}


class Classifier:
    """What the text-classification pipeline answers when it may truncate."""

    task = "classify"
    probabilities = True

    def __init__(self, folder, **options):
        self.folder = Path(folder)
        self.model = AutoModelForSequenceClassification.from_pretrained(folder, **options).eval()
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.pipeline = pipeline("text-classification", model=self.model, tokenizer=self.tokenizer, top_k=None)
        config = self.model.config
        self.labels = [config.id2label[i] for i in range(config.num_labels)]
        room = config.max_position_embeddings
        if is_fairseq(config):
            room -= config.pad_token_id + 1
        self.limit = min(self.tokenizer.model_max_length, room)

    def _encode(self, text, pair, **options):
        return self.tokenizer(text, pair, truncation=True, max_length=self.limit, **options)

    @torch.inference_mode()
    def answer(self, text, pair=None, prompt_name=None):
        return self.model(**self._encode(text, pair, return_tensors="pt")).logits[0].clone()

    def scores(self, text, pair=None):
        inputs = text if pair is None else {"text": text, "text_pair": pair}
        answers = self.pipeline(inputs, truncation=True, max_length=self.limit)
        # A bare string comes back wrapped once more than a pair does.
        answers = answers[0] if isinstance(answers[0], list) else answers
        by_label = {answer["label"]: answer["score"] for answer in answers}
        return [by_label[label] for label in self.labels]

    def case(self, text, pair=None, prompt_name=None):
        return {
            **_tokens(self._encode(text, pair).encodings[0]),
            "logits": numbers(self.answer(text, pair)),
            "scores": numbers(self.scores(text, pair)),
        }

    def facts(self):
        return {"task": "classify", "dimensions": len(self.labels), "labels": self.labels}


class CrossScorer(Classifier):
    """What `CrossEncoder.predict` answers, with the activation that the folder names."""

    probabilities = False

    def __init__(self, folder, **options):
        super().__init__(folder, **options)
        self.cross = CrossEncoder(str(folder), device="cpu")

    def scores(self, text, pair=None):
        return [self.cross.predict(text if pair is None else (text, pair), show_progress_bar=False)]


def write_golden(path, head, cases):
    """One case a line, so that a diff names the cases that changed."""
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    body = json.dumps(head, indent=1)[:-2]
    Path(path).write_text(f'{body},\n "cases": [\n{lines}\n]\n}}\n', encoding="ascii")
