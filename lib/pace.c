#include "pace.h"

bool
pace_keep(struct pace *pace, uint64_t rate, size_t octets, long waited)
{
	uint64_t wanted;
	bool fast;

	pace->octets += octets;
	pace->waited += waited;
	if (pace->waited < PACE_MINUTE)
		return true;
	wanted = rate * (uint64_t)pace->waited / 1000;
	fast = pace->octets >= wanted;
	*pace = (struct pace){0};
	return fast;
}
