/* The adversary: acts of code that has broken out of a guest's QEMU, one table row for each attempt.
 *
 * Each attempt runs in a forked child, so that one that hangs, crashes or changes the process affects no other. It
 * returns DONE or the step that was refused. As root without confinement every attempt should succeed. So an
 * attempt leaves the machine unchanged, and uses a harmless form of its act wherever the kernel checks the
 * permission before the arguments. */
#ifndef ADVERSARY_H
#define ADVERSARY_H

#include <errno.h>
#include <stddef.h>

/* The party that an attempt harms. */
enum group { NEIGHBOUR, SECRETS, HOST, KERNEL, OWN, HANDED, LIMITS, MONITOR };

/* `step` is NULL if all steps succeeded, else the failed step, with errno. It points to a literal: the runner that reads it
 * from a pipe is a fork of the same program. */
struct outcome {
	const char *step;
	int error;
};

#define DONE ((struct outcome){ NULL, 0 })

static inline struct outcome refused(const char *step)
{
	return (struct outcome){ step, errno };
}

static inline struct outcome refused_with(const char *step, int error)
{
	return (struct outcome){ step, error };
}

/* DONE if the call succeeds or fails with `nonsense`: the kernel checks the permission before the invalid arguments. */
static inline struct outcome permitted_if(long result, int nonsense, const char *step)
{
	return result >= 0 || errno == nonsense ? DONE : refused(step);
}

/* Irreversible harm to the neighbour: tried last and only on request. */
#define DESTRUCTIVE 1

struct attempt {
	const char *id;
	enum group group;
	const char *what;
	struct outcome (*run)(const char *subject, int number);
	/* Path, process or context; `@fact` stands for a value of the facts file. */
	const char *subject;
	int number;
	int flags;
};

/* One table for each subject, ended by an attempt without id. */
extern const struct attempt file_attempts[];
extern const struct attempt process_attempts[];
extern const struct attempt network_attempts[];
extern const struct attempt mount_attempts[];
extern const struct attempt kernel_attempts[];
extern const struct attempt identity_attempts[];
extern const struct attempt code_attempts[];
extern const struct attempt host_attempts[];
extern const struct attempt selinux_attempts[];
extern const struct attempt own_attempts[];
extern const struct attempt handed_attempts[];

/* Value of a fact, or NULL. */
const char *fact(const char *name);
void set_fact(const char *name, const char *value);
/* Reads facts from stdin, as lines name=value. */
void read_facts(void);

/* Runs an attempt in a child and prints its result. runner.c */
void attempt(const struct attempt *a);
void print_result(const struct attempt *a, const char *verdict, const char *step, const char *why);

/* Descriptors of the guest's own disk, of /dev/kvm and of a tap, passed as svirt passes them to QEMU. */
#define OWN_DISK_FD 3
#define KVM_FD 4
#define TAP_FD 5
/* Content that guests share, a slice of a loop device, and an image. The guest's user owns all, so that only the label
 * can refuse. */
#define CONTENT_FD 6
#define BLOCK_FD 7
#define MINE_FD 8

/* Acts that several tables use, acts.c. */
struct outcome open_only(const char *path, int flags);
struct outcome read_file(const char *path, int flags);
struct outcome write_back(const char *path, int flags);
struct outcome append_byte(const char *path, int flags);
struct outcome list_folder(const char *path, int number);
struct outcome create_in(const char *folder, int number);
struct outcome read_link(const char *path, int number);
struct outcome execute(const char *path, int form);

#endif
