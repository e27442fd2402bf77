#pragma once
/* Temporary folders of one test program. They vanish when the program ends, however it ends. */
#include <limits.h>

#define HARNESS_PATH_MAX 108 /* bytes; short enough for a Unix socket's address */

typedef struct harness_path {
    char text[HARNESS_PATH_MAX];
} harness_path;

/* A new empty folder of its own, "<root>/<name>-<n>". Set HARNESS_KEEP=1 to keep all folders and see their paths. */
harness_path harness_folder_new(const char *name);

/* A path inside a folder. */
harness_path harness_path_in(const harness_path *folder, const char *name);

/* Writes a file, replacing it. */
void harness_file_write(const harness_path *path, const char *text);

/* Removes a folder or file with all that is in it; nothing there is fine. */
void harness_path_remove(const harness_path *path);
