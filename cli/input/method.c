/* SPDX-License-Identifier: MIT */
#include "method.h"

#include <string.h>

bool method_is_safe(const char *method)
{
        return !method || strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ||
               strcmp(method, "OPTIONS") == 0;
}
