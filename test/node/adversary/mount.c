/* Mounts. */
#define _GNU_SOURCE
#include "adversary.h"

#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct outcome mount_over(const char *folder, int number)
{
	(void)number;
	if (mount("adversary", folder, "tmpfs", 0, "size=64k") != 0)
		return refused("mount");
	return umount2(folder, MNT_DETACH) != 0 ? refused("umount") : DONE;
}

/* The root cannot expire: EINVAL, after the permission check. */
static struct outcome umount_root(const char *subject, int number)
{
	(void)subject, (void)number;
	return permitted_if(umount2("/", MNT_EXPIRE), EINVAL, "umount");
}

static struct outcome open_file_system(const char *type, int number)
{
	(void)number;
	return syscall(SYS_fsopen, type, 0) < 0 ? refused("fsopen") : DONE;
}

/* Uses the present root as the new one: EBUSY once permitted. A folder that is a mount point would become the node's root. */
static struct outcome pivot(const char *folder, int number)
{
	(void)number;
	long result = syscall(SYS_pivot_root, folder, folder);
	return permitted_if(result, errno == EBUSY ? EBUSY : EINVAL, "pivot_root");
}

static struct outcome change_root(const char *folder, int number)
{
	(void)number;
	return chroot(folder) != 0 ? refused("chroot") : DONE;
}

const struct attempt mount_attempts[] = {
	{ "mount.tmpfs", HOST, "mount a file system", mount_over, "@own_private", 0, 0 },
	{ "mount.umount", HOST, "unmount a file system", umount_root, "", 0, 0 },
	{ "mount.fsopen", HOST, "open a file system (fsopen)", open_file_system, "tmpfs", 0, 0 },
	{ "mount.pivot", HOST, "change the root (pivot_root)", pivot, "/", 0, 0 },
	{ "mount.chroot", HOST, "change the root (chroot)", change_root, "@own_private", 0, 0 },
	{ NULL, OWN, NULL, NULL, NULL, 0, 0 },
};
