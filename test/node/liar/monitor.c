/* QEMU's monitor for the requests of svirt, honest unless an order says otherwise. qemu.git docs/interop/qmp-spec.rst */
#define _GNU_SOURCE
#include "liar.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LOOK_MS 20
#define GREETING "{\"QMP\":{\"version\":{\"qemu\":{\"micro\":8,\"minor\":0,\"major\":10},\"package\":\"\"},\"capabilities\":[]}}\r\n"
#define MOST_KEPT 256
/* The same path as in liar.sh. */
#define VICTIMS "/srv/liar/victims"
/* Sets a title, clears the screen, shows a prompt. */
#define LAST_WORDS "LIE \033]0;LIE\007\033[2J\rroot@node:~# reboot\n"

static int kept[MOST_KEPT], kept_count;
static int runs = 1;
static struct order order;

int read_order(int fd, struct order *into)
{
	char text[513] = "";
	struct order found = { 0, "", "" };

	if (pread(fd, text, 512, 0) < 1)
		return 0;
	text[512] = 0;
	if (sscanf(text, "order %u %47s %47s", &found.number, found.lie, found.on) < 2 || found.number == into->number)
		return 0;
	*into = found;
	return 1;
}

static void answer_order(int result)
{
	printf("order %u %s\n", order.number, result == 0 ? "done" : strerrorname_np(errno));
	fflush(stdout);
}

/* Writes this many MiB into the last received descriptor, which it should close. */
static int fill_kept(long mib)
{
	static char chunk[1 << 20];

	errno = EBADF;
	for (long done = 0; done < mib; done++)
		if (!kept_count || write(kept[kept_count - 1], chunk, sizeof chunk) != sizeof chunk)
			return -1;
	return 0;
}

/* Writes this many MiB of one character to its log; a short write counts as complete. */
static int fill_log(long mib, char character)
{
	static char chunk[1 << 20];

	memset(chunk, character, sizeof chunk);
	for (long done = 0; done < mib; done++)
		if (write(STDERR_FILENO, chunk, sizeof chunk) < 0)
			return -1;
	return 0;
}

/* Serves the guest agent's socket in its folder, as QEMU would, and answers each request of svirt with the lie. */
static int serve_agent(const char *lie)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "channel0.sock" };
	struct order told = { .number = 0 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char bytes[4096];

	snprintf(told.lie, sizeof told.lie, "%s", lie);
	unlink(address.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 8) != 0)
		return -1;
	pid_t child = fork();
	if (child != 0)
		return close(fd), child < 0 ? -1 : 0;
	for (;;) {
		int client = accept(fd, NULL, NULL);
		if (client < 0)
			_exit(1);
		if (recv(client, bytes, sizeof bytes, 0) > 0)
			tell_lie(client, &told, "agent", "0");
		close(client);
	}
}

/* Carries out orders that are due at once, not at the next request. */
static void obey(int orders)
{
	if (!read_order(orders, &order))
		return;
	if (strcmp(order.lie, "try") == 0) {
		try_group(order.on);
		answer_order(0);
	} else if (strcmp(order.lie, "use") == 0)
		answer_order(use_held(*order.on));
	else if (strcmp(order.lie, "linger") == 0)
		answer_order(linger(order.on));
	else if (strcmp(order.lie, "trap") == 0)
		answer_order(set_trap(order.on, VICTIMS));
	else if (strcmp(order.lie, "fill-kept") == 0)
		answer_order(fill_kept(atol(order.on)));
	else if (strcmp(order.lie, "agent") == 0)
		answer_order(serve_agent(order.on));
	else if (strcmp(order.lie, "fill") == 0)
		answer_order(fill_log(atol(order.on), ' '));
	else if (strcmp(order.lie, "exit") == 0)
		_exit(atoi(order.on));
	else if (strcmp(order.lie, "lines") == 0)
		_exit(fill_log(atol(order.on), '\n'));
	else if (strcmp(order.lie, "last-words") == 0)
		_exit(write(STDERR_FILENO, LAST_WORDS, sizeof LAST_WORDS - 1) < 0);
	else
		answer_order(0);
}

static void say(int client, const char *text)
{
	size_t size = strlen(text);

	while (size) {
		ssize_t sent = send(client, text, size, MSG_NOSIGNAL);
		if (sent < 0)
			return;
		text += sent, size -= (size_t)sent;
	}
}

/* Copies the text after a key, up to its delimiter. */
static void value_of(const char *line, const char *key, char *into, size_t size)
{
	const char *at = strstr(line, key);

	*into = 0;
	if (at)
		snprintf(into, size, "%.*s", (int)strcspn(at + strlen(key), "\",}"), at + strlen(key));
}

/* Copies the last id: svirt writes it last. */
static void id_of(const char *line, char *into, size_t size)
{
	const char *last = NULL;

	for (const char *at = strstr(line, "\"id\":"); at; at = strstr(at + 1, "\"id\":"))
		last = at;
	snprintf(into, size, "%.*s", last ? (int)strspn(last + 5, "0123456789") : 1, last ? last + 5 : "0");
}

static const struct { const char *command, *value; } values[] = {
	{ "query-version", "{\"qemu\":{\"micro\":8,\"minor\":0,\"major\":10},\"package\":\"\"}" },
	{ "query-block", "[]" }, { "query-blockstats", "[]" }, { "query-chardev", "[]" }, { "query-named-block-nodes", "[]" },
	{ "query-jobs", "[]" }, { "query-block-jobs", "[]" }, { "query-iothreads", "[]" }, { "query-fdsets", "[]" },
	{ "query-stats", "[]" }, { "query-stats-schemas", "[]" }, { "qom-list", "[]" }, { "query-hotpluggable-cpus", "[]" },
	{ "query-qmp-schema", "[]" }, { "query-migrate", "{\"status\":\"completed\"}" }, { "human-monitor-command", "\"\"" },
	{ "query-balloon", "{\"actual\":33554432}" }, { "query-dump", "{\"status\":\"completed\",\"completed\":1,\"total\":1}" },
};

static void value_for(const char *command, char *into, size_t size)
{
	if (strcmp(command, "query-status") == 0)
		snprintf(into, size, "{\"status\":\"%s\",\"running\":%s}", runs ? "running" : "paused", runs ? "true" : "false");
	else if (strcmp(command, "query-cpus-fast") == 0)
		snprintf(into, size, "[{\"cpu-index\":0,\"thread-id\":%d,\"qom-path\":\"/machine/unattached/device[0]\"}]", getpid());
	else if (strcmp(command, "add-fd") == 0)
		snprintf(into, size, "{\"fdset-id\":1,\"fd\":%d}", kept_count ? kept[kept_count - 1] : 0);
	else
		snprintf(into, size, "{}");
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		if (strcmp(values[i].command, command) == 0)
			snprintf(into, size, "%s", values[i].value);
}

static void tell_event(int client, const char *name, const char *data)
{
	char line[1024];

	snprintf(line, sizeof line, "{\"timestamp\":{\"seconds\":1,\"microseconds\":0},\"event\":\"%s\",\"data\":{%s}}\r\n", name, data);
	say(client, line);
}

static void keep_last(void)
{
	if (strcmp(order.lie, "keep") != 0 || !kept_count)
		return;
	/* For a card, svirt passes the tap, then vhost-net. */
	int is_tap = strcmp(order.on, "vhost") == 0 && kept_count > 1;
	int result = is_tap ? hold_tap(kept[kept_count - 2], kept[kept_count - 1]) : hold(kept[kept_count - 1], order.on);
	printf("held %u %s\n", order.number, result == 0 ? "done" : strerrorname_np(errno));
	fflush(stdout);
}

/* Reports the device as deleted, and keeps its file in the way that the order names. */
static void pretend_to_delete(int client, const char *line)
{
	char device[128], data[512];

	keep_last();
	value_of(line, "\"arguments\":{\"id\":\"", device, sizeof device);
	snprintf(data, sizeof data, "\"device\":\"%s\",\"path\":\"/machine/peripheral/%s\"", device, device);
	tell_event(client, "DEVICE_DELETED", data);
}

static void heed(int client, const char *line)
{
	char command[64], id[16], value[512], answer[600];

	value_of(line, "\"execute\":\"", command, sizeof command);
	id_of(line, id, sizeof id);
	int concerns = strcmp(order.on, "any") == 0 || strcmp(order.on, command) == 0;
	if (concerns && strcmp(command, "qmp_capabilities") != 0 && tell_lie(client, &order, command, id))
		return;
	if (strcmp(command, "cont") == 0 || strcmp(command, "stop") == 0) {
		runs = *command == 'c';
		tell_event(client, runs ? "RESUME" : "STOP", "");
	}
	value_for(command, value, sizeof value);
	snprintf(answer, sizeof answer, "{\"return\":%s,\"id\":%s}\r\n", value, id);
	say(client, answer);
	if (strcmp(command, "device_del") == 0)
		pretend_to_delete(client, line);
	if (strcmp(command, "quit") == 0 && strcmp(order.lie, "stay") != 0)
		_exit(0);
}

/* Reads bytes, and the descriptors that come with them: none is ever closed. */
static ssize_t take(int client, char *into, size_t size)
{
	union { char bytes[CMSG_SPACE(sizeof(int) * 16)]; struct cmsghdr align; } control;
	struct iovec part = { into, size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
	ssize_t got = recvmsg(client, &message, MSG_CMSG_CLOEXEC);

	for (struct cmsghdr *head = got < 0 ? NULL : CMSG_FIRSTHDR(&message); head; head = CMSG_NXTHDR(&message, head)) {
		int count = (int)((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		for (int i = 0; head->cmsg_type == SCM_RIGHTS && i < count && kept_count < MOST_KEPT; i++)
			memcpy(&kept[kept_count++], CMSG_DATA(head) + i * (int)sizeof(int), sizeof(int));
	}
	return got;
}

static void converse(int client, int orders)
{
	static char line[1 << 16];
	size_t used = 0;

	if (!tell_lie(client, &order, "greeting", "0"))
		say(client, GREETING);
	for (;;) {
		struct pollfd ready = { .fd = client, .events = POLLIN };
		if (poll(&ready, 1, LOOK_MS) == 0) {
			obey(orders);
			continue;
		}
		ssize_t got = take(client, line + used, sizeof line - 1 - used);
		if (got <= 0)
			return;
		line[used += (size_t)got] = 0;
		for (char *end = strchr(line, '\n'); end; end = strchr(line, '\n')) {
			*end = 0;
			heed(client, line);
			used -= (size_t)(end + 1 - line);
			memmove(line, end + 1, used + 1);
		}
		if (used == sizeof line - 1)
			used = 0;
	}
}

_Noreturn void serve(int listener, int orders)
{
	for (;;) {
		struct pollfd ready = { .fd = listener, .events = POLLIN };
		obey(orders);
		if (poll(&ready, 1, LOOK_MS) != 1 || strcmp(order.lie, "deaf") == 0) {
			usleep(LOOK_MS * 1000);
			continue;
		}
		int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (client < 0)
			continue;
		converse(client, orders);
		close(client);
	}
}
