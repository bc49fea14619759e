/* Rooms: proxy
 * Models: ip number
 * With: text utf8
 * Limits: PROXY_BINARY_MAX=24
 * Headers of version 1 and 2 from there on where they differ. */
#include "proxy.h"

#include "prove.h"

void
prove(void)
{
}
