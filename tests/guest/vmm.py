# SPDX-License-Identifier: Apache-2.0
"""Start build/kiln-vmm as kiln does, and talk to what runs in it.

A launch is a sealed memfd with the machine's description plus descriptors at
fixed numbers (vmm/launch/handoff.h). `Launch` holds both and lets a test bend
any part of them; `Vmm` is the running process. Nothing here interprets what a
guest prints but `Result`, which sorts the verdict lines of bare guests.

    with Vmm(guest="hello") as vm:
        result = vm.wait()
    assert result.passed
"""

import fcntl
import json
import os
import pathlib
import selectors
import signal
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("KILN_BUILD", ROOT / "build")).resolve()
VMM = BUILD / "kiln-vmm"
BARE = BUILD / "guest" / "bare"

SEALS = (
    fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
)

# vmm/launch/exit_status.h
EXIT_OK = 0
EXIT_VMM = 1
EXIT_TRIPLE_FAULT = 3
EXIT_KVM = 4
EXIT_LAUNCH = 5
EXIT_USAGE = 64

# A guest that hangs is a failure, never a hang of the tests.
TIMEOUT_S = 60

# Sources of dup2() wait above every number a launch may use.
FIRST_PARKED_FD = 512
FD_LIMIT = 256  # HANDOFF_FD_LIMIT


class Timeout(AssertionError):
    pass


def sealed_memfd(data, seals=SEALS):
    fd = os.memfd_create("launch", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    if seals:
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd


class Fds:
    """Descriptors with one owner; close() forgets them all."""

    def __init__(self):
        self._fds = []

    def own(self, fd):
        self._fds.append(fd)
        return fd

    def open(self, path, flags):
        return self.own(os.open(path, flags | os.O_CLOEXEC))

    def pipe(self):
        r, w = os.pipe2(os.O_CLOEXEC)
        return self.own(r), self.own(w)

    def close_one(self, fd):
        self._fds.remove(fd)
        os.close(fd)

    def close(self):
        while self._fds:
            os.close(self._fds.pop())


class Launch:
    """What the VMM is given. Change `document`, `roles` or `raw` before it
    starts; roles map to descriptors of this process."""

    def __init__(
        self,
        fds,
        guest=None,
        kernel=None,
        initrd=None,
        cmdline="",
        vcpus=1,
        memory=16 << 20,
        drives=(),
        nets=(),
        entropy=False,
        serial=True,
        seccomp="on",
        **board,
    ):
        self.fds = fds
        self.roles = {}
        self.serial = serial
        self.raw = None  # bytes in the place of the document
        self.extra_fds = {}  # number -> descriptor, open but not listed
        path = kernel or BARE / f"{guest}.elf"
        self.roles["kvm"] = fds.open("/dev/kvm", os.O_RDWR)
        self.roles["kernel"] = fds.open(path, os.O_RDONLY)
        if initrd:
            self.roles["initrd"] = fds.open(initrd, os.O_RDONLY)
        self.document = {
            "version": 1,
            "vm": {
                "id": "test",
                "machine": {"vcpus": vcpus, "memory": memory, **board},
                "kernel": {"cmdline": cmdline},
                "drive": [self._drive(d) for d in drives],
                "net": [self._net(n) for n in nets],
                "entropy": {"enabled": entropy},
                "serial": {"enabled": serial},
                "confine": {"seccomp": seccomp},
            },
        }

    def _drive(self, drive):
        drive = dict(drive)
        path = drive.pop("path")
        read_only = drive.get("read_only", False)
        self.roles[f"drive:{drive['id']}"] = self.fds.open(
            path, os.O_RDONLY if read_only else os.O_RDWR
        )
        return drive

    def _net(self, net):
        net = dict(net)
        self.roles[f"net:{net['id']}"] = net.pop("fd")
        return net

    def numbers(self):
        return {role: 3 + i for i, role in enumerate(self.roles)}

    def bytes(self):
        if self.raw is not None:
            return self.raw
        document = dict(self.document)
        document.setdefault(
            "fds", [{"role": r, "fd": n} for r, n in self.numbers().items()]
        )
        return json.dumps(document, separators=(",", ":")).encode()


def _inheritable_fds():
    """What a make or a shell above has left open for every child."""
    for name in os.listdir("/proc/self/fd"):
        fd = int(name)
        try:
            if fd > 2 and os.get_inheritable(fd):
                yield fd
        except OSError:
            pass  # the directory's own descriptor


def spawn(argv, at, stdin, stdout, stderr):
    """Start argv with exactly the descriptors {number: fd} above 2."""
    parked = []

    def park(fd):
        parked.append(fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, FIRST_PARKED_FD))
        return parked[-1]

    wanted = {0: stdin, 1: stdout, 2: stderr, **at}
    try:
        actions = [
            (os.POSIX_SPAWN_DUP2, park(fd), number) for number, fd in wanted.items()
        ]
        actions += [
            (os.POSIX_SPAWN_CLOSE, fd) for fd in _inheritable_fds() if fd not in wanted
        ]
        return os.posix_spawn(
            argv[0],
            argv,
            {},
            file_actions=actions,
            setsigmask=[],
            setsigdef=[signal.SIGPIPE, signal.SIGINT],
        )
    finally:
        for fd in parked:
            os.close(fd)


class Result:
    """How a machine ended, and what was said."""

    def __init__(self, code, console, stderr, status):
        self.code = code  # exit code; -N: killed by signal N
        self.console = console
        self.stderr = stderr.decode(errors="replace")
        self.status = status.decode(errors="replace").splitlines()

    @property
    def lines(self):
        return self.console.decode(errors="replace").splitlines()

    @property
    def verdicts(self):
        return [line[3:] for line in self.lines if line.startswith("ok ")]

    @property
    def failures(self):
        return [line for line in self.lines if line.startswith("FAIL ")]

    def said(self, key):
        prefix = f"say {key} "
        return [
            line[len(prefix) :] for line in self.lines if line.startswith(prefix)
        ]

    @property
    def phases(self):
        return [s.split()[1] for s in self.status if s.startswith("phase ")]

    def require(self, *names):
        """The program ran to its end, failed nothing, and judged each of
        these: a check that never ran is a failure as well."""
        count = len(self.verdicts)
        assert not self.failures, self
        assert f"done {count} ok 0 failed" in self.lines, self
        missing = [n for n in names if n not in self.verdicts]
        assert not missing, f"never judged: {missing}\n{self}"
        assert self.code == EXIT_OK, self
        assert self.stderr == "", self
        return self

    def __repr__(self):
        return (
            f"exit code {self.code}\n--- stderr\n{self.stderr}"
            f"--- status\n" + "\n".join(self.status) + "\n--- console\n"
            f"{self.console[-4000:].decode(errors='replace')}"
        )


class Vmm:
    """One VMM process. Arguments as Launch; or a Launch of one's own."""

    def __init__(self, launch=None, argv=None, launch_fd=None, **machine):
        self.fds = Fds()
        self._readers = {}
        self._streams = {"console": b"", "stderr": b"", "status": b""}
        self.pid = None
        self.code = None
        self._memfd = launch_fd  # one's own, borrowed; None: from the launch
        try:
            self._start(launch, argv, machine)
        except BaseException:
            self.close()
            raise

    def _start(self, launch, argv, machine):
        if callable(launch):
            launch = launch(self.fds)
        launch = launch or Launch(self.fds, **machine)
        self._selector = selectors.DefaultSelector()
        self._pidfd = -1
        console = self._reader("console")
        status = self._reader("status")
        stderr = self._reader("stderr")
        theirs, self._console_in = self.fds.pipe()
        launch.roles.setdefault("status", status)
        if launch.serial:
            launch.roles.setdefault("console-in", theirs)
            launch.roles.setdefault("console-out", console)
        memfd = self._memfd
        if memfd is None:
            memfd = self.fds.own(sealed_memfd(launch.bytes()))
        numbers = launch.numbers()
        at = {numbers[role]: fd for role, fd in launch.roles.items()}
        at.update(launch.extra_fds)
        memfd_at = 3 + len(numbers)
        at[memfd_at] = memfd
        null = self.fds.open("/dev/null", os.O_RDWR)
        argv = argv or [str(VMM), "--launch-fd", str(memfd_at)]
        self.pid = spawn(argv, at, null, null, stderr)
        self._pidfd = self.fds.own(os.pidfd_open(self.pid))
        # Ours would keep the pipes open after the VMM's end.
        for fd in (console, status, stderr, theirs):
            self.fds.close_one(fd)

    def _reader(self, name):
        r, w = self.fds.pipe()
        self._selector.register(r, selectors.EVENT_READ, name)
        self._readers[name] = r
        return w

    # ---- what is said -------------------------------------------------------

    @property
    def console(self):
        return self._streams["console"]

    @property
    def status(self):
        return self._streams["status"]

    def _pump(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            raise Timeout(repr(self._result(None)))
        for key, _ in self._selector.select(left):
            data = os.read(key.fd, 1 << 16)
            if data:
                self._streams[key.data] += data
            else:
                self._selector.unregister(key.fd)

    def expect(self, text, stream="console", timeout_s=TIMEOUT_S):
        """Wait until `text` has been said; the rest of it may follow later."""
        deadline = time.monotonic() + timeout_s
        text = text.encode() if isinstance(text, str) else text
        while text not in self._streams[stream]:
            if not self._selector.get_map():
                raise AssertionError(f"ended before {text}: {self.wait()!r}")
            self._pump(deadline)

    def send(self, data):
        os.write(self._console_in, data)

    def hang_up(self):
        """Close the input of the console."""
        self.fds.close_one(self._console_in)
        self._console_in = -1

    def deafen(self):
        """Close our end of the console's output."""
        fd = self._readers["console"]
        self._selector.unregister(fd)
        self.fds.close_one(fd)

    # ---- how it ends ----------------------------------------------------------

    def signal(self, number):
        signal.pidfd_send_signal(self._pidfd, number)

    def wait(self, timeout_s=TIMEOUT_S):
        deadline = time.monotonic() + timeout_s
        while self._selector.get_map():
            self._pump(deadline)
        self.reap(deadline - time.monotonic())
        return self._result(self.code)

    def reap(self, timeout_s=TIMEOUT_S):
        """Wait for the end without reading what is said."""
        if self.code is not None:
            return
        with selectors.DefaultSelector() as selector:
            selector.register(self._pidfd, selectors.EVENT_READ)
            if not selector.select(max(0, timeout_s)):
                raise Timeout(repr(self._result(None)))
        _, status = os.waitpid(self.pid, 0)
        self.code = os.waitstatus_to_exitcode(status)

    def _result(self, code):
        s = self._streams
        return Result(code, s["console"], s["stderr"], s["status"])

    def close(self):
        if self.pid is not None and self.code is None:
            self.signal(signal.SIGKILL)
            _, status = os.waitpid(self.pid, 0)
            self.code = os.waitstatus_to_exitcode(status)
        if getattr(self, "_selector", None):
            self._selector.close()
            self._selector = None
        self.fds.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def run(guest=None, timeout_s=TIMEOUT_S, **machine):
    """Start, wait, clean up."""
    with Vmm(guest=guest, **machine) as vm:
        return vm.wait(timeout_s)
