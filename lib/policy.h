/* Who may send where: the relay policy; decides, and tells nobody. */
#ifndef SMTPD_POLICY_H
#define SMTPD_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "address.h"
#include "networks.h"

/* Zero lets only trusted clients send. */
struct policy {
	bool any;       /* anyone may send to any recipient */
	bool trusted;   /* this client may */
	char **domains; /* sorted; ".example.org" is its subdomains */
	size_t domain_count;
	struct networks networks; /* whose clients may send anywhere */
};

/* Adds a domain, or the domains in the file of "@FILE". On failure false,
 * with the reason logged. */
bool policy_add_domain(struct policy *policy, const char *domain);

/* After the last domain was added, before the first question. */
void policy_sort(struct policy *policy);

/* NULL if the client may send to this recipient, else the reply. */
const char *policy_recipient(
    const struct policy *policy, const struct address *recipient);

#endif
