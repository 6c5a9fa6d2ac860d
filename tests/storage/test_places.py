"""Where a file stands, by its path and language."""

from __future__ import annotations

import pytest

from storage.ranking.places import PLACE_WEIGHT, Place, place_of, superseded

PLACES = {
    Place.CODE: [
        ("src/parser.py", "python"),
        ("main.go", "go"),
        ("src/latest/contest.py", "python"),
        ("attestation.go", "go"),
        ("lib/protest.rb", "ruby"),
        ("src/testimony/inspector.rs", "rust"),
        ("src/mydocs/render.ts", "typescript"),
        ("src/docs_builder.py", "python"),
        ("app/Contest.java", "java"),
        ("src/main/java/com/example/billing/Invoice.java", "java"),
        ("src/general/generate.py", "python"),
        ("src/Manifest.cs", "csharp"),
        ("lib/sampler/resample.py", "python"),
        ("src/bencher.rs", "rust"),
        ("core/older/threshold.c", "c"),
        ("src/compatible.ts", "typescript"),
        ("scripts/deploy.sh", "bash"),
        ("Makefile", "make"),
        ("src/id.ts", "typescript"),
    ],
    Place.TEST: [
        ("tests/test_parser.py", "python"),
        ("test_parser.py", "python"),
        ("pkg/conftest.py", "python"),
        ("pkg/parser_test.go", "go"),
        ("src/parser.test.ts", "typescript"),
        ("src/parser.spec.tsx", "tsx"),
        ("src/__tests__/parser.js", "javascript"),
        ("src/__mocks__/fs.js", "javascript"),
        ("spec/models/user_spec.rb", "ruby"),
        ("src/test/java/org/acme/Fields.java", "java"),
        ("app/ParserTest.java", "java"),
        ("app/ParserTests.cs", "csharp"),
        ("Sources/SessionTests.swift", "swift"),
        ("core/ParserSpec.scala", "scala"),
        ("app/FooTestCase.php", "php"),
        ("crates/core/tests/cli.rs", "rust"),
        ("src/lexer_test.cc", "cpp"),
        ("internal/testdata/golden.json", "json"),
        ("tests/fixtures/page.html", "html"),
        ("e2e/login.ts", "typescript"),
        ("tests/README.md", "markdown"),
        ("src/commonTest/kotlin/Flow.kt", "kotlin"),
        ("base/parser_unittest.cc", "cpp"),
        ("t/basic.t", "perl"),
        ("core/FlowSuite.scala", "scala"),
        ("fuzz/fuzz_targets/parse.rs", "rust"),
    ],
    Place.PROSE: [
        ("README.md", "markdown"),
        ("docs/guide.rst", "rst"),
        ("LICENSE", "text"),
        ("package.json", "json"),
        ("web/index.html", "html"),
        ("style/main.scss", "scss"),
        (".github/workflows/ci.yml", "yaml"),
        ("pyproject.toml", "toml"),
        ("examples/README.md", "markdown"),
        ("legacy/notes.md", "markdown"),
    ],
    Place.EXAMPLE: [
        ("examples/server.py", "python"),
        ("_examples/rest/main.go", "go"),
        ("Example/App.swift", "swift"),
        ("samples/Hello.java", "java"),
        ("demo/app.ts", "typescript"),
        ("benches/parse.rs", "rust"),
        ("benchmarks/storage.py", "python"),
        ("docs/conf.py", "python"),
        ("docs_src/../tutorial/main.py", "python"),
        ("examples/legacy/old.py", "python"),
    ],
    Place.LEGACY: [
        ("src/legacy/parser.js", "javascript"),
        ("lib/compat.py", "python"),
        ("src/deprecated/api.c", "c"),
        ("old/main.c", "c"),
        ("src/compat-table.js", "javascript"),
        ("src/legacy/index.d.ts", "typescript"),
    ],
    Place.GENERATED: [
        ("api/v1/service.pb.go", "go"),
        ("proto/service_pb2.py", "python"),
        ("src/generated/client.ts", "typescript"),
        ("lib/model.g.dart", "dart"),
        ("static/app.min.js", "javascript"),
    ],
    Place.VENDORED: [
        ("vendor/github.com/pkg/errors/errors.go", "go"),
        ("third_party/zlib/inflate.c", "c"),
        ("src/_vendored/six.py", "python"),
    ],
    Place.STUB: [
        ("types/index.d.ts", "typescript"),
        ("types/index.d.mts", "typescript"),
        ("numpy/core/multiarray.pyi", "python"),
    ],
}
ROWS = [(path, language, place) for place, rows in PLACES.items() for path, language in rows]


@pytest.mark.parametrize(("path", "language", "place"), ROWS)
def test_a_path_and_a_language_tell_the_place(path: str, language: str, place: Place) -> None:
    assert place_of(path, language) is place


def test_every_place_has_a_weight_and_code_is_never_behind() -> None:
    assert set(PLACE_WEIGHT) == set(Place)
    assert PLACE_WEIGHT[Place.CODE] == 1
    assert all(0 < weight < 1 for place, weight in PLACE_WEIGHT.items() if place is not Place.CODE)


def test_a_file_that_is_several_things_is_put_where_it_stands_furthest_behind() -> None:
    order = [Place.TEST, Place.VENDORED, Place.GENERATED, Place.PROSE, Place.EXAMPLE, Place.LEGACY, Place.STUB]
    weights = [PLACE_WEIGHT[place] for place in order]
    assert weights == sorted(weights)


def test_a_version_is_old_beside_a_newer_one_or_a_twin_without_a_version() -> None:
    paths = ["src/v3/types.ts", "src/v4/core/types.ts", "pkg/v1/main.py", "pkg/main.py", "api/v1/users.go", "v2/a.go"]
    assert superseded(paths) == {"src/v3/types.ts": "v3", "pkg/v1/main.py": "v1"}
    assert superseded(["v1/a.go", "v2/a.go"]) == {"v1/a.go": "v1"}
    assert superseded([]) == {}
