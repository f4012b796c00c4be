/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disk_sync - the engine that does each request at once: preadv, pwritev,
 * fdatasync. Every submit is complete when it returns.
 */
#ifndef KILN_BACKEND_DISK_SYNC_H
#define KILN_BACKEND_DISK_SYNC_H

#include <stdbool.h>

#include "backend/disk.h"

/*
 * disk_sync_create - Takes fd on success; on failure it stays with the caller.
 * Gives *ret_disk to disk_destroy(). What is refused: disk_probe().
 */
int disk_sync_create(int fd, bool read_only, struct disk **ret_disk,
		     struct err *err);

#endif
