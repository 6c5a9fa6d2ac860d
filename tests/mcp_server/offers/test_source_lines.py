"""A security boundary: whatever an address says, only what the index may hold is read, as it is now."""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path, PureWindowsPath
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.errors import RootError
from indexer.rules import root_rules
from indexer.settings import IndexSettings
from mcp_server.errors import OutsideRootError, RequestError, WithheldError
from mcp_server.offers import source_lines
from mcp_server.offers.code_uri import CodeUri, parse_code_uri
from mcp_server.offers.source_lines import Place, SourceLines, cut_out, places, read_lines
from tests.indexer.trees import git, git_repository, keep_git_private, plant

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs what POSIX file systems offer")
SETTINGS = IndexSettings()
OUTSIDE = "what no answer may hold"
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk=\n-----END OPENSSH PRIVATE KEY-----\n"


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    keep_git_private(monkeypatch, home)
    return home


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A work tree with everything in it that may not be read, beside what may."""
    outside = plant(tmp_path / "outside", {"passwords.py": f"x = '{OUTSIDE}'\n"})
    root = git_repository(tmp_path / "root", {
        "src/app.py": "one = 1\ntwo = 2\nthree = 3\n", "src/crlf.c": "int a;\r\nint b;\r\n", "README.md": "# Root\n",
        "src/Üben drei.py": "x = 1\n", "100%/a?b#c.py": "odd = 1\n", "[slug]/page.tsx": "export {}\n",
        ".gitignore": "build/\n*.log\n!keep.log\n", "build/app.py": f"{OUTSIDE}\n", "a.log": f"{OUTSIDE}\n",
        "keep.log": "kept\n", ".codeloupeignore": "private/\n", "private/a.py": f"{OUTSIDE}\n",
        ".env": f"KEY={OUTSIDE}\n", ".env.example": "KEY=\n", "deploy/server.pem": KEY, "id_ed25519": KEY,
        "image.png": b"\x89PNG\r\n\x1a\n\0\0" + OUTSIDE.encode(), "big.py": f"# {OUTSIDE}\n" + "x = 1\n" * 400_000,
        "node_modules/left-pad/index.js": f"// {OUTSIDE}\n", "package-lock.json": "{}\n",
    })  # fmt: skip
    if sys.platform != "win32":
        (root / "out.py").symlink_to(outside / "passwords.py")
        (root / "way").symlink_to(outside)
        (root / "inner.py").symlink_to(root / "src" / "app.py")
        (root / "loop").symlink_to(root)
        os.mkfifo(root / "pipe.py")
    return root


def lines(uri: str, *roots: Path) -> SourceLines | None:
    return read_lines(parse_code_uri(uri), roots, SETTINGS)


def text(uri: str, *roots: Path) -> str:
    found = lines(uri, *roots)
    assert found is not None, uri
    return found.text


# What is read


@pytest.mark.parametrize(
    ("uri", "content"),
    [
        ("code://src/app.py", "one = 1\ntwo = 2\nthree = 3\n"),
        ("code:///src/app.py", "one = 1\ntwo = 2\nthree = 3\n"),
        ("code://src//./app.py", "one = 1\ntwo = 2\nthree = 3\n"),
        ("code://src/app.py?start=2&end=2", "two = 2\n"),
        ("code://src/app.py?start=2", "two = 2\nthree = 3\n"),
        ("code://src/app.py?end=1", "one = 1\n"),
        ("code://src/app.py?start=3&end=900", "three = 3\n"),
        ("code://src/crlf.c", "int a;\nint b;\n"),
        ("code://src/%C3%9Cben%20drei.py", "x = 1\n"),
        ("code://src/Üben drei.py", "x = 1\n"),
        ("code://100%25/a%3Fb%23c.py", "odd = 1\n"),
        ("code:///%5Bslug%5D/page.tsx", "export {}\n"),
        ("code://README.md", "# Root\n"),
        ("code://keep.log", "kept\n"),
        ("code://.env.example", "KEY=\n"),
    ],
)
def test_a_file_of_the_index_is_read_as_it_is(root: Path, uri: str, content: str) -> None:
    assert text(uri, root) == content


def test_what_was_just_written_is_what_is_read(root: Path) -> None:
    assert text("code://src/app.py?end=1", root) == "one = 1\n"
    (root / "src/app.py").write_text("changed = 1\n", encoding="utf-8")
    assert text("code://src/app.py", root) == "changed = 1\n"


def test_what_was_just_ignored_is_no_longer_read(root: Path) -> None:
    assert lines("code://src/app.py", root)
    plant(root, {"src/.gitignore": "app.py\n"})
    assert lines("code://src/app.py", root) is None
    (root / ".git/info").mkdir(exist_ok=True)
    (root / ".git/info/exclude").write_text("README.md\n", encoding="utf-8")
    assert lines("code://README.md", root) is None


def test_a_tracked_file_is_read_although_a_rule_ignores_it(root: Path) -> None:
    git(root, "add", "--force", "a.log")
    assert OUTSIDE in text("code://a.log", root)


def test_a_client_that_writes_hosts_in_small_letters_finds_the_file(root: Path) -> None:
    assert text("code://readme.md", root) == "# Root\n"
    assert lines("code:///readme.md", root) is None or not (root / "readme.md.nowhere").exists()


@pytest.mark.parametrize(
    ("path", "mime_type"),
    [("src/app.py", "text/x-python"), ("README.md", "text/markdown"), ("[slug]/page.tsx", "text/x-tsx")],
)
def test_the_mime_type_is_the_language_s(root: Path, path: str, mime_type: str) -> None:
    found = lines(f"code:///{path}", root)
    assert found is not None
    assert found.mime_type == mime_type


# Several roots


def test_a_path_names_its_root_as_answers_do(tmp_path: Path) -> None:
    north, south = (plant(tmp_path / name, {"a.py": f"{name} = 1\n"}) for name in ("north", "south"))
    assert text("code://north/a.py", north, south) == "north = 1\n"
    assert text("code://south/a.py", north, south) == "south = 1\n"
    assert text("code://South/a.py", north, south) == "south = 1\n"
    assert text(f"code://{south.as_posix()}/a.py", north, south) == "south = 1\n"
    assert text("code://a.py", north, south) == "north = 1\n"
    assert lines("code://west/a.py", north, south) is None


def test_two_roots_of_one_name_are_both_looked_into(tmp_path: Path) -> None:
    one = plant(tmp_path / "one/app", {"a.py": "a\n"})
    two = plant(tmp_path / "two/app", {"b.py": "b\n"})
    assert text("code://app/b.py", one, two) == "b\n"


def test_a_directory_called_as_another_root_is_still_found(tmp_path: Path) -> None:
    web = plant(tmp_path / "web", {"api/a.py": "inner\n"})
    api = plant(tmp_path / "api", {"b.py": "b\n"})
    assert text("code://api/a.py", web, api) == "inner\n"


# What is refused


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (".env", "made to hold secrets"),
        ("deploy/server.pem", "made to hold secrets"),
        ("id_ed25519", "made to hold secrets"),
        ("image.png", "is binary"),
        ("big.py", "larger than index.max_file_kb"),
        ("node_modules/left-pad/index.js", "vendored"),
        ("package-lock.json", "written by a program"),
        ("src", "is a directory; read a file in it, such as src/app.py"),
    ],
)
def test_what_the_index_leaves_out_is_refused_with_the_reason(root: Path, path: str, why: str) -> None:
    with pytest.raises(RequestError) as refused:
        lines(f"code://{path}", root)
    assert why in str(refused.value)
    assert OUTSIDE not in str(refused.value)


@posix_only
@pytest.mark.parametrize("path", ["out.py", "way/passwords.py", "inner.py", "loop/src/app.py", "loop/loop/README.md"])
def test_links_lead_nowhere(root: Path, path: str) -> None:
    with pytest.raises(RequestError) as refused:
        lines(f"code://{path}", root)
    assert "symbolic link" in str(refused.value)


@posix_only
def test_a_pipe_is_not_waited_for(root: Path) -> None:
    with pytest.raises(RequestError) as refused:
        lines("code://pipe.py", root)
    assert "no regular file" in str(refused.value)


@pytest.mark.parametrize(
    "path",
    [
        "build/app.py",
        "a.log",
        "private/a.py",
        ".git/config",
        ".git/HEAD",
        "src/app.py/x",
        "src/none.py",
        "none/none.py",
    ],
)
def test_what_is_ignored_is_as_if_it_were_not_there(root: Path, path: str) -> None:
    assert lines(f"code://{path}", root) is None


ENCODINGS = (
    lambda path: path,
    lambda path: path.replace(".", "%2E").replace("/", "%2F"),
    lambda path: path.replace("..", ".%2e"),
    lambda path: "".join(f"%{byte:02x}" for byte in path.encode()),
    lambda path: path.replace("%", "%25").replace(".", "%252e"),
    lambda path: path.replace("/", "\\"),
    lambda path: path.replace("/", "%5C"),
    lambda path: path + "%00.py",
    lambda path: path + "%00",
    lambda path: path + ".",
    lambda path: path + " ",
    lambda path: path + "::$DATA",
    lambda path: path.upper(),
)
LEADS = (
    "",
    "/",
    "//",
    "///",
    "./",
    "src/",
    "src/../",
    "way/",
    "way/../",
    "loop/",
    "file://",
    "~",
    "~/",
    "C:",
    "\\\\?\\",
)


def reached(uri: str, *roots: Path) -> str:
    """All that an address gives away: text, or the sentence of its refusal."""
    try:
        found = lines(uri, *roots)
    except (RequestError, OutsideRootError) as refused:
        return str(refused)
    return found.text if found else ""


@pytest.fixture
def steady(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The work tree, of which git is asked once; what does not change need not be asked thousands of times."""
    rules = root_rules(root.resolve(), SETTINGS)
    monkeypatch.setattr(source_lines, "root_rules", lambda *_, **__: rules)
    return root.resolve()


def test_no_spelling_of_a_way_out_leads_out(steady: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside" / "passwords.py"
    ways = [outside.as_posix(), "../outside/passwords.py", "outside/passwords.py", "src/../../outside/passwords.py"]
    ways += ["passwords.py", "build/app.py", "private/a.py", "a.log", ".env", ".ENV", "src/../.env", ".git/../.env"]
    plant(steady, {"src/open.py": OUTSIDE})
    assert OUTSIDE in reached("code://src/open.py", steady)  # what is there to be found would be
    for lead, way, encode in itertools.product(LEADS, ways, ENCODINGS):
        for uri in (f"code://{encode(lead + way)}", f"code://{lead}{encode(way)}"):
            assert OUTSIDE not in reached(uri, steady), uri


TRICKS = st.lists(
    st.sampled_from(["..", ".", "", "src", "app.py", "way", "loop", "outside", "passwords.py", "build", "private",
                     "a.py", ".git", ".env", "root", "\0", "\\", "..\\..", "%2e%2e", "C:", "~", "out.py", "a.log"]),
    max_size=7,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(TRICKS, st.booleans())
def test_no_path_of_tricks_reaches_what_is_hidden(steady: Path, names: list[str], absolute: bool) -> None:
    lead = steady.as_posix() + "/" if absolute else ""
    for path in (lead + "/".join(names), quote(lead + "/".join(names), safe="")):
        assert OUTSIDE not in reached(f"code://{path}", steady)


def test_a_way_up_is_refused_by_name(root: Path) -> None:
    with pytest.raises(OutsideRootError) as refused:
        lines("code://src/%2e%2e/%2e%2e/outside/passwords.py", root)
    assert "goes up by '..'" in str(refused.value)


@posix_only
@pytest.mark.parametrize("back", [False, True])
def test_a_directory_that_becomes_a_link_while_its_file_is_read_gives_nothing_away(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, back: bool
) -> None:
    plant(root, {"lib/passwords.py": "mine = 1\n"})
    read = source_lines.read_source

    def swapped(found: source_lines.SourceFile, how: IndexSettings) -> object:
        (root / "lib").rename(root / "was")
        (root / "lib").symlink_to(tmp_path / "outside")
        source = read(found, how)
        if back:
            (root / "lib").unlink()
            (root / "was").rename(root / "lib")
        return source

    monkeypatch.setattr(source_lines, "read_source", swapped)
    with pytest.raises((OutsideRootError, WithheldError)) as refused:
        lines("code://lib/passwords.py", root)
    assert OUTSIDE not in str(refused.value)


# Windows, by construction


@pytest.mark.parametrize(
    "path",
    ["src/app.py", "src\\app.py", "/src/app.py", "C:/work/app/src/app.py", "/c:/Work/app/src/app.py",
     "C:\\work\\app\\src\\app.py", ".\\src\\.\\app.py"],
)  # fmt: skip
def test_a_path_of_windows_is_one_below_its_root(path: str) -> None:
    root = PureWindowsPath("C:\\Work\\app")
    assert places(path, [root], windows=True) == [Place(root, "src/app.py")]  # type: ignore[list-item, arg-type]


@pytest.mark.parametrize(
    "path", ["..\\x.py", "src\\..\\..\\x.py", "C:\\work\\app\\..\\x.py", "C:/work/app/a/../../x.py"]
)
def test_a_way_up_of_windows_is_refused(path: str) -> None:
    with pytest.raises(OutsideRootError):
        places(path, [PureWindowsPath("C:\\Work\\app")], windows=True)  # type: ignore[list-item]


def test_a_share_of_windows_is_a_root_as_well() -> None:
    root = PureWindowsPath("\\\\server\\share\\app")
    asked = "//server/share/app/a.py"
    assert places(asked, [root], windows=True) == [Place(root, "a.py")]  # type: ignore[list-item, arg-type]


# Length


def test_a_long_file_is_cut_after_a_whole_line_and_says_how_to_read_on() -> None:
    content = "".join(f"line {number}\n" for number in range(1, 101))
    cut = cut_out(content, CodeUri("a b.py"), 100)
    assert cut.endswith(
        "line 13\n[lines 1 to 13 of 100, 100 characters being the most; read on at code:///a%20b.py?start=14]\n"
    )
    assert cut.startswith("line 1\nline 2\n")


def test_reading_on_gives_the_whole_text_without_gap_or_repetition() -> None:
    content = "".join(f"line {number}\n" for number in range(1, 101))
    whole, asked = "", CodeUri("a.py")
    while True:
        part = cut_out(content, asked, 100)
        shown, _, said = part.rpartition("[lines ")
        if not said or "read on at" not in said:
            whole += part
            break
        whole += shown
        asked = parse_code_uri(said.partition("read on at ")[2].rstrip("]\n"))
    assert whole == content


def test_reading_on_keeps_to_the_lines_that_were_asked_for() -> None:
    content = "x" * 60 + "\n" + "y" * 60 + "\n" + "z\n" * 60
    assert "read on at code://a.py?start=2&end=2]" in cut_out(content, CodeUri("a.py", 1, 2), 100)


def test_a_line_that_is_too_long_is_cut_and_said_to_be() -> None:
    cut = cut_out("a = 1\n" + "x" * 500 + "\nb = 2\n", CodeUri("a.py", 2), 100)
    assert cut == "x" * 100 + (
        "\n[the first 100 of the 500 characters of line 2 of 3; read on at code://a.py?start=3]\n"
    )


def test_what_fits_is_given_as_it_is() -> None:
    assert cut_out("a\nb", CodeUri("a.py"), 3) == "a\nb"
    assert cut_out("a\nb\n", CodeUri("a.py", 2, 2), 3) == "b\n"
    assert cut_out("", CodeUri("a.py"), 3) == ""
    assert cut_out("a\x0cb\u2028c\n", CodeUri("a.py", 1, 1)) == "a\x0cb\u2028c\n"


@pytest.mark.parametrize(("content", "start"), [("a\nb\n", 3), ("a\nb", 3), ("", 2)])
def test_lines_behind_the_end_are_refused_with_the_number_there_are(content: str, start: int) -> None:
    with pytest.raises(RequestError) as refused:
        cut_out(content, CodeUri("a.py", start))
    assert f"lines; start={start} is behind them" in str(refused.value)


def test_a_root_that_has_gone_is_named(root: Path) -> None:
    with pytest.raises(RootError) as failed:
        lines("code://src/app.py", root / "gone")
    assert "There is no directory" in str(failed.value)
