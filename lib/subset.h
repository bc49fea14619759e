/* Some of a message's recipients, with their parameters, put together anew in
 * the form that the environment has (environment.h). */
#ifndef SMTPD_SUBSET_H
#define SMTPD_SUBSET_H

#include <stdbool.h>
#include <stddef.h>

#include "environment.h"

/* Octets of all addresses, and of all parameters: a string of an environment
 * cannot be longer on Linux. */
#define SUBSET_MAX 131072

/* = {0} is nobody. */
struct subset {
	size_t count, addresses_length, options_length;
	char addresses[SUBSET_MAX], options[SUBSET_MAX];
};

/* Adds one, octets copied; options.text may be NULL. False if it does not
 * fit. */
bool subset_add(
    struct subset *subset, struct piece address, struct piece options);

/* They, good until one is added. */
struct recipients subset_recipients(const struct subset *subset);

#endif
