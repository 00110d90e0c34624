"""The walls' parts by themselves: what the filter lets through, what Landlock is asked for."""

from __future__ import annotations

import errno
import json
import math
import mmap
import os
import struct
import sys
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_serial.sandbox.wall import closing, frames, kernel, landlock, seccomp, segment
from secure_serial.sandbox.wall.codec import Garbled, NotPlain, Reader, Writer
from secure_serial.sandbox.wall.process import ended_by, homes

ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
MACHINES = sorted(kernel.tables())
#: What the child has no use for; the list of what it has is data, and this is why.
NEVER = {
    "open", "openat", "openat2", "creat", "socket", "socketpair", "connect", "bind", "sendto",
    "sendmsg", "recvmsg", "execve", "execveat", "fork", "vfork", "clone", "clone3", "kill", "tkill",
    "tgkill", "ptrace", "process_vm_readv", "process_vm_writev", "prctl", "seccomp", "setrlimit",
    "prlimit64", "ioctl", "fcntl", "dup", "dup2", "dup3", "pipe", "pipe2", "memfd_create",
    "memfd_secret", "ftruncate", "fallocate", "io_uring_setup", "bpf", "perf_event_open", "keyctl",
    "userfaultfd", "mount", "unshare", "setns", "chroot", "setuid", "setresuid", "capset",
    "pidfd_open", "pidfd_getfd", "shmget", "shmat", "msgget", "pkey_mprotect", "remap_file_pages",
    "rt_sigaction", "setitimer", "timer_create", "sched_setaffinity", "personality", "modify_ldt",
}  # fmt: skip


def decide(machine, number, *, audit=None, protection=0):
    """What the kernel's packet filter would say (Documentation/networking/filter.rst)."""
    arguments = (0, 0, protection, 0, 0, 0)
    data = struct.pack("<IIQ6Q", number, machine.audit if audit is None else audit, 0, *arguments)
    place = value = 0
    steps = seccomp.program(machine)
    while True:
        operation, yes, no, operand = steps[place]
        place += 1
        if operation == 0x20:
            (value,) = struct.unpack_from("<I", data, operand)
        elif operation == 0x15:
            place += yes if value == operand else no
        elif operation == 0x45:
            place += yes if value & operand else no
        else:
            assert operation == 0x06
            return operand


@pytest.mark.parametrize("name", MACHINES)
def test_filter_lets_through_what_is_listed_and_nothing_else(name):
    machine = kernel.tables()[name]
    allowed = set(machine.allowed.values())
    for number in [*range(700), *(0x40000000 + n for n in range(700)), 2**32 - 1]:
        assert decide(machine, number) == (ALLOW if number in allowed else REFUSE)


@pytest.mark.parametrize("name", MACHINES)
def test_filter_ends_a_process_that_speaks_as_another_machine(name):
    machine = kernel.tables()[name]
    for audit in (0, 0x40000003, *(each.audit for each in kernel.tables().values())):
        if audit != machine.audit:
            assert decide(machine, machine.allowed["read"], audit=audit) == KILL


@pytest.mark.parametrize("name", MACHINES)
def test_filter_lets_no_memory_become_executable(name):
    machine = kernel.tables()[name]
    for call in ("mmap", "mprotect"):
        for protection in range(8):
            wanted = REFUSE if protection & mmap.PROT_EXEC else ALLOW
            assert decide(machine, machine.allowed[call], protection=protection) == wanted


@pytest.mark.parametrize("name", MACHINES)
def test_filter_is_short_enough_for_its_jumps(name):
    for step in seccomp.program(kernel.tables()[name]):
        assert struct.pack("<HBBI", *step)


def test_data_names_calls_with_their_reasons():
    raw = json.loads(Path(seccomp.__file__).with_name("syscalls.json").read_text("utf-8"))
    for machine in raw["machines"].values():
        assert machine["allowed"].keys() == raw["why"].keys()
        assert len(set(machine["allowed"].values())) == len(machine["allowed"])
        assert set(raw["unless_executable"]) < machine["allowed"].keys()
    assert not raw["why"].keys() & NEVER


def test_numbers_are_those_of_the_systems_headers():
    """Where they are installed."""
    headers = {
        "x86_64": ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "__NR_"),
        "aarch64": ("/usr/include/asm-generic/unistd.h", "__NR_"),
    }
    looked = 0
    for name, (path, prefix) in headers.items():
        if not Path(path).exists():
            continue
        looked += 1
        numbers = {}
        for line in Path(path).read_text("utf-8").splitlines():
            parts = line.split()
            if len(parts) >= 3 and parts[0] == "#define" and parts[2].isdigit():
                numbers[parts[1].replace("__NR3264_", prefix)] = int(parts[2])
        machine = kernel.tables()[name]
        for call, number in {**machine.allowed, **machine.ours}.items():
            known = numbers.get(prefix + call)
            assert known == number or (known is None and number > 400), call
    if not looked:
        pytest.skip("no headers of the kernel here")


def test_landlock_handles_every_right_that_each_version_knows():
    # include/uapi/linux/landlock.h: thirteen rights on files, then refer, truncate, ioctl.
    files = [2**13 - 1, 2**14 - 1, 2**15 - 1, 2**15 - 1, 2**16 - 1, 2**16 - 1, 2**16 - 1]
    for version, wanted in enumerate(files, 1):
        text = landlock.ruleset(version)
        fields = struct.unpack(f"<{len(text) // 8}Q", text)
        assert fields == (wanted, 3, 3)[: 1 + (version >= 4) + (version >= 6)]
    assert landlock.ruleset(99) == landlock.ruleset(7)


class Machine:
    ours = kernel.tables()["x86_64"].ours
    allowed = kernel.tables()["x86_64"].allowed
    unless_executable = kernel.tables()["x86_64"].unless_executable
    audit = 0


def refuse(*_, code=errno.ENOSYS):
    raise OSError(code, "refused")


def test_kernel_without_landlock_or_seccomp(monkeypatch):
    monkeypatch.setattr(kernel, "syscall", refuse)
    assert landlock.version(Machine) == 0
    assert not landlock.close(Machine)
    assert not seccomp.close(Machine)


def test_kernel_that_refuses_to_restrict(monkeypatch):
    monkeypatch.setattr(landlock, "version", lambda machine: 7)
    calls = iter([os.open("/", os.O_RDONLY)])  # the ruleset, and then nothing more
    assert not landlock_closes(monkeypatch, calls)


def landlock_closes(monkeypatch, calls):
    def syscall(*_):
        try:
            return next(calls)
        except StopIteration:
            return refuse()

    monkeypatch.setattr(kernel, "syscall", syscall)
    return landlock.close(Machine)


def test_wall_that_closes_without_holding_is_none(monkeypatch):
    monkeypatch.setattr(landlock, "version", lambda machine: 1)
    assert not landlock_closes(monkeypatch, iter([os.open("/", os.O_RDONLY), 0]))
    monkeypatch.setattr(kernel, "load_filter", lambda *given: 0)
    monkeypatch.setattr(kernel, "syscall", lambda *given: 1)
    assert not seccomp.close(Machine)
    monkeypatch.setattr(kernel, "load_filter", lambda *given: 77)  # a thread that stays outside
    monkeypatch.setattr(kernel, "syscall", lambda *given: refuse(code=errno.EPERM))
    assert not seccomp.close(Machine)
    monkeypatch.setattr(kernel, "load_filter", lambda *given: 0)
    assert seccomp.close(Machine)


def test_machines_that_are_not_known(monkeypatch):
    for attribute, value in (("platform", "darwin"), ("maxsize", 2**31 - 1), ("byteorder", "big")):
        with monkeypatch.context() as patch:
            patch.setattr(sys, attribute, value)
            assert kernel.machine() is None
    if sys.platform == "linux":
        monkeypatch.setattr(os, "uname", lambda: type("Name", (), {"machine": "mips"}))
        assert kernel.machine() is None


def test_calls_that_the_kernel_refuses():
    if kernel.machine() is None:
        pytest.skip("no machine of ours")
    with pytest.raises(OSError):
        kernel.syscall(10**6)
    with pytest.raises(OSError):
        kernel.prctl(10**6, 0)


def test_root_is_given_up_where_that_can_be_done(monkeypatch):
    done = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(closing, "_may_kill", lambda: True)
    monkeypatch.setattr(os, "setgroups", done.append)
    monkeypatch.setattr(os, "setresgid", lambda *ids: done.append(ids), raising=False)
    monkeypatch.setattr(os, "setresuid", lambda *ids: refuse(), raising=False)
    closing.give_up_root()
    assert done == [[], (65534,) * 3]
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    closing.give_up_root()
    assert len(done) == 2


@pytest.mark.parametrize(
    ("status", "may"),
    [
        ("Name:\tx\nCapEff:\t000001ffffffffff\n", True),
        ("CapEff:\t0000000000000020\n", True),
        ("CapEff:\t00000000a80425db\n", False),
        ("CapEff:\tx\n", False),
        ("", False),
        (None, False),
    ],
)
def test_root_that_could_not_end_its_child_stays(monkeypatch, status, may):
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: refuse() if status is None else status)
    assert closing._may_kill() is may
    if not may:
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(os, "setgroups", lambda groups: pytest.fail("not to be given up"))
        closing.give_up_root()


def test_child_whose_parent_is_gone_ends(monkeypatch):
    ended = []
    monkeypatch.setattr(kernel, "prctl", lambda *given: None)
    monkeypatch.setattr(os, "_exit", ended.append)
    closing.end_with(os.getppid())
    assert not ended
    closing.end_with(-1)
    assert ended == [0]


def test_limits_that_cannot_be_set_are_no_wall(monkeypatch):
    monkeypatch.setattr(closing.resource, "setrlimit", refuse)
    assert not closing.limit(1, 1)


def test_limits_are_never_above_those_that_are_there(monkeypatch):
    set_to = {}
    monkeypatch.setattr(closing.resource, "getrlimit", lambda kind: (5, 10 if kind == 1 else -1))
    monkeypatch.setattr(closing.resource, "RLIM_INFINITY", -1)
    monkeypatch.setattr(closing.resource, "setrlimit", set_to.__setitem__)
    closing._set(1, 100)
    closing._set(2, 100)
    assert set_to == {1: (10, 10), 2: (100, 100)}


def test_endings_in_words():
    assert ended_by(0) == "it ended with exit code 0"
    assert "SIGKILL" in ended_by(-9)
    assert "signal 250" in ended_by(-250)


def test_child_finds_its_packages():
    found = homes()
    assert any(Path(each, "secure_serial").is_dir() for each in found)
    assert any(Path(each, "numpy").is_dir() for each in found)


# What passes between them.

SIZE = 1 << 16


@pytest.fixture(scope="module")
def memory():
    fd = segment.create(SIZE, SIZE)
    shared = segment.Segment(fd, SIZE, SIZE)
    os.close(fd)
    yield shared
    shared.close()


def both_ways(memory, value):
    text = Writer(memory, 0, SIZE).message(None)
    writer = Writer(memory, 0, SIZE)
    text = writer.message(writer.value(value))
    reader = Reader(memory, 0, SIZE, copy=True)
    (given,) = reader.message(text)
    return reader.value(given)


atoms = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.complex_numbers()
keys = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    atoms | st.just(...) | st.slices(9),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(keys | st.tuples(keys, keys), inner, max_size=4)
        | st.sets(keys, max_size=4)
        | st.frozensets(keys, max_size=4)
    ),
    max_leaves=12,
)


def is_text_of_utf8(value):
    return "\\ud" not in repr(value)


@settings(max_examples=150, deadline=None)
@given(values)
def test_value_is_read_as_it_was_written(memory, value):
    try:
        back = both_ways(memory, value)
    except Garbled:
        assert not is_text_of_utf8(value)
        return
    assert written(back) == written(value)


def written(value):
    """A text that is the same for the same values: NaN is itself, and sets have no order."""
    kind = type(value).__name__
    if isinstance(value, dict):
        return kind, [(written(key), written(item)) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return kind, [written(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return kind, sorted(map(repr, value))
    return kind, repr(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
    | st.sampled_from(["value", "l", "t", "s", "z", "d", "c", "j", "e", "f", "a", "n", "<f4", "|b1"]),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_any_json_is_a_value_or_garbled(memory, given_value):
    reader = Reader(memory, SIZE, 2 * SIZE, copy=True)
    with suppress(Garbled):
        reader.value(given_value)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes_are_a_message_or_garbled(memory, text):
    with suppress(Garbled):
        Reader(memory, 0, SIZE, copy=True).message(text)


def test_arrays_share_the_memory_and_no_more(memory):
    writer = Writer(memory, 0, SIZE)
    half = np.ones(SIZE // 2, np.uint8)
    writer.value([half, half])
    with pytest.raises(NotPlain, match="more bytes"):
        writer.value(np.ones(1, np.uint8))


def test_arrays_that_are_not_copied_cannot_be_written_to(memory):
    given_array = Writer(memory, 0, SIZE).value(np.zeros(3))
    view = Reader(memory, 0, SIZE, copy=False).value(given_array)
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1
    assert Reader(memory, 0, SIZE, copy=True).value(given_array).flags.writeable


def test_special_numbers(memory):
    assert math.isnan(both_ways(memory, math.nan))
    assert both_ways(memory, (math.inf, -math.inf)) == (math.inf, -math.inf)


def test_memory_that_cannot_be_had_leaves_no_file_open(monkeypatch):
    before = len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0
    monkeypatch.setattr(os, "ftruncate", refuse)
    with pytest.raises(OSError):
        segment.create(1, 1)
    if before:
        assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_message_that_is_too_long():
    with pytest.raises(frames.TooLong):
        frames.framed(b"a" * (frames.MOST + 1))


def test_clock_runs_out():
    assert 0 < frames.clock(60)() <= 60
    with pytest.raises(TimeoutError):
        frames.clock(-1)()


def test_nobody_reads_any_more():
    inlet, theirs = os.pipe()
    gone, outlet = os.pipe()
    os.close(gone)
    line = frames.Line(inlet, outlet)
    with pytest.raises(frames.Ended):
        line.send(b"a", frames.clock(60))
    line.close()
    os.close(theirs)


def test_who_may_not_look_waits(monkeypatch):
    """Where there is no /proc, the child sleeps until something comes."""
    monkeypatch.setattr(os, "open", refuse)
    inlet, theirs = os.pipe()
    line = frames.Inner(inlet, theirs)
    line.send(frames.framed(b"[1]"))
    assert line.receive() == b"[1]"
    os.close(theirs)
    with pytest.raises(frames.Ended):
        line.some(1)
    os.close(inlet)


def test_looking_and_waiting_see_the_same(monkeypatch):
    for looks in (0, 3):
        monkeypatch.setattr(frames, "_LOOKS", looks)
        inlet, theirs = os.pipe()
        line = frames.Inner(inlet, theirs)
        for message in (b"[1]", b"[2]"):
            line.send(frames.framed(message))
            assert line.receive() == message
        threading.Timer(0.05, lambda: line.send(b"abc")).start()  # noqa: B023 - it is waited for
        assert line.some(2) + line.some(5) == b"abc"
        os.close(theirs)
        os.close(line._glance)
        line._glance = None
        with pytest.raises(frames.Ended):
            line.some(1)
        os.close(inlet)
