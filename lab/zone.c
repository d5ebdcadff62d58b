/* SPDX-License-Identifier: MIT */
/*
 * Each word of a specification has a row in the table of words; what is in no row must be an
 * address.
 */
#include "zone.h"

#include "quantity.h"
#include <base/clock.h>
#include <base/error.h>
#include <base/list.h>
#include <base/mem.h>

#define NAME_TEXT_MAX (DNS_NAME_BYTES_MAX - 2) /* the wire has a byte before it and one after */

static struct zone_name *name_of(struct map_node *node)
{
        return LIST_OWNER(node, struct zone_name, node);
}

static struct zone_name *name_free(struct zone_name *name)
{
        if (!name)
                return NULL;
        mem_free(name->name);
        mem_free(name->cname);
        mem_free(name->addresses);
        return mem_free(name);
}

void zone_deinit(struct zone *zone)
{
        struct map_node *node;

        while ((node = map_any(&zone->names))) {
                map_remove(&zone->names, node);
                name_free(name_of(node));
        }
        map_deinit(&zone->names);
}

/* --- names ----------------------------------------------------------------------------------- */

static bool is_label(struct muster_str label)
{
        for (size_t i = 0; i < label.len; i++) {
                char c = char_lower(label.at[i]);

                if (!(c >= 'a' && c <= 'z') && !char_is_digit(c) && c != '-' && c != '_')
                        return false;
        }
        return label.len > 0 && label.len <= DNS_LABEL_BYTES_MAX;
}

static bool is_name(struct muster_str text)
{
        struct muster_str rest = text, label;

        if (!text.len || text.len > NAME_TEXT_MAX || text.at[text.len - 1] == '.')
                return false;
        while (str_split(&rest, '.', &label))
                if (!is_label(label))
                        return false;
        return true;
}

static bool is_pattern(struct muster_str text)
{
        if (str_is(text, "*"))
                return true;
        if (text.len <= NAME_TEXT_MAX && str_starts(text, "*."))
                text = str_after(text, 2);
        return is_name(text);
}

static struct muster_str without_last_dot(struct muster_str text)
{
        if (text.len && text.at[text.len - 1] == '.')
                text.len--;
        return text;
}

static char *lower_copy(struct muster_str text)
{
        char *copy = mem_strndup(text.at, text.len);

        for (char *c = copy; c && *c; c++)
                *c = char_lower(*c);
        return copy;
}

/* --- words ----------------------------------------------------------------------------------- */

/* A value sets something of the name: 0, MUSTER_E_INVALID or MUSTER_E_RESOURCE. */
typedef int (*word_set)(struct zone_name *name, struct muster_str value);

static int good_if(bool is_good)
{
        return is_good ? 0 : MUSTER_E_INVALID;
}

static int set_cname(struct zone_name *name, struct muster_str value)
{
        value = without_last_dot(value);
        if (name->cname || !is_name(value))
                return MUSTER_E_INVALID;
        name->cname = lower_copy(value);
        return name->cname ? 0 : MUSTER_E_RESOURCE;
}

static int set_ttl(struct zone_name *name, struct muster_str value)
{
        uint64_t ns;

        if (!quantity_duration(value, &ns))
                return MUSTER_E_INVALID;
        name->ttl_s = (uint32_t)(ns / NS_PER_S); /* 30 days at most */
        return 0;
}

static int set_delay(struct zone_name *name, struct muster_str value)
{
        return good_if(spread_parse(value, &name->delay));
}

static int set_delay_aaaa(struct zone_name *name, struct muster_str value)
{
        name->has_delay_aaaa = true;
        return good_if(spread_parse(value, &name->delay_aaaa));
}

static int set_loss(struct zone_name *name, struct muster_str value)
{
        return good_if(quantity_share(value, &name->loss));
}

static int set_loss_first(struct zone_name *name, struct muster_str value)
{
        return good_if(quantity_count(value, 0, UINT32_MAX, &name->n_loss_first));
}

static int set_rcode(struct zone_name *name, enum dns_rcode rcode)
{
        if (name->rcode && name->rcode != rcode)
                return MUSTER_E_INVALID;
        name->rcode = rcode;
        return 0;
}

static int set_servfail(struct zone_name *name, struct muster_str value)
{
        (void)value;
        return set_rcode(name, DNS_SERVFAIL);
}

static int set_nxdomain(struct zone_name *name, struct muster_str value)
{
        (void)value;
        return set_rcode(name, DNS_NXDOMAIN);
}

static int set_refused(struct zone_name *name, struct muster_str value)
{
        (void)value;
        return set_rcode(name, DNS_REFUSED);
}

static int set_silent(struct zone_name *name, struct muster_str value)
{
        (void)value;
        name->is_silent = true;
        return 0;
}

static int set_silent_aaaa(struct zone_name *name, struct muster_str value)
{
        (void)value;
        name->is_silent_aaaa = true;
        return 0;
}

static int set_broken_aaaa(struct zone_name *name, struct muster_str value)
{
        (void)value;
        name->has_broken_aaaa = true;
        return 0;
}

static int set_truncate(struct zone_name *name, struct muster_str value)
{
        (void)value;
        name->is_truncated = true;
        return 0;
}

#define ONE_RCODE "only one of servfail, nxdomain and refused"

static const struct word {
        const char *name;
        word_set set;
        const char *form; /* what it takes, where it can be wrong */
        bool has_value;
} words[] = {
        { "cname", set_cname, "must be one host name", true },
        { "ttl", set_ttl, "must be a duration: 30s, 5m", true },
        { "delay", set_delay, "must be one of " SPREAD_FORMS, true },
        { "delay-aaaa", set_delay_aaaa, "must be one of " SPREAD_FORMS, true },
        { "loss", set_loss, "must be a share: 50%, 0.5", true },
        { "loss-first", set_loss_first, "must be a number of questions", true },
        { "servfail", set_servfail, ONE_RCODE, false },
        { "nxdomain", set_nxdomain, ONE_RCODE, false },
        { "refused", set_refused, ONE_RCODE, false },
        { "silent", set_silent, "", false },
        { "silent-aaaa", set_silent_aaaa, "", false },
        { "broken-aaaa", set_broken_aaaa, "", false },
        { "truncate", set_truncate, "", false },
};

#define WORDS_TEXT                                                                                 \
        "cname= ttl= delay= delay-aaaa= loss= loss-first= servfail nxdomain refused silent "       \
        "silent-aaaa broken-aaaa truncate"

static const struct word *find_word(struct muster_str name, bool has_value)
{
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
                if (str_is(name, words[i].name) && words[i].has_value == has_value)
                        return &words[i];
        return NULL;
}

/* --- a specification ------------------------------------------------------------------------- */

/* The array doubles: it is full whenever the number in it is a power of two. */
static int add_address(struct zone_name *name, const struct net_address *address)
{
        size_t n = name->n_addresses;

        if ((n & (n - 1)) == 0) {
                void *grown = mem_realloc(name->addresses, (n ? 2 * n : 1) * sizeof(*address));

                if (!grown)
                        return MUSTER_E_RESOURCE;
                name->addresses = grown;
        }
        name->addresses[name->n_addresses++] = *address;
        return 0;
}

static int invalid_word(const struct zone_name *name, struct muster_str text, const char *why,
        struct muster_error *error)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_DNS, 0, "name %.40s: \"%.*s\": %s",
                name->name, text.len < 40 ? (int)text.len : 40, text.at, why);
}

static int use_address(struct zone_name *name, struct muster_str text, struct muster_error *error)
{
        struct net_address address;

        if (!address_parse(text, &address))
                return invalid_word(name, text, "is neither an address nor one of " WORDS_TEXT,
                        error);
        if (name->n_addresses == ZONE_ADDRESSES_MAX)
                return invalid_word(name, text, "more than 1000 addresses", error);
        return add_address(name, &address) < 0 ? error_set_memory(error, MUSTER_PHASE_DNS) : 0;
}

static int use_word(struct zone_name *name, struct muster_str text, struct muster_error *error)
{
        bool has_value = memchr(text.at, '=', text.len);
        struct muster_str value = text, key;
        const struct word *word;
        int r;

        str_split(&value, '=', &key);
        word = find_word(key, has_value);
        if (!word)
                return use_address(name, text, error);
        r = word->set(name, value);
        if (r == MUSTER_E_RESOURCE)
                return error_set_memory(error, MUSTER_PHASE_DNS);
        if (r < 0)
                return invalid_word(name, text, word->form, error);
        return 0;
}

static bool is_separator(char c)
{
        return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',';
}

/* The next word; several separators may stand between two words, and before the first. */
static bool cut_word(struct muster_str *rest, struct muster_str *ret_word)
{
        size_t n = 0;

        while (rest->len && is_separator(rest->at[0])) {
                rest->at++;
                rest->len--;
        }
        while (n < rest->len && !is_separator(rest->at[n]))
                n++;
        if (!n)
                return false;
        *ret_word = (struct muster_str){ rest->at, n };
        *rest = str_after(*rest, n);
        return true;
}

static int parse_words(struct zone_name *name, struct muster_str rest, struct muster_error *error)
{
        struct muster_str word;
        int r = 0;

        while (r == 0 && cut_word(&rest, &word))
                r = use_word(name, word, error);
        if (r == 0 && name->cname && name->n_addresses)
                return invalid_word(name, str_of(name->cname),
                        "a name with cname= cannot have an address", error);
        return r;
}

static int parse_name(struct zone *zone, struct zone_name *name, struct muster_str text,
        struct muster_error *error)
{
        text = without_last_dot(text);
        if (!is_pattern(text))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_DNS, 0,
                        "name \"%.*s\" is not a host name; write NAME WORD..., for example www.test 127.0.0.1 or *.test nxdomain",
                        text.len < 80 ? (int)text.len : 80, text.len ? text.at : "");
        name->name = lower_copy(text);
        if (!name->name)
                return error_set_memory(error, MUSTER_PHASE_DNS);
        if (map_find(&zone->names, str_of(name->name)))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_DNS, 0,
                        "name %.80s was given before; give all its words at once", name->name);
        return 0;
}

int zone_add(struct zone *zone, struct muster_str spec, struct muster_error *error)
{
        struct zone_name *name = mem_zalloc(sizeof(*name));
        struct muster_str text = { 0 };
        int r;

        if (!name)
                return error_set_memory(error, MUSTER_PHASE_DNS);
        name->ttl_s = ZONE_TTL_S;
        cut_word(&spec, &text);
        r = parse_name(zone, name, text, error);
        if (r == 0)
                r = parse_words(name, spec, error);
        if (r == 0 && map_add(&zone->names, &name->node, str_of(name->name)) < 0)
                r = error_set_memory(error, MUSTER_PHASE_DNS);
        if (r < 0)
                name_free(name);
        return r;
}

/* --- finding --------------------------------------------------------------------------------- */

/* "*" and what of the name begins with this dot; the dot may be behind its end, for "*" alone. */
static struct map_node *find_pattern(const struct zone *zone, struct muster_str dot)
{
        char pattern[1 + NAME_TEXT_MAX];

        if (dot.len >= sizeof(pattern))
                return NULL;
        pattern[0] = '*';
        if (dot.len)
                memcpy(pattern + 1, dot.at, dot.len);
        return map_find(&zone->names, (struct muster_str){ pattern, 1 + dot.len });
}

struct zone_name *zone_find(const struct zone *zone, struct muster_str name)
{
        struct map_node *node = map_find(&zone->names, name);

        for (size_t i = 1; !node && i < name.len; i++)
                if (name.at[i] == '.')
                        node = find_pattern(zone, str_after(name, i));
        if (!node)
                node = find_pattern(zone, (struct muster_str){ 0 });
        return node ? name_of(node) : NULL;
}
