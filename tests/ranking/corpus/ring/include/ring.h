#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stddef.h>

/* A queue of bytes in a fixed buffer, for one thread that writes and one that reads. */
typedef struct ring {
    unsigned char *bytes;
    size_t capacity; /* a power of two */
    size_t head;     /* next byte to write */
    size_t tail;     /* next byte to read */
} ring_t;

bool ring_init(ring_t *ring, size_t capacity);
void ring_free(ring_t *ring);
size_t ring_write(ring_t *ring, const void *data, size_t length);
size_t ring_read(ring_t *ring, void *out, size_t length);
size_t ring_available(const ring_t *ring);

#endif
