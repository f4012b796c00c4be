/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two kinds of thread meet at the registers: vCPUs come through the bus, the
 * loop brings input. Output goes from a vCPU into the console's ring, which
 * the loop drains; an eventfd wakes it when the ring was empty.
 *
 * The wire to the guest is an edge: it is raised when the line goes up. A
 * driver's handler reads IIR until nothing is pending, and then the line is
 * low, so no edge gets lost.
 */
#include "legacy/uart16550.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "backend/console.h"
#include "base/fd.h"
#include "core/event.h"
#include "legacy/uart16550_registers.h"

#define FLUSH_TIMEOUT_MS 1000

struct uart16550 {
	pthread_mutex_t lock; /* regs, line_high, input_waits */
	struct uart_registers regs;
	bool line_high;
	bool input_waits; /* the loop wants a wake-up when there is room */

	struct irq_line irq;
	struct console *console;

	/* Thread: loop */
	struct event_loop *loop;
	struct event_source wake; /* output waits, or input has room */
	struct event_source in;
	struct event_source out;
	bool in_watched;
	bool in_ended;
	bool out_watched;
};

static void update_line(struct uart16550 *uart)
{
	bool high = uart_registers_pending(&uart->regs);

	if (high && !uart->line_high)
		irq_line_raise(&uart->irq);
	uart->line_high = high;
}

/* A driver empties the FIFO in one go, so one wake-up per FIFO is enough. */
static void tell_about_room(const struct uart16550 *uart)
{
	if (uart->input_waits && uart->regs.fifo_count == 0 &&
	    uart_registers_room(&uart->regs) > 0)
		event_notifier_signal(uart->wake.fd);
}

static void write_register(struct uart16550 *uart, unsigned offset,
			   uint8_t value)
{
	bool sent = uart_registers_write(&uart->regs, offset, value);

	if (sent && console_put(uart->console, value))
		event_notifier_signal(uart->wake.fd);
	update_line(uart);
}

/* The bus of an eight-bit chip: wider accesses arrive as single bytes. */
static void bus_read_bytes(void *device, uint64_t offset, void *data,
			   size_t len)
{
	struct uart16550 *uart = device;
	uint8_t *bytes = data;

	(void)pthread_mutex_lock(&uart->lock);
	for (size_t i = 0; i < len; i++)
		bytes[i] = uart_registers_read(
			&uart->regs, (offset + i) % UART16550_SIZE_BYTES);
	update_line(uart);
	tell_about_room(uart);
	(void)pthread_mutex_unlock(&uart->lock);
}

static void bus_write_bytes(void *device, uint64_t offset, const void *data,
			    size_t len)
{
	struct uart16550 *uart = device;
	const uint8_t *bytes = data;

	(void)pthread_mutex_lock(&uart->lock);
	for (size_t i = 0; i < len; i++)
		write_register(uart, (offset + i) % UART16550_SIZE_BYTES,
			       bytes[i]);
	tell_about_room(uart);
	(void)pthread_mutex_unlock(&uart->lock);
}

const struct bus_ops uart16550_bus_ops = {
	.read = bus_read_bytes,
	.write = bus_write_bytes,
};

/* The loop's side. A source that must not be heard of is taken out, not
 * muted: a hang-up comes unasked and would spin the loop. */

static void watch(const struct uart16550 *uart, struct event_source *source,
		  uint32_t events, bool *watched)
{
	if (!*watched)
		*watched = event_loop_add(uart->loop, source, events) == 0;
}

static void unwatch(const struct uart16550 *uart, struct event_source *source,
		    bool *watched)
{
	if (*watched)
		event_loop_remove(uart->loop, source);
	*watched = false;
}

static void drain_output(struct uart16550 *uart)
{
	if (console_drain(uart->console) == 0) {
		unwatch(uart, &uart->out, &uart->out_watched);
		return;
	}
	watch(uart, &uart->out, EPOLLOUT, &uart->out_watched);
	/* A plain file is always writable and epoll does not take it. */
	if (!uart->out_watched)
		event_notifier_signal(uart->wake.fd);
}

static void out_ready(void *owner, uint32_t events)
{
	(void)events;
	drain_output(owner);
}

/* Room for input; when there is none, the vCPU that makes some will tell. */
static size_t ask_for_room(struct uart16550 *uart)
{
	size_t room;

	(void)pthread_mutex_lock(&uart->lock);
	room = uart_registers_room(&uart->regs);
	uart->input_waits = room == 0;
	(void)pthread_mutex_unlock(&uart->lock);
	return room;
}

static void resume_input(struct uart16550 *uart)
{
	if (uart->in.fd < 0 || uart->in_ended || uart->in_watched)
		return;
	if (ask_for_room(uart) > 0)
		watch(uart, &uart->in, EPOLLIN, &uart->in_watched);
}

static void receive_all(struct uart16550 *uart, const uint8_t *bytes,
			size_t count)
{
	(void)pthread_mutex_lock(&uart->lock);
	for (size_t i = 0; i < count; i++)
		uart_registers_receive(&uart->regs, bytes[i]);
	update_line(uart);
	(void)pthread_mutex_unlock(&uart->lock);
}

static void in_ready(void *owner, uint32_t events)
{
	struct uart16550 *uart = owner;
	uint8_t bytes[UART16550_FIFO_BYTES];
	size_t room = ask_for_room(uart);
	ssize_t n;

	(void)events;
	if (room == 0) {
		unwatch(uart, &uart->in, &uart->in_watched);
		return;
	}
	n = console_read(uart->console, bytes, room);
	if (n > 0)
		receive_all(uart, bytes, (size_t)n);
	uart->in_ended = n == 0;
	if (uart->in_ended)
		unwatch(uart, &uart->in, &uart->in_watched);
}

static void wake_ready(void *owner, uint32_t events)
{
	struct uart16550 *uart = owner;

	(void)events;
	/* Cleared first: a byte put during the work below must come back. */
	event_notifier_clear(uart->wake.fd);
	drain_output(uart);
	resume_input(uart);
}

void uart16550_flush(struct uart16550 *uart)
{
	(void)console_flush(uart->console, FLUSH_TIMEOUT_MS);
}

/* Life */

static void destroy(void *device)
{
	struct uart16550 *uart = device;

	if (uart == NULL)
		return;
	unwatch(uart, &uart->in, &uart->in_watched);
	unwatch(uart, &uart->out, &uart->out_watched);
	if (uart->wake.fd >= 0)
		event_loop_remove(uart->loop, &uart->wake);
	fd_close(&uart->wake.fd);
	console_destroy(uart->console);
	(void)pthread_mutex_destroy(&uart->lock);
	free(uart);
}

static struct event_source source_of(struct uart16550 *uart, int fd,
				     void (*ready)(void *, uint32_t))
{
	return (struct event_source){.fd = fd, .ready = ready, .owner = uart};
}

static int connect_loop(struct uart16550 *uart, struct console *console)
{
	int wake_fd = event_notifier_create();
	int r;

	uart->wake = source_of(uart, wake_fd, wake_ready);
	if (wake_fd < 0)
		return wake_fd;
	r = event_loop_add(uart->loop, &uart->wake, EPOLLIN);
	if (r < 0)
		return r;
	uart->in = source_of(uart, console_in_fd(console), in_ready);
	uart->out = source_of(uart, console_out_fd(console), out_ready);
	/* Input that epoll does not take (a file, /dev/null) is no terminal:
	 * there is nothing to wait for. */
	resume_input(uart);
	return 0;
}

int uart16550_create(const struct uart16550_setup *setup,
		     struct uart16550 **ret_uart, struct err *err)
{
	int in_fd = console_in_fd(setup->console);
	struct uart16550 *uart;
	int r;

	if (in_fd >= 0 && in_fd == console_out_fd(setup->console))
		return err_say(err, EINVAL,
			       "serial console: one descriptor for both ways");
	uart = calloc(1, sizeof(*uart));
	if (uart == NULL)
		return err_set(err, ENOMEM, "serial console");
	(void)pthread_mutex_init(&uart->lock, NULL);
	uart_registers_reset(&uart->regs);
	uart->irq = setup->irq;
	uart->loop = setup->loop;
	r = connect_loop(uart, setup->console);
	if (r < 0) {
		destroy(uart);
		return err_set(err, -r, "serial console");
	}
	uart->console = setup->console;
	*ret_uart = uart;
	return 0;
}

static void reset(void *device)
{
	struct uart16550 *uart = device;

	(void)pthread_mutex_lock(&uart->lock);
	uart_registers_reset(&uart->regs);
	update_line(uart);
	tell_about_room(uart);
	(void)pthread_mutex_unlock(&uart->lock);
}

static int save(void *device, struct state *state)
{
	struct uart16550 *uart = device;
	int r;

	(void)pthread_mutex_lock(&uart->lock);
	r = uart_registers_state(&uart->regs, state);
	(void)pthread_mutex_unlock(&uart->lock);
	return r;
}

/* An edge on its way when the snapshot was taken is lost: raised again. */
static int restore(void *device, struct state *state)
{
	struct uart16550 *uart = device;
	struct uart_registers regs;
	int r;

	uart_registers_reset(&regs);
	r = uart_registers_state(&regs, state);
	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&uart->lock);
	uart->regs = regs;
	uart->line_high = false;
	update_line(uart);
	tell_about_room(uart);
	(void)pthread_mutex_unlock(&uart->lock);
	return 0;
}

const struct device_ops uart16550_ops = {
	.kind = "uart16550",
	.destroy = destroy,
	.reset = reset,
	.save = save,
	.restore = restore,
};
