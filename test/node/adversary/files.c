/* The neighbour's disk, folder, log and records. */
#define _GNU_SOURCE
#include "adversary.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define LABEL "security.selinux"

static const char *beside(const char *path)
{
	static char name[4200];

	snprintf(name, sizeof name, "%s.adversary", path);
	return name;
}

static struct outcome open_to_write(const char *path, int number)
{
	return open_only(path, O_WRONLY | number);
}

static struct outcome stat_file(const char *path, int number)
{
	struct stat facts;

	(void)number;
	return stat(path, &facts) != 0 ? refused("stat") : DONE;
}

static struct outcome map(const char *path, int protection)
{
	int fd = open(path, protection & PROT_WRITE ? O_RDWR : O_RDONLY);
	volatile char *page;

	if (fd < 0)
		return refused("open");
	page = mmap(NULL, 4096, protection, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return refused("mmap");
	if (protection & PROT_WRITE)
		page[0] = page[0];
	return DONE;
}

static struct outcome truncate_same(const char *path, int number)
{
	struct stat before;

	(void)number;
	/* If the size cannot be read, guesses one: then the truncation is refused too, or all bytes are lost. */
	if (stat(path, &before) != 0)
		before.st_size = 1 << 20;
	return truncate(path, before.st_size) != 0 ? refused("truncate") : DONE;
}

static struct outcome chmod_same(const char *path, int number)
{
	struct stat before = { .st_mode = 0600 };

	(void)number;
	(void)stat(path, &before);
	return chmod(path, before.st_mode & 07777) != 0 ? refused("chmod") : DONE;
}

static struct outcome chown_same(const char *path, int number)
{
	struct stat before = { .st_uid = geteuid(), .st_gid = getegid() };

	(void)number;
	(void)stat(path, &before);
	return chown(path, before.st_uid, before.st_gid) != 0 ? refused("chown") : DONE;
}

/* Removes a file. A second name, if it can be created, restores it. */
static struct outcome unlink_and_back(const char *path, int number)
{
	int kept = link(path, beside(path)) == 0;

	(void)number;
	if (unlink(path) != 0) {
		struct outcome outcome = refused("unlink");
		if (kept)
			unlink(beside(path));
		return outcome;
	}
	return kept && rename(beside(path), path) != 0 ? refused("rename back") : DONE;
}

static struct outcome rename_and_back(const char *path, int number)
{
	(void)number;
	if (rename(path, beside(path)) != 0)
		return refused("rename");
	return rename(beside(path), path) != 0 ? refused("rename back") : DONE;
}

static struct outcome link_beside(const char *path, int number)
{
	(void)number;
	if (link(path, beside(path)) != 0)
		return refused("link");
	return unlink(beside(path)) != 0 ? refused("unlink") : DONE;
}

/* Opens with O_PATH, which needs no permission on the file itself, and again through /proc, which should. */
static struct outcome reopen(const char *path, int flags)
{
	char again[64];
	int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return refused("open O_PATH");
	snprintf(again, sizeof again, "/proc/self/fd/%d", fd);
	return open(again, flags) < 0 ? refused("open again") : DONE;
}

static struct outcome through_symlink(const char *path, int number)
{
	char name[4200];
	struct outcome outcome;

	snprintf(name, sizeof name, "%s/link.adversary", fact("own_private") ? fact("own_private") : "/tmp");
	unlink(name);
	if (symlink(path, name) != 0)
		return refused("symlink");
	outcome = read_file(name, number);
	unlink(name);
	return outcome;
}

/* The descriptor of the own disk identifies the file system, if the disks are on one. */
static struct outcome by_handle(const char *path, int number)
{
	union {
		struct file_handle handle;
		char space[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} u = { .handle.handle_bytes = MAX_HANDLE_SZ };
	int mount;

	(void)number;
	if (name_to_handle_at(AT_FDCWD, path, &u.handle, &mount, 0) != 0)
		return refused("name_to_handle_at");
	return open_by_handle_at(OWN_DISK_FD, &u.handle, O_RDONLY) < 0 ? refused("open_by_handle_at") : DONE;
}

/* Handles can be guessed, inode 2 is the root of ext4: no path lookup is needed. */
static struct outcome by_guessed_handle(const char *subject, int inode)
{
	struct {
		unsigned bytes;
		int type;
		unsigned identity[2];
	} handle = { sizeof handle.identity, 1, { (unsigned)inode, 0 } };

	(void)subject;
	/* ESTALE: permitted, but the guess was wrong. */
	return open_by_handle_at(OWN_DISK_FD, (struct file_handle *)&handle, O_RDONLY) < 0 && errno != ESTALE
		? refused("open_by_handle_at") : DONE;
}

static struct outcome get_label(const char *path, int number)
{
	char label[256];

	(void)number;
	return getxattr(path, LABEL, label, sizeof label) < 0 ? refused("getxattr") : DONE;
}

/* Sets the present label, or if it cannot be read, the adversary's own. */
static struct outcome set_same_label(const char *path, int number)
{
	char label[256];
	ssize_t size = getxattr(path, LABEL, label, sizeof label);

	(void)number;
	if (size < 0 && fact("own_image_context"))
		size = snprintf(label, sizeof label, "%s", fact("own_image_context")) + 1;
	if (size < 0)
		return refused("getxattr");
	return setxattr(path, LABEL, label, (size_t)size, 0) != 0 ? refused("setxattr") : DONE;
}

static struct outcome claim(const char *path, int number)
{
	char before[256];
	ssize_t size = getxattr(path, LABEL, before, sizeof before);
	const char *mine = fact("own_image_context");

	(void)number;
	if (!mine)
		return refused_with("facts", ENOENT);
	if (setxattr(path, LABEL, mine, strlen(mine) + 1, 0) != 0)
		return refused("setxattr");
	if (size < 0)
		return DONE;
	return setxattr(path, LABEL, before, (size_t)size, 0) != 0 ? refused("setxattr back") : DONE;
}

static struct outcome watch(const char *path, int mask)
{
	int fd = inotify_init1(IN_CLOEXEC);

	if (fd < 0)
		return refused("inotify_init");
	return inotify_add_watch(fd, path, (unsigned)mask) < 0 ? refused("inotify_add_watch") : DONE;
}

const struct attempt file_attempts[] = {
	{ "disk.stat", NEIGHBOUR, "stat the neighbour's disk", stat_file, "@b_disk", 0, 0 },
	{ "disk.read", NEIGHBOUR, "read the neighbour's disk", read_file, "@b_disk", 0, 0 },
	{ "disk.open-write", NEIGHBOUR, "open the neighbour's disk for writing", open_to_write, "@b_disk", 0, 0 },
	{ "disk.write", NEIGHBOUR, "write the neighbour's disk", write_back, "@b_disk", 0, 0 },
	{ "disk.append", NEIGHBOUR, "append to the neighbour's disk", append_byte, "@b_disk", 0, 0 },
	{ "disk.map", NEIGHBOUR, "map the neighbour's disk", map, "@b_disk", PROT_READ, 0 },
	{ "disk.map-write", NEIGHBOUR, "map the neighbour's disk for writing", map, "@b_disk", PROT_READ | PROT_WRITE, 0 },
	{ "disk.truncate", NEIGHBOUR, "truncate the neighbour's disk", truncate_same, "@b_disk", 0, 0 },
	{ "disk.chmod", NEIGHBOUR, "change the mode of the neighbour's disk", chmod_same, "@b_disk", 0, 0 },
	{ "disk.chown", NEIGHBOUR, "change the owner of the neighbour's disk", chown_same, "@b_disk", 0, 0 },
	{ "disk.unlink", NEIGHBOUR, "remove the neighbour's disk", unlink_and_back, "@b_disk", 0, 0 },
	{ "disk.rename", NEIGHBOUR, "rename the neighbour's disk", rename_and_back, "@b_disk", 0, 0 },
	{ "disk.link", NEIGHBOUR, "link the neighbour's disk", link_beside, "@b_disk", 0, 0 },
	{ "disk.reopen", NEIGHBOUR, "open the neighbour's disk by O_PATH and /proc/self/fd", reopen, "@b_disk", O_RDONLY, 0 },
	{ "disk.symlink", NEIGHBOUR, "read the neighbour's disk through a symlink in the own folder", through_symlink, "@b_disk", 0, 0 },
	{ "disk.handle", NEIGHBOUR, "open the neighbour's disk by file handle", by_handle, "@b_disk", 0, 0 },
	{ "secret.guessed-handle", SECRETS, "open the own disk's file system by guessed handle", by_guessed_handle, "", 2, 0 },
	{ "disk.watch", NEIGHBOUR, "watch the neighbour's disk by inotify", watch, "@b_disk", IN_MODIFY, 0 },
	{ "disk.label-get", NEIGHBOUR, "read the label of the neighbour's disk", get_label, "@b_disk", 0, 0 },
	{ "disk.label-set", NEIGHBOUR, "write the label of the neighbour's disk", set_same_label, "@b_disk", 0, 0 },
	{ "disk.label-claim", NEIGHBOUR, "give the neighbour's disk the own label", claim, "@b_disk", 0, 0 },
	{ "block.read", NEIGHBOUR, "read the neighbour's block device", read_file, "@b_block", 0, 0 },
	{ "block.write", NEIGHBOUR, "write the neighbour's block device", write_back, "@b_block", 0, 0 },
	{ "folder.list", NEIGHBOUR, "list the neighbour's folder", list_folder, "@b_folder", 0, 0 },
	{ "folder.create", NEIGHBOUR, "create a file in the neighbour's folder", create_in, "@b_folder", 0, 0 },
	{ "folder.watch", NEIGHBOUR, "watch the neighbour's folder by inotify", watch, "@b_folder", IN_CREATE, 0 },
	{ "folder.private-list", NEIGHBOUR, "list the neighbour's private folder", list_folder, "@b_private", 0, 0 },
	{ "folder.private-create", NEIGHBOUR, "create a file in the neighbour's private folder", create_in, "@b_private", 0, 0 },
	{ "folder.record", NEIGHBOUR, "read svirt's record of the neighbour", read_file, "@b_record", 0, 0 },
	{ "folder.all", NEIGHBOUR, "list all running guests' folders", list_folder, "@run_folder", 0, 0 },
	{ "log.read", NEIGHBOUR, "read the neighbour's log", read_file, "@b_log", 0, 0 },
	{ "log.list", NEIGHBOUR, "list all guests' logs", list_folder, "@log_folder", 0, 0 },
	{ "log.append", NEIGHBOUR, "append to the neighbour's log", append_byte, "@b_log", 0, 0 },
	{ "definition.read", NEIGHBOUR, "read the neighbour's definition", read_file, "@b_definition", 0, 0 },
	{ "definition.list", NEIGHBOUR, "list all guests' definitions", list_folder, "@definitions", 0, 0 },
	{ "state.list", NEIGHBOUR, "list svirt's state", list_folder, "@state_folder", 0, 0 },
	{ "proc.root", NEIGHBOUR, "read the neighbour's root link", read_link, "/proc/@b_pid/root", 0, 0 },
	{ "proc.cwd", NEIGHBOUR, "read the neighbour's working folder", read_link, "/proc/@b_pid/cwd", 0, 0 },
	{ "proc.exe", NEIGHBOUR, "read the neighbour's program", read_link, "/proc/@b_pid/exe", 0, 0 },
	{ "proc.ns", NEIGHBOUR, "read the neighbour's name space", read_link, "/proc/@b_pid/ns/mnt", 0, 0 },
	{ NULL, OWN, NULL, NULL, NULL, 0, 0 },
};
