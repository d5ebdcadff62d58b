/* SPDX-License-Identifier: MIT */
#include "lookups.h"

#include <netdb.h>

/* Addresses need no looking up, whatever the function is called. */
static bool is_address(struct muster_str name)
{
        bool has_letter = false;

        for (size_t i = 0; i < name.len; i++) {
                if (name.at[i] == ':')
                        return true;
                if (!char_is_digit(name.at[i]) && name.at[i] != '.')
                        has_letter = true;
        }
        return !has_letter;
}

static int8_t lookup_code(int64_t eai)
{
        return eai == 0 ? 0 : eai == EAI_MEMORY ? MUSTER_E_RESOURCE : MUSTER_E_RESOLVE;
}

int lookups_add(struct watched *all, const struct watch_event *event, uint32_t process,
        uint32_t thread)
{
        struct muster_str name = event_data(event);
        struct lookup *lookup;

        while (name.len && !name.at[name.len - 1])
                name.len--;
        for (size_t i = 0; i < name.len; i++)
                if ((unsigned char)name.at[i] <= 0x20 || (unsigned char)name.at[i] >= 0x7f)
                        return 0;
        if (is_address(name) || name.len > 255)
                return 0;
        lookup = rows_add(&all->lookups);
        if (!lookup)
                return MUSTER_E_RESOURCE;
        lookup->process = process;
        lookup->thread = thread;
        lookup->row.start_ns = event->at_ns;
        lookup->row.end_ns = event_end_ns(event);
        lookup->row.code = lookup_code(event->value);
        return arena_add(all->text, name, &lookup->row.name);
}
