/* Acts on its log, to which it may only append. Descriptor 2, to which QEMU writes its messages. */
#define _GNU_SOURCE
#include "liar.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Zeroes existing content: done if the file system can punch holes. */
static struct outcome punch(const char *fd, int mode)
{
	return fallocate(atoi(fd), mode, 0, 4096) != 0 ? refused("fallocate") : DONE;
}

static struct outcome empty(const char *fd, int size)
{
	return ftruncate(atoi(fd), size) != 0 ? refused("ftruncate") : DONE;
}

/* Without O_APPEND, writing overwrites existing content. */
static struct outcome overwrite(const char *fd, int number)
{
	int log = atoi(fd), flags = fcntl(log, F_GETFL);

	(void)number;
	if (fcntl(log, F_SETFL, flags & ~O_APPEND) != 0)
		return refused("F_SETFL");
	ssize_t size = pwrite(log, "LIE", 3, 0);
	struct outcome outcome = size == 3 ? DONE : refused("pwrite");
	if (fcntl(log, F_SETFL, flags) != 0)
		return refused("F_SETFL back");
	return outcome;
}

static struct outcome open_again(const char *fd, int flags)
{
	char name[64];

	snprintf(name, sizeof name, "/proc/self/fd/%s", fd);
	return open(name, flags | O_CLOEXEC | O_NONBLOCK) < 0 ? refused("open") : DONE;
}

static struct outcome set_log_mode(const char *fd, int mode)
{
	struct stat before;

	if (fstat(atoi(fd), &before) != 0)
		return refused("fstat");
	if (fchmod(atoi(fd), (mode_t)mode) != 0)
		return refused("fchmod");
	return fchmod(atoi(fd), before.st_mode & 07777) != 0 ? refused("fchmod back") : DONE;
}

static struct outcome take_log(const char *fd, int number)
{
	struct stat before;

	(void)number;
	if (fstat(atoi(fd), &before) != 0)
		return refused("fstat");
	if (fchown(atoi(fd), geteuid() ? geteuid() : 12345, (gid_t)-1) != 0)
		return refused("fchown");
	return fchown(atoi(fd), before.st_uid, (gid_t)-1) != 0 ? refused("fchown back") : DONE;
}

static struct outcome label_log(const char *fd, int number)
{
	static const char label[] = "system_u:object_r:svirt_image_t:s0";
	char before[256];
	ssize_t size = fgetxattr(atoi(fd), "security.selinux", before, sizeof before);

	(void)number;
	if (fsetxattr(atoi(fd), "security.selinux", label, sizeof label, 0) != 0)
		return refused("fsetxattr");
	return size < 0 || fsetxattr(atoi(fd), "security.selinux", before, (size_t)size, 0) != 0 ? refused("back") : DONE;
}

static struct outcome mark_log(const char *fd, int number)
{
	(void)number;
	if (fsetxattr(atoi(fd), "user.liar", "x", 1, 0) != 0)
		return refused("fsetxattr");
	return fremovexattr(atoi(fd), "user.liar") != 0 ? refused("fremovexattr") : DONE;
}

static struct outcome lock_log(const char *fd, int command)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(atoi(fd), command, &lock) != 0)
		return refused("fcntl");
	lock.l_type = F_UNLCK;
	return fcntl(atoi(fd), command, &lock) != 0 ? refused("unlock") : DONE;
}

static struct outcome flock_log(const char *fd, int number)
{
	(void)number;
	if (flock(atoi(fd), LOCK_EX | LOCK_NB) != 0)
		return refused("flock");
	return flock(atoi(fd), LOCK_UN) != 0 ? refused("unlock") : DONE;
}

static struct outcome lease_log(const char *fd, int number)
{
	(void)number;
	if (fcntl(atoi(fd), F_SETLEASE, F_WRLCK) != 0)
		return permitted_if(-1, EAGAIN, "F_SETLEASE");
	return fcntl(atoi(fd), F_SETLEASE, F_UNLCK) != 0 ? refused("back") : DONE;
}

static struct outcome flag_log(const char *fd, int flag)
{
	long before, after;

	if (ioctl(atoi(fd), FS_IOC_GETFLAGS, &before) != 0)
		return refused("FS_IOC_GETFLAGS");
	after = before | flag;
	if (ioctl(atoi(fd), FS_IOC_SETFLAGS, &after) != 0)
		return refused("FS_IOC_SETFLAGS");
	return ioctl(atoi(fd), FS_IOC_SETFLAGS, &before) != 0 ? refused("back") : DONE;
}

static struct outcome watch_log(const char *fd, int number)
{
	char name[64];
	int watcher = inotify_init1(IN_CLOEXEC);

	(void)number;
	snprintf(name, sizeof name, "/proc/self/fd/%s", fd);
	if (watcher < 0)
		return refused("inotify_init");
	return inotify_add_watch(watcher, name, IN_OPEN | IN_ACCESS) < 0 ? refused("inotify_add_watch") : DONE;
}

static struct outcome list_logs(const char *fd, int number)
{
	char name[64], path[4096];

	(void)number;
	snprintf(name, sizeof name, "/proc/self/fd/%s", fd);
	ssize_t size = readlink(name, path, sizeof path - 1);
	if (size < 0)
		return refused("readlink");
	path[size] = 0;
	char *slash = strrchr(path, '/');
	if (!slash)
		return refused_with("not a file", 0);
	*slash = 0;
	return list_folder(path, 0);
}

const struct attempt log_attempts[] = {
	{ "log.read", LIMITS, "read its log back", open_again, "@log", O_RDONLY, 0 },
	{ "log.reopen", LIMITS, "open its log without O_APPEND", open_again, "@log", O_WRONLY, 0 },
	{ "log.folder", LIMITS, "list the folder of the logs", list_logs, "@log", 0, 0 },
	{ "log.mode", LIMITS, "make its log a setuid program", set_log_mode, "@log", 04777, 0 },
	{ "log.owner", LIMITS, "become the owner of its log", take_log, "@log", 0, 0 },
	{ "log.label", LIMITS, "give its log another label", label_log, "@log", 0, 0 },
	{ "log.attribute", LIMITS, "put a user.* attribute on its log", mark_log, "@log", 0, 0 },
	{ "log.lock-ofd", LIMITS, "lock its log, by open file", lock_log, "@log", F_OFD_SETLK, 0 },
	{ "log.lock-process", LIMITS, "lock its log, by process", lock_log, "@log", F_SETLK, 0 },
	{ "log.flock", LIMITS, "lock its log as a whole", flock_log, "@log", 0, 0 },
	{ "log.lease", LIMITS, "take a lease on its log", lease_log, "@log", 0, 0 },
	{ "log.immutable", LIMITS, "make its log immutable", flag_log, "@log", FS_IMMUTABLE_FL, 0 },
	{ "log.watch", LIMITS, "watch who reads its log", watch_log, "@log", 0, 0 },
	{ "log.overwrite", LIMITS, "overwrite its log", overwrite, "@log", 0, DESTRUCTIVE },
	{ "log.punch", LIMITS, "erase its log by a hole", punch, "@log", FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, DESTRUCTIVE },
	{ "log.zero", LIMITS, "erase its log by zeroes", punch, "@log", FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, DESTRUCTIVE },
	{ "log.reserve", LIMITS, "reserve space for its log without a word", punch, "@log", FALLOC_FL_KEEP_SIZE, DESTRUCTIVE },
	{ "log.truncate", LIMITS, "truncate its log", empty, "@log", 0, DESTRUCTIVE },
	{ NULL, LIMITS, NULL, NULL, NULL, 0, 0 },
};
