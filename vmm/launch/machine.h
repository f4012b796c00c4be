/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine - the description of one microVM, as the VMM sees it: no path, no
 * host name, nothing that could be opened. What lies on the host side of a
 * device arrives as a descriptor with a role (handoff.h).
 *
 * The struct is written once, by a decoder, and const from then on.
 */
#ifndef KILN_LAUNCH_MACHINE_H
#define KILN_LAUNCH_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "launch/field.h"

#define MACHINE_ID_MAX      64 /* characters of a microVM's or device's name */
#define MACHINE_CMDLINE_MAX 2048 /* bytes, what the VMM appends included */
#define MACHINE_DRIVES_MAX  16
#define MACHINE_NETS_MAX    8
#define MACHINE_VIRTIO_MAX  17 /* GSIs 5 to 21, contract of the x86 board */

enum machine_irqchip {
	IRQCHIP_SPLIT, /* LAPIC in KVM, IOAPIC and PIC in the VMM */
	IRQCHIP_FULL,  /* LAPIC, IOAPIC and PIC in KVM */
};

enum machine_pages {
	PAGES_SMALL,       /* 4 KiB, on demand */
	PAGES_TRANSPARENT, /* madvise(MADV_HUGEPAGE) */
	PAGES_HUGE,        /* hugetlbfs, 2 MiB */
};

enum machine_cache {
	CACHE_UNSAFE,    /* no flush offered */
	CACHE_WRITEBACK, /* flush offered, a flush reaches the disk */
};

enum machine_seccomp {
	SECCOMP_ON,
	SECCOMP_LOG, /* allow, but log what would have been refused */
	SECCOMP_OFF,
};

struct machine_board {
	uint64_t vcpus;
	uint64_t memory_bytes;
	bool smt;
	uint32_t irqchip;    /* enum machine_irqchip */
	uint32_t huge_pages; /* enum machine_pages */
};

struct machine_kernel {
	char cmdline[MACHINE_CMDLINE_MAX]; /* before the VMM appends to it */
};

struct machine_drive {
	char id[MACHINE_ID_MAX + 1];
	bool root; /* at most one; becomes the first disk */
	bool read_only;
	uint32_t cache; /* enum machine_cache */
	char partuuid[64];
};

struct machine_net {
	char id[MACHINE_ID_MAX + 1];
	uint8_t mac[6];
	uint64_t mtu; /* 0: not told to the guest */
};

struct machine_entropy {
	bool enabled;
};

struct machine_serial {
	bool enabled;
};

struct machine_confine {
	uint32_t seccomp; /* enum machine_seccomp */
};

struct machine {
	char id[MACHINE_ID_MAX + 1];
	struct machine_board board;
	struct machine_kernel kernel;
	struct machine_drive drives[MACHINE_DRIVES_MAX];
	unsigned drive_count;
	struct machine_net nets[MACHINE_NETS_MAX];
	unsigned net_count;
	struct machine_entropy entropy;
	struct machine_serial serial;
	struct machine_confine confine;
};

/*
 * A kind of object in the description: [name] in INI, a member in JSON. In an
 * array row 0 is the element's id: in INI the second word of [drive rootfs].
 */
struct machine_section {
	const char *name;           /* "machine", "drive", ... */
	const struct field *fields; /* offsets count from the object */
	size_t field_count;
	size_t offset;       /* of the object, or of the array, in machine */
	size_t stride_bytes; /* of one element; 0: a single object */
	size_t count_offset; /* of the array's count in struct machine */
	unsigned max;        /* elements at the most */
	const char *help;
};

/* machine_section_at - the table of sections; NULL past the last. */
const struct machine_section *machine_section_at(unsigned index);

/* machine_default - every field at its default, no drives, no nets. */
void machine_default(struct machine *machine);

/* machine_decode - from the JSON object `token`, strictly. */
int machine_decode(struct machine *ret_machine, const struct json *json,
		   uint32_t token, struct err *err);

/* machine_encode - the members of the JSON object that machine_decode takes;
 * the caller has opened it. */
void machine_encode(const struct machine *machine, struct json_writer *writer);

/* A rule that needs more than one field, or more than a field's row says. */
struct machine_rule {
	const char *section; /* where it is broken, and by which key */
	const char *key;
	/* Return: 0; -EINVAL with the element in *ret_element (arrays) and
	 * what would be right in err, the object's name left out. */
	int (*check)(const struct machine *machine, unsigned *ret_element,
		     struct err *err);
};

/* machine_rule_at - the table of rules; NULL past the last. */
const struct machine_rule *machine_rule_at(unsigned index);

/* machine_check - every rule, up to the first that is broken. Names the
 * object in err. */
int machine_check(const struct machine *machine, struct err *err);

#endif
