/* What commands print on stderr: the log's descriptor where that is stderr,
 * else a pipe from which lines go to syslog. */
#ifndef SMTPD_COMPLAINT_H
#define SMTPD_COMPLAINT_H

/* The descriptor to hand to a command as 2; opens what is needed. */
int complaint_descriptor(void);

/* The descriptor to poll for input, -1 where there is none. */
int complaint_source(void);

/* Logs what has come in; does not block. */
void complaint_take(void);

/* The same when a command has ended: its last line may have no end. */
void complaint_end(void);

#endif
