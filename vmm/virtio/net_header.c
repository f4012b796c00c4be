/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/net_header.h"

#include "base/array.h"
#include "base/le.h"

/* §5.1.6, struct virtio_net_hdr: offsets of its fields */
enum {
	AT_FLAGS = 0,
	AT_GSO_TYPE = 1,
	AT_HDR_LEN = 2,
	AT_GSO_SIZE = 4,
	AT_CSUM_START = 6,
	AT_CSUM_OFFSET = 8,
	AT_NUM_BUFFERS = 10,
};

enum {
	FLAG_NEEDS_CSUM = 1,
	FLAG_DATA_VALID = 2,
	GSO_NONE = 0,
};

#define CSUM_BYTES 2u

/* A kind of segmentation, and the feature that allows it each way. The ECN
 * bit is never offered, so a type that has it is in no row. */
static const struct gso_rule {
	uint8_t type;
	uint64_t to_device;
	uint64_t to_driver;
} gso_rules[] = {
	{1, NET_F_HOST_TSO4, NET_F_GUEST_TSO4},
	{3, NET_F_HOST_UFO, NET_F_GUEST_UFO},
	{4, NET_F_HOST_TSO6, NET_F_GUEST_TSO6},
};

static const struct gso_rule *gso_rule_of(uint8_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(gso_rules); i++) {
		if (gso_rules[i].type == type)
			return &gso_rules[i];
	}
	return NULL;
}

static bool check_checksum(uint8_t *header, size_t frame_bytes,
			   uint64_t features)
{
	size_t end = (size_t)le16_load(header + AT_CSUM_START) +
		     le16_load(header + AT_CSUM_OFFSET) + CSUM_BYTES;

	/* §5.1.6.2.2: flags that the device does not know are ignored */
	header[AT_FLAGS] &= FLAG_NEEDS_CSUM;
	if (header[AT_FLAGS])
		return (features & NET_F_CSUM) && end <= frame_bytes;
	le16_store(header + AT_CSUM_START, 0);
	le16_store(header + AT_CSUM_OFFSET, 0);
	return true;
}

static bool check_segmentation(uint8_t *header, size_t frame_bytes,
			       uint64_t features)
{
	const struct gso_rule *rule = gso_rule_of(header[AT_GSO_TYPE]);

	if (header[AT_GSO_TYPE] == GSO_NONE) {
		le16_store(header + AT_HDR_LEN, 0);
		le16_store(header + AT_GSO_SIZE, 0);
		return true;
	}
	return rule != NULL && (features & rule->to_device) &&
	       le16_load(header + AT_GSO_SIZE) > 0 &&
	       le16_load(header + AT_HDR_LEN) <= frame_bytes;
}

bool net_header_check_tx(uint8_t header[NET_HEADER_BYTES], size_t frame_bytes,
			 uint64_t features)
{
	le16_store(header + AT_NUM_BUFFERS, 0);
	return frame_bytes >= NET_ETHERNET_BYTES &&
	       check_checksum(header, frame_bytes, features) &&
	       check_segmentation(header, frame_bytes, features);
}

bool net_header_check_rx(uint8_t header[NET_HEADER_BYTES], uint64_t features,
			 uint16_t num_buffers)
{
	const struct gso_rule *rule = gso_rule_of(header[AT_GSO_TYPE]);

	le16_store(header + AT_NUM_BUFFERS, num_buffers);
	if (header[AT_GSO_TYPE] != GSO_NONE &&
	    (rule == NULL || !(features & rule->to_driver)))
		return false;
	if (features & NET_F_GUEST_CSUM)
		return true;
	/* §5.1.6.4.1: no flags at all then, "valid" included */
	header[AT_FLAGS] &= (uint8_t)~FLAG_DATA_VALID;
	return header[AT_FLAGS] == 0;
}
