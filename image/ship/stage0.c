/*
 * The first program of the product's initrd, PID 1 in kernel_t: mounts the squashfs beside it and executes
 * its script (initramfs/init, as on the test machine). Static and small, so that the image contains busybox only
 * once. On each failure it reports the cause and powers the machine off.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define IMAGE "/root.squashfs"
#define ROOT "/new"
#define SCRIPT "/usr/libexec/svirt-node/stage1"

static void refuse(const char *what)
{
	printf("\nsvirt-node: REFUSING TO BOOT: %s: %s\n\n", what, strerror(errno));
	fflush(stdout);
	sleep(1);
	reboot(LINUX_REBOOT_CMD_POWER_OFF);
	for (;;)
		pause();
}

static void mount_at(const char *type, const char *path, unsigned long flags)
{
	mkdir(path, 0755);
	if (mount(type, path, type, flags | MS_NOSUID | MS_NOEXEC, NULL) != 0 && errno != EBUSY)
		refuse(path);
}

static void load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) != 0 && errno != EEXIST))
		refuse(path);
	close(fd);
}

/* Attaches the image to /dev/loop0, read-only. loop(4) */
static void attach_image(void)
{
	int image = open(IMAGE, O_RDONLY | O_CLOEXEC);
	int loop = open("/dev/loop0", O_RDONLY | O_CLOEXEC);
	struct loop_config config = { .fd = image, .info.lo_flags = LO_FLAGS_READ_ONLY };

	if (image < 0)
		refuse(IMAGE);
	strcpy((char *)config.info.lo_file_name, IMAGE);
	if (loop < 0 || ioctl(loop, LOOP_CONFIGURE, &config) != 0)
		refuse("/dev/loop0");
}

int main(void)
{
	char *const words[] = { "sh", SCRIPT, NULL };
	char *const environment[] = { "PATH=/usr/sbin:/usr/bin", "TERM=linux", NULL };

	umask(022);
	mount_at("proc", "/proc", MS_NODEV);
	mount_at("sysfs", "/sys", MS_NODEV);
	mount_at("devtmpfs", "/dev", 0);
	load_module("/modules/loop.ko");
	load_module("/modules/squashfs.ko");
	attach_image();
	mkdir(ROOT, 0755);
	if (mount("/dev/loop0", ROOT, "squashfs", MS_RDONLY | MS_NODEV, NULL) != 0)
		refuse("the root file system does not mount");
	/* Links in the image are absolute and lead here until it is the root. The loader's path is absolute too. */
	if (symlink(ROOT "/usr", "/usr") != 0 || symlink("usr/bin", "/bin") != 0 ||
	    symlink("usr/lib", "/lib") != 0 || symlink("usr/lib64", "/lib64") != 0)
		refuse("/usr");
	execve("/usr/bin/sh", words, environment);
	refuse("/usr/bin/sh");
}
