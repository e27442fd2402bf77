#pragma once
/* Where the parts of an ecdsa-p256-sok-v1 blob lie; prover/sok.h says what they mean. */
#include "frame.h"

enum {
    SOK_MAGIC_SIZE = 4,
    SOK_AT_HASH = SOK_MAGIC_SIZE,
    SOK_AT_KEY = SOK_AT_HASH + BASE_SHA256_SIZE,
    SOK_AT_R = SOK_AT_KEY + SOK_POINT_SIZE,
    SOK_AT_T = SOK_AT_R + SOK_POINT_SIZE,
    SOK_AT_Z = SOK_AT_T + SOK_POINT_SIZE,
    SOK_END = SOK_AT_Z + SOK_SCALAR_SIZE,
};

extern const uint8_t sok_magic[SOK_MAGIC_SIZE];
