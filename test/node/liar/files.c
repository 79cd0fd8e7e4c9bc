/* Acts on received disks other than reading, writing and flushing. */
#define _GNU_SOURCE
#include "liar.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/kexec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static int number_of(const char *fd)
{
	return atoi(fd);
}

static void name_of(const char *fd, char *name, size_t size)
{
	snprintf(name, size, "/proc/self/fd/%s", fd);
}

static struct outcome set_mode(const char *fd, int mode)
{
	struct stat before;

	if (fstat(number_of(fd), &before) != 0)
		return refused("fstat");
	if (fchmod(number_of(fd), (mode_t)mode) != 0)
		return refused("fchmod");
	return fchmod(number_of(fd), before.st_mode & 07777) != 0 ? refused("fchmod back") : DONE;
}

/* Uses the name in /proc, which is another path to the same permission. */
static struct outcome set_mode_by_name(const char *fd, int mode)
{
	struct stat before;
	char name[64];

	name_of(fd, name, sizeof name);
	if (fstat(number_of(fd), &before) != 0)
		return refused("fstat");
	if (chmod(name, (mode_t)mode) != 0)
		return refused("chmod");
	return chmod(name, before.st_mode & 07777) != 0 ? refused("chmod back") : DONE;
}

/* Changes user or group to or from its own: the file's owner may set at least one of the owner's groups. */
static struct outcome set_owner(const char *fd, int owner)
{
	struct stat before;

	if (fstat(number_of(fd), &before) != 0)
		return refused("fstat");
	if (fchown(number_of(fd), owner ? (uid_t)owner : geteuid(), owner ? (gid_t)owner : getegid()) != 0)
		return refused("fchown");
	return fchown(number_of(fd), before.st_uid, before.st_gid) != 0 ? refused("fchown back") : DONE;
}

static struct outcome set_times(const char *fd, int seconds)
{
	struct timespec times[2] = { { .tv_sec = seconds }, { .tv_sec = seconds } };

	return futimens(number_of(fd), times) != 0 ? refused("futimens") : DONE;
}

static struct outcome set_attribute(const char *fd, const char *name, const char *value)
{
	if (fsetxattr(number_of(fd), name, value, strlen(value), 0) != 0)
		return refused("fsetxattr");
	return fremovexattr(number_of(fd), name) != 0 ? refused("fremovexattr") : DONE;
}

static struct outcome set_user_attribute(const char *fd, int number)
{
	(void)number;
	return set_attribute(fd, "user.liar", "x");
}

static struct outcome set_trusted_attribute(const char *fd, int number)
{
	(void)number;
	return set_attribute(fd, "trusted.liar", "x");
}

static struct outcome set_security_attribute(const char *fd, int number)
{
	(void)number;
	return set_attribute(fd, "security.liar", "x");
}

/* Sets cap_net_raw for processes that execute the file. linux/capability.h struct vfs_cap_data */
static struct outcome set_capabilities(const char *fd, int number)
{
	static const unsigned char raw[20] = { 1, 0, 0, 2, 0, 0x20 };

	(void)number;
	if (fsetxattr(number_of(fd), "security.capability", raw, sizeof raw, 0) != 0)
		return refused("fsetxattr");
	return fremovexattr(number_of(fd), "security.capability") != 0 ? refused("fremovexattr") : DONE;
}

/* Sets an ACL for its own user to read and write, in the kernel's format. linux/posix_acl_xattr.h */
static struct outcome set_access_list(const char *fd, int number)
{
	struct { unsigned version; struct { unsigned short tag, perm; unsigned id; } entries[5]; } list = {
		2, { { 1, 6, 0xffffffff }, { 2, 6, 12345 }, { 4, 0, 0xffffffff }, { 0x10, 6, 0xffffffff }, { 0x20, 0, 0xffffffff } },
	};

	(void)number;
	if (fsetxattr(number_of(fd), "system.posix_acl_access", &list, sizeof list, 0) != 0)
		return refused("fsetxattr");
	return fremovexattr(number_of(fd), "system.posix_acl_access") != 0 ? refused("fremovexattr") : DONE;
}

static struct outcome set_label(const char *fd, const char *label)
{
	char before[256];
	ssize_t size = fgetxattr(number_of(fd), "security.selinux", before, sizeof before);

	if (fsetxattr(number_of(fd), "security.selinux", label, strlen(label) + 1, 0) != 0)
		return refused("fsetxattr");
	return size < 0 || fsetxattr(number_of(fd), "security.selinux", before, (size_t)size, 0) != 0
		? refused("fsetxattr back") : DONE;
}

/* 0: a disk's label without categories; 1: the label of content that all guests may read; 2: a program's label. */
static struct outcome set_file_label(const char *fd, int which)
{
	static const char *const labels[] = { "system_u:object_r:svirt_image_t:s0", "system_u:object_r:virt_content_t:s0",
		"system_u:object_r:qemu_exec_t:s0" };

	return set_label(fd, labels[which]);
}

static struct outcome drop_label(const char *fd, int number)
{
	(void)number;
	/* The kernel never removes a label, which permitted callers learn by an error.
	 * security/selinux/hooks.c selinux_inode_removexattr() */
	return permitted_if(fremovexattr(number_of(fd), "trusted.svirt.selinux"), ENODATA, "fremovexattr");
}

/* 1: immutable, 2: append only, 3: no dump. */
static struct outcome set_flag(const char *fd, int flag)
{
	long before, after;

	if (ioctl(number_of(fd), FS_IOC_GETFLAGS, &before) != 0)
		return refused("FS_IOC_GETFLAGS");
	after = before | flag;
	if (ioctl(number_of(fd), FS_IOC_SETFLAGS, &after) != 0)
		return refused("FS_IOC_SETFLAGS");
	return ioctl(number_of(fd), FS_IOC_SETFLAGS, &before) != 0 ? refused("FS_IOC_SETFLAGS back") : DONE;
}

/* Counts the disk's space to another project's quota. */
static struct outcome set_project(const char *fd, int project)
{
	struct fsxattr before, after;

	if (ioctl(number_of(fd), FS_IOC_FSGETXATTR, &before) != 0)
		return refused("FS_IOC_FSGETXATTR");
	after = before;
	after.fsx_projid = (unsigned)project;
	/* A file system without projects refuses this after the permission check. */
	if (ioctl(number_of(fd), FS_IOC_FSSETXATTR, &after) != 0)
		return permitted_if(-1, EOPNOTSUPP, "FS_IOC_FSSETXATTR");
	return ioctl(number_of(fd), FS_IOC_FSSETXATTR, &before) != 0 ? refused("back") : DONE;
}

static struct outcome freeze(const char *fd, int number)
{
	(void)number;
	if (ioctl(number_of(fd), FIFREEZE, 0) != 0)
		return refused("FIFREEZE");
	return ioctl(number_of(fd), FITHAW, 0) != 0 ? refused("FITHAW") : DONE;
}

static struct outcome trim(const char *fd, int number)
{
	struct fstrim_range range = { .start = 0, .len = 4096, .minlen = 4096 };

	(void)number;
	return permitted_if(ioctl(number_of(fd), FITRIM, &range), EOPNOTSUPP, "FITRIM");
}

static struct outcome map_blocks(const char *fd, int block)
{
	return ioctl(number_of(fd), FIBMAP, &block) != 0 ? refused("FIBMAP") : DONE;
}

static struct outcome reopen(const char *fd, int flags)
{
	char name[64];

	name_of(fd, name, sizeof name);
	return open(name, flags | O_CLOEXEC) < 0 ? refused("open") : DONE;
}

/* Writes to a read-only disk by a separate descriptor. */
static struct outcome write_again(const char *fd, int number)
{
	char name[64];

	(void)number;
	name_of(fd, name, sizeof name);
	return write_back(name, 0);
}

static struct outcome punch_again(const char *fd, int mode)
{
	char name[64];
	struct stat now;

	name_of(fd, name, sizeof name);
	int own = open(name, O_RDWR | O_CLOEXEC);
	if (own < 0)
		return refused("open");
	if (fstat(own, &now) != 0)
		return refused("fstat");
	return fallocate(own, mode, now.st_size - 4096, 4096) != 0 ? refused("fallocate") : DONE;
}

static struct outcome map_to_run(const char *fd, int number)
{
	(void)number;
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, number_of(fd), 0) == MAP_FAILED ? refused("mmap") : DONE;
}

/* Locks the whole file: F_OFD_SETLK, F_SETLK. A descriptor for reading allows only a read lock, which suffices. */
static struct outcome lock_range(const char *fd, int command)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	if (fcntl(number_of(fd), command, &lock) != 0)
		return refused("fcntl");
	lock.l_type = F_UNLCK;
	return fcntl(number_of(fd), command, &lock) != 0 ? refused("unlock") : DONE;
}

static struct outcome lock_whole(const char *fd, int how)
{
	if (flock(number_of(fd), how | LOCK_NB) != 0)
		return refused("flock");
	return flock(number_of(fd), LOCK_UN) != 0 ? refused("unlock") : DONE;
}

/* Processes that open the file wait until the lease is broken: /proc/sys/fs/lease-break-time. */
static struct outcome take_lease(const char *fd, int kind)
{
	/* Other processes have the file open, which is checked after the permission. */
	if (fcntl(number_of(fd), F_SETLEASE, kind) != 0)
		return permitted_if(-1, EAGAIN, "F_SETLEASE");
	return fcntl(number_of(fd), F_SETLEASE, F_UNLCK) != 0 ? refused("back") : DONE;
}

static struct outcome watch_file(const char *fd, int number)
{
	char name[64];
	int watcher = inotify_init1(IN_CLOEXEC);

	(void)number;
	name_of(fd, name, sizeof name);
	if (watcher < 0)
		return refused("inotify_init");
	return inotify_add_watch(watcher, name, IN_ACCESS | IN_MODIFY | IN_OPEN) < 0 ? refused("inotify_add_watch") : DONE;
}

/* Creates a second name, which stays when the disk is removed. */
static struct outcome link_beside(const char *fd, int number)
{
	char name[64], file[4096], target[4200];

	(void)number;
	name_of(fd, name, sizeof name);
	ssize_t size = readlink(name, file, sizeof file - 1);
	if (size < 0)
		return refused("readlink");
	file[size] = 0;
	snprintf(target, sizeof target, "%s.link", file);
	if (linkat(AT_FDCWD, name, AT_FDCWD, target, AT_SYMLINK_FOLLOW) != 0)
		return refused("linkat");
	return unlink(target) != 0 ? refused("unlink") : DONE;
}

/* The disk contains no program: ENOEXEC once permitted. */
static struct outcome run_disk(const char *fd, int number)
{
	struct stat before;
	char *const none[] = { NULL };

	(void)number;
	if (fstat(number_of(fd), &before) != 0)
		return refused("fstat");
	if (fchmod(number_of(fd), 0700) != 0 && !(before.st_mode & 0100))
		return refused("fchmod");
	int result = execveat(number_of(fd), "", none, none, AT_EMPTY_PATH);
	struct outcome outcome = permitted_if(result, ENOEXEC, "execveat");
	if (fchmod(number_of(fd), before.st_mode & 07777) != 0)
		return refused("fchmod back");
	return outcome;
}

static struct outcome load_kernel(const char *fd, int number)
{
	(void)number;
	return permitted_if(syscall(SYS_kexec_file_load, number_of(fd), -1, 0UL, "", KEXEC_FILE_NO_INITRAMFS), ENOEXEC,
		"kexec_file_load");
}

static struct outcome swap_on(const char *fd, int number)
{
	char name[64];

	(void)number;
	name_of(fd, name, sizeof name);
	return permitted_if(swapon(name, 0), EINVAL, "swapon");
}

/* The kernel then writes a line for each process that ends. acct(2) */
static struct outcome account_into(const char *fd, int number)
{
	char name[64];

	(void)number;
	name_of(fd, name, sizeof name);
	if (acct(name) != 0)
		return refused("acct");
	return acct(NULL) != 0 ? refused("acct off") : DONE;
}

/* Opens the root of the disk's file system by its inode, without any folder. open_by_handle_at(2) */
static struct outcome open_root_by_handle(const char *fd, int number)
{
	struct { struct file_handle head; unsigned inode, generation; } handle = {
		{ .handle_bytes = 8, .handle_type = 1 }, 2, 0,
	};

	(void)number;
	return open_by_handle_at(number_of(fd), &handle.head, O_RDONLY) < 0 ? refused("open_by_handle_at") : DONE;
}

/* A descriptor that was left open. Looked for before this program opens any: words.c */
static struct outcome have_untold(const char *found, int number)
{
	(void)number;
	return *found ? DONE : refused_with("none", ENOENT);
}
#define SHARED_LOCKS(role, fd, whose) \
	{ role ".lock-ofd", HANDED, "lock " whose ", by open file", lock_range, fd, F_OFD_SETLK, 0 }, \
	{ role ".lock-process", HANDED, "lock " whose ", by process", lock_range, fd, F_SETLK, 0 }, \
	{ role ".flock", HANDED, "lock " whose " as a whole", lock_whole, fd, LOCK_EX, 0 }, \
	{ role ".lease", HANDED, "take a lease on " whose, take_lease, fd, F_RDLCK, 0 }

const struct attempt file_descriptor_attempts[] = {
	{ "fd.untold", HANDED, "find a descriptor that it was not told of", have_untold, "@untold", 0, 0 },
	{ "disk.setuid", HANDED, "make its disk a setuid program", set_mode, "@disk", 04777, 0 },
	{ "disk.setuid-by-name", HANDED, "the same by /proc/self/fd", set_mode_by_name, "@disk", 04755, 0 },
	{ "disk.open-to-all", HANDED, "let everybody read its disk", set_mode, "@disk", 0666, 0 },
	{ "disk.owner", HANDED, "give its disk to another user", set_owner, "@disk", 12345, 0 },
	{ "disk.times", HANDED, "set the times of its disk back", set_times, "@disk", 1, 0 },
	{ "disk.attribute-user", HANDED, "put a user.* attribute on its disk", set_user_attribute, "@disk", 0, 0 },
	{ "disk.attribute-trusted", HANDED, "put a trusted.* attribute on its disk", set_trusted_attribute, "@disk", 0, 0 },
	{ "disk.attribute-security", HANDED, "put a security.* attribute on its disk", set_security_attribute, "@disk", 0, 0 },
	{ "disk.capability", HANDED, "give its disk file capabilities", set_capabilities, "@disk", 0, 0 },
	{ "disk.access-list", HANDED, "put an access list on its disk", set_access_list, "@disk", 0, 0 },
	{ "disk.label-none", HANDED, "take the categories off its disk", set_file_label, "@disk", 0, 0 },
	{ "disk.label-content", HANDED, "label its disk as content for all", set_file_label, "@disk", 1, 0 },
	{ "disk.label-program", HANDED, "label its disk as a program", set_file_label, "@disk", 2, 0 },
	{ "disk.remembered", HANDED, "remove the label that is remembered on its disk", drop_label, "@disk", 0, 0 },
	{ "disk.immutable", HANDED, "make its disk immutable", set_flag, "@disk", FS_IMMUTABLE_FL, 0 },
	{ "disk.append-only", HANDED, "make its disk append-only", set_flag, "@disk", FS_APPEND_FL, 0 },
	{ "disk.no-dump", HANDED, "keep its disk from backups (nodump)", set_flag, "@disk", FS_NODUMP_FL, 0 },
	{ "disk.project", HANDED, "count its disk for another project", set_project, "@disk", 77, 0 },
	{ "disk.freeze", HANDED, "freeze the file system of its disk", freeze, "@disk", 0, 0 },
	{ "disk.trim", HANDED, "trim the file system of its disk", trim, "@disk", 0, 0 },
	{ "disk.blocks", HANDED, "learn where its disk lies (FIBMAP)", map_blocks, "@disk", 0, 0 },
	{ "disk.map-to-run", HANDED, "run code from its disk (mmap)", map_to_run, "@disk", 0, 0 },
	{ "base.run", HANDED, "run a base image as a program", run_disk, "@base", 0, 0 },
	{ "base.kexec", HANDED, "load a base image as the next kernel", load_kernel, "@base", 0, 0 },
	{ "disk.swap", HANDED, "make the host swap to its disk", swap_on, "@disk", 0, 0 },
	{ "disk.accounting", HANDED, "make the kernel write to its disk (acct)", account_into, "@disk", 0, 0 },
	{ "disk.handle", HANDED, "open the root of its disk's file system by handle", open_root_by_handle, "@disk", 0, 0 },
	{ "disk.link", HANDED, "give its disk a second name", link_beside, "@disk", 0, 0 },
	{ "disk.watch", HANDED, "watch who opens its disk", watch_file, "@disk", 0, 0 },
	SHARED_LOCKS("shared", "@shared", "a disk that guests share"),
	{ "shared.watch", HANDED, "watch what another guest does with a shared disk", watch_file, "@shared", 0, 0 },
	{ "shared.setuid", HANDED, "make a shared disk a setuid program", set_mode, "@shared", 04777, 0 },
	{ "base.reopen", HANDED, "open a base image for writing, by /proc/self/fd", reopen, "@base", O_RDWR, 0 },
	{ "base.truncate", HANDED, "empty a base image, by /proc/self/fd", reopen, "@base", O_WRONLY | O_TRUNC, DESTRUCTIVE },
	{ "base.write", HANDED, "write to a base image", write_again, "@base", 0, 0 },
	{ "base.punch", HANDED, "punch a hole into a base image", punch_again, "@base",
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0 },
	{ "base.setuid", HANDED, "make a base image a setuid program", set_mode, "@base", 04777, 0 },
	{ "base.attribute", HANDED, "put a user.* attribute on a base image", set_user_attribute, "@base", 0, 0 },
	{ "base.label", HANDED, "label a base image as a disk", set_file_label, "@base", 0, 0 },
	{ "base.immutable", HANDED, "make a base image immutable", set_flag, "@base", FS_IMMUTABLE_FL, 0 },
	{ "base.watch", HANDED, "watch who opens a base image", watch_file, "@base", 0, 0 },
	SHARED_LOCKS("base", "@base", "a base image"),
	{ "cdrom.reopen", HANDED, "open a CD-ROM for writing, by /proc/self/fd", reopen, "@cdrom", O_RDWR, 0 },
	{ "cdrom.setuid", HANDED, "make a CD-ROM a setuid program", set_mode, "@cdrom", 04777, 0 },
	SHARED_LOCKS("cdrom", "@cdrom", "a CD-ROM"),
	{ NULL, HANDED, NULL, NULL, NULL, 0, 0 },
};
