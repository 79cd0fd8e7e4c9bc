// An emulator of a key without a shell: says which rights it has, and attacks the host in each way by its first argument, or by all.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void say(const char *what, int got)
{
	printf("%s=%s\n", what, got ? "GOT" : "refused");
	fflush(stdout);
}

static int opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd < 0)
		return 0;
	close(fd);
	return 1;
}

static void show_rights(void)
{
	char line[256];
	FILE *status = fopen("/proc/self/status", "r");
	while (status && fgets(line, sizeof line, status))
		if (!strncmp(line, "Uid", 3) || !strncmp(line, "Gid", 3) || !strncmp(line, "Groups", 6) || !strncmp(line, "Cap", 3) ||
		    !strncmp(line, "NoNewPrivs", 10) || !strncmp(line, "Seccomp:", 8))
			fputs(line, stdout);
	if (status)
		fclose(status);
	struct { const char *name; int which; } limits[] = { { "core", RLIMIT_CORE }, { "cpu", RLIMIT_CPU },
		{ "fsize", RLIMIT_FSIZE }, { "nofile", RLIMIT_NOFILE }, { "nproc", RLIMIT_NPROC }, { "as", RLIMIT_AS } };
	for (unsigned at = 0; at < sizeof limits / sizeof *limits; at++) {
		struct rlimit is;
		getrlimit(limits[at].which, &is);
		printf("limit %s %lld %lld\n", limits[at].name, (long long)is.rlim_cur, (long long)is.rlim_max);
	}
	int open_now = 0;
	for (int fd = 3; fd < 4096; fd++)
		open_now += fcntl(fd, F_GETFD) >= 0;
	char cwd[256] = "?";
	printf("descriptors %d\ncwd %s\nsession %d\n", open_now, getcwd(cwd, sizeof cwd), getsid(0) == getpid());
	for (char **one = environ; *one; one++)
		printf("env %s\n", *one);
	fflush(stdout);
}

static void *idle(void *unused)
{
	pause();
	return unused;
}

static int count_threads(void)
{
	int made = 0;
	pthread_attr_t small;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 16384);
	for (pthread_t thread; made < 200 && !pthread_create(&thread, &small, idle, NULL);)
		made++;
	return made;
}

static long long most_memory(void)
{
	long long got = 0;
	const size_t step = 64 << 20;
	while (got < 8LL << 30 && mmap(NULL, step, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != MAP_FAILED)
		got += step;
	return got >> 20;
}

static void attack(const char *mark)
{
	char path[4096];
	say("shadow", opens("/etc/shadow", O_RDONLY));
	say("mem", opens("/dev/mem", O_RDONLY));
	say("mem-write", opens("/dev/mem", O_RDWR));
	say("kmsg-write", opens("/dev/kmsg", O_WRONLY));
	say("null-write", opens("/dev/null", O_WRONLY));
	snprintf(path, sizeof path, "%s.made", mark);
	say("make-file", opens(path, O_WRONLY | O_CREAT));
	unlink(path);
	say("make-unnamed", opens("/tmp", O_RDWR | O_TMPFILE));
	say("make-folder", mkdir(path, 0700) == 0);
	rmdir(path);
	say("make-link", symlink("/etc/shadow", path) == 0);
	unlink(path);
	say("make-node", mknod(path, S_IFIFO | 0600, 0) == 0);
	unlink(path);
	say("mount", mount("none", "/mnt", "tmpfs", 0, NULL) == 0);
	say("unshare", unshare(CLONE_NEWUTS) == 0);
	say("setuid", setuid(0) == 0);
	say("socket", socket(AF_INET, SOCK_STREAM, 0) >= 0);
	say("unix-socket", socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
	say("netlink", socket(AF_NETLINK, SOCK_RAW, 0) >= 0);
	int shared = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
	say("shared-memory", shared >= 0);
	shmctl(shared, IPC_RMID, NULL);
	say("kill-parent", kill(getppid(), 0) == 0);
	say("kill-all", kill(-1, 0) == 0);
	say("thread-signal-parent", syscall(SYS_tgkill, getppid(), getppid(), 0) == 0);
	say("trace-parent", ptrace(PTRACE_SEIZE, getppid(), 0, 0) == 0);
	say("limit-parent", prlimit(getppid(), RLIMIT_NOFILE, NULL, &(struct rlimit){ 0 }) == 0);
	say("raise-limit", setrlimit(RLIMIT_CPU, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY }) == 0);
	say("outlive-parent", prctl(PR_SET_PDEATHSIG, 0) == 0);
	say("bpf", syscall(SYS_bpf, 5, NULL, 0) >= 0);
	say("io-uring", syscall(SYS_io_uring_setup, 1, (char[512]){ 0 }) >= 0);
	say("keyring", syscall(SYS_keyctl, 0, -3, 1) >= 0);
	say("x32", syscall(0x40000000 | 39) >= 0);
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	say("fork", child > 0);
	child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (child == 0)
		_exit(0);
	say("clone", child > 0);
	printf("threads %d\n", count_threads());
	printf("memory %lld\n", most_memory());
}

int main(int count, char **words)
{
	const char *what = count > 1 ? words[1] : "all";
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGXCPU, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (!strcmp(what, "sleep"))
		for (;;)
			pause();
	if (!strcmp(what, "spin"))
		for (;;)
			;
	if (!strcmp(what, "print"))
		for (;;)
			if (write(1, words, 4096) < 0 && errno != EFBIG)
				abort();
	if (!strcmp(what, "bomb"))
		for (;;)
			fork();
	if (!strcmp(what, "flee")) {
		if (fork() == 0 && setsid() && fork() == 0)
			for (;;)
				pause();
		return 0;
	}
	show_rights();
	// Named below a folder of the test: as an emulator it gets QEMU's arguments.
	attack(count > 2 ? words[2] : "/tmp/svirt-hostile");
	return 0;
}
