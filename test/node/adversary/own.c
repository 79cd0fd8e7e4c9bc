/* Acts that a guest needs: if these fail, the refusals of the others prove nothing. */
#define _GNU_SOURCE
#include "adversary.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct outcome read_own_disk(const char *subject, int number)
{
	char bytes[512];

	(void)subject, (void)number;
	return pread(OWN_DISK_FD, bytes, sizeof bytes, 0) <= 0 ? refused("read") : DONE;
}

static struct outcome write_own_disk(const char *subject, int number)
{
	char bytes[512];
	ssize_t size = pread(OWN_DISK_FD, bytes, sizeof bytes, 0);

	(void)subject, (void)number;
	if (size < 0)
		return refused("read");
	return pwrite(OWN_DISK_FD, bytes, (size_t)size, 0) != size ? refused("write") : DONE;
}

static struct outcome flush_own_disk(const char *subject, int number)
{
	(void)subject, (void)number;
	return fdatasync(OWN_DISK_FD) != 0 ? refused("fdatasync") : DONE;
}

static struct outcome listen_in(const char *folder, int number)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct outcome outcome = DONE;

	(void)number;
	if (fd < 0)
		return refused("socket");
	int length = snprintf(address.sun_path, sizeof address.sun_path, "%s/adv.sock", folder);
	if (length < 0 || (size_t)length >= sizeof address.sun_path)
		return refused_with("path", ENAMETOOLONG);
	unlink(address.sun_path);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
		return refused("bind");
	if (listen(fd, 1) != 0)
		outcome = refused("listen");
	unlink(address.sun_path);
	return outcome;
}

static struct outcome make_machine(const char *subject, int number)
{
	(void)subject, (void)number;
	return ioctl(KVM_FD, KVM_CREATE_VM, 0) < 0 ? refused("KVM_CREATE_VM") : DONE;
}

static struct outcome set_offloads(const char *subject, int offloads)
{
	(void)subject;
	return ioctl(TAP_FD, TUNSETOFFLOAD, offloads) != 0 ? refused("TUNSETOFFLOAD") : DONE;
}

static struct outcome map_shared_memory(const char *subject, int size)
{
	int fd = memfd_create("ram", MFD_CLOEXEC);

	(void)subject;
	if (fd < 0)
		return refused("memfd_create");
	if (ftruncate(fd, size) != 0)
		return refused("truncate");
	return mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED ? refused("mmap") : DONE;
}

/* Checks the label, so that the refusals are those of the guest. */
static struct outcome have_label(const char *context, int number)
{
	char label[256];
	int fd = open("/proc/self/attr/current", O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, label, sizeof label - 1);

	(void)number;
	if (size < 0)
		return refused("read");
	label[size] = 0;
	return strcmp(label, context) == 0 ? DONE : refused_with("another label", 0);
}

static struct outcome have_user(const char *uid, int number)
{
	(void)number;
	return geteuid() == strtoul(uid, NULL, 10) ? DONE : refused_with("another user", 0);
}

const struct attempt own_attempts[] = {
	{ "own.disk-read", OWN, "read the own disk", read_own_disk, "", 0, 0 },
	{ "own.disk-write", OWN, "write the own disk", write_own_disk, "", 0, 0 },
	{ "own.disk-flush", OWN, "flush the own disk", flush_own_disk, "", 0, 0 },
	{ "own.folder-list", OWN, "list the own private folder", list_folder, "@own_private", 0, 0 },
	{ "own.folder-create", OWN, "create a file in the own private folder", create_in, "@own_private", 0, 0 },
	{ "own.socket", OWN, "listen on a socket in the own private folder", listen_in, "@own_private", 0, 0 },
	{ "own.kvm", OWN, "make a virtual machine by the descriptor of /dev/kvm", make_machine, "", 0, 0 },
	{ "own.tap", OWN, "set the offloads of the tap that it was handed", set_offloads, "", TUN_F_CSUM, 0 },
	{ "own.memory", OWN, "map shared memory", map_shared_memory, "", 1 << 20, 0 },
	{ "own.random", OWN, "read /dev/urandom", read_file, "/dev/urandom", 0, 0 },
	{ "own.null", OWN, "write /dev/null", open_only, "/dev/null", O_RDWR, 0 },
	{ "own.label", OWN, "have exactly the label of the guest's QEMU", have_label, "@own_context", 0, 0 },
	{ "own.user", OWN, "have exactly the user of the guest's QEMU", have_user, "@own_uid", 0, 0 },
	{ NULL, OWN, NULL, NULL, NULL, 0, 0 },
};
