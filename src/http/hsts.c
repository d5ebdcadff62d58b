/* SPDX-License-Identifier: MIT */
#include "hsts.h"

#include "field.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <stdio.h>
#include <time.h>

#define HOST_BYTES_MAX 253                   /* of a name in DNS */
#define UNLIMITED_S    INT64_C(253402300799) /* the end of year 9999: later dates have no form */

struct host {
        struct map_node node;   /* in hsts->hosts, by name */
        struct list order_link; /* in hsts->order */
        int64_t expires_s;
        bool has_subdomains;
        size_t len;
        char name[];
};

static struct host *host_of_node(struct map_node *node)
{
        return LIST_OWNER(node, struct host, node);
}

static struct host *host_of_link(struct list *link)
{
        return LIST_OWNER(link, struct host, order_link);
}

/* --- hosts ----------------------------------------------------------------------------------- */

void hsts_init(struct hsts *hsts)
{
        *hsts = (struct hsts){ 0 };
        map_init(&hsts->hosts);
        list_init(&hsts->order);
}

static void forget(struct hsts *hsts, struct host *host)
{
        map_remove(&hsts->hosts, &host->node);
        list_remove(&host->order_link);
        mem_free(host);
}

void hsts_deinit(struct hsts *hsts)
{
        struct list *link;

        while ((link = list_first(&hsts->order)))
                forget(hsts, host_of_link(link));
        map_deinit(&hsts->hosts);
}

/* A dot at the end says that the name is complete, and is not part of it (section 8.2). */
static struct muster_str without_dot(struct muster_str name)
{
        while (name.len && name.at[name.len - 1] == '.')
                name.len--;
        return name;
}

static struct host *find(const struct hsts *hsts, struct muster_str name)
{
        struct map_node *node = map_find(&hsts->hosts, name);

        return node ? host_of_node(node) : NULL;
}

static struct host *add(struct hsts *hsts, struct muster_str name)
{
        struct host *host = mem_zalloc(sizeof(*host) + name.len);

        assert(name.len && !find(hsts, name));
        if (!host)
                return NULL;
        host->len = name.len;
        memcpy(host->name, name.at, name.len);
        if (map_add(&hsts->hosts, &host->node, (struct muster_str){ host->name, name.len }) < 0)
                return mem_free(host);
        list_push_back(&hsts->order, &host->order_link);
        if (hsts->hosts.n > HSTS_HOSTS_MAX)
                forget(hsts, host_of_link(list_first(&hsts->order)));
        return host;
}

bool hsts_has(const struct hsts *hsts, struct muster_str name, int64_t now_s)
{
        struct muster_str part, rest = without_dot(name);
        const struct host *host;

        if (!hsts->hosts.n || !rest.len)
                return false;
        host = find(hsts, rest);
        if (host && host->expires_s > now_s)
                return true;
        while (str_split(&rest, '.', &part) && rest.at) {
                host = find(hsts, rest);
                if (host && host->has_subdomains && host->expires_s > now_s)
                        return true;
        }
        return false;
}

/* --- the field ------------------------------------------------------------------------------- */

/* What a field says (section 6.1). */
struct policy {
        uint64_t max_age_s;
        bool has_max_age, has_subdomains;
};

/* Digits, perhaps quoted. More than a number can hold is as good as for ever. */
static bool parse_max_age(struct muster_str text, uint64_t *ret_s)
{
        if (text.len >= 2 && text.at[0] == '"' && text.at[text.len - 1] == '"')
                text = (struct muster_str){ text.at + 1, text.len - 2 };
        for (size_t i = 0; i < text.len; i++)
                if (!char_is_digit(text.at[i]))
                        return false;
        if (!str_to_u64(text, ret_s))
                *ret_s = UINT64_MAX;
        return text.len > 0;
}

/* One directive. False: the whole field is to be ignored. */
static bool take_directive(struct policy *policy, struct muster_str text)
{
        struct muster_str name;
        bool has_value;

        text = str_trim(text);
        if (!text.len)
                return true;
        str_split(&text, '=', &name);
        has_value = text.at != NULL;
        name = str_trim(name);
        if (!field_is_token(name))
                return false;
        if (str_is_nocase(name, "max-age")) {
                if (policy->has_max_age || !has_value)
                        return false;
                policy->has_max_age = true;
                return parse_max_age(str_trim(text), &policy->max_age_s);
        }
        if (str_is_nocase(name, "includeSubDomains")) {
                if (policy->has_subdomains || has_value)
                        return false;
                policy->has_subdomains = true;
        }
        return true; /* directives of the future are ignored */
}

/* The next directive: up to a semicolon that is not quoted. */
static bool split_directive(struct muster_str *rest, struct muster_str *ret_part)
{
        bool is_quoted = false;
        size_t n = 0;

        if (!rest->at)
                return false;
        for (; n < rest->len && (is_quoted || rest->at[n] != ';'); n++) {
                if (rest->at[n] == '"')
                        is_quoted = !is_quoted;
                else if (is_quoted && rest->at[n] == '\\')
                        n++;
        }
        if (n >= rest->len) {
                *ret_part = *rest;
                rest->at = NULL;
                return true;
        }
        *ret_part = (struct muster_str){ rest->at, n };
        *rest = (struct muster_str){ rest->at + n + 1, rest->len - n - 1 };
        return true;
}

static bool parse_field(struct policy *policy, struct muster_str value)
{
        struct muster_str part;

        while (split_directive(&value, &part))
                if (!take_directive(policy, part))
                        return false;
        return policy->has_max_age;
}

static int64_t expiry_s(uint64_t max_age_s, int64_t now_s)
{
        return max_age_s >= (uint64_t)(UNLIMITED_S - now_s) ? UNLIMITED_S
                                                            : now_s + (int64_t)max_age_s;
}

int hsts_note(struct hsts *hsts, struct muster_str name, struct muster_str value, int64_t now_s)
{
        struct policy policy = { 0 };
        struct host *host;

        assert(now_s >= 0 && now_s < UNLIMITED_S);
        name = without_dot(name);
        if (!name.len || name.len > HOST_BYTES_MAX || !parse_field(&policy, value))
                return HSTS_IGNORED;
        host = find(hsts, name);
        if (policy.max_age_s == 0) {
                if (host)
                        forget(hsts, host);
                hsts->has_changed |= host != NULL;
                return 0;
        }
        if (!host)
                host = add(hsts, name);
        if (!host)
                return MUSTER_E_RESOURCE;
        host->expires_s = expiry_s(policy.max_age_s, now_s);
        host->has_subdomains = policy.has_subdomains;
        hsts->has_changed = true;
        return 0;
}

/* --- the file -------------------------------------------------------------------------------- */

static bool is_name(struct muster_str name)
{
        for (size_t i = 0; i < name.len; i++)
                if ((unsigned char)name.at[i] <= ' ' || (unsigned char)name.at[i] >= 0x7f ||
                        name.at[i] == '"')
                        return false;
        return name.len && name.len <= HOST_BYTES_MAX;
}

/* "20271231 23:59:59" in UTC, or "unlimited". */
static bool parse_date(struct muster_str text, int64_t *ret_s)
{
        static const char form[] = "dddddddd dd:dd:dd";
        char copy[sizeof(form)] = "";
        struct tm tm = { 0 };

        if (str_is(text, "unlimited")) {
                *ret_s = UNLIMITED_S;
                return true;
        }
        if (text.len != sizeof(form) - 1)
                return false;
        for (size_t i = 0; i < text.len; i++)
                if (form[i] == 'd' ? !char_is_digit(text.at[i]) : text.at[i] != form[i])
                        return false;
        memcpy(copy, text.at, text.len);
        if (sscanf(copy, "%4d%2d%2d %2d:%2d:%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
                    &tm.tm_min, &tm.tm_sec) != 6)
                return false;
        tm.tm_year -= 1900;
        tm.tm_mon--;
        *ret_s = (int64_t)timegm(&tm);
        return true;
}

static int add_line(struct hsts *hsts, struct muster_str name, int64_t expires_s, int64_t now_s)
{
        bool has_subdomains = name.at[0] == '.';
        char lower[HOST_BYTES_MAX];
        struct host *host;

        if (has_subdomains)
                name = str_after(name, 1);
        name = without_dot(name);
        if (!name.len)
                return MUSTER_E_INPUT;
        if (expires_s <= now_s)
                return 0;
        for (size_t i = 0; i < name.len; i++)
                lower[i] = char_lower(name.at[i]);
        name.at = lower;
        host = find(hsts, name);
        if (!host)
                host = add(hsts, name);
        if (!host)
                return MUSTER_E_RESOURCE;
        if (expires_s > host->expires_s)
                host->expires_s = expires_s;
        host->has_subdomains |= has_subdomains;
        return 0;
}

static int read_line(struct hsts *hsts, struct muster_str line, int64_t now_s)
{
        struct muster_str name;
        int64_t expires_s;

        if (line.len && line.at[line.len - 1] == '\r')
                line.len--;
        line = str_trim(line);
        if (!line.len || line.at[0] == '#')
                return 0;
        if (!str_split(&line, ' ', &name) || !is_name(name))
                return MUSTER_E_INPUT;
        line = str_trim(line);
        if (line.len < 2 || line.at[0] != '"' || line.at[line.len - 1] != '"' ||
                !parse_date((struct muster_str){ line.at + 1, line.len - 2 }, &expires_s))
                return MUSTER_E_INPUT;
        return add_line(hsts, name, expires_s, now_s);
}

int hsts_read(struct hsts *hsts, struct muster_str text, const char *name, int64_t now_s,
        struct muster_error *error)
{
        bool has_changed = hsts->has_changed;
        struct muster_str line;
        unsigned long n = 0;
        int r = 0;

        while (r == 0 && str_split(&text, '\n', &line)) {
                n++;
                r = read_line(hsts, line, now_s);
        }
        hsts->has_changed = has_changed;
        if (r == MUSTER_E_INPUT)
                error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                        "input: %s, line %lu, is not HOST \"YYYYMMDD HH:MM:SS\", as an HSTS file of curl or muster has it; correct that line or remove it",
                        name, n);
        else if (r < 0)
                error_set_memory(error, MUSTER_PHASE_QUEUE);
        return r;
}

static int write_host(const struct host *host, struct buf *to)
{
        const time_t at = (time_t)host->expires_s;
        char date[64] = "unlimited";
        struct tm tm;

        if (host->expires_s < UNLIMITED_S && gmtime_r(&at, &tm))
                strftime(date, sizeof(date), "%Y%m%d %H:%M:%S", &tm);
        if ((host->has_subdomains && buf_add_char(to, '.') < 0) ||
                buf_add(to, host->name, host->len) < 0 || buf_add_text(to, " \"") < 0 ||
                buf_add_text(to, date) < 0 || buf_add_text(to, "\"\n") < 0)
                return MUSTER_E_RESOURCE;
        return 0;
}

int hsts_write(const struct hsts *hsts, struct buf *to, int64_t now_s)
{
        int r = buf_add_text(to,
                "# Hosts that want https only (HSTS), as kept by curl --hsts and muster fetch --hsts.\n");

        for (struct list *link = hsts->order.next; link != &hsts->order && r == 0;
                link = link->next)
                if (host_of_link(link)->expires_s > now_s)
                        r = write_host(host_of_link(link), to);
        return r;
}
