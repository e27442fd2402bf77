#pragma once
/* What an SQLSTATE means to a caller of this library. */
#include "base/error.h"

/* Classifies as store/session.h says. `sqlstate` may be NULL (the server said nothing): BASE_UNAVAILABLE. */
base_code store_sqlstate_code(const char *sqlstate);
