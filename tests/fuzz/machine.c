/* Fuzzes the state machine of the server: any octets, cut anywhere, any
 * answers, any configuration. The first octets of an input are the
 * configuration and the seeds, the rest is what the client sends. What must be
 * true is judged by the driver of tests/events.c: legal replies, one for each
 * command, a message only after CRLF.CRLF or LAST, and the same log however the
 * input is cut. */
#include "fuzz.h"

#define main events_main
int main(int argc, char **argv);
#include "../events.c"
#undef main

/* Limits that are reached, and those that are not. */
static size_t
limit(unsigned octet, size_t high)
{
	return octet & 8 ? octet & 7 : high;
}

/* Eight octets; smtpd's own defaults are zeros. */
static void
configure(struct fuzz *fuzz)
{
	unsigned flags = fuzz_octet(fuzz), more = fuzz_octet(fuzz);
	unsigned one = fuzz_octet(fuzz), other = fuzz_octet(fuzz);

	mechanisms[0] = "X";
	mechanisms[1] = "LOGIN";
	config = (struct smtp_config){
	    .hostname = "mx.example.org",
	    .newline = (enum data_newline)((flags & 3) % 3),
	    .lmtp = flags & 4,
	    .utf8 = flags & 8,
	    .crlf = flags & 16,
	    .auth = flags & 32,
	    .auth_cram = flags & 64,
	    .auth_plaintext = flags & 128,
	    .starttls = more & 1,
	    .secure = (more & 3) == 2,
	    .require_tls = more & 4,
	    .require_auth = more & 8,
	    .xclient = more & 16,
	    .takes_xclient = more & 32,
	    .mechanisms = mechanisms,
	    .mechanism_count = (more >> 6) % 3,
	    .limit_hops = true,
	    .recipients_max = limit(one, 1000),
	    .errors_max = limit(one >> 4, 20),
	    .hops_max = limit(other, 100),
	    .messages_max = limit(other >> 4, 0),
	};
	config.size_max = fuzz_octet(fuzz);
	if (config.size_max == 0)
		config.size_max = 33554432;
	config.hidden = fuzz_octet(fuzz);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz fuzz = fuzz_begin(data, size);
	struct chunking whole = {0}, octets = {.size = 1},
			random = {.random = true};
	uint64_t answers_seed;
	size_t length;
	char *log;

	configure(&fuzz);
	answers_seed = fuzz_octet(&fuzz);
	random.seed = fuzz_octet(&fuzz);
	log = run(fuzz.text, fuzz.length, &whole, answers_seed, &length);
	DEMAND(log);
	if (random.seed % 8 == 0)
		DEMAND(same(fuzz.text, fuzz.length, &octets, answers_seed, log,
		    length));
	DEMAND(
	    same(fuzz.text, fuzz.length, &random, answers_seed, log, length));
	free(log);
	return 0;
}
