# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034 # read by the lints
# What the lints compile with, and the C that is built for this system; bare
# guests stand on nothing and have flags of their own.
flags="-std=c17 -D_GNU_SOURCE -DKILN_VERSION=\"0\" -Ivmm
	-I${KILN_BUILD:-build}/gen -I. -Itests/unit -isystem /usr/include/libnl3"
bare_flags='-std=c17 -ffreestanding -mgeneral-regs-only -Itests/guest/bare'

sources() {
	find jailer vmm profiles tests -path tests/guest/bare -prune \
		-o -name "$1" -print0
}
