#include "ring.h"

#include <stdlib.h>
#include <string.h>

static size_t min_size(size_t a, size_t b) { return a < b ? a : b; }

/* Capacity is rounded up to a power of two, so that positions wrap by a mask. */
bool ring_init(ring_t *ring, size_t capacity) {
    size_t rounded = 16;
    while (rounded < capacity) rounded *= 2;
    ring->bytes = malloc(rounded);
    ring->capacity = rounded;
    ring->head = ring->tail = 0;
    return ring->bytes != NULL;
}

void ring_free(ring_t *ring) {
    free(ring->bytes);
    ring->bytes = NULL;
}

size_t ring_available(const ring_t *ring) { return ring->head - ring->tail; }

/* Writes as much as fits and returns how much that was. */
size_t ring_write(ring_t *ring, const void *data, size_t length) {
    size_t space = ring->capacity - ring_available(ring);
    size_t count = min_size(length, space);
    size_t at = ring->head & (ring->capacity - 1);
    size_t until_end = min_size(count, ring->capacity - at);
    memcpy(ring->bytes + at, data, until_end);
    memcpy(ring->bytes, (const unsigned char *)data + until_end, count - until_end);
    ring->head += count;
    return count;
}

size_t ring_read(ring_t *ring, void *out, size_t length) {
    size_t count = min_size(length, ring_available(ring));
    size_t at = ring->tail & (ring->capacity - 1);
    size_t until_end = min_size(count, ring->capacity - at);
    memcpy(out, ring->bytes + at, until_end);
    memcpy((unsigned char *)out + until_end, ring->bytes, count - until_end);
    ring->tail += count;
    return count;
}
