# SPDX-License-Identifier: Apache-2.0
"""What the lab shall run, as the two shell files its session reads."""

import os
import secrets
import shlex

HOME = "/root"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Variables that go in when KILN_LAB_ENV does not name others
PASSED = ("LANG", "LC_ALL", "TERM", "V", "PYTEST_ADDOPTS")
PASSED_PREFIX = "KILN_"


class Job:
    """A command, where it runs, and the mark that ends its output."""

    def __init__(self, argv, out):
        self.argv = argv
        self.directory = os.getcwd()
        self.out = out
        self._end = "kiln-lab-end-" + secrets.token_hex(16)
        self.end_mark = f"\0{self._end}\n".encode()

    def files(self):
        """Archive paths and contents for the lab's initramfs."""
        return {
            "lab/job": os.fsencode(self._script()),
            "lab/job-settings": os.fsencode(self._settings()),
        }

    def _script(self):
        where = shlex.quote(self.directory)
        env = [f"{name}={value}" for name, value in environment().items()]
        return (
            f"cd {where} || exit 125\n"
            f"exec /usr/bin/env -i {shlex.join(env)} "
            f"{shlex.join(self.argv)}\n"
        )

    def _settings(self):
        out = shlex.quote(self.out or "")
        return f"LAB_END={self._end}\nLAB_OUT={out}\nLAB_HOSTNAME=lab\n"


def environment():
    """The variables of the command, from those of the caller."""
    asked = os.environ.get("KILN_LAB_ENV")
    names = PASSED if asked is None else asked.replace(",", " ").split()
    passed = {
        name: value for name, value in os.environ.items()
        if name in names or (asked is None and name.startswith(PASSED_PREFIX))
    }
    return {"HOME": HOME, "PATH": PATH, **passed, "KILN_IN_LAB": "1"}
