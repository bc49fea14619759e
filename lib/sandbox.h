/* Takes from the process that faces the network all but read, write and exit.
 */
#ifndef SMTPD_SANDBOX_H
#define SMTPD_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * From here on the process may read, write, return from a signal and
 * sandbox_exit(); anything else kills it: by strict seccomp(2); where a filter
 * is in force already, by a filter of our own; by pledge(2). It can be given no
 * more rights, no resources, and ends with its parent, whose id is given. It
 * writes to a regular file only with writes_file. False, errno saying why,
 * where the system lets none of the three be had; the rest holds.
 */
bool sandbox_enter(pid_t parent, bool writes_file);

/* True if sandbox_enter() would do it here: tried in a process that ends. Else
 * errno says why. */
bool sandbox_offered(void);

/* From here on nothing that this process runs gets more rights than it has:
 * set-user-ID and set-group-ID are without effect. */
void sandbox_renounce(void);

/* Ends the process by the one call that strict seccomp allows. */
_Noreturn void sandbox_exit(int status);

#endif
