#include "policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "reply.h"
#include "text.h"

static void *
grow(void *list, size_t count, size_t size)
{
	/* Powers of two, so that a list of millions is no matter. */
	if (count & (count - 1))
		return list;
	list = realloc(list, (count ? count * 2 : 1) * size);
	if (!list)
		log_error("cannot hold the domains: %s", strerror(errno));
	return list;
}

static bool
add_one(struct policy *policy, const char *domain, size_t length)
{
	bool dot = length > 0 && domain[0] == '.';
	char **list, *copy;

	if (!domain_valid(domain + dot, length - dot, true)) {
		log_error("-D: %.*s is no domain", (int)length, domain);
		return false;
	}
	list = grow(
	    policy->domains, policy->domain_count, sizeof *policy->domains);
	if (!list)
		return false;
	policy->domains = list;
	copy = malloc(length + 1);
	if (!copy) {
		log_error("cannot hold the domains: %s", strerror(errno));
		return false;
	}
	for (size_t i = 0; i < length; i++)
		copy[i] = text_lower(domain[i]);
	copy[length] = '\0';
	list[policy->domain_count++] = copy;
	return true;
}

/* A line without its comment and the spaces around it. */
static const char *
trim(const char *line, size_t *length)
{
	*length = strcspn(line, "#\r\n");
	while (*length > 0 && strchr(" \t", line[*length - 1]))
		(*length)--;
	while (*length > 0 && strchr(" \t", *line)) {
		line++;
		(*length)--;
	}
	return line;
}

static bool
add_lines(struct policy *policy, FILE *file)
{
	char *line = NULL;
	size_t size = 0;
	bool good = true;

	while (good && getline(&line, &size, file) >= 0) {
		size_t length;
		const char *domain = trim(line, &length);

		good = length == 0 || add_one(policy, domain, length);
	}
	free(line);
	return good;
}

static bool
add_file(struct policy *policy, const char *path)
{
	FILE *file = fopen(path, "re");
	bool good, failed;

	if (!file) {
		log_error("-D: cannot read %s: %s", path, strerror(errno));
		return false;
	}
	good = add_lines(policy, file);
	failed = ferror(file) != 0;
	(void)fclose(file); /* it was only read */
	if (failed)
		log_error("-D: cannot read all of %s (is it a file?)", path);
	return good && !failed;
}

bool
policy_add_domain(struct policy *policy, const char *domain)
{
	if (*domain == '@')
		return add_file(policy, domain + 1);
	return add_one(policy, domain, strlen(domain));
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void
policy_sort(struct policy *policy)
{
	if (policy->domain_count > 0)
		qsort(policy->domains, policy->domain_count,
		    sizeof *policy->domains, compare);
}

static bool
listed(const struct policy *policy, const char *domain)
{
	size_t low = 0, high = policy->domain_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(domain, policy->domains[middle]);

		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

/* The domain itself, or, with its dot, each domain that it is under. */
static bool
domain_taken(const struct policy *policy, const char *domain, size_t length)
{
	char name[ADDRESS_DOMAIN_MAX + 1];

	if (length == 0 || length >= sizeof name)
		return false;
	for (size_t i = 0; i < length; i++)
		name[i] = text_lower(domain[i]);
	name[length] = '\0';
	if (listed(policy, name))
		return true;
	for (size_t i = 1; name[0] != '[' && i < length; i++)
		if (name[i] == '.' && listed(policy, name + i))
			return true;
	return false;
}

static bool
is_postmaster(const struct address *address)
{
	return address->domain_length == 0 &&
	       text_same(address->text, address->length, "postmaster", 10);
}

const char *
policy_recipient(const struct policy *policy, const struct address *recipient)
{
	if (policy->any || policy->trusted || is_postmaster(recipient))
		return NULL;
	if (address_routes(recipient) ||
	    !domain_taken(policy, recipient->domain, recipient->domain_length))
		return REPLY_NO_RELAY;
	return NULL;
}
