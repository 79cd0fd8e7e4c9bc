/* Execution of new code, and memory. */
#define _GNU_SOURCE
#include "adversary.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static struct outcome map_executable(const char *subject, int number)
{
	(void)subject, (void)number;
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
		? refused("mmap") : DONE;
}

static struct outcome make_stack_executable(const char *subject, int number)
{
	volatile char here = 0;
	void *page = (void *)((uintptr_t)&here & ~(uintptr_t)4095);

	(void)subject, (void)number;
	return mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) != 0 ? refused("mprotect") : DONE;
}

/* Executes code that was never a file: a copy of this program in memory. */
static struct outcome execute_memory(const char *subject, int number)
{
	int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), out = memfd_create("adversary", 0);
	char bytes[65536], path[64];
	ssize_t size;

	(void)subject, (void)number;
	if (out < 0)
		return refused("memfd_create");
	if (in < 0)
		return refused("open itself");
	while ((size = read(in, bytes, sizeof bytes)) > 0)
		if (write(out, bytes, (size_t)size) != size)
			return refused("write");
	snprintf(path, sizeof path, "/proc/self/fd/%d", out);
	int again = open(path, O_RDONLY);
	if (again < 0)
		return refused("open again");
	close(out);
	snprintf(path, sizeof path, "/proc/self/fd/%d", again);
	return execute(path, 2);
}

static struct outcome map_executable_file(const char *path, int number)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0700);
	struct outcome outcome = DONE;

	(void)number;
	if (fd < 0 || ftruncate(fd, 4096) != 0)
		return refused("create");
	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		outcome = refused("mmap");
	unlink(path);
	return outcome;
}

static struct outcome lock_memory(const char *subject, int number)
{
	(void)subject;
	void *page = mmap(NULL, (size_t)number, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return mlock(page, (size_t)number) != 0 ? refused("mlock") : DONE;
}

const struct attempt code_attempts[] = {
	{ "code.wx", KERNEL, "map memory that is writable and executable", map_executable, "", 0, 0 },
	{ "code.stack", KERNEL, "make its stack executable", make_stack_executable, "", 0, 0 },
	{ "code.memfd", KERNEL, "execute a program that was never a file", execute_memory, "", 0, 0 },
	{ "code.own-file", KERNEL, "execute a page of a file it wrote", map_executable_file, "@own_private/code.adversary", 0, 0 },
	{ "memory.lock", KERNEL, "lock memory beyond the limit", lock_memory, "", 64 << 20, 0 },
	{ NULL, OWN, NULL, NULL, NULL, 0, 0 },
};
