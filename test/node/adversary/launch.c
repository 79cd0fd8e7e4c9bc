/* Starts the adversary as svirt starts QEMU: with another user, no capabilities, open descriptors, and the label set
 * for exec.
 *
 *   launch [--label CONTEXT] [--like PID] --in FACTS --out REPORT --disk IMAGE [--kvm DEVICE] [--hand NUMBER:HOW:PATH ...]
 *          -- PROGRAM [ARGUMENT ...]
 *   launch --set-label CONTEXT FILE ...
 *
 * HOW is r, rw or a, the mode of opening the file, or l: a socket that listens there, @NAME an abstract one.
 *
 * A copy of it labelled as svirt's own program runs in svirt's domain, the only one that may enter a guest's. The
 * second form replaces `chcon`, which the node does not have. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#define DISK 3
#define KVM 4
#define TAP 5

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

/* Sets the context of new sockets. By default a socket has its creator's context, which the guest may not use. */
static void ask_socket_label(const char *label)
{
	int fd = open("/proc/thread-self/attr/sockcreate", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, label, strlen(label)) != (ssize_t)strlen(label))
		fail(label);
	close(fd);
}

static void listen_as(const char *path, int number)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (strlen(path) >= sizeof address.sun_path)
		fail(path);
	strcpy(address.sun_path, path);
	if (*path == '@')
		address.sun_path[0] = 0;
	else
		unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1) != 0 || dup2(fd, number) < 0)
		fail(path);
	if (fd != number)
		close(fd);
}

/* Passes a descriptor of this number. Numbers are below those that this program opens meanwhile. */
static void hand(const char *wish)
{
	char how[3] = "", path[4096];
	int number;

	if (sscanf(wish, "%d:%2[a-z]:%4095s", &number, how, path) != 3)
		fail(wish);
	if (*how == 'l')
		listen_as(path, number);
	else
		open_as(path, *how == 'a' ? O_WRONLY | O_APPEND | O_CREAT : how[1] == 'w' ? O_RDWR : O_RDONLY, number);
}

/* Creates a tap, which is removed with its descriptor. */
static void make_tap(int number)
{
	struct ifreq request = { .ifr_name = "adv-tap%d", .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };

	open_as("/dev/net/tun", O_RDWR, number);
	if (ioctl(number, TUNSETIFF, &request) != 0)
		fail("TUNSETIFF");
}

/* Reads the numbers of a line of /proc/PID/status. */
static int read_numbers(const char *pid, const char *key, gid_t *numbers, int most)
{
	char path[64], line[4096];
	int count = 0;

	snprintf(path, sizeof path, "/proc/%s/status", pid);
	FILE *status = fopen(path, "re");
	while (status && fgets(line, sizeof line, status))
		if (strncmp(line, key, strlen(key)) == 0)
			for (char *at = strtok(line + strlen(key), " \t\n"); at && count < most; at = strtok(NULL, " \t\n"))
				numbers[count++] = (gid_t)strtoul(at, NULL, 10);
	if (status)
		fclose(status);
	return count;
}

/* Sets user and groups to those of a process, and drops all capabilities. */
static void become_like(const char *pid)
{
	gid_t user[4], group[4], groups[64];
	int count = read_numbers(pid, "Groups:", groups, 64);

	if (read_numbers(pid, "Uid:", user, 4) != 4 || read_numbers(pid, "Gid:", group, 4) != 4)
		fail("status");
	for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
			fail("drop capability");
	if (setgroups((size_t)count, groups) != 0 || setresgid(group[0], group[1], group[2]) != 0)
		fail("drop group");
	if (setresuid(user[0], user[1], user[2]) != 0)
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
	const char *label = NULL, *like = NULL, *in = "/dev/null", *out = NULL, *disk = NULL, *kvm = NULL;
	const char *wishes[32];
	int i = 1, wished = 0;

	if (argc > 3 && strcmp(argv[1], "--set-label") == 0)
		return set_labels(argv[2], argv + 3);
	for (; i + 1 < argc && strcmp(argv[i], "--") != 0; i += 2) {
		const char **into = strcmp(argv[i], "--label") == 0 ? &label : strcmp(argv[i], "--like") == 0 ? &like
			: strcmp(argv[i], "--in") == 0 ? &in : strcmp(argv[i], "--out") == 0 ? &out
			: strcmp(argv[i], "--disk") == 0 ? &disk
			: strcmp(argv[i], "--hand") == 0 && wished < 32 ? &wishes[wished++]
			: strcmp(argv[i], "--kvm") == 0 ? &kvm : NULL;
		if (!into)
			return 2;
		*into = argv[i + 1];
	}
	if (i + 1 >= argc || !out || !disk)
		return 2;
	open_as(disk, O_RDWR, DISK);
	if (kvm)
		open_as(kvm, O_RDWR, KVM);
	make_tap(TAP);
	if (wished && label)
		ask_socket_label(label);
	for (int wish = 0; wish < wished; wish++)
		hand(wishes[wish]);
	open_as(in, O_RDONLY, 0);
	open_as(out, O_WRONLY | O_CREAT | O_APPEND, 1);
	dup2(1, 2);
	setsid();
	if (chdir("/") != 0)
		fail("chdir");
	if (like)
		become_like(like);
	if (label)
		ask_label(label);
	execve(argv[i + 1], argv + i + 1, (char *const[]){ NULL });
	fail(argv[i + 1]);
}
