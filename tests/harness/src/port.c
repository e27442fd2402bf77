#include "harness/port.h"

#include "harness/wait.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

/* Below Linux's default range of outgoing ports (32768 up) and above the well-known servers. */
#define FIRST_PORT 14000
#define LAST_PORT  31999
#define TRIES      1000

/* Takes the port for the rest of the program when nobody has it. The socket is bound and does not listen: that keeps out who binds
 * without SO_REUSEADDR, as this function does, and lets in a server, which binds with it. */
static bool reserve(uint16_t port)
{
    static const int ON = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &ON, sizeof(ON)) == 0)
        return true;
    close(fd);
    return false;
}

uint16_t harness_free_port(void)
{
    for (int i = 0; i < TRIES; i++) {
        uint16_t port = (uint16_t)(FIRST_PORT + randombytes_uniform(LAST_PORT - FIRST_PORT + 1));
        if (reserve(port))
            return port;
    }
    harness_fail("no free port between %d and %d", FIRST_PORT, LAST_PORT);
}
