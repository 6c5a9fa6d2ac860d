#include "utf8.h"

/* Reads one code point; invalid bytes give UTF8_REPLACEMENT and are skipped one at a time. */
size_t utf8_decode(const unsigned char *text, size_t length, uint32_t *codepoint) {
    if (length == 0) return 0;
    unsigned char lead = text[0];
    size_t need = lead < 0x80 ? 1 : lead >> 5 == 0x6 ? 2 : lead >> 4 == 0xE ? 3 : lead >> 3 == 0x1E ? 4 : 0;
    if (need == 0 || need > length) {
        *codepoint = UTF8_REPLACEMENT;
        return 1;
    }
    uint32_t value = need == 1 ? lead : lead & (0x7Fu >> need);
    for (size_t i = 1; i < need; i++) {
        if ((text[i] & 0xC0) != 0x80) {
            *codepoint = UTF8_REPLACEMENT;
            return 1;
        }
        value = value << 6 | (text[i] & 0x3Fu);
    }
    *codepoint = value;
    return need;
}

size_t utf8_encode(uint32_t codepoint, unsigned char out[4]) {
    if (codepoint < 0x80) {
        out[0] = (unsigned char)codepoint;
        return 1;
    }
    size_t count = codepoint < 0x800 ? 2 : codepoint < 0x10000 ? 3 : 4;
    for (size_t i = count - 1; i > 0; i--, codepoint >>= 6) out[i] = 0x80 | (codepoint & 0x3F);
    out[0] = (unsigned char)(0xF00 >> count | codepoint);
    return count;
}

int utf8_is_valid(const unsigned char *text, size_t length) {
    uint32_t codepoint;
    for (size_t at = 0; at < length;) {
        at += utf8_decode(text + at, length - at, &codepoint);
        if (codepoint == UTF8_REPLACEMENT) return 0;
    }
    return 1;
}
