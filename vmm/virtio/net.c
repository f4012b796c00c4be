/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life and configuration; net_rx.c and net_tx.c move the frames.
 *
 * Features come in pairs: HOST_x, what the driver may leave undone in frames
 * that it sends, is checked in each header; GUEST_x, what it takes undone, is
 * mirrored into the link's offloads while the device is active.
 */
#include "virtio/net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/array.h"
#include "base/le.h"
#include "core/state.h"
#include "virtio/net_private.h"

_Static_assert(LINK_HEADER_BYTES == NET_HEADER_BYTES, "one header");

/* §5.1.4: mac[6] status max_virtqueue_pairs mtu. The middle two belong to
 * features that are not offered, and are zero. */
#define CONFIG_BYTES  12u
#define CONFIG_MTU_AT 10u

static const struct feature {
	uint64_t bit;
	uint64_t needs; /* §5.1.3.1: means nothing without this one */
	unsigned offload;
} features[] = {
	{NET_F_CSUM, 0, 0},
	{NET_F_GUEST_CSUM, 0, LINK_OFFLOAD_CHECKSUM},
	{NET_F_GUEST_TSO4, NET_F_GUEST_CSUM, LINK_OFFLOAD_TSO4},
	{NET_F_GUEST_TSO6, NET_F_GUEST_CSUM, LINK_OFFLOAD_TSO6},
	{NET_F_GUEST_UFO, NET_F_GUEST_CSUM, LINK_OFFLOAD_UFO},
	{NET_F_HOST_TSO4, NET_F_CSUM, 0},
	{NET_F_HOST_TSO6, NET_F_CSUM, 0},
	{NET_F_HOST_UFO, NET_F_CSUM, 0},
	{NET_F_MRG_RXBUF, 0, 0},
};

static uint64_t net_features(const void *device)
{
	const struct net *net = device;
	uint64_t offered = VIRTIO_QUEUE_FEATURES;

	for (size_t i = 0; i < ARRAY_LEN(features); i++)
		offered |= features[i].bit;
	return offered | (net->has_mac ? NET_F_MAC : 0) |
	       (net->mtu != 0 ? NET_F_MTU : 0);
}

static uint64_t usable_features(uint64_t negotiated)
{
	uint64_t usable = 0;

	for (size_t i = 0; i < ARRAY_LEN(features); i++) {
		if ((negotiated & features[i].needs) == features[i].needs)
			usable |= negotiated & features[i].bit;
	}
	return usable;
}

static unsigned offloads_of(uint64_t usable)
{
	unsigned offload = 0;

	for (size_t i = 0; i < ARRAY_LEN(features); i++) {
		if (usable & features[i].bit)
			offload |= features[i].offload;
	}
	return offload;
}

static void net_config_read(const void *device, size_t offset, void *data,
			    size_t len)
{
	const struct net *net = device;
	uint8_t config[CONFIG_BYTES] = {0};

	memcpy(config, net->mac, sizeof(net->mac));
	le16_store(config + CONFIG_MTU_AT, net->mtu);
	memcpy(data, config + offset, len);
}

/* The link's source */

void net_watch_link(struct net *net, uint32_t events)
{
	if (net->link_is_gone || net->watched == events)
		return;
	if (event_loop_change(net->loop, &net->source, events) == 0)
		net->watched = events;
}

void net_lose_link(struct net *net)
{
	if (!net->link_is_gone)
		event_loop_remove(net->loop, &net->source);
	net->link_is_gone = true;
}

static void link_ready(void *owner, uint32_t events)
{
	struct net *net = owner;

	virtio_host_lock(net->host);
	/* An error or hang-up stays, and would call again for ever. */
	if (events & (EPOLLERR | EPOLLHUP))
		net_lose_link(net);
	else if (net->queues == NULL)
		net_watch_link(net, 0); /* reset, on a vCPU's thread */
	else
		net_receive(net);
	virtio_host_unlock(net->host);
}

static void net_queue_ready(void *device, unsigned index)
{
	struct net *net = device;

	if (index == NET_RX)
		net_receive(net);
	else
		net_transmit(net);
}

/* Life */

static void net_attach(void *device, const struct virtio_host *host)
{
	struct net *net = device;

	net->host = host;
}

static int net_activate(void *device, struct virtio_queue *queues,
			uint64_t negotiated)
{
	struct net *net = device;
	int r;

	net->features = usable_features(negotiated);
	r = net->link.ops->set_offload(net->link.self,
				       offloads_of(net->features));
	/* A link that is gone is a cable pulled out, not a broken card. */
	if (r < 0 && r != -ENODEV)
		return r;
	net->queues = queues;
	return 0;
}

static void net_reset(void *device)
{
	struct net *net = device;

	net->queues = NULL;
	net->features = 0;
	net->window.buffer_count = 0;
	net->window.slice_count = 0;
	net->window.room_bytes = 0;
	/* Can only fail when the link is gone, and with it what it offloads. */
	(void)net->link.ops->set_offload(net->link.self, 0);
}

static void net_destroy(void *device)
{
	struct net *net = device;

	if (net == NULL)
		return;
	if (!net->link_is_gone)
		event_loop_remove(net->loop, &net->source);
	net->link.ops->destroy(net->link.self);
	free(net);
}

/*
 * Popped buffers that wait in the window are not in the picture: a restored
 * device puts them back and pops them again.
 */
static int net_save(void *device, struct state *state)
{
	struct net *net = device;
	uint16_t waiting = (uint16_t)net->window.buffer_count;

	state_bytes(state, net->mac, sizeof(net->mac));
	state_u16(state, &net->mtu);
	state_u16(state, &waiting);
	return state_status(state);
}

static int net_restore(void *device, struct state *state)
{
	struct net *net = device;
	uint8_t mac[sizeof(net->mac)] = {0};
	uint16_t mtu = 0;
	uint16_t waiting = 0;

	state_bytes(state, mac, sizeof(mac));
	state_u16(state, &mtu);
	state_u16(state, &waiting);
	if (waiting > (net->queues != NULL ? VIRTIO_QUEUE_SIZE_MAX : 0))
		state_refuse(state);
	if (state_status(state) < 0)
		return state_status(state);
	memcpy(net->mac, mac, sizeof(mac));
	net->mtu = mtu;
	if (waiting > 0)
		virtio_queue_unpop(&net->queues[NET_RX], waiting);
	return 0;
}

static bool mac_is_set(const uint8_t *mac)
{
	static const uint8_t none[6];

	return memcmp(mac, none, sizeof(none)) != 0;
}

int net_create(const struct net_setup *setup, struct net **ret_net,
	       struct err *err)
{
	struct net *net;
	int r;

	if (setup->mtu != 0 && setup->mtu < NET_MTU_MIN)
		return err_say(err, EINVAL, "an MTU of %u is below %u",
			       (unsigned)setup->mtu, (unsigned)NET_MTU_MIN);
	net = calloc(1, sizeof(*net));
	if (net == NULL)
		return err_set(err, ENOMEM, "network device");
	net->link = setup->link;
	net->loop = setup->loop;
	net->mtu = setup->mtu;
	net->has_mac = mac_is_set(setup->mac);
	memcpy(net->mac, setup->mac, sizeof(net->mac));
	net->source = (struct event_source){
		.fd = net->link.fd, .ready = link_ready, .owner = net};
	r = event_loop_add(net->loop, &net->source, net->watched);
	if (r < 0) {
		free(net);
		return err_set(err, -r, "watch the network link");
	}
	*ret_net = net;
	return 0;
}

void net_read_counters(struct net *net, struct net_counters *ret_counters)
{
	virtio_host_lock(net->host);
	*ret_counters = net->counters;
	virtio_host_unlock(net->host);
}

const struct virtio_ops net_ops = {
	.device = {.kind = "net",
		   .destroy = net_destroy,
		   .reset = net_reset,
		   .save = net_save,
		   .restore = net_restore},
	.device_id = VIRTIO_ID_NET,
	.queue_count = NET_QUEUE_COUNT,
	.queue_size_max = VIRTIO_QUEUE_SIZE_MAX,
	.config_size_bytes = CONFIG_BYTES,
	.attach = net_attach,
	.features = net_features,
	.config_read = net_config_read,
	.activate = net_activate,
	.queue_ready = net_queue_ready,
};
