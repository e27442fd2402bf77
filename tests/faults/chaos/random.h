#pragma once
/* Random numbers that are the same for the same seed on every machine: SplitMix64 (Steele, Lea, Flood: Fast Splittable
 * Pseudorandom Number Generators, OOPSLA 2014). */
#include <stdint.h>

typedef struct chaos_random {
    uint64_t state; /* starts as the seed */
} chaos_random;

static inline uint64_t chaos_random_next(chaos_random *random)
{
    uint64_t mixed = random->state += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
}

/* From `low` to `high`, both included. The bias of the remainder does not matter here. */
static inline int64_t chaos_random_between(chaos_random *random, int64_t low, int64_t high)
{
    return low + (int64_t)(chaos_random_next(random) % (uint64_t)(high - low + 1));
}
