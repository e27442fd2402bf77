#include "watch.h"

#include "base/clock.h"
#include "harness/wait.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

bool watch_next(int notify, int process, int64_t until_ms)
{
    struct pollfd fds[] = {{.fd = notify, .events = POLLIN}, {.fd = process, .events = POLLIN}};
    for (;;) {
        int64_t left = until_ms - base_monotonic_ms();
        if (left <= 0)
            return false;
        int ready = poll(fds, 2, left > INT32_MAX ? INT32_MAX : (int)left);
        if (ready > 0)
            break;
        if (ready < 0 && errno != EINTR)
            harness_fail("poll: %s", strerror(errno));
    }
    if (fds[0].revents != 0) {
        char events[4096];
        if (read(notify, events, sizeof(events)) < 0 && errno != EAGAIN)
            harness_fail("read inotify: %s", strerror(errno));
    }
    return true;
}
