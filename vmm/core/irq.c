/* SPDX-License-Identifier: Apache-2.0 */
#include "core/irq.h"

#include <stddef.h>

#include "core/event.h"

void irq_line_raise(const struct irq_line *line)
{
	if (line->event_fd >= 0)
		event_notifier_signal(line->event_fd);
	if (line->also != NULL)
		line->also(line->controller, line->gsi);
}
