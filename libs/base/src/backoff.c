#include "base/backoff.h"

#include <sodium.h>
#include <stdio.h>

int64_t base_backoff_ms(int64_t attempt, int64_t first_ms, int64_t max_ms)
{
    int64_t delay = first_ms;
    for (int64_t i = 1; i < attempt && delay < max_ms; i++)
        delay *= 2;
    if (delay > max_ms)
        delay = max_ms;
    int64_t spread = delay * BASE_BACKOFF_JITTER_PERCENT / 100;
    if (spread == 0)
        return delay;
    uint32_t range = spread > INT32_MAX / 2 ? INT32_MAX : (uint32_t)(2 * spread + 1);
    return delay - spread + (int64_t)randombytes_uniform(range);
}

base_uuid_text base_uuid_random(void)
{
    uint8_t b[16];
    randombytes_buf(b, sizeof(b));
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    base_uuid_text uuid;
    snprintf(uuid.text, sizeof(uuid.text), "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
             b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
    return uuid;
}
