/* Secrets, folders, devices and kernel switches of the host. */
#define _GNU_SOURCE
#include "adversary.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/loop.h>
#include <linux/vhost.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static struct outcome read_kernel_log(const char *subject, int action)
{
	static char log[4096];

	(void)subject;
	return klogctl(action, log, sizeof log) < 0 ? refused("syslog") : DONE;
}

/* Writes the present value of a kernel switch. */
static struct outcome write_same(const char *path, int number)
{
	char value[512];
	int in = open(path, O_RDONLY | O_CLOEXEC), out = open(path, O_WRONLY | O_CLOEXEC);

	(void)number;
	if (out < 0)
		return refused("open to write");
	if (in < 0)
		return refused("open");
	ssize_t size = read(in, value, sizeof value);
	if (size < 0)
		return refused("read");
	return write(out, value, (size_t)size) != size ? refused("write") : DONE;
}

/* Reads kernel addresses, which are zeros for processes without permission. */
static struct outcome read_addresses(const char *path, int number)
{
	char line[512];
	unsigned long address;
	FILE *file = fopen(path, "re");

	(void)number;
	if (!file)
		return refused("open");
	while (fgets(line, sizeof line, file))
		if (sscanf(line, "%lx", &address) == 1 && address >= 1 << 20)
			return DONE;
	return refused_with("shown as zeros", 0);
}

/* A value below the initial one needs a capability. */
static struct outcome lower_oom_score(const char *path, int score)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return refused("open");
	return dprintf(fd, "%d", score) < 0 ? refused("write") : DONE;
}

static struct outcome write_byte(const char *path, int byte)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	char value = (char)byte;

	if (fd < 0)
		return refused("open");
	return write(fd, &value, 1) != 1 ? refused("write") : DONE;
}

static struct outcome make_tap(const char *path, int flags)
{
	struct ifreq request = { 0 };
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return refused("open");
	strcpy(request.ifr_name, "adv%d");
	request.ifr_flags = (short)flags;
	return ioctl(fd, TUNSETIFF, &request) != 0 ? refused("TUNSETIFF") : DONE;
}

/* Requests to the received tap that make it persistent or assign it to another user. */
static struct outcome change_tap(const char *subject, int request)
{
	(void)subject;
	return ioctl(TAP_FD, (unsigned long)(unsigned)request, getuid()) != 0 ? refused("ioctl") : DONE;
}

static struct outcome keep_tap(const char *subject, int number)
{
	(void)subject;
	if (ioctl(TAP_FD, TUNSETPERSIST, number) != 0)
		return refused("TUNSETPERSIST");
	return ioctl(TAP_FD, TUNSETPERSIST, 0) != 0 ? refused("TUNSETPERSIST 0") : DONE;
}

static struct outcome set_tap_address(const char *subject, int number)
{
	struct ifreq request = { .ifr_hwaddr = { .sa_family = ARPHRD_ETHER, .sa_data = { 2, 0, 0, 0, 0, (char)number } } };

	(void)subject;
	return ioctl(TAP_FD, SIOCSIFHWADDR, &request) != 0 ? refused("SIOCSIFHWADDR") : DONE;
}

static struct outcome device_request(const char *path, int request)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return refused("open");
	return ioctl(fd, (unsigned long)(unsigned)request, 0) < 0 ? refused("ioctl") : DONE;
}

/* Creates a device node for /dev/null, or for the first disk. */
static struct outcome make_node(const char *folder, int type)
{
	char name[4200];
	dev_t device = type == S_IFCHR ? makedev(1, 3) : makedev(254, 0);

	snprintf(name, sizeof name, "%s/node.adversary", folder);
	if (mknod(name, (mode_t)type | 0600, device) != 0)
		return refused("mknod");
	return unlink(name) != 0 ? refused("unlink") : DONE;
}

static struct outcome make_folder(const char *path, int number)
{
	(void)number;
	if (mkdir(path, 0700) != 0)
		return refused("mkdir");
	return rmdir(path) != 0 ? refused("rmdir") : DONE;
}

static struct outcome write_own_pid(const char *path, int number)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	(void)number;
	if (fd < 0)
		return refused("open");
	return dprintf(fd, "%d", getpid()) < 0 ? refused("write") : DONE;
}

static struct outcome set_host_name(const char *subject, int number)
{
	char name[256];

	(void)subject, (void)number;
	if (gethostname(name, sizeof name) != 0)
		return refused("gethostname");
	return sethostname(name, strlen(name)) != 0 ? refused("sethostname") : DONE;
}

const struct attempt host_attempts[] = {
	{ "secret.shadow", SECRETS, "read /etc/shadow", read_file, "/etc/shadow", 0, 0 },
	{ "secret.authorized-keys", SECRETS, "read root's authorized_keys", read_file, "@authorized_keys", 0, 0 },
	{ "secret.authorized-keys-write", SECRETS, "write root's authorized_keys", write_back, "@authorized_keys", 0, 0 },
	{ "secret.host-key", SECRETS, "read the SSH server's host key", read_file, "@host_key", 0, 0 },
	{ "secret.root-home", SECRETS, "list /root", list_folder, "/root", 0, 0 },
	{ "file.list-log", HOST, "list /var/log", list_folder, "/var/log", 0, 0 },
	{ "secret.policy-store", SECRETS, "read the policy file", read_file, "@policy_file", 0, 0 },
	{ "secret.kcore", SECRETS, "read the kernel's memory, /proc/kcore", read_file, "/proc/kcore", 0, 0 },
	{ "secret.mem", SECRETS, "read physical memory, /dev/mem", read_file, "/dev/mem", 0, 0 },
	{ "secret.port", SECRETS, "read I/O ports, /dev/port", open_only, "/dev/port", O_RDWR, 0 },
	{ "secret.kmsg", SECRETS, "read the kernel log, /dev/kmsg", read_file, "/dev/kmsg", 0, 0 },
	{ "secret.proc-kmsg", SECRETS, "open /proc/kmsg", open_only, "/proc/kmsg", O_RDONLY, 0 },
	{ "secret.syslog", SECRETS, "read the kernel log, syslog(2)", read_kernel_log, "", 3 /* SYSLOG_ACTION_READ_ALL */, 0 },
	{ "secret.raw-disk", SECRETS, "read the node's own disk", read_file, "@host_disk", 0, 0 },
	{ "secret.raw-disk-write", SECRETS, "open the node's own disk for writing", open_only, "@host_disk", O_WRONLY, 0 },
	{ "secret.iomem", SECRETS, "read physical addresses, /proc/iomem", read_addresses, "/proc/iomem", 0, 0 },
	{ "secret.kallsyms", SECRETS, "read the kernel's addresses, /proc/kallsyms", read_addresses, "/proc/kallsyms", 0, 0 },
	{ "file.passwd", HOST, "read /etc/passwd", read_file, "/etc/passwd", 0, 0 },
	{ "file.passwd-write", HOST, "open /etc/passwd for writing", open_only, "/etc/passwd", O_WRONLY, 0 },
	{ "file.svirt-write", HOST, "overwrite svirt itself", open_only, "@svirt", O_WRONLY, 0 },
	{ "file.qemu-write", HOST, "overwrite QEMU itself", open_only, "@qemu", O_WRONLY, 0 },
	{ "file.list-root", HOST, "list /", list_folder, "/", 0, 0 },
	{ "file.list-etc", HOST, "list /etc", list_folder, "/etc", 0, 0 },
	{ "file.list-tmp", HOST, "list /tmp", list_folder, "/tmp", 0, 0 },
	{ "file.list-run", HOST, "list /run", list_folder, "/run", 0, 0 },
	{ "file.list-proc", HOST, "list /proc, all processes", list_folder, "/proc", 0, 0 },
	{ "file.list-dev", HOST, "list /dev", list_folder, "/dev", 0, 0 },
	{ "file.list-sys", HOST, "list /sys/class", list_folder, "/sys/class", 0, 0 },
	{ "file.list-modules", HOST, "list /lib/modules", list_folder, "/lib/modules", 0, 0 },
	{ "file.create-tmp", HOST, "create a file in /tmp", create_in, "/tmp", 0, 0 },
	{ "file.create-var-tmp", HOST, "create a file in /var/tmp", create_in, "/var/tmp", 0, 0 },
	{ "file.create-shm", HOST, "create a file in /dev/shm", create_in, "/dev/shm", 0, 0 },
	{ "file.create-run", HOST, "create a file in /run", create_in, "/run", 0, 0 },
	{ "file.create-root", HOST, "create a file in /", create_in, "/", 0, 0 },
	{ "file.create-images", HOST, "create a file beside the disks", create_in, "@disk_folder", 0, 0 },
	{ "file.list-images", NEIGHBOUR, "list the folder of the disks", list_folder, "@disk_folder", 0, 0 },
	{ "device.tun", HOST, "make a tap of its own, /dev/net/tun", make_tap, "/dev/net/tun", IFF_TAP | IFF_NO_PI, 0 },
	{ "tap.persist", HOST, "make the own tap outlive it", keep_tap, "", 1, 0 },
	{ "tap.owner", HOST, "give the own tap to a user", change_tap, "", (int)TUNSETOWNER, 0 },
	{ "tap.address", HOST, "change the address of the own tap's host end", set_tap_address, "", 7, 0 },
	{ "device.loop", HOST, "ask for a loop device", device_request, "/dev/loop-control", LOOP_CTL_GET_FREE, 0 },
	{ "device.fuse", HOST, "open /dev/fuse", open_only, "/dev/fuse", O_RDWR, 0 },
	{ "device.vhost-net", HOST, "own a vhost-net", device_request, "/dev/vhost-net", VHOST_SET_OWNER, 0 },
	{ "device.kvm", HOST, "open /dev/kvm by its name", open_only, "/dev/kvm", O_RDWR, 0 },
	{ "device.vfio", HOST, "open /dev/vfio/vfio", open_only, "/dev/vfio/vfio", O_RDWR, 0 },
	{ "device.mapper", HOST, "open the device mapper", open_only, "/dev/mapper/control", O_RDWR, 0 },
	{ "device.console", HOST, "open the node's console", open_only, "/dev/console", O_WRONLY | O_NOCTTY, 0 },
	{ "device.tty", HOST, "open the node's serial line", open_only, "/dev/ttyS0", O_RDWR | O_NOCTTY, 0 },
	{ "device.kmsg-write", HOST, "open the kernel log for writing", open_only, "/dev/kmsg", O_WRONLY, 0 },
	{ "device.rtc", HOST, "open the node's clock, /dev/rtc0", open_only, "/dev/rtc0", O_RDONLY, 0 },
	{ "device.msr", HOST, "open a processor's registers", open_only, "/dev/cpu/0/msr", O_RDWR, 0 },
	{ "device.mknod", HOST, "make a device node", make_node, "@own_private", S_IFCHR, 0 },
	{ "device.mknod-disk", HOST, "make a node of the node's disk", make_node, "@own_private", S_IFBLK, 0 },
	{ "switch.core-pattern", HOST, "write kernel.core_pattern", write_same, "/proc/sys/kernel/core_pattern", 0, 0 },
	{ "switch.modprobe", HOST, "write kernel.modprobe", write_same, "/proc/sys/kernel/modprobe", 0, 0 },
	{ "switch.hostname", HOST, "write kernel.hostname", write_same, "/proc/sys/kernel/hostname", 0, 0 },
	{ "switch.swappiness", HOST, "write vm.swappiness", write_same, "/proc/sys/vm/swappiness", 0, 0 },
	{ "switch.forward", HOST, "write net.ipv4.ip_forward", write_same, "/proc/sys/net/ipv4/ip_forward", 0, 0 },
	{ "switch.sysrq", HOST, "pull sysrq (the help text)", write_byte, "/proc/sysrq-trigger", 'h', 0 },
	{ "switch.own-oom", HOST, "spare itself from the out-of-memory killer", lower_oom_score, "/proc/self/oom_score_adj", -1000, 0 },
	{ "switch.power", HOST, "write /sys/power/state's neighbour, pm_freeze_timeout", write_same, "/sys/power/pm_freeze_timeout", 0, 0 },
	{ "cgroup.create", HOST, "make a control group", make_folder, "/sys/fs/cgroup/adversary", 0, 0 },
	{ "cgroup.leave", HOST, "move itself into the root control group", write_own_pid, "/sys/fs/cgroup/cgroup.procs", 0, 0 },
	{ "cgroup.own-limit", HOST, "write a limit of its own control group", write_same, "@own_limit", 0, 0 },
	{ "cgroup.neighbour-limit", NEIGHBOUR, "write a limit of the neighbour's control group", write_same, "@b_limit", 0, 0 },
	{ "cgroup.neighbour-join", NEIGHBOUR, "move itself into the neighbour's control group", write_own_pid, "@b_procs", 0, 0 },
	{ "host.name", HOST, "set the host name", set_host_name, "", 0, 0 },
	{ "exec.shell", HOST, "run a shell", execute, "/bin/sh", 0, 0 },
	{ "exec.svirt", HOST, "run svirt", execute, "@svirt", 1, 0 },
	{ "exec.qemu-img", HOST, "run qemu-img", execute, "@qemu_img", 1, 0 },
	{ "exec.qemu", HOST, "run another QEMU", execute, "@qemu", 1, 0 },
	{ NULL, OWN, NULL, NULL, NULL, 0, 0 },
};
