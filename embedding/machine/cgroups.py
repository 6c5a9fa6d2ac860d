"""Control groups of this process, v1, v2 and both at once: where they are, what they limit, what they hold.

Reads only. Everything is a small file that may be missing, forbidden, unlimited or garbage; none of that is an error,
it is a limit that is not known. Nothing here knows what a limit is for (embedding/pressure.py, busyness.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MOUNTED_AT = PurePosixPath("/sys/fs/cgroup")
_V2 = ""  # the name of the one hierarchy of v2 among those of v1, which are named by their controllers
_CONTROLLERS = ("memory", "cpu")


@dataclass(frozen=True, slots=True)
class Group:
    """One control group that holds this process. ``path`` is as the mount shows it, ``""`` at its top."""

    directory: Path
    path: str
    version: int  # 1 or 2

    @property
    def name(self) -> str:
        """In words, for sentences."""
        return f"the control group {self.path}" if self.path else "this container"


@dataclass(frozen=True, slots=True)
class Held:
    """What a group holds now, in bytes; every figure includes the groups below it."""

    used: int
    files: int  # page cache that can be had back without writing: mapped pages are part of it
    mapped: int  # of the page cache, what some process has mapped


@dataclass(frozen=True, slots=True)
class _Mount:
    root: str  # the path within the hierarchy that is mounted
    directory: Path
    version: int


class ControlGroups:
    """The control groups of this process, through ``proc`` and ``cgroup`` (directories by hand in tests)."""

    def __init__(self, proc: Path = Path("/proc"), cgroup: Path = Path(str(MOUNTED_AT))) -> None:
        self._own = proc / "self" / "cgroup"
        self._mounts = _mounts(proc / "self" / "mountinfo", cgroup) or _usual_mounts(cgroup)
        self._seen = ""
        self._groups: dict[str, tuple[Group, ...]] = {}

    def of(self, controller: str) -> tuple[Group, ...]:
        """The groups this process is in for ``memory`` or ``cpu``, its own first, then those around it."""
        return self._all().get(controller, ())

    def unified(self) -> tuple[Group, ...]:
        """Those of v2, whose files tell of stalls also where another hierarchy has the memory."""
        return self._all().get(_V2, ())

    def _all(self) -> Mapping[str, tuple[Group, ...]]:
        text = read_text(self._own)  # a process may be moved at any time
        if text != self._seen:
            self._seen, paths = text, _paths(text)
            found = {name: _upwards(mount, paths[name]) for name, mount in self._mounts.items() if name in paths}
            self._groups = {name: found.get(name) or found.get(_V2, ()) for name in (*_CONTROLLERS, _V2)}
        return self._groups


def memory_limit(group: Group) -> float:
    """The bytes at which the kernel takes memory back from the group, throttles or kills it; infinity where none."""
    if group.version == 1:
        return _number(group.directory / "memory.limit_in_bytes")
    return min(_number(group.directory / "memory.max"), _number(group.directory / "memory.high"))


def memory_held(group: Group) -> Held | None:
    """What the group holds; None where it does not say."""
    usage = "memory.usage_in_bytes" if group.version == 1 else "memory.current"
    used = _number(group.directory / usage)
    if not math.isfinite(used):
        return None
    stat = _fields(read_text(group.directory / "memory.stat"))
    if group.version == 1:
        names = {name.removeprefix("total_"): value for name, value in stat.items() if name.startswith("total_")}
        return Held(int(used), _files(names, "dirty", "writeback"), names.get("mapped_file", 0))
    return Held(int(used), _files(stat, "file_dirty", "file_writeback"), stat.get("file_mapped", 0))


def _files(stat: Mapping[str, int], *unready: str) -> int:
    names = ("active_file", "inactive_file", "slab_reclaimable")
    return max(0, sum(stat.get(name, 0) for name in names) - sum(stat.get(name, 0) for name in unready))


def cpu_quota(group: Group) -> float:
    """Cores' worth of time the group may use; infinity where it may use all."""
    if group.version == 1:
        quota = _number(group.directory / "cpu.cfs_quota_us")
        period = _number(group.directory / "cpu.cfs_period_us")
    else:
        words = (*read_text(group.directory / "cpu.max").split(), "", "")
        quota, period = _bounded(words[0]), _bounded(words[1])
    return quota / period if 0 < quota < math.inf and 0 < period < math.inf else math.inf


def read_text(path: Path) -> str:
    """The file's text; empty where it cannot be read."""
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""


def _number(path: Path) -> float:
    return _bounded(read_text(path).strip())


def _bounded(word: str) -> float:
    """A number of a limit; infinity for ``max``, for -1 of v1, and for what is no number."""
    return float(word) if word.isascii() and word.isdecimal() else math.inf


def _fields(text: str) -> dict[str, int]:
    pairs = (line.split() for line in text.splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isascii() and pair[1].isdecimal()}


def _paths(text: str) -> dict[str, str]:
    """The path in each hierarchy, by controller, from lines ``4:memory:/a/b`` and ``0::/a/b``."""
    paths = {}
    for line in text.splitlines():
        _number_of_it, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        for controller in controllers.split(","):
            paths[controller] = path
    return paths


def _mounts(mountinfo: Path, cgroup: Path) -> dict[str, _Mount]:
    """Where each hierarchy is mounted, by controller; what is mounted later covers what was before."""
    mounts = {}
    for line in read_text(mountinfo).splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) < 5 or len(kind) < 3 or kind[0] not in {"cgroup", "cgroup2"}:
            continue
        directory = _moved(PurePosixPath(fields[4]), cgroup)
        for name in [_V2] if kind[0] == "cgroup2" else kind[2].split(","):
            mounts[name] = _Mount(fields[3], directory, 2 if name == _V2 else 1)
    return {name: mount for name, mount in mounts.items() if name in {_V2, *_CONTROLLERS}}


def _moved(mountpoint: PurePosixPath, cgroup: Path) -> Path:
    if mountpoint.is_relative_to(MOUNTED_AT):
        return cgroup / mountpoint.relative_to(MOUNTED_AT)
    return Path(str(mountpoint))


def _usual_mounts(cgroup: Path) -> dict[str, _Mount]:
    """Where hierarchies are on nearly every system, for a /proc that does not tell."""
    if (cgroup / "cgroup.controllers").exists():
        return {_V2: _Mount("/", cgroup, 2)}
    mounts = {name: _Mount("/", cgroup / name, 1) for name in _CONTROLLERS if (cgroup / name).is_dir()}
    return mounts | {_V2: _Mount("/", cgroup / "unified", 2)}


def _upwards(mount: _Mount, path: str) -> tuple[Group, ...]:
    parts = _below(mount.root, path)
    groups = []
    for depth in range(len(parts), -1, -1):
        name = "/" + "/".join(parts[:depth]) if depth else ""
        groups.append(Group(mount.directory.joinpath(*parts[:depth]), name, mount.version))
    return tuple(groups)


def _below(root: str, path: str) -> tuple[str, ...]:
    """The parts of ``path`` below what is mounted. A container sees its own group as the top of the mount."""
    asked, top = PurePosixPath(path).parts[1:], PurePosixPath(root).parts[1:]
    if ".." in asked or asked[: len(top)] != top:
        return ()
    return asked[len(top) :]
