/* Reads the facts from stdin (name=value lines), runs every attempt, prints one JSON line each.
 *
 *   adversary [--destructive] [--list] [--only PREFIX] < facts */
#define _GNU_SOURCE
#include "adversary.h"

#include <signal.h>
#include <string.h>

static const struct attempt *const tables[] = {
	own_attempts, handed_attempts, file_attempts, process_attempts, network_attempts, host_attempts,
	mount_attempts, kernel_attempts, identity_attempts, code_attempts, selinux_attempts,
};

static void attempt_all(int flags, const char *prefix, int list)
{
	for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
		for (const struct attempt *a = tables[t]; a->id; a++) {
			if (strncmp(a->id, prefix, strlen(prefix)) != 0 || (a->flags & DESTRUCTIVE) != flags)
				continue;
			if (list)
				print_result(a, "untried", NULL, NULL);
			else
				attempt(a);
		}
}

int main(int argc, char **argv)
{
	int destructive = 0, list = 0;
	const char *prefix = "";

	/* Entry into another context, see selinux.c: a start is all that it requires. */
	if (argc == 2 && strcmp(argv[1], "--noop") == 0)
		return 0;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--destructive") == 0)
			destructive = 1;
		else if (strcmp(argv[i], "--list") == 0)
			list = 1;
		else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
			prefix = argv[++i];
		else
			return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	if (!list)
		read_facts();
	attempt_all(0, prefix, list);
	if (destructive || list)
		attempt_all(DESTRUCTIVE, prefix, list);
	return 0;
}
