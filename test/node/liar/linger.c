/* Processes that should still run after the guest's end. */
#define _GNU_SOURCE
#include "liar.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void ignore_all(void)
{
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_IGN);
}

static _Noreturn void stay(void)
{
	for (;;)
		pause();
}

/* Starts an orphan, which a search among the guest's children does not find. */
static int stay_as_orphan(void)
{
	pid_t child = fork();

	if (child < 0)
		return -1;
	if (child == 0) {
		setsid();
		if (fork() > 0)
			_exit(0);
		ignore_all();
		stay();
	}
	return waitpid(child, NULL, 0) < 0 ? -1 : 0;
}

static int stay_under_name(const char *name)
{
	pid_t child = fork();

	if (child == 0) {
		setsid();
		prctl(PR_SET_NAME, name);
		prctl(PR_SET_DUMPABLE, 0);
		stay();
	}
	return child < 0 ? -1 : 0;
}

static void *keep_running(void *unused)
{
	(void)unused;
	stay();
}

/* Dead by its status, and alive in another thread. */
static int stay_behind_leader(void)
{
	pthread_t thread;
	pid_t child = fork();

	if (child == 0) {
		setsid();
		pthread_create(&thread, NULL, keep_running, NULL);
		syscall(SYS_exit, 0);
	}
	return child < 0 ? -1 : 0;
}

/* Forks and exits continuously: a process that was found is gone when the signal arrives. */
static int run_away(void)
{
	pid_t child = fork();

	if (child == 0) {
		setsid();
		signal(SIGCHLD, SIG_IGN);
		for (;;)
			if (fork() > 0)
				_exit(0);
	}
	return child < 0 ? -1 : 0;
}

/* Each process forks as fast as it can, so that some run at any moment. */
static int fork_always(void)
{
	pid_t child = fork();

	if (child == 0) {
		setsid();
		ignore_all();
		/* As many as an emulated node can end in time. setrlimit(2) */
		setrlimit(RLIMIT_NPROC, &(struct rlimit){ 60, 60 });
		for (;;)
			if (fork() < 0)
				usleep(20000);
	}
	return child < 0 ? -1 : 0;
}

static int stay_stopped(void)
{
	pid_t child = fork();

	if (child == 0) {
		setsid();
		raise(SIGSTOP);
		stay();
	}
	return child < 0 ? -1 : 0;
}

static int stay_traced(void)
{
	pid_t child = fork();

	if (child == 0) {
		pid_t traced = fork();
		setsid();
		if (traced == 0)
			stay();
		if (ptrace(PTRACE_SEIZE, traced, 0, PTRACE_O_TRACEEXIT) != 0)
			_exit(1);
		stay();
	}
	usleep(100000);
	errno = EACCES;
	return child < 0 || waitpid(child, NULL, WNOHANG) == child ? -1 : 0;
}

/* A child of the reaper, which waits for another child. */
static int stay_as_sibling(void)
{
	long child = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);

	if (child == 0) {
		setsid();
		ignore_all();
		stay();
	}
	return child < 0 ? -1 : 0;
}

/* Waits for its child in the kernel, where it receives few signals. */
static int stay_in_vfork(void)
{
	pid_t child = fork();

	if (child == 0) {
		setsid();
		if (syscall(SYS_clone, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0) == 0)
			stay();
		_exit(0);
	}
	return child < 0 ? -1 : 0;
}

/* In a separate user namespace, where it is another user. */
static int stay_in_namespace(void)
{
	int report[2];
	char ok = 0;

	if (pipe(report) != 0)
		return -1;
	pid_t child = fork();
	if (child == 0) {
		setsid();
		ok = unshare(CLONE_NEWUSER | CLONE_NEWPID) == 0;
		if (ok && fork() == 0)
			stay();
		_exit(write(report[1], &ok, 1) == 1 ? 0 : 1);
	}
	close(report[1]);
	if (child < 0 || read(report[0], &ok, 1) != 1)
		return -1;
	errno = EACCES;
	return ok ? 0 : -1;
}

int linger(const char *how)
{
	if (strcmp(how, "orphan") == 0)
		return stay_as_orphan();
	if (strcmp(how, "kernel-name") == 0)
		return stay_under_name("kworker/0:1");
	if (strcmp(how, "reaper-name") == 0)
		return stay_under_name("svirt");
	if (strcmp(how, "leader") == 0)
		return stay_behind_leader();
	if (strcmp(how, "run-away") == 0)
		return run_away();
	if (strcmp(how, "bomb") == 0)
		return fork_always();
	if (strcmp(how, "stopped") == 0)
		return stay_stopped();
	if (strcmp(how, "traced") == 0)
		return stay_traced();
	if (strcmp(how, "sibling") == 0)
		return stay_as_sibling();
	if (strcmp(how, "vfork") == 0)
		return stay_in_vfork();
	if (strcmp(how, "namespace") == 0)
		return stay_in_namespace();
	errno = EINVAL;
	return -1;
}
