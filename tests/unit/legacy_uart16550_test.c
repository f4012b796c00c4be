/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registers are driven by hand, as Linux's 8250 driver does. Where the
 * loop has a part, it runs in a thread of its own, as in the VMM.
 */
#include "legacy/uart16550.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "backend/console.h"
#include "base/fd.h"
#include "core/event.h"
#include "core/state.h"

enum {
	DATA = 0,
	IER = 1,
	IIR = 2,
	FCR = 2,
	LCR = 3,
	MCR = 4,
	LSR = 5,
	MSR = 6,
	SCR = 7,
};

struct fixture {
	struct event_loop *loop;
	struct uart16550 *uart;
	int irq_fd;
	int in_fd; /* the console's; borrowed */
	int out_fd;
	int to_input;
	int from_output;
	pthread_t thread;
	bool running;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct uart16550_setup setup = {0};
	int in[2];
	int out[2];

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(event_loop_create(&f->loop), 0);
	f->irq_fd = event_notifier_create();
	f->in_fd = in[0];
	f->out_fd = out[1];
	f->to_input = in[1];
	f->from_output = out[0];
	assert_int_equal(console_create(in[0], out[1], &setup.console, NULL),
			 0);
	setup.irq = (struct irq_line){.event_fd = f->irq_fd, .gsi = 4};
	setup.loop = f->loop;
	assert_int_equal(uart16550_create(&setup, &f->uart, NULL), 0);
	*state = f;
	return 0;
}

static void *run(void *loop)
{
	assert_int_equal(event_loop_run(loop), 0);
	return NULL;
}

static void start_loop(struct fixture *f)
{
	assert_int_equal(pthread_create(&f->thread, NULL, run, f->loop), 0);
	f->running = true;
}

static void stop_loop(struct fixture *f)
{
	event_loop_stop(f->loop);
	if (f->running)
		(void)pthread_join(f->thread, NULL);
	f->running = false;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	stop_loop(f);
	uart16550_ops.destroy(f->uart);
	uart16550_ops.destroy(NULL);
	event_loop_destroy(f->loop);
	fd_close(&f->irq_fd);
	fd_close(&f->to_input);
	fd_close(&f->from_output);
	free(f);
	return 0;
}

static uint8_t in8(const struct fixture *f, unsigned reg)
{
	uint8_t value = 0xee;

	uart16550_bus_ops.read(f->uart, reg, &value, 1);
	return value;
}

static void out8(const struct fixture *f, unsigned reg, uint8_t value)
{
	uart16550_bus_ops.write(f->uart, reg, &value, 1);
}

/* Edges since the last call. */
static uint64_t irqs(const struct fixture *f)
{
	uint64_t count = 0;

	return read(f->irq_fd, &count, sizeof(count)) == sizeof(count) ? count
								       : 0;
}

static void wait_irq(const struct fixture *f)
{
	struct pollfd pfd = {.fd = f->irq_fd, .events = POLLIN};

	assert_int_equal(poll(&pfd, 1, -1), 1);
	(void)irqs(f);
}

/* As in Linux's autoconfig(): is there a UART, and which? */
static void linux_finds_a_16550a(void **state)
{
	const struct fixture *f = *state;

	out8(f, IER, 0);
	assert_int_equal(in8(f, IER), 0);
	out8(f, IER, 0x0f);
	assert_int_equal(in8(f, IER), 0x0f);
	out8(f, IER, 0);
	out8(f, MCR, 0x1a);
	assert_int_equal(in8(f, MSR) & 0xf0, 0x90);
	out8(f, MCR, 0);
	assert_int_equal(in8(f, MSR) & 0xf0, 0xb0);
	out8(f, LCR, 0xbf);
	out8(f, FCR, 0);
	out8(f, LCR, 0);
	out8(f, FCR, 0x01);
	assert_int_equal(in8(f, IIR) >> 6, 3);
	out8(f, LCR, 0x80); /* an EFR would read as zero here */
	assert_int_not_equal(in8(f, IIR), 0);
	out8(f, LCR, 0);
	out8(f, FCR, 0x21); /* a 16750 would show bit 5 */
	assert_int_equal(in8(f, IIR) >> 5, 6);
	out8(f, IER, 0x40); /* an XScale UART would keep it */
	assert_int_equal(in8(f, IER), 0);
	out8(f, FCR, 0);
	assert_int_equal(in8(f, IIR), 0x01);
}

/* As in Linux's serial8250_do_startup(): both tests must find no fault. */
static void linux_finds_a_transmitter_that_works(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(in8(f, LSR) & 0x60, 0x60);
	out8(f, IER, 0x02);
	assert_int_equal(irqs(f), 1);
	assert_int_equal(in8(f, IIR) & 0x0f, 0x02);
	assert_int_equal(in8(f, IIR) & 0x0f, 0x01); /* naming it ends it */
	out8(f, IER, 0);
	out8(f, IER, 0x02);
	assert_int_equal(irqs(f), 1);
	assert_int_equal(in8(f, IIR) & 0x0f, 0x02);
	out8(f, IER, 0);
	assert_int_equal(irqs(f), 0);
}

static void each_burst_of_output_raises_one_interrupt(void **state)
{
	const struct fixture *f = *state;

	out8(f, IER, 0x02);
	assert_int_equal(in8(f, IIR) & 0x0f, 0x02);
	(void)irqs(f);
	for (int i = 0; i < 16; i++)
		out8(f, DATA, 'x');
	assert_int_equal(irqs(f), 1);
	assert_int_equal(in8(f, IIR) & 0x0f, 0x02);
	out8(f, DATA, 'x');
	assert_int_equal(irqs(f), 1);
}

static void output_reaches_the_descriptor(void **state)
{
	struct fixture *f = *state;
	char got[8];

	start_loop(f);
	for (int round = 0; round < 3; round++) {
		for (const char *p = "kiln\r\n"; *p != '\0'; p++)
			out8(f, DATA, (uint8_t)*p);
		assert_int_equal(fd_read_full(f->from_output, got, 6), 0);
		assert_memory_equal(got, "kiln\r\n", 6);
	}
}

/* "tfd:        5 events: ..."; -1: another line. proc(5), /proc/pid/fdinfo */
static int tfd_of(const char *line)
{
	return strncmp(line, "tfd:", 4) == 0 ? (int)strtol(line + 4, NULL, 10)
					     : -1;
}

/* Does an epoll of this process watch the fd? */
static bool is_watched_by(int epoll_fd, int fd)
{
	char text[64];
	int watched = -1;
	FILE *info;

	(void)snprintf(text, sizeof(text), "/proc/self/fdinfo/%d", epoll_fd);
	info = fopen(text, "re");
	while (info != NULL && watched != fd &&
	       fgets(text, sizeof(text), info) != NULL)
		watched = tfd_of(text);
	if (info != NULL)
		(void)fclose(info);
	return watched == fd;
}

static bool is_watched(int watched_fd)
{
	for (int fd = 0; fd < 64; fd++) {
		if (is_watched_by(fd, watched_fd))
			return true;
	}
	return false;
}

/* More than the pipe holds: the loop has to wait for it to be writable. */
static void a_slow_reader_loses_nothing_that_fits_the_ring(void **state)
{
	struct fixture *f = *state;
	static uint8_t got[60000];

	assert_int_equal(fcntl(f->from_output, F_SETPIPE_SZ, 4096), 4096);
	start_loop(f);
	for (unsigned i = 0; i < sizeof(got); i++)
		out8(f, DATA, (uint8_t)(i * 3));
	while (!is_watched(f->out_fd))
		(void)sched_yield();
	assert_int_equal(fd_read_full(f->from_output, got, sizeof(got)), 0);
	for (unsigned i = 0; i < sizeof(got); i++)
		assert_int_equal(got[i], (uint8_t)(i * 3));
}

static void flush_writes_what_is_left(void **state)
{
	struct fixture *f = *state;
	char got[2];

	out8(f, DATA, 'o');
	out8(f, DATA, 'k');
	uart16550_flush(f->uart);
	assert_int_equal(fd_read_full(f->from_output, got, 2), 0);
	assert_memory_equal(got, "ok", 2);
}

static void input_arrives_with_an_interrupt(void **state)
{
	struct fixture *f = *state;

	out8(f, FCR, 0x81); /* trigger level 8 */
	out8(f, IER, 0x01);
	start_loop(f);
	assert_int_equal(in8(f, LSR) & 0x01, 0);
	assert_int_equal(fd_write_full(f->to_input, "ab", 2), 0);
	wait_irq(f);
	assert_int_equal(in8(f, IIR), 0xcc); /* below the level: time-out */
	assert_int_equal(in8(f, LSR) & 0x01, 1);
	assert_int_equal(in8(f, DATA), 'a');
	assert_int_equal(in8(f, DATA), 'b');
	assert_int_equal(in8(f, LSR) & 0x01, 0);
	assert_int_equal(in8(f, IIR), 0xc1);
	assert_int_equal(fd_write_full(f->to_input, "12345678", 8), 0);
	wait_irq(f);
	assert_int_equal(in8(f, IIR), 0xc4);
}

static int bytes_in_pipe(int fd)
{
	int count = 0;

	assert_int_equal(ioctl(fd, FIONREAD, &count), 0);
	return count;
}

static void input_waits_outside_until_there_is_room(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[300];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	assert_int_equal(fd_write_full(f->to_input, bytes, sizeof(bytes)), 0);
	start_loop(f);
	while (is_watched(f->in_fd))
		(void)sched_yield();
	assert_int_equal(bytes_in_pipe(f->in_fd),
			 (int)sizeof(bytes) - UART16550_FIFO_BYTES);
	for (unsigned i = 0; i < sizeof(bytes); i++) {
		while (!(in8(f, LSR) & 0x01))
			(void)sched_yield();
		assert_int_equal(in8(f, DATA), bytes[i]);
	}
	assert_int_equal(in8(f, LSR), 0x60);
}

static void the_end_of_input_is_not_watched(void **state)
{
	struct fixture *f = *state;

	assert_true(is_watched(f->in_fd));
	start_loop(f);
	fd_close(&f->to_input);
	while (is_watched(f->in_fd))
		(void)sched_yield();
	out8(f, DATA, '!'); /* and the loop still serves */
	char got = 0;

	assert_int_equal(fd_read_full(f->from_output, &got, 1), 0);
	assert_int_equal(got, '!');
	assert_false(is_watched(f->in_fd));
}

static void a_loop_back_returns_what_is_sent_and_notes_an_overrun(void **state)
{
	const struct fixture *f = *state;

	out8(f, MCR, 0x10);
	out8(f, IER, 0x04);
	for (int i = 0; i < UART16550_FIFO_BYTES; i++)
		out8(f, DATA, (uint8_t)i);
	assert_int_equal(irqs(f), 0);
	assert_int_equal(in8(f, LSR), 0x61);
	out8(f, DATA, 0xff);
	assert_int_equal(irqs(f), 1);
	assert_int_equal(in8(f, IIR) & 0x0f, 0x06);
	assert_int_equal(in8(f, LSR), 0x63);
	assert_int_equal(in8(f, LSR), 0x61); /* reading clears it */
	for (int i = 0; i < UART16550_FIFO_BYTES; i++)
		assert_int_equal(in8(f, DATA), i);
	assert_int_equal(in8(f, LSR), 0x60);
	assert_int_equal(bytes_in_pipe(f->from_output), 0);
}

static void clearing_the_receiver_empties_it(void **state)
{
	const struct fixture *f = *state;

	out8(f, MCR, 0x10);
	out8(f, DATA, 'x');
	out8(f, FCR, 0x03);
	assert_int_equal(in8(f, LSR), 0x60);
}

static void the_divisor_hides_data_and_ier(void **state)
{
	const struct fixture *f = *state;

	out8(f, IER, 0x05);
	out8(f, LCR, 0x83);
	assert_int_equal(in8(f, DATA), 0x0c); /* 9600 baud */
	out8(f, DATA, 0x01);
	out8(f, IER, 0x02);
	assert_int_equal(in8(f, DATA), 0x01);
	assert_int_equal(in8(f, IER), 0x02);
	assert_int_equal(in8(f, LCR), 0x83);
	out8(f, LCR, 0x03);
	assert_int_equal(in8(f, IER), 0x05);
	assert_int_equal(in8(f, DATA), 0);
	out8(f, SCR, 0x5a);
	assert_int_equal(in8(f, SCR), 0x5a);
	out8(f, MCR, 0xff);
	assert_int_equal(in8(f, MCR), 0x1f);
}

static void modem_lines_report_their_changes(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(in8(f, MSR), 0xb0);
	out8(f, IER, 0x08);
	out8(f, MCR, 0x10); /* all four drop */
	assert_int_equal(irqs(f), 1);
	assert_int_equal(in8(f, IIR) & 0x0f, 0x00);
	assert_int_equal(in8(f, MSR), 0x0b);
	assert_int_equal(in8(f, IIR) & 0x0f, 0x01);
	out8(f, MCR, 0x14); /* a bell starts to ring: no news */
	assert_int_equal(in8(f, MSR), 0x40);
	out8(f, MCR, 0x10); /* and ends */
	assert_int_equal(in8(f, MSR), 0x04);
}

static void a_wide_access_is_several_narrow_ones(void **state)
{
	const struct fixture *f = *state;
	uint8_t bytes[4] = {0};

	out8(f, SCR, 0x77);
	uart16550_bus_ops.read(f->uart, LCR, bytes, 4);
	assert_int_equal(bytes[2], 0x60);
	assert_int_equal(bytes[3], 0xb0);
	uart16550_bus_ops.read(f->uart, MSR, bytes, 2);
	assert_int_equal(bytes[1], 0x77);
	bytes[0] = 0x1b;
	bytes[1] = 0x03;
	uart16550_bus_ops.write(f->uart, LCR, bytes, 2);
	assert_int_equal(in8(f, LCR), 0x1b);
	assert_int_equal(in8(f, MCR), 0x03);
}

static size_t save(const struct fixture *f, void *data, size_t size)
{
	struct state state = {.data = data, .size_bytes = size, .saving = true};

	assert_int_equal(uart16550_ops.save(f->uart, &state), 0);
	return state.at;
}

static int restore(const struct fixture *f, void *data, size_t size)
{
	struct state state = {.data = data, .size_bytes = size};

	return uart16550_ops.restore(f->uart, &state);
}

static void state_survives_a_snapshot(void **state)
{
	const struct fixture *f = *state;
	uint8_t data[256];
	size_t len;

	out8(f, LCR, 0x03);
	out8(f, SCR, 0x42);
	out8(f, MCR, 0x18);
	out8(f, DATA, 'k');
	out8(f, DATA, 'q');
	out8(f, IER, 0x01);
	(void)irqs(f);
	len = save(f, data, sizeof(data));
	uart16550_ops.reset(f->uart);
	assert_int_equal(in8(f, SCR), 0);
	assert_int_equal(in8(f, LSR), 0x60);
	assert_int_equal(restore(f, data, len), 0);
	assert_int_equal(irqs(f), 1); /* its edge may have been lost */
	assert_int_equal(restore(f, data, len), 0);
	assert_int_equal(irqs(f), 1);
	assert_int_equal(in8(f, SCR), 0x42);
	assert_int_equal(in8(f, DATA), 'k');
	assert_int_equal(in8(f, DATA), 'q');
	assert_int_equal(in8(f, LSR), 0x60);
}

/* Offsets as uart_registers_state() lists the fields. */
static void an_impossible_state_is_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} spoilt[] = {{0, 0x10}, {3, 0x20}, {9, 2}, {10, 64}, {11, 65}};
	const struct fixture *f = *state;
	uint8_t good[256];
	uint8_t bad[256];
	size_t len = save(f, good, sizeof(good));

	out8(f, SCR, 0x33);
	for (size_t i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++) {
		memcpy(bad, good, len);
		bad[spoilt[i].at] = spoilt[i].value;
		assert_int_equal(restore(f, bad, len), -EINVAL);
	}
	assert_int_equal(restore(f, good, len - 1), -EINVAL);
	assert_int_equal(in8(f, SCR), 0x33); /* nothing of it was taken */
	assert_int_equal(restore(f, good, len), 0);
}

static void one_descriptor_for_both_ways_is_refused(void **state)
{
	const struct fixture *f = *state;
	struct uart16550_setup setup = {.irq.event_fd = -1, .loop = f->loop};
	struct uart16550 *uart = NULL;
	struct err err = {0};
	int fd = dup(f->to_input);

	assert_int_equal(console_create(fd, fd, &setup.console, NULL), 0);
	assert_int_equal(uart16550_create(&setup, &uart, &err), -EINVAL);
	assert_string_equal(err.msg,
			    "serial console: one descriptor for both ways");
	console_destroy(setup.console);
}

static void descriptors_that_epoll_refuses_are_fine(void **state)
{
	const struct fixture *f = *state;
	struct uart16550_setup setup = {.irq.event_fd = -1, .loop = f->loop};
	int in_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int out_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct fixture other = *f;

	assert_int_equal(console_create(in_fd, out_fd, &setup.console, NULL),
			 0);
	assert_int_equal(uart16550_create(&setup, &other.uart, NULL), 0);
	out8(&other, DATA, 'x');
	uart16550_flush(other.uart);
	assert_int_equal(in8(&other, LSR), 0x60);
	uart16550_ops.destroy(other.uart);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(linux_finds_a_16550a),
		TEST(linux_finds_a_transmitter_that_works),
		TEST(each_burst_of_output_raises_one_interrupt),
		TEST(output_reaches_the_descriptor),
		TEST(a_slow_reader_loses_nothing_that_fits_the_ring),
		TEST(flush_writes_what_is_left),
		TEST(input_arrives_with_an_interrupt),
		TEST(input_waits_outside_until_there_is_room),
		TEST(the_end_of_input_is_not_watched),
		TEST(a_loop_back_returns_what_is_sent_and_notes_an_overrun),
		TEST(clearing_the_receiver_empties_it),
		TEST(the_divisor_hides_data_and_ier),
		TEST(modem_lines_report_their_changes),
		TEST(a_wide_access_is_several_narrow_ones),
		TEST(state_survives_a_snapshot),
		TEST(an_impossible_state_is_refused),
		TEST(one_descriptor_for_both_ways_is_refused),
		TEST(descriptors_that_epoll_refuses_are_fine),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
