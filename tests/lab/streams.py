# SPDX-License-Identifier: Apache-2.0
"""What comes out of the lab, as it comes: output, console and verdict."""

import collections
import os

CHUNK_BYTES = 65536
CONSOLE_LINES = 40


class Output:
    """Copies a stream to a descriptor up to the mark that ends it."""

    def __init__(self, to_fd, end_mark):
        self._to_fd = to_fd
        self._mark = end_mark
        self._held = b""
        self.ended = False

    def take(self, data):
        """More bytes of the stream; what may be the mark's start waits."""
        if self.ended:
            return
        data = self._held + data
        at = data.find(self._mark)
        self.ended = at >= 0
        cut = at if self.ended else len(data) - self._possible_start(data)
        self._held = data[cut:]
        _write_all(self._to_fd, data[:cut])

    def _possible_start(self, data):
        for length in range(min(len(self._mark) - 1, len(data)), 0, -1):
            if data.endswith(self._mark[:length]):
                return length
        return 0


class Console:
    """The last lines of the kernel's console and of QEMU's own words."""

    def __init__(self, echo_fd=None):
        self._echo_fd = echo_fd
        self._lines = collections.deque(maxlen=CONSOLE_LINES)
        self._open = b""
        self.panicked = False

    def take(self, data):
        """More bytes, of any of the sources."""
        if self._echo_fd is not None:
            _write_all(self._echo_fd, data)
        *lines, rest = (self._open + data).split(b"\n")
        self._open = rest[-CHUNK_BYTES:]
        self._lines.extend(line.rstrip(b"\r") for line in lines)
        self.panicked |= any(b"Kernel panic" in line for line in lines)

    def tail(self):
        """The last lines, for a message."""
        lines = [*self._lines, self._open] if self._open else self._lines
        return "\n".join(f"  | {x.decode(errors='replace')}" for x in lines)


class Verdict:
    """What the session says: that it is ready, and how the job ended."""

    def __init__(self):
        self._text = b""
        self.ready = False
        self.status = None

    def take(self, data):
        """More bytes of the session's port."""
        *lines, self._text = (self._text + data).split(b"\n")
        for line in lines:
            word, _, value = line.partition(b" ")
            self.ready |= word == b"ready"
            if word == b"exit":
                self.status = int(value)


def _write_all(fd, data):
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view):]
