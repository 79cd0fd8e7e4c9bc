/* Acts that the tables of several subjects use. */
#define _GNU_SOURCE
#include "adversary.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct outcome open_only(const char *path, int flags)
{
	return open(path, flags | O_CLOEXEC | O_NONBLOCK) < 0 ? refused("open") : DONE;
}

struct outcome read_file(const char *path, int flags)
{
	char bytes[512];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);

	if (fd < 0)
		return refused("open");
	return read(fd, bytes, sizeof bytes) < 0 ? refused("read") : DONE;
}

/* Writes the existing bytes again. */
struct outcome write_back(const char *path, int flags)
{
	char bytes[512];
	int fd = open(path, O_RDWR | O_CLOEXEC | flags);

	if (fd < 0)
		return refused("open");
	ssize_t size = pread(fd, bytes, sizeof bytes, 0);
	if (size < 0)
		return refused("read");
	return pwrite(fd, bytes, (size_t)size, 0) != size ? refused("write") : DONE;
}

/* Appends one byte and removes it again. */
struct outcome append_byte(const char *path, int number)
{
	struct stat before;
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | number);

	if (fd < 0)
		return refused("open");
	if (fstat(fd, &before) != 0)
		return refused("stat");
	if (write(fd, "\n", 1) != 1)
		return refused("write");
	return ftruncate(fd, before.st_size) != 0 ? refused("truncate back") : DONE;
}

struct outcome list_folder(const char *path, int number)
{
	DIR *folder = opendir(path);

	(void)number;
	if (!folder)
		return refused("opendir");
	errno = 0;
	while (readdir(folder))
		;
	return errno ? refused("readdir") : DONE;
}

struct outcome create_in(const char *folder, int number)
{
	char name[4200];

	(void)number;
	snprintf(name, sizeof name, "%s/new.adversary", folder);
	if (open(name, O_RDWR | O_CREAT | O_EXCL, 0600) < 0)
		return refused("create");
	return unlink(name) != 0 ? refused("unlink") : DONE;
}

struct outcome read_link(const char *path, int number)
{
	char target[4096];

	(void)number;
	return readlink(path, target, sizeof target) < 0 ? refused("readlink") : DONE;
}

/* Runs PROGRAM ARGUMENT; done if it exits with 0. A program that starts and then lacks a permission is
 * reported by the step "run", with its exit status as the error. */
static struct outcome run_program(const char *path, const char *const *argv)
{
	int report[2], error = 0, status = 0;

	if (pipe2(report, O_CLOEXEC) != 0)
		return refused("pipe");
	pid_t child = fork();
	if (child < 0)
		return refused("fork");
	if (child == 0) {
		int null = open("/dev/null", O_RDWR);
		for (int fd = 0; fd < 3; fd++)
			if (null < 0 || dup2(null, fd) < 0)
				close(fd);
		execve(path, (char *const *)argv, (char *const[]){ NULL });
		error = errno;
		_exit(write(report[1], &error, sizeof error) == sizeof error ? 126 : 125);
	}
	close(report[1]);
	ssize_t failed = read(report[0], &error, sizeof error);
	if (waitpid(child, &status, 0) < 0)
		return refused("wait");
	if (failed == sizeof error)
		return refused_with("execve", error);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? DONE : refused_with("run", 0);
}

/* 0: `PATH -c :`, a shell; 1: `PATH --version`; 2: `PATH --noop`, this program; 3: `PATH`. */
struct outcome execute(const char *path, int form)
{
	static const char *const arguments[][2] = { { "-c", ":" }, { "--version", NULL }, { "--noop", NULL }, { NULL, NULL } };
	const char *const argv[] = { path, arguments[form][0], arguments[form][1], NULL };

	return run_program(path, argv);
}
