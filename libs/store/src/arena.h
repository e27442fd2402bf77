#pragma once
/* Memory that is given out piece by piece and taken back all at once. */
#include "base/bytes.h"

#define STORE_ARENA_BLOCK ((size_t)256 << 10) /* bytes of an ordinary block; a larger piece gets its own */

typedef struct store_arena_block store_arena_block;

/* Zero is empty. Pieces stay where they are until the arena is cleared. */
typedef struct store_arena {
    store_arena_block *first; /* kept when cleared */
    store_arena_block *last;
} store_arena;

/* NULL when memory is short. Aligned for any type. */
void *store_arena_get(store_arena *arena, size_t size);
/* A copy with a terminator behind it. */
char *store_arena_copy(store_arena *arena, const void *data, size_t size);
void store_arena_clear(store_arena *arena);
void store_arena_done(store_arena *arena);
