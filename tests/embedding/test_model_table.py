"""The table of models in docs/models.md is what the code says."""

from __future__ import annotations

from pathlib import Path

from embedding.model import DEFAULT_MODEL, KNOWN_MODELS, HubSource, ModelSpec

DOCUMENT = Path(__file__).parents[2] / "docs" / "models.md"


def row(spec: ModelSpec) -> str:
    """A line of the table."""
    million = spec.parameters / 1e6
    cells = [
        spec.name + (" (default)" if spec.name == DEFAULT_MODEL else ""),
        f"{million / 1000:.2f} B" if million >= 1000 else f"{million:.0f} M",
        f"{spec.dim:,}" + (f", trained to be cut to {spec.shortest}" if spec.shortest else ""),
        {None: "", True: ", EOS added", False: ", no EOS"}[spec.add_eos].join((str(spec.pooling), "")),
        f"{spec.context:,}",
        str(spec.window),
        f"{_quoted(spec.query_prefix)} / {_quoted(spec.document_prefix)}",
        f"{spec.min_similarity:.2f}",
        spec.licence,
        _file(spec),
    ]
    return "| " + " | ".join(cells) + " |"


def _quoted(prefix: str) -> str:
    return f"`{prefix}`".replace("\n", "\\n").replace("|", "\\|") if prefix else "nothing"


def _file(spec: ModelSpec) -> str:
    source = spec.sources[0]
    assert isinstance(source, HubSource)
    about = "" if spec.parts[0].sha256 else "about "
    known = "sha256 known" if spec.parts[0].sha256 else "sha256 as the hub publishes it"
    made = ", converted here" if spec.quantisation else ""
    return f"{source.repo}{made}: `{spec.file_name}`, {about}{spec.file_bytes / 1e6:,.0f} MB, {known}"


def test_the_table_of_the_document_is_that_of_the_code() -> None:
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    missing = [row(spec) for spec in KNOWN_MODELS.values() if row(spec) not in lines]
    assert missing == [], "these lines belong into docs/models.md:\n" + "\n".join(missing)
