/* Misuse of files that the guest received: files of its own user, content, a slice of a block device. */
#define _GNU_SOURCE
#include "adversary.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Makes the file a program that runs as its owner, and restores the mode. */
static struct outcome change_mode(const char *subject, int fd)
{
	struct stat was;

	(void)subject;
	if (fstat(fd, &was) != 0)
		return refused("stat");
	if (fchmod(fd, 04777) != 0)
		return refused("fchmod");
	return fchmod(fd, was.st_mode & 07777) != 0 ? refused("fchmod back") : DONE;
}

static struct outcome change_owner(const char *subject, int fd)
{
	struct stat was;

	(void)subject;
	if (fstat(fd, &was) != 0)
		return refused("stat");
	return fchown(fd, was.st_uid, was.st_gid) != 0 ? refused("fchown") : DONE;
}

static struct outcome change_times(const char *subject, int fd)
{
	struct stat was;

	(void)subject;
	if (fstat(fd, &was) != 0)
		return refused("stat");
	struct timespec times[] = { was.st_atim, was.st_mtim };
	return futimens(fd, times) != 0 ? refused("futimens") : DONE;
}

static struct outcome set_attribute(const char *name, int fd)
{
	if (fsetxattr(fd, name, "x", 1, 0) != 0)
		return refused("fsetxattr");
	return fremovexattr(fd, name) != 0 ? refused("fremovexattr") : DONE;
}

static struct outcome set_flags(const char *subject, int fd)
{
	int flags;

	(void)subject;
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0)
		return refused("FS_IOC_GETFLAGS");
	return ioctl(fd, FS_IOC_SETFLAGS, &flags) != 0 ? refused("FS_IOC_SETFLAGS") : DONE;
}

static struct outcome set_project(const char *subject, int fd)
{
	struct fsxattr attributes;

	(void)subject;
	if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes) != 0)
		return refused("FS_IOC_FSGETXATTR");
	return ioctl(fd, FS_IOC_FSSETXATTR, &attributes) != 0 ? refused("FS_IOC_FSSETXATTR") : DONE;
}

/* The kernel checks the permission before the file system's support. */
static struct outcome clone_into(const char *subject, int fd)
{
	(void)subject;
	return permitted_if(ioctl(MINE_FD, FICLONE, fd), EOPNOTSUPP, "FICLONE");
}

/* Acquires the lock of a QEMU that writes: no other QEMU then opens the image. */
static struct outcome lock_range(const char *subject, int fd)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 101, .l_len = 1 };

	(void)subject;
	return fcntl(fd, F_OFD_SETLK, &lock) != 0 ? refused("F_OFD_SETLK") : DONE;
}

static struct outcome lock_process(const char *subject, int fd)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 0 };

	(void)subject;
	return fcntl(fd, F_SETLK, &lock) != 0 ? refused("F_SETLK") : DONE;
}

static struct outcome lock_whole(const char *subject, int fd)
{
	(void)subject;
	return flock(fd, LOCK_EX | LOCK_NB) != 0 ? refused("flock") : DONE;
}

/* An open(2) by another process waits until the lease is released. */
static struct outcome lease(const char *subject, int fd)
{
	(void)subject;
	if (fcntl(fd, F_SETLEASE, F_RDLCK) != 0)
		return refused("F_SETLEASE");
	return fcntl(fd, F_SETLEASE, F_UNLCK) != 0 ? refused("F_SETLEASE back") : DONE;
}

/* Sets the start and length of the device's slice of its file to their present values. */
static struct outcome move_slice(const char *subject, int number)
{
	struct loop_info64 status;

	(void)subject, (void)number;
	if (ioctl(BLOCK_FD, LOOP_GET_STATUS64, &status) != 0)
		return refused("LOOP_GET_STATUS64");
	return ioctl(BLOCK_FD, LOOP_SET_STATUS64, &status) != 0 ? refused("LOOP_SET_STATUS64") : DONE;
}

/* The device has a file already: EBUSY once it is permitted. */
static struct outcome give_file(const char *subject, int number)
{
	(void)subject, (void)number;
	return permitted_if(ioctl(BLOCK_FD, LOOP_SET_FD, MINE_FD), EBUSY, "LOOP_SET_FD");
}

static struct outcome exchange_file(const char *subject, int number)
{
	(void)subject, (void)number;
	return permitted_if(ioctl(BLOCK_FD, LOOP_CHANGE_FD, MINE_FD), EINVAL, "LOOP_CHANGE_FD");
}

static struct outcome set_block_size(const char *subject, int number)
{
	(void)subject, (void)number;
	return ioctl(BLOCK_FD, LOOP_SET_BLOCK_SIZE, 512UL) != 0 ? refused("LOOP_SET_BLOCK_SIZE") : DONE;
}

static struct outcome grow(const char *subject, int number)
{
	(void)subject, (void)number;
	return ioctl(BLOCK_FD, LOOP_SET_CAPACITY, 0) != 0 ? refused("LOOP_SET_CAPACITY") : DONE;
}

static struct outcome drop_buffers(const char *subject, int number)
{
	(void)subject, (void)number;
	return ioctl(BLOCK_FD, BLKFLSBUF, 0) != 0 ? refused("BLKFLSBUF") : DONE;
}

static struct outcome set_read_ahead(const char *subject, int number)
{
	long sectors;

	(void)subject, (void)number;
	if (ioctl(BLOCK_FD, BLKRAGET, &sectors) != 0)
		return refused("BLKRAGET");
	return ioctl(BLOCK_FD, BLKRASET, sectors) != 0 ? refused("BLKRASET") : DONE;
}

static struct outcome ask_sector(const char *subject, int number)
{
	int bytes, is_read_only;

	(void)subject, (void)number;
	if (ioctl(BLOCK_FD, BLKSSZGET, &bytes) != 0)
		return refused("BLKSSZGET");
	return ioctl(BLOCK_FD, BLKROGET, &is_read_only) != 0 ? refused("BLKROGET") : DONE;
}

static struct outcome discard(const char *subject, int number)
{
	uint64_t range[] = { 0, 4096 };

	(void)subject, (void)number;
	if (ioctl(BLOCK_FD, BLKZEROOUT, range) != 0)
		return refused("BLKZEROOUT");
	return permitted_if(ioctl(BLOCK_FD, BLKDISCARD, range), EOPNOTSUPP, "BLKDISCARD");
}

const struct attempt handed_attempts[] = {
	{ "own.block-ask", OWN, "ask its block device how it is to be used", ask_sector, "", 0, 0 },
	{ "own.block-discard", OWN, "make a hole in its block device", discard, "", 0, 0 },
	{ "handed.mode", HOST, "make a program of its disk that runs as its owner", change_mode, "", MINE_FD, 0 },
	{ "handed.owner", HOST, "change the owner of its disk", change_owner, "", MINE_FD, 0 },
	{ "handed.times", HOST, "change when its disk was written", change_times, "", MINE_FD, 0 },
	{ "handed.attribute", HOST, "write an attribute of its disk", set_attribute, "user.adversary", MINE_FD, 0 },
	{ "handed.flags", HOST, "set the flags of its disk's inode", set_flags, "", MINE_FD, 0 },
	{ "handed.project", HOST, "set the quota's project of its disk", set_project, "", MINE_FD, 0 },
	{ "handed.clone", HOST, "clone content into its disk", clone_into, "", CONTENT_FD, 0 },
	{ "handed.content-mode", HOST, "make a program of content that runs as its owner", change_mode, "", CONTENT_FD, 0 },
	{ "handed.content-attribute", HOST, "write an attribute of content", set_attribute, "user.adversary", CONTENT_FD, 0 },
	{ "handed.content-lock", HOST, "lock content against other guests", lock_range, "", CONTENT_FD, 0 },
	{ "handed.content-lock-process", HOST, "lock content as a process", lock_process, "", CONTENT_FD, 0 },
	{ "handed.content-flock", HOST, "lock content by flock", lock_whole, "", CONTENT_FD, 0 },
	{ "handed.content-lease", HOST, "lease content", lease, "", CONTENT_FD, 0 },
	{ "handed.loop-slice", HOST, "move the slice of its loop device", move_slice, "", 0, 0 },
	{ "handed.loop-file", HOST, "give its loop device a file", give_file, "", 0, 0 },
	{ "handed.loop-other-file", HOST, "give its loop device another file", exchange_file, "", 0, 0 },
	{ "handed.loop-block-size", HOST, "set the block size of its loop device", set_block_size, "", 0, 0 },
	{ "handed.loop-size", HOST, "have its loop device take its file's size", grow, "", 0, 0 },
	{ "handed.block-flush", HOST, "drop the host's buffers of its block device", drop_buffers, "", 0, 0 },
	{ "handed.block-read-ahead", HOST, "set the read-ahead of its block device", set_read_ahead, "", 0, 0 },
	{ NULL, OWN, NULL, NULL, NULL, 0, 0 },
};
