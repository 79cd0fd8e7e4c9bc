/* Determines the role of each descriptor, by QEMU's arguments and by facts of the kernel. */
#define _GNU_SOURCE
#include "liar.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_FDS 128

static unsigned char told[MOST_FDS];

/* The numbers after each of these are descriptors; a colon separates several. */
static const char *const marks[] = {
	"fd=", "fds=", "vhostfd=", "vhostfds=", "\"fd\":\"", "\"fds\":\"", "\"vhostfd\":\"", "\"vhostfds\":\"", "/proc/self/fd/",
};

static void note_numbers(const char *at)
{
	while (isdigit((unsigned char)*at)) {
		char *end;
		unsigned long fd = strtoul(at, &end, 10);
		if (fd < MOST_FDS)
			told[fd] = 1;
		at = *end == ':' ? end + 1 : end;
	}
}

static void note_word(const char *word)
{
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
		for (const char *at = strstr(word, marks[i]); at; at = strstr(at + 1, marks[i]))
			note_numbers(at + strlen(marks[i]));
}

/* Role of a file by its name up to the dot: base.img is the base. */
static void role_of_file(const char *path, char *role, size_t size)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	snprintf(role, size, "%.*s", (int)strcspn(name, "."), name);
}

static void role_of(int fd, char *role, size_t size)
{
	char name[64], path[4096];
	int listens = 0;
	socklen_t length = sizeof listens;
	struct stat found;

	*role = 0;
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	ssize_t got = readlink(name, path, sizeof path - 1);
	if (got < 0 || fstat(fd, &found) != 0)
		return;
	path[got] = 0;
	if (S_ISSOCK(found.st_mode)) {
		getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length);
		snprintf(role, size, "%s", !listens ? "peer" : fact("monitor") ? "listener" : "monitor");
	} else if (S_ISBLK(found.st_mode))
		snprintf(role, size, "%s", strncmp(path, "/dev/loop", 9) == 0 ? "loop" : "block");
	else if (strcmp(path, "/dev/net/tun") == 0)
		snprintf(role, size, "tap");
	else if (strcmp(path, "/dev/urandom") == 0)
		snprintf(role, size, "random");
	else
		role_of_file(path, role, size);
}

static void note_roles(void)
{
	char role[256], number[16];

	for (int fd = 3; fd < MOST_FDS; fd++) {
		if (!told[fd])
			continue;
		role_of(fd, role, sizeof role);
		snprintf(number, sizeof number, "%d", fd);
		if (*role && !fact(role))
			set_fact(role, number);
	}
}

void find_untold(const char *list)
{
	char one[16], found[16] = "";

	for (int fd = 0; fd < 1024 && !*found; fd++) {
		snprintf(one, sizeof one, ",%d,", fd);
		if (fcntl(fd, F_GETFD) >= 0 && !strstr(list, one))
			snprintf(found, sizeof found, "%d", fd);
	}
	set_fact("untold", found);
}

static void note_told(void)
{
	char list[4 * MOST_FDS + 16] = ",0,1,2,";

	for (int fd = 3; fd < MOST_FDS; fd++)
		if (told[fd])
			snprintf(list + strlen(list), sizeof list - strlen(list), "%d,", fd);
	find_untold(list);
}

void read_words(int argc, char **argv)
{
	char folder[4096], path[4200], parent[16];

	for (int i = 1; i < argc; i++)
		note_word(argv[i]);
	note_told();
	note_roles();
	set_fact("log", "2");
	snprintf(parent, sizeof parent, "%d", getppid());
	set_fact("parent", parent);
	set_fact("parent_again", parent);
	if (!getcwd(folder, sizeof folder))
		return;
	set_fact("own_folder", folder);
	set_fact("own_space", folder);
	snprintf(path, sizeof path, "%s", folder);
	char *slash = strrchr(path, '/');
	if (slash) {
		strcpy(slash, "/monitor.sock");
		set_fact("monitor_path", path);
	}
}
