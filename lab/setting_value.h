/* SPDX-License-Identifier: MIT */
/*
 * Values of settings, as people write them
 *
 * Each puts what it reads into `*to`. MUSTER_E_INVALID with what would be accepted, or
 * MUSTER_E_RESOURCE; `*to` is left alone then.
 */
#ifndef LAB_SETTING_VALUE_H
#define LAB_SETTING_VALUE_H

#include "spread.h"
#include <net/address.h>

/* "VALUE" is not ACCEPTED. Returns MUSTER_E_INVALID. */
int value_refuse(struct muster_error *error, struct muster_str value, const char *accepted);

/* A copy of the text; what was there before is freed. */
int value_text(char **to, struct muster_str value, struct muster_error *error);
int value_duration(uint64_t *to, struct muster_str value, struct muster_error *error);
int value_spread(struct spread *to, struct muster_str value, struct muster_error *error);

/* A number from `min` to 1000000. */
int value_count(unsigned *to, struct muster_str value, uint64_t min, struct muster_error *error);

/* A number from 0 on, with a fraction. */
int value_number(double *to, struct muster_str value, struct muster_error *error);

/* "8080", "127.0.0.1:8080", "[::1]:8080". The address is left alone where there is none. */
int value_address(struct net_address *address, uint16_t *port, struct muster_str value,
        struct muster_error *error);

#endif
