"""The nouns of a GGUF header: what embedding/gguf.py has read, and what is derived from it. Reads nothing."""

from __future__ import annotations

from dataclasses import dataclass

from embedding.model import Pooling

TOKENS = "tokenizer.ggml.tokens"
ROWS_TENSOR = "token_embd.weight"
_POOLINGS = {1: Pooling.MEAN, 2: Pooling.CLS, 3: Pooling.LAST}

# Architectures that llama.cpp runs without a cache, every token seeing all others (llama_model::create_memory).
ENCODERS = frozenset(
    ("bert", "modern-bert", "nomic-bert", "nomic-bert-moe", "neo-bert", "jina-bert-v2", "jina-bert-v3", "eurobert",
     "gemma-embedding")
)  # fmt: skip

Scalar = int | float | bool | str


@dataclass(frozen=True, slots=True)
class Array:
    """A list of values in the header: how many, and where in the file the first one lies.

    ``numbers`` holds them where they are numbers and few, one for each layer at most; else it is empty. Of a
    vocabulary, ``repeated`` is the first token that stands twice, and ``spells_bytes`` says that bytes have tokens.
    """

    length: int
    place: int
    numbers: tuple[int | float, ...] = ()
    repeated: str = ""
    spells_bytes: bool = False


@dataclass(frozen=True, slots=True)
class Tensor:
    """One entry of the tensor table; ``offset`` counts from the start of the data section."""

    name: str
    shape: tuple[int, ...]
    type: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """A checked header: ``values`` holds the scalars, ``arrays`` says where the lists lie, whose values stay there.

    A text longer than embedding/gguf.py keeps is cut.
    """

    version: int
    values: dict[str, Scalar]
    arrays: dict[str, Array]
    tensors: tuple[Tensor, ...]
    data_offset: int

    @property
    def architecture(self) -> str:
        """The family llama.cpp builds: bert, qwen2, nomic-bert."""
        return str(self.values.get("general.architecture", ""))

    @property
    def context_length(self) -> int:
        """Tokens the model was trained on; a longer sequence ends the process. 0 where the file does not say."""
        return self.number("context_length")

    @property
    def embedding_length(self) -> int:
        """Components of a vector. 0 where the file does not say."""
        return self.number("embedding_length_out") or self.number("embedding_length")

    @property
    def vocab_size(self) -> int:
        """Tokens in the vocabulary."""
        return self.arrays[TOKENS].length if TOKENS in self.arrays else 0

    @property
    def pooling(self) -> Pooling | None:
        """The pooling the file asks for, or None: then llama.cpp would return a vector per token."""
        return _POOLINGS.get(self.number("pooling_type"))

    @property
    def is_decoder(self) -> bool:
        """Whether llama.cpp keeps a cache of the tokens read: it can then read a text in several calls."""
        return self.architecture not in ENCODERS

    @property
    def tensor_bytes(self) -> int:
        """Bytes of all weights as they lie in the file."""
        return sum(tensor.size for tensor in self.tensors)

    def tensor(self, name: str) -> Tensor | None:
        """The tensor of that name, where the file has it."""
        return next((tensor for tensor in self.tensors if tensor.name == name), None)

    def number(self, key: str) -> int:
        """The whole number that the architecture's ``key`` holds; the largest, where it has one for each layer, else 0.

        A fraction that is infinite, or none, is 0.
        """
        numbers = [value for value in self.numbers(key) if abs(value) < float("inf")]
        return int(max(numbers, default=0))

    def numbers(self, key: str) -> tuple[int | float, ...]:
        """What the architecture's ``key`` holds: one number for all layers, or one for each; or none."""
        name = f"{self.architecture}.{key}"
        if name in self.arrays:
            return self.arrays[name].numbers
        value = self.values.get(name)
        return (value,) if isinstance(value, int | float) else ()
