/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/steps.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>

#include "base/fd.h"
#include "launch/exit_status.h"

static int description_apply(struct jail *jail, struct err *err)
{
	return handoff_send(&jail->plan->handoff, &jail->launch_memfd, err);
}

static void description_describe(const struct plan *plan, struct buf *out)
{
	buf_printf(out,
		   "write the machine to a sealed memfd, descriptor %d of "
		   "the VMM:\n",
		   plan->launch_fd);
	handoff_encode(&plan->handoff, out);
	buf_puts(out, "\n");
}

const struct jail_step step_description = {
	.name = "description",
	.status = EXIT_STATUS_HOST,
	.apply = description_apply,
	.describe = description_describe,
};
