"""Whether the operating system can be relied upon to tell of changes in a tree."""

from __future__ import annotations

import sys
from pathlib import Path

from indexer.errors import WatchError

BY_DIRECTORY = sys.platform == "linux"  # inotify has a watch a directory; other systems listen to whole trees

# The system's allowance is shared with editors and other tools: half of it is theirs.
ALLOWANCE = Path("/proc/sys/fs/inotify/max_user_watches")

_REMOTE = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afpfs", "webdav", "9p", "afs", "ceph", "glusterfs", "lustre", "vboxsf"}
)
_REMOTE_START = ("fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.gcsfuse", "fuse.davfs", "fuse.vmhgfs", "fuse.grpcfuse")


def remote_disk(root: Path) -> str:
    """Why changes below ``root`` may go unheard, in a sentence: others write to a disk in the network; "" if local."""
    kind = network_file_system(root)
    if not kind:
        return ""
    return f"{root} is on a {kind} disk, which does not tell of every change; each search looks for itself."


def network_file_system(path: Path) -> str:
    """The kind of file system below ``path`` where that is in a network, as the system calls it; "" if local."""
    import psutil  # 6 ms, and a command that only searches does not listen

    try:
        disks = [disk for disk in psutil.disk_partitions(all=True) if path.is_relative_to(disk.mountpoint)]
    except (OSError, psutil.Error):
        return ""
    disk = max(disks, key=lambda one: len(one.mountpoint), default=None)
    return (disk.fstype or "network") if disk and is_remote(disk.fstype, disk.opts) else ""


def is_remote(file_system: str, options: str) -> bool:
    """Whether others may write to a file system of this name, mounted with these options."""
    name = file_system.lower()
    return name in _REMOTE or name.startswith(_REMOTE_START) or "remote" in options.split(",")


def check_allowance(directories: int) -> None:
    """Raises WatchError where listening to so many directories would leave others too little."""
    if not BY_DIRECTORY:
        return
    try:
        allowed = int(ALLOWANCE.read_text(encoding="ascii")) // 2
    except (OSError, ValueError):
        return
    if directories > allowed:
        raise WatchError(
            f"The tree has {directories:,} directories, and half of what this system lets a user listen to is "
            f"{allowed:,}; each search looks for itself. Raise fs.inotify.max_user_watches to have changes told."
        )
