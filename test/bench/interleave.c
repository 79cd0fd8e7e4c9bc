/*
 * interleave ROUNDS PROGRAM...: runs each program ROUNDS times, in turn, so that other load disturbs all of them alike.
 * PROGRAM is one argument, split at blanks. A command after "=>" runs after the program each time, and is not measured.
 * Prints a line for each program: least, median and mean time in ms, median of its own processor time in ms, greatest
 * resident set in KiB, and its arguments. Reads standard output from a pipe to its end, as a caller does.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_WORDS = 64, MOST_PROGRAMS = 32 };

static double now_ms(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec * 1e3 + at.tv_nsec / 1e6;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double run_once(char *const *words, long *rss_kib, double *cpu_ms)
{
	extern char **environ;
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	int ends[2], status;
	char chunk[65536];
	pid_t pid;
	double start;

	if (pipe2(ends, O_CLOEXEC) != 0)
		die("pipe2");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	start = now_ms();
	if (posix_spawn(&pid, words[0], &actions, NULL, words, environ) != 0)
		die(words[0]);
	close(ends[1]);
	while (read(ends[0], chunk, sizeof chunk) > 0)
		;
	if (wait4(pid, &status, 0, &usage) < 0)
		die("wait4");
	start = now_ms() - start;
	close(ends[0]);
	posix_spawn_file_actions_destroy(&actions);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "Cannot measure %s: it ended with status %d\n", words[0], status);
		exit(1);
	}
	*cpu_ms = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
	if (usage.ru_maxrss > *rss_kib)
		*rss_kib = usage.ru_maxrss;
	return start;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	int rounds = argc > 2 ? atoi(argv[1]) : 0, programs = argc - 2;
	static char *words[MOST_PROGRAMS][MOST_WORDS + 1];
	static char *after[MOST_PROGRAMS][MOST_WORDS + 1];
	static long rss_kib[MOST_PROGRAMS];
	long ignored = 0;
	double *times[MOST_PROGRAMS], *cpu[MOST_PROGRAMS], cpu_ms;

	if (rounds < 1 || programs < 1 || programs > MOST_PROGRAMS) {
		fprintf(stderr, "usage: interleave ROUNDS PROGRAM...\n");
		return 2;
	}
	for (int p = 0; p < programs; p++) {
		int count = 0;
		char **into = words[p];
		for (char *word = strtok(strdup(argv[p + 2]), " "); word && count < MOST_WORDS; word = strtok(NULL, " "))
			if (strcmp(word, "=>") == 0)
				into = after[p], count = 0;
			else
				into[count++] = word;
		times[p] = calloc(rounds, sizeof(double));
		cpu[p] = calloc(rounds, sizeof(double));
	}
	/* The first round fills the page cache and is not counted. */
	for (int round = -1; round < rounds; round++)
		for (int p = 0; p < programs; p++) {
			double ms = run_once(words[p], &rss_kib[p], &cpu_ms);
			if (round >= 0)
				times[p][round] = ms, cpu[p][round] = cpu_ms;
			if (after[p][0])
				run_once(after[p], &ignored, &cpu_ms);
		}
	for (int p = 0; p < programs; p++) {
		double sum = 0;
		qsort(times[p], rounds, sizeof(double), by_size);
		qsort(cpu[p], rounds, sizeof(double), by_size);
		for (int round = 0; round < rounds; round++)
			sum += times[p][round];
		printf("%.2f %.2f %.2f %.2f %ld %s\n", times[p][0], times[p][rounds / 2], sum / rounds, cpu[p][rounds / 2],
		       rss_kib[p], argv[p + 2]);
	}
	return 0;
}
