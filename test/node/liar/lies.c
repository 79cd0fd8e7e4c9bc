/* Answers that no QEMU gives. Each has a name; the honest monitor answers other requests. */
#define _GNU_SOURCE
#include "liar.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MIB (1 << 20)

/* Returns -1 once the client has disconnected. */
static int send_all(int client, const char *bytes, size_t size)
{
	while (size) {
		ssize_t sent = send(client, bytes, size, MSG_NOSIGNAL);
		if (sent < 0)
			return -1;
		bytes += sent, size -= (size_t)sent;
	}
	return 0;
}

static int send_text(int client, const char *text)
{
	return send_all(client, text, strlen(text));
}

static void send_answer(int client, const char *before, const char *id, const char *after)
{
	char line[2048];

	snprintf(line, sizeof line, "%s%s%s", before, id, after);
	send_text(client, line);
}

/* Sends the same bytes until the client disconnects, or this many times. */
static int repeat(int client, const char *bytes, long times)
{
	static char chunk[MIB];
	size_t length = strlen(bytes), used = 0;

	while (used + length <= sizeof chunk)
		memcpy(chunk + used, bytes, length), used += length;
	long chunks = times < 0 ? -1 : (long)((size_t)times * length / used);
	for (long sent = 0; chunks < 0 || sent < chunks; sent++)
		if (send_all(client, chunk, used) != 0)
			return -1;
	return 0;
}

static void wait_for_hangup(int client)
{
	char bytes[4096];

	while (recv(client, bytes, sizeof bytes, 0) > 0)
		;
}

/* Sends a byte each tenth of a second: never silent, never finished. */
static void drip(int client, const char *text)
{
	for (; *text && send_all(client, text, 1) == 0; text++)
		usleep(100000);
	wait_for_hangup(client);
}

static void deep(int client, const char *id, long levels, int ends)
{
	send_text(client, "{\"return\":");
	if (repeat(client, "[", levels) == 0 && ends) {
		repeat(client, "]", levels);
		send_answer(client, ",\"id\":", id, "}\r\n");
	}
	wait_for_hangup(client);
}

static void junk(int client)
{
	char bytes[4096];
	int random = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

	while (random >= 0 && read(random, bytes, sizeof bytes) == sizeof bytes && send_all(client, bytes, sizeof bytes) == 0)
		;
	close(random);
}

/* Sends each answer with a descriptor, which stays in a client that receives it. */
static void send_descriptors(int client, const char *id)
{
	union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control = { 0 };
	char line[256];
	int fd = client;
	int length = snprintf(line, sizeof line, "{\"timestamp\":{\"seconds\":1,\"microseconds\":0},\"event\":\"STOP\"}\r\n");
	struct iovec part = { line, (size_t)length };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };

	control.align.cmsg_level = SOL_SOCKET;
	control.align.cmsg_type = SCM_RIGHTS;
	control.align.cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(&control.align), &fd, sizeof fd);
	for (int i = 0; i < 500; i++)
		if (sendmsg(client, &message, MSG_NOSIGNAL) < 0)
			break;
	send_answer(client, "{\"return\":{\"status\":\"running\",\"running\":true},\"id\":", id, "}\r\n");
}

static void numbers(int client, const char *id)
{
	send_answer(client, "{\"return\":{\"status\":\"running\",\"running\":true,\"LIE\":1e999999,\"b\":-0,"
		"\"c\":99999999999999999999999999},\"id\":", id, "e0}\r\n");
}

/* Names a console's terminal, as QEMU does. */
static void terminal(int client, const char *id, const char *path)
{
	char before[512];

	snprintf(before, sizeof before, "{\"return\":[{\"label\":\"charserial0\",\"filename\":\"pty:%s\",\"frontend-open\":true},"
		"{\"label\":\"charconsole0\",\"filename\":\"pty:%s\",\"frontend-open\":true}],\"id\":", path, path);
	send_answer(client, before, id, "}\r\n");
}

#define EVENT "{\"timestamp\":{\"seconds\":1,\"microseconds\":0},\"event\":\"STOP\",\"data\":{}}\r\n"
#define DELETED "{\"timestamp\":{\"seconds\":1,\"microseconds\":0},\"event\":\"DEVICE_DELETED\",\"data\":{\"device\":\"LIE\"}}\r\n"

static int is(const struct order *order, const char *lie)
{
	return strcmp(order->lie, lie) == 0;
}

/* Lies about the greeting. */
static int greet_with_lie(int client, const struct order *order)
{
	if (is(order, "greet-never"))
		wait_for_hangup(client);
	else if (is(order, "greet-slowly"))
		drip(client, "{\"QMP\":{\"version\":{\"qemu\":{\"micro\":8,\"minor\":0,\"major\":10},\"package\":\"" "................................"
			"................................................................................................................"
			"................................................................................................................\"}}}\r\n");
	else if (is(order, "greet-endlessly"))
		repeat(client, "LIE", -1);
	else if (is(order, "greet-with-junk"))
		junk(client);
	else if (is(order, "greet-deep"))
		repeat(client, "{\"QMP\":", -1);
	else if (is(order, "greet-with-lines"))
		repeat(client, "\r\n", -1);
	else if (is(order, "greet-and-go"))
		shutdown(client, SHUT_RDWR);
	else if (is(order, "greet-often"))
		repeat(client, "{\"QMP\":{}}\r\n", -1);
	else if (is(order, "greet-with-events"))
		repeat(client, EVENT, -1);
	else
		return 0;
	return 1;
}

/* Lies that end only with the client. */
static int lie_endlessly(int client, const struct order *order, const char *id)
{
	if (is(order, "never"))
		wait_for_hangup(client);
	else if (is(order, "slowly"))
		drip(client, "{\"return\":{\"status\":\"..........................................................................................."
			"............................................................................................................\"}}\r\n");
	else if (is(order, "line-without-end"))
		send_text(client, "{\"return\":\""), repeat(client, "LIE", -1);
	else if (is(order, "nested-without-end"))
		deep(client, id, -1, 0);
	else if (is(order, "nested"))
		deep(client, id, 300000, 1);
	else if (is(order, "objects-without-end"))
		send_text(client, "{\"return\":"), repeat(client, "{\"a\":", -1);
	else if (is(order, "events-without-end"))
		repeat(client, EVENT, -1);
	else if (is(order, "deletions-without-end"))
		repeat(client, DELETED, -1);
	else if (is(order, "answers-without-end"))
		repeat(client, "{\"return\":{},\"id\":77777}\r\n", -1);
	else if (is(order, "blanks-without-end"))
		repeat(client, " \r\n", -1);
	else if (is(order, "junk"))
		junk(client);
	else if (is(order, "other-id"))
		send_text(client, "{\"return\":{\"status\":\"LIE\",\"running\":true},\"id\":77777}\r\n"), wait_for_hangup(client);
	else if (is(order, "no-id"))
		send_text(client, "{\"return\":{\"status\":\"LIE\",\"running\":true}}\r\n"), wait_for_hangup(client);
	else if (is(order, "id-as-text"))
		send_answer(client, "{\"return\":{\"status\":\"LIE\",\"running\":true},\"id\":\"", id, "\"}\r\n"), wait_for_hangup(client);
	else if (is(order, "half-a-line"))
		send_answer(client, "{\"return\":{\"status\":\"LIE\",\"running\":true},\"id\":", id, ""), wait_for_hangup(client);
	else
		return 0;
	return 1;
}

/* Lies that end at once. */
static int lie_shortly(int client, const struct order *order, const char *id)
{
	if (is(order, "half-and-go"))
		send_text(client, "{\"return\":{\"status\":\"LIE"), shutdown(client, SHUT_RDWR);
	else if (is(order, "go"))
		shutdown(client, SHUT_RDWR);
	else if (is(order, "half-closed"))
		shutdown(client, SHUT_WR), wait_for_hangup(client);
	else if (is(order, "not-utf8"))
		send_answer(client, "{\"return\":{\"status\":\"LIE\xff\xfe\xc0\x80\xed\xa0\x80\",\"running\":true},\"id\":", id, "}\r\n");
	else if (is(order, "not-json"))
		send_text(client, "LIE { \"return\" }\r\n");
	else if (is(order, "number"))
		send_answer(client, "{\"return\":424242,\"LIE\":1,\"id\":", id, "}\r\n");
	else if (is(order, "null"))
		send_answer(client, "{\"return\":null,\"LIE\":1,\"id\":", id, "}\r\n");
	else if (is(order, "text"))
		send_answer(client, "{\"return\":\"LIE\",\"id\":", id, "}\r\n");
	else if (is(order, "prototype"))
		send_answer(client, "{\"return\":{\"__proto__\":{\"status\":\"LIE\",\"running\":true}},\"id\":", id, "}\r\n");
	else if (is(order, "escapes"))
		send_answer(client, "{\"return\":{\"status\":\"\\u001b[2JLIE\\u001b]0;x\\u0007\\r\\nroot#\",\"running\":true},\"id\":", id, "}\r\n");
	else if (is(order, "error-escapes"))
		send_answer(client, "{\"error\":{\"class\":\"GenericError\",\"desc\":\"\\u001b[2JLIE\\u001b]0;x\\u0007\\nremedy: run this\"},\"id\":",
			id, "}\r\n");
	else if (is(order, "error-long"))
		send_text(client, "{\"error\":{\"class\":\"GenericError\",\"desc\":\""), repeat(client, "LIE ", 1000000),
			send_answer(client, "\"},\"id\":", id, "}\r\n");
	else if (is(order, "numbers"))
		numbers(client, id);
	else if (is(order, "descriptors"))
		send_descriptors(client, id);
	else if (is(order, "state"))
		send_answer(client, "{\"return\":{\"status\":\"LIE\",\"running\":\"perhaps\"},\"id\":", id, "}\r\n");
	else if (is(order, "terminal-shadow"))
		terminal(client, id, "/etc/shadow");
	else if (is(order, "terminal-other"))
		terminal(client, id, "/dev/pts/../kmsg");
	else
		return 0;
	return 1;
}

int tell_lie(int client, const struct order *order, const char *command, const char *id)
{
	if (strcmp(command, "greeting") == 0)
		return greet_with_lie(client, order);
	return lie_endlessly(client, order, id) || lie_shortly(client, order, id);
}
