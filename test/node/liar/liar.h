/* The liar: a program that svirt takes for QEMU, since the XML names it as the emulator, and that is an attacker's from its
 * first instruction on.
 *
 *   liar QEMU'S WORDS               as svirt starts it: an honest monitor, until its disk says otherwise
 *   liar try GROUP ROLE=FD ...      the tries of a group by these descriptors, without a monitor: facts on stdin
 *   liar serve SOCKET ORDERS        the same monitor for the control, orders from a file
 *   liar client SOCKET COMMAND      asks as a program does that trusts QEMU: for the control
 *   liar hold HOW FILE              keeps a file in that way, and writes to it after it has another label: for the control
 *   liar trap HOW VICTIMS           sets a trap in the current folder: for the control; `liar undig FOLDER` removes the deep one
 *   liar hold-tap NAME               makes a tap and leaves it to vhost-net: for the control
 *   liar lock FILE COMMAND           runs a command that holds a lock: for the control
 *   liar watch SECONDS MIB COMMAND  runs a command within bounds and says how it ended
 */
#ifndef LIAR_H
#define LIAR_H

#include "../adversary/adversary.h"

/* Of descriptors that were handed over. */
extern const struct attempt file_descriptor_attempts[];
extern const struct attempt log_attempts[];
extern const struct attempt device_attempts[];
/* Of its folder, its limits and its parent. */
extern const struct attempt folder_attempts[];
extern const struct attempt limit_attempts[];

/* Makes each try of the group whose name this is, in the order of the tables; harm that stays comes last. */
void try_group(const char *group);

/* Facts about the descriptors that QEMU's words name, and about its folder. */
void read_words(int argc, char **argv);
/* The fact "untold": a descriptor that is not in the list of numbers, each between commas; empty where there is none. */
void find_untold(const char *list);

/* What the monitor is to do, and tries to make: from the first 512 bytes of this descriptor, again and again. */
struct order {
	unsigned number;
	char lie[48];
	char on[48];
};
/* Gives 1 when there is one with another number than before. */
int read_order(int fd, struct order *order);

/* Serves a listening socket, one client at a time, and never returns. */
_Noreturn void serve(int listener, int orders);

/* Lies that fill the wire; each ends when the client has hung up. lies.c */
int tell_lie(int client, const struct order *order, const char *command, const char *id);

/* Keeps a descriptor in that way and closes it. Gives 0, or -1 with errno. hold.c */
int hold(int fd, const char *how);
/* Writes 512 bytes of `mark` to the beginning of what is held, or reads from it where it is kept for that alone. */
int use_held(char mark);
/* Descendants that are to outlive its end. linger.c */
int linger(const char *how);
/* Traps in its folder, for svirt to fall into: some lead to a folder outside, and a file in it, which have to be as they were. */
int set_trap(const char *how, const char *victims);
/* Removes what the trap "deep" has made in a folder, which rm does not. */
int undig(const char *top);

int hold_and_use(const char *how, const char *path);

/* Leaves a tap to vhost-net and closes it. Gives 0, or -1 with errno. tap.c */
int hold_tap(int tap, int vhost);
int hold_new_tap(const char *name);
int watch(int seconds, long mib, char **command);
int ask_as_client(const char *socket, const char *command);

#endif
