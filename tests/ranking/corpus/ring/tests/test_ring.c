#include <assert.h>
#include <string.h>

#include "ring.h"

static void writes_wrap_around_the_end(void) {
    ring_t ring;
    char out[16];
    assert(ring_init(&ring, 16));
    assert(ring_write(&ring, "0123456789", 10) == 10);
    assert(ring_read(&ring, out, 8) == 8);
    assert(ring_write(&ring, "abcdefghij", 10) == 10);
    assert(ring_read(&ring, out, 12) == 12);
    assert(memcmp(out, "89abcdefghij", 12) == 0);
    ring_free(&ring);
}

static void a_full_ring_takes_nothing(void) {
    ring_t ring;
    assert(ring_init(&ring, 16));
    assert(ring_write(&ring, "0123456789abcdefXYZ", 19) == 16);
    ring_free(&ring);
}

int main(void) {
    writes_wrap_around_the_end();
    a_full_ring_takes_nothing();
    return 0;
}
