/* Of devices, the tap and the monitor's socket that it was handed: what QEMU never asks of them. */
#define _GNU_SOURCE
#include "liar.h"

#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <linux/if_tun.h>
#include <linux/random.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Requests of drivers that this device does not have: the right is asked for first. Some drivers know no such request by
 * another error than ENOTTY. */
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

static struct outcome change_tap(const char *fd, int request)
{
	unsigned char zero[64] = { 0 };
	int result = ioctl(atoi(fd), (unsigned long)(unsigned)request, zero);

	/* Nonsense is refused after the right was asked for, and by EFAULT where the argument is a pointer in itself. */
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

/* The socket's file: its mode, its place. */
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

const struct attempt device_attempts[] = {
	BLOCK("reread", "read a block device's partitions again (BLKRRPART)", BLKRRPART),
	BLOCK_WITH("partition", "add a partition to a block device (BLKPG)", BLKPG),
	{ "block.read-only", HANDED, "make a block device read-only (BLKROSET)", set_read_only, "@loop", 0, 0 },
	{ "block.read-ahead", HANDED, "set the read-ahead of a block device (BLKRASET)", set_read_ahead, "@loop", 0, 0 },
	BLOCK("flush", "drop the host's cache of a block device (BLKFLSBUF)", BLKFLSBUF),
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
