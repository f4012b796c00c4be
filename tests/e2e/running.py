# SPDX-License-Identifier: Apache-2.0
"""A microVM that runs: what it prints, what is typed, its processes, its end."""

import collections
import fcntl
import os
import pathlib
import pty
import signal
import subprocess
import termios
import threading
import time

import pytest

# Only against hangs: an emulated machine may be a hundred times slower
TIMEOUT_S = int(os.environ.get("KILN_E2E_TIMEOUT_S", "180"))

Ended = collections.namedtuple("Ended", "status output errors")


def text(data):
    return bytes(data).decode(errors="replace").replace("\r\n", "\n")


class Stream:
    """Reads a descriptor to its end, in the background."""

    def __init__(self, fd):
        self.data = bytearray()
        self.changed = threading.Condition()
        self.ended = False
        self.thread = threading.Thread(target=self._read, args=(fd,))
        self.thread.start()

    def _read(self, fd):
        while True:
            try:
                piece = os.read(fd, 65536)
            except OSError:  # EIO: the other end of a terminal is closed
                piece = b""
            with self.changed:
                self.data += piece
                self.ended = not piece
                self.changed.notify_all()
            if not piece:
                os.close(fd)
                return

    def wait_for(self, wanted, timeout_s):
        def there():
            return wanted in text(self.data) or self.ended
        with self.changed:
            self.changed.wait_for(there, timeout_s)
            return wanted in text(self.data)


class Running:
    """kiln as a child, in a session of its own so that all of it can be ended.

    terminal: its three streams are a terminal instead of pipes.
    """

    def __init__(self, command, run_dir, terminal=False, **options):
        self.run_dir = pathlib.Path(run_dir)
        self.terminal = self.side = None
        streams = [subprocess.PIPE] * 3
        if terminal:
            self.terminal, self.side = pty.openpty()
            streams = [self.side] * 3
            options["preexec_fn"] = take_terminal
        names = ("stdin", "stdout", "stderr")
        self.process = subprocess.Popen(
            command, start_new_session=True,
            **{**dict(zip(names, streams)), **options})
        if terminal:
            self.output = self.errors = Stream(self.terminal)
        else:
            self.output = read(self.process.stdout)
            self.errors = read(self.process.stderr)

    def mode(self):
        """The terminal's, to compare."""
        return termios.tcgetattr(self.side)

    def wait_for(self, wanted, timeout_s=TIMEOUT_S):
        """Returns once the guest printed that."""
        if not self.output.wait_for(wanted, timeout_s):
            pytest.fail(f"in vain: '{wanted}'\n{self._said()}", pytrace=False)

    def type(self, words):
        """Keys for the guest."""
        if self.terminal is not None:
            os.write(self.terminal, words.encode())
        else:
            self.process.stdin.write(words.encode())
            self.process.stdin.flush()

    def entry(self, name):
        """A file of its run directory, once it is there; None: kiln ended.

        What a killed one left there is gone before the new pid is.
        """
        for _ in range(TIMEOUT_S * 100):
            if self._file("pid") == str(self.process.pid) and self._file(name):
                return self._file(name)
            if self.process.poll() is not None:
                return None
            time.sleep(0.01)
        pytest.fail(f"in vain: {self.run_dir / name}", pytrace=False)

    def _file(self, name):
        try:
            return (self.run_dir / name).read_text().strip()
        except OSError:
            return ""

    def vmm_pid(self):
        pid = self.entry("vmm_pid")
        return pid and int(pid)

    def end(self, timeout_s=TIMEOUT_S):
        """Waits for its end."""
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.destroy()
            pytest.fail(f"no end after {timeout_s} s\n{self._said()}",
                        pytrace=False)
        self._join()
        said = (text(stream.data) if stream else ""
                for stream in (self.output, self.errors))
        return Ended(self.process.returncode, *said)

    def destroy(self):
        """Ends all of it, whatever state it is in."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self.side is not None:
            os.close(self.side)
            self.side = None
        self._join()

    def _join(self):
        if self.process.stdin and not self.process.stdin.closed:
            self.process.stdin.close()
        for stream in (self.output, self.errors):
            # The end of a terminal's output is when the test closes it
            if stream and self.side is None:
                stream.thread.join(10)

    def _said(self):
        return "\n".join(f"--- {name}\n{text(stream.data)}"
                         for name, stream in (("output", self.output),
                                              ("errors", self.errors))
                         if stream)


def read(pipe):
    """A Stream of a pipe that Popen made; None for what is no pipe."""
    return Stream(os.dup(pipe.fileno())) if pipe else None


def take_terminal():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
