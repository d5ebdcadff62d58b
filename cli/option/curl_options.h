/* SPDX-License-Identifier: MIT */
/*
 * Options that people know from elsewhere and muster lacks: what to write instead
 *
 * Most are curl's, some wget's and httpie's. Advice is given for what an option means, so --proxy
 * is not taken for a slip of --body. When muster gains one of these options its line goes: a test
 * says so.
 */
#ifndef CLI_OPTION_CURL_OPTIONS_H
#define CLI_OPTION_CURL_OPTIONS_H

#include <base/str.h>

struct curl_option {
        char letter; /* 0: none */
        /* without dashes; NULL ends the table. "proxy-*" is every one that begins so */
        const char *name;
        const char *needs; /* the advice is true of commands that have this option of ours */
        const char *advice;
};

extern const struct curl_option curl_options[];

/* NULL: nothing is known of it. */
const struct curl_option *curl_option_of_name(struct muster_str name);
const struct curl_option *curl_option_of_letter(char letter);

#endif
