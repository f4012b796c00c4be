/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/mmio.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "core/state.h"
#include "virtio_driver.h"

/* A device with two queues and ten bytes of configuration that keeps count. */
#define CONFIG_BYTES 10
#define FEATURE_A    (UINT64_C(1) << 5)
#define FEATURE_B    (UINT64_C(1) << 38)
#define OFFERED      (FEATURE_A | FEATURE_B | VIRTIO_QUEUE_FEATURES)

struct probe {
	const struct virtio_host *host;
	struct virtio_queue *queues;
	uint64_t features;
	uint8_t config[CONFIG_BYTES];
	unsigned resets;
	unsigned activations;
	unsigned ready[2];
	int activate_result;
	bool fault_on_ready;
	bool again_once;
	uint32_t saved;
};

static bool probe_destroyed;

static void probe_attach(void *device, const struct virtio_host *host)
{
	struct probe *probe = device;

	probe->host = host;
}

static uint64_t probe_features(const void *device)
{
	(void)device;
	return OFFERED;
}

static void probe_config_read(const void *device, size_t offset, void *data,
			      size_t len)
{
	const struct probe *probe = device;

	assert_true(range_ok(offset, len, CONFIG_BYTES));
	memcpy(data, probe->config + offset, len);
}

static void probe_config_write(void *device, size_t offset, const void *data,
			       size_t len)
{
	struct probe *probe = device;

	assert_true(range_ok(offset, len, CONFIG_BYTES));
	memcpy(probe->config + offset, data, len);
}

static int probe_activate(void *device, struct virtio_queue *queues,
			  uint64_t features)
{
	struct probe *probe = device;

	probe->activations++;
	probe->queues = queues;
	probe->features = features;
	return probe->activate_result;
}

static void probe_queue_ready(void *device, unsigned index)
{
	struct probe *probe = device;

	probe->ready[index]++;
	if (probe->fault_on_ready)
		virtio_host_fault(probe->host);
	if (probe->again_once)
		virtio_host_again(probe->host, index);
	probe->again_once = false;
}

static void probe_reset(void *device)
{
	struct probe *probe = device;

	probe->resets++;
	probe->queues = NULL;
}

static int probe_state(void *device, struct state *state)
{
	struct probe *probe = device;

	state_u32(state, &probe->saved);
	return state_status(state);
}

static void probe_destroy(void *device)
{
	probe_destroyed = true;
	free(device);
}

static const struct virtio_ops probe_ops = {
	.device = {.kind = "probe",
		   .destroy = probe_destroy,
		   .reset = probe_reset,
		   .save = probe_state,
		   .restore = probe_state},
	.device_id = VIRTIO_ID_RNG,
	.queue_count = 2,
	.queue_size_max = 64,
	.config_size_bytes = CONFIG_BYTES,
	.attach = probe_attach,
	.features = probe_features,
	.config_read = probe_config_read,
	.config_write = probe_config_write,
	.activate = probe_activate,
	.queue_ready = probe_queue_ready,
};

struct fixture {
	struct driver driver;
	struct probe *probe;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->probe = calloc(1, sizeof(*f->probe));
	for (uint8_t i = 0; i < CONFIG_BYTES; i++)
		f->probe->config[i] = (uint8_t)(0x10 + i);
	driver_open(&f->driver, &probe_ops, f->probe);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	driver_close(&f->driver);
	free(f);
	return 0;
}

#define GOOD (VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX)

/* Every register, in every state: who may be read, who may be written */

enum stage {
	S_RESET,
	S_DRIVER,
	S_FEATURES,
	S_RUNNING,
	S_COUNT
};

static const uint32_t stage_status[S_COUNT] = {0, 3, 11, 15};

static void go(struct fixture *f, enum stage stage)
{
	struct driver *d = &f->driver;

	driver_reg_set(d, REG_STATUS, 0);
	if (stage == S_DRIVER)
		driver_reg_set(d, REG_STATUS, 3);
	if (stage == S_FEATURES)
		assert_true(driver_negotiate(d, GOOD));
	if (stage == S_RUNNING)
		assert_true(driver_start(d, GOOD, 16));
	driver_reg_set(d, REG_QUEUE_SEL, 0);
	driver_reg_set(d, REG_DEVICE_FEATURES_SEL, 0);
	(void)driver_irqs(d);
	assert_int_equal(driver_reg(d, REG_STATUS), stage_status[stage]);
}

/* value: what a read gives in any stage; a write-only register gives 0. */
struct read_row {
	unsigned reg;
	uint32_t value;
};

static const struct read_row read_rows[] = {
	{REG_MAGIC, 0x74726976},
	{REG_VERSION, 2},
	{REG_DEVICE_ID, 4},
	{0x00c, 0},
	{REG_DEVICE_FEATURES, (uint32_t)OFFERED},
	{REG_DEVICE_FEATURES_SEL, 0},
	{0x018, 0},
	{REG_DRIVER_FEATURES, 0},
	{REG_DRIVER_FEATURES_SEL, 0},
	{0x028, 0},
	{REG_QUEUE_SEL, 0},
	{REG_QUEUE_NUM_MAX, 64},
	{REG_QUEUE_NUM, 0},
	{0x03c, 0},
	{0x040, 0},
	{REG_QUEUE_NOTIFY, 0},
	{REG_INTERRUPT_STATUS, 0},
	{REG_INTERRUPT_ACK, 0},
	{REG_QUEUE_DESC, 0},
	{REG_QUEUE_DESC + 4, 0},
	{REG_QUEUE_DRIVER, 0},
	{REG_QUEUE_DRIVER + 4, 0},
	{REG_QUEUE_DEVICE, 0},
	{REG_QUEUE_DEVICE + 4, 0},
	{0x0ac, 0},
	{0x0b0, UINT32_MAX},
	{0x0b4, UINT32_MAX},
	{0x0b8, UINT32_MAX},
	{0x0bc, UINT32_MAX},
	{0x0c0, 0},
	{REG_CONFIG_GENERATION, 0},
};

static void registers_read_as_the_table_says(void **state)
{
	struct fixture *f = *state;

	for (enum stage stage = S_RESET; stage < S_COUNT; stage++) {
		go(f, stage);
		for (size_t i = 0; i < ARRAY_LEN(read_rows); i++) {
			uint32_t got = driver_reg(&f->driver, read_rows[i].reg);

			if (got != read_rows[i].value)
				fail_msg("stage %d reg %#x: %#x", (int)stage,
					 read_rows[i].reg, got);
		}
	}
}

/* A write of all ones to a register that is not writable changes nothing
 * that can be read, whatever the stage. */
static void registers_not_writable_ignore_writes(void **state)
{
	static const unsigned regs[] = {REG_MAGIC,
					REG_VERSION,
					REG_DEVICE_ID,
					0x00c,
					REG_DEVICE_FEATURES,
					0x018,
					0x01c,
					0x028,
					REG_QUEUE_NUM_MAX,
					0x03c,
					0x048,
					REG_INTERRUPT_STATUS,
					0x068,
					0x06c,
					0x074,
					0x0ac,
					0x0b0,
					0x0bc,
					0x0c0,
					REG_CONFIG_GENERATION};
	struct fixture *f = *state;

	for (enum stage stage = S_RESET; stage < S_COUNT; stage++) {
		go(f, stage);
		for (size_t i = 0; i < ARRAY_LEN(regs); i++)
			driver_reg_set(&f->driver, regs[i], UINT32_MAX);
		for (size_t i = 0; i < ARRAY_LEN(read_rows); i++)
			assert_int_equal(
				driver_reg(&f->driver, read_rows[i].reg),
				read_rows[i].value);
		assert_int_equal(driver_reg(&f->driver, REG_STATUS),
				 stage_status[stage]);
		assert_int_equal(driver_reg(&f->driver, REG_QUEUE_READY),
				 stage == S_RUNNING);
	}
}

static void other_widths_and_alignments_are_nothing(void **state)
{
	static const size_t widths[] = {1, 2, 8};
	struct fixture *f = *state;
	const uint64_t ones = UINT64_MAX;
	uint64_t got;

	go(f, S_RUNNING);
	for (size_t i = 0; i < ARRAY_LEN(widths); i++) {
		for (unsigned reg = 0; reg < REG_CONFIG; reg += 4) {
			got = UINT64_MAX;
			virtio_mmio_bus_ops.read(f->driver.mmio, reg, &got,
						 widths[i]);
			assert_true(got << (64 - 8 * widths[i]) == 0);
			virtio_mmio_bus_ops.write(f->driver.mmio, reg, &ones,
						  widths[i]);
		}
	}
	for (unsigned reg = 1; reg < REG_CONFIG - 4; reg += 4) {
		assert_int_equal(driver_reg(&f->driver, reg), 0);
		driver_reg_set(&f->driver, reg, 0);
	}
	assert_int_equal(driver_reg(&f->driver, REG_STATUS), 15);
	assert_int_equal(f->probe->activations, 1);
}

/* Status */

struct status_row {
	uint32_t writes[5]; /* up to the first 0 */
	uint32_t result;
};

static const struct status_row status_rows[] = {
	{{1}, 1},
	{{2}, 0},
	{{4}, 0},
	{{8}, 0},
	{{5}, 1},                /* DRIVER_OK without what comes before */
	{{3}, 3},                /* two steps at once */
	{{1, 3, 7}, 3},          /* legacy: no FEATURES_OK */
	{{1, 3, 2}, 3},          /* a bit cleared: ignored */
	{{1, 3, 11}, 3},         /* VERSION_1 not taken: refused */
	{{1, 3, 1 | 64}, 3},     /* not the driver's bit */
	{{1, 3, 0x43}, 3},       /* nor with the others */
	{{0x20}, 0},             /* no such bit */
	{{1, 0x80}, 1},          /* FAILED that clears */
	{{1, 0x81}, 0x81},       /* FAILED */
	{{1, 0x81, 0x83}, 0x81}, /* nothing leads on from there */
	{{0x80}, 0x80},
};

static void status_follows_the_steps(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(status_rows); i++) {
		const struct status_row *row = &status_rows[i];

		driver_reg_set(&f->driver, REG_STATUS, 0);
		for (unsigned k = 0; k < 5 && row->writes[k] != 0; k++)
			driver_reg_set(&f->driver, REG_STATUS, row->writes[k]);
		uint32_t got = driver_reg(&f->driver, REG_STATUS);
		if (got != row->result)
			fail_msg("row %zu: %#x", i, got);
	}
	assert_int_equal(f->probe->activations, 0);
}

static void features_are_a_subset_or_refused(void **state)
{
	static const struct {
		uint64_t features;
		bool taken;
	} rows[] = {
		{VIRTIO_F_VERSION_1, true},
		{VIRTIO_F_VERSION_1 | FEATURE_A, true},
		{VIRTIO_F_VERSION_1 | FEATURE_B, true},
		{VIRTIO_F_VERSION_1 | OFFERED, true},
		{0, false},
		{OFFERED, false}, /* no VERSION_1 */
		{VIRTIO_F_VERSION_1 | 1, false},
		{VIRTIO_F_VERSION_1 | UINT64_C(1) << 63, false},
		{UINT64_MAX, false},
	};
	struct fixture *f = *state;

	assert_true(driver_features(&f->driver) ==
		    (OFFERED | VIRTIO_F_VERSION_1));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(driver_negotiate(&f->driver, rows[i].features),
				 rows[i].taken);
		assert_int_equal(driver_reg(&f->driver, REG_STATUS),
				 rows[i].taken ? 11 : 3);
	}
}

static void a_driver_may_try_again_with_fewer_features(void **state)
{
	struct fixture *f = *state;

	assert_false(driver_negotiate(&f->driver, UINT64_MAX));
	driver_reg_set(&f->driver, REG_DRIVER_FEATURES_SEL, 0);
	driver_reg_set(&f->driver, REG_DRIVER_FEATURES, 0);
	driver_reg_set(&f->driver, REG_DRIVER_FEATURES_SEL, 1);
	driver_reg_set(&f->driver, REG_DRIVER_FEATURES, 1);
	driver_reg_set(&f->driver, REG_STATUS, 11);
	assert_int_equal(driver_reg(&f->driver, REG_STATUS), 11);
}

static void features_beyond_64_are_refused(void **state)
{
	struct fixture *f = *state;

	driver_reg_set(&f->driver, REG_DEVICE_FEATURES_SEL, 2);
	assert_int_equal(driver_reg(&f->driver, REG_DEVICE_FEATURES), 0);
	driver_reg_set(&f->driver, REG_STATUS, 3);
	driver_reg_set(&f->driver, REG_DRIVER_FEATURES_SEL, 1);
	driver_reg_set(&f->driver, REG_DRIVER_FEATURES, 1);
	driver_reg_set(&f->driver, REG_DRIVER_FEATURES_SEL, 2);
	driver_reg_set(&f->driver, REG_DRIVER_FEATURES, 1);
	driver_reg_set(&f->driver, REG_STATUS, 11);
	assert_int_equal(driver_reg(&f->driver, REG_STATUS), 3);
	assert_true(driver_start(&f->driver, GOOD, 8)); /* after a reset */
}

static void features_are_fixed_after_features_ok(void **state)
{
	struct fixture *f = *state;

	go(f, S_FEATURES);
	driver_reg_set(&f->driver, REG_DRIVER_FEATURES_SEL, 0);
	driver_reg_set(&f->driver, REG_DRIVER_FEATURES, UINT32_MAX);
	driver_queue_set_up(&f->driver, 0, 8);
	driver_reg_set(&f->driver, REG_STATUS, 15);
	assert_true(f->probe->features == GOOD);
}

/* Features written before DRIVER do not count. */
static void features_wait_for_the_driver_bit(void **state)
{
	struct fixture *f = *state;

	driver_reg_set(&f->driver, REG_STATUS, 1);
	driver_reg_set(&f->driver, REG_DRIVER_FEATURES_SEL, 1);
	driver_reg_set(&f->driver, REG_DRIVER_FEATURES, 1);
	driver_reg_set(&f->driver, REG_STATUS, 3);
	driver_reg_set(&f->driver, REG_STATUS, 11);
	assert_int_equal(driver_reg(&f->driver, REG_STATUS), 3);
}

/* Queues */

static void queues_can_be_set_up_in_one_stage_only(void **state)
{
	struct fixture *f = *state;

	for (enum stage stage = S_RESET; stage < S_COUNT; stage++) {
		go(f, stage);
		driver_reg_set(&f->driver, REG_QUEUE_SEL, 0);
		driver_reg_set(&f->driver, REG_QUEUE_READY, 0);
		assert_int_equal(driver_reg(&f->driver, REG_QUEUE_READY), 0);
		driver_queue_set_up(&f->driver, 0, 8);
		assert_int_equal(driver_reg(&f->driver, REG_QUEUE_READY),
				 stage == S_FEATURES);
		assert_int_equal(driver_reg(&f->driver, REG_STATUS),
				 stage_status[stage]);
	}
}

/* A ready queue keeps size and addresses: bent ones would be refused. */
static void a_ready_queue_cannot_be_moved(void **state)
{
	struct fixture *f = *state;

	go(f, S_FEATURES);
	driver_queue_set_up(&f->driver, 0, 8);
	driver_reg_set(&f->driver, REG_QUEUE_NUM, 3);
	driver_reg_set(&f->driver, REG_QUEUE_DESC, 1);
	driver_reg_set(&f->driver, REG_QUEUE_DRIVER + 4, 77);
	driver_reg_set(&f->driver, REG_QUEUE_DEVICE, 1);
	driver_reg_set(&f->driver, REG_QUEUE_READY, 0);
	driver_reg_set(&f->driver, REG_QUEUE_READY, 1);
	assert_int_equal(driver_reg(&f->driver, REG_QUEUE_READY), 1);
}

static void bad_rings_need_a_reset(void **state)
{
	static const struct {
		unsigned reg;
		uint32_t value;
	} rows[] = {
		{REG_QUEUE_NUM, 0},
		{REG_QUEUE_NUM, 3},
		{REG_QUEUE_NUM, 128}, /* max 64 */
		{REG_QUEUE_NUM, 0x10008},
		{REG_QUEUE_DESC, 0x10008},
		{REG_QUEUE_DESC + 4, 9},
		{REG_QUEUE_DRIVER, 0xffffe},
		{REG_QUEUE_DEVICE + 4, UINT32_MAX},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		go(f, S_FEATURES);
		driver_queue_set_up(&f->driver, 0, 8);
		driver_reg_set(&f->driver, REG_QUEUE_READY, 0);
		driver_reg_set(&f->driver, rows[i].reg, rows[i].value);
		driver_reg_set(&f->driver, REG_QUEUE_READY, 1);
		assert_int_equal(driver_reg(&f->driver, REG_QUEUE_READY), 0);
		assert_int_equal(driver_reg(&f->driver, REG_STATUS), 11 | 64);
		/* §2.1.2: no interrupt before DRIVER_OK. */
		assert_int_equal(driver_irqs(&f->driver), 0);
		driver_reg_set(&f->driver, REG_STATUS, 15);
		assert_int_equal(driver_reg(&f->driver, REG_STATUS), 11 | 64);
	}
	assert_int_equal(f->probe->activations, 0);
	assert_true(driver_start(&f->driver, GOOD, 8));
}

static void a_queue_that_is_not_there(void **state)
{
	static const uint32_t indices[] = {2, 8, UINT32_MAX};
	struct fixture *f = *state;

	go(f, S_FEATURES);
	for (size_t i = 0; i < ARRAY_LEN(indices); i++) {
		driver_reg_set(&f->driver, REG_QUEUE_SEL, indices[i]);
		driver_reg_set(&f->driver, REG_QUEUE_NUM, 8);
		driver_reg_set(&f->driver, REG_QUEUE_DESC, 8);
		driver_reg_set(&f->driver, REG_QUEUE_READY, 1);
		driver_reg_set(&f->driver, REG_QUEUE_READY, 0);
		assert_int_equal(driver_reg(&f->driver, REG_QUEUE_NUM_MAX), 0);
		assert_int_equal(driver_reg(&f->driver, REG_QUEUE_READY), 0);
		driver_kick(&f->driver, indices[i]);
	}
	assert_int_equal(driver_reg(&f->driver, REG_STATUS), 11);
	assert_int_equal(virtio_mmio_queue_count(f->driver.mmio), 2);
	assert_int_equal(virtio_mmio_notify_fd(f->driver.mmio, 2), -1);
	go(f, S_RUNNING);
	(void)driver_pump(&f->driver);
	for (size_t i = 0; i < ARRAY_LEN(indices); i++)
		driver_kick(&f->driver, indices[i]);
	assert_int_equal(driver_pump(&f->driver), 0);
}

/* Running */

static void activation_looks_at_every_queue(void **state)
{
	struct fixture *f = *state;

	assert_true(driver_start(&f->driver, GOOD, 16));
	assert_int_equal(f->probe->activations, 1);
	assert_true(f->probe->features == GOOD);
	assert_int_equal(driver_pump(&f->driver), 2);
	assert_int_equal(f->probe->ready[0], 1);
	assert_int_equal(f->probe->ready[1], 1);
	driver_reg_set(&f->driver, REG_STATUS, 15); /* again: nothing new */
	assert_int_equal(f->probe->activations, 1);
}

static void a_failed_activation_needs_a_reset(void **state)
{
	struct fixture *f = *state;

	f->probe->activate_result = -EINVAL;
	assert_false(driver_start(&f->driver, GOOD, 16));
	assert_int_equal(driver_reg(&f->driver, REG_STATUS), 15 | 64);
	assert_int_equal(driver_reg(&f->driver, REG_INTERRUPT_STATUS), 2);
	assert_int_equal(driver_irqs(&f->driver), 1);
	assert_int_equal(driver_pump(&f->driver), 0);
}

static void kicks_reach_the_device_only_while_it_runs(void **state)
{
	struct fixture *f = *state;
	int fd = virtio_mmio_notify_fd(f->driver.mmio, 1);

	for (enum stage stage = S_RESET; stage < S_RUNNING; stage++) {
		go(f, stage);
		driver_kick(&f->driver, 1);
		event_notifier_signal(fd); /* as KVM does, not asking */
		(void)driver_pump(&f->driver);
		assert_int_equal(f->probe->ready[1], 0);
	}
	go(f, S_RUNNING);
	(void)driver_pump(&f->driver);
	driver_kick(&f->driver, 1);
	(void)driver_pump(&f->driver);
	event_notifier_signal(fd);
	(void)driver_pump(&f->driver);
	assert_int_equal(f->probe->ready[1], 3);
	driver_kick(&f->driver, 1);
	driver_reg_set(&f->driver, REG_STATUS, 0);
	(void)driver_pump(&f->driver);
	assert_int_equal(f->probe->ready[1], 3);
	assert_int_equal(f->probe->ready[0], 1);
}

static void again_comes_back(void **state)
{
	struct fixture *f = *state;

	f->probe->again_once = true;
	assert_true(driver_start(&f->driver, GOOD, 16));
	assert_int_equal(driver_pump(&f->driver), 3);
	assert_int_equal(f->probe->ready[0], 2);
}

static void interrupts_are_seen_until_acknowledged(void **state)
{
	struct fixture *f = *state;
	struct driver *d = &f->driver;

	virtio_host_interrupt(f->probe->host); /* before DRIVER_OK: nothing */
	assert_int_equal(driver_reg(d, REG_INTERRUPT_STATUS), 0);
	assert_true(driver_start(d, GOOD, 16));
	virtio_host_interrupt(f->probe->host);
	virtio_host_config_changed(f->probe->host);
	assert_int_equal(driver_irqs(d), 2);
	assert_int_equal(driver_reg(d, REG_INTERRUPT_STATUS), 3);
	driver_reg_set(d, REG_INTERRUPT_ACK, 1);
	assert_int_equal(driver_reg(d, REG_INTERRUPT_STATUS), 2);
	driver_reg_set(d, REG_INTERRUPT_ACK, UINT32_MAX);
	assert_int_equal(driver_reg(d, REG_INTERRUPT_STATUS), 0);
	assert_int_equal(driver_irqs(d), 0);
}

static void a_config_change_moves_the_generation(void **state)
{
	struct fixture *f = *state;
	uint32_t before = driver_reg(&f->driver, REG_CONFIG_GENERATION);

	virtio_host_config_changed(f->probe->host);
	assert_int_not_equal(driver_reg(&f->driver, REG_CONFIG_GENERATION),
			     before);
	assert_int_equal(driver_irqs(&f->driver), 0);
}

static void a_fault_stops_the_device_until_reset(void **state)
{
	struct fixture *f = *state;
	struct driver *d = &f->driver;

	assert_true(driver_start(d, GOOD, 16));
	f->probe->fault_on_ready = true;
	(void)driver_pump(d);
	assert_int_equal(f->probe->ready[0], 1);
	assert_int_equal(f->probe->ready[1], 0); /* not called any more */
	assert_int_equal(driver_reg(d, REG_STATUS), 15 | 64);
	assert_int_equal(driver_reg(d, REG_INTERRUPT_STATUS), 2);
	assert_int_equal(driver_irqs(d), 1);
	assert_true(f->probe->queues[1].stopped);
	virtio_host_fault(f->probe->host); /* said once */
	virtio_host_interrupt(f->probe->host);
	assert_int_equal(driver_irqs(d), 0);
	driver_reg_set(d, REG_STATUS, 15); /* a driver that echoes */
	assert_int_equal(driver_reg(d, REG_STATUS), 15 | 64);
	driver_reg_set(d, REG_STATUS, 15 | 64 | 128);
	assert_int_equal(driver_reg(d, REG_STATUS), 15 | 64 | 128);
	f->probe->fault_on_ready = false;
	assert_true(driver_start(d, GOOD, 16));
	assert_int_equal(driver_pump(d), 2);
}

static void a_reset_forgets_everything(void **state)
{
	struct fixture *f = *state;
	struct driver *d = &f->driver;

	for (enum stage stage = S_RESET; stage < S_COUNT; stage++) {
		go(f, stage);
		virtio_host_interrupt(f->probe->host);
		unsigned resets = f->probe->resets;
		driver_reg_set(d, REG_QUEUE_SEL, 1);
		driver_reg_set(d, REG_STATUS, 0);
		assert_int_equal(f->probe->resets, resets + 1);
		assert_int_equal(driver_reg(d, REG_STATUS), 0);
		assert_int_equal(driver_reg(d, REG_INTERRUPT_STATUS), 0);
		for (unsigned i = 0; i < 2; i++) {
			driver_reg_set(d, REG_QUEUE_SEL, i);
			assert_int_equal(driver_reg(d, REG_QUEUE_READY), 0);
		}
		/* The features of before do not carry over. */
		driver_reg_set(d, REG_STATUS, 3);
		driver_reg_set(d, REG_STATUS, 11);
		assert_int_equal(driver_reg(d, REG_STATUS), 3);
	}
}

static void another_size_after_a_reset(void **state)
{
	struct fixture *f = *state;

	assert_true(driver_start(&f->driver, GOOD, 64));
	assert_int_equal(f->probe->queues[0].size, 64);
	assert_true(driver_start(&f->driver, VIRTIO_F_VERSION_1, 2));
	assert_int_equal(f->probe->queues[0].size, 2);
	assert_false(f->probe->queues[0].event_idx);
}

/* Configuration space */

static void config_reads_any_width_and_zeroes_outside(void **state)
{
	static const struct {
		unsigned offset;
		size_t len;
		uint64_t value;
	} rows[] = {
		{0, 1, 0x10},
		{9, 1, 0x19},
		{3, 2, 0x1413},
		{4, 4, 0x17161514},
		{0, 8, 0x1716151413121110},
		{8, 4, 0x1918}, /* the end is zero */
		{9, 8, 0x19},
		{10, 4, 0},
		{0xef8, 8, 0},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t got = UINT64_MAX;
		uint64_t mask = UINT64_MAX >> (64 - 8 * rows[i].len);

		driver_config(&f->driver, rows[i].offset, &got, rows[i].len);
		assert_true((got & mask) == rows[i].value);
	}
}

static void config_writes_stay_inside(void **state)
{
	struct fixture *f = *state;
	const uint64_t ones = UINT64_MAX;
	struct virtio_mmio *mmio = f->driver.mmio;

	virtio_mmio_bus_ops.write(mmio, REG_CONFIG, &ones, 1);
	assert_int_equal(f->probe->config[0], 0x10); /* no DRIVER yet */
	driver_reg_set(&f->driver, REG_STATUS, 3);
	virtio_mmio_bus_ops.write(mmio, REG_CONFIG + 8, &ones, 4);
	virtio_mmio_bus_ops.write(mmio, REG_CONFIG + 10, &ones, 1);
	assert_int_equal(f->probe->config[8], 0x18);
	virtio_mmio_bus_ops.write(mmio, REG_CONFIG + 8, &ones, 2);
	virtio_mmio_bus_ops.write(mmio, REG_CONFIG, &ones, 1);
	assert_int_equal(f->probe->config[9], 0xff);
	assert_int_equal(f->probe->config[0], 0xff);
}

/* Threads: a loop that works, a vCPU that kicks, resets and acknowledges */

#define ROUNDS 300

static void *run_loop(void *loop)
{
	assert_int_equal(event_loop_run(loop), 0);
	return NULL;
}

static void a_reset_may_come_at_any_time(void **state)
{
	struct fixture *f = *state;
	struct driver *d = &f->driver;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, run_loop, d->loop), 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		assert_true(driver_start(d, GOOD, 16));
		driver_kick(d, i % 2);
		virtio_host_lock(f->probe->host);
		virtio_host_interrupt(f->probe->host);
		virtio_host_unlock(f->probe->host);
		(void)driver_reg(d, REG_INTERRUPT_STATUS);
		driver_reg_set(d, REG_INTERRUPT_ACK, 3);
		if (i % 3 == 0)
			driver_reg_set(d, REG_STATUS, 0);
	}
	event_loop_stop(d->loop);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(f->probe->activations, ROUNDS);
}

/* Snapshots */

/* The state writes through it. NOLINTNEXTLINE(*-non-const-parameter) */
static size_t save(struct fixture *f, uint8_t *bytes, size_t size)
{
	struct state state = {bytes, size, 0, true, false};

	assert_int_equal(virtio_mmio_save(f->driver.mmio, &state), 0);
	return state.at;
}

/* Takes the place of f's transport by a new one over the same RAM.
 * NOLINTNEXTLINE(readability-non-const-parameter): as in save() */
static int restore(struct fixture *f, uint8_t *bytes, size_t len)
{
	struct state state = {bytes, len, 0, false, false};
	struct probe *probe = calloc(1, sizeof(*probe));
	const struct virtio_mmio_setup setup = {
		.ops = &probe_ops,
		.device = probe,
		.memory = &f->driver.memory,
		.irq = {.event_fd = f->driver.irq_fd},
		.loop = f->driver.loop,
	};

	virtio_mmio_destroy(f->driver.mmio);
	assert_int_equal(virtio_mmio_create(&setup, &f->driver.mmio, NULL), 0);
	f->probe = probe;
	return virtio_mmio_restore(f->driver.mmio, &state);
}

static void a_running_device_is_restored(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[512];
	size_t len;

	assert_true(driver_start(&f->driver, GOOD, 16));
	(void)driver_pump(&f->driver);
	f->probe->saved = 77;
	virtio_host_interrupt(f->probe->host);
	(void)driver_irqs(&f->driver);
	len = save(f, bytes, sizeof(bytes));
	assert_int_equal(restore(f, bytes, len), 0);
	assert_int_equal(f->probe->saved, 77);
	assert_int_equal(f->probe->activations, 1);
	assert_true(f->probe->features == GOOD);
	assert_true(f->probe->queues[1].ready);
	assert_int_equal(driver_reg(&f->driver, REG_STATUS), 15);
	assert_int_equal(driver_reg(&f->driver, REG_INTERRUPT_STATUS), 1);
	assert_int_equal(driver_irqs(&f->driver), 1); /* raised again */
	assert_int_equal(driver_pump(&f->driver), 2);
}

static void a_device_in_each_stage_is_restored(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[512];

	for (enum stage stage = S_RESET; stage < S_COUNT; stage++) {
		go(f, stage);
		size_t len = save(f, bytes, sizeof(bytes));
		assert_int_equal(restore(f, bytes, len), 0);
		assert_int_equal(driver_reg(&f->driver, REG_STATUS),
				 stage_status[stage]);
		assert_int_equal(f->probe->activations, stage == S_RUNNING);
		assert_true(driver_start(&f->driver, GOOD, 4));
	}
}

static void restore_refuses_impossible_states(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} rows[] = {
		{0, 4},  /* interrupt of no kind */
		{4, 7},  /* DRIVER_OK without FEATURES_OK */
		{4, 3},  /* ready queues before FEATURES_OK */
		{4, 47}, /* an unknown status bit */
		{24, 1}, /* a feature that was not offered */
		{28, 0}, /* no VERSION_1 */
		{32, 2}, /* neither yes nor no */
	};
	struct fixture *f = *state;
	uint8_t bytes[512];
	uint8_t bent[512];
	size_t len;

	assert_true(driver_start(&f->driver, GOOD, 16));
	len = save(f, bytes, sizeof(bytes));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		memcpy(bent, bytes, len);
		bent[rows[i].at] = rows[i].value;
		if (restore(f, bent, len) != -EINVAL)
			fail_msg("row %zu", i);
		assert_int_equal(f->probe->activations, 0);
	}
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(restore(f, bytes, cut), -EINVAL);
}

static void destroy_takes_null_and_the_device(void **state)
{
	struct driver driver;

	(void)state;
	virtio_mmio_destroy(NULL);
	probe_destroyed = false;
	driver_open(&driver, &probe_ops, calloc(1, sizeof(struct probe)));
	driver_close(&driver);
	assert_true(probe_destroyed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(registers_read_as_the_table_says),
		TEST(registers_not_writable_ignore_writes),
		TEST(other_widths_and_alignments_are_nothing),
		TEST(status_follows_the_steps),
		TEST(features_are_a_subset_or_refused),
		TEST(a_driver_may_try_again_with_fewer_features),
		TEST(features_beyond_64_are_refused),
		TEST(features_are_fixed_after_features_ok),
		TEST(features_wait_for_the_driver_bit),
		TEST(queues_can_be_set_up_in_one_stage_only),
		TEST(a_ready_queue_cannot_be_moved),
		TEST(bad_rings_need_a_reset),
		TEST(a_queue_that_is_not_there),
		TEST(activation_looks_at_every_queue),
		TEST(a_failed_activation_needs_a_reset),
		TEST(kicks_reach_the_device_only_while_it_runs),
		TEST(again_comes_back),
		TEST(interrupts_are_seen_until_acknowledged),
		TEST(a_config_change_moves_the_generation),
		TEST(a_fault_stops_the_device_until_reset),
		TEST(a_reset_forgets_everything),
		TEST(another_size_after_a_reset),
		TEST(config_reads_any_width_and_zeroes_outside),
		TEST(config_writes_stay_inside),
		TEST(a_reset_may_come_at_any_time),
		TEST(a_running_device_is_restored),
		TEST(a_device_in_each_stage_is_restored),
		TEST(restore_refuses_impossible_states),
		cmocka_unit_test(destroy_takes_null_and_the_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
