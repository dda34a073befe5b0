"""One small model of every architecture and head, in the folders that users have."""

import json
import shutil
import tempfile
from pathlib import Path

import torch
from sentence_transformers import CrossEncoder, SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling
from tokenizers import Tokenizer
from transformers import (
    AutoConfig, AutoModel, AutoModelForSequenceClassification, BertConfig, DistilBertConfig, ElectraConfig,
    MPNetConfig, RobertaConfig, XLMRobertaConfig,
)

import stress
import vocabularies
from reference import SCRIPT, Classifier, Embedder, sha256, versions, write_golden
from texts import PAIRS, TINY

ROOM = 64
SIZES = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)
DISTIL_SIZES = dict(dim=32, n_layers=2, n_heads=4, hidden_dim=64)
FAIRSEQ_IDS = dict(max_position_embeddings=ROOM + 2, bos_token_id=0, pad_token_id=1, eos_token_id=2)

MOODS = ["negative", "neutral", "positive"]
TOPICS = ["weather", "food", "travel", "music"]

# kind: the architecture. Everything else has a default in `build`.
MODELS = {
    "bert-embed": dict(kind="bert", eps=1e-12, normalize=True),
    "bert-embed-cls": dict(kind="bert", eps=1e-5, pooling="cls", cased=True),
    "bert-embed-max": dict(kind="bert", eps=1e-12, pooling="max"),
    "bert-embed-last": dict(kind="bert", eps=1e-12, pooling="lasttoken", tokenizer_limit=vocabularies.NO_LIMIT),
    "bert-embed-dense": dict(kind="bert", eps=1e-12, dense=16, normalize=True),
    "bert-embed-prompt": dict(
        kind="bert", eps=1e-12, normalize=True, default_prompt="query",
        prompts={"query": "query: ", "document": "document: ", "plain": ""}),
    "bert-short": dict(kind="bert", eps=1e-12, old_limit=12),
    "bert-relu": dict(kind="bert", eps=1e-5, act="relu"),
    "bert-classify": dict(kind="bert", eps=1e-12, labels=MOODS),
    "bert-multilabel": dict(kind="bert", eps=1e-5, labels=TOPICS, problem="multi_label_classification"),
    "bert-cross": dict(kind="bert", eps=1e-12, labels=["LABEL_0"]),
    "distilbert-embed": dict(kind="distilbert", eps=1e-12, tokenizer_limit=48),
    "distilbert-classify": dict(kind="distilbert", eps=1e-12, labels=["NEGATIVE", "POSITIVE"]),
    "roberta-embed": dict(kind="roberta", eps=1e-12, normalize=True),
    "roberta-gelu-new": dict(kind="roberta", eps=1e-5, act="gelu_new"),
    "roberta-classify": dict(kind="roberta", eps=1e-5, labels=MOODS),
    "xlmr-embed": dict(kind="xlmr", eps=1e-5, normalize=True),
    "xlmr-classify": dict(kind="xlmr_normalizing", eps=1e-12, labels=MOODS),
    "electra-embed": dict(kind="electra", eps=1e-12, old_limit=48),
    "electra-classify": dict(kind="electra", eps=1e-12, labels=MOODS),
    "mpnet-embed": dict(kind="mpnet", eps=1e-5, normalize=True),
    "mpnet-classify": dict(kind="mpnet", eps=1e-12, labels=MOODS),
}


def _config(kind, vocab_size, eps, act):
    common = dict(vocab_size=vocab_size)
    bert = dict(common, **SIZES, max_position_embeddings=ROOM, hidden_act=act, layer_norm_eps=eps)
    fairseq = dict(bert, **FAIRSEQ_IDS)
    return {
        "bert": lambda: BertConfig(**bert, pad_token_id=0),
        "electra": lambda: ElectraConfig(**bert, pad_token_id=0, embedding_size=24),
        "distilbert": lambda: DistilBertConfig(**common, **DISTIL_SIZES, max_position_embeddings=ROOM, pad_token_id=0),
        "roberta": lambda: RobertaConfig(**fairseq, type_vocab_size=1),
        "xlmr": lambda: XLMRobertaConfig(**fairseq, type_vocab_size=1),
        "mpnet": lambda: MPNetConfig(**fairseq),
    }[kind.split("_")[0]]()


def _tokenizer(kind, limit, cased):
    if kind == "electra":
        return vocabularies.bert(limit)
    if cased:
        return vocabularies.bert(limit, lowercase=False)
    return getattr(vocabularies, kind)(limit)


def old_style_limit(folder, limit):
    """The file that held the limit before sentence-transformers 6 moved it to tokenizer_config.json."""
    text = json.dumps({"max_seq_length": limit, "do_lower_case": False}, indent=2)
    (folder / "sentence_bert_config.json").write_text(text + "\n")


def build(folder, seed, kind, eps, act="gelu", labels=None, problem=None, cased=False, tokenizer_limit=ROOM,
          pooling="mean", dense=None, normalize=False, prompts=None, default_prompt=None, old_limit=None):
    tokenizer = _tokenizer(kind, tokenizer_limit, cased)
    config = _config(kind, len(tokenizer), eps, act)
    if labels:
        config.id2label = dict(enumerate(labels))
        config.label2id = {label: i for i, label in enumerate(labels)}
        config.problem_type = problem
    torch.manual_seed(seed)
    model = (AutoModelForSequenceClassification if labels else AutoModel).from_config(config, dtype=torch.float32)
    stress.fill(model, seed, embedding_size=3e-3 if eps > 1e-8 else 1e-2)
    if labels:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return
    with tempfile.TemporaryDirectory() as plain:
        model.save_pretrained(plain)
        tokenizer.save_pretrained(plain)
        modules = [Transformer(plain), Pooling(model.config.hidden_size, pooling)]
    if dense:
        modules.append(Dense(model.config.hidden_size, dense, activation_function=torch.nn.Tanh()))
        stress.fill(modules[-1], seed + 1000)
    if normalize:
        modules.append(Normalize())
    sentence = SentenceTransformer(
        modules=modules, prompts=prompts, default_prompt_name=default_prompt, device="cpu")
    sentence[0].tokenizer.model_max_length = tokenizer_limit
    sentence.save_pretrained(str(folder), create_model_card=False)
    if old_limit:
        old_style_limit(folder, old_limit)


def _questions(reference):
    """Every text of the list, and what only this kind of model can be asked."""
    cases = [{"id": name, "text": text} for name, text in TINY.items()]
    if reference.task == "classify":
        cases += [{"id": name, "text": first, "pair": second} for name, (first, second) in PAIRS.items()]
    elif reference.sentence.prompts.get("document"):
        cases += [
            {"id": f"{prompt}-{name}", "text": TINY[name], "prompt_name": prompt}
            for prompt in ("document", "plain") for name in ("medium", "empty", "long")]
    return cases


def _check_tokenizer_file(folder, reference, cases):
    """The engine reads tokenizer.json, the reference may rebuild its tokenizer from other
    files: their tokens must be the same."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    limit = reference.limit if reference.task == "classify" else reference.sentence.max_seq_length
    tokenizer.enable_truncation(limit, direction=reference.tokenizer.truncation_side)
    for case in cases:
        text = case["text"]
        if reference.task == "embed":
            text = (reference.sentence._resolve_prompt(None, case.get("prompt_name")) or "") + text
        encoding = tokenizer.encode(text, case.get("pair"))
        seen = (encoding.ids, encoding.type_ids, [list(span) for span in encoding.offsets])
        assert seen == (case["ids"], case["type_ids"], case["offsets"]), (folder, case["id"])
        assert len(encoding.ids) <= limit


def _check_cross_encoder(folder, golden_cases):
    cross = CrossEncoder(str(folder), device="cpu")
    for case in golden_cases:
        if "pair" in case:
            score = cross.predict([(case["text"], case["pair"])], show_progress_bar=False)[0]
            assert abs(float(score) - case["scores"][0]) < 1e-6, case["id"]


def reference_of(spec):
    return Classifier if spec.get("labels") else Embedder


def write_goldens(folder, kind=Embedder, weights="model.safetensors", file_decides=True, **options):
    """Asks the model in `folder` every question and writes its golden.json.

    `file_decides`: tokenizer.json alone says what the tokens are."""
    def load():
        return kind(folder, **options)

    reference = load()
    questions = _questions(reference)
    cases = [
        {**question, **reference.case(question["text"], question.get("pair"), question.get("prompt_name"))}
        for question in questions]
    if file_decides:
        _check_tokenizer_file(folder, reference, cases)
    facts = stress.measure(reference)
    if reference.task == "classify":
        if reference.probabilities:
            facts |= stress.measure_scores(cases)
        if len(reference.labels) == 1:
            _check_cross_encoder(folder, cases)
    facts |= stress.prove(load, questions)
    head = {
        "reference": versions(), "script": SCRIPT, "weights_sha256": sha256(folder / weights), "stress": facts,
        **reference.facts(),
    }
    write_golden(folder / "golden.json", head, cases)
    return facts


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def make(out, only=None):
    for seed, (name, spec) in enumerate(MODELS.items(), start=1):
        if only and name not in only:
            continue
        folder = fresh(out / "tiny" / name)
        build(folder, seed, **spec)
        print(name, json.dumps(write_goldens(folder, reference_of(spec))), flush=True)
