#pragma once
/* Waits for the next change of files or the end of a process. */
#include <stdbool.h>
#include <stdint.h>

/* Blocks until `notify` (inotify) or `process` (pidfd) has something to say, or until_ms (monotonic) passes. False at the
 * deadline. Swallows the pending file events. */
bool watch_next(int notify, int process, int64_t until_ms);
