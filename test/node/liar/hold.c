/* Ways to keep a file after its descriptor was closed or reported closed. The kept file is written to at its end. */
#define _GNU_SOURCE
#include "liar.h"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define END 512

static char how_held[48];
/* Access to the kept file: a descriptor, a socket or pipe connected to it, or a mapping. */
static int lead = -1;
static char *mapping;
static off_t end_at;

static int is_held(const char *how)
{
	return strcmp(how_held, how) == 0;
}

/* Waits until the thread or process is in this state of proc_pid_stat(5), five seconds at most. */
static void await_state(pid_t pid, pid_t tid, char wanted)
{
	char path[64], state = 0;

	snprintf(path, sizeof path, "/proc/%d/task/%d/stat", pid, tid);
	for (int tries = 0; state != wanted && tries < 500; tries++) {
		usleep(10000);
		FILE *stat = fopen(path, "re");
		if (stat && fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
			state = 0;
		if (stat)
			fclose(stat);
	}
}

/* Writes on request by the socket, in another process or thread that has the file to itself. */
static void write_when_asked(int fd, int ask)
{
	char end[END], mark;

	while (read(ask, &mark, 1) == 1) {
		memset(end, mark, sizeof end);
		mark = pwrite(fd, end, sizeof end, end_at) == sizeof end ? 1 : 0;
		if (write(ask, &mark, 1) != 1)
			break;
	}
	_exit(0);
}

static int pair[2], thread_fd;
/* Of the thread that has the file to itself; 0 until it runs. */
static volatile pid_t thread_id;

/* Waits until the thread sleeps in its system call, which it must enter before the file is closed. */
static void await_thread(void)
{
	while (thread_id == 0)
		usleep(10000);
	await_state(getpid(), thread_id, 'S');
}

static void *own_table(void *unused)
{
	(void)unused;
	thread_id = gettid();
	if (unshare(CLONE_FILES) == 0)
		write_when_asked(thread_fd, pair[1]);
	return NULL;
}

static int hold_in_thread(int fd)
{
	pthread_t thread;

	thread_fd = fd;
	thread_id = 0;
	if (pthread_create(&thread, NULL, own_table, NULL) != 0)
		return -1;
	await_thread();
	lead = pair[0];
	return close(fd);
}

static void *shared_table(void *unused)
{
	(void)unused;
	write_when_asked(thread_fd, pair[1]);
	return NULL;
}

/* 0: a child; 1: one whose first thread has ended, so that /proc/PID/fd is empty. */
static int hold_in_child(int fd, int kind)
{
	pid_t child = fork();

	if (child < 0)
		return -1;
	if (child > 0) {
		lead = pair[0];
		await_state(child, child, kind == 1 ? 'Z' : 'S');
		return close(fd);
	}
	close(pair[0]);
	thread_fd = fd;
	if (kind == 1) {
		pthread_t thread;
		pthread_create(&thread, NULL, shared_table, NULL);
		syscall(SYS_exit, 0);
	}
	write_when_asked(fd, pair[1]);
	return 0;
}

static int send_descriptor(int socket, int fd)
{
	union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control = { 0 };
	struct iovec part = { "x", 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };

	control.align.cmsg_level = SOL_SOCKET;
	control.align.cmsg_type = SCM_RIGHTS;
	control.align.cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(&control.align), &fd, sizeof fd);
	return sendmsg(socket, &message, 0) == 1 ? 0 : -1;
}

static int receive_descriptor(int socket)
{
	union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control = { 0 };
	char byte;
	int fd = -1;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
	return fd;
}

static int hold_in_flight(int fd, int twice)
{
	int outer[2];

	if (send_descriptor(pair[0], fd) != 0)
		return -1;
	lead = pair[1];
	if (twice) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, outer) != 0 || send_descriptor(outer[0], pair[1]) != 0)
			return -1;
		close(pair[1]);
		lead = outer[1];
	}
	return close(fd);
}

/* A thread blocked in splice(2): no descriptor refers to the file, only the system call. */
static int pipe_ends[2], spliced;

static void *splice_in(void *unused)
{
	off_t at = end_at;

	(void)unused;
	thread_id = gettid();
	while (splice(pipe_ends[0], NULL, spliced, &at, END, 0) > 0)
		;
	return NULL;
}

static void *send_file(void *unused)
{
	off_t at = 0;

	(void)unused;
	thread_id = gettid();
	while (sendfile(pair[0], spliced, &at, 1 << 24) > 0)
		;
	return NULL;
}

static int hold_in_call(int fd, void *(*call)(void *))
{
	pthread_t thread;

	spliced = fd;
	thread_id = 0;
	if (pipe2(pipe_ends, O_CLOEXEC) != 0 || pthread_create(&thread, NULL, call, NULL) != 0)
		return -1;
	await_thread();
	lead = call == splice_in ? pipe_ends[1] : pair[1];
	/* Limits the wait for data that no longer comes. */
	setsockopt(pair[1], SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){ .tv_sec = 3 }, sizeof(struct timeval));
	return close(fd);
}

/* Keeps pages of the file in a pipe: a later write to the file is readable there. */
static int hold_in_pipe(int fd)
{
	off_t at = end_at;

	if (pipe2(pipe_ends, O_CLOEXEC) != 0)
		return -1;
	if (splice(fd, &at, pipe_ends[1], NULL, END, 0) != END)
		return -1;
	lead = pipe_ends[0];
	return close(fd);
}

/* A file registered with a ring needs no descriptor. io_uring_register(2) */
static int hold_in_ring(int fd)
{
	struct io_uring_params params = { 0 };
	int ring = (int)syscall(SYS_io_uring_setup, 4, &params);

	if (ring < 0)
		return -1;
	if (syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES, &fd, 1) < 0)
		return -1;
	lead = ring;
	mapping = mmap(NULL, params.sq_off.array + params.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	struct io_uring_sqe *entries = mmap(NULL, 4 * sizeof *entries, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	if (mapping == MAP_FAILED || entries == MAP_FAILED)
		return -1;
	static char end[END];
	memset(end, 'W', END);
	entries[0] = (struct io_uring_sqe){ .opcode = IORING_OP_WRITE, .flags = IOSQE_FIXED_FILE, .fd = 0,
		.addr = (unsigned long)end, .len = END, .off = (unsigned long)end_at };
	*(unsigned *)(mapping + params.sq_off.array) = 0;
	*(unsigned *)(mapping + params.sq_off.tail) = 1;
	return close(fd);
}

static int hold_by_mapping(int fd)
{
	mapping = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, end_at & ~4095L);
	return mapping == MAP_FAILED ? -1 : close(fd);
}

static int hold_anew(int fd)
{
	char name[64];

	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	lead = open(name, O_RDWR | O_CLOEXEC);
	return lead < 0 ? -1 : close(fd);
}

int hold(int fd, const char *how)
{
	struct stat found;

	if (fstat(fd, &found) != 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return -1;
	end_at = found.st_size - END;
	snprintf(how_held, sizeof how_held, "%s", how);
	if (is_held("descriptor"))
		return (lead = fcntl(fd, F_DUPFD_CLOEXEC, 900)) < 0 ? -1 : close(fd);
	if (is_held("mapping"))
		return hold_by_mapping(fd);
	if (is_held("anew"))
		return hold_anew(fd);
	if (is_held("thread"))
		return hold_in_thread(fd);
	if (is_held("child"))
		return hold_in_child(fd, 0);
	if (is_held("leader"))
		return hold_in_child(fd, 1);
	if (is_held("flight"))
		return hold_in_flight(fd, 0);
	if (is_held("flight-twice"))
		return hold_in_flight(fd, 1);
	if (is_held("splice"))
		return hold_in_call(fd, splice_in);
	if (is_held("sendfile"))
		return hold_in_call(fd, send_file);
	if (is_held("pages"))
		return hold_in_pipe(fd);
	if (is_held("ring"))
		return hold_in_ring(fd);
	errno = EINVAL;
	return -1;
}

static int write_end(int fd, char mark)
{
	char end[END];

	memset(end, mark, sizeof end);
	return pwrite(fd, end, sizeof end, end_at) == sizeof end ? 0 : -1;
}

static int ask_holder(char mark)
{
	if (write(lead, &mark, 1) != 1 || read(lead, &mark, 1) != 1)
		return -1;
	errno = EACCES;
	return mark == 1 ? 0 : -1;
}

/* Reads to the file's end and checks its last byte, which another guest has written meanwhile. */
static int read_on(void)
{
	char chunk[4096], last = 0;
	off_t sum = 0, whole = is_held("pages") ? END : end_at + END;
	ssize_t got;

	while (sum < whole && (got = read(lead, chunk, sizeof chunk)) > 0)
		last = chunk[got - 1], sum += got;
	errno = EACCES;
	return sum >= whole && last == 'R' ? 0 : -1;
}

int use_held(char mark)
{
	char end[END];

	memset(end, mark, sizeof end);
	if (is_held("mapping")) {
		memcpy(mapping + (end_at & 4095), end, sizeof end);
		return msync(mapping, 4096, MS_SYNC);
	}
	if (is_held("thread") || is_held("child") || is_held("leader"))
		return ask_holder(mark);
	if (is_held("flight-twice"))
		lead = receive_descriptor(lead);
	if (is_held("flight") || is_held("flight-twice"))
		return (lead = receive_descriptor(lead)) < 0 ? -1 : write_end(lead, mark);
	if (is_held("splice")) {
		ssize_t put = write(lead, end, sizeof end);
		sleep(1);
		return put == sizeof end ? 0 : -1;
	}
	if (is_held("sendfile") || is_held("pages"))
		return read_on();
	if (is_held("ring"))
		return syscall(SYS_io_uring_enter, lead, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 1 ? 0 : -1;
	return write_end(lead, mark);
}

/* For the control: changes the label as svirt does, and writes as the next guest does. Returns 0 if the kept file is still
 * accessible. */
int hold_and_use(const char *how, const char *path)
{
	static const char label[] = "system_u:object_r:virt_image_t:s0";
	char end[END], got[END];
	int fd = open(path, O_RDWR | O_CLOEXEC), other = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0 || other < 0 || hold(fd, how) != 0)
		return 1;
	lsetxattr(path, "security.selinux", label, sizeof label, 0);
	memset(end, 'R', sizeof end);
	if (pwrite(other, end, sizeof end, end_at) != sizeof end || use_held('W') != 0)
		return 1;
	if (is_held("sendfile") || is_held("pages"))
		return 0;
	return pread(other, got, sizeof got, end_at) == sizeof got && got[0] == 'W' ? 0 : 1;
}
