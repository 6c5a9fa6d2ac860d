"""`codeloupe install` and `uninstall`, run as a user runs them."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mcp_server.clients.known import CLIENTS
from tests.clients.desk import RUN_S, Desk
from tests.e2e.homes import script

SCRIPT = script()[0]
ARGUMENTS = {
    "claude-code": ["serve"],
    "claude-desktop": ["serve", "--root", "PROJECT"],
    "cursor": ["serve", "--root", "${workspaceFolder}"],
    "vscode": ["serve", "--root", "${workspaceFolder}"],
    "codex": ["serve"],
    "zed": ["serve"],
}
# What users have: each with something that a careless program loses.
BEFORE = {
    "claude-code": b'{"numStartups": 3, "mcpServers": {}, "projects": {"/x": {"history": ["a // b"]}}}',
    "claude-desktop": (
        b'\xef\xbb\xbf{\r\n\t"globalShortcut": "",\r\n\t"mcpServers": {\r\n\t\t"fs": {"command": "npx"}\r\n\t}\r\n}'
    ),
    "cursor": b'{\n    "mcpServers": {\n        "a": {"url": "https://a"},\n    },\n}\n',
    "vscode": b'{\n\t// ours\n\t"inputs": [],\n\t"servers": {\n\t\t/* none yet */\n\t}\n}\n',
    "codex": b'model = "o9" # best\n\n[mcp_servers.docs]\ncommand = "docs"\n\n# the end',
    "zed": b'// Zed settings\n{\n  "theme": "One Dark", // dark\n  "vim_mode": true,\n}\n',
}


def backups(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.codeloupe-backup-*"))


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_without_a_file_gets_one_and_loses_it_again(desk: Desk, client: str) -> None:
    said = desk.done("install", client)
    path = desk.file(client)
    entry = desk.entry(client)
    assert entry["command"] == SCRIPT
    assert entry["args"] == [str(desk.project) if word == "PROJECT" else word for word in ARGUMENTS[client]]
    assert f"{CLIENTS[client].title}, " in said
    assert f": {path}\n@@ line 1 @@\n+" in said
    assert CLIENTS[client].next_steps[CLIENTS[client].scope] in said
    assert stat.S_IMODE(path.stat().st_mode) == (0o600 if CLIENTS[client].scope == "user" else 0o644)
    assert not backups(path)

    assert "nothing to change" in desk.done("install", client)
    desk.done("uninstall", client)
    assert not path.exists()
    assert [each for each in desk.everything().values() if each is not None] == []


@pytest.mark.parametrize("client", CLIENTS)
def test_a_file_is_byte_for_byte_what_it_was_after_install_and_uninstall(desk: Desk, client: str) -> None:
    path = desk.put(client, BEFORE[client])
    path.chmod(0o640)
    before = desk.everything()

    desk.done("install", client)
    assert [kept.read_bytes() for kept in backups(path)] == [BEFORE[client]]
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(backups(path)[0].stat().st_mode)) == (0o640, 0o600)
    kept = path.read_bytes()
    desk.done("install", client)
    assert (path.read_bytes(), len(backups(path))) == (kept, 1)

    assert "restored" in desk.done("uninstall", client)
    assert desk.everything() == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert "nothing to change" in desk.done("uninstall", client)


@pytest.mark.parametrize("client", CLIENTS)
def test_what_is_written_in_between_stays(desk: Desk, client: str) -> None:
    """Another server, added by the client behind ours, in its own way of writing."""
    path = desk.put(client, BEFORE[client])
    desk.done("install", client)
    if CLIENTS[client].format == "toml":
        added = path.read_text(encoding="utf-8") + '\n\n[mcp_servers.later]\ncommand = "later"\n'
    else:
        added = path.read_bytes().decode().replace('"codeloupe":', '"later": {"command": "later"}, "codeloupe":')
    path.write_bytes(added.encode())
    assert "written; as it was" in desk.done("uninstall", client)
    left = path.read_bytes().decode()
    assert "later" in left
    assert "codeloupe" not in left
    for word in ("numStartups", "https://a", "none yet", "# the end", "Zed settings", "globalShortcut"):
        assert (word in left) == (word in BEFORE[client].decode())


def test_an_update_and_its_end_lead_back_to_the_first_file(desk: Desk) -> None:
    path = desk.put("cursor", BEFORE["cursor"])
    desk.done("install", "cursor", "--command", "codeloupe")
    desk.done("install", "cursor")
    assert len(backups(path)) == 2
    desk.done("uninstall", "cursor")
    assert path.read_bytes() == BEFORE["cursor"]
    assert not backups(path)


def test_a_dry_run_shows_the_change_and_writes_nothing(desk: Desk) -> None:
    desk.put("codex", BEFORE["codex"])
    before = desk.everything()
    said = desk.done("install", "codex", "zed", "--dry-run")
    assert "+[mcp_servers.codeloupe]" in said
    assert '+  "context_servers": {' in said
    assert "Nothing was written: --dry-run." in said
    assert desk.everything() == before


def test_the_difference_does_not_show_the_keys_of_other_servers(desk: Desk) -> None:
    content = {"mcpServers": {"a": {"command": "x", "env": {"TOKEN": "s3cret"}}}}
    for indent in (None, 2):
        desk.put("claude-code", json.dumps(content, indent=indent).encode())
        assert "s3cret" not in desk.done("install", "claude-code")
    desk.put("codex", b'[mcp_servers.a.env]\nTOKEN = "s3cret"\n[mcp_servers.codeloupe]\ncommand = "codeloupe"\n')
    assert "s3cret" not in desk.done("install", "codex")


def test_the_difference_does_not_show_the_keys_of_our_own_entry(desk: Desk) -> None:
    entry = b'[mcp_servers.codeloupe]\ncommand = "codeloupe"\nargs = ["serve"]\nenv = { HF_TOKEN = "s3cret" }\n'
    desk.put("codex", entry)
    said = desk.done("install", "codex") + desk.done("uninstall", "codex")
    assert ("s3cret" not in said, "HF_TOKEN" in said) == (True, True)


def test_a_project_that_has_nothing_else_in_it_stays(desk: Desk) -> None:
    desk.done("install", "claude-code", "--project")
    desk.done("uninstall", "claude-code", "--project")
    assert list(desk.project.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="needs pipes and devices among files")
@pytest.mark.parametrize("kind", ["a pipe", "a device"])
def test_a_pipe_or_a_device_in_the_place_of_a_file_is_neither_read_nor_replaced(desk: Desk, kind: str) -> None:
    path = desk.file("cursor", "project")
    path.parent.mkdir()
    os.mkfifo(path) if kind == "a pipe" else path.symlink_to("/dev/zero")
    for command in ("install", "uninstall"):
        said = desk.refused(command, "cursor", "--project")
        assert said.startswith(f"{path} cannot be read (it is no file but a pipe or a device)")
    assert not path.is_file()
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_file_too_large_for_a_clients_is_left_alone(desk: Desk) -> None:
    path = desk.put("cursor", b"")
    with path.open("r+b") as file:
        file.truncate(1 << 36)  # of holes
    assert desk.refused("install", "cursor").startswith(f"{path} cannot be read (it has more than 64 MiB)")


@pytest.mark.skipif(sys.platform != "linux", reason="extended attributes are Linux's here")
def test_what_a_file_has_beside_its_content_stays(desk: Desk) -> None:
    path = desk.put("zed", BEFORE["zed"])
    try:
        os.setxattr(path, "user.label", b"mine")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    desk.done("install", "zed")
    assert os.getxattr(path, "user.label") == b"mine"


def test_both_scopes_can_be_chosen_and_are_taken_out_together(desk: Desk) -> None:
    desk.done("install", "claude-code", "zed", "--project")
    desk.done("install", "claude-code", "zed", "--user", "--root", str(desk.project))
    assert desk.entry("claude-code", "project")["args"] == ["serve"]
    assert desk.entry("zed", "user")["args"] == ["serve", "--root", str(desk.project)]
    assert desk.done("uninstall", "--yes").count("(the file goes: nothing else is in it)") == 4
    assert [each for each in desk.everything().values() if each is not None] == []


def test_a_project_named_by_root_gets_the_file(desk: Desk) -> None:
    other = desk.directory / "other"
    other.mkdir()
    desk.done("install", "vscode", "--root", str(other))
    assert (
        json.loads((other / ".vscode" / "mcp.json").read_bytes())["servers"]["codeloupe"]["args"][2]
        == "${workspaceFolder}"
    )


def test_without_a_client_those_that_are_here_are_found_and_agreed_to(desk: Desk) -> None:
    (desk.programs / "claude").touch(mode=0o755)
    (desk.home / ".codex").mkdir()
    before = desk.everything()
    ran = desk.run("install")
    assert ran.returncode == 2
    assert ran.stdout.startswith("Found on this machine: Claude Code, Codex.")
    assert "Nothing was written: name the clients, or agree to all of this with --yes." in ran.stderr
    assert desk.everything() == before
    desk.done("install", "--yes")
    assert desk.entry("claude-code")["command"] == desk.entry("codex")["command"] == SCRIPT
    assert not desk.file("cursor").exists()


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo terminal")
@pytest.mark.parametrize(("answer", "written"), [(b"n\n", False), (b"\n", True)])
def test_at_a_terminal_one_question_is_asked(desk: Desk, answer: bytes, written: bool) -> None:
    (desk.home / ".codex").mkdir()
    ours, theirs = os.openpty()
    os.write(ours, answer)
    ran = subprocess.run(
        [SCRIPT, "install"],
        cwd=desk.project,
        env=desk.environment,
        stdin=theirs,
        capture_output=True,
        encoding="utf-8",
        timeout=RUN_S,
        check=False,
    )
    os.close(ours)
    os.close(theirs)
    assert ran.returncode == 0, ran.stderr
    assert "Write this? [Y/n]" in ran.stdout
    assert desk.file("codex").exists() is written


def test_where_no_client_is_found_they_are_named(desk: Desk) -> None:
    said = desk.refused("install")
    assert said == (
        "No client that is known was found on this machine; "
        "name one of claude-code, claude-desktop, cursor, vscode, codex, zed."
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("install", "emacs"),
            "There is no client 'emacs' here; there are claude-code, claude-desktop, cursor, vscode, codex, zed.",
        ),
        (("install", "codex", "--project", "--user"), "--project and --user are two files; name one of them."),
        (("install", "claude-desktop", "--project"), "Claude Desktop knows no projects; leave --project out."),
        (("uninstall", "claude-desktop", "--project"), "Claude Desktop knows no projects; leave --project out."),
        (("install", "codex", "--root", "/no/such"), "/no/such does not exist; check the path given as root."),
        (
            ("install", "codex", "--name", "a b"),
            "'a b' cannot be a server's name in every client; use up to 64 letters, digits, - and _.",
        ),
        (
            ("install", "codex", "--command", "cat"),
            "--command 'cat' does not start codeloupe; name codeloupe, or uvx with it.",
        ),
    ],
)
def test_a_wish_that_cannot_be_granted_is_refused_in_a_sentence(desk: Desk, words: tuple[str, ...], said: str) -> None:
    assert desk.refused(*words) == said
    assert [each for each in desk.everything().values() if each is not None] == []


@pytest.mark.parametrize("words", [("claude-desktop",), ("vscode",), ("vscode", "--user"), ("codex", "--project")])
def test_a_home_is_not_taken_for_a_project(desk: Desk, words: tuple[str, ...]) -> None:
    ran = desk.run("install", *words, cwd=desk.home)
    assert ran.returncode == 2
    assert ran.stderr.endswith(
        f" needs a project here, and {desk.home} is none; go to one, or name it with --root DIR.\n"
    )
    desk.done("install", *words)


def test_at_home_a_file_that_is_the_projects_and_the_users_is_changed_once(desk: Desk) -> None:
    desk.done("install", "codex")
    ran = desk.run("uninstall", "--yes", cwd=desk.home)
    assert (ran.returncode, ran.stdout.count("Codex: removed")) == (0, 1), ran
    assert not desk.file("codex").exists()


@pytest.mark.parametrize(
    ("client", "content", "said"),
    [
        (
            "claude-code",
            b'{"mcpServers": {"a": 1,}}',
            "cannot be read as JSON (line 1: a comma stands behind the last item)",
        ),
        ("vscode", b"<<<<<<< ours\n{}", "cannot be read as JSON (line 1: a value is expected, not '<')"),
        ("codex", b"model = \n", "cannot be read as TOML (Invalid value (at line 1, column 9))"),
        ("zed", b'{"context_servers": "none"}', "holds something else where the servers should be (context_servers)"),
        ("cursor", b'{"mcpServers": {}}'.decode().encode("utf-16"), "is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_left_alone(desk: Desk, client: str, content: bytes, said: str) -> None:
    path = desk.put(client, content)
    before = desk.everything()
    for command in ("install", "uninstall"):
        assert desk.refused(command, client).startswith(f"{path} {said}")
    assert desk.everything() == before


def test_one_bad_file_does_not_stop_the_others(desk: Desk) -> None:
    desk.put("cursor", b"{")
    ran = desk.run("install", "cursor", "codex")
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1
    assert desk.entry("codex")["command"] == SCRIPT


def test_an_entry_of_the_same_name_that_is_not_ours_stays_unless_forced(desk: Desk) -> None:
    path = desk.put("cursor", b'{"mcpServers": {"codeloupe": {"command": "else"}}}')
    before = desk.everything()
    assert desk.refused("install", "cursor") == (
        f"{path} has a server named 'codeloupe' that does not start codeloupe; "
        "choose another name with --name, or replace it with --force."
    )
    assert "so it stays; remove it with --force" in desk.refused("uninstall", "cursor")
    assert desk.everything() == before
    desk.done("install", "cursor", "--name", "loupe")
    assert desk.entry("cursor", name="codeloupe") == {"command": "else"}
    desk.done("install", "cursor", "--force")
    assert desk.entry("cursor")["command"] == SCRIPT


def test_an_entry_that_was_renamed_is_told_and_not_taken(desk: Desk) -> None:
    desk.put("codex", b"[mcp_servers.loupe]\ncommand = 'codeloupe'\n")
    said = desk.done("uninstall", "codex")
    assert "There is 'loupe' as well, which starts codeloupe: uninstall --name loupe takes it out." in said
    assert desk.entry("codex", name="loupe") == {"command": "codeloupe"}
    desk.done("uninstall", "codex", "--name", "loupe")
    assert "loupe" not in desk.file("codex").read_text(encoding="utf-8").lower()


def test_a_name_that_moves_the_cursor_is_told_as_it_is_written(desk: Desk) -> None:
    servers = {"x\x1b[2J\nAll is well": {"command": "codeloupe"}}
    desk.put("claude-code", json.dumps({"mcpServers": servers}).encode(), "project")
    said = desk.done("uninstall", "claude-code", "--project")
    assert ("\x1b" not in said, "\nAll is well" not in said) == (True, True)
    assert "uninstall --name x\\x1b[2J\\nAll is well takes it out" in said


def test_what_claude_mcp_add_made_for_one_project_is_told(desk: Desk) -> None:
    local = {str(desk.project): {"mcpServers": {"codeloupe": {"command": "codeloupe", "args": ["serve"]}}}}
    desk.put("claude-code", json.dumps({"projects": local}).encode())
    said = desk.done("install", "claude-code")
    assert (
        f"{desk.project} has its own 'codeloupe', which comes first there: claude mcp remove codeloupe -s local" in said
    )


def test_a_projects_file_that_names_a_path_of_this_machine_says_so(desk: Desk) -> None:
    note = "for one that others share, install with --command codeloupe."
    assert note in desk.done("install", "vscode")
    assert note not in desk.done("install", "vscode", "--command", "codeloupe")
    assert note not in desk.done("install", "codex")
    assert desk.entry("vscode")["command"] == "codeloupe"


@pytest.mark.skipif(os.name == "nt", reason="there it is not there")
@pytest.mark.parametrize("words", [("install", "codex"), ("install", "--yes"), ("uninstall", "--yes")])
def test_a_place_that_the_system_refuses_to_look_at_is_told_and_does_not_stop_the_others(
    desk: Desk, words: tuple[str, ...]
) -> None:
    (desk.programs / "codex").touch(mode=0o755)
    place = desk.directory / ("x" * 300)
    said = desk.refused(*words, CODEX_HOME=str(place))
    assert said.startswith(f"{place / 'config.toml'} cannot be read (File name too long)")


def test_half_a_letter_in_an_entry_stops_nothing(desk: Desk) -> None:
    path = desk.put("cursor", b'{"mcpServers": {"codeloupe": {"command": "codeloupe", "env": {"K": "\\ud800"}}}}')
    desk.done("install", "cursor")
    assert b"\\ud800" in path.read_bytes()
    desk.done("uninstall", "cursor")
    assert json.loads(path.read_bytes()) == {"mcpServers": {}}


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file system that takes any bytes as a name")
def test_a_directory_whose_name_is_no_utf8_is_told(desk: Desk) -> None:
    odd = desk.directory / os.fsdecode(b"pr\xffject")
    odd.mkdir()
    said = desk.refused("install", "claude-desktop", "--root", str(odd))
    assert said.endswith("cannot be written as UTF-8; rename what has that in its name.")
    assert not desk.file("claude-desktop").exists()


def test_a_read_only_file_is_somebodys_decision(desk: Desk) -> None:
    path = desk.put("zed", BEFORE["zed"])
    path.chmod(0o444)
    before = desk.everything()
    assert desk.refused("install", "zed") == f"{path} is read-only; allow writing to it first."
    assert desk.everything() == before


def test_a_directory_in_the_way_is_told(desk: Desk) -> None:
    path = desk.file("codex")
    path.mkdir(parents=True)
    assert desk.refused("install", "codex").startswith(f"{path} cannot be read (Is a directory)")
    desk.file("zed").parent.parent.mkdir()
    desk.file("zed").parent.write_text("a file", encoding="utf-8")
    assert desk.refused("install", "zed").startswith(f"{desk.file('zed')} cannot be ")


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash to limit the size of files")
def test_a_full_disk_leaves_the_file_and_nothing_else(desk: Desk) -> None:
    path = desk.put("zed", BEFORE["zed"])
    before = desk.everything()
    ran = subprocess.run(
        [str(shutil.which("bash")), "-c", f'ulimit -f 0; exec "{SCRIPT}" install zed'],
        cwd=desk.project,
        env=desk.environment | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=RUN_S,
        check=False,
    )
    assert ran.returncode == 2
    assert (
        ran.stderr
        == f"codeloupe: {path} cannot be written (File too large); it is as it was. Mend that and try again.\n"
    )
    assert desk.everything() == before


def test_a_link_of_a_dotfiles_program_stays_a_link(desk: Desk) -> None:
    kept = desk.directory / "dotfiles" / "zed.json"
    kept.parent.mkdir()
    kept.write_bytes(BEFORE["zed"])
    path = desk.file("zed")
    path.parent.mkdir(parents=True)
    path.symlink_to(kept)
    desk.done("install", "zed")
    assert path.is_symlink()
    assert b"codeloupe" in kept.read_bytes()
    assert backups(kept)
    desk.done("uninstall", "zed")
    assert path.is_symlink()
    assert kept.read_bytes() == BEFORE["zed"]


def test_the_variables_of_a_client_are_followed(desk: Desk) -> None:
    desk.done("install", "codex", CODEX_HOME=str(desk.directory / "x"))
    assert (desk.directory / "x" / "config.toml").is_file()
    assert not desk.file("codex").exists()


def test_a_byte_order_mark_and_line_ends_stay_while_we_are_in_the_file(desk: Desk) -> None:
    path = desk.put("claude-desktop", BEFORE["claude-desktop"])
    desk.done("install", "claude-desktop")
    installed = path.read_bytes()
    assert installed.startswith(b"\xef\xbb\xbf{\r\n\t")
    assert b"codeloupe" in installed
    assert installed.count(b"\n") == installed.count(b"\r\n")
