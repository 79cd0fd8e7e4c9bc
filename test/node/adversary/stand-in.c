/* Targets for the adversary that two guests do not have by themselves.
 *
 *   stand-in wait              a process that only runs
 *   stand-in abstract NAME     listens on an abstract socket
 *   stand-in vnc PORT          greets on 127.0.0.1 as a VNC server does */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int abstract(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strncpy(address.sun_path + 1, name, sizeof address.sun_path - 2);
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) != 0)
		fail(name);
	return fd;
}

static int tcp(const char *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
		fail(port);
	return fd;
}

int main(int argc, char **argv)
{
	static const char greeting[] = "RFB 003.008\n";
	int fd;

	if (argc == 2 && strcmp(argv[1], "wait") == 0)
		return pause();
	if (argc != 3)
		return 2;
	/* A client that disconnects before the greeting must not end the server. */
	signal(SIGPIPE, SIG_IGN);
	fd = strcmp(argv[1], "vnc") == 0 ? tcp(argv[2]) : abstract(argv[2]);
	if (listen(fd, 8) != 0)
		fail("listen");
	for (;;) {
		int client = accept(fd, NULL, NULL);
		if (client < 0)
			continue;
		if (write(client, greeting, sizeof greeting - 1) < 0)
			perror("write");
		close(client);
	}
}
