#include "preface.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "alarm.h"
#include "number.h"

/* Waits for octets, as long as a wait that began then may last; PREFACE_DONE:
 * *n are there. */
static enum preface_end
wait_for(int descriptor, long begun, char *input, size_t size, size_t *n)
{
	for (;;) {
		ssize_t got;

		if (alarm_stopping())
			return PREFACE_STOPPED;
		if (alarm_waited(begun) || alarm_session_over())
			return PREFACE_LATE;
		got = read(descriptor, input, size);
		*n = got > 0 ? (size_t)got : 0;
		if (got > 0)
			return PREFACE_DONE;
		if (got == 0)
			return PREFACE_NONE;
		if (errno != EINTR) /* the clock ticks */
			return PREFACE_NONE;
	}
}

enum preface_end
preface_read(int descriptor, struct proxy *proxy, char *input, size_t size,
    char **rest, size_t *length)
{
	long begun = alarm_now();
	size_t n, used = 0;

	for (;;) {
		enum preface_end end =
		    wait_for(descriptor, begun, input, size, &n);

		if (end == PREFACE_NONE && proxy->length > 0)
			return PREFACE_BAD; /* cut short */
		if (end != PREFACE_DONE)
			return end;
		switch (proxy_take(proxy, input, n, &used)) {
		case PROXY_MORE:
			break;
		case PROXY_DONE:
			*rest = input + used;
			*length = n - used;
			return PREFACE_DONE;
		case PROXY_BAD:
			return PREFACE_BAD;
		}
	}
}

static char *
put(char *out, const char *text)
{
	size_t length = strlen(text);

	memcpy(out, text, length + 1);
	return out + length;
}

static char *
put_end(char *out, const char *name, const struct ip *ip, const char *port_name,
    unsigned port)
{
	char text[IP_TEXT_MAX], number[NUMBER_TEXT_MAX + 1];

	ip_format(ip, text);
	number[number_format(port, number)] = '\0';
	return put(put(put(put(out, name), text), port_name), number);
}

void
preface_record(const struct proxy *proxy, struct record *record,
    char text[PREFACE_TEXT_MAX], char tls[2 * PROXY_TLS_MAX + 2])
{
	static const enum record_client clients[] = {
	    [PROXY_UNKNOWN] = RECORD_CLIENT_UNSAID,
	    [PROXY_UNIX] = RECORD_CLIENT_UNIX,
	    [PROXY_TCP] = RECORD_CLIENT_TCP,
	};
	bool both = proxy->tls_version[0] && proxy->tls_cipher[0];
	bool none = !proxy->tls_version[0] && !proxy->tls_cipher[0];

	text[0] = tls[0] = '\0';
	if (proxy->family == PROXY_TCP)
		(void)put_end(put_end(text, "ADDR=", &proxy->source,
				  " PORT=", proxy->source_port),
		    " DESTADDR=", &proxy->destination,
		    " DESTPORT=", proxy->destination_port);
	if (proxy->tls)
		(void)put(
		    put(put(put(tls, proxy->tls_version), both ? " " : ""),
			proxy->tls_cipher),
		    none ? "1" : "");
	*record = (struct record){
	    .type = RECORD_PROXY,
	    .number = clients[proxy->family],
	    .first = text,
	    .first_length = strlen(text),
	    .second = tls,
	    .second_length = strlen(tls),
	};
}
