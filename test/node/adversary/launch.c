/* Starts the adversary as svirt starts QEMU: another user, no capabilities, the files it needs already open, the
 * label asked for at exec.
 *
 *   launch [--label CONTEXT] [--uid N] --in FACTS --out REPORT --disk IMAGE -- PROGRAM [ARGUMENT ...]
 *   launch --set-label CONTEXT FILE ...
 *
 * A copy of it labelled as svirt's own program runs in svirt's domain, the only one that may enter a guest's. The
 * second form is `chcon`, which the node does not have. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/xattr.h>
#include <unistd.h>

#define DISK 3

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int set_labels(const char *label, char **files)
{
	for (; *files; files++)
		if (lsetxattr(*files, "security.selinux", label, strlen(label) + 1, 0) != 0)
			fail(*files);
	return 0;
}

static void open_as(const char *path, int flags, int number)
{
	int fd = open(path, flags, 0600);

	if (fd < 0 || dup2(fd, number) < 0)
		fail(path);
	if (fd != number)
		close(fd);
}

/* setpriv --reuid N --regid N --clear-groups --bounding-set -all */
static void drop(const char *uid)
{
	uid_t id = (uid_t)strtoul(uid, NULL, 0);

	for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
			fail("drop capability");
	if (setgroups(0, NULL) != 0 || setresgid(id, id, id) != 0 || setresuid(id, id, id) != 0)
		fail("drop user");
}

static void ask_label(const char *label)
{
	int fd = open("/proc/thread-self/attr/exec", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, label, strlen(label)) != (ssize_t)strlen(label))
		fail(label);
	close(fd);
}

int main(int argc, char **argv)
{
	const char *label = NULL, *uid = NULL, *in = "/dev/null", *out = NULL, *disk = NULL;
	int i = 1;

	if (argc > 3 && strcmp(argv[1], "--set-label") == 0)
		return set_labels(argv[2], argv + 3);
	for (; i + 1 < argc && strcmp(argv[i], "--") != 0; i += 2) {
		const char **into = strcmp(argv[i], "--label") == 0 ? &label : strcmp(argv[i], "--uid") == 0 ? &uid
			: strcmp(argv[i], "--in") == 0 ? &in : strcmp(argv[i], "--out") == 0 ? &out
			: strcmp(argv[i], "--disk") == 0 ? &disk : NULL;
		if (!into)
			return 2;
		*into = argv[i + 1];
	}
	if (i + 1 >= argc || !out || !disk)
		return 2;
	open_as(disk, O_RDWR, DISK);
	open_as(in, O_RDONLY, 0);
	open_as(out, O_WRONLY | O_CREAT | O_APPEND, 1);
	dup2(1, 2);
	setsid();
	if (chdir("/") != 0)
		fail("chdir");
	if (uid)
		drop(uid);
	if (label)
		ask_label(label);
	execve(argv[i + 1], argv + i + 1, (char *const[]){ NULL });
	fail(argv[i + 1]);
}
