/* Identity of the process, and objects shared with others: users, capabilities, namespaces, keys. */
#define _GNU_SOURCE
#include "adversary.h"

#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct outcome leave_namespace(const char *subject, int flags)
{
	(void)subject;
	return unshare(flags) != 0 ? refused("unshare") : DONE;
}

static struct outcome become(const char *uid, int number)
{
	uid_t id = (uid_t)strtoul(uid, NULL, 0);

	(void)number;
	return setresuid(id, id, id) != 0 ? refused("setresuid") : DONE;
}

static struct outcome raise_capability(const char *subject, int capability)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct sets[2] = { { 0 } };

	(void)subject;
	if (syscall(SYS_capget, &header, sets) != 0)
		return refused("capget");
	sets[0].effective |= 1u << capability;
	sets[0].permitted |= 1u << capability;
	return syscall(SYS_capset, &header, sets) != 0 ? refused("capset") : DONE;
}

static struct outcome add_key_to(const char *subject, int keyring)
{
	long key = syscall(SYS_add_key, "user", "svirt-adversary", "x", 1, keyring);

	(void)subject;
	if (key < 0)
		return refused("add_key");
	return syscall(SYS_keyctl, KEYCTL_UNLINK, key, keyring) != 0 ? refused("unlink") : DONE;
}

static struct outcome set_personality(const char *subject, int flags)
{
	(void)subject;
	return personality((unsigned)flags) < 0 ? refused("personality") : DONE;
}

const struct attempt identity_attempts[] = {
	{ "kernel.add-key-user", KERNEL, "add a key to the user's key ring", add_key_to, "", KEY_SPEC_USER_KEYRING, 0 },
	{ "kernel.add-key-process", KERNEL, "add a key to its own key ring", add_key_to, "", KEY_SPEC_PROCESS_KEYRING, 0 },
	{ "namespace.user", KERNEL, "a new user name space", leave_namespace, "", CLONE_NEWUSER, 0 },
	{ "namespace.user-net", KERNEL, "a new user and network name space", leave_namespace, "", CLONE_NEWUSER | CLONE_NEWNET, 0 },
	{ "namespace.new-mount", KERNEL, "a new mount name space", leave_namespace, "", CLONE_NEWNS, 0 },
	{ "namespace.net", KERNEL, "a new network name space", leave_namespace, "", CLONE_NEWNET, 0 },
	{ "namespace.pid", KERNEL, "a new process name space", leave_namespace, "", CLONE_NEWPID, 0 },
	{ "namespace.ipc", KERNEL, "a new IPC name space", leave_namespace, "", CLONE_NEWIPC, 0 },
	{ "namespace.uts", KERNEL, "a new host name space", leave_namespace, "", CLONE_NEWUTS, 0 },
	{ "namespace.cgroup", KERNEL, "a new control group name space", leave_namespace, "", CLONE_NEWCGROUP, 0 },
	{ "become.root", KERNEL, "become root", become, "0", 0, 0 },
	{ "become.neighbour", KERNEL, "become the neighbour's user", become, "@b_uid", 0, 0 },
	{ "become.capable", KERNEL, "raise a capability", raise_capability, "", CAP_DAC_OVERRIDE, 0 },
	{ "code.personality", KERNEL, "turn off address randomisation", set_personality, "", ADDR_NO_RANDOMIZE, 0 },
	{ NULL, OWN, NULL, NULL, NULL, 0, 0 },
};
