# SPDX-License-Identifier: Apache-2.0
"""A whole `kiln run` with an idle guest and three devices, to look at while it
runs. In a network namespace of its own, for the tap that kiln makes."""

import os
import pathlib
import select
import signal
import subprocess
import tempfile
import time

import jail
import measure

NET = "[net eth0]\ntap = auto\n"
TIMEOUT_S = 30
SETTLE_S = 0.5


class Jailed:
    """kiln, vmm: pids of the supervisor and of the VMM in its jail."""

    def __init__(self, vcpus=1):
        self._directory = tempfile.TemporaryDirectory()
        place = self._directory.name
        drive = os.path.join(place, "disk")
        with open(drive, "wb") as file:
            file.truncate(1 << 20)
        ini = jail.write_ini(place, f"bench-idle-{os.getpid()}", drive,
                             measure.BENCH / "idle.elf", NET)
        # unshare becomes kiln: one process.
        self._process = subprocess.Popen(
            ["unshare", "--net", measure.KILN, "run", "--vmm", measure.VMM,
             "--set", f"machine.vcpus={vcpus}", ini],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # how it is ended at the end
        )
        self.kiln = self._process.pid
        try:
            self._wait_for_guest()
        except BaseException:
            self.close()
            raise
        self.vmm = self._only_child()
        time.sleep(SETTLE_S)  # the last of the start

    def _wait_for_guest(self):
        if not select.select([self._process.stdout], [], [], TIMEOUT_S)[0]:
            raise measure.Failed("the idle guest said nothing")
        if self._process.stdout.read1(2) == b"":
            raise measure.Failed("kiln ended before the idle guest spoke")

    def _only_child(self):
        path = f"/proc/{self.kiln}/task/{self.kiln}/children"
        return int(pathlib.Path(path).read_text(encoding="ascii"))

    def close(self):
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(TIMEOUT_S)
        self._process.stdout.close()
        self._directory.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
