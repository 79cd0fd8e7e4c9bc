/* A program of the host that serves a guest's device or calls svirt, or that replaces another guest's QEMU.
 *
 *   peer listen PATH REPORT    accepts there, and writes user and context of the client into the report; then sends a
 *                              line, and appends received data to the report
 *   peer card PATH REPORT      connects there once a program listens, and answers requests of vhost-user for a network;
 *                              writes each request into the report
 *   peer names                 the name server of this host, which resolves every name to 127.0.0.1
 *   peer pair COMMAND...       runs it with sockets as standard input and output, and copies between these and its own
 *   PROGRAM -name ...          tries to connect to each of the sockets below, and prints each result on a line
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLDER "/srv/lifecycle"

static socklen_t name_it(struct sockaddr_un *address, const char *path)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	strncpy(address->sun_path, path, sizeof address->sun_path - 1);
	if (path[0] != '@')
		return sizeof *address;
	address->sun_path[0] = '\0';
	return offsetof(struct sockaddr_un, sun_path) + strlen(path);
}

static int listen_at(const char *path)
{
	struct sockaddr_un address;
	socklen_t length = name_it(&address, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, 1) != 0)
		return -1;
	return fd;
}

static int serve(const char *path, const char *report)
{
	char bytes[256] = "";
	struct ucred peer = {0};
	socklen_t length = sizeof peer, context_length = sizeof bytes - 1;
	FILE *out = fopen(report, "w");
	int fd, listener = listen_at(path);
	ssize_t got;

	if (listener < 0 || out == NULL) {
		perror(path);
		return 1;
	}
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length);
		getsockopt(fd, SOL_SOCKET, SO_PEERSEC, bytes, &context_length);
		fprintf(out, "uid=%u\ncontext=%s\n", (unsigned)peer.uid, bytes);
		fflush(out);
		if (write(fd, "from the peer\n", 14) != 14)
			perror("write");
		while ((got = read(fd, bytes, sizeof bytes)) > 0) {
			fwrite(bytes, 1, (size_t)got, out);
			fflush(out);
		}
		fputs("end\n", out);
		fflush(out);
		close(fd);
	}
	return 0;
}

/* qemu.git docs/interop/vhost-user.rst: a request or a reply, with one number. */
struct message {
	uint32_t request, flags, size;
	uint64_t number;
} __attribute__((packed));

#define GET_FEATURES 1
#define VERSION_1 (1ULL << 32) /* linux/virtio_config.h VIRTIO_F_VERSION_1 */
#define HEAD offsetof(struct message, number)

static int serve_card(const char *path, const char *report)
{
	struct sockaddr_un address;
	socklen_t length = name_it(&address, path);
	struct message message;
	char rest[4096];
	FILE *out = fopen(report, "w");
	int fd;

	for (;;) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(fd, (struct sockaddr *)&address, length) == 0)
			break;
		close(fd);
		usleep(100000);
	}
	while (out != NULL && recv(fd, &message, HEAD, MSG_WAITALL) == (ssize_t)HEAD) {
		if (message.size > 0 && recv(fd, rest, message.size, MSG_WAITALL) != (ssize_t)message.size)
			break;
		fprintf(out, "request=%u\n", message.request);
		fflush(out);
		if (message.request != GET_FEATURES)
			continue;
		message.flags = 1 | 4; /* version, and that it is a reply */
		message.size = sizeof message.number;
		message.number = VERSION_1;
		if (send(fd, &message, sizeof message, 0) < 0)
			break;
	}
	return 0;
}

/* RFC 1035, 4.1: returns the question, followed by its answer, which refers to the name, or by none. */
static int serve_names(void)
{
	static const unsigned char answer[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1};
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(53)};
	struct sockaddr_in asker;
	socklen_t length = sizeof asker;
	unsigned char bytes[512];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	size_t end;
	ssize_t got;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
		perror("port 53");
		return 1;
	}
	for (; (got = recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&asker, &length)) > 12; length = sizeof asker) {
		for (end = 12; end < (size_t)got && bytes[end] != 0; end += bytes[end] + 1u)
			;
		end += 5; /* the last label, type and class */
		if (end > (size_t)got || end + sizeof answer > sizeof bytes)
			continue;
		bytes[2] |= 0x80;                                   /* QR: a response */
		bytes[3] = 0x80;                                    /* RA */
		bytes[7] = bytes[end - 4] == 0 && bytes[end - 3] == 1; /* an answer for A, none for AAAA */
		bytes[9] = bytes[11] = 0;
		memcpy(bytes + end, answer, sizeof answer);
		sendto(fd, bytes, end + (bytes[7] ? sizeof answer : 0), 0, (struct sockaddr *)&asker, length);
	}
	return 0;
}

static void copy(int from, int to)
{
	char bytes[4096];
	ssize_t got;

	while ((got = read(from, bytes, sizeof bytes)) > 0)
		if (write(to, bytes, (size_t)got) != got)
			return;
}

/* For commands that fill no socket with output before they have read all input: copies one way, then the other. */
static int run_with_sockets(char **command)
{
	int in[2], out[2], status = 0;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) != 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out) != 0)
		return 1;
	child = fork();
	if (child == 0) {
		dup2(in[1], 0);
		dup2(out[1], 1);
		execvp(command[0], command);
		_exit(127);
	}
	close(in[1]);
	close(out[1]);
	copy(0, in[0]);
	close(in[0]);
	copy(out[0], 1);
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int try_to_connect(const char *path)
{
	struct sockaddr_un address;
	socklen_t length = name_it(&address, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int result = connect(fd, (struct sockaddr *)&address, length);

	printf("%s=%s\n", path, result < 0 ? strerrorname_np(errno) : "done");
	fflush(stdout);
	close(fd);
	return result;
}

/* Only svirt may create a socket of the type that may connect. */
static int try_to_make(void)
{
	static const char context[] = "system_u:system_r:svirt_peer_t:s0";
	int fd = open("/proc/self/attr/sockcreate", O_WRONLY | O_CLOEXEC);
	int result = fd < 0 || write(fd, context, sizeof context) < 0 ? -1 : 0;

	printf("sockcreate=%s\n", result < 0 ? strerrorname_np(errno) : "done");
	return result;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "listen") == 0)
		return serve(argv[2], argv[3]);
	if (argc == 4 && strcmp(argv[1], "card") == 0)
		return serve_card(argv[2], argv[3]);
	if (argc == 2 && strcmp(argv[1], "names") == 0)
		return serve_names();
	if (argc > 2 && strcmp(argv[1], "pair") == 0)
		return run_with_sockets(argv + 2);
	try_to_connect(FOLDER "/blk.sock");
	try_to_connect(FOLDER "/peer.sock");
	try_to_connect("@svirt-peer");
	try_to_make();
	return 0;
}
