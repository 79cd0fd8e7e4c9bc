/* A tap that vhost-net keeps after its descriptor was closed: no descriptor refers to it, and its interface stays. */
#define _GNU_SOURCE
#include "liar.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/vhost.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY (1UL << 20)

/* Sets up the first ring of a card as QEMU does, then assigns the tap to it. linux/vhost.h */
int hold_tap(int tap, int vhost)
{
	char *memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct vhost_memory *table = calloc(1, sizeof *table + sizeof table->regions[0]);
	struct vhost_vring_state size = { 0, 256 };
	struct vhost_vring_addr ring = { 0 };
	struct vhost_vring_file backend = { 0, tap };

	if (memory == MAP_FAILED || !table)
		return -1;
	table->nregions = 1;
	table->regions[0].memory_size = MEMORY;
	table->regions[0].userspace_addr = (unsigned long)memory;
	ring.desc_user_addr = (unsigned long)memory;
	ring.used_user_addr = (unsigned long)memory + 0x4000;
	ring.avail_user_addr = (unsigned long)memory + 0x8000;
	if (ioctl(vhost, VHOST_SET_OWNER, 0) != 0 || ioctl(vhost, VHOST_SET_MEM_TABLE, table) != 0)
		return -1;
	if (ioctl(vhost, VHOST_SET_VRING_NUM, &size) != 0 || ioctl(vhost, VHOST_SET_VRING_ADDR, &ring) != 0)
		return -1;
	return ioctl(vhost, VHOST_NET_SET_BACKEND, &backend) != 0 ? -1 : close(tap);
}

/* For the control. Returns 0 if the interface still exists. */
int hold_new_tap(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC), vhost = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);

	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
	if (tap < 0 || vhost < 0 || ioctl(tap, TUNSETIFF, &request) != 0 || hold_tap(tap, vhost) != 0)
		return 1;
	return if_nametoindex(name) != 0 ? 0 : 1;
}
