/* Temporary files without a name: nobody else can open them, and they go when
 * the last descriptor does. */
#ifndef SMTPD_TEMPFILE_H
#define SMTPD_TEMPFILE_H

/* Opens one for reading and writing, close-on-exec, in the first of $TMPDIR,
 * /var/tmp and /tmp that takes it (/tmp is memory on many systems). -1 with
 * errno. */
int tempfile_open(void);

#endif
