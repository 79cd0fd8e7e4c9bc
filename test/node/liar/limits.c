/* Acts on its limits, and on its parent, the reaper, which restores its labels. */
#define _GNU_SOURCE
#include "liar.h"

#include <fcntl.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1 << 20)

static pid_t pid_of(const char *pid)
{
	return (pid_t)atoi(pid);
}

/* Forks more processes than a guest has threads. Each waits until all are killed with the attempt. */
static struct outcome fork_many(const char *subject, int count)
{
	(void)subject;
	for (int made = 0; made < count; made++) {
		pid_t child = fork();
		if (child < 0)
			return refused("fork");
		if (child == 0) {
			pause();
			_exit(0);
		}
	}
	return DONE;
}

/* If memory is short, the kernel should kill this attempt, not its parent. proc_pid_oom_score_adj(5) */
static void come_first(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		dprintf(fd, "1000");
		close(fd);
	}
}

/* Uses memory, not only reserves it. */
static struct outcome use_memory(const char *subject, int mib)
{
	(void)subject;
	come_first();
	for (int done = 0; done < mib; done += 16) {
		char *memory = mmap(NULL, 16 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED)
			return refused("mmap");
		for (size_t at = 0; at < 16 * MIB; at += 4096)
			memory[at] = 1;
	}
	return DONE;
}

/* Uses memory in files without a name. */
static struct outcome use_shared_memory(const char *subject, int mib)
{
	int fd = memfd_create("fill", MFD_CLOEXEC);

	(void)subject;
	come_first();
	if (fd < 0)
		return refused("memfd_create");
	if (ftruncate(fd, (off_t)mib * MIB) != 0)
		return refused("ftruncate");
	char *memory = mmap(NULL, (size_t)mib * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return refused("mmap");
	for (size_t at = 0; at < (size_t)mib * MIB; at += 4096)
		memory[at] = 1;
	return DONE;
}

static struct outcome lock_memory(const char *subject, int mib)
{
	(void)subject;
	void *memory = mmap(NULL, (size_t)mib * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return refused("mmap");
	return mlock(memory, (size_t)mib * MIB) != 0 ? refused("mlock") : DONE;
}

static struct outcome raise_limit(const char *subject, int resource)
{
	struct rlimit limit;

	(void)subject;
	if (getrlimit((__rlimit_resource_t)resource, &limit) != 0)
		return refused("getrlimit");
	if (limit.rlim_max == RLIM_INFINITY && resource != RLIMIT_NOFILE)
		return DONE;
	limit.rlim_max = resource == RLIMIT_NOFILE ? limit.rlim_max + 1 : RLIM_INFINITY;
	return setrlimit((__rlimit_resource_t)resource, &limit) != 0 ? refused("setrlimit") : DONE;
}

static struct outcome set_nice(const char *subject, int nice_value)
{
	(void)subject;
	return setpriority(PRIO_PROCESS, 0, nice_value) != 0 ? refused("setpriority") : DONE;
}

static struct outcome run_in_real_time(const char *subject, int policy)
{
	struct sched_param param = { .sched_priority = 1 };

	(void)subject;
	return sched_setscheduler(0, policy, &param) != 0 ? refused("sched_setscheduler") : DONE;
}

static struct outcome read_first(const char *subject, int class)
{
	(void)subject;
	return syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(class, 0)) != 0 ? refused("ioprio_set") : DONE;
}

static struct outcome wake_early(const char *subject, int number)
{
	(void)subject, (void)number;
	/* linux/prctl.h PR_SET_IO_FLUSHER: it may use the kernel's memory reserves. */
	if (prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0) != 0)
		return refused("PR_SET_IO_FLUSHER");
	return prctl(PR_SET_IO_FLUSHER, 0, 0, 0, 0) != 0 ? refused("back") : DONE;
}

static struct outcome signal_parent(const char *pid, int number)
{
	if (kill(pid_of(pid), number) != 0)
		return refused("kill");
	/* A process that the signal has ended cannot be continued, and need not be. */
	return kill(pid_of(pid), SIGCONT) != 0 && errno != ESRCH ? refused("SIGCONT") : DONE;
}

static struct outcome signal_by_descriptor(const char *pid, int number)
{
	int fd = (int)syscall(SYS_pidfd_open, pid_of(pid), 0);

	if (fd < 0)
		return refused("pidfd_open");
	return syscall(SYS_pidfd_send_signal, fd, number, NULL, 0) != 0 ? refused("pidfd_send_signal") : DONE;
}

static struct outcome trace_parent(const char *pid, int request)
{
	if (ptrace((enum __ptrace_request)request, pid_of(pid), 0, 0) != 0)
		return refused("ptrace");
	return ptrace(PTRACE_DETACH, pid_of(pid), 0, 0) != 0 && errno != ESRCH ? refused("PTRACE_DETACH") : DONE;
}

static struct outcome read_parent(const char *pid, int number)
{
	char path[64], byte[16];

	(void)number;
	snprintf(path, sizeof path, "/proc/%s/maps", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return refused("open");
	return read(fd, byte, sizeof byte) < 0 ? refused("read") : DONE;
}

static struct outcome open_of_parent(const char *pid, int write)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%s/%s", pid, write ? "mem" : "environ");
	return open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC) < 0 ? refused("open") : DONE;
}

static struct outcome list_parent(const char *pid, int number)
{
	char path[64];

	(void)number;
	snprintf(path, sizeof path, "/proc/%s/fd", pid);
	return list_folder(path, 0);
}

static struct outcome take_descriptor(const char *pid, int number)
{
	int fd = (int)syscall(SYS_pidfd_open, pid_of(pid), 0);

	if (fd < 0)
		return refused("pidfd_open");
	return syscall(SYS_pidfd_getfd, fd, number, 0) < 0 ? refused("pidfd_getfd") : DONE;
}

static struct outcome slow_parent(const char *pid, int nice_value)
{
	return setpriority(PRIO_PROCESS, (id_t)pid_of(pid), nice_value) != 0 ? refused("setpriority") : DONE;
}

static struct outcome pin_parent(const char *pid, int processor)
{
	cpu_set_t before, one;

	if (sched_getaffinity(pid_of(pid), sizeof before, &before) != 0)
		return refused("sched_getaffinity");
	CPU_ZERO(&one);
	CPU_SET(processor, &one);
	if (sched_setaffinity(pid_of(pid), sizeof one, &one) != 0)
		return refused("sched_setaffinity");
	return sched_setaffinity(pid_of(pid), sizeof before, &before) != 0 ? refused("back") : DONE;
}

static struct outcome limit_parent(const char *pid, int resource)
{
	struct rlimit limit;

	if (prlimit(pid_of(pid), (__rlimit_resource_t)resource, NULL, &limit) != 0)
		return refused("prlimit");
	return prlimit(pid_of(pid), (__rlimit_resource_t)resource, &limit, NULL) != 0 ? refused("prlimit set") : DONE;
}

/* Makes the kernel kill the parent first, and not the process that fills its memory. */
static struct outcome offer_parent(const char *pid, int score)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%s/oom_score_adj", pid);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return refused("open");
	return dprintf(fd, "%d", score) < 0 ? refused("write") : DONE;
}

const struct attempt limit_attempts[] = {
	{ "limit.processes", LIMITS, "have 1,500 processes", fork_many, "", 1500, 0 },
	{ "limit.memory", LIMITS, "use 320 MiB of memory, 128 are allowed", use_memory, "", 320, 0 },
	{ "limit.shared-memory", LIMITS, "use 320 MiB of memory in files, 128 are allowed", use_shared_memory, "", 320, 0 },
	{ "limit.locked", LIMITS, "lock 64 MiB of memory", lock_memory, "", 64, 0 },
	{ "limit.raise-locked", LIMITS, "raise how much memory it may lock", raise_limit, "", RLIMIT_MEMLOCK, 0 },
	{ "limit.raise-files", LIMITS, "raise how many files it may open", raise_limit, "", RLIMIT_NOFILE, 0 },
	{ "limit.raise-nice", LIMITS, "raise which priority it may have", raise_limit, "", RLIMIT_NICE, 0 },
	{ "limit.nice", LIMITS, "run before others", set_nice, "", -5, 0 },
	{ "limit.real-time", LIMITS, "run in real time", run_in_real_time, "", SCHED_FIFO, 0 },
	{ "limit.round-robin", LIMITS, "run in real time, in turns", run_in_real_time, "", SCHED_RR, 0 },
	{ "limit.disk-first", LIMITS, "read its disk before others", read_first, "", IOPRIO_CLASS_RT, 0 },
	{ "limit.last-memory", LIMITS, "use the memory that the kernel keeps", wake_early, "", 0, 0 },
	{ "reaper.see", LIMITS, "read its reaper's memory map", read_parent, "@parent", 0, 0 },
	{ "reaper.environment", LIMITS, "read its reaper's environment", open_of_parent, "@parent", 0, 0 },
	{ "reaper.memory", LIMITS, "open its reaper's memory", open_of_parent, "@parent", 1, 0 },
	{ "reaper.descriptors", LIMITS, "list its reaper's descriptors", list_parent, "@parent", 0, 0 },
	{ "reaper.take", LIMITS, "take a descriptor of its reaper's", take_descriptor, "@parent", 2, 0 },
	{ "reaper.attach", LIMITS, "trace its reaper", trace_parent, "@parent", PTRACE_SEIZE, 0 },
	{ "reaper.slow", LIMITS, "slow its reaper", slow_parent, "@parent", 19, 0 },
	{ "reaper.pin", LIMITS, "pin its reaper to a processor", pin_parent, "@parent", 0, 0 },
	{ "reaper.limit", LIMITS, "set a limit of its reaper's", limit_parent, "@parent", RLIMIT_NOFILE, 0 },
	{ "reaper.offer", LIMITS, "have its reaper ended when memory is short", offer_parent, "@parent", 1000, 0 },
	{ "reaper.interrupt", LIMITS, "interrupt its reaper", signal_parent, "@parent", SIGURG, 0 },
	{ "reaper.stop", LIMITS, "stop its reaper", signal_parent, "@parent", SIGSTOP, 0 },
	{ "reaper.end", LIMITS, "end its reaper", signal_parent, "@parent", SIGTERM, DESTRUCTIVE },
	{ "reaper.kill", LIMITS, "kill its reaper", signal_by_descriptor, "@parent_again", SIGKILL, DESTRUCTIVE },
	{ NULL, LIMITS, NULL, NULL, NULL, 0, 0 },
};
