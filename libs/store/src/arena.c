#include "arena.h"

#include <stdalign.h>
#include <string.h>

struct store_arena_block {
    store_arena_block *next;
    size_t used, size;
    alignas(max_align_t) char data[];
};

static store_arena_block *block_new(size_t size)
{
    store_arena_block *block = malloc(sizeof(*block) + size);
    if (block != NULL)
        *block = (store_arena_block){.size = size};
    return block;
}

void *store_arena_get(store_arena *arena, size_t size)
{
    const size_t aligned = (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    if (arena->last == NULL || arena->last->size - arena->last->used < aligned) {
        store_arena_block *block = block_new(aligned > STORE_ARENA_BLOCK ? aligned : STORE_ARENA_BLOCK);
        if (block == NULL)
            return NULL;
        if (arena->last == NULL)
            arena->first = block;
        else
            arena->last->next = block;
        arena->last = block;
    }
    void *piece = arena->last->data + arena->last->used;
    arena->last->used += aligned;
    return piece;
}

char *store_arena_copy(store_arena *arena, const void *data, size_t size)
{
    char *copy = store_arena_get(arena, size + 1);
    if (copy == NULL)
        return NULL;
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

static void free_from(store_arena_block *block)
{
    while (block != NULL) {
        store_arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void store_arena_clear(store_arena *arena)
{
    if (arena->first == NULL)
        return;
    free_from(arena->first->next);
    arena->first->next = NULL;
    arena->first->used = 0;
    arena->last = arena->first;
}

void store_arena_done(store_arena *arena)
{
    free_from(arena->first);
    *arena = (store_arena){0};
}
