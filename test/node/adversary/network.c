/* Sockets of the neighbour, and the node's network. */
#define _GNU_SOURCE
#include "adversary.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Checks that the server's first bytes are those of the protocol. An empty string checks the connection alone. */
static struct outcome expect(int fd, const char *beginning)
{
	char bytes[4096];
	size_t length = strlen(beginning);
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	if (length == 0)
		return DONE;
	if (poll(&ready, 1, 10000) != 1)
		return refused_with("greeting", 0);
	if (read(fd, bytes, sizeof bytes) < (ssize_t)length)
		return refused("greeting");
	return memcmp(bytes, beginning, length) == 0 ? DONE : refused_with("greeting", 0);
}

static const char *const beginnings[] = { "", "{\"QMP\":", "RFB ", "SSH-" };
enum { ANY, QMP, RFB, SSH };

static struct outcome connect_unix(const char *path, int protocol)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd < 0)
		return refused("socket");
	strncpy(address.sun_path, path, sizeof address.sun_path - 1);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
		return refused("connect");
	return expect(fd, beginnings[protocol]);
}

/* A full dialogue: the greeting, then a command without effect. */
static struct outcome command_monitor(const char *path, int number)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	static const char commands[] = "{\"execute\":\"qmp_capabilities\"}\n";
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)number;
	if (fd < 0)
		return refused("socket");
	strncpy(address.sun_path, path, sizeof address.sun_path - 1);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
		return refused("connect");
	struct outcome greeting = expect(fd, beginnings[QMP]);
	if (greeting.step)
		return greeting;
	if (write(fd, commands, sizeof commands - 1) < 0)
		return refused("write");
	return expect(fd, "{\"return\":");
}

static socklen_t abstract(struct sockaddr_un *address, const char *name)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	strncpy(address->sun_path + 1, name, sizeof address->sun_path - 2);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
}

static struct outcome connect_abstract(const char *name, int type)
{
	struct sockaddr_un address;
	socklen_t length = abstract(&address, name);
	int fd = socket(AF_UNIX, type, 0);

	if (fd < 0)
		return refused("socket");
	return connect(fd, (struct sockaddr *)&address, length) != 0 ? refused("connect") : DONE;
}

static struct outcome bind_abstract(const char *name, int type)
{
	struct sockaddr_un address;
	socklen_t length = abstract(&address, name);
	int fd = socket(AF_UNIX, type, 0);

	if (fd < 0)
		return refused("socket");
	if (bind(fd, (struct sockaddr *)&address, length) != 0)
		return refused("bind");
	return listen(fd, 1) != 0 ? refused("listen") : DONE;
}

static struct outcome connect_tcp(const char *port, int protocol)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		return refused("socket");
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
		return refused("connect");
	return expect(fd, beginnings[protocol]);
}

static struct outcome bind_port(const char *port, int type)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	int fd = socket(AF_INET, type, 0), on = 1;

	if (fd < 0)
		return refused("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
		return refused("bind");
	return type == SOCK_STREAM && listen(fd, 1) != 0 ? refused("listen") : DONE;
}

static struct outcome send_datagram(const char *port, int number)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)number;
	if (fd < 0)
		return refused("socket");
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sendto(fd, "", 1, 0, (struct sockaddr *)&address, sizeof address) != 1 ? refused("sendto") : DONE;
}

static struct outcome raw_socket(const char *subject, int protocol)
{
	(void)subject;
	return socket(AF_INET, SOCK_RAW, protocol) < 0 ? refused("socket") : DONE;
}

static struct outcome packet_socket(const char *subject, int number)
{
	(void)subject;
	return socket(AF_PACKET, SOCK_RAW, htons((uint16_t)number)) < 0 ? refused("socket") : DONE;
}

static struct outcome open_family(const char *subject, int family)
{
	(void)subject;
	return socket(family, family == AF_ALG ? SOCK_SEQPACKET : SOCK_STREAM, 0) < 0 ? refused("socket") : DONE;
}

static struct outcome netlink_socket(const char *subject, int protocol)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW, protocol);

	(void)subject;
	if (fd < 0)
		return refused("socket");
	return bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ? refused("bind") : DONE;
}

/* Lists the links, or sets the loopback's state to its present value. */
static struct outcome route_request(const char *subject, int type)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
	} request = {
		.header = { .nlmsg_len = sizeof request, .nlmsg_type = (unsigned short)type,
			    .nlmsg_flags = NLM_F_REQUEST | (type == RTM_GETLINK ? NLM_F_DUMP : NLM_F_ACK) },
		.link = { .ifi_family = AF_UNSPEC, .ifi_index = 1, .ifi_change = 0 },
	};
	char answer[8192];
	const struct nlmsghdr *header = (const struct nlmsghdr *)(void *)answer;
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	(void)subject;
	if (fd < 0)
		return refused("socket");
	if (send(fd, &request, sizeof request, 0) < 0)
		return refused("send");
	if (recv(fd, answer, sizeof answer, 0) < (ssize_t)sizeof *header)
		return refused("receive");
	if (header->nlmsg_type != NLMSG_ERROR)
		return DONE;
	int error = -((const struct nlmsgerr *)NLMSG_DATA(header))->error;
	return error ? refused_with("request", error) : DONE;
}

/* SIOCGIFHWADDR and similar requests: read an interface without netlink. */
static struct outcome interface_request(const char *name, int request)
{
	struct ifreq facts = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		return refused("socket");
	strncpy(facts.ifr_name, name, IFNAMSIZ - 1);
	return ioctl(fd, (unsigned long)request, &facts) != 0 ? refused("ioctl") : DONE;
}

const struct attempt network_attempts[] = {
	{ "monitor.connect", NEIGHBOUR, "connect to the neighbour's monitor", connect_unix, "@b_monitor", ANY, 0 },
	{ "monitor.command", NEIGHBOUR, "give the neighbour's monitor a command", command_monitor, "@b_monitor", 0, 0 },
	{ "monitor.own", HOST, "connect to the own monitor", connect_unix, "@own_monitor", ANY, 0 },
	{ "vnc.unix", NEIGHBOUR, "see the neighbour's screen (VNC, unix socket)", connect_unix, "@b_vnc_socket", RFB, 0 },
	{ "vnc.tcp", NEIGHBOUR, "see the neighbour's screen (VNC, TCP)", connect_tcp, "@b_vnc_port", RFB, 0 },
	{ "abstract.stream", NEIGHBOUR, "connect to the neighbour's abstract socket", connect_abstract, "@b_abstract", SOCK_STREAM, 0 },
	{ "network.ssh", HOST, "connect to the node's SSH server", connect_tcp, "22", SSH, 0 },
	{ "network.bind-443", HOST, "listen on TCP 443", bind_port, "443", SOCK_STREAM, 0 },
	{ "network.bind-5999", HOST, "listen on TCP 5999", bind_port, "5999", SOCK_STREAM, 0 },
	{ "network.bind-any", HOST, "listen on any TCP port", bind_port, "0", SOCK_STREAM, 0 },
	{ "network.bind-udp", HOST, "listen on any UDP port", bind_port, "0", SOCK_DGRAM, 0 },
	{ "network.send-udp", HOST, "send a datagram", send_datagram, "9", 0, 0 },
	{ "network.bind-abstract", HOST, "listen on an abstract socket", bind_abstract, "svirt-adversary", SOCK_STREAM, 0 },
	{ "network.raw", HOST, "open a raw socket", raw_socket, "", IPPROTO_ICMP, 0 },
	{ "network.packet", HOST, "open a packet socket", packet_socket, "", 3, 0 },
	{ "network.route", HOST, "list the node's links (netlink route)", route_request, "", RTM_GETLINK, 0 },
	{ "network.set-link", HOST, "set a link's state (netlink route)", route_request, "", RTM_NEWLINK, 0 },
	{ "network.interface", HOST, "read an interface's address (ioctl)", interface_request, "lo", SIOCGIFADDR, 0 },
	{ "network.proc", HOST, "read /proc/net/tcp", read_file, "/proc/net/tcp", 0, 0 },
	{ "network.proc-unix", HOST, "read /proc/net/unix, all sockets' names", read_file, "/proc/net/unix", 0, 0 },
	{ "network.netlink-generic", HOST, "open generic netlink", netlink_socket, "", NETLINK_GENERIC, 0 },
	{ "network.netlink-audit", HOST, "open audit netlink", netlink_socket, "", NETLINK_AUDIT, 0 },
	{ "network.netlink-uevent", HOST, "open uevent netlink", netlink_socket, "", NETLINK_KOBJECT_UEVENT, 0 },
	{ "network.alg", KERNEL, "open the kernel's cipher socket (AF_ALG)", open_family, "", AF_ALG, 0 },
	{ "network.vsock", KERNEL, "open a vsock", open_family, "", AF_VSOCK, 0 },
	{ NULL, OWN, NULL, NULL, NULL, 0, 0 },
};
