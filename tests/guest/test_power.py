# SPDX-License-Identifier: Apache-2.0
"""The ways a machine ends, and what the outside is told of each."""

import re
import signal

import pytest

import vmm


@pytest.mark.parametrize("vcpus", [1, 4])
def test_poweroff(vcpus):
    result = vmm.run("poweroff", vcpus=vcpus)
    assert result.lines == ["ok still-on"]
    assert (result.code, result.stderr) == (vmm.EXIT_OK, "")
    assert result.status[-1] == "exit 0 power-off by the guest"


def test_reboot():
    result = vmm.run("reboot")
    assert result.lines == ["ok before"]
    assert (result.code, result.stderr) == (vmm.EXIT_OK, "")
    assert result.status[-1] == "exit 0 reset by the guest"


def test_triple_fault():
    result = vmm.run("triple-fault")
    assert result.lines == ["ok before"]
    assert result.code == vmm.EXIT_TRIPLE_FAULT
    assert re.fullmatch(
        r"kiln-vmm: vCPU 0: triple fault at rip 0x[0-9a-f]+ \(.*\)\n", result.stderr
    ), result
    assert result.status[-1] == "exit 3 " + result.stderr[len("kiln-vmm: ") : -1]


def test_internal_error_of_kvm_names_suberror_and_rip():
    """Only a KVM without hardware support emulates this instruction; on others
    the guest says that it ran."""
    result = vmm.run("internal-error")
    (address,) = result.said("address")
    if result.said("emulated") == ["no"]:
        result.require("cmpxchg16b")
        return
    assert result.code == vmm.EXIT_KVM, result
    match = re.fullmatch(
        r"kiln-vmm: vCPU 0: KVM internal error, suberror 1 at rip "
        r"(0x[0-9a-f]+) \(.*\)\n",
        result.stderr,
    )
    assert match, result
    assert int(address, 16) <= int(match[1], 16) < int(address, 16) + 256


@pytest.mark.parametrize("how", ["spin", "sleep"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_signal_ends_a_running_guest(number, how):
    with vmm.Vmm(guest="stop-clock", cmdline=how, vcpus=2) as vm:
        vm.expect("ok running\n")
        vm.signal(number)
        result = vm.wait()
    assert result.lines == ["ok running"]
    if number == signal.SIGKILL:
        assert result.code == -signal.SIGKILL
    else:
        assert result.code in (vmm.EXIT_OK, -signal.SIGTERM), result


def test_console_of_the_last_moment_is_not_lost():
    """What was printed right before the end arrives, every time."""
    for _ in range(20):
        assert vmm.run("reboot").lines == ["ok before"]
