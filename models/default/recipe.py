"""Train the small default model: sentiment labels and sentence embeddings.

    python recipe.py --minilm MINILM_FOLDER --data DATA_FOLDER --out MODEL_FOLDER

DATA_FOLDER holds sst2/{train,dev}.tsv and stsb/{train,dev}.csv.
With --cache FOLDER the teacher's outputs are kept between runs.
The dev files serve the last measurement, and to drop the pairs they share
with train. Runs on two CPU cores.
"""

import argparse
import collections
import json
import os
import random
import re
import time

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import f1_score
from tokenizers import Tokenizer
from transformers import (
    AutoModel,
    AutoModelForSequenceClassification,
    BertConfig,
    BertForSequenceClassification,
)

HIDDEN, LAYERS, HEADS, INNER = 128, 4, 4, 512
VOCAB, MAX_LEN = 7680, 128
BATCH, PAIRS = 128, 32
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LABELS = ["negative", "positive"]
START = time.time()


def say(*words):
    print(f"{time.time() - START:7.0f}s", *words, flush=True)


# ---------------------------------------------------------------- data


def read_sst2(path):
    with open(path, encoding="utf-8") as f:
        next(f)
        rows = [line.rstrip("\n").split("\t") for line in f]
    return [(text.strip(), int(label)) for label, text in rows]


def read_stsb(path):
    with open(path, encoding="utf-8") as f:
        rows = [line.rstrip("\n").split("\t") for line in f]
    return [(r[5].strip(), r[6].strip(), float(r[4]) / 5) for r in rows]


def plain(text):
    """Undo the treebank's spelling: "do n't" becomes "don't"."""
    text = text.replace("-lrb-", "(").replace("-rrb-", ")")
    text = text.replace("``", '"').replace("''", '"')
    return re.sub(r" n't\b", "n't", text)


def split_sst2(rows, count, rng):
    """Hold out long phrases, with every phrase that overlaps one of them."""
    long = sorted({t for t, _ in rows if len(t.split()) >= 15})
    held = set(rng.sample(long, count))
    joined = "\n".join(f" {t} " for t in sorted(held))
    grams = set()
    for t in held:
        w = t.split()
        grams.update(tuple(w[i : i + 5]) for i in range(len(w) - 4))

    def overlaps(t):
        w = t.split()
        if any(tuple(w[i : i + 5]) in grams for i in range(len(w) - 4)):
            return True
        return len(w) >= 3 and f" {t} " in joined

    train = [(t, y) for t, y in rows if t not in held and not overlaps(t)]
    return train, [(t, y) for t, y in rows if t in held]


def made_up(sst, sts, words, rng):
    """Texts for the teacher to label: words, changed sentences, long texts."""
    out = list(words)
    for text in sts * 2:
        w = text.split()
        for _ in range(rng.randint(1, 3)):
            i = rng.randrange(len(w))
            if rng.random() < 0.25 and len(w) > 3:
                del w[i]
            else:
                w[i] = rng.choice(words)
        out.append(" ".join(w))
    both = [t for t in sst if len(t.split()) > 5] + sts
    for _ in range(5000):
        parts, size = [], rng.randint(25, 100)
        while sum(len(p.split()) for p in parts) < size:
            parts.append(rng.choice(both))
        out.append(" ".join(parts))
    return out


# ---------------------------------------------------------- vocabulary


def cut_vocabulary(minilm, texts):
    """Choose VOCAB pieces and return the new tokenizer and their old ids."""
    full = Tokenizer.from_file(f"{minilm}/tokenizer.json")
    full.no_padding()
    full.no_truncation()
    pieces = full.get_vocab()
    by_id = sorted(pieces, key=pieces.get)
    counts = collections.Counter()
    for e in full.encode_batch(texts, add_special_tokens=False):
        counts.update(e.tokens)

    keep = dict.fromkeys(SPECIAL)
    for p in by_id:
        body = p.removeprefix("##")
        if len(body) == 1 and (ord(body) < 0x250 or 0x2010 <= ord(body) < 0x2070 or body in "€£™"):
            keep[p] = None
    frequent = [p for p, _ in counts.most_common()]
    general = [p for p in by_id if re.fullmatch(r"(##)?[a-z]{2,}", p)]
    target = len(keep) + (VOCAB - len(keep)) * 7 // 10
    for source, size in ((frequent, target), (general, VOCAB)):
        for p in source:
            if len(keep) >= size:
                break
            keep[p] = None
    rest = sorted((p for p in keep if p not in SPECIAL), key=pieces.get)
    vocab = SPECIAL + rest

    spec = json.loads(full.to_str())
    spec["model"]["vocab"] = {p: i for i, p in enumerate(vocab)}
    spec["added_tokens"] = [
        {"id": i, "content": p, "single_word": False, "lstrip": False,
         "rstrip": False, "normalized": False, "special": True}
        for i, p in enumerate(SPECIAL)
    ]
    for p in ("[CLS]", "[SEP]"):
        spec["post_processor"]["special_tokens"][p]["ids"] = [vocab.index(p)]
    spec["truncation"] = None
    spec["padding"] = None
    small = Tokenizer.from_str(json.dumps(spec))
    return small, [pieces[p] for p in vocab]


def ids_of(tokenizer, texts):
    tokenizer.enable_truncation(MAX_LEN)
    return [e.ids for e in tokenizer.encode_batch(texts)]


def pad(rows):
    width = -(-max(map(len, rows)) // 8) * 8
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    mask = torch.zeros(len(rows), width, dtype=torch.long)
    for i, r in enumerate(rows):
        ids[i, : len(r)] = torch.tensor(r)
        mask[i, : len(r)] = 1
    return ids, mask


def batches(order, ids, size, rng):
    """Batches of similar length, in random order."""
    order = sorted(order, key=lambda i: len(ids[i]) + rng.random() * 2)
    out = [order[i : i + size] for i in range(0, len(order), size)]
    rng.shuffle(out)
    return out


def mean_pool(hidden, mask):
    m = mask.unsqueeze(-1).to(hidden.dtype)
    return F.normalize((hidden * m).sum(1) / m.sum(1), dim=-1)


def optimizer(model, lr, steps):
    decay = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    other = [p for p in model.parameters() if p.requires_grad and p.ndim == 1]
    opt = torch.optim.AdamW(
        [{"params": decay, "weight_decay": 0.01}, {"params": other, "weight_decay": 0}], lr=lr)
    warm = max(1, steps // 16)
    return opt, torch.optim.lr_scheduler.LambdaLR(
        opt, lambda s: min((s + 1) / warm, max(0.0, (steps - s) / (steps - warm))))


# ------------------------------------------------------------- teacher


def tune_teacher(minilm, ids, labels, rng):
    """Fine-tune a copy of MiniLM on SST-2 for soft labels."""
    model = AutoModelForSequenceClassification.from_pretrained(
        minilm, num_labels=2, dtype=torch.float32).train()
    model.bert.embeddings.requires_grad_(False)
    plan = batches(range(len(ids)), ids, 48, rng)
    opt, schedule = optimizer(model, 8e-5, len(plan))
    total = 0.0
    for step, batch in enumerate(plan, 1):
        x, mask = pad([ids[i] for i in batch])
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(input_ids=x, attention_mask=mask).logits
        loss = F.cross_entropy(logits.float(), torch.tensor([labels[i] for i in batch]))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        schedule.step()
        opt.zero_grad(set_to_none=True)
        total += loss.item()
        if step % 200 == 0:
            say(f"  teacher step {step}/{len(plan)} loss {total / 200:.3f}")
            total = 0.0
    return model.eval()


@torch.no_grad()
def run_teacher(model, ids, what):
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    out = [None] * len(ids)
    with torch.autocast("cpu", torch.bfloat16):
        for n in range(0, len(order), 128):
            batch = order[n : n + 128]
            x, mask = pad([ids[i] for i in batch])
            y = model(input_ids=x, attention_mask=mask)
            y = y.logits if what == "logits" else mean_pool(y.last_hidden_state.float(), mask)
            for i, row in zip(batch, y.float()):
                out[i] = row
    say(f"  teacher {what}: {len(ids)} texts")
    return torch.stack(out)


# ------------------------------------------------------------- student


def new_student(minilm, old_ids):
    model = BertForSequenceClassification(BertConfig(
        vocab_size=len(old_ids), hidden_size=HIDDEN, num_hidden_layers=LAYERS,
        num_attention_heads=HEADS, intermediate_size=INNER, hidden_act="gelu",
        max_position_embeddings=MAX_LEN, pad_token_id=0,
        hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.0,
        id2label=dict(enumerate(LABELS)), label2id={n: i for i, n in enumerate(LABELS)}))
    w = load_file(f"{minilm}/model.safetensors")
    words = w["embeddings.word_embeddings.weight"][old_ids].float()
    centre = words.mean(0)
    axes = torch.linalg.svd(words - centre, full_matrices=False)[2][:HIDDEN].T
    emb = model.bert.embeddings
    with torch.no_grad():
        emb.word_embeddings.weight.copy_((words - centre) @ axes)
        emb.position_embeddings.weight.copy_(
            w["embeddings.position_embeddings.weight"][:MAX_LEN].float() @ axes)
        emb.token_type_embeddings.weight.copy_(
            w["embeddings.token_type_embeddings.weight"].float() @ axes)
    return model


def both_outputs(model, rows):
    ids, mask = pad(rows)
    out = model.bert(input_ids=ids, attention_mask=mask)
    logits = model.classifier(model.dropout(out.pooler_output))
    return logits.float(), mean_pool(out.last_hidden_state.float(), mask)


def rank_loss(cosines, gold):
    """CoSENT: a pair scored higher shall have the higher cosine."""
    diff = 20 * (cosines[None, :] - cosines[:, None])
    diff = diff[gold[:, None] > gold[None, :]]
    return torch.logsumexp(torch.cat([torch.zeros(1), diff]), 0)


@torch.no_grad()
def predict(model, ids):
    model.eval()
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    logits, vectors = [None] * len(ids), [None] * len(ids)
    for n in range(0, len(order), 64):
        batch = order[n : n + 64]
        for i, l, v in zip(batch, *both_outputs(model, [ids[i] for i in batch])):
            logits[i], vectors[i] = l, v
    return torch.stack(logits), torch.stack(vectors)


def score(model, tokenizer, sst, sts):
    logits, _ = predict(model, ids_of(tokenizer, [t for t, _ in sst]))
    gold = np.array([y for _, y in sst])
    guess = logits.argmax(1).numpy()
    _, a = predict(model, ids_of(tokenizer, [r[0] for r in sts]))
    _, b = predict(model, ids_of(tokenizer, [r[1] for r in sts]))
    cos = (a * b).sum(1).numpy()
    sim = np.array([r[2] for r in sts])
    return {
        "accuracy": float((guess == gold).mean()),
        "macro_f1": float(f1_score(gold, guess, average="macro")),
        "spearman": float(spearmanr(cos, sim)[0]),
        "pearson": float(pearsonr(cos, sim)[0]),
    }


def train_student(model, tokenizer, texts, labels, soft, target, sts, held, args, rng):
    ids = ids_of(tokenizer, texts)
    left = ids_of(tokenizer, [r[0] for r in sts])
    right = ids_of(tokenizer, [r[1] for r in sts])
    gold = torch.tensor([r[2] for r in sts])
    where = {t: i for i, t in enumerate(texts)}
    at = torch.tensor([[where[r[0]], where[r[1]]] for r in sts])
    in_pair = set(at.flatten().tolist())
    made = [i for i, y in enumerate(labels) if y < 0 and i not in in_pair]
    given = [i for i, y in enumerate(labels) if y >= 0 or i in in_pair]
    short = [i for i in given if len(texts[i].split()) < 5]
    longer = [i for i in given if len(texts[i].split()) >= 5]
    labels = torch.tensor(labels)

    def one_epoch():
        some = rng.sample(short, len(short) // 2) + rng.sample(made, len(made) // 3)
        return batches(longer + some, ids, BATCH, rng)

    opt, schedule = optimizer(model, args.lr, len(one_epoch()) * args.epochs)
    pairs = []
    for epoch in range(1, args.epochs + 1):
        model.train()
        plan = one_epoch()
        sums = collections.Counter()
        for step, batch in enumerate(plan):
            with torch.autocast("cpu", torch.bfloat16):
                logits, vec = both_outputs(model, [ids[i] for i in batch])
            b = torch.tensor(batch)
            known = labels[b] >= 0
            heat = 2.0
            kd = F.kl_div(F.log_softmax(logits / heat, -1), F.softmax(soft[b] / heat, -1),
                          reduction="batchmean") * heat * heat
            ce = F.cross_entropy(logits[known], labels[b][known]) if known.any() else kd * 0
            far = (1 - (vec * target[b]).sum(-1)).mean()
            near = F.mse_loss(vec @ vec.T, target[b] @ target[b].T)
            loss = 0.5 * kd + 0.5 * ce + 2 * far + 10 * near
            sums.update(kd=kd.item(), ce=ce.item(), far=far.item(), near=near.item())
            if step % 2 == 0:
                if len(pairs) < PAIRS:
                    pairs = rng.sample(range(len(sts)), len(sts))
                p = [pairs.pop() for _ in range(PAIRS)]
                with torch.autocast("cpu", torch.bfloat16):
                    _, v = both_outputs(model, [left[i] for i in p] + [right[i] for i in p])
                u, w = v[:PAIRS], v[PAIRS:]
                rank = rank_loss((u * w).sum(-1), gold[p])
                goal = torch.cat([target[at[p, 0]], target[at[p, 1]]])
                far = (1 - (v * goal).sum(-1)).mean()
                loss = loss + args.rank * rank + far
                sums.update(rank=2 * rank.item())
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
            schedule.step()
            opt.zero_grad(set_to_none=True)
            if step % 100 == 0:
                say(f"  step {step}/{len(plan)}")
        note = " ".join(f"{k} {v / len(plan):.4f}" for k, v in sums.items())
        if epoch % 2 == 0 or epoch == args.epochs:
            got = score(model, tokenizer, *held)
            note += " | held out: " + " ".join(f"{k} {v:.4f}" for k, v in got.items())
        say(f"epoch {epoch}/{args.epochs} {note}")
    return model.eval()


# -------------------------------------------------------------- folder


def write_json(folder, name, value, compact=False):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        if compact:
            json.dump(value, f, ensure_ascii=False, separators=(",", ":"))
        else:
            json.dump(value, f, ensure_ascii=False, indent=2)
        f.write("\n")


def save(model, tokenizer, out):
    os.makedirs(out, exist_ok=True)
    weights = {k: v.half().contiguous() for k, v in model.state_dict().items()
               if v.is_floating_point()}
    save_file(weights, f"{out}/model.safetensors", {"format": "pt"})
    os.chmod(f"{out}/model.safetensors", 0o644)
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_LEN)
    write_json(out, "tokenizer.json", json.loads(tokenizer.to_str()), compact=True)
    write_json(out, "tokenizer_config.json", {
        "tokenizer_class": "BertTokenizer", "do_lower_case": True, "strip_accents": None,
        "tokenize_chinese_chars": True, "model_max_length": MAX_LEN,
        "pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]",
        "sep_token": "[SEP]", "mask_token": "[MASK]"})
    c = model.config
    write_json(out, "config.json", {
        "architectures": ["BertForSequenceClassification"], "model_type": "bert",
        "vocab_size": c.vocab_size, "hidden_size": HIDDEN, "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS, "intermediate_size": INNER, "hidden_act": "gelu",
        "max_position_embeddings": MAX_LEN, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
        "position_embedding_type": "absolute", "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.0, "initializer_range": 0.02, "pad_token_id": 0,
        "id2label": {str(i): n for i, n in enumerate(LABELS)},
        "label2id": {n: i for i, n in enumerate(LABELS)},
        "problem_type": "single_label_classification", "dtype": "float32"})
    write_json(out, "modules.json", [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate(
            [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")])])
    write_json(out, "1_Pooling/config.json", {
        "word_embedding_dimension": HIDDEN, "pooling_mode_cls_token": False,
        "pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": False,
        "pooling_mode_mean_sqrt_len_tokens": False})
    write_json(out, "sentence_bert_config.json",
               {"max_seq_length": MAX_LEN, "do_lower_case": False})
    write_json(out, "config_sentence_transformers.json", {
        "model_type": "SentenceTransformer", "similarity_fn_name": "cosine"})


def cached(folder, name, make):
    path = folder and os.path.join(folder, name)
    if path and os.path.exists(path):
        return torch.load(path)
    value = make()
    if path:
        os.makedirs(folder, exist_ok=True)
        torch.save(value, path)
    return value


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--minilm", required=True)
    p.add_argument("--data", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--cache")
    p.add_argument("--epochs", type=int, default=3)
    p.add_argument("--lr", type=float, default=1e-3)
    p.add_argument("--rank", type=float, default=0.05)
    p.add_argument("--seed", type=int, default=7)
    args = p.parse_args()
    torch.set_num_threads(2)
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)

    sst, held_sst = split_sst2(read_sst2(f"{args.data}/sst2/train.tsv"), 600, rng)
    dev_sst = read_sst2(f"{args.data}/sst2/dev.tsv")
    sts = read_stsb(f"{args.data}/stsb/train.csv")
    dev_sts = read_stsb(f"{args.data}/stsb/dev.csv")
    in_dev = {frozenset(r[:2]) for r in dev_sts}
    sts = [r for r in sts if frozenset(r[:2]) not in in_dev]
    rng.shuffle(sts)
    held_sts, sts = sts[:500], sts[500:]
    say(f"SST-2 {len(sst)} train {len(held_sst)} held out, STS-B {len(sts)} and {len(held_sts)}")

    label = {}
    for text, y in sst:
        label[text] = y
        label[plain(text)] = y
    sts_texts = list(dict.fromkeys(t for r in sts for t in r[:2]))
    small, old_ids = cut_vocabulary(args.minilm, list(label) + sts_texts)
    words = [w for w in small.get_vocab() if re.fullmatch(r"[a-z]{2,}", w)]
    extra = made_up(list(label), sts_texts, sorted(words), rng)
    texts = list(dict.fromkeys(list(label) + sts_texts + extra))
    labels = [label.get(t, -1) for t in texts]
    say(f"{len(texts)} texts, {len(old_ids)} pieces, "
        f"unknown {sum(1 in r for r in ids_of(small, texts))}")

    full = Tokenizer.from_file(f"{args.minilm}/tokenizer.json")
    full.no_padding()
    full_ids = ids_of(full, texts)

    def soft_labels():
        mine = [i for i, y in enumerate(labels) if y >= 0]
        teacher = tune_teacher(args.minilm, [full_ids[i] for i in mine],
                               [labels[i] for i in mine], rng)
        held = run_teacher(teacher, ids_of(full, [t for t, _ in held_sst]), "logits")
        right = held.argmax(1) == torch.tensor([y for _, y in held_sst])
        say(f"  tuned teacher, held out accuracy {right.float().mean():.4f}")
        return run_teacher(teacher, full_ids, "logits")

    soft = cached(args.cache, "soft.pt", soft_labels)
    vectors = cached(args.cache, "vectors.pt", lambda: run_teacher(
        AutoModel.from_pretrained(args.minilm, dtype=torch.float32).eval(), full_ids, "vectors"))
    axes = torch.linalg.eigh(vectors.T @ vectors)[1][:, -HIDDEN:]
    target = F.normalize(vectors @ axes, dim=-1)
    say(f"{HIDDEN} axes keep {(vectors @ axes).pow(2).sum(1).mean():.3f} of the teacher's vectors")

    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)
    model = train_student(new_student(args.minilm, old_ids), small, texts, labels, soft,
                          target, sts, (held_sst, held_sts), args, rng)
    save(model, small, args.out)

    again = AutoModelForSequenceClassification.from_pretrained(
        args.out, dtype=torch.float32).eval()
    tokenizer = Tokenizer.from_file(f"{args.out}/tokenizer.json")
    for name, got in (("held out", score(again, tokenizer, held_sst, held_sts)),
                      ("dev", score(again, tokenizer, dev_sst, dev_sts))):
        say(f"from the folder, {name}: " + " ".join(f"{k} {v:.4f}" for k, v in got.items()))


if __name__ == "__main__":
    main()
