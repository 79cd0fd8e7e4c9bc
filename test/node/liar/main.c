/* See liar.h for the ways to start it. */
#define _GNU_SOURCE
#include "liar.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const struct attempt *const tables[] = {
	file_descriptor_attempts, device_attempts, log_attempts, folder_attempts, limit_attempts,
};

static int concerns(const struct attempt *a, const char *group)
{
	return a->group == (strcmp(group, "handed") == 0 ? HANDED : LIMITS);
}

void try_group(const char *group)
{
	for (int flags = 0; flags <= DESTRUCTIVE; flags++)
		for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
			for (const struct attempt *a = tables[t]; a->id; a++)
				if (concerns(a, group) && (a->flags & DESTRUCTIVE) == flags)
					attempt(a);
}

/* Sets the facts ROLE=FD, with the other facts from stdin, and runs a group. */
static int try_alone(const char *group, char **roles)
{
	char told[512] = ",0,1,2,";

	read_facts();
	for (; *roles; roles++) {
		char *fd = strchr(*roles, '=');
		if (!fd)
			return 2;
		*fd++ = 0;
		set_fact(*roles, fd);
		snprintf(told + strlen(told), sizeof told - strlen(told), "%s,", fd);
	}
	find_untold(told);
	set_fact("log", "2");
	try_group(group);
	return 0;
}

static int serve_alone(const char *path, const char *orders)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strncpy(address.sun_path, path, sizeof address.sun_path - 1);
	unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 8) != 0)
		return 1;
	serve(fd, open(orders, O_RDONLY | O_CLOEXEC));
}

static int linger_alone(const char *how)
{
	if (linger(how) != 0)
		return 1;
	printf("lingers\n");
	fflush(stdout);
	pause();
	return 0;
}

/* flock(1), which the node does not have. */
static int run_locked(const char *path, char **command)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	if (fd < 0 || flock(fd, LOCK_EX) != 0)
		return 1;
	execvp(*command, command);
	return 127;
}

/* Runs as svirt starts it: the report goes to the file of its serial line. */
static int live(int argc, char **argv)
{
	read_words(argc, argv);
	const char *monitor = fact("monitor"), *report = fact("report"), *disk = fact("disk");

	if (!monitor || !disk)
		return 3;
	if (report && dup2(atoi(report), STDOUT_FILENO) < 0)
		return 3;
	serve(atoi(monitor), atoi(disk));
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "";

	signal(SIGPIPE, SIG_IGN);
	if (argc > 3 && strcmp(way, "try") == 0)
		return try_alone(argv[2], argv + 3);
	if (argc == 4 && strcmp(way, "serve") == 0)
		return serve_alone(argv[2], argv[3]);
	if (argc == 4 && strcmp(way, "client") == 0)
		return ask_as_client(argv[2], argv[3]);
	if (argc == 3 && strcmp(way, "hold-tap") == 0)
		return hold_new_tap(argv[2]);
	if (argc == 4 && strcmp(way, "hold") == 0)
		return hold_and_use(argv[2], argv[3]);
	if (argc == 3 && strcmp(way, "linger") == 0)
		return linger_alone(argv[2]);
	if (argc == 3 && strcmp(way, "undig") == 0)
		return undig(argv[2]) == 0 ? 0 : 1;
	if (argc == 4 && strcmp(way, "trap") == 0)
		return set_trap(argv[2], argv[3]) == 0 ? 0 : 1;
	if (argc > 3 && strcmp(way, "lock") == 0)
		return run_locked(argv[2], argv + 3);
	if (argc > 4 && strcmp(way, "watch") == 0)
		return watch(atoi(argv[2]), atol(argv[3]), argv + 4);
	return live(argc, argv);
}
