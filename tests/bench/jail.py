# SPDX-License-Identifier: Apache-2.0
"""Row 2: from the start of `kiln run` to main() of the VMM in its jail."""

import ctypes
import os
import pickle
import re
import tempfile

import measure
from measure import Figure
from ready import M_INSTRUCTIONS, MS
from report import Goal, Table

MOUNTS = 500
ROUNDS = 5  # batches of either kind take turns
CLONE_NEWNS = 0x20000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 1 << 18
MAIN = re.compile(r"main at (\d+)$")
STEP = re.compile(r"^  (\w+) +([\w-]+) +(-?\d+) us$")

INI = """\
[machine]
memory = {memory}M
[kernel]
image = {kernel}
[drive root]
path = {drive}
root = yes
read_only = yes
[entropy]
enabled = yes
"""


def write_ini(directory, name, drive, kernel, extra="", memory=None):
    path = os.path.join(directory, name + ".ini")
    text = INI.format(memory=memory or measure.GUEST_MIB, kernel=kernel,
                      drive=drive)
    with open(path, "w", encoding="ascii") as file:
        file.write(text + extra)
    return path


def _check(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), "mounts for the bench")


def _make_mounts(count):
    """In a mount namespace of this process alone."""
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.unshare(CLONE_NEWNS))
    _check(libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None))
    _check(libc.mount(b"bench", b"/mnt", b"tmpfs", 0, None))
    for i in range(count):
        place = f"/mnt/{i}".encode()
        os.mkdir(place)
        _check(libc.mount(place, place, None, MS_BIND, None))


def _in_child(work):
    """What work() returns, from a child whose namespaces go with it."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            with open(write_end, "wb") as out:
                pickle.dump(work(), out)
            status = 0
        finally:
            os._exit(status)
    os.close(write_end)
    with open(read_end, "rb") as file:
        data = file.read()
    if os.waitpid(pid, 0)[1] != 0:
        raise measure.Failed("the child of the bench failed")
    return pickle.loads(data)


def _spawn(argv, count):
    read_end, write_end = os.pipe()
    try:
        return measure.spawn(argv, count, heard=[read_end], err=write_end)
    finally:
        os.close(read_end)
        os.close(write_end)


def _ways(ini, count, mounts):
    """Microseconds from the spawn of kiln to main() of the VMM."""
    argv = [measure.KILN, "run", "--vmm", measure.BENCH / "probe", ini]

    def work():
        if mounts:
            _make_mounts(mounts)
        return [_main_us(run) for run in _spawn(argv, count)]

    return _in_child(work)


def _main_us(run):
    for _, _, _, text in run.lines:
        match = MAIN.search(text)
        if match:
            return int(match[1]) - run.start_ns / 1000
    raise measure.Failed(f"kiln and the probe said {run.lines}")


def _steps(ini, count):
    """{step: [us]} of `kiln run --timings` with the real VMM."""
    steps = {}
    argv = [measure.KILN, "run", "--timings", ini]
    for run in _spawn(argv, count):
        for _, _, _, text in run.lines:
            match = STEP.match(text)
            if match:
                name = f"{match[1]} {match[2]}"
                steps.setdefault(name, []).append(int(match[3]))
    return steps


def _programs():
    """What a program costs before it does anything: part of the way."""
    yield "kiln help (exec to exit)", [measure.KILN, "help"]
    for libc in ("glibc", "musl"):
        yield (f"an empty program, static {libc} (exec to exit)",
               [measure.BENCH / f"empty-{libc}"])
    for path in ("/usr/bin/unshare", "/usr/bin/bwrap"):
        if os.access(path, os.X_OK):
            flags = {
                "unshare": ["-Urmpinu", "--fork", "/bin/true"],
                "bwrap": ["--unshare-all", "--ro-bind", "/", "/", "/bin/true"],
            }[os.path.basename(path)]
            yield (f"{os.path.basename(path)} {' '.join(flags)} (exec to exit)",
                   [path, *flags])


def show(drive, count):
    unit, scale = ("ms", MS)
    if measure.IN_LAB:
        unit, scale = "M instructions", M_INSTRUCTIONS
    with tempfile.TemporaryDirectory() as directory:
        ini = write_ini(directory, "bench-way", drive,
                        measure.BENCH / "first.elf")
        few, many = [], []
        for _ in range(ROUNDS):
            few += _ways(ini, count // ROUNDS, 0)
            many += _ways(ini, count // ROUNDS, MOUNTS)
        steps = _steps(ini, count)
    table = Table(
        2, "start of kiln run to main() of the VMM, jail included", unit,
        f"{len(few)} runs of each kind taking turns; a VMM of the same size"
        " says when its main() began",
    )
    ours = Figure([us / scale for us in few])
    loaded = Figure([us / scale for us in many])
    table.add("kiln run to main()", ours,
              None if measure.IN_LAB else Goal(1.2))
    table.add(f"with {MOUNTS} more mounts", loaded)
    table.add("ratio of the two", loaded.median / ours.median,
              None if measure.IN_LAB else Goal(1.3))
    for name, values in steps.items():
        if not name.startswith("vmm") or name == "vmm main":
            table.add(f"  {name}", Figure([us / scale for us in values]))
    for name, argv in _programs():
        table.add(name, Figure([r.end_us / scale
                                for r in measure.spawn(argv, count)]))
    table.note("with the real VMM by --timings; 'exec' is kiln's wait while"
               " the child builds its jail and executes")
    table.show()
