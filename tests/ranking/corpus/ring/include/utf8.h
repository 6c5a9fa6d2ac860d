#ifndef RING_UTF8_H
#define RING_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT 0xFFFD

size_t utf8_decode(const unsigned char *text, size_t length, uint32_t *codepoint);
size_t utf8_encode(uint32_t codepoint, unsigned char out[4]);
int utf8_is_valid(const unsigned char *text, size_t length);

#endif
