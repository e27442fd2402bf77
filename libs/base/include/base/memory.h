#pragma once
/* A malloc that notes its failures, for a library that goes on without the memory and does not say so. */
#include <stdbool.h>
#include <stddef.h>

/* jansson leaves characters out of a string for which it has no memory, and returns the rest as a sound value; it writes
 * an object without the keys for which it has none, and copies one without those members. So those who work with it give it this malloc
 * (json_set_alloc_funcs, with free) before any thread exists, forget before a call, and ask after it. */
void *base_noting_malloc(size_t size);
/* Both of the calling thread. */
void base_memory_forget(void);
bool base_memory_lacked(void);
