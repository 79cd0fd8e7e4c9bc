/* Runs one attempt in a separate child and prints its result as one JSON line. Shared by the adversary and the liar. */
#define _GNU_SOURCE
#include "adversary.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS_A_TRY 30
#define MAX_FACTS 64

static char *names[MAX_FACTS];
static char *values[MAX_FACTS];
static size_t facts;

static const char *const group_names[] = { "neighbour", "secrets", "host", "kernel", "own",
	"handed", "limits", "monitor" };


const char *fact(const char *name)
{
	for (size_t i = 0; i < facts; i++)
		if (strcmp(names[i], name) == 0)
			return values[i];
	return NULL;
}

void set_fact(const char *name, const char *value)
{
	if (facts == MAX_FACTS)
		return;
	names[facts] = strdup(name);
	values[facts++] = strdup(value);
}

void read_facts(void)
{
	static char line[4096];

	while (fgets(line, sizeof line, stdin)) {
		char *equals = strchr(line, '=');
		line[strcspn(line, "\n")] = 0;
		if (!equals || !equals[1])
			continue;
		*equals = 0;
		set_fact(line, equals + 1);
	}
}

/* Replaces `@name` by facts. Returns the name of a missing fact, or NULL. */
static const char *expand(const char *subject, char *into, size_t size)
{
	static char name[64];
	size_t used = 0;

	while (*subject && used + 1 < size) {
		if (*subject != '@') {
			into[used++] = *subject++;
			continue;
		}
		size_t length = strspn(++subject, "abcdefghijklmnopqrstuvwxyz_");
		snprintf(name, sizeof name, "%.*s", (int)length, subject);
		const char *value = fact(name);
		if (!value)
			return name;
		used += (size_t)snprintf(into + used, size - used, "%s", value);
		if (used >= size)
			return name;
		subject += length;
	}
	into[used] = 0;
	return NULL;
}

static void print_text(const char *key, const char *text)
{
	printf(",\"%s\":\"", key);
	for (; *text; text++)
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if ((unsigned char)*text >= ' ')
			putchar(*text);
	putchar('"');
}

void print_result(const struct attempt *a, const char *verdict, const char *step, const char *why)
{
	printf("{\"id\":\"%s\"", a->id);
	print_text("group", group_names[a->group]);
	print_text("what", a->what);
	printf(",\"destructive\":%s", a->flags & DESTRUCTIVE ? "true" : "false");
	print_text("verdict", verdict);
	if (step)
		print_text("step", step);
	if (why)
		print_text("why", why);
	printf("}\n");
	fflush(stdout);
}

static void in_child(const struct attempt *a, const char *subject, int report)
{
	struct outcome outcome;

	setpgid(0, 0);
	errno = 0;
	outcome = a->run(subject, a->number);
	_exit(write(report, &outcome, sizeof outcome) == sizeof outcome ? 0 : 1);
}

/* Waits for the outcome until the time limit, then kills the child and its process group. */
static int await(pid_t child, int report, struct outcome *outcome, int *status)
{
	struct pollfd ready = { .fd = report, .events = POLLIN };
	int in_time = poll(&ready, 1, SECONDS_A_TRY * 1000) == 1;
	int got = in_time && read(report, outcome, sizeof *outcome) == sizeof *outcome;

	kill(-child, SIGKILL);
	if (!in_time)
		kill(child, SIGKILL);
	waitpid(child, status, 0);
	return got ? 1 : in_time ? 0 : -1;
}

void attempt(const struct attempt *a)
{
	char subject[4096];
	struct outcome outcome = DONE;
	int status = 0, report[2];
	const char *missing = expand(a->subject ? a->subject : "", subject, sizeof subject);

	if (missing) {
		print_result(a, "untried", "facts", missing);
		return;
	}
	if (pipe(report) != 0) {
		print_result(a, "untried", "pipe", strerrorname_np(errno));
		return;
	}
	pid_t child = fork();
	if (child == 0)
		in_child(a, subject, report[1]);
	close(report[1]);
	int got = child < 0 ? -1 : await(child, report[0], &outcome, &status);
	close(report[0]);
	if (child < 0)
		print_result(a, "untried", "fork", strerrorname_np(errno));
	else if (got < 0)
		print_result(a, "hung", NULL, NULL);
	else if (got == 0)
		print_result(a, "refused", "killed", WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : "exit");
	else if (outcome.step)
		print_result(a, "refused", outcome.step, outcome.error ? strerrorname_np(outcome.error) : "no answer");
	else
		print_result(a, "done", NULL, NULL);
}

