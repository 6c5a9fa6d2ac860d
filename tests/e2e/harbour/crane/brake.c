#include <stdbool.h>
#include <stdint.h>

/* The winch brake closes by spring and is held open by current: no current, no movement. */

#define HOLD_CURRENT_MA 850u

bool brake_is_open(uint16_t current_ma)
{
    return current_ma >= HOLD_CURRENT_MA;
}

uint16_t brake_release(uint16_t battery_mv)
{
    return battery_mv < 23000u ? 0u : HOLD_CURRENT_MA;
}
