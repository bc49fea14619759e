/* Decimal numbers as text, both ways; never reads past what it is given. */
#ifndef SMTPD_NUMBER_H
#define SMTPD_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Octets that number_format() may write (20 digits). */
#define NUMBER_TEXT_MAX 20

/*
 * Reads the whole of text[0..length) as digits into *value. False, with *value
 * left alone, when it is empty, holds anything but digits, or exceeds max.
 */
bool number_parse(
    const char *text, size_t length, uint64_t max, uint64_t *value);

/* Writes value in decimal to out, without NUL; returns the octets written. */
size_t number_format(uint64_t value, char out[NUMBER_TEXT_MAX]);

#endif
