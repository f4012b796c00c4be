# SPDX-License-Identifier: Apache-2.0
#
# kiln - the build, and the map of the tree: sources are listed folder by
# folder in layer order (ARCHITECTURE.md says who may include whom).
#
#   make demo      install what is missing, build, boot a Linux microVM
#   make check     install what the tests need and run them all
#   make help      every target
#
# Variables: V=1 (show commands), CC=gcc|clang, BUILD=dir, PREFIX, DESTDIR.

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all

VERSION := 0.1.0
ARCH    ?= x86_64
BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
ifeq ($(origin CC),default)
CC      := gcc
endif
PYTHON  := /usr/bin/python3

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s%s\n' '$(1)' '$(2)')

# ---- sources, in layer order ------------------------------------------------

BASE_SRC := $(addprefix vmm/base/, err.c fd.c buf.c parse.c utf8.c json.c \
	clock.c)
LAUNCH_SRC := $(addprefix vmm/launch/, field.c machine.c machine_rules.c \
	handoff.c status.c)
CORE_SRC := $(addprefix vmm/core/, memory.c event.c bus.c irq.c state.c vm.c \
	vcpu.c confine.c)
BOOT_SRC := $(addprefix vmm/boot/, image.c elf.c bzimage.c kernel.c initrd.c \
	cmdline.c e820.c zero_page.c pvh.c)
TABLES_SRC := $(addprefix vmm/tables/, aml.c acpi.c mptable.c)
ARCH_SRC := $(addprefix vmm/arch/$(ARCH)/, cpuid.c regs.c ioapic.c pic.c \
	irqchip.c power.c vm.c vcpu.c load.c)
BACKEND_SRC := $(addprefix vmm/backend/, disk.c disk_sync.c entropy.c \
	console.c tap.c)
VIRTIO_SRC := $(addprefix vmm/virtio/, queue.c mmio.c mmio_regs.c block.c \
	rng.c net.c net_header.c net_rx.c net_tx.c)
LEGACY_SRC := $(addprefix vmm/legacy/, uart16550.c \
	uart16550_registers.c i8042.c)
VMM_TOP_SRC := vmm/build.c

# Everything the VMM is made of but main().
VMM_SRC := $(BASE_SRC) $(LAUNCH_SRC) $(CORE_SRC) $(BOOT_SRC) $(TABLES_SRC) \
	$(ARCH_SRC) $(BACKEND_SRC) $(VIRTIO_SRC) $(LEGACY_SRC) $(VMM_TOP_SRC)

# The jailer may use base and launch and nothing else of the VMM.
JAILER_SRC := $(addprefix jailer/, ini.c nearest.c specifier.c keys.c \
	key_rows.c key_checks.c config.c config_load.c config_report.c \
	config_rules.c config_host.c options.c commands.c cmd_check.c cmd_help.c \
	identity.c registry.c cgroup.c netns.c tap.c \
	$(addprefix step_, identity.c kvm.c kernel.c drives.c vmm.c \
	registry.c cgroup.c taps.c channels.c description.c namespaces.c \
	id_maps.c session.c root.c limits.c descriptors.c capabilities.c \
	flags.c seccomp.c exec.c) jail.c \
	terminal.c console_relay.c report.c supervise.c cmd_run.c \
	cmd_explain.c doctor.c doctor_kvm.c doctor_guest.c doctor_jail.c \
	doctor_cgroup.c doctor_namespaces.c doctor_hardening.c cmd_doctor.c)
KILN_SRC := $(BASE_SRC) $(LAUNCH_SRC) $(JAILER_SRC)

# kiln-seccomp, a tool of the build: compiles the seccomp policies to BPF.
COMPILER_SRC := $(addprefix profiles/compiler/, policy.c policy_parse.c \
	policy_resolve.c policy_check.c filter.c emit.c)
POLICIES := $(addprefix profiles/seccomp/, constants launch.policy \
	loop.policy vcpu.policy)

# Unit tests: one program per file, linked with all of the above.
UNIT_TESTS := $(addprefix tests/unit/, base_json_peer_test.c \
	base_buf_test.c base_err_test.c base_fd_test.c base_parse_test.c \
	base_json_test.c core_bus_test.c core_event_test.c \
	core_memory_test.c core_state_test.c arch_cpuid_test.c \
	arch_pic_test.c arch_ioapic_test.c arch_irqchip_test.c \
	launch_status_test.c launch_handoff_test.c launch_field_test.c \
	virtio_queue_test.c virtio_mmio_test.c virtio_block_test.c \
	virtio_rng_test.c backend_disk_test.c \
	launch_machine_test.c \
	jailer_ini_test.c jailer_specifier_test.c \
	jailer_plan_test.c jailer_registry_test.c jailer_report_test.c jailer_keys_test.c \
	jailer_config_test.c jailer_doctor_test.c \
	boot_kernel_test.c boot_elf_test.c boot_bzimage_test.c \
	boot_initrd_test.c boot_cmdline_test.c boot_zero_page_test.c \
	boot_pvh_test.c tables_aml_test.c tables_acpi_test.c \
	tables_mptable_test.c \
	bpf_simulator_test.c \
	seccomp_parser_test.c \
	seccomp_policy_test.c \
	confine_test.c \
	backend_console_test.c backend_tap_test.c legacy_i8042_test.c \
	legacy_uart16550_test.c virtio_net_test.c virtio_net_rx_test.c)
# Fuzz targets: one program per file, libFuzzer.
FUZZ_TARGETS := $(addprefix tests/fuzz/, json_fuzz.c handoff_fuzz.c \
	ini_fuzz.c elf_fuzz.c bzimage_fuzz.c policy_fuzz.c queue_fuzz.c \
	net_fuzz.c)

# ---- flags ------------------------------------------------------------------

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wvla -Wundef -Wcast-qual -Wpointer-arith -Wformat=2 \
	-Wimplicit-fallthrough -Wswitch-enum -Wwrite-strings -Wconversion \
	-Wsign-conversion -Wnull-dereference -Werror
CC_IS_CLANG := $(findstring clang,$(CC))
ifneq ($(CC_IS_CLANG),)
WARN += -Wconditional-uninitialized
endif

STD := -std=c17 -D_GNU_SOURCE -DKILN_VERSION='"$(VERSION)"'
INC := -Ivmm -I$(BUILD)/gen
ifeq ($(ARCH),x86_64)
CF_PROTECTION := -fcf-protection
endif
probe = $(shell $(CC) $(1) -x c -c /dev/null -o /dev/null 2>/dev/null && echo $(1))
HARDEN := -fstack-protector-strong -fstack-clash-protection $(CF_PROTECTION) \
	-fno-common -ftrapv -fno-strict-aliasing \
	$(call probe,-ftrivial-auto-var-init=zero)
HARDEN := $(filter-out -ftrapv,$(HARDEN))
LINK_HARDEN := -Wl,-z,relro,-z,now,-z,noexecstack

# kiln-vmm stands on musl: no interpreter, nothing to open at run time, 15 us
# to main(). The kernel's own headers come beside musl's through links, since
# the distribution keeps them next to glibc's.
MUSL_LIB := /usr/lib/$(ARCH)-linux-musl
MUSL_INC := /usr/include/$(ARCH)-linux-musl
KERNEL_INC := $(BUILD)/gen/kernel-headers
ifneq ($(CC_IS_CLANG),)
CC_INC := $(shell $(CC) -print-resource-dir 2>/dev/null)/include
else
CC_INC := $(shell $(CC) -print-file-name=include 2>/dev/null)
endif
VMM_CFLAGS := $(STD) $(INC) $(WARN) $(HARDEN) -Os -fPIE \
	-ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables \
	-nostdinc -isystem $(MUSL_INC) -isystem $(CC_INC) \
	-isystem $(KERNEL_INC)
VMM_LDFLAGS := -static-pie -nostdlib -nostartfiles -Wl,--gc-sections \
	$(LINK_HARDEN) -Wl,-z,noseparate-code -Wl,--build-id=none -s
VMM_START := $(MUSL_LIB)/rcrt1.o $(MUSL_LIB)/crti.o
LIBGCC := $(shell gcc -print-libgcc-file-name 2>/dev/null)
VMM_END := -L$(MUSL_LIB) -lc $(LIBGCC) $(MUSL_LIB)/crtn.o

LIBNL_INC := -isystem /usr/include/libnl3
# kiln is static too (0.45 ms to main() instead of 1.1 ms), on glibc, because
# its libraries are.
KILN_CFLAGS := $(STD) $(INC) -I. $(LIBNL_INC) $(WARN) $(HARDEN) -O2 -D_FORTIFY_SOURCE=2 \
	-fPIE -ffunction-sections -fdata-sections
# --no-warnings: the libraries hold functions that would load NSS modules; kiln
# calls none of them, and the linker warns of each.
KILN_LDFLAGS := -static-pie -Wl,--gc-sections,--no-warnings $(LINK_HARDEN) -s
KILN_LIBS := -lcap-ng -lseccomp -lnl-route-3 -lnl-3 -linih -lpthread

TEST_CFLAGS := $(STD) $(INC) -I. -Itests/unit $(LIBNL_INC) $(WARN) -Wno-missing-prototypes \
	-O1 -g -fno-omit-frame-pointer \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined
TEST_LIBS := -lcmocka -ljansson $(KILN_LIBS)

# ---- programs ---------------------------------------------------------------

PROGRAMS := $(BUILD)/kiln $(BUILD)/kiln-vmm

.PHONY: all vmm kiln
all: $(PROGRAMS)
vmm: $(BUILD)/kiln-vmm
kiln: $(BUILD)/kiln

VMM_OBJ := $(patsubst %.c,$(BUILD)/obj/vmm/%.o,$(VMM_SRC) vmm/main.c) \
	$(BUILD)/obj/vmm/gen/seccomp_filters.o
KILN_OBJ := $(patsubst %.c,$(BUILD)/obj/kiln/%.o,$(KILN_SRC) jailer/main.c)
TEST_OBJ := $(patsubst %.c,$(BUILD)/obj/test/%.o,$(VMM_SRC) $(JAILER_SRC))

# ---- seccomp policies -------------------------------------------------------
# The programs carry the filters of their own architecture, the tests those of
# all; the text of the rules is for kiln alone (explain).

SECCOMP := $(BUILD)/kiln-seccomp
FILTERS_H := $(BUILD)/gen/seccomp_filters.h
KILN_OBJ += $(addprefix $(BUILD)/obj/kiln/gen/, seccomp_filters.o \
	seccomp_rules.o)
TEST_OBJ += $(COMPILER_SRC:%.c=$(BUILD)/obj/test/%.o) \
	$(addprefix $(BUILD)/obj/test/, gen/seccomp_filters_all.o \
	gen/seccomp_rules.o tests/unit/bpf_simulator.o \
	tests/unit/seccomp_rows.o tests/unit/virtio_driver.o \
	tests/unit/jansson_verdict.o tests/unit/net_card.o)
COMPILER_OBJ := $(patsubst %.c,$(BUILD)/obj/kiln/%.o,$(COMPILER_SRC) \
	profiles/compiler/main.c jailer/nearest.c)

$(SECCOMP): $(COMPILER_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) -pie $(LINK_HARDEN) -o $@ $^ -lseccomp

$(FILTERS_H): SECCOMP_FLAGS = --format header
$(BUILD)/gen/seccomp_filters.c: SECCOMP_FLAGS = --format c --arch $(ARCH)
$(BUILD)/gen/seccomp_filters_all.c: SECCOMP_FLAGS = --format c
$(BUILD)/gen/seccomp_rules.c: SECCOMP_FLAGS = --format rules --arch $(ARCH)

$(FILTERS_H) $(BUILD)/gen/seccomp_filters.c \
$(BUILD)/gen/seccomp_filters_all.c $(BUILD)/gen/seccomp_rules.c: \
		$(POLICIES) $(SECCOMP)
	$(call say,POLICY,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(SECCOMP) compile $(SECCOMP_FLAGS) -o $@ $(POLICIES)

$(filter-out $(COMPILER_OBJ),$(VMM_OBJ) $(KILN_OBJ) $(TEST_OBJ)): | $(FILTERS_H)
$(UNIT_TESTS:%.c=$(BUILD)/obj/test/%.o): | $(FILTERS_H)

$(BUILD)/obj/vmm/gen/%.o: $(BUILD)/gen/%.c $(FILTERS_H) | $(KERNEL_INC)/.made
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(VMM_CFLAGS) -c $< -o $@

$(BUILD)/obj/kiln/gen/%.o: $(BUILD)/gen/%.c $(FILTERS_H)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(KILN_CFLAGS) -c $< -o $@

$(BUILD)/obj/test/gen/%.o: $(BUILD)/gen/%.c $(FILTERS_H)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(TEST_CFLAGS) -c $< -o $@

# -----------------------------------------------------------------------------

$(KERNEL_INC)/.made:
	$(Q)mkdir -p $(KERNEL_INC)
	$(Q)ln -sfn /usr/include/linux $(KERNEL_INC)/linux
	$(Q)ln -sfn /usr/include/asm-generic $(KERNEL_INC)/asm-generic
	$(Q)ln -sfn /usr/include/$(ARCH)-linux-gnu/asm $(KERNEL_INC)/asm
	$(Q)touch $@

$(BUILD)/obj/vmm/%.o: %.c Makefile | $(KERNEL_INC)/.made
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(VMM_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/kiln-vmm: $(VMM_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(VMM_LDFLAGS) -o $@ $(VMM_START) $(VMM_OBJ) $(VMM_END)

$(BUILD)/obj/kiln/%.o: %.c Makefile
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(KILN_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/kiln: $(KILN_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(KILN_LDFLAGS) -o $@ $(KILN_OBJ) $(KILN_LIBS)

# ---- unit tests, under AddressSanitizer and UBSan ---------------------------

$(BUILD)/obj/test/%.o: %.c Makefile
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(TEST_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/test/libkiln.a: $(TEST_OBJ)
	$(Q)mkdir -p $(@D)
	$(Q)rm -f $@ && ar rcsD $@ $^

$(BUILD)/test/%_test: $(BUILD)/obj/test/tests/unit/%_test.o \
		$(BUILD)/test/libkiln.a
	$(call say,LD,$@)
	$(Q)$(CC) $(TEST_CFLAGS) -o $@ $(filter %.o,$^) \
		$(BUILD)/test/libkiln.a $(TEST_LIBS)

UNIT_BIN := $(patsubst tests/unit/%.c,$(BUILD)/test/%,$(UNIT_TESTS))

.PHONY: check-unit
check-unit: $(UNIT_BIN)
	$(Q)KILN_BUILD=$(BUILD) tests/run-unit $(UNIT_BIN)

# The rows of tests/policies on the running kernel; no privilege needed.
$(BUILD)/test/seccomp_live_test: \
		$(BUILD)/obj/test/tests/integration/seccomp_live_test.o \
		$(BUILD)/test/libkiln.a
	$(call say,LD,$@)
	$(Q)$(CC) $(TEST_CFLAGS) -o $@ $(filter %.o,$^) \
		$(BUILD)/test/libkiln.a $(TEST_LIBS)
$(BUILD)/obj/test/tests/integration/seccomp_live_test.o: | $(FILTERS_H)

.PHONY: check-seccomp-live
check-seccomp-live: $(BUILD)/test/seccomp_live_test
	$(Q)KILN_BUILD=$(BUILD) tests/run-unit --name seccomp-live $<

# The jail: kiln with a VMM that says what it sees, and a kiln that can be told
# at which step to fail.
$(BUILD)/integration/fake_vmm: $(BUILD)/obj/vmm/tests/integration/fake_vmm.o \
		$(patsubst %.c,$(BUILD)/obj/vmm/%.o,$(BASE_SRC) $(LAUNCH_SRC))
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(VMM_LDFLAGS) -o $@ $(VMM_START) $^ $(VMM_END)

$(BUILD)/obj/kiln-fail/jail.o: jailer/jail.c Makefile | $(FILTERS_H)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(KILN_CFLAGS) -DKILN_FAIL_STEP -MMD -MP -c $< -o $@

$(BUILD)/integration/kiln-fail: $(BUILD)/obj/kiln-fail/jail.o \
		$(filter-out %/jailer/jail.o,$(KILN_OBJ))
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(KILN_LDFLAGS) -o $@ $^ $(KILN_LIBS)

.PHONY: check-integration
check-integration: $(PROGRAMS) bare $(BUILD)/integration/fake_vmm \
		$(BUILD)/integration/kiln-fail
	$(Q)KILN_BUILD=$(abspath $(BUILD)) $(PYTHON) -m pytest -q -rs \
		-p no:cacheprovider \
		--junitxml=$(BUILD)/test/integration.xml tests/integration

# ---- fuzzing (clang's libFuzzer) --------------------------------------------

$(BUILD)/obj/fuzz/%.o: %.c Makefile
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)clang $(STD) $(INC) -I. $(LIBNL_INC) -O1 -g -fsanitize=fuzzer-no-link,address,undefined \
		-fno-sanitize-recover=undefined -MMD -MP -c $< -o $@

FUZZ_OBJ := $(patsubst %.c,$(BUILD)/obj/fuzz/%.o,$(VMM_SRC) $(JAILER_SRC) \
	$(COMPILER_SRC) tests/unit/virtio_driver.c)
$(FUZZ_OBJ): | $(FILTERS_H)
$(BUILD)/fuzz/libkiln.a: $(FUZZ_OBJ)
	$(Q)mkdir -p $(@D)
	$(Q)rm -f $@ && ar rcsD $@ $^
$(BUILD)/fuzz/%_fuzz: $(BUILD)/obj/fuzz/tests/fuzz/%_fuzz.o $(BUILD)/fuzz/libkiln.a
	$(call say,LD,$@)
	$(Q)clang -fsanitize=fuzzer,address,undefined -o $@ $^ $(KILN_LIBS)

FUZZ_BIN := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(FUZZ_TARGETS))

.PHONY: fuzz-replay
fuzz-replay: $(FUZZ_BIN)
	$(Q)KILN_BUILD=$(BUILD) tests/fuzz/replay $(FUZZ_BIN)

# ---- bare guests: a few KiB each, booted in the place of a kernel -----------
# No SSE and no builtin loops: a KVM that emulates kernel mode knows neither
# vector instructions nor hurry.

BARE := $(BUILD)/guest/bare
BARE_DIR := tests/guest/bare
BARE_GUESTS := hello hello64 pvh-info poweroff reboot triple-fault stop-clock \
	internal-error serial-echo serial-registers i8042 smp memory \
	ioapic-irq ioapic-storm pic-irq transport rng block block-hostile net
BARE_ELF := $(BARE_GUESTS:%=$(BARE)/%.elf)
BARE_CFLAGS := -std=c17 -ffreestanding -nostdlib -m64 -Os -fno-pic \
	-mcmodel=small -mno-red-zone -mgeneral-regs-only \
	-fno-stack-protector -fcf-protection=none -ffunction-sections \
	-fno-asynchronous-unwind-tables -fno-strict-aliasing \
	-fno-tree-loop-distribute-patterns $(filter-out \
	-Wconditional-uninitialized,$(WARN)) -I$(BARE_DIR)
BARE_LDFLAGS := -n -nostdlib --gc-sections --no-warn-rwx-segments \
	--build-id=none -s -T $(BARE_DIR)/bare.ld
BARE_COMMON := $(addprefix $(BARE)/obj/, cpu.S.o start.o console.o cpu.o \
	virtio.o disk.o)

$(BARE)/obj/%.S.o: $(BARE_DIR)/%.S Makefile
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)gcc $(BARE_CFLAGS) -c $< -o $@

$(BARE)/obj/%.o: $(BARE_DIR)/%.c Makefile
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)gcc $(BARE_CFLAGS) -MMD -MP -c $< -o $@

$(BARE)/hello64.elf: BARE_ENTRY = linux64
$(BARE_ELF): BARE_ENTRY ?= pvh
$(BARE)/%.elf: $(BARE)/obj/%.o $(BARE_COMMON) $(BARE)/obj/entry_pvh.S.o \
		$(BARE)/obj/entry_linux64.S.o $(BARE_DIR)/bare.ld
	$(call say,LD,$@)
	$(Q)ld $(BARE_LDFLAGS) -o $@ $(BARE)/obj/entry_$(BARE_ENTRY).S.o \
		$(BARE_COMMON) $<

-include $(wildcard $(BARE)/obj/*.d)

.PHONY: bare check-guest
bare: $(BARE_ELF)

check-guest: $(BUILD)/kiln-vmm $(BARE_ELF)
	$(Q)mkdir -p $(BUILD)/test
	$(Q)KILN_BUILD=$(BUILD) $(PYTHON) -B -m pytest -q -p no:cacheprovider \
		--junitxml=$(BUILD)/test/guest.xml tests/guest

# ---- what the benchmarks start -----------------------------------------------

BENCH := $(BUILD)/bench
BENCH_PROGRAMS := $(addprefix $(BENCH)/, spawn floor probe init idle.elf \
	first.elf empty-glibc empty-musl) $(BARE)/block.elf

$(BENCH)/%: tests/bench/%.c Makefile
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)gcc $(STD) $(WARN) -O2 -static -o $@ $<

$(BENCH)/init: tests/bench/init.c Makefile
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)gcc $(STD) $(WARN) -Os -ffreestanding -nostdlib -static \
		-fno-stack-protector -s -o $@ $<

# What a C library costs before main() does anything.
$(BENCH)/empty-glibc: EMPTY_CC = gcc
$(BENCH)/empty-musl: EMPTY_CC = musl-gcc
$(BENCH)/empty-glibc $(BENCH)/empty-musl: Makefile
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)echo 'int main(void) { return 0; }' | \
		$(EMPTY_CC) -O2 -static -x c -o $@ -

# All of kiln-vmm but its main().
$(BENCH)/probe: $(BUILD)/obj/vmm/tests/bench/probe.o \
		$(filter-out %/vmm/main.o,$(VMM_OBJ))
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(VMM_LDFLAGS) -Wl,--no-gc-sections -o $@ $(VMM_START) $^ \
		$(VMM_END)

$(BENCH)/%.elf: tests/bench/%.S tests/bench/note.inc $(BARE_DIR)/bare.ld
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)gcc -m64 -c -o $@.o $<
	$(Q)ld $(BARE_LDFLAGS) -o $@ $@.o

# ---- Linux guests, and the lab that they run in where this KVM cannot --------

.PHONY: check-lab check-e2e
check-lab: $(PROGRAMS)
	$(Q)mkdir -p $(BUILD)/test
	$(Q)KILN_BUILD=$(abspath $(BUILD)) $(PYTHON) -B -m pytest -q -rs \
		-p no:cacheprovider --junitxml=$(BUILD)/test/lab.xml tests/lab

check-e2e: $(PROGRAMS) bare
	$(Q)tests/lab/images
	$(Q)KILN_BUILD=$(abspath $(BUILD)) tests/e2e/run

# ---- what a reviewer should not have to say ----------------------------------

.PHONY: lint
lint: $(FILTERS_H)
	$(Q)KILN_BUILD=$(BUILD) tests/lint/run

# ---- the two commands, and what they are made of ----------------------------

.PHONY: setup demo guests help check bench soak install
setup:
	$(Q)tests/setup/install check

guests:
	$(Q)tests/lab/images

demo:
	$(Q)tests/setup/install demo
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/lab/images debian
	$(Q)tests/demo

check:
	$(Q)tests/setup/install check
	$(Q)tests/check

bench: all $(BENCH_PROGRAMS)
	$(Q)tests/lab/images small
	$(Q)KILN_BUILD=$(abspath $(BUILD)) tests/bench/run

# 1,000 starts and stops, bare and in the jail; each fuzz target for a while.
SOAK_CYCLES ?= 1000
SOAK_FUZZ_S ?= 60
soak: all bare $(FUZZ_BIN)
	$(Q)KILN_BUILD=$(abspath $(BUILD)) KILN_CYCLES=$(SOAK_CYCLES) \
		$(PYTHON) -B -m pytest -q -s -p no:cacheprovider \
		tests/guest/test_cycles.py
	$(Q)KILN_BUILD=$(abspath $(BUILD)) KILN_CYCLES=$(SOAK_CYCLES) \
		$(PYTHON) -B -m pytest -q -s -p no:cacheprovider \
		tests/integration/test_cycles.py
	$(Q)tests/fuzz/soak $(SOAK_FUZZ_S) $(FUZZ_BIN)

help:
	@sed -n 's/^#: //p' Makefile
#: make all        kiln and kiln-vmm
#: make demo       install what is missing, build, boot a Linux microVM
#: make check      install what the tests need and run them all
#: make check-unit check-integration check-guest check-lab check-e2e
#:      check-seccomp-live fuzz-replay lint
#:                 one layer of the tests
#: make bench      what it costs, as tables
#: make soak       long runs: start/stop cycles, fuzzing
#: make guests     kernels and disks for the tests, into build/guest/
#: make setup      install what demo and check need
#: make install    PREFIX=/usr/local DESTDIR=
#: make clean

BINDIR := $(DESTDIR)$(PREFIX)/bin
LIBEXECDIR := $(DESTDIR)$(PREFIX)/libexec/kiln
MANDIR := $(DESTDIR)$(PREFIX)/share/man
DATADIR := $(DESTDIR)$(PREFIX)/share/kiln
install: all
	$(Q)install -D -m 0755 $(BUILD)/kiln $(BINDIR)/kiln
	$(Q)install -D -m 0755 $(BUILD)/kiln-vmm $(LIBEXECDIR)/kiln-vmm
	$(Q)install -D -m 0644 -t $(MANDIR)/man1 $(wildcard man/*.1)
	$(Q)install -D -m 0644 -t $(MANDIR)/man5 $(wildcard man/*.5)
	$(Q)install -D -m 0644 -t $(DATADIR)/examples \
		$(wildcard profiles/examples/*.ini)

.PHONY: clean
clean:
	$(Q)rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
