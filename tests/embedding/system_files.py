"""A /proc and a /sys/fs/cgroup written by hand, for what no machine at hand has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from embedding.pressure import Gauge

PAGE = 4096
MIB = 1 << 20
GIB = 1 << 30
UNLIMITED_V1 = 9223372036854771712


@dataclass(frozen=True)
class System:
    """``proc`` and ``cgroup`` below one directory."""

    root: Path

    @property
    def proc(self) -> Path:
        return self.root / "proc"

    @property
    def cgroup(self) -> Path:
        return self.root / "cgroup"

    def gauge(self) -> Gauge:
        return Gauge(self.proc, self.cgroup)

    def write(self, files: Mapping[str, object]) -> None:
        """Files by their path, ``proc/meminfo`` for example."""
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{content}\n", "utf-8")

    def machine(self, total: int, available: int, swap: tuple[int, int] = (0, 0)) -> None:
        lines = {"MemTotal": total, "MemFree": 0, "MemAvailable": available, "SwapTotal": swap[0], "SwapFree": swap[1]}
        text = "\n".join(f"{name}:{count // 1024:12d} kB" for name, count in lines.items())
        self.write({"proc/meminfo": text + "\nHugePages_Total:       0"})

    def belongs(self, groups: str, *mounts: str) -> None:
        """Lines of /proc/self/cgroup, and of /proc/self/mountinfo."""
        self.write({"proc/self/cgroup": groups, "proc/self/mountinfo": "\n".join(mounts)})

    def process(self, pid: int, private: int, shared: int, ticks: tuple[int, int] = (0, 0)) -> None:
        pages = f"{(private + shared) // PAGE * 3} {(private + shared) // PAGE} {shared // PAGE} 1 0 99 0"
        stat = f"{pid} (a (strange) name) S 1 {pid} {pid} 0 -1 0 0 0 0 0 {ticks[0]} {ticks[1]} 0 0 20 5 1"
        self.write({f"proc/{pid}/statm": pages, f"proc/{pid}/stat": stat})


def v1_group(limit: int, used: int, *, files: int = 0, mapped: int = 0, dirty: int = 0) -> dict[str, object]:
    """Files of a group of v1; half of its cache is on either list."""
    stat = {
        "cache": 7, "mapped_file": 7, "hierarchical_memory_limit": limit, "total_cache": files,
        "total_mapped_file": mapped, "total_dirty": dirty, "total_writeback": 0,
        "total_inactive_file": files - files // 2, "total_active_file": files // 2,
    }  # fmt: skip
    text = "\n".join(f"{name} {value}" for name, value in stat.items())
    return {"memory.limit_in_bytes": limit, "memory.usage_in_bytes": used, "memory.stat": text}


def v2_group(limit: object, used: int, *, high: object = "max", files: int = 0, mapped: int = 0) -> dict[str, object]:
    """Files of a group of v2."""
    stat = f"anon 5\nfile {files}\nfile_mapped {mapped}\nfile_dirty 0\ninactive_file {files}\nactive_file 0\nshmem 0"
    return {"memory.max": limit, "memory.high": high, "memory.current": used, "memory.stat": stat}


def under(directory: str, files: Mapping[str, object]) -> dict[str, object]:
    """The files with that directory before their names."""
    return {f"{directory}/{name}": content for name, content in files.items()}


V2_MOUNT = "31 23 0:28 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw"


def v1_mount(controller: str, root: str = "/") -> str:
    return f"35 31 0:32 {root} /sys/fs/cgroup/{controller} rw,relatime shared:9 - cgroup cgroup rw,{controller}"
