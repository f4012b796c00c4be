# SPDX-License-Identifier: Apache-2.0
"""The small guest kernel, built from Debian's source with our config."""

import os
import pathlib
import subprocess

import cache

SOURCE = pathlib.Path("/usr/src/linux-source-6.1.tar.xz")
CONFIG = pathlib.Path(__file__).parents[2] / "profiles/guest/small.config"
# What Kbuild would take from the clock and the machine
FIXED = {
    "KBUILD_BUILD_TIMESTAMP": "1970-01-01",
    "KBUILD_BUILD_USER": "kiln",
    "KBUILD_BUILD_HOST": "kiln",
}


class BuildError(Exception):
    """The kernel could not be built; the text says what to look at."""


def directory(jobs=2):
    """Directory with vmlinux, bzImage and config."""
    version = _source_version()
    key = cache.digest(version, CONFIG)
    return cache.entry(f"small-{version}-{key}", lambda to: _build(to, jobs))


def _source_version():
    if not SOURCE.exists():
        raise BuildError(f"no {SOURCE}: run tests/setup/install demo")
    query = ["dpkg-query", "-Wf", "${Version}", "linux-source-6.1"]
    return subprocess.check_output(query, text=True)


def _build(to, jobs):
    source = to / "source"
    source.mkdir()
    log = cache.root() / "small-kernel.log"
    print(f"images: building the small kernel; log: {log}", flush=True)
    with open(log, "wb") as out:
        _run(["tar", "-xJf", SOURCE, "--strip-components=1", "-C", source], out)
        make = ["make", "-C", source, f"-j{jobs}"]
        _run([*make, f"KCONFIG_ALLCONFIG={CONFIG}", "allnoconfig"], out)
        _check_config(source / ".config")
        _run([*make, "vmlinux", "bzImage"], out)
    _strip(source / "vmlinux", to / "vmlinux")
    (source / "arch/x86/boot/bzImage").rename(to / "bzImage")
    (source / ".config").rename(to / "config")
    subprocess.run(["rm", "-rf", source], check=True)


def _strip(source, to):
    subprocess.run(["strip", "-o", to, source], check=True)


def _run(command, out):
    # A build does not outlive the one who asked for it
    done = subprocess.run(
        ["setpriv", "--pdeathsig", "TERM", *command], stdout=out, stderr=out, env={**os.environ, **FIXED}
    )
    if done.returncode:
        raise BuildError(f"{command[0]} failed: see {out.name}")


def _check_config(made):
    """Kconfig drops what it cannot give without a word: find that here."""
    have = set(made.read_text().splitlines())
    asked = [x for x in CONFIG.read_text().splitlines() if x.startswith("CO")]
    lost = [line for line in asked if line not in have]
    if lost:
        raise BuildError(f"{CONFIG}: not in the kernel: {', '.join(lost)}")
