/* SPDX-License-Identifier: MIT */
#include <muster/version.h>

#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)

const char *muster_version(void)
{
        return TEXT(MUSTER_VERSION_MAJOR) "." TEXT(MUSTER_VERSION_MINOR) "." TEXT(
                MUSTER_VERSION_PATCH);
}
