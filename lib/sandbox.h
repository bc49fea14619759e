/* Takes from the process that faces the network all but read, write and exit.
 */
#ifndef SMTPD_SANDBOX_H
#define SMTPD_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Enters strict seccomp(2): from here on the process may read, write, return
 * from a signal and sandbox_exit(); anything else kills it. False where the
 * system refuses or has none; then all but that holds. The process ends with
 * its parent, whose id is given.
 */
bool sandbox_enter(pid_t parent);

/* Ends the process by the one call that strict seccomp allows. */
_Noreturn void sandbox_exit(int status);

#endif
