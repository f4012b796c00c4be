/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rng - a virtio entropy source (virtio 1.2 §5.4): the host's generator,
 * written straight into guest memory.
 */
#ifndef KILN_VIRTIO_RNG_H
#define KILN_VIRTIO_RNG_H

#include "base/err.h"
#include "virtio/device.h"

#define RNG_REQUEST_BYTES_MAX 65536u /* of one buffer; the rest stays as is */

struct rng;

/* rng_create - Gives *ret_rng to a transport or rng_ops.device.destroy(). */
int rng_create(struct rng **ret_rng, struct err *err);

extern const struct virtio_ops rng_ops;

#endif
