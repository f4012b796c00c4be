/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first process of a guest whose boot is measured: says so on the console
 * that the kernel opened for it, and restarts, which ends the machine. No C
 * library: nothing of it is to be measured.
 */
#include <linux/reboot.h>
#include <sys/syscall.h>

static long call(long number, long a, long b, long c)
{
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return r;
}

void _start(void);
void _start(void)
{
	static const char text[] = "init\n";

	(void)call(SYS_write, 1, (long)text, sizeof(text) - 1);
	for (;;)
		(void)call(SYS_reboot, (long)LINUX_REBOOT_MAGIC1,
			   LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_RESTART);
}
