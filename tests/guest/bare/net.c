/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network device (virtio 1.2 §5.1) against a tap whose other end the test
 * holds. Frames of EtherType 0x88b5 (IEEE 802, local experiments) are ours;
 * what else the host sends is let pass. The guest sends first, then echoes
 * what comes, source and destination swapped, until a frame says "end".
 *
 * Command line: mergeable (receive buffers of 256 bytes, a frame in several).
 */
#include "cpu.h"
#include "virtio.h"

#define F_MAC       (UINT64_C(1) << 5)
#define F_MRG_RXBUF (UINT64_C(1) << 15)

#define HEADER_BYTES 12 /* struct virtio_net_hdr_v1 */
#define NUM_BUFFERS  10 /* its last field */
#define ETHER_BYTES  14
#define FRAME_MAX    9100
#define BUFFERS      64
#define BUFFER_LARGE (FRAME_MAX + HEADER_BYTES)
#define BUFFER_SMALL 256

enum {
	RX,
	TX
};

static struct device net;
static struct queue_memory memories[2];
static struct queue queues[2];
static uint8_t buffers[BUFFERS][BUFFER_LARGE];
static uint32_t buffer_bytes;
static uint8_t frame[FRAME_MAX];
static uint8_t tx_header[HEADER_BYTES];
static uint8_t mac[6];

static void give_buffer(uint16_t i)
{
	const struct part part = {buffers[i], buffer_bytes, true};

	queue_chain(&queues[RX], i, &part, 1);
	queue_give(&queues[RX], i);
}

static void start(bool mergeable)
{
	(void)device_negotiate(&net, F_MAC | (mergeable ? F_MRG_RXBUF : 0));
	queue_setup(&queues[RX], &net, RX, BUFFERS, &memories[RX]);
	queue_setup(&queues[TX], &net, TX, 16, &memories[TX]);
	buffer_bytes = mergeable ? BUFFER_SMALL : BUFFER_LARGE;
	device_run(&net);
	for (uint16_t i = 0; i < BUFFERS; i++)
		give_buffer(i);
	queue_kick(&queues[RX]);
}

/* split: the header and the first bytes in descriptors of their own. */
static bool transmit(const uint8_t *data, uint32_t len, bool split)
{
	const struct part joined[] = {{tx_header, HEADER_BYTES, false},
				      {data, len, false}};
	const struct part apart[] = {{tx_header, 5, false},
				     {tx_header + 5, HEADER_BYTES - 5, false},
				     {data, 6, false},
				     {data + 6, 1, false},
				     {data + 7, len - 7, false}};

	if (split)
		queue_chain(&queues[TX], 0, apart, ARRAY_LEN(apart));
	else
		queue_chain(&queues[TX], 0, joined, ARRAY_LEN(joined));
	queue_give(&queues[TX], 0);
	queue_kick(&queues[TX]);
	return queue_wait(&queues[TX], 1);
}

/* The parts of one frame, put together; its buffers go back to the device.
 * Return: bytes of the frame without the header; 0: none came. */
static uint32_t collect(unsigned *ret_buffers)
{
	struct queue *queue = &queues[RX];
	uint32_t total = 0;
	unsigned count = 1;

	for (unsigned n = 0; n < count; n++) {
		uint32_t skip = n == 0 ? HEADER_BYTES : 0;
		uint32_t len;
		uint16_t id;

		if (!queue_wait(queue, 1))
			return 0;
		id = (uint16_t)queue_used_id(queue, 1);
		len = queue_used_len(queue, 1) - skip;
		if (n == 0)
			count = read16((uint64_t)buffers[id] + NUM_BUFFERS);
		if (total + len > FRAME_MAX || len > BUFFER_LARGE)
			return 0;
		memcpy(frame + total, buffers[id] + skip, len);
		total += len;
		give_buffer(id);
	}
	queue_kick(queue);
	*ret_buffers = count;
	return total;
}

static bool is_ours(uint32_t len)
{
	return len > ETHER_BYTES && frame[12] == 0x88 && frame[13] == 0xb5;
}

static void swap_addresses(void)
{
	uint8_t other[6];

	memcpy(other, frame, 6);
	memcpy(frame, frame + 6, 6);
	memcpy(frame + 6, other, 6);
}

static void echo(void)
{
	bool holds = true;
	uint64_t most = 0;

	for (;;) {
		unsigned count = 0;
		uint32_t len = collect(&count);

		if (len == 0) {
			fail("receive", "nothing comes");
			return;
		}
		if (!is_ours(len))
			continue;
		if (memcmp(frame + ETHER_BYTES, "end", 3) == 0)
			break;
		if (count > most)
			most = count;
		swap_addresses();
		holds = transmit(frame, len, len % 2 == 0) && holds;
	}
	check("echo", holds);
	say("say buffers %u", most);
}

static void check_config(void)
{
	uint64_t features = device_features(&net);

	check("offers-mac", features & F_MAC);
	check("offers-mergeable", features & F_MRG_RXBUF);
	for (unsigned i = 0; i < sizeof(mac); i++)
		mac[i] = read8(net.base + REG_CONFIG + i);
	say("say mac %x %x", (uint64_t)mac[0], (uint64_t)mac[5]);
}

static void check_transmit(void)
{
	static const char hello[] = "hello from the guest";

	memset(frame, 0xff, 6);
	memcpy(frame + 6, mac, 6);
	frame[12] = 0x88;
	frame[13] = 0xb5;
	memset(frame + ETHER_BYTES, 0, 80);
	memcpy(frame + ETHER_BYTES, hello, sizeof(hello));
	check("transmit", transmit(frame, 60, false));
	check("transmit-split", transmit(frame, 60, true));
	/* Less than an Ethernet header, nothing, less than a header. */
	check("transmit-runt", transmit(frame, 8, false));
	check("transmit-empty", transmit(frame, 0, false));
	check("transmit-again", transmit(frame, 61, false));
}

void bare_main(void)
{
	interrupts_init();
	net = device_find(ID_NET, 0);
	check_config();
	start(cmdline_has("mergeable"));
	check_transmit();
	say("say ready");
	echo();
	check_eq("running", reg(&net, REG_STATUS), STATUS_RUNNING);
	device_reset(&net);
	start(false);
	check("after-reset", transmit(frame, 60, false));
}
