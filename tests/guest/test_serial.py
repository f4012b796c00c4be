# SPDX-License-Identifier: Apache-2.0
"""COM1: its registers, and bytes in both directions."""

import vmm

CTRL_D = b"\x04"
LINE = bytes(ord("!") + i for i in range(63)) + b"\n"


def flood(kib):
    return LINE * (kib * 1024 // len(LINE))


def test_registers():
    vmm.run("serial-registers").require(
        "scratch", "dll", "ier-mask", "iir-fifo", "iir-thre", "loop-data", "overrun"
    )


def test_keyboard_controller():
    vmm.run("i8042").require("command-byte", "keyboard-ack", "works-after-flood")


def test_echo_of_every_byte_there_is():
    every = bytes(b for b in range(256) if b != CTRL_D[0])
    with vmm.Vmm(guest="serial-echo") as vm:
        vm.expect("say ready\n")
        vm.send(every)
        vm.expect(every)
        vm.send(CTRL_D)
        result = vm.wait()
    assert result.console == b"say ready\n" + every + (
        b"say flood\nsay flooded\ndone 0 ok 0 failed\n"
    )
    assert result.code == vmm.EXIT_OK


def test_input_beyond_the_fifo_is_not_lost():
    """Pages at once: far more than the 64 bytes of the port's FIFO."""
    text = flood(16)
    with vmm.Vmm(guest="serial-echo") as vm:
        vm.expect("say ready\n")
        for at in range(0, len(text), 4096):
            vm.send(text[at : at + 4096])
            vm.expect(text[: at + 4096])
        vm.send(CTRL_D)
        result = vm.wait()
    assert text in result.console


def test_a_mebibyte_of_output():
    kib, window = 1024, 32
    with vmm.Vmm(guest="serial-echo", cmdline=f"kib={kib} window={window}") as vm:
        vm.expect("say ready\n")
        vm.send(CTRL_D)
        for done in range(window, kib + 1, window):
            vm.expect(flood(done))
            vm.send(b".")
        result = vm.wait()
    assert b"say flood\n" + flood(kib) + b"say flooded\n" in result.console


def test_nobody_reads_and_the_guest_goes_on():
    """A full console never stops a vCPU: bytes are dropped, the newest first,
    and the machine comes to its end."""
    with vmm.Vmm(guest="serial-echo", cmdline="kib=256") as vm:
        vm.expect("say ready\n")
        vm.send(CTRL_D)
        # Not before the guest has ended: nothing is read from here on.
        vm.reap()
        result = vm.wait()
    assert result.code == vmm.EXIT_OK
    assert result.console.startswith(b"say ready\nsay flood\n" + flood(32))
    assert len(result.console) < 256 << 10


def test_input_that_ends():
    with vmm.Vmm(guest="serial-echo") as vm:
        vm.expect("say ready\n")
        vm.send(b"last words")
        vm.send(CTRL_D)
        vm.hang_up()
        result = vm.wait()
    assert b"last words" in result.console
    assert result.code == vmm.EXIT_OK


def test_reader_that_goes_away():
    """The other end of the console is closed: no signal, no error."""
    with vmm.Vmm(guest="serial-echo", cmdline="kib=256") as vm:
        vm.expect("say ready\n")
        vm.deafen()
        vm.send(CTRL_D)
        result = vm.wait()
    assert result.code == vmm.EXIT_OK, result
    assert result.stderr == ""


def test_one_descriptor_of_the_console_is_enough():
    def launch(fds):
        one = vmm.Launch(fds, guest="hello")
        one.roles["console-in"] = fds.open("/dev/null", 0)
        return one

    with vmm.Vmm(launch) as vm:
        vm.wait().require("hello")
