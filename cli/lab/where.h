/* SPDX-License-Identifier: MIT */
/*
 * Where everything in a lab is to be found, as words that replace "{lab}", "{ca}" and the like in a
 * command
 */
#ifndef CLI_LAB_WHERE_H
#define CLI_LAB_WHERE_H

#include <lab/lab.h>

/*
 * Choose a port for everything that has none, where the server is in a network of its own and all
 * ports are free: 80 and 443 for the first two, 53 for names. Addresses become those of the link.
 */
void where_settle_link(struct lab_config *config);

/* Take over the ports that a running lab has got. */
void where_settle(struct lab_config *config, const struct lab *lab);

/* "http://127.0.0.1:8080" of a listener. */
void where_url(const struct listener_config *listener, char *text, size_t size);

/* "127.0.0.1:5353", of the name server. */
void where_dns(const struct lab_config *config, char *text, size_t size);

/*
 * A copy of `text` with all words replaced, to be freed with mem_free(); NULL: memory is out.
 * Braces with anything else in them stay as they are, and so do those behind a $ or %. `ca_file`
 * may be NULL.
 */
char *where_replace(const struct lab_config *config, const char *ca_file, const char *text);

/*
 * Put the same into the environment: MUSTER_LAB_<NAME>, MUSTER_LAB_DNS, MUSTER_LAB_CA. False:
 * memory is out.
 */
bool where_export(const struct lab_config *config, const char *ca_file);

#endif
