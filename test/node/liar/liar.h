/* The liar: a program that svirt runs as QEMU, since the XML names it as the emulator. It is the attacker's from its
 * first instruction on.
 *
 *   liar QEMU'S WORDS               as svirt starts it: an honest monitor, until its disk contains an order
 *   liar try GROUP ROLE=FD ...      the attempts of a group with these descriptors, without a monitor: facts on stdin
 *   liar serve SOCKET ORDERS        the same monitor for the control, orders from a file
 *   liar client SOCKET COMMAND      sends a command as a program that trusts QEMU: for the control
 *   liar hold HOW FILE              keeps a file in that way, and writes to it after a change of its label: for the control
 *   liar trap HOW VICTIMS           sets a trap in the current folder: for the control; `liar undig FOLDER` removes "deep"
 *   liar hold-tap NAME               creates a tap and leaves it to vhost-net: for the control
 *   liar lock FILE COMMAND           runs a command that holds a lock: for the control
 *   liar watch SECONDS MIB COMMAND  runs a command within limits and prints how it ended
 */
#ifndef LIAR_H
#define LIAR_H

#include "../adversary/adversary.h"

/* Attempts with received descriptors. */
extern const struct attempt file_descriptor_attempts[];
extern const struct attempt log_attempts[];
extern const struct attempt device_attempts[];
/* Attempts on its folder, its limits and its parent. */
extern const struct attempt folder_attempts[];
extern const struct attempt limit_attempts[];

/* Makes each attempt of the named group, in the order of the tables; irreversible harm comes last. */
void try_group(const char *group);

/* Sets facts about the descriptors in QEMU's arguments, and about its folder. */
void read_words(int argc, char **argv);
/* Sets the fact "untold": a descriptor that is not in the list of numbers, each between commas; empty if there is none. */
void find_untold(const char *list);

/* An order to the monitor, or an attempt to make: polled from the first 512 bytes of the disk's descriptor. */
struct order {
	unsigned number;
	char lie[48];
	char on[48];
};
/* Returns 1 if there is an order with a new number. */
int read_order(int fd, struct order *order);

/* Serves a listening socket, one client at a time, and never returns. */
_Noreturn void serve(int listener, int orders);

/* Lies that fill the connection; each ends when the client has disconnected. lies.c */
int tell_lie(int client, const struct order *order, const char *command, const char *id);

/* Keeps a descriptor in that way and closes it. Returns 0, or -1 with errno. hold.c */
int hold(int fd, const char *how);
/* Writes 512 bytes of `mark` to the end of the held file, or reads from it if it is held for reading. */
int use_held(char mark);
/* Starts descendants that try to outlive the guest's end. linger.c */
int linger(const char *how);
/* Sets traps for svirt in its folder. Some lead to a folder outside and a file in it, which must stay unchanged. */
int set_trap(const char *how, const char *victims);
/* Removes the folders of the trap "deep", which rm cannot. */
int undig(const char *top);

int hold_and_use(const char *how, const char *path);

/* Leaves a tap to vhost-net and closes it. Returns 0, or -1 with errno. tap.c */
int hold_tap(int tap, int vhost);
int hold_new_tap(const char *name);
int watch(int seconds, long mib, char **command);
int ask_as_client(const char *socket, const char *command);

#endif
