/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything in the rings belongs to the guest and may change between two
 * loads. Rules that keep this file right:
 *
 *  - ring memory is resolved once, at start, for its full length; the only
 *    indices into it are masked with size - 1 or compared with size before;
 *  - a descriptor is copied, then checked, then used, never read again;
 *  - idx fields are read with acquire and written with release; the pair
 *    "write mine, read yours" that decides about notifications has a full
 *    fence in between, as the driver has on its side (§2.7.13.4.1).
 */
#include "virtio/queue.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/le.h"
#include "core/state.h"

/* §2.7.5 */
#define DESC_BYTES      16u
#define DESC_F_NEXT     1u
#define DESC_F_WRITE    2u
#define DESC_F_INDIRECT 4u

#define AVAIL_F_NO_INTERRUPT 1u /* §2.7.6 */
#define USED_F_NO_NOTIFY     1u /* §2.7.8 */

#define CHAIN_BYTES_MAX (UINT64_C(1) << 32) /* §2.7.5.2 */

/* The rings as arrays of 16-bit words; a used element is four of them. */
enum {
	RING_FLAGS = 0,
	RING_IDX = 1,
	RING_FIRST = 2,
	USED_ELEM_WORDS = 4,
};

struct desc {
	gpa_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

/* slices */

struct cursor {
	const struct iovec *iov;
	unsigned count;
	size_t skip;
};

/* The next piece of at most want bytes; 0 at the end. */
static size_t cursor_next(struct cursor *cursor, size_t want, uint8_t **ret)
{
	for (; cursor->count > 0; cursor->iov++, cursor->count--) {
		size_t len = cursor->iov->iov_len;

		if (cursor->skip >= len) {
			cursor->skip -= len;
			continue;
		}
		len -= cursor->skip;
		if (len > want)
			len = want;
		*ret = (uint8_t *)cursor->iov->iov_base + cursor->skip;
		cursor->skip += len;
		return len;
	}
	return 0;
}

int virtio_chain_read(const struct virtio_chain *chain, size_t offset,
		      void *data, size_t len)
{
	struct cursor cursor = {virtio_chain_readable(chain),
				chain->readable_count, offset};
	uint8_t *to = data;

	if (!range_ok(offset, len, chain->readable_bytes))
		return -ERANGE;
	while (len > 0) {
		uint8_t *from = NULL;
		size_t n = cursor_next(&cursor, len, &from);

		if (n == 0)
			return -ERANGE;
		memcpy(to, from, n);
		to += n;
		len -= n;
	}
	return 0;
}

int virtio_chain_write(const struct virtio_chain *chain, size_t offset,
		       const void *data, size_t len)
{
	struct cursor cursor = {virtio_chain_writable(chain),
				chain->writable_count, offset};
	const uint8_t *from = data;

	if (!range_ok(offset, len, chain->writable_bytes))
		return -ERANGE;
	while (len > 0) {
		uint8_t *to = NULL;
		size_t n = cursor_next(&cursor, len, &to);

		if (n == 0)
			return -ERANGE;
		memcpy(to, from, n);
		from += n;
		len -= n;
	}
	return 0;
}

unsigned virtio_iov_view(const struct iovec *iov, unsigned count, size_t offset,
			 size_t len, struct iovec *out)
{
	struct cursor cursor = {iov, count, offset};
	unsigned used = 0;

	/* In place works: an entry is read out before its slot is written. */
	while (len > 0) {
		uint8_t *from = NULL;
		size_t n = cursor_next(&cursor, len, &from);

		if (n == 0)
			break;
		cursor.iov++;
		cursor.count--;
		cursor.skip = 0;
		out[used++] = (struct iovec){.iov_base = from, .iov_len = n};
		len -= n;
	}
	return used;
}

/* life */

void virtio_queue_init(struct virtio_queue *queue, uint16_t size_max)
{
	*queue = (struct virtio_queue){.size_max = size_max};
}

static bool size_is_legal(const struct virtio_queue *queue, uint16_t size)
{
	return size > 0 && size <= queue->size_max && (size & (size - 1)) == 0;
}

int virtio_queue_start(struct virtio_queue *queue,
		       const struct guest_memory *memory, uint64_t features)
{
	size_t size = queue->size;
	void *desc;
	void *avail;
	void *used;

	if (!size_is_legal(queue, queue->size))
		return -EINVAL;
	if (queue->desc_gpa % 16 || queue->avail_gpa % 2 || queue->used_gpa % 4)
		return -EINVAL;
	/* The two bytes after the rings count even without EVENT_IDX: §2.7
	 * sizes the parts the same way for both. */
	if (guest_slice(memory, queue->desc_gpa, DESC_BYTES * size, &desc) <
		    0 ||
	    guest_slice(memory, queue->avail_gpa, 6 + 2 * size, &avail) < 0 ||
	    guest_slice(memory, queue->used_gpa, 6 + 8 * size, &used) < 0)
		return -EFAULT;
	queue->memory = memory;
	queue->desc = desc;
	queue->avail = avail;
	queue->used = used;
	queue->event_idx = (features & VIRTIO_F_EVENT_IDX) != 0;
	queue->indirect = (features & VIRTIO_F_INDIRECT_DESC) != 0;
	queue->avail_next = 0;
	queue->avail_seen = 0;
	queue->used_next = 0;
	queue->used_published = 0;
	queue->stopped = false;
	queue->ready = true;
	return 0;
}

void virtio_queue_stop(struct virtio_queue *queue)
{
	queue->stopped = true;
}

static void restore_started(struct virtio_queue *queue, struct state *state,
			    const struct guest_memory *memory,
			    uint64_t features, uint16_t avail_next,
			    uint16_t used_next)
{
	bool stopped = queue->stopped;

	if ((uint16_t)(avail_next - used_next) > queue->size ||
	    virtio_queue_start(queue, memory, features) < 0) {
		queue->ready = false;
		state_refuse(state);
		return;
	}
	queue->stopped = stopped;
	queue->avail_next = avail_next;
	queue->avail_seen = avail_next;
	queue->used_next = used_next;
	queue->used_published = used_next;
}

int virtio_queue_save(struct virtio_queue *queue, struct state *state,
		      const struct guest_memory *memory, uint64_t features)
{
	uint16_t avail_next = queue->avail_next;
	uint16_t used_next = queue->used_next;

	state_u64(state, &queue->desc_gpa);
	state_u64(state, &queue->avail_gpa);
	state_u64(state, &queue->used_gpa);
	state_u16(state, &queue->size);
	state_bool(state, &queue->ready);
	state_bool(state, &queue->stopped);
	state_u16(state, &avail_next);
	state_u16(state, &used_next);
	if (state->saving)
		return state_status(state);
	if (queue->size != 0 && !size_is_legal(queue, queue->size))
		state_refuse(state);
	if (state_status(state) < 0)
		queue->ready = false;
	else if (queue->ready)
		restore_started(queue, state, memory, features, avail_next,
				used_next);
	return state_status(state);
}

/* ring words */

static bool is_live(const struct virtio_queue *queue)
{
	return queue->ready && !queue->stopped;
}

/* Everything the driver wrote before this idx is visible after the load. */
static uint16_t avail_idx(const struct virtio_queue *queue)
{
	return __atomic_load_n(&queue->avail[RING_IDX], __ATOMIC_ACQUIRE);
}

static uint16_t avail_word(const struct virtio_queue *queue, size_t word)
{
	return __atomic_load_n(&queue->avail[word], __ATOMIC_RELAXED);
}

static void used_word_set(const struct virtio_queue *queue, size_t word,
			  uint16_t value)
{
	__atomic_store_n(&queue->used[word], value, __ATOMIC_RELAXED);
}

/* the walker */

struct table {
	const uint8_t *entries;
	unsigned count;
	bool indirect;
};

static struct desc desc_fetch(const struct table *table, uint16_t index)
{
	uint8_t copy[DESC_BYTES];

	memcpy(copy, table->entries + (size_t)index * DESC_BYTES, DESC_BYTES);
	/* Without this the compiler may load a field again after its check. */
	__asm__ volatile("" : : : "memory");
	return (struct desc){.addr = le64_load(copy),
			     .len = le32_load(copy + 8),
			     .flags = le16_load(copy + 12),
			     .next = le16_load(copy + 14)};
}

/* §2.7.5.3: only when negotiated, only the last of a chain, only one level;
 * the write flag on it says nothing. */
static int enter_indirect(const struct virtio_queue *queue,
			  const struct desc *desc, struct table *table)
{
	void *entries;

	if (!queue->indirect || table->indirect || desc->flags & DESC_F_NEXT)
		return -EBADMSG;
	if (desc->len % DESC_BYTES != 0 ||
	    desc->len / DESC_BYTES > VIRTIO_QUEUE_SIZE_MAX)
		return -EBADMSG;
	if (guest_slice(queue->memory, desc->addr, desc->len, &entries) < 0)
		return -EBADMSG;
	*table = (struct table){entries, desc->len / DESC_BYTES, true};
	return 0;
}

/*
 * Length zero: §2.7.5 forbids it nowhere and drivers of old make them, so it
 * is a buffer without bytes; its address means nothing and is not looked at.
 */
static int chain_add(const struct virtio_queue *queue,
		     struct virtio_chain *chain, const struct desc *desc)
{
	unsigned at = (unsigned)chain->readable_count + chain->writable_count;
	uint64_t total = (uint64_t)chain->readable_bytes +
			 chain->writable_bytes + desc->len;
	void *host;

	if (desc->len == 0)
		return 0;
	if (at >= ARRAY_LEN(chain->iov) || total > CHAIN_BYTES_MAX)
		return -EBADMSG;
	if (guest_slice(queue->memory, desc->addr, desc->len, &host) < 0)
		return -EBADMSG;
	chain->iov[at] = (struct iovec){.iov_base = host, .iov_len = desc->len};
	if (desc->flags & DESC_F_WRITE) {
		chain->writable_count++;
		chain->writable_bytes += desc->len;
	} else {
		chain->readable_count++;
		chain->readable_bytes += desc->len;
	}
	return 0;
}

/*
 * A table of n descriptors holds no chain longer than n, so n steps without
 * an end are a loop. A driver that lets indirect chains grow past the size of
 * a small queue (§2.7.5.3.1 forbids it, Linux does it) is served, up to
 * VIRTIO_QUEUE_SIZE_MAX.
 */
static int walk(const struct virtio_queue *queue, uint16_t index,
		struct virtio_chain *chain)
{
	struct table table = {queue->desc, queue->size, false};
	unsigned left = table.count;
	bool writable = false;

	while (left-- > 0) {
		struct desc desc;

		if (index >= table.count)
			return -EBADMSG;
		desc = desc_fetch(&table, index);
		if (desc.flags & DESC_F_INDIRECT) {
			if (enter_indirect(queue, &desc, &table) < 0)
				return -EBADMSG;
			left = table.count;
			index = 0;
			continue;
		}
		/* §2.7.4.2: what the device writes follows what it reads. */
		if (writable && !(desc.flags & DESC_F_WRITE))
			return -EBADMSG;
		writable = desc.flags & DESC_F_WRITE;
		if (chain_add(queue, chain, &desc) < 0)
			return -EBADMSG;
		if (!(desc.flags & DESC_F_NEXT))
			return 0;
		index = desc.next;
	}
	return -EBADMSG;
}

/* taking */

/*
 * At most `size` chains can be out at once, since each takes a descriptor; an
 * idx that says otherwise was decremented or jumped (§2.7.6.1). This is also
 * what bounds the requests in flight of a device that completes later.
 */
static int look_for_more(struct virtio_queue *queue)
{
	uint16_t idx = avail_idx(queue);

	if ((uint16_t)(idx - queue->avail_next) > queue->size ||
	    (uint16_t)(idx - queue->used_next) > queue->size)
		return -EBADMSG;
	queue->avail_seen = idx;
	return idx != queue->avail_next;
}

int virtio_queue_pop(struct virtio_queue *queue, struct virtio_chain *ret_chain)
{
	uint16_t head;

	if (!is_live(queue))
		return 0;
	if (queue->avail_seen == queue->avail_next) {
		int r = look_for_more(queue);

		if (r <= 0)
			return r;
	}
	head = avail_word(
		queue, RING_FIRST + (queue->avail_next & (queue->size - 1u)));
	ret_chain->head = head;
	ret_chain->readable_count = 0;
	ret_chain->writable_count = 0;
	ret_chain->readable_bytes = 0;
	ret_chain->writable_bytes = 0;
	if (walk(queue, head, ret_chain) < 0)
		return -EBADMSG;
	queue->avail_next++;
	return 1;
}

void virtio_queue_unpop(struct virtio_queue *queue, uint16_t count)
{
	uint16_t out = (uint16_t)(queue->avail_next - queue->used_next);

	if (is_live(queue) && count <= out)
		queue->avail_next = (uint16_t)(queue->avail_next - count);
}

/* giving back */

void virtio_queue_push(struct virtio_queue *queue, uint16_t head,
		       uint32_t written)
{
	size_t word = RING_FIRST;

	/* Nothing out: a completion from before a reset. */
	if (!is_live(queue) || queue->used_next == queue->avail_next)
		return;
	word += (queue->used_next & (queue->size - 1u)) * USED_ELEM_WORDS;
	used_word_set(queue, word, head);
	used_word_set(queue, word + 1, 0);
	used_word_set(queue, word + 2, (uint16_t)written);
	used_word_set(queue, word + 3, (uint16_t)(written >> 16));
	queue->used_next++;
}

bool virtio_queue_publish(struct virtio_queue *queue)
{
	uint16_t old = queue->used_published;
	uint16_t now = queue->used_next;
	uint16_t used_event;

	if (!is_live(queue) || old == now)
		return false;
	__atomic_store_n(&queue->used[RING_IDX], now, __ATOMIC_RELEASE);
	queue->used_published = now;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!queue->event_idx)
		return !(avail_word(queue, RING_FLAGS) & AVAIL_F_NO_INTERRUPT);
	/* Has an entry with the index used_event been written just now? */
	used_event = avail_word(queue, (size_t)RING_FIRST + queue->size);
	return (uint16_t)(now - used_event - 1) < (uint16_t)(now - old);
}

void virtio_queue_quiet(struct virtio_queue *queue)
{
	/* With EVENT_IDX the stale avail_event does it (§2.7.10). */
	if (is_live(queue) && !queue->event_idx)
		used_word_set(queue, RING_FLAGS, USED_F_NO_NOTIFY);
}

bool virtio_queue_listen(struct virtio_queue *queue)
{
	if (!is_live(queue))
		return false;
	if (queue->event_idx)
		used_word_set(queue,
			      RING_FIRST +
				      (size_t)queue->size * USED_ELEM_WORDS,
			      queue->avail_next);
	else
		used_word_set(queue, RING_FLAGS, 0);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return avail_idx(queue) != queue->avail_next;
}
