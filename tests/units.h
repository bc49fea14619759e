/* The checks that tests/units.c runs; each file of them is one function. */
#ifndef UNITS_H
#define UNITS_H

#include <stdbool.h>

#define CHECK(c) check((c), #c, __FILE__, __LINE__)

void check(bool good, const char *what, const char *file, int line);

void units_text(void);

#endif
