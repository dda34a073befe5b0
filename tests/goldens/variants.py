"""Weights of tiny/ in the other containers and with the other settings that users have."""

import json
import shutil

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import CrossEncoder

from reference import CrossScorer, Embedder
from texts import TINY
from tiny import fresh, old_style_limit, write_goldens

JSONS = ["config.json", "modules.json", "tokenizer.json", "tokenizer_config.json", "sentence_bert_config.json",
         "config_sentence_transformers.json", "1_Pooling/config.json", "2_Normalize/config.json"]


def _folder(out, name, without=(), of="bert-embed"):
    folder = fresh(out / "variants" / name)
    for file in JSONS:
        if file not in without:
            (folder / file).parent.mkdir(exist_ok=True)
            shutil.copyfile(out / "tiny" / of / file, folder / file)
    return folder


def _edit(path, without=(), **changes):
    content = json.loads(path.read_text(encoding="utf-8"))
    content.update(changes)
    for key in without:
        del content[key]
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _shards(weights, count, name, save):
    """Splits in the middle of layers, as a split by size does, and writes the index that names the places."""
    names = sorted(weights)
    step = -(-len(names) // count)
    parts = [names[i:i + step] for i in range(0, len(names), step)]
    stem, suffix = name.split(".")
    place = {}
    for number, part in enumerate(parts, start=1):
        file = f"{stem}-{number:05}-of-{count:05}.{suffix}"
        save({key: weights[key] for key in part}, file)
        place.update(dict.fromkeys(part, file))
    size = sum(tensor.nbytes for tensor in weights.values())
    return json.dumps({"metadata": {"total_size": size}, "weight_map": place}, indent=2) + "\n"


def _save_safetensors(weights, path):
    save_file(weights, path, metadata={"format": "pt"})


def _tensorflow_names(weights):
    """A pre-training checkpoint of the first releases: prefixed, with TensorFlow's names for the
    layer norms, a buffer, and heads that an encoder has no use for. The decoder is tied: it is
    the word embeddings' own storage under a second name."""
    old = {}
    for name, tensor in weights.items():
        name = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        old[f"bert.{name}"] = tensor
    hidden = weights["pooler.dense.bias"].shape[0]
    words = weights["embeddings.word_embeddings.weight"]
    generator = torch.Generator().manual_seed(0)
    old |= {
        "bert.embeddings.position_ids": torch.arange(64)[None],
        "cls.predictions.bias": torch.randn(words.shape[0], generator=generator),
        "cls.predictions.transform.dense.weight": torch.randn(hidden, hidden, generator=generator),
        "cls.predictions.transform.dense.bias": torch.randn(hidden, generator=generator),
        "cls.predictions.transform.LayerNorm.gamma": torch.rand(hidden, generator=generator),
        "cls.predictions.transform.LayerNorm.beta": torch.randn(hidden, generator=generator),
        "cls.predictions.decoder.weight": words,
        "cls.seq_relationship.weight": torch.randn(2, hidden, generator=generator),
        "cls.seq_relationship.bias": torch.randn(2, generator=generator),
    }
    return old


def make(out):
    original = Embedder(out / "tiny" / "bert-embed")
    weights = load_file(out / "tiny" / "bert-embed" / "model.safetensors")
    # Not a plain dictionary: an ordered one that carries an attribute, which is in the pickle too.
    state = original.model.state_dict()
    assert state.keys() == weights.keys()

    folder = _folder(out, "sharded")
    index = _shards(weights, 3, "model.safetensors", lambda part, file: _save_safetensors(part, folder / file))
    (folder / "model.safetensors.index.json").write_text(index)
    _check_same(original, folder)

    folder = _folder(out, "pytorch-bin")
    torch.save(state, folder / "pytorch_model.bin")
    _check_same(original, folder)

    folder = _folder(out, "pytorch-legacy")
    torch.save(state, folder / "pytorch_model.bin", _use_new_zipfile_serialization=False)
    _check_same(original, folder)

    folder = _folder(out, "pytorch-sharded")
    index = _shards(weights, 2, "pytorch_model.bin", lambda part, file: torch.save(part, folder / file))
    (folder / "pytorch_model.bin.index.json").write_text(index)
    _check_same(original, folder)

    folder = _folder(out, "tf-names")
    torch.save(_tensorflow_names(weights), folder / "pytorch_model.bin")
    _edit(folder / "config.json", architectures=["BertForPreTraining"])
    _check_same(original, folder)

    folder = _folder(out, "vocab-only", without=["tokenizer.json"])
    vocab = sorted(original.tokenizer.get_vocab().items(), key=lambda item: item[1])
    (folder / "vocab.txt").write_text("".join(word + "\n" for word, _ in vocab), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "do_lower_case": True, "model_max_length": 64, "tokenizer_class": "BertTokenizer",
        "unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]",
        "mask_token": "[MASK]", "tokenize_chinese_chars": True, "strip_accents": None}) + "\n")
    shutil.copyfile(out / "tiny" / "bert-embed" / "model.safetensors", folder / "model.safetensors")
    _check_same(original, folder)

    # The reference believes tokenizer_config.json: the normalizer of tokenizer.json says otherwise here.
    folder = _folder(out, "lowercase-by-config")
    normalizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["normalizer"]
    assert normalizer["lowercase"] is True
    _edit(folder / "tokenizer.json", normalizer={**normalizer, "lowercase": False})
    shutil.copyfile(out / "tiny" / "bert-embed" / "model.safetensors", folder / "model.safetensors")
    _check_same(original, folder)

    folder = _folder(out, "pooling-old-style", without=["config_sentence_transformers.json", "2_Normalize/config.json"])
    _old_style(folder)
    shutil.copyfile(out / "tiny" / "bert-embed" / "model.safetensors", folder / "model.safetensors")
    _check_same(original, folder)

    # Rounded weights have answers of their own, computed in f32: the reference would
    # otherwise compute in the type that it finds.
    for name, kind in (("f16", torch.float16), ("bf16", torch.bfloat16)):
        folder = _folder(out, name)
        _save_safetensors({key: tensor.to(kind) for key, tensor in weights.items()}, folder / "model.safetensors")
        _edit(folder / "config.json", dtype=str(kind).removeprefix("torch."))
        write_goldens(folder, model_kwargs={"dtype": torch.float32})
        print(name, "written", flush=True)

    _settings(out, original)


def _settings(out, original):
    """Settings that change the answers, or name the same thing in another way."""
    def folder_of(name, of, **options):
        folder = _folder(out, name, of=of, **options)
        shutil.copyfile(out / "tiny" / of / "model.safetensors", folder / "model.safetensors")
        return folder

    def written(folder, *arguments, **options):
        write_goldens(folder, *arguments, **options)
        print(folder.name, "written", flush=True)

    folder = folder_of("truncation-left", "bert-embed")
    _edit(folder / "tokenizer_config.json", truncation_side="left")
    written(folder)

    # Where tokenizer_config.json is silent the class's defaults decide, not tokenizer.json.
    folder = folder_of("no-case-key", "bert-embed")
    normalizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["normalizer"]
    _edit(folder / "tokenizer.json", normalizer={**normalizer, "lowercase": False, "strip_accents": False})
    _edit(folder / "tokenizer_config.json", without=["do_lower_case", "strip_accents", "tokenize_chinese_chars"])
    _check_same(original, folder)
    written(folder, file_decides=False)

    folder = folder_of("prefix-space", "roberta-embed")
    _edit(folder / "tokenizer_config.json", add_prefix_space=True)
    written(folder, file_decides=False)

    folder = folder_of("sentence-roberta", "roberta-embed", without=["sentence_bert_config.json"])
    (folder / "sentence_roberta_config.json").write_text(json.dumps({"max_seq_length": 12}) + "\n")
    written(folder)

    folder = folder_of("camembert", "roberta-embed")
    _edit(folder / "config.json", model_type="camembert", architectures=["CamembertModel"])
    _edit(folder / "tokenizer_config.json", without=["add_prefix_space", "errors", "trim_offsets"],
          tokenizer_class="TokenizersBackend")
    written(folder)

    folder = fresh(out / "variants" / "cross-identity")
    cross = CrossEncoder(str(out / "tiny" / "bert-cross"), device="cpu", activation_fn=torch.nn.Identity())
    cross.save_pretrained(str(folder), create_model_card=False)
    written(folder, CrossScorer)
    for case in json.loads((folder / "golden.json").read_text())["cases"]:
        assert abs(case["scores"][0] - case["logits"][0]) < 1e-6, case["id"]


def _old_style(folder):
    """A folder as sentence-transformers 0.3 wrote it."""
    modules = [("0", "", "Transformer"), ("1", "1_Pooling", "Pooling"), ("2", "2_Normalize", "Normalize")]
    (folder / "modules.json").write_text(json.dumps([
        {"idx": int(name), "name": name, "path": path, "type": f"sentence_transformers.models.{kind}"}
        for name, path, kind in modules], indent=2))
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({
        "word_embedding_dimension": 32, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True,
        "pooling_mode_max_tokens": False, "pooling_mode_mean_sqrt_len_tokens": False}, indent=2))
    old_style_limit(folder, 64)
    shutil.rmtree(folder / "2_Normalize", ignore_errors=True)


def _check_same(original, folder):
    copy = Embedder(folder)
    for text in TINY.values():
        assert torch.equal(original.answer(text), copy.answer(text)), (folder.name, text)
    print(folder.name, "answers as tiny/bert-embed", flush=True)
