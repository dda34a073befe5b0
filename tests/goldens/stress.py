"""Weights under which mistakes show, and the proof that they do.

A freshly initialised model hides mistakes: its attention is flat, its layer norms
are the identity and its biases are zero, so a wrong GELU or a wrong epsilon
moves its answers by less than any tolerance.
"""

import copy
import math

import torch
from torch import nn

from reference import is_fairseq
from texts import MEDIUM_TEXT

# How much a mistake has to move some answer. Two GELUs that differ by at most 5e-4 can't do 1e-3.
ENOUGH = 1e-3
ENOUGH_FOR_A_GELU = 3e-4


@torch.no_grad()
def fill(model, seed, embedding_size=0.0):
    """`embedding_size`: the spread of the summed embeddings before their layer norm. It is
    small enough for the norm's epsilon to matter."""
    generator = torch.Generator().manual_seed(seed)

    def normal(parameter, spread):
        parameter.copy_(torch.randn(parameter.shape, generator=generator) * spread)

    tables = [n for n, _ in model.named_parameters() if "embeddings." in n and n.endswith("embeddings.weight")]
    for name, parameter in model.named_parameters():
        if name in tables:
            normal(parameter, embedding_size / math.sqrt(len(tables)))
        elif "norm" in name.lower():
            parameter.copy_(torch.rand(parameter.shape, generator=generator) + 0.5)
            if name.endswith("bias"):
                parameter.sub_(1.0).mul_(0.6)
        elif name.endswith("relative_attention_bias.weight"):
            normal(parameter, 1.0)
        elif name.endswith("bias"):
            normal(parameter, 0.2)
            if _is_inner(name):
                # Where the exact GELU and its approximation differ most, for what little passes.
                parameter.sub_(2.0)
        else:
            normal(parameter, _gain(name) / math.sqrt(parameter.shape[1]))


def _is_inner(name):
    """The feed-forward layer in front of the activation."""
    return "intermediate" in name or "lin1" in name


def _gain(name):
    if any(part in name for part in ("query", "key", "q_lin", "k_lin", "attn.q.", "attn.k.")):
        return 3.2
    if _is_inner(name):
        return 1.3
    if name.endswith(("output.dense.weight", "lin2.weight")) and "attention" not in name:
        return 4.5
    if name in ("classifier.weight", "classifier.out_proj.weight"):
        return 2.5
    return 1.0


def _encoder(model):
    return getattr(model, model.base_model_prefix, model)


def _inner_layers(model):
    return [m for n, m in model.named_modules() if n.endswith(("intermediate.dense", "ffn.lin1"))]


def _answers(reference, cases):
    return [torch.as_tensor(reference.answer(c["text"], c.get("pair"), c.get("prompt_name"))) for c in cases]


@torch.no_grad()
def measure(reference):
    """How far from tame the model is, on one sentence of medium length."""
    eager = copy.deepcopy(_encoder(reference.model))
    eager.set_attn_implementation("eager")
    seen = {}
    largest = []
    eager.embeddings.LayerNorm.register_forward_hook(lambda _, inputs, __: seen.update(embedding=inputs[0]))
    for linear in _inner_layers(eager):
        linear.register_forward_hook(lambda _, __, output: largest.append(output.abs().max().item()))
    tokens = reference.tokenizer(MEDIUM_TEXT, truncation=True, max_length=64, return_tensors="pt")
    attentions = eager(**tokens, output_attentions=True).attentions
    peaks = torch.stack([layer.max(dim=-1).values.mean() for layer in attentions])
    norms = [m for m in eager.modules() if isinstance(m, nn.LayerNorm)]
    facts = {
        "attention_peak": round(peaks.mean().item(), 4),
        "pre_activation_max": round(min(largest), 4),
        "embedding_std": float(f"{seen['embedding'].std(dim=-1).mean().item():.4g}"),
        "layer_norm_eps": norms[0].eps,
    }
    assert facts["attention_peak"] >= 0.6, facts
    assert facts["pre_activation_max"] >= 3, facts
    assert all(n.weight.std() > 0.1 and n.bias.std() > 0.1 for n in norms)
    assert all(p.abs().min() > 0 for n, p in eager.named_parameters() if n.endswith("bias"))
    return facts


def measure_scores(golden_cases):
    scores = torch.tensor([case["scores"] for case in golden_cases])
    facts = {
        "score_range": [round(scores.min().item(), 4), round(scores.max().item(), 4)],
        "scores_inside_0.05_0.95": round(((scores > 0.05) & (scores < 0.95)).float().mean().item(), 3),
        "score_spread": round((scores.max(0).values - scores.min(0).values).min().item(), 4),
    }
    assert facts["scores_inside_0.05_0.95"] >= 0.6 and facts["score_spread"] >= 0.4, facts
    return facts


# --- mistakes ---------------------------------------------------------------
# Each takes a freshly loaded reference and spoils it in place, or answers False
# where the mistake is impossible for that model.

def _other_activation(reference):
    config = reference.model.config
    name = getattr(config, "hidden_act", None) or config.activation
    other = nn.GELU() if name in ("relu", "gelu_new") else nn.GELU(approximate="tanh")
    for module in reference.model.modules():
        for attribute in ("intermediate_act_fn", "activation"):
            if hasattr(module, attribute) and not isinstance(getattr(module, attribute), nn.Tanh):
                setattr(module, attribute, other)


def _other_epsilon(reference):
    for module in reference.model.modules():
        if isinstance(module, nn.LayerNorm):
            module.eps = 1e-5 if module.eps < 1e-8 else 1e-12


def _shifted_positions(reference):
    table = _encoder(reference.model).embeddings.position_embeddings.weight
    table.data = table.data.roll(1, dims=0)


def _positions_that_count_pads(reference):
    if not is_fairseq(reference.model.config):
        return False
    embeddings = _encoder(reference.model).embeddings
    forward, first = embeddings.forward, reference.model.config.pad_token_id + 1
    embeddings.forward = lambda input_ids, position_ids=None, **rest: forward(
        input_ids=input_ids, position_ids=torch.arange(input_ids.shape[1])[None] + first, **rest)


def _no_relative_bias(reference):
    if reference.model.config.model_type != "mpnet":
        return False
    _encoder(reference.model).encoder.relative_attention_bias.weight.data.zero_()


def _no_token_types(reference):
    table = getattr(_encoder(reference.model).embeddings, "token_type_embeddings", None)
    if table is None:
        return False
    table.weight.data.zero_()


def _no_second_type(reference):
    """The other half of the mistake above: a pair whose second text is marked like its first."""
    table = getattr(_encoder(reference.model).embeddings, "token_type_embeddings", None)
    if table is None or reference.task == "embed" or table.num_embeddings < 2:
        return False
    table.weight.data[1] = table.weight.data[0]


def _one_token_fewer(reference):
    reference.tokenizer.model_max_length -= 1
    if reference.task == "classify":
        reference.limit -= 1


def _other_pooling(mode):
    def spoil(reference):
        if reference.task != "embed" or reference.sentence[1].pooling_mode == mode:
            return False
        reference.sentence[1].pooling_mode = mode
    return spoil


def _no_dense(reference):
    dense = [m for m in getattr(reference, "sentence", ()) if hasattr(m, "activation_function")]
    if not dense:
        return False
    dense[0].activation_function = nn.Identity()


MISTAKES = {
    "activation": _other_activation,
    "epsilon": _other_epsilon,
    "position_offset": _shifted_positions,
    "position_of_pads": _positions_that_count_pads,
    "relative_bias": _no_relative_bias,
    "token_types": _no_token_types,
    "second_token_type": _no_second_type,
    "truncation": _one_token_fewer,
    "dense_activation": _no_dense,
    **{f"pooling_{mode}": _other_pooling(mode) for mode in ("cls", "mean", "max", "lasttoken")},
}


@torch.no_grad()
def prove(load, cases):
    """Makes each mistake once and records how far the most sensitive answer moves."""
    right = _answers(load(), cases)
    moved = {}
    for name, spoil in MISTAKES.items():
        reference = load()
        if spoil(reference) is False:
            continue
        wrong = _answers(reference, cases)
        moved[name] = float(f"{max((r - w).abs().max().item() for r, w in zip(right, wrong)):.4g}")
        config = reference.model.config
        gelus = name == "activation" and getattr(config, "hidden_act", "gelu") != "relu"
        assert moved[name] > (ENOUGH_FOR_A_GELU if gelus else ENOUGH), (name, moved[name])
    double = load()
    (double.sentence if double.task == "embed" else double.model).double()
    gap = max((r.double() - d).abs().max().item() for r, d in zip(right, _answers(double, cases)))
    # The weights must not be so wild that honest rounding looks like a mistake.
    assert gap < 1e-4, gap
    return {"moved_by": moved, "f64_gap": float(f"{gap:.3g}")}
