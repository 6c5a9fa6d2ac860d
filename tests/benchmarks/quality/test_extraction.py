import pytest

from benchmarks.quality.extraction import Edit, apply, find_functions, moved, parse
from indexer.syntax import rules_of

PYTHON = b'''"""The module."""

class Shape:
    """A shape."""

    # runs seldom
    @cached
    def area(self):
        """Compute the area of all rings.

        Slow.
        """
        total = 0  # stays

        return total

    def name(self):
        """Return the name of the shape."""


def plain():
    return "not documented"
'''
JAVASCRIPT = b"""import x from 'x';

/** Not the function's: a blank line follows. */

/**
 * Join the rings of a polygon.
 * @param {Array} rings Rings.
 */
export function joinRings(rings) {
  return rings; // stays
}

class Map {
  /** Get the size of the map. */
  size() {
    return 1;
  }
}

/** Make a copy of the map. */
Map.prototype.copy = function () {
  return this;
};

// why it is so
const other = () => 2;
"""
RUST = b"""/// Counts the sides of a shape.
///
/// # Panics
#[inline]
pub fn sides(shape: &Shape) -> usize {
    shape.sides
}
"""
C = b"""int before; /* ends a line of code */
int twice(int x) {
    return 2 * x;
}

/* Computes the half of a number. */
static int half(int x)
{
    return x / 2;
}

// Declares the third of a number.
int third(int x);
"""
GO = b"""package shapes

// Join puts the rings together.
// Slow.
func (m *Map) Join() error {
\treturn nil
}
"""
JAVA = b"""class Shape {
  /** Computes the area of a shape. */
  @Override
  public int area() {
    return 1;
  }
}
"""
TYPESCRIPT = b"""export class Shape {
  /** Computes the area of a shape. */
  @memo()
  public area(): number {
    return 1;
  }
}
"""
SOURCES = {
    "python": PYTHON,
    "javascript": JAVASCRIPT,
    "typescript": TYPESCRIPT,
    "rust": RUST,
    "c": C,
    "go": GO,
    "java": JAVA,
}
EXPECTED = {
    "python": {"area": "Compute the area of all rings.", "name": "Return the name of the shape."},
    "javascript": {
        "joinRings": "Join the rings of a polygon.",
        "size": "Get the size of the map.",
        "Map/copy": "Make a copy of the map.",
    },
    "typescript": {"area": "Computes the area of a shape."},
    "rust": {"sides": "Counts the sides of a shape."},
    "c": {"half": "Computes the half of a number.", "third": "Declares the third of a number."},
    "go": {"Map/Join": "Join puts the rings together."},
    "java": {"area": "Computes the area of a shape."},
}


def stripped(language: str) -> bytes:
    return apply(SOURCES[language], find_functions(language, SOURCES[language]).edits)


@pytest.mark.parametrize("language", SOURCES)
def test_documented_functions_are_found_with_what_is_said_of_them(language: str) -> None:
    found = {
        function.name: function.documentation for function in find_functions(language, SOURCES[language]).functions
    }
    assert found.keys() == EXPECTED[language].keys()
    assert all(sentence in found[name] for name, sentence in EXPECTED[language].items())


@pytest.mark.parametrize("language", SOURCES)
def test_without_its_documentation_a_source_still_parses(language: str) -> None:
    rules = rules_of(language)
    assert rules is not None
    left = stripped(language)
    assert not parse(rules.grammar, left).has_error
    assert not any(sentence.encode() in left for sentence in EXPECTED[language].values())


@pytest.mark.parametrize("language", SOURCES)
def test_a_function_lies_where_the_edits_have_moved_it(language: str) -> None:
    source, found = SOURCES[language], find_functions(language, SOURCES[language])
    left = apply(source, found.edits)
    for function in found.functions:
        before = source[function.start : function.end]
        after = left[moved(function.start, found.edits) : moved(function.end, found.edits)]
        assert after.split(b"\n")[0] == before.split(b"\n")[0]
        assert after.endswith((before[-3:], b"pass"))


def test_what_documents_no_function_stays() -> None:
    assert b"# stays" in stripped("python")
    assert b'"""A shape."""' in stripped("python")
    assert b"// stays" in stripped("javascript")
    assert b"Not the function's" in stripped("javascript")
    assert b"ends a line of code" in stripped("c")


def test_a_function_that_was_only_a_docstring_passes() -> None:
    assert stripped("python").count(b"pass") == 1


def test_comments_above_a_function_go_with_its_documentation() -> None:
    assert b"runs seldom" not in stripped("python")
    assert b"why it is so" not in stripped("javascript")


def test_prototypes_and_constructors_are_told_from_functions_one_could_ask_for() -> None:
    functions = {function.name: function for function in find_functions("c", C).functions}
    assert functions["half"].has_body
    assert not functions["third"].has_body
    source = b'class A:\n    def __init__(self):\n        """Make a thing of it."""\n        self.a = 1\n'
    (constructor,) = find_functions("python", source).functions
    assert not constructor.is_named


def test_edits_that_overlap_count_once() -> None:
    edits = [Edit(2, 6, b"X"), Edit(2, 4), Edit(5, 8)]
    assert apply(b"0123456789", edits) == b"01X6789"
    assert moved(7, edits) == 4
