#include "victim.h"

#include "harness/wait.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WORDS_MAX = 8000 };

#define TEXT_OF(number)  #number
#define VALUE_OF(number) TEXT_OF(number)

victim victim_new(const char *program)
{
    victim v = {.program = program};
    harness_path folder = harness_folder_new("allocation");
    harness_path path = harness_path_in(&folder, "board");
    snprintf(v.board_setting, sizeof(v.board_setting), ALLOCATION_BOARD_VARIABLE "=%s", path.text);
    int fd = open(path.text, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(allocation_board)) != 0)
        harness_fail("cannot make %s", path.text);
    void *mapped = mmap(NULL, sizeof(allocation_board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped == MAP_FAILED)
        harness_fail("cannot map %s", path.text);
    v.board = mapped;
    return v;
}

void victim_launch(victim *v, const pipeline *p)
{
    /* The library stands before AddressSanitizer's, and replaces nothing of it. */
    const char *const extra[] = {v->board_setting, "LD_PRELOAD=" ALLOCATION_LIBRARY,
                                 "ASAN_OPTIONS=verify_asan_link_order=0:exitcode=" VALUE_OF(VICTIM_SANITIZER_EXIT),
                                 "WORKER_BATCH=2", NULL};
    harness_process_free(v->service);
    v->service = pipeline_launch(p, v->program, extra);
}

void victim_end(victim *v)
{
    harness_process_free(v->service);
    munmap(v->board, sizeof(*v->board));
    *v = (victim){0};
}

_Noreturn void victim_tell_end(const victim *v)
{
    BASE_CLEANUP(free) char *words = harness_process_errors(v->service);
    size_t length = strlen(words);
    fprintf(stderr, "%s\n", length > WORDS_MAX ? words + length - WORDS_MAX : words);
    harness_fail("%s has ended", v->program);
}
