/* Every reply of the dialogue as one named line, and the judge of replies that
 * others word; never writes one to anybody. */
#ifndef SMTPD_REPLY_H
#define SMTPD_REPLY_H

#include <stdbool.h>
#include <stddef.h>

/* Octets of one reply, all its lines. */
#define REPLY_MAX 4096
/* Octets of one line, CRLF included (RFC 5321 4.5.3.1.5). */
#define REPLY_LINE_MAX 512

/* Codes by RFC 5321 4.2.2, enhanced codes by RFC 3463 and RFC 5248. */
#define REPLY_OK "250 2.0.0 OK"
#define REPLY_HELP "214 2.0.0"
#define REPLY_BYE "221 2.0.0 Bye"
#define REPLY_SENDER "250 2.1.0 Sender OK"
#define REPLY_RECIPIENT "250 2.1.5 Recipient OK"
#define REPLY_VRFY \
	"252 2.0.0 Cannot VRFY user, but will accept message and attempt " \
	"delivery"
#define REPLY_CHUNK "250 2.0.0 Chunk OK"
#define REPLY_DATA "354 End data with <CR><LF>.<CR><LF>"

#define REPLY_TLS "220 2.0.0 Ready to start TLS"
#define REPLY_LOGGED_IN "235 2.7.0 Authentication successful"

#define REPLY_STOPPING "421 4.3.2 Shutting down, try again later"
#define REPLY_BUSY "421 4.3.2 Too many connections, try again later"
#define REPLY_BUSY_CLIENT "421 4.7.0 Too many connections from your address"
#define REPLY_TIMEOUT "421 4.4.2 Timed out, closing connection"
#define REPLY_SLOW "421 4.4.2 Message data comes too slowly"
#define REPLY_LONG_SESSION "421 4.4.2 Session took too long"
#define REPLY_ERRORS "421 4.7.0 Too many errors"
#define REPLY_MESSAGES "421 4.7.0 Too many messages on one connection"
#define REPLY_NO_MAIL_CLIENT "421 4.7.0 This is a mail server"
#define REPLY_NO_GREETING "421 4.3.5 Server misconfigured, try again later"
#define REPLY_BROKEN "421 4.3.0 Internal error, try again later"

#define REPLY_TRY_LATER "451 4.3.0 Temporary failure, try again later"
#define REPLY_MISCONFIGURED "451 4.3.5 Server misconfigured, try again later"
#define REPLY_STORAGE "452 4.3.1 Insufficient storage, try again later"
#define REPLY_RECIPIENTS "452 4.5.3 Too many recipients"

#define REPLY_LOGIN_FAILED "454 4.7.0 Temporary authentication failure"

#define REPLY_UNKNOWN "500 5.5.2 Command not recognized"
#define REPLY_BARE_NEWLINE "500 5.5.2 Line ends with bare LF, not CRLF"
#define REPLY_LINE_LENGTH "500 5.5.6 Line too long"
#define REPLY_NOT_LMTP "500 5.5.1 LHLO is for LMTP; send EHLO"
#define REPLY_NOT_SMTP "500 5.5.1 This is LMTP; send LHLO"
#define REPLY_SYNTAX "501 5.5.4 Syntax:"
#define REPLY_NO_ARGUMENT "501 5.5.4 No argument allowed"
#define REPLY_CONTROL "501 5.5.4 Control character in argument"
#define REPLY_ATTRIBUTE "501 5.5.4 Bad XCLIENT attribute"
#define REPLY_PARAMETER "501 5.5.4 Bad parameter value"
#define REPLY_REPEATED "501 5.5.4 Parameter given twice"
#define REPLY_HELP_UNKNOWN "501 5.5.4 No help on that; commands:"
#define REPLY_UNDECODABLE "501 5.5.2 Cannot decode base64"
#define REPLY_CANCELLED "501 5.7.0 Authentication cancelled"
#define REPLY_NO_INITIAL "501 5.7.0 No initial response allowed"
#define REPLY_NOT_OFFERED "502 5.5.1 Command not implemented"
#define REPLY_EXPN "502 5.5.1 EXPN not implemented"
#define REPLY_HELO_FIRST "503 5.5.1 Send HELO or EHLO first"
#define REPLY_LHLO_FIRST "503 5.5.1 Send LHLO first"
#define REPLY_NESTED_MAIL "503 5.5.1 Nested MAIL command"
#define REPLY_MAIL_FIRST "503 5.5.1 Need MAIL command"
#define REPLY_RCPT_FIRST "503 5.5.1 Need RCPT command"
#define REPLY_CHUNKS_BEGUN "503 5.5.1 Only BDAT or RSET after BDAT"
#define REPLY_BINARY "503 5.5.1 BODY=BINARYMIME needs BDAT, not DATA"
#define REPLY_SEQUENCE "503 5.5.1 Bad sequence of commands"
#define REPLY_MECHANISM "504 5.5.4 Authentication mechanism not known"
#define REPLY_TLS_FIRST "530 5.7.0 Must issue a STARTTLS command first"
#define REPLY_LOGIN_FIRST "530 5.7.0 Authentication required"
#define REPLY_CREDENTIALS "535 5.7.8 Authentication credentials invalid"
#define REPLY_ENCRYPT "538 5.7.11 Encryption required for AUTH"
#define REPLY_PARAMETER_UNKNOWN "555 5.5.4 Parameter not recognized"

#define REPLY_NOT_YOURS "550 5.7.0 XCLIENT is not for you"
#define REPLY_NO_RELAY "550 5.7.1 Relaying denied"
#define REPLY_BARE "550 5.6.0 Message has a bare CR or LF"
#define REPLY_SIZE "552 5.3.4 Message too big"
#define REPLY_UTF8 "553 5.6.7 Non-ASCII address needs SMTPUTF8"
#define REPLY_HOPS "554 5.4.6 Too many Received: lines, mail loops"

/*
 * The code of the reply that text[0..length) is, all of it: one or more lines
 * of the same code, 2xx, 4xx or 5xx (RFC 5321 4.2), ending in LF or CRLF (the
 * last may end bare), printable ASCII (or UTF-8 where utf8 says so), within
 * REPLY_MAX and REPLY_LINE_MAX, an enhanced code, if any, of the same class
 * (RFC 2034 4). 0 if it is no such reply.
 */
int reply_code(const char *text, size_t length, bool utf8);

/* Octets of the enhanced code (RFC 3463 2) that text[0..length) begins with and
 * a space or the end follows; 0 if it begins with none. */
size_t reply_enhanced(const char *text, size_t length);

/*
 * Octets of the first reply in text[0..length), its last line end included,
 * without judging it: up to and with the first line whose fourth octet is not
 * a hyphen. 0 at the end.
 */
size_t reply_span(const char *text, size_t length);

#endif
