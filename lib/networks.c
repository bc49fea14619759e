#include "networks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

bool
networks_add(struct networks *networks, const char *cidr)
{
	struct network network, *list = networks->list;
	size_t count = networks->count;

	if (!network_parse(cidr, &network))
		return false;
	/* Powers of two, so that a list of millions is no matter. */
	if ((count & (count - 1)) == 0)
		list = realloc(list, (count ? count * 2 : 1) * sizeof *list);
	if (!list) {
		log_error("cannot hold the networks: %s", strerror(errno));
		return false;
	}
	networks->list = list;
	list[networks->count++] = network;
	return true;
}

bool
networks_have(const struct networks *networks, const struct ip *ip)
{
	for (size_t i = 0; i < networks->count; i++)
		if (network_has(&networks->list[i], ip))
			return true;
	return false;
}
