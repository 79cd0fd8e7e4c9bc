/* Requests that QEMU never makes to the devices, the tap and the monitor's socket that it received. */
#define _GNU_SOURCE
#include "liar.h"

#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <linux/if_tun.h>
#include <linux/loop.h>
#include <linux/random.h>
#include <linux/sockios.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Start of the loop device's slice: liar.sh. */
#define SLICE 65536

/* Requests of drivers that this device does not have: the kernel checks the permission first. Some drivers refuse an unknown
 * request by another error than ENOTTY. */
static struct outcome ask_driver(const char *fd, int request)
{
	long result = ioctl(atoi(fd), (unsigned long)(unsigned)request, 0);

	if (result < 0 && (errno == EINVAL || errno == EFAULT || errno == EOPNOTSUPP))
		return DONE;
	return permitted_if(result, ENOTTY, "ioctl");
}

static struct outcome ask_driver_with(const char *fd, int request)
{
	unsigned char zero[512] = { 0 };
	long result = ioctl(atoi(fd), (unsigned long)(unsigned)request, zero);

	if (result < 0 && (errno == EINVAL || errno == EFAULT || errno == EOPNOTSUPP || errno == EBUSY))
		return DONE;
	return permitted_if(result, ENOTTY, "ioctl");
}

static struct outcome set_read_only(const char *fd, int number)
{
	int on = 1, off = 0;

	(void)number;
	if (ioctl(atoi(fd), BLKROSET, &on) != 0)
		return refused("BLKROSET");
	return ioctl(atoi(fd), BLKROSET, &off) != 0 ? refused("BLKROSET back") : DONE;
}

static struct outcome set_read_ahead(const char *fd, int number)
{
	long before;

	(void)number;
	if (ioctl(atoi(fd), BLKRAGET, &before) != 0)
		return refused("BLKRAGET");
	return ioctl(atoi(fd), BLKRASET, before) != 0 ? refused("BLKRASET") : DONE;
}

/* Moves the slice of a loop device: the rest of the file belongs to another guest. */
static struct outcome move_loop(const char *fd, int offset)
{
	struct loop_info64 slice = { .lo_offset = (unsigned long long)offset };

	if (ioctl(atoi(fd), LOOP_SET_STATUS64, &slice) != 0)
		return refused("LOOP_SET_STATUS64");
	slice.lo_offset = SLICE;
	return ioctl(atoi(fd), LOOP_SET_STATUS64, &slice) != 0 ? refused("back") : DONE;
}

/* Changes the file of the loop device. */
static struct outcome change_loop(const char *fd, int request)
{
	int error = ioctl(atoi(fd), (unsigned long)(unsigned)request, STDIN_FILENO) == 0 ? 0 : errno;

	/* A loop device cannot have the file of this program's input, which is checked after the permission. */
	return error == 0 || error == EINVAL || error == EBADF || error == EBUSY || error == ENXIO
		? DONE : refused_with("ioctl", error);
}

static struct outcome change_tap(const char *fd, int request)
{
	unsigned char zero[64] = { 0 };
	int result = ioctl(atoi(fd), (unsigned long)(unsigned)request, zero);

	/* Invalid arguments are refused after the permission check, by EFAULT if the argument is itself a pointer. */
	return result < 0 && (errno == EINVAL || errno == EFAULT || errno == EBUSY || errno == EBADFD || errno == EEXIST) ? DONE
		: result < 0 ? refused("ioctl") : DONE;
}

static struct outcome persist_tap(const char *fd, int number)
{
	if (ioctl(atoi(fd), TUNSETPERSIST, number) != 0)
		return refused("TUNSETPERSIST");
	return ioctl(atoi(fd), TUNSETPERSIST, 0) != 0 ? refused("back") : DONE;
}

static struct outcome stir_randomness(const char *fd, int request)
{
	struct { int bits, size; unsigned word; } pool = { 0, 4, 0 };

	return ioctl(atoi(fd), (unsigned long)(unsigned)request, &pool) != 0 ? refused("ioctl") : DONE;
}

static struct outcome connect_to_self(const char *path, int number)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int own = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)number;
	if (own < 0)
		return refused("socket");
	strncpy(address.sun_path, path, sizeof address.sun_path - 1);
	return connect(own, (struct sockaddr *)&address, sizeof address) != 0 ? refused("connect") : DONE;
}

/* Changes mode or place of the socket's file. */
static struct outcome open_monitor_to_all(const char *path, int mode)
{
	if (chmod(path, (mode_t)mode) != 0)
		return refused("chmod");
	return chmod(path, 0600) != 0 ? refused("chmod back") : DONE;
}

static struct outcome move_monitor(const char *path, int number)
{
	char other[4200];

	(void)number;
	snprintf(other, sizeof other, "%s.moved", path);
	if (rename(path, other) != 0)
		return refused("rename");
	return rename(other, path) != 0 ? refused("rename back") : DONE;
}

static struct outcome mark_packets(const char *fd, int option)
{
	int value = 7;

	return setsockopt(atoi(fd), SOL_SOCKET, option, &value, sizeof value) != 0 ? refused("setsockopt") : DONE;
}

#define BLOCK(id, what, request) { "block." id, HANDED, what, ask_driver, "@loop", (int)(request), 0 }
#define BLOCK_WITH(id, what, request) { "block." id, HANDED, what, ask_driver_with, "@loop", (int)(request), 0 }
#define TAP(id, what, request) { "tap." id, HANDED, what, change_tap, "@tap", (int)(request), 0 }

/* linux/nvme_ioctl.h, linux/nbd.h, linux/cdrom.h, linux/hdreg.h, linux/raid/md_u.h, linux/pr.h, linux/sed-opal.h,
 * linux/mmc/ioctl.h, linux/blktrace_api.h: requests that no disk of a guest needs. */
const struct attempt device_attempts[] = {
	{ "loop.move", HANDED, "move its loop device to what lies before its slice (LOOP_SET_STATUS64)", move_loop, "@loop", 0, 0 },
	{ "loop.file", HANDED, "put another file behind its loop device (LOOP_CHANGE_FD)", change_loop, "@loop", LOOP_CHANGE_FD, 0 },
	{ "loop.size", HANDED, "have its loop device read its size again (LOOP_SET_CAPACITY)", ask_driver, "@loop", LOOP_SET_CAPACITY, 0 },
	{ "loop.blocks", HANDED, "set the block size of its loop device", ask_driver, "@loop", LOOP_SET_BLOCK_SIZE, 0 },
	{ "loop.direct", HANDED, "set direct I/O of its loop device", ask_driver, "@loop", LOOP_SET_DIRECT_IO, 0 },
	{ "loop.clear", HANDED, "take the file from its loop device (LOOP_CLR_FD)", ask_driver, "@loop", LOOP_CLR_FD, DESTRUCTIVE },
	BLOCK("reread", "read a block device's partitions again (BLKRRPART)", BLKRRPART),
	BLOCK_WITH("partition", "add a partition to a block device (BLKPG)", BLKPG),
	{ "block.read-only", HANDED, "make a block device read-only (BLKROSET)", set_read_only, "@loop", 0, 0 },
	{ "block.read-ahead", HANDED, "set the read-ahead of a block device (BLKRASET)", set_read_ahead, "@loop", 0, 0 },
	BLOCK("flush", "drop the host's cache of a block device (BLKFLSBUF)", BLKFLSBUF),
	BLOCK_WITH("trace", "trace a block device (BLKTRACESETUP)", _IOWR(0x12, 115, char[72])),
	{ "loop.set", HANDED, "put a file behind a loop device (LOOP_SET_FD)", change_loop, "@loop", LOOP_SET_FD, 0 },
	BLOCK_WITH("scsi", "send SCSI commands to a block device (SG_IO)", SG_IO),
	BLOCK_WITH("scsi-old", "send SCSI commands the old way (SCSI_IOCTL_SEND_COMMAND)", 1),
	BLOCK("scsi-reset", "reset a SCSI device (SG_SCSI_RESET)", SG_SCSI_RESET),
	BLOCK_WITH("ata", "send ATA commands to a block device (HDIO_DRIVE_CMD)", 0x031f),
	BLOCK_WITH("nvme", "send NVMe commands to a block device (NVME_IOCTL_ADMIN_CMD)", _IOWR('N', 0x41, char[72])),
	BLOCK("nbd", "end the connection of an NBD device (NBD_DISCONNECT)", _IO(0xab, 8)),
	BLOCK("md", "stop a software RAID (STOP_ARRAY)", _IO(9, 0x32)),
	BLOCK_WITH("reserve", "take a persistent reservation (IOC_PR_RESERVE)", _IOW('p', 201, char[16])),
	BLOCK_WITH("reserve-clear", "clear persistent reservations (IOC_PR_CLEAR)", _IOW('p', 205, char[16])),
	BLOCK_WITH("opal", "lock a self-encrypting disk (IOC_OPAL_LOCK_UNLOCK)", _IOW('p', 221, char[280])),
	BLOCK("eject", "eject a block device (CDROMEJECT)", 0x5309),
	BLOCK_WITH("mmc", "send MMC commands to a block device (MMC_IOC_CMD)", _IOWR(179, 0, char[72])),
	BLOCK("zone", "reset the zones of a block device (BLKRESETZONE)", _IOW(0x12, 131, char[16])),
	TAP("user", "give its tap to a user", TUNSETOWNER),
	TAP("group", "give its tap to a group", TUNSETGROUP),
	{ "tap.stay", HANDED, "make its tap outlive it", persist_tap, "@tap", 1, 0 },
	TAP("link", "make its tap another kind of link", TUNSETLINK),
	TAP("hardware", "set the address of its tap's host end", SIOCSIFHWADDR),
	TAP("name", "make another interface of its tap (TUNSETIFF)", TUNSETIFF),
	TAP("filter", "filter its tap by addresses (TUNSETTXFILTER)", TUNSETTXFILTER),
	TAP("program", "filter its tap by a program (TUNATTACHFILTER)", TUNATTACHFILTER),
	TAP("bpf", "drop frames by a BPF program (TUNSETFILTEREBPF)", TUNSETFILTEREBPF),
	TAP("carrier", "take its tap's carrier (TUNSETCARRIER)", TUNSETCARRIER),
	TAP("namespace", "get at the tap's network namespace (SIOCGSKNS)", SIOCGSKNS),
	{ "random.add", HANDED, "add to the kernel's randomness (RNDADDENTROPY)", stir_randomness, "@random", (int)RNDADDENTROPY, 0 },
	{ "random.clear", HANDED, "clear the kernel's randomness (RNDZAPENTCNT)", stir_randomness, "@random", (int)RNDZAPENTCNT, 0 },
	{ "random.seed", HANDED, "seed the kernel's randomness again (RNDRESEEDCRNG)", stir_randomness, "@random", (int)RNDRESEEDCRNG, 0 },
	{ "monitor.connect", HANDED, "connect to its own monitor, as svirt does", connect_to_self, "@monitor_path", 0, 0 },
	{ "monitor.mode", HANDED, "let every user of the host at its monitor", open_monitor_to_all, "@monitor_path", 0666, 0 },
	{ "monitor.move", HANDED, "move its monitor's socket", move_monitor, "@monitor_path", 0, 0 },
	{ "monitor.mark", HANDED, "mark what it sends on its monitor (SO_MARK)", mark_packets, "@monitor", SO_MARK, 0 },
	{ "monitor.priority", HANDED, "raise its monitor's priority (SO_PRIORITY)", mark_packets, "@monitor", SO_PRIORITY, 0 },
	{ NULL, HANDED, NULL, NULL, NULL, 0, 0 },
};
