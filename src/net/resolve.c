/* SPDX-License-Identifier: MIT */
/*
 * How it works: each name has two questions at the same time, A and AAAA. Answers are kept with the
 * name, and the waiters are called when there are enough of them. c-ares may answer from within the
 * question (for names in /etc/hosts): then nobody waits yet, and resolver_ask() returns the answer.
 */
#include "resolve.h"

#include "dns_channel.h"
#include "resolve_error.h"
#include "resolve_override.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <errno.h>
#include <unistd.h>

struct resolver {
        struct loop *loop;
        struct dns_channel channel;
        struct override *overrides;
        struct map names;
        struct list by_age; /* names, the oldest first */
        size_t n_names;
        sa_family_t family; /* the only one that counts; 0: both do */
        struct muster_error family_error;
        bool prefers_ipv6; /* there is a route to the IPv6 internet */
        bool is_asking;    /* callbacks come from within a question */
        uint64_t n_lookups;
        void (*looked_up)(void *observer, const struct resolve_lookup *lookup);
        void *observer;
        struct net_address answer[RESOLVE_ADDRESSES_MAX]; /* the addresses of the last answer */
};

enum family { V4, V6, N_FAMILIES };

/* The question for one family of a name. */
struct question {
        struct name *name;
        bool is_pending;
        bool is_alone; /* it is asked without the domains of the search list */
        int status;    /* of c-ares */
        struct net_address *addresses;
        size_t n_addresses;
};

struct name {
        struct resolver *resolver;
        struct map_node node;
        struct list age_link;
        char *host;
        struct question questions[N_FAMILIES];
        uint64_t asked_ns;
        unsigned ttl_s;
        uint64_t expires_ns;
        struct list waiters;
        struct loop_timer delay_timer; /* the resolution delay */
        bool is_known;                 /* both questions are answered */
        bool is_telling;               /* its waiters are being called: it must not be freed */
        struct muster_error error;
};

static struct name *name_of_node(struct map_node *node)
{
        return LIST_OWNER(node, struct name, node);
}

static struct resolve_waiter *waiter_of(struct list *link)
{
        return LIST_OWNER(link, struct resolve_waiter, waiter_link);
}

/* --- names ----------------------------------------------------------------------------------- */

static void name_free(struct name *name)
{
        struct list *link;

        while ((link = list_pop(&name->waiters)))
                ;
        loop_timer_stop(name->resolver->loop, &name->delay_timer);
        for (int i = 0; i < N_FAMILIES; i++)
                mem_free(name->questions[i].addresses);
        mem_free(name->host);
        mem_free(name);
}

static void forget(struct resolver *resolver, struct name *name)
{
        assert(!name->is_telling);
        assert(!name->questions[V4].is_pending && !name->questions[V6].is_pending);
        map_remove(&resolver->names, &name->node);
        list_remove(&name->age_link);
        resolver->n_names--;
        name_free(name);
}

static bool can_be_forgotten(const struct name *name)
{
        return name->is_known && !name->is_telling;
}

/* Make room for one more. Those whose answer is awaited stay, however many they are. */
static void forget_oldest(struct resolver *resolver)
{
        while (resolver->n_names >= RESOLVE_NAMES_MAX) {
                struct name *oldest =
                        LIST_OWNER(list_first(&resolver->by_age), struct name, age_link);

                if (!can_be_forgotten(oldest))
                        return;
                forget(resolver, oldest);
        }
}

static void delay_over(struct loop_timer *timer, uint64_t late_ns);

static struct name *name_new(struct resolver *resolver, struct muster_str host)
{
        struct name *name = mem_zalloc(sizeof(*name));

        if (!name)
                return NULL;
        name->resolver = resolver;
        name->delay_timer.fire = delay_over;
        list_init(&name->waiters);
        name->host = mem_strndup(host.at, host.len);
        if (!name->host || map_add(&resolver->names, &name->node, str_of(name->host)) < 0) {
                name_free(name);
                return NULL;
        }
        for (int i = 0; i < N_FAMILIES; i++)
                name->questions[i].name = name;
        list_push_back(&resolver->by_age, &name->age_link);
        resolver->n_names++;
        return name;
}

/* --- answers --------------------------------------------------------------------------------- */

/* Addresses of both families in turn, the preferred family first (RFC 8305 section 4). */
static size_t interleave(const struct name *name, struct net_address *to)
{
        const struct question *first = &name->questions[name->resolver->prefers_ipv6 ? V6 : V4];
        const struct question *second = &name->questions[name->resolver->prefers_ipv6 ? V4 : V6];
        size_t n = 0;

        for (size_t i = 0; i < first->n_addresses || i < second->n_addresses; i++) {
                if (i < first->n_addresses && n < RESOLVE_ADDRESSES_MAX)
                        to[n++] = first->addresses[i];
                if (i < second->n_addresses && n < RESOLVE_ADDRESSES_MAX)
                        to[n++] = second->addresses[i];
        }
        return n;
}

static struct resolve_answer answer_of(const struct name *name)
{
        struct resolver *resolver = name->resolver;

        return (struct resolve_answer){ .addresses = resolver->answer,
                .n = interleave(name, resolver->answer),
                .is_final = name->is_known,
                .error = name->error.code ? &name->error : NULL };
}

/* Call all waiters. Those who get only a part keep waiting for the rest. */
static void tell_waiters(struct name *name)
{
        struct list told;
        struct list *link;

        assert(!name->is_telling && !name->resolver->is_asking);
        list_init(&told);
        list_splice(&told, &name->waiters);
        name->is_telling = true;
        while ((link = list_pop(&told))) {
                struct resolve_waiter *waiter = waiter_of(link);
                struct resolve_answer answer = answer_of(name);
                bool knows_already = waiter->was_told && !answer.is_final;

                waiter->was_told = true;
                if (!answer.is_final)
                        list_push_back(&name->waiters, link);
                if (!knows_already)
                        waiter->answered(waiter, &answer);
        }
        name->is_telling = false;
}

static void delay_over(struct loop_timer *timer, uint64_t late_ns)
{
        (void)late_ns;
        tell_waiters(LIST_OWNER(timer, struct name, delay_timer));
}

static bool is_no(int status)
{
        return status == ARES_ENOTFOUND || status == ARES_ENODATA || status == ARES_SUCCESS;
}

/*
 * Say why neither family has an address. A failed lookup tells more than a plain no, and "no such
 * name" more than "no address".
 */
static void note_no_address(struct name *name)
{
        int v4 = name->questions[V4].status, v6 = name->questions[V6].status;
        int status = !is_no(v4) ? v4 : !is_no(v6) ? v6 : v4;

        status = dns_channel_status(&name->resolver->channel,
                status == ARES_SUCCESS ? ARES_ENODATA : status, name->asked_ns);
        resolve_error_set(&name->error, name->host, status, &name->resolver->channel);
}

static void tell_observer(const struct name *name)
{
        const struct resolver *resolver = name->resolver;

        if (resolver->looked_up)
                resolver->looked_up(resolver->observer,
                        &(struct resolve_lookup){ .host = name->host,
                                .start_ns = name->asked_ns,
                                .code = name->error.code,
                                .n_addresses = name->questions[V4].n_addresses +
                                               name->questions[V6].n_addresses });
}

static void note_known(struct name *name)
{
        bool has_address = name->questions[V4].n_addresses || name->questions[V6].n_addresses;
        unsigned ttl_s = name->ttl_s;

        assert(!name->is_known);
        name->is_known = true;
        loop_timer_stop(name->resolver->loop, &name->delay_timer);
        if (!has_address) {
                note_no_address(name);
                ttl_s = RESOLVE_FAILURE_TTL_S;
        }
        if (ttl_s < 1)
                ttl_s = 1;
        if (ttl_s > RESOLVE_TTL_MAX_S)
                ttl_s = RESOLVE_TTL_MAX_S;
        name->expires_ns = clock_now(name->resolver->loop->clock) + ttl_s * NS_PER_S;
        tell_observer(name);
}

/* One question was answered: call the waiters if that is enough. */
static void progress(struct name *name)
{
        struct loop *loop = name->resolver->loop;
        bool is_pending = name->questions[V4].is_pending || name->questions[V6].is_pending;

        if (!is_pending)
                note_known(name);
        if (name->resolver->is_asking)
                return;
        if (!is_pending || name->questions[V6].n_addresses)
                tell_waiters(name);
        else if (name->questions[V4].n_addresses &&
                 loop_timer_set(loop, &name->delay_timer,
                         clock_now(loop->clock) + RESOLVE_DELAY_NS) < 0)
                tell_waiters(name);
}

static void keep_addresses(struct question *question, const struct ares_addrinfo *info)
{
        const struct ares_addrinfo_node *node;
        struct name *name = question->name;
        size_t n = 0;

        assert(!question->addresses && !question->is_pending);
        for (node = info->nodes; node && n < RESOLVE_ADDRESSES_MAX; node = node->ai_next)
                n++;
        question->addresses = mem_array(n, sizeof(*question->addresses));
        if (!question->addresses) {
                question->status = ARES_ENOMEM;
                return;
        }
        for (node = info->nodes; node && question->n_addresses < n; node = node->ai_next) {
                struct net_address *address = &question->addresses[question->n_addresses];

                address->family = (sa_family_t)node->ai_family;
                if (node->ai_family == AF_INET)
                        address->u.v4 =
                                ((const struct sockaddr_in *)(const void *)node->ai_addr)->sin_addr;
                else if (node->ai_family == AF_INET6)
                        address->u.v6 = ((const struct sockaddr_in6 *)(const void *)node->ai_addr)
                                                ->sin6_addr;
                else
                        continue;
                question->n_addresses++;
                if (name->ttl_s == 0 || (unsigned)node->ai_ttl < name->ttl_s)
                        name->ttl_s = (unsigned)node->ai_ttl;
        }
}

static bool ask_as_it_is(struct question *question);

static void take_answer(void *data, int status, int timeouts, struct ares_addrinfo *info)
{
        struct question *question = data;

        assert(question->is_pending);
        (void)timeouts;
        if (status == ARES_EBADNAME && ask_as_it_is(question))
                return;
        question->is_pending = false;
        question->status = status;
        if (status == ARES_SUCCESS && info)
                keep_addresses(question, info);
        ares_freeaddrinfo(info);
        if (status != ARES_EDESTRUCTION)
                progress(question->name);
}

/* --- asking ---------------------------------------------------------------------------------- */

static void ask_family(struct question *question, const char *host)
{
        bool is_v4 = question == &question->name->questions[V4];
        struct ares_addrinfo_hints hints = { .ai_family = is_v4 ? AF_INET : AF_INET6,
                .ai_socktype = SOCK_STREAM,
                .ai_flags = ARES_AI_NOSORT };

        assert(question->is_pending && !question->name->is_known);
        ares_getaddrinfo(question->name->resolver->channel.ares, host, NULL, &hints, take_answer,
                question);
}

/*
 * Ask for the name alone, with a dot at its end. A well-formed name, as in URLs, is malformed only
 * because a domain of the search list made it too long. False: it was alone already, or memory is
 * out.
 */
static bool ask_as_it_is(struct question *question)
{
        const char *host = question->name->host;
        size_t len = strlen(host);
        char *alone;

        if (question->is_alone || (len && host[len - 1] == '.'))
                return false;
        alone = mem_alloc(len + 2);
        if (!alone)
                return false;
        memcpy(alone, host, len);
        memcpy(alone + len, ".", 2);
        question->is_alone = true;
        ask_family(question, alone);
        mem_free(alone);
        return true;
}

static void ask_both(struct resolver *resolver, struct name *name)
{
        assert(!resolver->is_asking && !name->is_known);
        resolver->n_lookups++;
        name->asked_ns = clock_now(resolver->loop->clock);
        name->questions[V4].is_pending = resolver->family != AF_INET6;
        name->questions[V6].is_pending = resolver->family != AF_INET;
        name->questions[V4].status = name->questions[V6].status = ARES_ENODATA;
        resolver->is_asking = true;
        if (name->questions[V6].is_pending)
                ask_family(&name->questions[V6], name->host);
        if (name->questions[V4].is_pending)
                ask_family(&name->questions[V4], name->host);
        resolver->is_asking = false;
        dns_channel_set_timer(&resolver->channel);
}

static struct name *find_name(struct resolver *resolver, struct muster_str host)
{
        struct map_node *node = map_find(&resolver->names, host);
        struct name *name = node ? name_of_node(node) : NULL;

        if (name && can_be_forgotten(name) &&
                name->expires_ns <= clock_now(resolver->loop->clock)) {
                forget(resolver, name);
                return NULL;
        }
        return name;
}

static bool is_localhost(struct muster_str host)
{
        struct muster_str label = host;

        if (label.len && label.at[label.len - 1] == '.')
                label.len--;
        if (label.len > 10 &&
                str_is_nocase((struct muster_str){ label.at + label.len - 10, 10 }, ".localhost"))
                return true;
        return str_is_nocase(label, "localhost");
}

/* The addresses of a host that needs no question; 0: it needs one. */
static size_t known_without_asking(struct resolver *resolver, struct muster_str host, uint16_t port)
{
        size_t n = override_find(resolver->overrides, host, port, resolver->answer);

        if (n)
                return n;
        if (address_parse(host, &resolver->answer[0]))
                return 1;
        if (!is_localhost(host))
                return 0;
        /*
         * IPv4 first: more programs listen only there than only on ::1, and a refusal costs next to
         * nothing.
         */
        address_parse(str_of("127.0.0.1"), &resolver->answer[0]);
        address_parse(str_of("::1"), &resolver->answer[1]);
        return 2;
}

/* Of the answer, keep the addresses of the family that counts. */
static size_t keep_family(struct resolver *resolver, size_t n, struct muster_str host)
{
        size_t kept = 0;

        for (size_t i = 0; i < n; i++)
                if (!resolver->family || resolver->answer[i].family == resolver->family)
                        resolver->answer[kept++] = resolver->answer[i];
        error_clear(&resolver->family_error);
        if (n && !kept)
                error_set(&resolver->family_error, MUSTER_E_RESOLVE, MUSTER_PHASE_DNS, 0,
                        "resolve: %.*s: it has no IPv%d address, and no others are used",
                        STR_ARGS(str_first(host, 100)), resolver->family == AF_INET ? 4 : 6);
        return kept;
}

int resolver_ask(struct resolver *resolver, struct resolve_waiter *waiter, struct muster_str host,
        uint16_t port, struct resolve_answer *ret_answer)
{
        size_t n = known_without_asking(resolver, host, port);
        struct name *name;

        assert(!list_is_linked(&waiter->waiter_link));
        if (n) {
                n = keep_family(resolver, n, host);
                *ret_answer = (struct resolve_answer){ .addresses = resolver->answer,
                        .n = n,
                        .is_final = true,
                        .error = n ? NULL : &resolver->family_error };
                return 0;
        }
        name = find_name(resolver, host);
        if (!name) {
                forget_oldest(resolver);
                name = name_new(resolver, host);
                if (!name)
                        return MUSTER_E_RESOURCE;
                ask_both(resolver, name);
        }
        if (name->is_known) {
                *ret_answer = answer_of(name);
                return 0;
        }
        waiter->was_told = false;
        list_push_back(&name->waiters, &waiter->waiter_link);
        /*
         * If a part is there already, the waiter gets it when the delay is over, or now if it is
         * over.
         */
        if ((name->questions[V4].n_addresses || name->questions[V6].n_addresses) &&
                !heap_has(&name->delay_timer.node))
                (void)loop_timer_set(resolver->loop, &name->delay_timer,
                        clock_now(resolver->loop->clock));
        return RESOLVE_WAIT;
}

void resolve_waiter_cancel(struct resolve_waiter *waiter)
{
        list_remove(&waiter->waiter_link);
}

uint64_t resolver_n_lookups(const struct resolver *resolver)
{
        return resolver->n_lookups;
}

/* --- making ---------------------------------------------------------------------------------- */

/*
 * Is there a route to the IPv6 internet? Connecting a UDP socket sends nothing, and fails without a
 * route.
 */
static bool has_ipv6_route(void)
{
        struct net_address far;
        struct sockaddr_storage address;
        socklen_t len;
        bool has_route;
        int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        if (fd < 0)
                return false;
        address_parse(str_of("2001:db8::1"), &far);
        len = address_to_sockaddr(&far, 53, &address);
        has_route = connect(fd, (struct sockaddr *)&address, len) == 0;
        close(fd);
        return has_route;
}

int resolver_new(struct resolver **ret_resolver, struct loop *loop,
        const struct resolver_options *options, struct muster_error *error)
{
        struct resolver *resolver;
        int r;

        if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
                return error_set_memory(error, MUSTER_PHASE_DNS);
        resolver = mem_zalloc(sizeof(*resolver));
        if (!resolver) {
                ares_library_cleanup();
                return error_set_memory(error, MUSTER_PHASE_DNS);
        }
        resolver->loop = loop;
        resolver->looked_up = options->looked_up;
        resolver->observer = options->observer;
        resolver->family = options->family;
        list_init(&resolver->by_age);
        map_init(&resolver->names);
        resolver->prefers_ipv6 = has_ipv6_route();
        r = dns_channel_init(&resolver->channel, loop, options->servers, error);
        if (r == 0)
                r = override_parse(options->overrides, &resolver->overrides, error);
        if (r < 0) {
                resolver_free(resolver);
                return r;
        }
        *ret_resolver = resolver;
        return 0;
}

struct resolver *resolver_free(struct resolver *resolver)
{
        struct list *link;

        if (!resolver)
                return NULL;
        /* open questions end here, with ARES_EDESTRUCTION */
        dns_channel_deinit(&resolver->channel);
        while ((link = list_pop(&resolver->by_age)))
                name_free(LIST_OWNER(link, struct name, age_link));
        map_deinit(&resolver->names);
        override_free(resolver->overrides);
        ares_library_cleanup();
        return mem_free(resolver);
}
