#pragma once
/* Free TCP ports on the loopback interface. */
#include <stdint.h>

/* A port that nobody listens on, taken from below the range of outgoing connections, so that a server that restarts finds
 * it free again. Another program may take it first: whoever starts a server tries again with a new port. */
uint16_t harness_free_port(void);
