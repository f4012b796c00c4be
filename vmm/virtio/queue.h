/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue - one split virtqueue (virtio 1.2 §2.7), device side, and the only
 * walker of descriptor chains in the VMM.
 *
 *	driver                                  device (here)
 *	 writes descriptors
 *	 avail.ring[avail.idx++] = head  --->   virtio_queue_pop(): descriptors
 *	                                        copied once, checked, resolved
 *	                                        to host slices in virtio_chain
 *	                                        ... the device moves bytes ...
 *	                                        virtio_queue_push(): used.ring
 *	 sees used.idx                   <---   virtio_queue_publish(): used.idx,
 *	                                        "does it want an interrupt?"
 *
 * A device works through a queue like this, so that no kick and no buffer is
 * lost while notifications are suppressed:
 *
 *	do {
 *		virtio_queue_quiet(q);
 *		while ((r = virtio_queue_pop(q, &chain)) > 0) {
 *			...
 *			virtio_queue_push(q, chain.head, written);
 *		}
 *		if (virtio_queue_publish(q))
 *			virtio_host_interrupt(host);
 *	} while (r == 0 && virtio_queue_listen(q));
 *	if (r < 0)
 *		virtio_host_fault(host);
 *
 * (with a budget; see block.c). Thread: all under the device's lock, which
 * virtio_host_lock() takes (device.h).
 */
#ifndef KILN_VIRTIO_QUEUE_H
#define KILN_VIRTIO_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "core/memory.h"

struct state;

#define VIRTIO_QUEUE_SIZE_MAX 256 /* descriptors of a queue; of a chain, too */

/* Feature bits that the queue code implements (virtio 1.2 §6); a device that
 * offers them does no more than that. */
#define VIRTIO_F_INDIRECT_DESC (UINT64_C(1) << 28)
#define VIRTIO_F_EVENT_IDX     (UINT64_C(1) << 29)
#define VIRTIO_QUEUE_FEATURES  (VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX)

/*
 * A request: what the driver wrote for the device comes first in iov[], what
 * the device may write to follows. Slices point straight into guest RAM: the
 * guest can change the bytes at any time, so copy (virtio_chain_read) what
 * must be checked. Descriptors of length zero have left no slice. Copying the
 * struct is fine; slices are good until the machine is destroyed.
 */
struct virtio_chain {
	uint16_t head; /* for virtio_queue_push() */
	uint16_t readable_count;
	uint16_t writable_count;
	size_t readable_bytes; /* readable + writable <= 2^32, §2.7.5.2 */
	size_t writable_bytes;
	struct iovec iov[VIRTIO_QUEUE_SIZE_MAX];
};

static inline const struct iovec *
virtio_chain_readable(const struct virtio_chain *chain)
{
	return chain->iov;
}

static inline const struct iovec *
virtio_chain_writable(const struct virtio_chain *chain)
{
	return chain->iov + chain->readable_count;
}

/*
 * virtio_chain_read - copy [offset, offset + len) of the readable bytes out.
 * virtio_chain_write - copy data into [offset, offset + len) of the writable
 * bytes. Return: 0; -ERANGE when the chain is shorter (nothing is copied).
 */
int virtio_chain_read(const struct virtio_chain *chain, size_t offset,
		      void *data, size_t len);
int virtio_chain_write(const struct virtio_chain *chain, size_t offset,
		       const void *data, size_t len);

/*
 * virtio_iov_view - the part [offset, offset + len) of iov[0..count) as slices
 * in out (room for count entries; may be iov itself).
 * Return: entries of out in use; less than len bytes only if iov ends.
 */
unsigned virtio_iov_view(const struct iovec *iov, unsigned count, size_t offset,
			 size_t len, struct iovec *out);

/*
 * A queue. Devices hold pointers and use the functions below; only the
 * transport and the tests set fields (the first group, while !ready).
 */
struct virtio_queue {
	gpa_t desc_gpa;
	gpa_t avail_gpa;
	gpa_t used_gpa;
	uint16_t size;     /* power of two <= size_max; 0: refused value */
	uint16_t size_max; /* power of two <= VIRTIO_QUEUE_SIZE_MAX */

	/* virtio_queue_start() sets the rest. */
	bool ready;
	bool stopped;        /* faulted: pop gives nothing, push does nothing */
	bool event_idx;      /* VIRTIO_F_EVENT_IDX negotiated */
	bool indirect;       /* VIRTIO_F_INDIRECT_DESC negotiated */
	uint16_t avail_next; /* next entry to take; free-running */
	uint16_t avail_seen; /* avail.idx when last read */
	uint16_t used_next;  /* next entry to fill; free-running */
	uint16_t used_published;
	const struct guest_memory *memory; /* borrowed */
	const uint8_t *desc;               /* size * 16 bytes of guest RAM */
	uint16_t *avail;                   /* flags idx ring[size] used_event */
	uint16_t *used; /* flags idx ring[size] avail_event */
};

/* Transport side ---------------------------------------------------------- */

/* virtio_queue_init - empty, not ready; also what a reset does. */
void virtio_queue_init(struct virtio_queue *queue, uint16_t size_max);

/*
 * virtio_queue_start - check size, alignment (§2.7) and that each ring is in
 * one piece of RAM, then make the queue ready. features: as negotiated.
 * Return: 0; -EINVAL size or alignment; -EFAULT a ring is not in RAM.
 */
int virtio_queue_start(struct virtio_queue *queue,
		       const struct guest_memory *memory, uint64_t features);

/* virtio_queue_stop - no chain out, none back in, until the next reset. */
void virtio_queue_stop(struct virtio_queue *queue);

/*
 * virtio_queue_save - both directions (core/state.h). Restoring a ready queue
 * starts it: rings and indices are checked as if the guest had written them.
 */
int virtio_queue_save(struct virtio_queue *queue, struct state *state,
		      const struct guest_memory *memory, uint64_t features);

/* Device side; a queue that is not ready is simply empty ------------------- */

/*
 * virtio_queue_pop - take the next chain.
 * Return: 1, *ret_chain filled; 0 none waiting; -EBADMSG the driver broke the
 * rules (index jump, loop, address outside RAM, order, ...): call
 * virtio_host_fault(), which stops all queues of the device.
 */
int virtio_queue_pop(struct virtio_queue *queue,
		     struct virtio_chain *ret_chain);

/*
 * virtio_queue_unpop - put the last `count` popped chains back, none of which
 * has been pushed (a frame that needs more buffers than there are).
 */
void virtio_queue_unpop(struct virtio_queue *queue, uint16_t count);

/*
 * virtio_queue_push - hand a chain back: written bytes at its start have been
 * filled (§2.7.8). The driver sees it after virtio_queue_publish(), which
 * makes all pushes since the last one visible at once.
 */
void virtio_queue_push(struct virtio_queue *queue, uint16_t head,
		       uint32_t written);

/*
 * virtio_queue_publish - Return: true when the driver wants an interrupt for
 * what is new (§2.7.7, §2.7.10); false when nothing is.
 */
bool virtio_queue_publish(struct virtio_queue *queue);

/* virtio_queue_quiet - ask for no kicks while the queue is being worked on. */
void virtio_queue_quiet(struct virtio_queue *queue);

/*
 * virtio_queue_listen - ask for a kick at the next chain. Return: true when
 * one is waiting already, for which no kick need come: pop again.
 */
bool virtio_queue_listen(struct virtio_queue *queue);

#endif
