/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the reader for JSON Lines share
 */
#ifndef CLI_INPUT_JSONL_H
#define CLI_INPUT_JSONL_H

#include "input.h"
#include "members.h"
#include <jansson.h>

/* Is this, in whatever case, the name of a member that a line can have? */
bool jsonl_has_member(struct muster_str name);

/* "input: line N: WHAT OF". Always MUSTER_E_INPUT. */
int jsonl_bad(struct input_item *item, const char *what, const char *of);

/* A setter of the library refused: in its own words. */
int jsonl_refused(struct input_item *item);

/*
 * Parse the line of an object. `is_row`: it was made of a row of CSV, whose own columns are in
 * "input". 0, or negative with item->error set.
 */
int jsonl_parse(struct muster_str line, bool is_row, struct input_item *item);

/* --- jsonl_body.c ---------------------------------------------------------------------------- */

/* Is there more than one body? MUSTER_E_INPUT. */
int jsonl_check_bodies(struct input_item *item, const json_t *object);

/* Is there one? */
bool jsonl_has_body(const json_t *object);

/* Setters of the members of that name. `text` is the value as it is written. */
int jsonl_set_body(struct input_item *item, json_t *value, struct muster_str text);
int jsonl_set_json(struct input_item *item, json_t *value, struct muster_str text);
int jsonl_set_body_base64(struct input_item *item, json_t *value, struct muster_str text);
/* The line sends this file. MUSTER_E_RESOURCE with item->error. */
int jsonl_note_file(struct input_item *item, const char *path);

int jsonl_set_body_file(struct input_item *item, json_t *value, struct muster_str text);

/* --- jsonl_form.c ---------------------------------------------------------------------------- */

int jsonl_set_data(struct input_item *item, json_t *value, struct muster_str text);
int jsonl_set_form(struct input_item *item, json_t *value, struct muster_str text);

/* --- jsonl_auth.c ---------------------------------------------------------------------------- */

/* The setter of `auth`. */
int jsonl_set_auth(struct input_item *item, json_t *value, struct muster_str text);

/* --- jsonl_result.c -------------------------------------------------------------------------- */

/*
 * Is it a line that fetch wrote? No job has these members for others to fill in: `ok` true or
 * false, and the object `phases_us`.
 */
bool jsonl_is_result(const json_t *object);

/* Can the request be made again from its result alone? MUSTER_E_INPUT, as where it had a body. */
int jsonl_check_result(struct input_item *item, const json_t *object);

#endif
