/* The neighbour's QEMU, the processes that serve it, and those of the host. */
#define _GNU_SOURCE
#include "adversary.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int pidfd_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* SIGURG, which is ignored by default, represents every signal of its kind. */
static struct outcome send_signal(const char *pid, int number)
{
	return kill(atoi(pid), number) != 0 ? refused("kill") : DONE;
}

static struct outcome send_by_pidfd(const char *pid, int number)
{
	int fd = pidfd_open(atoi(pid));

	if (fd < 0)
		return refused("pidfd_open");
	return syscall(SYS_pidfd_send_signal, fd, number, NULL, 0) != 0 ? refused("pidfd_send_signal") : DONE;
}

static struct outcome stop_and_continue(const char *pid, int number)
{
	(void)number;
	if (kill(atoi(pid), SIGSTOP) != 0)
		return refused("stop");
	return kill(atoi(pid), SIGCONT) != 0 ? refused("continue") : DONE;
}

static struct outcome ask_pidfd(const char *pid, int number)
{
	(void)number;
	return pidfd_open(atoi(pid)) < 0 ? refused("pidfd_open") : DONE;
}

/* Copies a descriptor of another process: the first that is open. */
static struct outcome take_descriptor(const char *pid, int number)
{
	int fd = pidfd_open(atoi(pid));

	if (fd < 0)
		return refused("pidfd_open");
	for (int theirs = 0; theirs < number; theirs++)
		if (syscall(SYS_pidfd_getfd, fd, theirs, 0) >= 0)
			return DONE;
		else if (errno != EBADF)
			return refused("pidfd_getfd");
	return refused("pidfd_getfd");
}

static struct outcome attach(const char *pid, int request)
{
	pid_t target = atoi(pid);
	int status;

	if (ptrace((enum __ptrace_request)request, target, NULL, NULL) != 0)
		return refused("ptrace");
	if (request == PTRACE_SEIZE)
		ptrace(PTRACE_INTERRUPT, target, NULL, NULL);
	waitpid(target, &status, __WALL);
	return ptrace(PTRACE_DETACH, target, NULL, NULL) != 0 ? refused("detach") : DONE;
}

/* Returns a writable address, or if the map is unreadable, the usual place of a position-independent program. */
static unsigned long an_address(const char *pid)
{
	char path[64], line[256];
	unsigned long address = 0x7ffff7ff0000;

	snprintf(path, sizeof path, "/proc/%s/maps", pid);
	FILE *maps = fopen(path, "re");
	while (maps && fgets(line, sizeof line, maps))
		if (sscanf(line, "%lx-%*x rw", &address) == 1 && line[0] && strstr(line, " rw"))
			break;
	return address;
}

/* EFAULT follows the permission check: the address is a guess, or for writing one that is never mapped. */
static struct outcome copy_memory(const char *pid, int write_it)
{
	char bytes[8];
	struct iovec here = { bytes, sizeof bytes };
	struct iovec there = { (void *)(write_it ? 0UL : an_address(pid)), sizeof bytes };
	long size = write_it ? process_vm_writev(atoi(pid), &here, 1, &there, 1, 0)
			     : process_vm_readv(atoi(pid), &here, 1, &there, 1, 0);

	if (size >= 0 || errno == EFAULT)
		return DONE;
	return refused(write_it ? "process_vm_writev" : "process_vm_readv");
}

static struct outcome read_memory(const char *pid, int flags)
{
	char path[64], byte;

	snprintf(path, sizeof path, "/proc/%s/mem", pid);
	int fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		return refused("open");
	if (pread(fd, &byte, 1, (off_t)an_address(pid)) != 1)
		return refused("pread");
	return flags == O_RDWR && pwrite(fd, &byte, 0, (off_t)an_address(pid)) != 0 ? refused("pwrite") : DONE;
}

/* Opens the neighbour's open files through /proc. */
static struct outcome open_descriptors(const char *pid, int number)
{
	char path[64];

	for (int fd = 0; fd < number; fd++) {
		snprintf(path, sizeof path, "/proc/%s/fd/%d", pid, fd);
		if (open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) >= 0)
			return DONE;
		if (errno == EACCES || errno == EPERM)
			return refused("open");
	}
	return refused("open");
}

static struct outcome set_affinity(const char *pid, int number)
{
	cpu_set_t all;

	(void)number;
	CPU_ZERO(&all);
	for (int cpu = 0; cpu < 64; cpu++)
		CPU_SET(cpu, &all);
	return sched_setaffinity(atoi(pid), sizeof all, &all) != 0 ? refused("sched_setaffinity") : DONE;
}

static struct outcome get_affinity(const char *pid, int number)
{
	cpu_set_t all;

	(void)number;
	return sched_getaffinity(atoi(pid), sizeof all, &all) < 0 ? refused("sched_getaffinity") : DONE;
}

static struct outcome set_priority(const char *pid, int number)
{
	errno = 0;
	int now = getpriority(PRIO_PROCESS, (id_t)atoi(pid));

	/* QEMU runs at 0, which is set if the priority cannot be read. */
	return setpriority(PRIO_PROCESS, (id_t)atoi(pid), errno ? number : now) != 0 ? refused("setpriority") : DONE;
}

static struct outcome set_scheduler(const char *pid, int number)
{
	struct sched_param parameters = { .sched_priority = 0 };

	return sched_setscheduler(atoi(pid), number, &parameters) != 0 ? refused("sched_setscheduler") : DONE;
}

static struct outcome set_io_priority(const char *pid, int number)
{
	return syscall(SYS_ioprio_set, 1 /* IOPRIO_WHO_PROCESS */, atoi(pid), number) != 0 ? refused("ioprio_set") : DONE;
}

static struct outcome get_limit(const char *pid, int number)
{
	struct rlimit limit;

	return prlimit(atoi(pid), (enum __rlimit_resource)number, NULL, &limit) != 0 ? refused("prlimit") : DONE;
}

static struct outcome set_limit(const char *pid, int number)
{
	struct rlimit limit = { 0, RLIM_INFINITY };

	if (prlimit(atoi(pid), (enum __rlimit_resource)number, NULL, &limit) != 0 && geteuid() == 0)
		return refused("prlimit get");
	return prlimit(atoi(pid), (enum __rlimit_resource)number, &limit, NULL) != 0 ? refused("prlimit set") : DONE;
}

static struct outcome get_session(const char *pid, int number)
{
	(void)number;
	return getsid(atoi(pid)) < 0 ? refused("getsid") : DONE;
}

static struct outcome compare(const char *pid, int number)
{
	return syscall(SYS_kcmp, getpid(), atoi(pid), number, 0, 0) < 0 ? refused("kcmp") : DONE;
}

static struct outcome advise(const char *pid, int advice)
{
	struct iovec there = { (void *)(an_address(pid) & ~4095UL), 4096 };
	int fd = pidfd_open(atoi(pid));

	if (fd < 0)
		return refused("pidfd_open");
	/* ENOMEM: permitted, but nothing is mapped at a guessed address. */
	if (syscall(SYS_process_madvise, fd, &there, 1, advice, 0) < 0 && errno != ENOMEM)
		return refused("process_madvise");
	return DONE;
}

static struct outcome count_events(const char *pid, int number)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof attr, .config = (unsigned)number, .disabled = 1,
	};

	return syscall(SYS_perf_event_open, &attr, atoi(pid), -1, -1, 0) < 0 ? refused("perf_event_open") : DONE;
}

static struct outcome robust_list(const char *pid, int number)
{
	void *head;
	size_t length;

	(void)number;
	return syscall(SYS_get_robust_list, atoi(pid), &head, &length) != 0 ? refused("get_robust_list") : DONE;
}

static struct outcome move_memory(const char *pid, int number)
{
	unsigned long nodes = 1;

	return syscall(SYS_migrate_pages, atoi(pid), number, &nodes, &nodes) < 0 ? refused("migrate_pages") : DONE;
}

static struct outcome enter_namespace(const char *path, int type)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return refused("open");
	return setns(fd, type) != 0 ? refused("setns") : DONE;
}

const struct attempt process_attempts[] = {
	{ "signal.null", NEIGHBOUR, "ask by signal 0 whether the neighbour runs", send_signal, "@b_pid", 0, 0 },
	{ "signal.urgent", NEIGHBOUR, "send the neighbour a signal", send_signal, "@b_pid", SIGURG, 0 },
	{ "signal.continue", NEIGHBOUR, "send the neighbour SIGCONT", send_signal, "@b_pid", SIGCONT, 0 },
	{ "signal.pidfd", NEIGHBOUR, "send the neighbour a signal by pidfd", send_by_pidfd, "@b_pid", SIGURG, 0 },
	{ "signal.reaper", NEIGHBOUR, "send the neighbour's reaper a signal", send_signal, "@b_reaper_pid", SIGURG, 0 },
	{ "signal.manager", HOST, "send svirt a signal", send_signal, "@manager_pid", SIGURG, 0 },
	{ "signal.ssh", HOST, "send the SSH server a signal", send_signal, "@ssh_pid", SIGURG, 0 },
	{ "signal.init", HOST, "send init a signal", send_signal, "1", SIGURG, 0 },
	{ "ptrace.attach", NEIGHBOUR, "attach to the neighbour by ptrace", attach, "@b_pid", PTRACE_ATTACH, 0 },
	{ "ptrace.seize", NEIGHBOUR, "seize the neighbour by ptrace", attach, "@b_pid", PTRACE_SEIZE, 0 },
	{ "ptrace.reaper", NEIGHBOUR, "attach to the neighbour's reaper", attach, "@b_reaper_pid", PTRACE_ATTACH, 0 },
	{ "ptrace.manager", HOST, "attach to svirt", attach, "@manager_pid", PTRACE_ATTACH, 0 },
	{ "memory.readv", NEIGHBOUR, "read the neighbour's memory (process_vm_readv)", copy_memory, "@b_pid", 0, 0 },
	{ "memory.writev", NEIGHBOUR, "write the neighbour's memory (process_vm_writev)", copy_memory, "@b_pid", 1, 0 },
	{ "memory.mem", NEIGHBOUR, "read /proc/B/mem", read_memory, "@b_pid", O_RDONLY, 0 },
	{ "memory.mem-write", NEIGHBOUR, "open /proc/B/mem for writing", read_memory, "@b_pid", O_RDWR, 0 },
	{ "memory.advise", NEIGHBOUR, "page out the neighbour's memory (process_madvise)", advise, "@b_pid", MADV_COLD, 0 },
	{ "memory.migrate", NEIGHBOUR, "move the neighbour's memory (migrate_pages)", move_memory, "@b_pid", 64, 0 },
	{ "proc.maps", NEIGHBOUR, "read /proc/B/maps", read_file, "/proc/@b_pid/maps", 0, 0 },
	{ "proc.map-files", NEIGHBOUR, "list /proc/B/map_files", list_folder, "/proc/@b_pid/map_files", 0, 0 },
	{ "proc.environ", NEIGHBOUR, "read /proc/B/environ", read_file, "/proc/@b_pid/environ", 0, 0 },
	{ "proc.cmdline", NEIGHBOUR, "read /proc/B/cmdline", read_file, "/proc/@b_pid/cmdline", 0, 0 },
	{ "proc.status", NEIGHBOUR, "read /proc/B/status", read_file, "/proc/@b_pid/status", 0, 0 },
	{ "proc.stat", NEIGHBOUR, "read /proc/B/stat", read_file, "/proc/@b_pid/stat", 0, 0 },
	{ "proc.auxv", NEIGHBOUR, "read /proc/B/auxv", read_file, "/proc/@b_pid/auxv", 0, 0 },
	{ "proc.stack", NEIGHBOUR, "read /proc/B/stack", read_file, "/proc/@b_pid/stack", 0, 0 },
	{ "proc.io", NEIGHBOUR, "read /proc/B/io", read_file, "/proc/@b_pid/io", 0, 0 },
	{ "proc.label", NEIGHBOUR, "read /proc/B/attr/current", read_file, "/proc/@b_pid/attr/current", 0, 0 },
	{ "proc.fd-list", NEIGHBOUR, "list /proc/B/fd", list_folder, "/proc/@b_pid/fd", 0, 0 },
	{ "proc.fd-open", NEIGHBOUR, "open what the neighbour has open, /proc/B/fd/N", open_descriptors, "@b_pid", 64, 0 },
	{ "proc.task", NEIGHBOUR, "list the neighbour's threads", list_folder, "/proc/@b_pid/task", 0, 0 },
	{ "proc.oom", NEIGHBOUR, "write /proc/B/oom_score_adj", write_back, "/proc/@b_pid/oom_score_adj", 0, 0 },
	{ "namespace.mount", NEIGHBOUR, "enter the neighbour's mount name space", enter_namespace, "/proc/@b_pid/ns/mnt", 0, 0 },
	{ "pidfd.open", HOST, "learn that a process id is in use (pidfd_open)", ask_pidfd, "@b_pid", 0, 0 },
	{ "pidfd.getfd", NEIGHBOUR, "take a descriptor of the neighbour (pidfd_getfd)", take_descriptor, "@b_pid", 64, 0 },
	{ "schedule.affinity", NEIGHBOUR, "set the neighbour's processors", set_affinity, "@b_pid", 0, 0 },
	{ "schedule.affinity-get", NEIGHBOUR, "ask for the neighbour's processors", get_affinity, "@b_pid", 0, 0 },
	{ "schedule.priority", NEIGHBOUR, "set the neighbour's priority", set_priority, "@b_pid", 0, 0 },
	{ "schedule.policy", NEIGHBOUR, "set the neighbour's scheduling policy", set_scheduler, "@b_pid", SCHED_OTHER, 0 },
	{ "schedule.io", NEIGHBOUR, "set the neighbour's I/O priority", set_io_priority, "@b_pid", 0, 0 },
	{ "limit.get", NEIGHBOUR, "read the neighbour's limits", get_limit, "@b_pid", RLIMIT_CORE, 0 },
	{ "limit.set", NEIGHBOUR, "set the neighbour's limits", set_limit, "@b_pid", RLIMIT_CORE, 0 },
	{ "session.get", NEIGHBOUR, "ask for the neighbour's session", get_session, "@b_pid", 0, 0 },
	{ "compare.files", NEIGHBOUR, "compare descriptors with the neighbour (kcmp)", compare, "@b_pid", KCMP_FILES, 0 },
	{ "perf.neighbour", NEIGHBOUR, "count the neighbour's events (perf_event_open)", count_events, "@b_pid", PERF_COUNT_SW_CPU_CLOCK, 0 },
	{ "futex.robust-list", NEIGHBOUR, "read the neighbour's robust futex list", robust_list, "@b_pid", 0, 0 },
	{ "host.cmdline", HOST, "read init's command line", read_file, "/proc/1/cmdline", 0, 0 },
	{ "host.environ", SECRETS, "read init's environment", read_file, "/proc/1/environ", 0, 0 },
	{ "host.root", SECRETS, "list the file system through /proc/1/root", list_folder, "/proc/1/root/root", 0, 0 },
	{ "signal.stop", NEIGHBOUR, "stop the neighbour (SIGSTOP), then go on", stop_and_continue, "@b_pid", 0, DESTRUCTIVE },
	{ "signal.kill", NEIGHBOUR, "kill the neighbour (SIGKILL)", send_signal, "@b_pid", SIGKILL, DESTRUCTIVE },
	{ NULL, OWN, NULL, NULL, NULL, 0, 0 },
};
