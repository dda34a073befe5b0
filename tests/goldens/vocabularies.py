"""Small tokenizers with the special tokens, ids and pipelines of the published ones."""

import json
import math
from collections import Counter

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertTokenizer, DistilBertTokenizer, MPNetTokenizer, PreTrainedTokenizerFast, RobertaTokenizer, XLMRobertaTokenizer,
)

from texts import training_texts

FAIRSEQ = ["<s>", "<pad>", "</s>", "<unk>"]
# What `save_pretrained` writes when nobody chose a limit. It does not fit 64 bits.
NO_LIMIT = int(1e30)


def _counted_pieces(pre_tokenizer, normalizer, inner=""):
    """How often each short piece of a word occurs; `inner` marks one that does not begin a word.

    The library's WordPiece and Unigram trainers answer differently from run to run, and a
    golden must not. Counting is enough here: a tokenizer only has to cut words into pieces.
    """
    characters, pieces = Counter(), Counter()
    for text in training_texts():
        text = normalizer.normalize_str(text) if normalizer else text
        for word, _ in pre_tokenizer.pre_tokenize_str(text):
            characters.update(word)
            for start in range(len(word)):
                for end in range(start + 2, min(start + 8, len(word)) + 1):
                    pieces[(inner if start else "") + word[start:end]] += 1
    return characters, pieces


def _most(counter, count, weight=lambda key: 1):
    """The keys that occur most, equal ones in alphabetical order."""
    return sorted(counter, key=lambda key: (-counter[key] * weight(key), key))[:count]


def _word_pieces(specials, size, lowercase=True):
    characters, pieces = _counted_pieces(
        pre_tokenizers.BertPreTokenizer(), normalizers.BertNormalizer(lowercase=lowercase), inner="##")
    alphabet = sorted(_most(characters, 70))
    words = specials + alphabet + ["##" + letter for letter in alphabet]
    words += _most(pieces, size - len(words), weight=lambda piece: len(piece.removeprefix("##")) ** 1.5)
    return {word: i for i, word in enumerate(words)}


def bert(limit, lowercase=True, cls=BertTokenizer):
    vocab = _word_pieces(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], 320, lowercase)
    return cls(vocab=vocab, do_lower_case=lowercase, model_max_length=limit)


def distilbert(limit):
    return bert(limit, cls=DistilBertTokenizer)


def mpnet(limit):
    # As in the published vocabulary: the fairseq tokens in front, BERT's [UNK] further back
    # as the unknown token, and <mask> at the end.
    vocab = _word_pieces(FAIRSEQ + ["[UNK]"], 319)
    vocab["<mask>"] = len(vocab)
    return MPNetTokenizer(vocab=vocab, model_max_length=limit)


def roberta(limit):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator(training_texts(), trainers.BpeTrainer(
        vocab_size=399, special_tokens=FAIRSEQ, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False))
    model = json.loads(tokenizer.to_str())["model"]
    vocab = dict(sorted(model["vocab"].items(), key=lambda item: item[1]))
    vocab["<mask>"] = len(vocab)
    return RobertaTokenizer(vocab=vocab, merges=[tuple(pair) for pair in model["merges"]], model_max_length=limit)


def _metaspace():
    return pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])


def _unigrams(size, normalizer=None):
    characters, pieces = _counted_pieces(_metaspace(), normalizer)
    alphabet = Counter({letter: characters[letter] for letter in _most(characters, 90)})
    longer = Counter({piece: pieces[piece] for piece in _most(pieces, size - 1 - len(FAIRSEQ) - 90, len)})
    total = sum(alphabet.values())
    scored = [(piece, round(math.log(n / total), 6)) for piece, n in (alphabet + longer).items()]
    scored.sort(key=lambda piece: (-piece[1], piece[0]))
    return [(special, 0.0) for special in FAIRSEQ] + scored + [("<mask>", 0.0)]


def xlmr(limit):
    return XLMRobertaTokenizer(vocab=_unigrams(340), model_max_length=limit)


def xlmr_normalizing(limit):
    """An XLM-R tokenizer that is nothing but its tokenizer.json: a normalizer that is spelled
    out instead of the precompiled character map, which alone would weigh more than the model."""
    normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer = Tokenizer(models.Unigram(_unigrams(340, normalizer), unk_id=3))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = _metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=limit, model_input_names=["input_ids", "attention_mask"],
        bos_token="<s>", eos_token="</s>", cls_token="<s>", sep_token="</s>", pad_token="<pad>", unk_token="<unk>",
        mask_token="<mask>")
