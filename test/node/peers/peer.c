/* A program of the host's that serves a guest's device, and what stands in the place of another guest's QEMU.
 *
 *   peer listen PATH REPORT    accepts there, and writes who has connected (user, context) into the report; then sends a
 *                              line, and appends what comes to the report
 *   peer card PATH REPORT      connects there as soon as somebody listens, and answers what vhost-user asks of a network;
 *                              what it is asked it writes into the report
 *   PROGRAM -name ...          tries to connect to each of the sockets below, and says what came of it, a line each
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
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

/* Nobody but svirt may make a socket of the type that may connect. */
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
	try_to_connect(FOLDER "/blk.sock");
	try_to_connect(FOLDER "/peer.sock");
	try_to_connect("@svirt-peer");
	try_to_make();
	return 0;
}
