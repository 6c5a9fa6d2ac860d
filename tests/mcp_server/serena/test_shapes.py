"""Names in signatures, shapes of calls."""

from __future__ import annotations

import pytest

from mcp_server.errors import RequestError
from mcp_server.serena.shapes import MOST_SIGNATURE_CHARS, call_shape, declares, function_name


@pytest.mark.parametrize(
    ("signature", "name_path"),
    [
        ("def load(path: Path, *, strict: bool = False) -> Settings:", "load"),
        ("async def fetch(self, url: str)", "fetch"),
        ('@app.get("/x")\n@cached(ttl=3)\nasync def read(item: int) -> Item: ...', "read"),
        ("func (s *Store) Load(ctx context.Context) error", "Load"),
        ("func Map[T any](items []T) []T", "Map"),
        ("pub fn parse_sentence<'a>(line: &'a str) -> Result<Sentence>", "parse_sentence"),
        ("public static <T> List<T> copyOf(Collection<T> items)", "copyOf"),
        ("static int *find(const char *name)", "find"),
        ("void Store::close()", "Store/close"),
        ("Store.load(path)", "Store/load"),
        ("const retry = async (times: number) => {", "retry"),
        ("function backOff(attempt)", "backOff"),
        ("def empty?(value)", "empty?"),
        ("defp größe(wert)", "größe"),
        ("BerthPlanner/allocate", "BerthPlanner/allocate"),
        ("allocate", "allocate"),
    ],
)
def test_the_name_in_a_signature(signature: str, name_path: str) -> None:
    assert function_name(signature) == name_path


@pytest.mark.parametrize("signature", ["", "  ", "(a, b)", "function (x) {", "{}", "def"])
def test_a_signature_without_a_name_is_refused(signature: str) -> None:
    with pytest.raises(RequestError, match="No function's name"):
        function_name(signature)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("load()", "load()"),
        ("x = load(path)", "load(…)"),
        ('load("a, b(", path, strict=True)', "load(…, …, strict=…)"),
        ("load(path,\n     [1, 2, (3, 4)],\n     **options,\n)", "load(…, …, **…)"),
        ("load(*paths)", "load(*…)"),
        ("load(a == b)", "load(…)"),
        ("load(lambda x: x, key=len)", "load(…, key=…)"),
        ("load<Settings>(path, { strict: true })", "load(…, …)"),
        ("load(strict: true)", "load(strict=…)"),
        ("self.load(path)", "load(…)"),
        ("reload(path); load(one, two)", "load(…, …)"),
        ("callbacks = [load, store]", "load"),
        ("load(it's, fine)", "load(…, …)"),
        ("load('''a, (b''', 'c')", "load(…, …)"),
        ("load(path, never closed", "load(…)"),
        ("größe(a, b)", "load"),
    ],
)
def test_the_shape_of_a_call(text: str, shape: str) -> None:
    assert call_shape(text, "load") == shape


def test_a_text_made_to_be_slow_is_looked_at_by_its_first_letters() -> None:
    """Hours, otherwise: the patterns begin anew at each letter."""
    assert len(function_name(f"def {'x' * 1_000_000}")) < MOST_SIGNATURE_CHARS
    assert not declares("def load<" * 100_000, "load")
    assert declares("def load(path):" + "x" * 1_000_000, "load")
