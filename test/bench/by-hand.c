/*
 * by-hand start FILE: starts the guest that FILE describes, waits until its monitor answers, sends "cont" and ends when
 * QEMU has answered. So does svirt start, which also decides, records and checks. The guest keeps running.
 * by-hand quit FILE: ends the guest and waits until its monitor closes.
 *
 * FILE is made from the spawn step of `svirt plan --json`. Each line has a keyword and a value:
 *   user NUMBER, context TEXT, folder PATH, log PATH, socket PATH (descriptor 3), file r|w|s PATH (descriptor 4 and up;
 *   s is a socket that listens), env NAME=VALUE, word TEXT (the first one is the program).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST_HANDED = 3, MOST = 512 };

static char *words[MOST], *environment[MOST], *files[MOST];
static int word_count, environment_count, file_count;
static char *context, *folder, *log_path, *socket_path;
static unsigned user;

static void die(const char *what)
{
	fprintf(stderr, "Cannot %s: %s\n", what, strerror(errno));
	exit(1);
}

static void read_order(const char *path)
{
	static char line[1 << 16];
	FILE *file = fopen(path, "re");
	if (!file)
		die(path);
	while (fgets(line, sizeof line, file)) {
		line[strcspn(line, "\n")] = 0;
		char *value = strchr(line, ' ');
		if (!value)
			continue;
		*value++ = 0;
		value = strdup(value);
		if (word_count >= MOST - 1 || environment_count >= MOST - 1 || file_count >= MOST - 1)
			die("hold so many words");
		if (!strcmp(line, "user"))
			user = strtoul(value, NULL, 10);
		else if (!strcmp(line, "context"))
			context = value;
		else if (!strcmp(line, "folder"))
			folder = value;
		else if (!strcmp(line, "log"))
			log_path = value;
		else if (!strcmp(line, "socket"))
			socket_path = value;
		else if (!strcmp(line, "file"))
			files[file_count++] = value;
		else if (!strcmp(line, "env"))
			environment[environment_count++] = value;
		else if (!strcmp(line, "word"))
			words[word_count++] = value;
	}
	fclose(file);
}

static void write_context(const char *attribute, const char *value)
{
	int fd = open(attribute, O_WRONLY | O_CLOEXEC);
	size_t length = strlen(value);
	if (fd < 0 || write(fd, length ? value : "\n", length + 1) < 0)
		die(attribute);
	close(fd);
}

static struct sockaddr_un address(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
	return at;
}

static int listen_at(const char *path)
{
	struct sockaddr_un at = address(path);
	int fd;

	unlink(path);
	if (context)
		write_context("/proc/thread-self/attr/sockcreate", context);
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
		die("make a socket");
	if (context)
		write_context("/proc/thread-self/attr/sockcreate", "");
	if (bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 8))
		die("listen");
	return fd;
}

static int open_file(const char *file)
{
	int fd;

	if (file[0] == 's')
		return listen_at(file + 2);
	if ((fd = open(file + 2, (file[0] == 'w' ? O_RDWR : O_RDONLY) | O_CLOEXEC)) < 0)
		die(file);
	return fd;
}

/* Opens the guest's socket and files above MOST, in the order of their final numbers. */
static void open_handed(int *last)
{
	for (int file = -1; file < file_count; file++) {
		int fd = file < 0 ? listen_at(socket_path) : open_file(files[file]);
		/* Keeps the final numbers free. */
		if ((last[file + 1] = fcntl(fd, F_DUPFD_CLOEXEC, MOST)) < 0)
			die("copy a descriptor");
		close(fd);
	}
}

static void become_guest(int *handed)
{
	int log = open(log_path, O_WRONLY | O_APPEND | O_CREAT, 0600), null = open("/dev/null", O_RDONLY);
	if (log < 0 || null < 0 || chdir(folder))
		die("open the log, or enter the folder");
	setsid();
	dup2(null, 0);
	dup2(log, 1);
	dup2(log, 2);
	for (int at = 0; at <= file_count; at++)
		if (dup2(handed[at], FIRST_HANDED + at) < 0)
			die("hand a descriptor over");
	close_range(FIRST_HANDED + file_count + 1, ~0U, 0);
	for (int capability = 0; capability < 64; capability++)
		prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
	if (setgroups(0, NULL) || setresgid(user, user, user) || setresuid(user, user, user))
		die("become the guest's user");
	if (context)
		write_context("/proc/thread-self/attr/exec", context);
	execve(words[0], words, environment);
	die(words[0]);
}

/* Reads lines until one contains the text. */
static void wait_for(FILE *monitor, const char *text)
{
	static char line[1 << 20];
	while (fgets(line, sizeof line, monitor))
		if (strstr(line, text))
			return;
	die("understand the monitor");
}

static FILE *open_monitor(void)
{
	struct sockaddr_un at = address(socket_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at))
		die("connect to the monitor");
	FILE *monitor = fdopen(fd, "r+");
	setvbuf(monitor, NULL, _IONBF, 0);
	wait_for(monitor, "\"QMP\"");
	fputs("{\"execute\":\"qmp_capabilities\"}\n", monitor);
	wait_for(monitor, "\"return\"");
	return monitor;
}

int main(int argc, char **argv)
{
	int handed[MOST + 1];

	if (argc != 3) {
		fputs("usage: by-hand start|quit FILE\n", stderr);
		return 2;
	}
	read_order(argv[2]);
	if (!strcmp(argv[1], "start")) {
		open_handed(handed);
		pid_t child = fork();
		if (child < 0)
			die("fork");
		if (child == 0)
			become_guest(handed);
		for (int at = 0; at <= file_count; at++)
			close(handed[at]);
		FILE *monitor = open_monitor();
		fputs("{\"execute\":\"cont\"}\n", monitor);
		wait_for(monitor, "\"return\"");
		return 0;
	}
	FILE *monitor = open_monitor();
	fputs("{\"execute\":\"quit\"}\n", monitor);
	while (fgetc(monitor) != EOF)
		;
	return 0;
}
