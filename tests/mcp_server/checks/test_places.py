"""Places that cannot be written, or not for long: on real disks that are full, read-only, or out of files."""

from __future__ import annotations

import json
import shlex
import sys
import tempfile
from pathlib import Path

import pytest

from embedding.shared.place import place_of, services_directory
from mcp_server.checks.findings import Finding, Level
from mcp_server.checks.places import Place, examine, places
from mcp_server.settings import Settings
from tests.mcp_server.checks.faults import alone, python

LOOK = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from mcp_server.checks.places import Place, examine
print(json.dumps(asdict(examine(Place("indexes", Path(sys.argv[1]), 1 << 20, "set storage.directory", private=True)))))
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes and mounts are those of Unix")


def place(directory: Path, least: int = 1 << 20, *, private: bool = True) -> Place:
    return Place("indexes", directory, least, "set storage.directory", private=private)


def on(mount: str, directory: Path, before: str = "") -> Finding:
    """What is said of ``directory`` where a disk of that kind is mounted there."""
    directory.mkdir(mode=0o700)
    where = shlex.quote(str(directory))
    look = f"{shlex.quote(sys.executable)} -c {shlex.quote(LOOK)} {where}"
    done = alone(f"mount -t tmpfs -o {mount} tmpfs {where}\n{before}\n{look}")
    assert done.returncode == 0, done.stderr
    return Finding(**json.loads(done.stdout))


def test_a_directory_of_ones_own_with_room_is_well(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert examine(place(tmp_path)).level is Level.OK


def test_a_directory_that_is_not_there_yet_is_well_where_it_can_be_made(tmp_path: Path) -> None:
    found = examine(place(tmp_path / "a" / "b"))
    assert (found.level, "made when needed" in found.found) == (Level.OK, True)
    assert list(tmp_path.iterdir()) == [], "looking makes nothing"


def test_a_disk_mounted_read_only_is_an_error_that_says_so(tmp_path: Path) -> None:
    found = on("ro", tmp_path / "here")
    assert (found.level, "mounted read-only" in found.found) == (Level.ERROR, True)
    assert "set storage.directory" in found.mend


def test_a_full_disk_is_an_error_that_says_so(tmp_path: Path) -> None:
    found = on("size=2m,mode=700", tmp_path / "here", f"head -c 1900000 /dev/zero > {tmp_path}/here/much")
    assert (found.level, "its disk is full" in found.found) == (Level.ERROR, True)
    assert "make room there" in found.mend


def test_room_that_is_less_than_is_soon_used_is_a_warning(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    found = examine(place(tmp_path, least=1 << 60))
    assert (found.level, "are soon used" in found.found) == (Level.WARNING, True)


def test_a_disk_without_room_for_more_files_is_a_warning(tmp_path: Path) -> None:
    found = on("nr_inodes=100,mode=700", tmp_path / "here")
    assert (str(found.level), "more files, whatever their size" in found.found) == ("warning", True)


def test_a_directory_that_others_can_read_is_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    found = examine(place(tmp_path))
    assert (found.level, found.mend) == (Level.ERROR, f"chmod 700 {tmp_path}")


def test_the_directory_of_services_that_a_service_made_is_nobody_elses(tmp_path: Path) -> None:
    place_of(tmp_path / "data", "a model").make()
    assert examine(place(services_directory(tmp_path / "data"))).level == "ok"


def test_a_file_where_a_directory_should_be_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = examine(place(tmp_path / "file" / "indexes"))
    assert (found.level, "a file stands where" in found.found) == (Level.ERROR, True)


def test_a_directory_whose_permissions_forbid_writing_is_an_error() -> None:
    """As somebody else, for root may write everywhere; so in a directory that somebody else can reach."""
    with tempfile.TemporaryDirectory(prefix="codeloupe-closed-") as directory:
        Path(directory).chmod(0o555)
        code = (
            "import os; from pathlib import Path\n"
            "from mcp_server.checks.places import Place, examine\n"
            "os.getuid() or os.setuid(65534)\n"
            f"print(examine(Place('indexes', Path({directory!r}), 1, 'set storage.directory')).line)"
        )
        done = python(code)
    assert "permissions do not allow it" in done.stdout, done.stdout + done.stderr


MOUNTS = """
import ctypes, os, sys
from pathlib import Path
from mcp_server.checks.places import Place, _remote
where = sys.argv[1]
channel = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={channel},rootmode=40000,user_id=0,group_id=0".encode()
mounted = ctypes.CDLL(None).mount(b"host:/srv", where.encode(), b"fuse.sshfs", 0, options)
finding = _remote(Place("indexes", Path(where), 1, "set storage.directory", mapped=True), Path(where) / "indexes")
print("" if mounted else finding.line)
"""


@pytest.mark.skipif(not Path("/dev/fuse").exists(), reason="no file systems of programs on this machine (/dev/fuse)")
def test_a_disk_in_the_network_is_a_warning_that_names_its_kind(tmp_path: Path) -> None:
    """A mount of sshfs's kind, whose program never answers: only the system's list of mounts is asked."""
    done = alone(f"{shlex.quote(sys.executable)} -c {shlex.quote(MOUNTS)} {tmp_path}")
    assert done.stdout.startswith("warning  indexes: "), done.stdout + done.stderr
    assert "on a network file system (fuse.sshfs)" in done.stdout
    assert "set storage.directory to a local disk" in done.stdout


def test_every_place_that_is_written_to_is_looked_at_and_a_model_only_where_one_is_wanted() -> None:
    with_model, without = places(Settings()), places(Settings.model_validate({"model": {"name": "none"}}))
    assert {one.what for one in with_model} - {one.what for one in without} == {"models"}
    assert {"indexes", "cache", "temporary files"} <= {one.what for one in without}
