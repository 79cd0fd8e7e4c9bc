/* Entries of its folder that are traps for svirt when it removes, opens or lists them. */
#define _GNU_SOURCE
#include "liar.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Creates each level by its parent's descriptor, since no path is that long. Stops early on a full file system. */
static int dig(int levels)
{
	int at = open(".", O_PATH | O_DIRECTORY);

	for (int level = 0; at >= 0 && level < levels; level++) {
		if (mkdirat(at, "d", 0700) != 0)
			return level > 100 ? 0 : -1;
		int next = openat(at, "d", O_PATH | O_DIRECTORY | O_NOFOLLOW);
		close(at);
		at = next;
	}
	return at < 0 ? -1 : close(at);
}

/* Moves each level out of the one above it, so that no path is long, and each folder is empty when it is removed. */
int undig(const char *top)
{
	if (chdir(top) != 0)
		return -1;
	while (rename("d/d", "next") == 0)
		if (rmdir("d") != 0 || rename("next", "d") != 0)
			return -1;
	return rmdir("d");
}

static int make_odd_names(void)
{
	static const char *const names[] = { "-rf", "*", "$(reboot)", "`reboot`", "a\nb", "\x1b[2J", "\xff\xfe", " ", "...",
		"'", "\"", "\\", "%s%n", "pid", "exit", "record.json" };
	char longest[256];

	memset(longest, '\xc3', 255);
	longest[255] = 0;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (mkdir(names[i], 0) != 0)
			return -1;
	return mkdir(longest, 0);
}

/* Paths of sockets of svirt or QEMU, at which symlinks are placed. */
static const char *const looked_at[] = { "vnc.sock", "spice.sock", "swtpm.sock", "card0.sock", "fs0-fs.sock", "screenshot",
	"monitor.sock", "org.qemu.guest_agent.0", "channel0.sock", "core" };

static int lead_away(const char *to)
{
	for (size_t i = 0; i < sizeof looked_at / sizeof *looked_at; i++) {
		unlink(looked_at[i]);
		if (symlink(to, looked_at[i]) != 0)
			return -1;
	}
	return 0;
}

static int put_fifos(void)
{
	for (size_t i = 0; i < sizeof looked_at / sizeof *looked_at; i++) {
		unlink(looked_at[i]);
		if (mkfifo(looked_at[i], 0666) != 0)
			return -1;
	}
	return 0;
}

static int put_folders(void)
{
	for (size_t i = 0; i < sizeof looked_at / sizeof *looked_at; i++) {
		unlink(looked_at[i]);
		if (mkdir(looked_at[i], 0) != 0)
			return -1;
	}
	return 0;
}

static int put_sparse(void)
{
	int fd = open("sparse", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	return fd < 0 || ftruncate(fd, 1L << 42) != 0 ? -1 : close(fd);
}

int set_trap(const char *how, const char *victims)
{
	char file[4200];

	snprintf(file, sizeof file, "%s/file", victims);
	if (strcmp(how, "deep") == 0)
		return dig(10000);
	if (strcmp(how, "names") == 0)
		return make_odd_names();
	if (strcmp(how, "symlinks") == 0)
		return lead_away(file);
	if (strcmp(how, "folder-links") == 0)
		return lead_away(victims);
	if (strcmp(how, "loops") == 0)
		return lead_away("vnc.sock");
	if (strcmp(how, "fifos") == 0)
		return put_fifos();
	if (strcmp(how, "folders") == 0)
		return put_folders();
	if (strcmp(how, "sparse") == 0)
		return put_sparse();
	errno = EINVAL;
	return -1;
}
