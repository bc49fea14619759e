/* Read before all else: the functions of libc whose contracts in Frama-C want a
 * pointer that can be read even for no octets at all, where C11 7.24.1 takes
 * the one behind the last; and memchr() by the octet, so that Eva knows where
 * it has found something. NULL is none of them. Text with a NUL is no pointer
 * here, so that its octets are always followed. */
#ifndef SMTPD_PROVE_LIBC_H
#define SMTPD_PROVE_LIBC_H

/* First: their contracts name the functions, too. */
#include <stdlib.h>
#include <string.h>

void *prove_memchr(const void *block, int octet, size_t n);
void *prove_memcpy(void *to, const void *from, size_t n);
void *prove_memmove(void *to, const void *from, size_t n);
int prove_memcmp(const void *one, const void *other, size_t n);
size_t prove_strlen(const char text[]);
char *prove_strchr(const char text[], int octet);
int prove_strncmp(const char one[], const char other[], size_t n);
size_t prove_strcspn(const char text[], const char reject[]);
char *prove_strncat(char text[], const char more[], size_t n);
int prove_ctzll(unsigned long long bits);
void prove_trap(void) __attribute__((noreturn));

#define memchr prove_memchr
#define memcpy prove_memcpy
#define memmove prove_memmove
#define memcmp prove_memcmp
#define strcmp(one, other) prove_strncmp(one, other, (size_t)-1)
#define strlen prove_strlen
#define strchr prove_strchr
#define strncmp prove_strncmp
#define strcspn prove_strcspn
#define strncat prove_strncat
#define strcat(text, more) prove_strncat(text, more, (size_t)-1)
#define __builtin_ctzll prove_ctzll
#define __builtin_trap prove_trap

#endif
