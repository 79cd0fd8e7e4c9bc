/* Kernel interfaces that a guest does not need. */
#define _GNU_SOURCE
#include "adversary.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

/* Loads a module that is already loaded. */
static struct outcome load_module_file(const char *path, int number)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	(void)number;
	if (fd < 0)
		return refused("open");
	return permitted_if(syscall(SYS_finit_module, fd, "", 0), EEXIST, "finit_module");
}

static struct outcome load_module(const char *subject, int number)
{
	static const char junk[4096];

	(void)subject, (void)number;
	return permitted_if(syscall(SYS_init_module, junk, sizeof junk, ""), ENOEXEC, "init_module");
}

static struct outcome unload_module(const char *name, int number)
{
	(void)number;
	return permitted_if(syscall(SYS_delete_module, name, O_NONBLOCK), ENOENT, "delete_module");
}

/* Without segments the call only unloads, and no kernel is loaded. */
static struct outcome load_kernel(const char *subject, int number)
{
	(void)subject, (void)number;
	return syscall(SYS_kexec_load, 0, 0, NULL, 0) != 0 ? refused("kexec_load") : DONE;
}

static struct outcome reboot_invalid(const char *subject, int number)
{
	(void)subject, (void)number;
	return permitted_if(syscall(SYS_reboot, 0, 0, 0, NULL), EINVAL, "reboot");
}

static struct outcome swap_on(const char *path, int number)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct outcome outcome;

	(void)number;
	if (fd < 0 || ftruncate(fd, 8192) != 0)
		return refused("create");
	outcome = permitted_if(swapon(path, 0), EINVAL, "swapon");
	unlink(path);
	return outcome;
}

static struct outcome load_bpf(const char *subject, int type)
{
	const struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = { .prog_type = (unsigned)type, .insns = (uintptr_t)program, .insn_cnt = 2,
				.license = (uintptr_t) "GPL" };

	(void)subject;
	return syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr) < 0 ? refused("bpf") : DONE;
}

static struct outcome make_bpf_map(const char *subject, int type)
{
	union bpf_attr attr = { .map_type = (unsigned)type, .key_size = 4, .value_size = 4, .max_entries = 1 };

	(void)subject;
	return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr) < 0 ? refused("bpf") : DONE;
}

struct ring {
	int fd;
	char *queue;
	struct io_uring_sqe *entries;
	struct io_uring_params at;
};

static struct outcome open_ring(struct ring *ring)
{
	memset(ring, 0, sizeof *ring);
	ring->fd = (int)syscall(SYS_io_uring_setup, 1, &ring->at);
	if (ring->fd < 0)
		return refused("io_uring_setup");
	ring->queue = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
	ring->entries = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQES);
	return ring->queue == MAP_FAILED || ring->entries == MAP_FAILED ? refused("mmap") : DONE;
}

/* Returns the result of one request as the kernel does: negative is an error. */
static int submit(struct ring *ring, const struct io_uring_sqe *request)
{
	uint32_t *tail = (uint32_t *)(void *)(ring->queue + ring->at.sq_off.tail);
	const struct io_uring_cqe *done = (const void *)(ring->queue + ring->at.cq_off.cqes);

	ring->entries[0] = *request;
	*(uint32_t *)(void *)(ring->queue + ring->at.sq_off.array) = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return -errno;
	return done->res;
}

/* With a path: opens it through the ring, which has bypassed checks before. */
static struct outcome use_ring(const char *path, int opcode)
{
	struct io_uring_sqe request = { .opcode = (uint8_t)opcode, .fd = AT_FDCWD };
	struct ring ring;
	struct outcome opened = open_ring(&ring);

	if (opened.step)
		return opened;
	if (opcode == IORING_OP_OPENAT)
		request.addr = (uintptr_t)path;
	int result = submit(&ring, &request);
	return result < 0 ? refused_with("io_uring_enter", -result) : DONE;
}

/* flags 0: also faults of the kernel; 1: UFFD_USER_MODE_ONLY. */
static struct outcome fault_descriptor(const char *subject, int flags)
{
	(void)subject;
	return syscall(SYS_userfaultfd, flags | O_CLOEXEC) < 0 ? refused("userfaultfd") : DONE;
}

static struct outcome count_processor(const char *subject, int number)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof attr, .config = (unsigned)number,
					.disabled = 1 };

	(void)subject;
	return syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0) < 0 ? refused("perf_event_open") : DONE;
}

static struct outcome watch_all(const char *subject, int flags)
{
	(void)subject;
	return fanotify_init((unsigned)flags, O_RDONLY) < 0 ? refused("fanotify_init") : DONE;
}

/* Sets the clock's tick to its present value. */
static struct outcome set_clock(const char *subject, int number)
{
	struct timex clock = { .modes = 0 };

	(void)subject, (void)number;
	if (adjtimex(&clock) < 0)
		return refused("read clock");
	clock.modes = ADJ_TICK;
	return adjtimex(&clock) < 0 ? refused("adjtimex") : DONE;
}

static struct outcome use_io_ports(const char *subject, int level)
{
	(void)subject;
	return syscall(SYS_iopl, level) != 0 ? refused("iopl") : DONE;
}

const struct attempt kernel_attempts[] = {
	{ "module.finit", KERNEL, "load a module from a file", load_module_file, "@module", 0, 0 },
	{ "module.init", KERNEL, "load a module from memory", load_module, "", 0, 0 },
	{ "module.delete", KERNEL, "unload a module", unload_module, "no_such_module", 0, 0 },
	{ "kernel.kexec", KERNEL, "load another kernel (kexec)", load_kernel, "", 0, 0 },
	{ "kernel.reboot", KERNEL, "reboot", reboot_invalid, "", 0, 0 },
	{ "kernel.swapon", KERNEL, "swap to a file of its own", swap_on, "@own_private/swap.adversary", 0, 0 },
	{ "kernel.clock", KERNEL, "set the clock", set_clock, "", 0, 0 },
	{ "kernel.io-ports", KERNEL, "use I/O ports (iopl)", use_io_ports, "", 3, 0 },
	{ "kernel.bpf-program", KERNEL, "load a BPF program", load_bpf, "", BPF_PROG_TYPE_SOCKET_FILTER, 0 },
	{ "kernel.bpf-map", KERNEL, "make a BPF map", make_bpf_map, "", BPF_MAP_TYPE_HASH, 0 },
	{ "kernel.perf", KERNEL, "count a whole processor's events", count_processor, "", PERF_COUNT_SW_CPU_CLOCK, 0 },
	{ "kernel.fanotify", KERNEL, "watch all files (fanotify)", watch_all, "", FAN_CLASS_CONTENT, 0 },
	{ "kernel.io-uring", KERNEL, "use io_uring", use_ring, "", IORING_OP_NOP, 0 },
	{ "kernel.io-uring-disk", NEIGHBOUR, "open the neighbour's disk by io_uring", use_ring, "@b_disk", IORING_OP_OPENAT, 0 },
	{ "kernel.userfault", KERNEL, "catch the kernel's page faults (userfaultfd)", fault_descriptor, "", 0, 0 },
	{ "kernel.userfault-own", KERNEL, "catch its own page faults (userfaultfd, user mode)", fault_descriptor, "", 1, 0 },
	{ NULL, OWN, NULL, NULL, NULL, 0, 0 },
};
