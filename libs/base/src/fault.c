#include "base/fault.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LABEL_MAX = 96, LABELS_MAX = 256 };

typedef enum action { NOTHING, EXIT, FAIL, STALL } action;

/* The armed point, read from the environment once. */
typedef struct armed {
    char label[LABEL_MAX];
    action action;
    long passages_left; /* until it acts */
} armed;

static armed point;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Takes the text up to `separator` out of *at; all of the rest where there is none. */
static void take_word(const char **at, char separator, char *ret, size_t size)
{
    const char *end = strchrnul(*at, separator);
    snprintf(ret, size, "%.*s", (int)(end - *at), *at);
    *at = *end == '\0' ? end : end + 1;
}

/* <label>[@n]:exit | :error | :stall. Anything else arms nothing, loudly: a test that breaks nothing must not pass. */
static void arm(void)
{
    const char *text = getenv(BASE_FAULT_VARIABLE);
    if (text == NULL || *text == '\0')
        return;
    const char *at = text, *label = NULL;
    char place[LABEL_MAX], what[LABEL_MAX];
    take_word(&at, ':', place, sizeof(place));
    take_word(&at, ':', what, sizeof(what));
    label = place;
    take_word(&label, '@', point.label, sizeof(point.label));
    point.passages_left = *label == '\0' ? 1 : strtol(label, NULL, 10);
    if (strcmp(what, "exit") == 0)
        point.action = EXIT;
    else if (strcmp(what, "error") == 0)
        point.action = FAIL;
    else if (strcmp(what, "stall") == 0)
        point.action = STALL;
    else
        fprintf(stderr, "%s: \"%s\" is not <label>:exit|error|stall\n", BASE_FAULT_VARIABLE, text);
}

/* The action due at this passage. */
static action passage(const char *label)
{
    pthread_once(&once, arm);
    if (point.action == NOTHING || strcmp(point.label, label) != 0)
        return NOTHING;
    pthread_mutex_lock(&lock);
    bool due = point.passages_left > 0 && --point.passages_left == 0;
    pthread_mutex_unlock(&lock);
    if (due)
        fprintf(stderr, "fault point %s acts\n", label);
    return due ? point.action : NOTHING;
}

base_code base_fault_pass(const char *label, base_error *err)
{
    switch (passage(label)) {
    case NOTHING:
        break;
    case EXIT:
        kill(getpid(), SIGKILL);
        break;
    case FAIL:
        return base_fail(err, BASE_UNAVAILABLE, "fault point %s", label);
    case STALL:
        raise(SIGSTOP); /* to this very thread, so that it does not run on while the others are being stopped */
        fprintf(stderr, "fault point %s goes on\n", label);
        break;
    }
    return BASE_OK;
}

/* Made by the linker around the section that BASE_FAULT fills; weak: a program may have no point. */
extern const char *const __start_proofline_faults[] __attribute__((weak));
extern const char *const __stop_proofline_faults[] __attribute__((weak));

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void base_fault_list(void)
{
    const char *labels[LABELS_MAX];
    size_t count = 0;
    for (const char *const *at = __start_proofline_faults; at < __stop_proofline_faults && count < LABELS_MAX; at++)
        labels[count++] = *at;
    qsort(labels, count, sizeof(labels[0]), compare);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || strcmp(labels[i], labels[i - 1]) != 0)
            puts(labels[i]);
}
