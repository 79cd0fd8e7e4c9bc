/* Runs a command within limits, and a client that trusts QEMU: the two sides of the monitor's attempts. */
#define _GNU_SOURCE
#include "liar.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 50

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Returns its largest memory so far. proc_pid_status(5) VmHWM */
static long most_kib(pid_t pid)
{
	char path[64], line[256];
	long kib = 0;

	snprintf(path, sizeof path, "/proc/%d/status", pid);
	FILE *status = fopen(path, "re");
	while (status && fgets(line, sizeof line, status))
		sscanf(line, "VmHWM: %ld", &kib);
	if (status)
		fclose(status);
	return kib;
}

/* Prints `ended STATUS MS KIB`; if it was killed, `late` or `large` instead of `ended`. */
int watch(int seconds, long mib, char **command)
{
	struct rusage used = { 0 };
	const char *how = "ended";
	long began = now_ms(), kib = 0;
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		setpgid(0, 0);
		execvp(*command, command);
		_exit(127);
	}
	while (child > 0 && wait4(child, &status, WNOHANG, &used) == 0) {
		long seen = most_kib(child);
		kib = seen > kib ? seen : kib;
		how = kib > mib * 1024 ? "large" : now_ms() - began > seconds * 1000L ? "late" : "ended";
		if (*how == 'l') {
			kill(-child, SIGKILL);
			wait4(child, &status, 0, &used);
			break;
		}
		usleep(LOOK_MS * 1000);
	}
	kib = used.ru_maxrss > kib ? used.ru_maxrss : kib;
	if (kib > mib * 1024 && strcmp(how, "ended") == 0)
		how = "large";
	dprintf(3, "%s %d %ld %ld\n", how, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), now_ms() - began, kib);
	return 0;
}

static int taken;

/* Reads a byte, and descriptors that come with it. */
static ssize_t read_byte(int fd, char *into)
{
	union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control;
	struct iovec part = { into, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
	ssize_t got = recvmsg(fd, &message, 0);

	taken += got > 0 && message.msg_controllen > 0;
	return got;
}

/* Returns a line of any length, or NULL at the end. */
static char *read_line(int fd)
{
	size_t size = 0, room = 1 << 16;
	char *line = malloc(room);

	for (;;) {
		ssize_t got = read_byte(fd, line + size);
		if (got <= 0)
			return NULL;
		if (line[size] == '\n') {
			line[size] = 0;
			return line;
		}
		if (++size == room)
			line = realloc(line, room *= 2);
	}
}

/* Recurses as deeply as the text is nested. */
static const char *skip_value(const char *at)
{
	volatile char frame[64] = { 0 };

	while (*at == '[' || *at == '{')
		at = skip_value(at + 1 + frame[0]);
	return *at ? at + 1 : at;
}

int ask_as_client(const char *path, const char *command)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strncpy(address.sun_path, path, sizeof address.sun_path - 1);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
		return 1;
	if (!read_line(fd))
		return 1;
	dprintf(fd, "{\"execute\":\"qmp_capabilities\",\"id\":1}\n");
	if (!read_line(fd))
		return 1;
	dprintf(fd, "{\"execute\":\"%s\",\"id\":2}\n", command);
	for (char *line = read_line(fd); line; line = read_line(fd)) {
		if (strstr(line, "\"event\""))
			continue;
		const char *value = strchr(line, ':');
		if (value)
			skip_value(value + 1);
		printf("%s%s\n", taken ? "with descriptors: " : "", line);
		return 0;
	}
	return 1;
}
