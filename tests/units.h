/* The checks that tests/units.c runs; each file of them is one function. */
#ifndef UNITS_H
#define UNITS_H

#include <stdbool.h>
#include <stddef.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

/* A text and its octets, for tables whose texts hold NUL. */
#define TEXT(literal) (literal), sizeof(literal) - 1

#define CHECK(c) check((c), #c, __FILE__, __LINE__)
/* The same in a loop: at is printed, a row or an octet. */
#define CHECK_AT(c, at) check_at((c), #c, __FILE__, __LINE__, (size_t)(at))

void check(bool good, const char *what, const char *file, int line);
void check_at(
    bool good, const char *what, const char *file, int line, size_t at);

/* A copy of exactly so many octets, so that a sanitizer sees a read beyond
 * them; to be freed. */
char *exactly(const char *text, size_t length);

/* A number from 0 to below, the same sequence in every run. */
unsigned chance(unsigned below);

void units_action(void);
void units_address(void);
void units_client(void);
void units_content(void);
void units_data(void);
void units_dsn(void);
void units_hooktext(void);
void units_hops(void);
void units_pace(void);
void units_paged(void);
void units_ip(void);
void units_line(void);
void units_lists(void);
void units_param(void);
void units_pattern(void);
void units_proxy(void);
void units_record(void);
void units_reply(void);
void units_sasl(void);
void units_text(void);
void units_variables(void);
void units_verdict(void);
void units_xclient(void);

#endif
