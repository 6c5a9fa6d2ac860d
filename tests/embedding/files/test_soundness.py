from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from embedding.errors import ModelInvalidError
from embedding.files.header import Array, GgufHeader, Scalar
from embedding.files.soundness import objection
from embedding.gguf import complete_spec, read_header
from embedding.model import spec_for


@pytest.fixture
def header(tiny_decoder: Path) -> GgufHeader:
    return read_header(tiny_decoder)


def saying(header: GgufHeader, **values: Scalar) -> GgufHeader:
    """The header with other values; ``a__b`` stands for the architecture's key ``a.b``."""
    keyed = {f"qwen2.{key.replace('__', '.')}": value for key, value in values.items()}
    return replace(header, values=header.values | keyed)


def test_whole_models_are_sound(header: GgufHeader, model_path: Path) -> None:
    assert objection(header) == ""
    assert objection(read_header(model_path)) == ""


LIES: dict[str, dict[str, Scalar]] = {
    "its qwen2.attention.head_count is 0, which no model has": {"attention__head_count": 0},
    "its qwen2.block_count is 1000000000, which": {"block_count": 10**9},
    "its qwen2.context_length is 1099511627776, which": {"context_length": 1 << 40},
    "its qwen2.embedding_length is -1, which": {"embedding_length": -1},
    "its qwen2.attention.layer_norm_rms_epsilon is nan, which": {"attention__layer_norm_rms_epsilon": math.nan},
    "its qwen2.rope.freq_base is inf, which": {"rope__freq_base": math.inf},
    "its 64 components cannot be dealt to 5 attention heads": {"attention__head_count": 5},
    "4 attention heads cannot share 3 of keys and values": {"attention__head_count_kv": 3},
    "4 attention heads cannot share 0 of keys and values": {"attention__head_count_kv": 0},
    "its keys have 16 components and its values 32": {"attention__value_length": 32},
    "it turns 8 of the 16 components of a head by position": {"rope__dimension_count": 8},
    "3 of its 2 layers are said to look ahead": {"nextn_predict_layers": 3},
    "its vectors have 64 components, and 32 are said to come out": {"embedding_length_out": 32},
    "its dense_2_feat_in is 7 where vectors have 64 components": {"dense_2_feat_in": 7},
    "it uses 2 experts of 1": {"expert_count": 1, "expert_used_count": 2},
    "it uses 0 experts of 8": {"expert_count": 8},
    "its 8 experts cannot be dealt to 3 groups": {"expert_count": 8, "expert_used_count": 2, "expert_group_count": 3},
    "its 0 experts cannot be dealt to 1 groups": {"expert_group_count": 1},
    "it scales positions by 'stretched', which is unknown": {"rope__scaling__type": "stretched"},
}


@pytest.mark.parametrize("cause", LIES)
def test_what_llama_cpp_would_die_of_is_named(cause: str, header: GgufHeader) -> None:
    assert objection(saying(header, **LIES[cause])).startswith(cause)


def test_layers_may_differ_and_some_may_have_no_attention(header: GgufHeader) -> None:
    mixed = header.arrays | {"qwen2.attention.head_count_kv": Array(2, 0, (2, 0))}
    values = {key: value for key, value in header.values.items() if key not in mixed}
    assert objection(replace(header, values=values, arrays=mixed)) == ""


def test_a_vocabulary_and_its_table_must_be_of_one_size(header: GgufHeader) -> None:
    shorter = header.arrays | {"tokenizer.ggml.tokens": Array(599, 0)}
    assert objection(replace(header, arrays=shorter)) == (
        "its table of tokens has the shape (64, 600) where (64, 599) was expected"
    )


def test_pieces_without_tokens_for_bytes_are_refused(header: GgufHeader) -> None:
    pieces = replace(header, values=header.values | {"tokenizer.ggml.model": "llama"})
    assert objection(pieces) == "its vocabulary has no tokens for bytes"
    spelled = replace(header.arrays["tokenizer.ggml.tokens"], spells_bytes=True)
    assert objection(replace(pieces, arrays=header.arrays | {"tokenizer.ggml.tokens": spelled})) == ""


@pytest.mark.parametrize("kind", [4, 9, 15, 24, 28])
def test_weights_of_a_type_that_no_weights_have_are_refused(kind: int, header: GgufHeader) -> None:
    first, *others = header.tensors
    changed = replace(header, tensors=(replace(first, type=kind), *others))
    assert objection(changed) == f"the tensor 'token_embd.weight' is stored as ggml's type {kind}, which no weights are"


def test_one_part_of_several_is_not_a_model(header: GgufHeader) -> None:
    part = replace(header, values=header.values | {"split.count": 3})
    assert objection(part) == "it is one part of several; join them with llama-gguf-split"


def test_an_unsound_file_is_refused_by_its_name(header: GgufHeader, tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    with pytest.raises(ModelInvalidError, match=r"mine\.gguf was not loaded: its qwen2\.block_count is 0, .*; "):
        complete_spec(spec_for(str(path)), saying(header, block_count=0), path)
