#pragma once
/* Free TCP ports on the loopback interface. */
#include <stdint.h>

/* A port that nobody listens on, taken from below the range of outgoing connections, so that a server that restarts finds
 * it free again. No other test program gets it before this one ends, however long it lies idle. A stranger may still take it: whoever
 * starts a server tries again with a new port. */
uint16_t harness_free_port(void);
