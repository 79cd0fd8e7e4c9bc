/* Replaces QEMU: acts in a shared folder as QEMU's 9p server does for a guest, and prints each result on a line.
 * The folder is the one that QEMU would use: path=/proc/self/fd/N in an argument. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static void say(const char *what, int result)
{
	printf("%s=%s\n", what, result < 0 ? strerrorname_np(errno) : "done");
	fflush(stdout);
}

static int find_folder(int argc, char **argv)
{
	for (int at = 1; at < argc; at++) {
		char *path = strstr(argv[at], "path=/proc/self/fd/");

		if (path == NULL || strncmp(argv[at], "local,", 6) != 0)
			continue;
		path[strcspn(path, ",")] = '\0';
		return open(path + 5, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return -1;
}

static int list(int folder)
{
	char entries[4096];

	return (int)getdents64(folder, entries, sizeof entries) > 0 ? 0 : -1;
}

static int write_into(int folder, const char *name, int flags)
{
	int fd = openat(folder, name, flags | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
	int result = fd < 0 || write(fd, "guest\n", 6) != 6 ? -1 : 0;

	if (fd >= 0)
		close(fd);
	return result;
}

static int read_from(int folder, const char *name, int flags)
{
	int fd = openat(folder, name, O_RDONLY | flags | O_CLOEXEC);
	char byte;
	int result = fd < 0 || read(fd, &byte, 1) != 1 ? -1 : 0;

	if (fd >= 0)
		close(fd);
	return result;
}

static int set_attribute(int folder, const char *name)
{
	char path[64];
	static const unsigned mode = S_IFREG | 0644;

	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", folder, name);
	return lsetxattr(path, "user.virtfs.mode", &mode, sizeof mode, 0);
}

int main(int argc, char **argv)
{
	int folder = find_folder(argc, argv);
	static const struct timespec times[2];
	char target[64];
	struct stat found;

	say("open", folder);
	say("list", list(folder));
	say("stat", fstatat(folder, "sub/mine", &found, AT_SYMLINK_NOFOLLOW));
	say("read", read_from(folder, "sub/mine", O_NOFOLLOW));
	say("change", write_into(folder, "sub/mine", O_APPEND));
	say("make", write_into(folder, "new", O_CREAT | O_EXCL));
	say("attribute", set_attribute(folder, "new"));
	say("rename", renameat(folder, "new", folder, "sub/new"));
	say("mkdir", mkdirat(folder, "made", 0700));
	say("move-folder", renameat(folder, "made", folder, "sub/made"));
	say("link", linkat(folder, "sub/new", folder, "sub/made/second", 0));
	say("symlink", symlinkat("nowhere", folder, "sub/made/symlink"));
	say("stat-symlink", fstatat(folder, "sub/made/symlink", &found, AT_SYMLINK_NOFOLLOW));
	say("read-symlink", (int)readlinkat(folder, "sub/made/symlink", target, sizeof target));
	say("touch-symlink", utimensat(folder, "sub/made/symlink", times, AT_SYMLINK_NOFOLLOW));
	say("move-symlink", renameat(folder, "sub/made/symlink", folder, "sub/symlink"));
	say("unlink-symlink", unlinkat(folder, "sub/symlink", 0));
	say("fifo", mknodat(folder, "sub/fifo", S_IFIFO | 0600, 0));
	say("move-fifo", renameat(folder, "sub/fifo", folder, "fifo"));
	say("open-fifo", openat(folder, "fifo", O_RDWR | O_CLOEXEC));
	say("chmod-fifo", fchmodat(folder, "fifo", 0640, 0));
	say("stat-fifo", fstatat(folder, "fifo", &found, AT_SYMLINK_NOFOLLOW));
	say("unlink-fifo", unlinkat(folder, "fifo", 0));
	say("socket", mknodat(folder, "socket", S_IFSOCK | 0600, 0));
	say("stat-socket", fstatat(folder, "socket", &found, AT_SYMLINK_NOFOLLOW));
	say("chmod-socket", fchmodat(folder, "socket", 0640, 0));
	say("unlink-socket", unlinkat(folder, "socket", 0));
	say("mkdir-again", mkdirat(folder, "again", 0700));
	say("chmod-folder", fchmodat(folder, "again", 0750, 0));
	say("rmdir", unlinkat(folder, "again", AT_REMOVEDIR));
	say("chmod", fchmodat(folder, "sub/new", 04755, 0));
	say("remove", unlinkat(folder, "gone", 0));
	say("outside", read_from(folder, "out", 0));
	say("above", read_from(folder, "../lib.sh", 0));
	return 1;
}
