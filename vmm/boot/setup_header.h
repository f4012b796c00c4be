/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setup_header - offsets of the Linux setup header, from the start of a bzImage
 * as of the zero page. Linux Documentation/x86/boot.rst, protocol 2.15.
 */
#ifndef KILN_BOOT_SETUP_HEADER_H
#define KILN_BOOT_SETUP_HEADER_H

#define SETUP_SETUP_SECTS        0x1f1 /* u8 */
#define SETUP_SYSSIZE            0x1f4 /* u32, units of 16 bytes */
#define SETUP_BOOT_FLAG          0x1fe /* u16 */
#define SETUP_JUMP_LENGTH        0x201 /* u8: the header ends 0x202 + this */
#define SETUP_HEADER_MAGIC       0x202 /* u32 */
#define SETUP_VERSION            0x206 /* u16 */
#define SETUP_TYPE_OF_LOADER     0x210 /* u8 */
#define SETUP_LOADFLAGS          0x211 /* u8 */
#define SETUP_RAMDISK_IMAGE      0x218 /* u32 */
#define SETUP_RAMDISK_SIZE       0x21c /* u32 */
#define SETUP_CMD_LINE_PTR       0x228 /* u32 */
#define SETUP_INITRD_ADDR_MAX    0x22c /* u32, address of the last byte */
#define SETUP_KERNEL_ALIGNMENT   0x230 /* u32 */
#define SETUP_RELOCATABLE_KERNEL 0x234 /* u8 */
#define SETUP_XLOADFLAGS         0x236 /* u16 */
#define SETUP_CMDLINE_SIZE       0x238 /* u32, the NUL not included */
#define SETUP_SETUP_DATA         0x250 /* u64 */
#define SETUP_PREF_ADDRESS       0x258 /* u64 */
#define SETUP_INIT_SIZE          0x260 /* u32 */
#define SETUP_END_2_12           0x268 /* where the header of 2.12 ends */

#define SETUP_BOOT_FLAG_VALUE     0xaa55
#define SETUP_MAGIC_VALUE         0x53726448u /* "HdrS" */
#define SETUP_VERSION_2_12        0x020c
#define SETUP_LOADED_HIGH         0x01
#define SETUP_XLF_KERNEL_64       0x0001
#define SETUP_LOADER_UNREGISTERED 0xff

#endif
