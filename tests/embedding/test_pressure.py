from __future__ import annotations

import os
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embedding.machine import busyness
from embedding.machine.busyness import Busyness
from embedding.pressure import Bound, Gauge, Reading, Stall
from tests.embedding.system_files import (
    GIB,
    MIB,
    UNLIMITED_V1,
    V2_MOUNT,
    System,
    under,
    v1_group,
    v1_mount,
    v2_group,
)


@pytest.fixture
def system(tmp_path):
    """A machine of 16 GiB with 10 available and no control groups."""
    system = System(tmp_path)
    system.machine(16 * GIB, 10 * GIB)
    return system


MACHINE = Bound("this machine", 16 * GIB, 6 * GIB)


def test_without_groups_the_machine_is_the_limit(system):
    reading = system.gauge().read([])
    assert reading.bounds == (MACHINE,)
    assert (reading.limit_bytes, reading.used_bytes, reading.available_bytes) == (16 * GIB, 6 * GIB, 10 * GIB)


def test_a_limit_of_v2_bounds_beside_the_machine(system):
    system.belongs("0::/user.slice/a.scope", V2_MOUNT)
    system.write(under("cgroup/user.slice/a.scope", v2_group(4 * GIB, 3 * GIB)))
    assert system.gauge().read([]).bounds == (
        Bound("the control group /user.slice/a.scope", 4 * GIB, 3 * GIB),
        MACHINE,
    )


def test_every_limit_up_the_hierarchy_of_v2_bounds(system):
    system.belongs("0::/outer/middle/inner", V2_MOUNT)
    system.write(under("cgroup/outer/middle/inner", v2_group(6 * GIB, GIB)))
    system.write(under("cgroup/outer/middle", v2_group("max", 2 * GIB)))
    system.write(under("cgroup/outer", v2_group(8 * GIB, 7 * GIB)))
    reading = system.gauge().read([])
    assert [(bound.name, bound.share) for bound in reading.bounds[:2]] == [
        ("the control group /outer/middle/inner", 1 / 6),
        ("the control group /outer", 7 / 8),
    ]
    assert (reading.limit_bytes, reading.used_bytes) == (6 * GIB, GIB)
    assert reading.available_bytes == GIB  # of the outer one, where least is left


def test_the_throttling_limit_of_v2_counts_like_the_hard_one(system):
    system.belongs("0::/a", V2_MOUNT)
    system.write(under("cgroup/a", v2_group(8 * GIB, GIB, high=2 * GIB)))
    assert system.gauge().read([]).limit_bytes == 2 * GIB


def test_a_container_with_a_namespace_sees_its_limit_at_the_top_of_the_mount(system):
    system.belongs("0::/", V2_MOUNT)
    system.write(under("cgroup", v2_group(2 * GIB, GIB)))
    assert system.gauge().read([]).bounds[0] == Bound("this container", 2 * GIB, GIB)


def test_a_container_of_v1_that_is_told_the_hosts_path_finds_its_group_at_the_top_of_the_mount(system):
    system.belongs("4:memory:/docker/0123abc", v1_mount("memory", "/docker/0123abc"))
    system.write(under("cgroup/memory", v1_group(2 * GIB, GIB)))
    assert system.gauge().read([]).bounds[0] == Bound("this container", 2 * GIB, GIB)


def test_a_group_within_a_container_of_v1_is_found_below_the_mount(system):
    system.belongs("4:memory:/docker/0123abc/job", v1_mount("memory", "/docker/0123abc"))
    system.write(under("cgroup/memory", v1_group(4 * GIB, GIB)) | under("cgroup/memory/job", v1_group(GIB, MIB)))
    assert [bound.limit_bytes for bound in system.gauge().read([]).bounds] == [GIB, 4 * GIB, 16 * GIB]


def test_a_process_outside_the_namespace_of_its_mount_takes_the_top(system):
    system.belongs("0::/../../elsewhere", V2_MOUNT)
    system.write(under("cgroup", v2_group(2 * GIB, GIB)))
    assert system.gauge().read([]).limit_bytes == 2 * GIB


@pytest.mark.parametrize("path", ["/docker/other/job", "/../docker/mine/job"])
def test_a_path_outside_of_what_is_mounted_leads_nowhere_but_to_its_top(system, path):
    system.belongs(f"4:memory:{path}", v1_mount("memory", "/docker/mine"))
    system.write(under("cgroup/memory", v1_group(2 * GIB, GIB)))
    for elsewhere in ("cgroup/memory/job", "cgroup/memory/mine/job", "cgroup/docker/mine/job"):
        system.write(under(elsewhere, v1_group(GIB, MIB)))
    assert system.gauge().read([]).bounds == (Bound("this container", 2 * GIB, GIB), MACHINE)


def test_a_limit_that_is_more_than_the_machine_has_does_not_bound(system):
    system.belongs("0::/a", V2_MOUNT)
    system.write(under("cgroup/a", v2_group(20 * GIB, 6 * GIB)))
    assert system.gauge().read([]).bounds == (MACHINE,)


def test_limits_of_v1_bound_and_its_word_for_none_does_not(system):
    system.belongs("4:memory:/outer/inner\n1:cpu,cpuacct:/", v1_mount("memory"))
    system.write(under("cgroup/memory/outer/inner", v1_group(UNLIMITED_V1, GIB)))
    system.write(under("cgroup/memory/outer", v1_group(3 * GIB, 2 * GIB)))
    assert system.gauge().read([]).bounds == (Bound("the control group /outer", 3 * GIB, 2 * GIB), MACHINE)


def test_a_hybrid_system_takes_memory_from_v1_and_stalls_from_v2(system):
    system.belongs(
        "4:memory:/a\n0::/b", v1_mount("memory"), V2_MOUNT.replace("/sys/fs/cgroup", "/sys/fs/cgroup/unified")
    )
    system.write(under("cgroup/memory/a", v1_group(3 * GIB, GIB)))
    system.write({"cgroup/unified/b/memory.pressure": "some avg10=1.50 avg60=0 total=9\nfull avg10=0.25 total=1"})
    system.write({"proc/pressure/memory": "some avg10=99.0\nfull avg10=99.0"})
    reading = system.gauge().read([])
    assert (reading.limit_bytes, reading.stall) == (3 * GIB, Stall(1.5, 0.25))


def test_a_hybrid_system_whose_v1_has_no_memory_takes_it_from_v2(system):
    system.belongs("2:cpu:/a\n0::/a", v1_mount("cpu"), V2_MOUNT.replace("/sys/fs/cgroup", "/sys/fs/cgroup/unified"))
    system.write(under("cgroup/unified/a", v2_group(3 * GIB, GIB)))
    assert system.gauge().read([]).limit_bytes == 3 * GIB


def test_where_the_mounts_are_not_told_the_usual_places_are_looked_at(system):
    system.write({"proc/self/cgroup": "4:memory:/a"})
    system.write(under("cgroup/memory/a", v1_group(3 * GIB, GIB)))
    assert system.gauge().read([]).limit_bytes == 3 * GIB


def test_where_the_mounts_are_not_told_a_v2_is_known_by_its_list_of_controllers(system):
    system.write({"proc/self/cgroup": "0::/a", "cgroup/cgroup.controllers": "cpu memory"})
    system.write(under("cgroup/a", v2_group(3 * GIB, GIB)))
    assert system.gauge().read([]).limit_bytes == 3 * GIB


def test_a_process_that_is_moved_is_followed(system):
    system.belongs("4:memory:/", v1_mount("memory"))
    system.write(under("cgroup/memory/a", v1_group(3 * GIB, GIB)))
    gauge = system.gauge()
    assert gauge.read([]).limit_bytes == 16 * GIB
    system.write({"proc/self/cgroup": "4:memory:/a"})
    assert gauge.read([]).limit_bytes == 3 * GIB


def test_a_limit_that_is_changed_is_seen(system):
    system.belongs("0::/a", V2_MOUNT)
    system.write(under("cgroup/a", v2_group(3 * GIB, GIB)))
    gauge = system.gauge()
    assert gauge.read([]).limit_bytes == 3 * GIB
    system.write({"cgroup/a/memory.max": 2 * GIB})
    assert gauge.read([]).limit_bytes == 2 * GIB


@pytest.mark.parametrize("version", [1, 2])
def test_page_cache_can_be_had_back_but_not_the_weights_we_have_mapped(system, version):
    group = v1_group if version == 1 else v2_group
    where = "cgroup/memory/a" if version == 1 else "cgroup/a"
    system.belongs("4:memory:/a", v1_mount("memory")) if version == 1 else system.belongs("0::/a", V2_MOUNT)
    system.write(under(where, group(8 * GIB, 7 * GIB, files=6 * GIB, mapped=5 * GIB)))
    system.process(7, private=100 * MIB, shared=4 * GIB)
    assert system.gauge().read([]).used_bytes == GIB
    assert system.gauge().read([7]).used_bytes == 5 * GIB


def test_weights_charged_to_another_group_are_not_counted_in_ours(system):
    system.belongs("4:memory:/a", v1_mount("memory"))
    system.write(under("cgroup/memory/a", v1_group(8 * GIB, 2 * GIB, files=GIB, mapped=MIB)))
    system.process(7, private=0, shared=4 * GIB)
    assert system.gauge().read([7]).used_bytes == GIB + MIB


def test_cache_that_has_to_be_written_first_is_not_to_be_had(system):
    system.belongs("4:memory:/a", v1_mount("memory"))
    system.write(under("cgroup/memory/a", v1_group(8 * GIB, 4 * GIB, files=3 * GIB, dirty=GIB)))
    assert system.gauge().read([]).used_bytes == 2 * GIB


def test_the_machine_calls_our_weights_available_and_we_do_not(system):
    system.process(7, private=0, shared=4 * GIB)
    assert system.gauge().read([7]).used_bytes == 10 * GIB


def test_private_memory_is_summed_and_shared_counted_once(system):
    for pid in (7, 8, 9):
        system.process(pid, private=300 * MIB, shared=4 * GIB - pid * MIB)
    reading = system.gauge().read([7, 8, 9, 12345])
    assert (reading.private_bytes, reading.shared_bytes) == (900 * MIB, 4 * GIB - 7 * MIB)
    assert reading.own_bytes == 900 * MIB + 4 * GIB - 7 * MIB


def test_swap_in_use_is_told(system):
    system.machine(16 * GIB, 10 * GIB, swap=(4 * GIB, 3 * GIB))
    assert system.gauge().read([]).swap_used_bytes == GIB


def test_stalls_of_the_machine_are_told_where_the_group_tells_none(system):
    system.belongs("0::/a", V2_MOUNT)
    system.write({"proc/pressure/memory": "some avg10=0.24 avg60=0.10\nfull avg10=0.20 avg60=0.10"})
    assert system.gauge().read([]).stall == Stall(0.24, 0.20)


def test_a_kernel_without_psi_tells_no_stalls(system):
    assert system.gauge().read([]).stall is None


GARBAGE = st.sampled_from(
    [
        "",
        "max",
        "-1",
        "²",
        "some avg10=nan full avg10=inf",
        "nonsense",
        "12 34 56",
        "\x00\xff",
        "999999999999999999999999",
        "٣",
        "some avg10=",
        "a b",
        "0",
    ]
)
FILES = [
    "proc/meminfo", "proc/stat", "proc/self/cgroup", "proc/self/mountinfo", "proc/7/statm", "proc/7/stat",
    "proc/pressure/memory", "cgroup/a/memory.max", "cgroup/a/memory.high", "cgroup/a/memory.current",
    "cgroup/a/memory.stat", "cgroup/a/cpu.max", "cgroup/a/memory.pressure",
]  # fmt: skip


@given(st.dictionaries(st.sampled_from(FILES), GARBAGE))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
def test_no_garbage_in_any_file_is_an_error(system, garbage):
    system.machine(16 * GIB, 10 * GIB)
    system.belongs("0::/a", V2_MOUNT)
    system.write(under("cgroup/a", v2_group(4 * GIB, GIB)) | {"proc/stat": "cpu0 1 2 3 4 5 6 7 8 9 10"})
    system.process(7, GIB, GIB)
    system.write(garbage)
    gauge = system.gauge()
    for _ in range(2):
        reading = gauge.read([7])
        assert reading.limit_bytes >= 0
        assert reading.used_bytes >= 0
        assert reading.cores >= 1
        assert 0 <= reading.others_cpu <= 1


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user whom a file's mode can stop")
def test_a_file_that_may_not_be_read_is_a_limit_not_known(system):
    system.belongs("0::/a", V2_MOUNT)
    system.write(under("cgroup/a", v2_group(4 * GIB, GIB)))
    (system.cgroup / "a" / "memory.max").chmod(0)
    assert system.gauge().read([]).limit_bytes == 16 * GIB


def test_a_directory_in_place_of_a_file_is_a_limit_not_known(system):
    system.belongs("0::/a", V2_MOUNT)
    (system.cgroup / "a" / "memory.max").mkdir(parents=True)
    assert system.gauge().read([]).limit_bytes == 16 * GIB


def test_without_proc_the_portable_figures_are_taken(tmp_path):
    reading = Gauge(tmp_path / "none", tmp_path / "none").read([os.getpid()])
    assert reading.limit_bytes == psutil.virtual_memory().total
    assert 0 < reading.used_bytes <= reading.limit_bytes
    assert 0 < reading.private_bytes <= psutil.Process().memory_info().rss
    assert reading.stall is None


def test_without_proc_a_process_that_has_ended_takes_nothing(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert Gauge(tmp_path, tmp_path).read([ended.pid]).own_bytes == 0


def test_windows_private_bytes_are_taken_where_they_are_told(tmp_path, monkeypatch):
    information = SimpleNamespace(rss=500 * MIB, private=200 * MIB)
    monkeypatch.setattr(psutil, "Process", lambda pid: SimpleNamespace(
        memory_info=lambda: information, cpu_times=lambda: SimpleNamespace(user=0.0, system=0.0)))  # fmt: skip
    reading = Gauge(tmp_path, tmp_path).read([1])
    assert (reading.private_bytes, reading.shared_bytes) == (200 * MIB, 300 * MIB)


def test_this_process_is_read_as_the_kernel_tells_it():
    if not Path("/proc/self/statm").exists():
        pytest.skip("no /proc here")
    child = subprocess.Popen([sys.executable, "-c", "x = bytearray(200 << 20); print(1, flush=True); input()"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    try:
        child.stdout.readline()
        reading = Gauge().read([child.pid])
    finally:
        child.communicate(b"\n", timeout=30)
    assert 200 * MIB <= reading.private_bytes < 260 * MIB
    assert 0 < reading.shared_bytes < 100 * MIB


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cgroup/a/cpu.max": "max 100000"}, 4),
        ({"cgroup/a/cpu.max": "200000 100000"}, 2),
        ({"cgroup/a/cpu.max": "150000 100000"}, 2),
        ({"cgroup/a/cpu.max": "10000 100000"}, 1),
        ({"cgroup/a/cpu.max": "0 100000"}, 4),
        ({"cgroup/a/cpu.max": "100000 0"}, 4),
        ({"cgroup/a/cpu.max": "300000 100000", "cgroup/cpu.max": "100000 100000"}, 1),
        ({}, 4),
    ],
)
def test_a_quota_of_v2_limits_the_cores(system, monkeypatch, files, cores):
    monkeypatch.setattr(busyness, "affinity", lambda: frozenset(range(4)))
    system.belongs("0::/a", V2_MOUNT)
    system.write(files)
    assert system.gauge().read([]).cores == cores


@pytest.mark.parametrize(("quota", "cores"), [("-1", 4), ("300000", 3), ("50000", 1)])
def test_a_quota_of_v1_limits_the_cores(system, monkeypatch, quota, cores):
    monkeypatch.setattr(busyness, "affinity", lambda: frozenset(range(4)))
    system.belongs("2:cpu,cpuacct:/a", v1_mount("cpu").replace("rw,cpu", "rw,cpu,cpuacct"))
    system.write({"cgroup/cpu/a/cpu.cfs_quota_us": quota, "cgroup/cpu/a/cpu.cfs_period_us": 100000})
    assert system.gauge().read([]).cores == cores


def spent(system: System, cores: list[tuple[int, int]]) -> None:
    """User and idle time of each core, in seconds."""
    ticks = os.sysconf("SC_CLK_TCK")
    lines = [f"cpu{at} {user * ticks} 0 0 {idle * ticks} 0 0 0 0 0 0" for at, (user, idle) in enumerate(cores)]
    system.write({"proc/stat": "\n".join(["cpu  1 1 1 1 1 1 1 1 1 1", *lines, "intr 5"])})


def test_what_others_do_is_what_the_cores_did_and_we_did_not(system, monkeypatch):
    monkeypatch.setattr(busyness, "affinity", lambda: frozenset({0, 1}))
    ticks, looks = os.sysconf("SC_CLK_TCK"), Busyness(system.proc)
    spent(system, [(0, 0), (0, 0), (0, 0)])
    system.process(7, 0, 0, (0, 0))
    assert looks.others([7]) == 0
    spent(system, [(10, 0), (5, 5), (10, 0)])  # of a core that is not ours nothing counts
    system.process(7, 0, 0, (4 * ticks, 1 * ticks))
    assert looks.others([7]) == 0.5  # (15 - 5) of 20


def test_two_looks_too_close_together_repeat_the_last_share(system, monkeypatch):
    monkeypatch.setattr(busyness, "affinity", lambda: frozenset({0}))
    looks = Busyness(system.proc)
    spent(system, [(0, 0)])
    looks.others([])
    spent(system, [(3, 1)])
    assert looks.others([]) == 0.75
    assert looks.others([]) == 0.75


def test_a_child_that_is_new_counts_as_ours_from_its_start(system, monkeypatch):
    monkeypatch.setattr(busyness, "affinity", lambda: frozenset({0}))
    looks = Busyness(system.proc)
    spent(system, [(0, 0)])
    looks.others([])
    spent(system, [(4, 0)])
    system.process(8, 0, 0, (4 * os.sysconf("SC_CLK_TCK"), 0))
    assert looks.others([8]) == 0


def test_the_battery_is_asked_twice_a_minute_and_believed_between(monkeypatch):
    Battery = namedtuple("Battery", "percent secsleft power_plugged")
    now, plugged = [0.0], [False]
    monkeypatch.setattr(psutil, "sensors_battery", lambda: Battery(50, 9, plugged[0]), raising=False)
    looks = Busyness(psutil.__file__, clock=lambda: now[0])
    assert looks.on_battery()
    plugged[0] = True
    assert looks.on_battery()
    now[0] = 31.0
    assert not looks.on_battery()


@pytest.mark.parametrize("fault", [AttributeError, OSError, RuntimeError])
def test_a_machine_whose_battery_is_not_told_is_not_on_battery(monkeypatch, fault):
    def broken():
        raise fault("no such thing")

    monkeypatch.setattr(psutil, "sensors_battery", broken, raising=False)
    assert not Busyness(psutil.__file__).on_battery()


def test_a_reading_with_one_bound_is_enough_for_everything_asked_of_it():
    reading = Reading((Bound("this machine", 0, 5),), 1, 2)
    assert (reading.limit_bytes, reading.available_bytes, reading.own_bytes, reading.bounds[0].share) == (0, 0, 3, 1.0)
