#include "base/memory.h"

#include <stdlib.h>

static _Thread_local bool lacked;

void *base_noting_malloc(size_t size)
{
    void *memory = malloc(size);
    lacked = lacked || (memory == NULL && size > 0);
    return memory;
}

void base_memory_forget(void)
{
    lacked = false;
}

bool base_memory_lacked(void)
{
    return lacked;
}
