# SPDX-License-Identifier: Apache-2.0
"""The lab's own tests: /usr/bin/python3 -m pytest tests/lab

Some start a lab, which takes seconds each; they need what tests/lab/run needs.
"""

import os
import pathlib
import subprocess

import pytest

import cache
import elf_notes
import initramfs
import streams

LAB = pathlib.Path(__file__).parent
MARK = b"\0end-of-stream\n"


def output_of(*pieces):
    """What comes out when these pieces come in, and the stream's state."""
    read_fd, write_fd = os.pipe()
    stream = streams.Output(write_fd, MARK)
    for piece in pieces:
        stream.take(piece)
    os.close(write_fd)
    with open(read_fd, "rb") as result:
        return result.read(), stream.ended


@pytest.mark.parametrize("cut", range(len(MARK) + 1))
def test_mark_is_found_wherever_it_is_cut(cut):
    data = b"a\0" + MARK[:cut], MARK[cut:] + b"late"
    assert output_of(*data) == (b"a\0", True)


def test_output_like_the_mark_is_passed_on():
    assert output_of(MARK[:5], b"!") == (MARK[:5] + b"!", False)


def test_output_is_not_held_back():
    assert output_of(b"progress ") == (b"progress ", False)


def test_failed_fill_leaves_no_entry(tmp_path, monkeypatch):
    monkeypatch.setenv("KILN_CACHE", str(tmp_path))

    def fail(to):
        (to / "half").write_text("")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.entry("thing", fail)
    assert [x.name for x in tmp_path.iterdir()] == ["thing.lock"]


def test_killed_fill_is_done_again(tmp_path, monkeypatch):
    monkeypatch.setenv("KILN_CACHE", str(tmp_path))
    (tmp_path / "thing.part.dead").mkdir()
    made = cache.entry("thing", lambda to: (to / "whole").write_text("x"))
    assert (made / "whole").read_text() == "x"
    assert not list(tmp_path.glob("*.part.*"))


def test_entry_is_filled_once(tmp_path, monkeypatch):
    monkeypatch.setenv("KILN_CACHE", str(tmp_path))
    fills = []
    for _ in range(2):
        cache.entry("thing", fills.append)
    assert len(fills) == 1


def test_kernel_without_pvh_note_is_refused():
    with pytest.raises(ValueError):
        elf_notes.without_pvh(bytes(64))


def test_archive_repeats():
    files = {"init": b"#!", "bin/sh": "busybox", "dev": None}
    assert initramfs.pack(files) == initramfs.pack(dict(reversed(
        files.items())))


def lab(*arguments):
    return subprocess.run([LAB / "run", *arguments], capture_output=True)


def test_lab_is_the_command(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    done = lab(
        "--out", out, "--", "sh", "-c",
        f"printf 'a\\0b'; echo e >&2; echo kept >{out}/f; echo x >{LAB}/lost;"
        "sleep 1000 & test -c /dev/kvm || exit 1; exit 7",
    )
    assert (done.returncode, done.stdout, done.stderr) == (7, b"a\0b", b"e\n")
    assert (out / "f").read_text() == "kept\n"
    assert not (LAB / "lost").exists()


@pytest.mark.parametrize("command, status, why", [
    ("echo c >/proc/sysrq-trigger", 125, b"the kernel panicked"),
    ("busybox poweroff -f; sleep 60", 125, b"switched itself off"),
    ("kill -TERM $$", 143, b""),
])
def test_lab_says_how_it_ended(command, status, why):
    done = lab("--", "sh", "-c", command)
    assert done.returncode == status
    assert why in done.stderr if why else done.stderr == b""


def test_time_out_ends_the_lab():
    done = lab("--timeout", "3", "--", "sleep", "1000")
    assert done.returncode == 124
    assert b"timed out after 3 s" in done.stderr
