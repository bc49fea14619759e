/* Lists of networks that options name; decides nothing. */
#ifndef SMTPD_NETWORKS_H
#define SMTPD_NETWORKS_H

#include <stdbool.h>
#include <stddef.h>

#include "network.h"

/* = {0} has none. */
struct networks {
	struct network *list;
	size_t count;
};

/* Adds ADDRESS or ADDRESS/BITS; false if it is neither, or if there is no
 * memory, which is logged. */
bool networks_add(struct networks *networks, const char *cidr);

bool networks_have(const struct networks *networks, const struct ip *ip);

#endif
