/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_header - the header in front of every frame (virtio 1.2 §5.1.6, struct
 * virtio_net_hdr): what was negotiated decides what it may say. Both checks
 * work on a copy and also clear what means nothing, because the kernel behind
 * a tap looks at fields that the specification leaves undefined.
 */
#ifndef KILN_VIRTIO_NET_HEADER_H
#define KILN_VIRTIO_NET_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_HEADER_BYTES   12u
#define NET_ETHERNET_BYTES 14u /* the least that a frame has */

/* §5.1.3 */
#define NET_F_CSUM       (UINT64_C(1) << 0)
#define NET_F_GUEST_CSUM (UINT64_C(1) << 1)
#define NET_F_MTU        (UINT64_C(1) << 3)
#define NET_F_MAC        (UINT64_C(1) << 5)
#define NET_F_GUEST_TSO4 (UINT64_C(1) << 7)
#define NET_F_GUEST_TSO6 (UINT64_C(1) << 8)
#define NET_F_GUEST_UFO  (UINT64_C(1) << 10)
#define NET_F_HOST_TSO4  (UINT64_C(1) << 11)
#define NET_F_HOST_TSO6  (UINT64_C(1) << 12)
#define NET_F_HOST_UFO   (UINT64_C(1) << 14)
#define NET_F_MRG_RXBUF  (UINT64_C(1) << 15)

/*
 * net_header_check_tx - may a frame of frame_bytes (without this header) go
 * out like this? false: the driver broke the rules of §5.1.6.2.1.
 */
bool net_header_check_tx(uint8_t header[NET_HEADER_BYTES], size_t frame_bytes,
			 uint64_t features);

/*
 * net_header_check_rx - may it go to this driver? false: it needs an offload
 * that the driver did not take, such as a frame that waited since before a
 * reset. Sets num_buffers.
 */
bool net_header_check_rx(uint8_t header[NET_HEADER_BYTES], uint64_t features,
			 uint16_t num_buffers);

#endif
