/* Changes of the label itself, and of the policy. */
#define _GNU_SOURCE
#include "adversary.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SELINUX "/sys/fs/selinux/"

static int write_text(const char *path, const char *text, size_t size)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t written = fd < 0 ? -1 : write(fd, text, size);

	if (fd >= 0)
		close(fd);
	return written == (ssize_t)size ? 0 : -1;
}

/* Changes the label of this process. */
static struct outcome set_current(const char *context, int number)
{
	(void)number;
	return write_text("/proc/self/attr/current", context, strlen(context)) != 0 ? refused("write attr/current") : DONE;
}

/* Sets a label for exec, and executes this program: done only if both succeed. */
static struct outcome set_exec(const char *context, int number)
{
	(void)number;
	if (write_text("/proc/self/attr/exec", context, strlen(context)) != 0)
		return refused("write attr/exec");
	return execute("/proc/self/exe", 2);
}

/* Sets a label for new files, sockets or keys, and creates one. */
static struct outcome set_create(const char *context, int which)
{
	static const char *const attributes[] = { "/proc/self/attr/fscreate", "/proc/self/attr/sockcreate",
						  "/proc/self/attr/keycreate" };

	if (write_text(attributes[which], context, strlen(context)) != 0)
		return refused("write attribute");
	return which == 0 && fact("own_private") ? create_in(fact("own_private"), 0) : DONE;
}

/* Relabels the own disk by its descriptor, and restores its label. */
static struct outcome relabel_own_disk(const char *context, int number)
{
	char before[256];
	ssize_t size = fgetxattr(OWN_DISK_FD, "security.selinux", before, sizeof before);

	(void)number;
	if (fsetxattr(OWN_DISK_FD, "security.selinux", context, strlen(context) + 1, 0) != 0)
		return refused("fsetxattr");
	if (size < 0)
		return refused("fgetxattr");
	return fsetxattr(OWN_DISK_FD, "security.selinux", before, (size_t)size, 0) != 0 ? refused("fsetxattr back") : DONE;
}

static struct outcome relabel_own_folder(const char *context, int number)
{
	char before[256];
	const char *folder = fact("own_private") ? fact("own_private") : "";
	ssize_t size = getxattr(folder, "security.selinux", before, sizeof before);

	(void)number;
	if (setxattr(folder, "security.selinux", context, strlen(context) + 1, 0) != 0)
		return refused("setxattr");
	if (size < 0)
		return refused("getxattr");
	return setxattr(folder, "security.selinux", before, (size_t)size, 0) != 0 ? refused("setxattr back") : DONE;
}

/* Writes the present value. */
static struct outcome write_same_switch(const char *path, int number)
{
	char value[16] = "";
	int in = open(path, O_RDONLY | O_CLOEXEC);

	(void)number;
	ssize_t size = in < 0 ? -1 : read(in, value, 1);
	/* Enforcing, if the value cannot be read. */
	if (size != 1)
		strcpy(value, "1");
	return write_text(path, value, 1) != 0 ? refused("write") : DONE;
}

/* No policy begins with these bytes: EINVAL proves that a valid policy would be loaded. */
static struct outcome load_policy(const char *path, int number)
{
	static const char junk[64] = "no policy";

	(void)number;
	if (write_text(path, junk, sizeof junk) == 0 || errno == EINVAL)
		return DONE;
	return refused("write");
}

/* Queries the kernel's security server for the access of a label. */
static struct outcome ask_access(const char *context, int number)
{
	char question[1024];

	(void)number;
	int size = snprintf(question, sizeof question, "%s %s 1", context, context);
	return write_text(SELINUX "access", question, (size_t)size) != 0 ? refused("write") : DONE;
}

const struct attempt selinux_attempts[] = {
	{ "label.current-neighbour", NEIGHBOUR, "take the neighbour's label", set_current, "@b_context", 0, 0 },
	{ "label.current-wider", NEIGHBOUR, "take all categories", set_current, "@wider_context", 0, 0 },
	{ "label.current-none", NEIGHBOUR, "take a label without categories", set_current, "@bare_context", 0, 0 },
	{ "label.current-unconfined", SECRETS, "become unconfined_t", set_current, "@unconfined_context", 0, 0 },
	{ "label.current-manager", SECRETS, "become svirt", set_current, "@manager_context", 0, 0 },
	{ "label.exec-neighbour", NEIGHBOUR, "execute with the neighbour's label", set_exec, "@b_context", 0, 0 },
	{ "label.exec-wider", NEIGHBOUR, "execute with all categories", set_exec, "@wider_context", 0, 0 },
	{ "label.exec-none", NEIGHBOUR, "execute with a label without categories", set_exec, "@bare_context", 0, 0 },
	{ "label.exec-unconfined", SECRETS, "execute as unconfined_t", set_exec, "@unconfined_context", 0, 0 },
	{ "label.exec-manager", SECRETS, "execute as svirt", set_exec, "@manager_context", 0, 0 },
	{ "label.create-file", NEIGHBOUR, "make a file with the neighbour's label", set_create, "@b_image_context", 0, 0 },
	{ "label.create-socket", NEIGHBOUR, "make sockets with the neighbour's label", set_create, "@b_context", 1, 0 },
	{ "label.create-key", NEIGHBOUR, "make keys with the neighbour's label", set_create, "@b_context", 2, 0 },
	{ "label.own-disk", NEIGHBOUR, "give the own disk the neighbour's label", relabel_own_disk, "@b_image_context", 0, 0 },
	{ "label.own-disk-shared", NEIGHBOUR, "give the own disk a label without categories", relabel_own_disk, "@bare_image_context", 0, 0 },
	{ "label.own-folder", NEIGHBOUR, "give the own folder the neighbour's label", relabel_own_folder, "@b_image_context", 0, 0 },
	{ "policy.enforce", HOST, "write the enforcing switch", write_same_switch, SELINUX "enforce", 0, 0 },
	{ "policy.boolean", HOST, "write a policy boolean", write_same_switch, SELINUX "booleans/@boolean", 0, 0 },
	{ "policy.commit", HOST, "commit policy booleans", write_same_switch, SELINUX "commit_pending_bools", 0, 0 },
	{ "policy.load", HOST, "load a policy", load_policy, SELINUX "load", 0, 0 },
	{ "policy.read", SECRETS, "read the loaded policy", read_file, SELINUX "policy", 0, 0 },
	{ "policy.checkreqprot", HOST, "write checkreqprot", open_only, SELINUX "checkreqprot", O_WRONLY, 0 },
	{ "policy.access", HOST, "ask the security server about the neighbour", ask_access, "@b_context", 0, 0 },
	{ NULL, OWN, NULL, NULL, NULL, 0, 0 },
};
