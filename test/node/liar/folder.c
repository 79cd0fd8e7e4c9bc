/* Acts in its own folder, where it may create files: they fill the host's memory, persist, or lead out of the folder. */
#define _GNU_SOURCE
#include "liar.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define MIB (1 << 20)

static void path_in(char *path, size_t size, const char *folder, const char *name)
{
	snprintf(path, size, "%s/%s", folder, name);
}

static struct outcome make_file(const char *path, mode_t mode)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (fd < 0)
		return refused("create");
	close(fd);
	return DONE;
}

/* Writes as many MiB as would harm the host, then removes the file. */
static struct outcome fill_bytes(const char *folder, int mib)
{
	static char chunk[MIB];
	char path[4200];
	struct outcome outcome = DONE;

	path_in(path, sizeof path, folder, "fill");
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return refused("create");
	for (int done = 0; done < mib && !outcome.step; done++)
		if (write(fd, chunk, sizeof chunk) != sizeof chunk)
			outcome = refused("write");
	close(fd);
	unlink(path);
	return outcome;
}

static struct outcome fill_by_reserving(const char *folder, int mib)
{
	char path[4200];

	path_in(path, sizeof path, folder, "reserve");
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return refused("create");
	struct outcome outcome = fallocate(fd, 0, 0, (off_t)mib * MIB) != 0 ? refused("fallocate") : DONE;
	close(fd);
	unlink(path);
	return outcome;
}

/* 0: files, 1: folders, 2: symlinks, 3: sockets, 4: FIFOs. */
static int make_entry(const char *path, int kind)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	switch (kind) {
	case 1:
		return mkdir(path, 0700);
	case 2:
		return symlink("/etc/shadow", path);
	case 3:
		snprintf(address.sun_path, sizeof address.sun_path, "%.107s", path);
		fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
			return -1;
		return close(fd);
	case 4:
		return mkfifo(path, 0600);
	default:
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		return fd < 0 ? -1 : close(fd);
	}
}

static struct outcome fill_inodes_with(const char *folder, int count, int kind)
{
	char path[4200];
	struct outcome outcome = DONE;
	int made = 0;

	for (; made < count && !outcome.step; made++) {
		snprintf(path, sizeof path, "%s/e%d-%d", folder, kind, made);
		if (make_entry(path, kind) != 0)
			outcome = refused("create");
	}
	while (made-- > 0) {
		snprintf(path, sizeof path, "%s/e%d-%d", folder, kind, made);
		if (kind == 1)
			rmdir(path);
		else
			unlink(path);
	}
	return outcome;
}

static struct outcome fill_with_files(const char *folder, int count) { return fill_inodes_with(folder, count, 0); }
static struct outcome fill_with_folders(const char *folder, int count) { return fill_inodes_with(folder, count, 1); }
static struct outcome fill_with_links(const char *folder, int count) { return fill_inodes_with(folder, count, 2); }
static struct outcome fill_with_sockets(const char *folder, int count) { return fill_inodes_with(folder, count, 3); }
static struct outcome fill_with_fifos(const char *folder, int count) { return fill_inodes_with(folder, count, 4); }

/* Creates a setuid program, if the file system allows it. */
static struct outcome make_setuid(const char *folder, int mode)
{
	char path[4200];
	struct statvfs system;

	path_in(path, sizeof path, folder, "setuid");
	unlink(path);
	struct outcome outcome = make_file(path, 0700);
	if (!outcome.step && chmod(path, (mode_t)mode) != 0)
		outcome = refused("chmod");
	if (!outcome.step && statvfs(folder, &system) == 0 && system.f_flag & ST_NOSUID)
		outcome = refused_with("nosuid", EPERM);
	unlink(path);
	return outcome;
}

static struct outcome run_own_file(const char *folder, int number)
{
	char path[4200];
	char *const none[] = { NULL };
	struct statvfs system;

	(void)number;
	path_in(path, sizeof path, folder, "program");
	unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
	if (fd < 0 || write(fd, "LIE\n", 4) != 4)
		return refused("create");
	close(fd);
	/* Not a program: ENOEXEC once permitted. */
	execve(path, none, none);
	struct outcome outcome = permitted_if(-1, ENOEXEC, "execve");
	if (!outcome.step && statvfs(folder, &system) == 0 && system.f_flag & ST_NOEXEC)
		outcome = refused_with("noexec", EPERM);
	unlink(path);
	return outcome;
}

static struct outcome open_folder_to_all(const char *folder, int mode)
{
	if (chmod(folder, (mode_t)mode) != 0)
		return refused("chmod");
	return chmod(folder, 0700) != 0 ? refused("chmod back") : DONE;
}

static struct outcome relabel_in(const char *folder, const char *label)
{
	char path[4200];

	path_in(path, sizeof path, folder, "label");
	unlink(path);
	struct outcome outcome = make_file(path, 0600);
	if (!outcome.step && setxattr(path, "security.selinux", label, strlen(label) + 1, 0) != 0)
		outcome = refused("setxattr");
	unlink(path);
	return outcome;
}

static struct outcome label_own_file(const char *folder, int which)
{
	static const char *const labels[] = { "system_u:object_r:svirt_image_t:s0", "system_u:object_r:virt_content_t:s0",
		"system_u:object_r:bin_t:s0" };

	return relabel_in(folder, labels[which]);
}

static struct outcome make_immutable(const char *folder, int flag)
{
	char path[4200];
	long before, after;
	struct outcome outcome = DONE;

	path_in(path, sizeof path, folder, "kept");
	unlink(path);
	int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return refused("create");
	if (ioctl(fd, FS_IOC_GETFLAGS, &before) != 0)
		return refused("FS_IOC_GETFLAGS");
	after = before | flag;
	if (ioctl(fd, FS_IOC_SETFLAGS, &after) != 0)
		outcome = refused("FS_IOC_SETFLAGS");
	else if (ioctl(fd, FS_IOC_SETFLAGS, &before) != 0)
		outcome = refused("back");
	unlink(path);
	return outcome;
}

/* Renames its own folder, or puts another one in its place. */
static struct outcome move_folder(const char *folder, int number)
{
	char other[4200];

	(void)number;
	snprintf(other, sizeof other, "%s.moved", folder);
	if (rename(folder, other) != 0)
		return refused("rename");
	return rename(other, folder) != 0 ? refused("rename back") : DONE;
}

static struct outcome make_beside(const char *folder, int kind)
{
	char path[4200];

	snprintf(path, sizeof path, "%s.beside", folder);
	if (make_entry(path, kind) != 0)
		return refused("create");
	return (kind == 1 ? rmdir(path) : unlink(path)) != 0 ? refused("remove") : DONE;
}

static struct outcome list_beside(const char *folder, int number)
{
	char path[4200];

	(void)number;
	snprintf(path, sizeof path, "%s/..", folder);
	return list_folder(path, 0);
}

/* Writes to files beside its folder: the guest's end is recorded there. */
static struct outcome write_beside(const char *folder, int number)
{
	char path[4200];

	(void)number;
	snprintf(path, sizeof path, "%s/../pid", folder);
	return write_back(path, 0);
}

static struct outcome mount_over(const char *folder, int number)
{
	(void)number;
	if (mount("none", folder, "tmpfs", 0, "") != 0)
		return refused("mount");
	return umount2(folder, MNT_DETACH) != 0 ? refused("umount") : DONE;
}

static struct outcome unmount(const char *folder, int flags)
{
	/* In a separate mount namespace this is harmless; without one, the kernel checks the permission first. */
	return permitted_if(umount2(folder, flags), EINVAL, "umount");
}

static struct outcome raise_own_size(const char *folder, int number)
{
	(void)number;
	/* If its folder is no mount, the kernel reports this after the permission check. */
	return permitted_if(mount("none", folder, NULL, MS_REMOUNT, "size=100%"), EINVAL, "remount");
}

static struct outcome mark_folder(const char *folder, int number)
{
	(void)number;
	if (setxattr(folder, "trusted.liar", "x", 1, 0) != 0)
		return refused("setxattr");
	return removexattr(folder, "trusted.liar") != 0 ? refused("removexattr") : DONE;
}

static struct outcome give_away(const char *folder, int owner)
{
	char path[4200];

	path_in(path, sizeof path, folder, "given");
	unlink(path);
	struct outcome outcome = make_file(path, 0600);
	if (!outcome.step && chown(path, (uid_t)owner, (gid_t)owner) != 0)
		outcome = refused("chown");
	unlink(path);
	return outcome;
}

static struct outcome watch_folder(const char *folder, int number)
{
	char path[4200];
	int watcher = inotify_init1(IN_CLOEXEC);

	(void)number;
	snprintf(path, sizeof path, "%s/..", folder);
	if (watcher < 0)
		return refused("inotify_init");
	return inotify_add_watch(watcher, path, IN_OPEN | IN_CREATE) < 0 ? refused("inotify_add_watch") : DONE;
}

const struct attempt folder_attempts[] = {
	{ "folder.bytes", LIMITS, "write 96 MiB into its folder", fill_bytes, "@own_space", 96, 0 },
	{ "folder.reserve", LIMITS, "reserve 96 MiB in its folder", fill_by_reserving, "@own_space", 96, 0 },
	{ "folder.files", LIMITS, "make 2,000 files in its folder", fill_with_files, "@own_space", 2000, 0 },
	{ "folder.folders", LIMITS, "make 2,000 folders in its folder", fill_with_folders, "@own_space", 2000, 0 },
	{ "folder.symlinks", LIMITS, "make 2,000 symlinks in its folder", fill_with_links, "@own_space", 2000, 0 },
	{ "folder.sockets", LIMITS, "make 2,000 sockets in its folder", fill_with_sockets, "@own_space", 2000, 0 },
	{ "folder.fifos", LIMITS, "make 2,000 FIFOs in its folder", fill_with_fifos, "@own_space", 2000, 0 },
	{ "folder.setuid", LIMITS, "make a setuid program in its folder", make_setuid, "@own_folder", 04755, 0 },
	{ "folder.setgid", LIMITS, "make a setgid program in its folder", make_setuid, "@own_folder", 02755, 0 },
	{ "folder.run", LIMITS, "run a program that it wrote into its folder", run_own_file, "@own_folder", 0, 0 },
	{ "folder.open", LIMITS, "let every user of the host into its folder", open_folder_to_all, "@own_folder", 0777, 0 },
	{ "folder.label-none", LIMITS, "label a file of its folder without categories", label_own_file, "@own_folder", 0, 0 },
	{ "folder.label-content", LIMITS, "label a file of its folder as content for all", label_own_file, "@own_folder", 1, 0 },
	{ "folder.label-program", LIMITS, "label a file of its folder as a program", label_own_file, "@own_folder", 2, 0 },
	{ "folder.immutable", LIMITS, "make a file that cannot be removed", make_immutable, "@own_folder", FS_IMMUTABLE_FL, 0 },
	{ "folder.move", LIMITS, "move its folder", move_folder, "@own_folder", 0, 0 },
	{ "folder.beside", LIMITS, "make a file beside its folder", make_beside, "@own_folder", 0, 0 },
	{ "folder.beside-link", LIMITS, "make a symlink beside its folder", make_beside, "@own_folder", 2, 0 },
	{ "folder.beside-list", LIMITS, "list the folder that its own is in", list_beside, "@own_folder", 0, 0 },
	{ "folder.beside-write", LIMITS, "write where its process number stands", write_beside, "@own_folder", 0, 0 },
	{ "folder.beside-watch", LIMITS, "watch the folder that its own is in", watch_folder, "@own_folder", 0, 0 },
	{ "folder.mount", LIMITS, "mount something over its folder", mount_over, "@own_folder", 0, 0 },
	{ "folder.unmount", LIMITS, "unmount its folder", unmount, "@own_folder", MNT_EXPIRE, 0 },
	{ "folder.resize", LIMITS, "raise the bound of its folder", raise_own_size, "@own_folder", 0, 0 },
	{ "folder.mark", LIMITS, "put a trusted.* attribute on its folder", mark_folder, "@own_folder", 0, 0 },
	{ "folder.owner", LIMITS, "give a file of its folder to root", give_away, "@own_folder", 0, 0 },
	{ "folder.owner-other", LIMITS, "give a file of its folder to another user", give_away, "@own_folder", 12345, 0 },
	{ NULL, LIMITS, NULL, NULL, NULL, 0, 0 },
};
