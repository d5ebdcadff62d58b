/* SPDX-License-Identifier: MIT */
/*
 * Failed: requests that did not get what they asked for, and no other rule says why
 *
 *      failures            many failed: how many, by what, at which host. This is no cause of
 *                          slowness, and stands beside the findings (ranking.h)
 *      retries-withheld    the same, where the retry budget kept most of them from another try
 *
 * Both tell what was seen and where to look, and neither predicts: how long an answer takes that
 * never came nobody knows.
 */
#include "cause.h"

#include "library_words.h"
#include <base/error.h>
#include <base/str.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>
#include <explain/measure/failures.h>
#include <explain/measure/outcome.h>
#include <stdio.h>

/* Together they fit into a title. */
#define HOW_MANY_TEXT 60
#define REASON_TEXT   80
#define REASONS_TEXT  200
#define HOST_TEXT     120

/* --- why, in words --------------------------------------------------------------------------- */

static const char *timeout_words(uint8_t stage)
{
        switch ((enum muster_phase)stage) {
        case MUSTER_PHASE_DNS:
                return "timeout while the host name was being resolved";
        case MUSTER_PHASE_TCP:
                return "timeout while connecting";
        case MUSTER_PHASE_TUNNEL:
                return "timeout while waiting for the proxy";
        case MUSTER_PHASE_TLS:
                return "timeout in the TLS handshake";
        case MUSTER_PHASE_SEND:
                return "timeout while the request was being sent";
        case MUSTER_PHASE_WAIT:
        case MUSTER_PHASE_LAG:
                return "timeout while waiting for the response";
        case MUSTER_PHASE_RECEIVE:
        case MUSTER_PHASE_DECODE:
                return "timeout while receiving the response";
        case MUSTER_PHASE_QUEUE:
        case MUSTER_PHASE_BACKOFF:
        case MUSTER_PHASE_PROCESS:
        case MUSTER_PHASE_DELIVER:
        case MUSTER_N_PHASES:
                break;
        }
        return "timeout";
}

/* NULL: the code's name has to do. */
static const char *code_words(const struct failure_group *group)
{
        static const char *const words[1 - MUSTER_E_LOWEST] = {
                [-MUSTER_E_URL] = "not a URL that can be fetched",
                [-MUSTER_E_INPUT] = "a request, or its body, could not be read",
                [-MUSTER_E_RESOLVE] = "host name not resolved",
                [-MUSTER_E_CONNECT] = "no connection",
                [-MUSTER_E_TLS] = "TLS handshake failed",
                [-MUSTER_E_TLS_VERIFY] = "certificate not trusted",
                [-MUSTER_E_SEND] = "request could not be sent",
                [-MUSTER_E_CLOSED] = "connection closed before the response was complete",
                [-MUSTER_E_PROTOCOL] = "response that is not valid HTTP",
                [-MUSTER_E_TOO_LARGE] = "response that is too large",
                [-MUSTER_E_DECODE] = "body that could not be decompressed",
                [-MUSTER_E_REDIRECT] = "redirect that is not followed",
                [-MUSTER_E_PROCESS] = "processing of the body failed",
                [-MUSTER_E_PROXY] = "refused by the proxy",
                [-MUSTER_E_DENIED] = "forbidden by the options",
        };
        int code = -group->code;

        return code > 0 && code <= -MUSTER_E_LOWEST ? words[code] : NULL;
}

/* "status 500", "connection refused", "timeout while connecting". */
static void say_reason(char text[REASON_TEXT], const struct failure_group *group)
{
        const char *words = code_words(group);

        if (group->code == MUSTER_E_STATUS)
                snprintf(text, REASON_TEXT, "status %d", group->status);
        else if (group->code == MUSTER_E_TIMEOUT)
                snprintf(text, REASON_TEXT, "%s", timeout_words(group->stage));
        else if (group->sys)
                snprintf(text, REASON_TEXT, "%s", error_sys_text(group->sys));
        else
                snprintf(text, REASON_TEXT, "%s",
                        words ? words : muster_code_name((enum muster_code)group->code));
}

/* ", all at http://h:80"; nothing where there are several hosts. */
static void say_host(char text[HOST_TEXT], const struct facts *facts, uint32_t origin)
{
        struct muster_str key = origin_key(facts->record, origin);

        text[0] = '\0';
        if (origin && key.len)
                snprintf(text, HOST_TEXT, ", all at %.*s", STR_ARGS(key));
}

/* --- what is told of them -------------------------------------------------------------------- */

/* Of the whole run, though the record may have only the newest requests. */
static void say_how_many(char text[HOW_MANY_TEXT], const struct failures *failures,
        const struct facts *facts)
{
        struct outcome_told told;
        uint64_t n = failures->n;

        outcome_told(&told, facts);
        if (facts_is_part(facts))
                n = told.n_failed + totals_n_statuses(&facts->all, 500, 599) -
                    facts->all.n_statuses[503];
        outcome_say_how_many(text, HOW_MANY_TEXT, n, &told);
}

/* "180 by status 500, 50 by connection refused and 4 by other errors". */
static void say_reasons(char text[REASONS_TEXT], const struct failures *failures)
{
        size_t n_told = failures->n_groups > 3 ? 2 : failures->n_groups;
        size_t n_left = failures->n, len = 0;

        for (size_t i = 0; i < n_told && len < REASONS_TEXT; i++) {
                char reason[REASON_TEXT];

                say_reason(reason, &failures->groups[i]);
                len += (size_t)snprintf(text + len, REASONS_TEXT - len, "%s%s with %s",
                        i ? ", " : "", words_count(failures->groups[i].n).text, reason);
                n_left -= failures->groups[i].n;
        }
        if (n_left && len < REASONS_TEXT)
                snprintf(text + len, REASONS_TEXT - len, ", %s with other errors",
                        words_count(n_left).text);
}

static void title_failures(char text[FINDING_TEXT], const struct failures *failures,
        const struct facts *facts)
{
        char how_many[HOW_MANY_TEXT], host[HOST_TEXT], reasons[REASONS_TEXT];
        bool is_one = failures->n_groups == 1 && !failures->n_others;

        say_how_many(how_many, failures, facts);
        say_host(host, facts, failures->origin);
        if (is_one)
                say_reason(reasons, &failures->groups[0]);
        else
                say_reasons(reasons, failures);
        if (is_one && failures->groups[0].code == MUSTER_E_STATUS)
                snprintf(text, FINDING_TEXT, "%s %s answered with %s%s", how_many,
                        failures->n == 1 ? "was" : "were", reasons, host);
        else
                snprintf(text, FINDING_TEXT, "%s failed%s: %s", how_many, host, reasons);
}

static void tell_groups(struct finding *finding, const struct facts *facts,
        const struct failures *failures)
{
        for (size_t i = 0; i < failures->n_groups && i < 3; i++) {
                const struct failure_group *group = &failures->groups[i];
                char reason[REASON_TEXT], host[HOST_TEXT], sys[REASON_TEXT] = "";

                say_reason(reason, group);
                say_host(host, facts, group->origin);
                if (group->sys)
                        snprintf(sys, sizeof(sys), ", errno %u", group->sys);
                if (group->code == MUSTER_E_STATUS)
                        finding_evidence(finding, "%s: %s%s", words_count(group->n).text, reason,
                                host);
                else
                        finding_evidence(finding, "%s: %s (code %s%s)%s",
                                words_count(group->n).text, reason,
                                muster_code_name((enum muster_code)group->code), sys, host);
        }
}

static const char *withheld_words(enum trace_withheld why)
{
        switch (why) {
        case TRACE_WITHHELD_BUDGET:
                return "the retry budget was used up";
        case TRACE_WITHHELD_TIME:
                return "their timeouts left no time for it";
        case TRACE_WITHHELD_MAX_TIME:
                return "--retry-max-time was over";
        case TRACE_WITHHELD_LONG:
                return "the server asked for a wait of more than 10 minutes";
        case TRACE_WITHHELD_UNSAFE:
                return "their method is not safe to repeat";
        case TRACE_WITHHELD_BODY:
                return "their body could not be read again";
        case TRACE_NOT_WITHHELD:
        case TRACE_N_WITHHELD:
                break;
        }
        return "";
}

/* TRACE_NOT_WITHHELD: all retries were made that were allowed. */
static enum trace_withheld usually_withheld(const struct failures *failures)
{
        int most = TRACE_NOT_WITHHELD;

        for (int why = 1; why < TRACE_N_WITHHELD; why++)
                if (failures->n_withheld[why] &&
                        (!most || failures->n_withheld[why] > failures->n_withheld[most]))
                        most = why;
        return (enum trace_withheld)most;
}

static void tell_retries(struct finding *finding, const struct facts *facts,
        const struct failures *failures)
{
        uint64_t most = facts->record->run.options.max_retries;

        if (failures->n_retries)
                finding_evidence(finding, "%s made; %s succeeded by them",
                        words_counted(failures->n_retries, "retry was", "retries were").text,
                        words_counted(failures->n_saved, "request", "requests").text);
        for (int why = 1; why < TRACE_N_WITHHELD; why++)
                if (failures->n_withheld[why])
                        finding_evidence(finding, "%s not retried, because %s",
                                words_count(failures->n_withheld[why]).text,
                                withheld_words((enum trace_withheld)why));
        if (failures->n_at_limit)
                finding_evidence(finding, "%s had used all retries that --retry %s allows",
                        words_count(failures->n_at_limit).text, words_count(most).text);
}

/* --- where to look --------------------------------------------------------------------------- */

static const char *advice_for_status(int status)
{
        if (status == 401 || status == 403 || status == 407)
                return "Check the credentials: the server does not accept them";
        if (status >= 500)
                return "Look into the server's error log: the server itself failed";
        return "Check the requests: the server does not accept them";
}

static const char *advice_for_timeout(const struct facts *facts, uint8_t stage)
{
        if (stage == MUSTER_PHASE_TCP)
                return library_or_own(facts,
                        "Check whether the host is up and a firewall lets connections through, or allow more time (--connect-timeout)",
                        "Check whether the host is up and a firewall lets connections through, or allow more time to connect");
        if (stage == MUSTER_PHASE_DNS)
                return "Check the name server (/etc/resolv.conf)";
        return library_or_own(facts,
                "Find out at the server why it takes so long, or allow more time (--max-time)",
                "Find out at the server why it takes so long, or allow more time");
}

static const char *advice(const struct facts *facts, const struct failure_group *group)
{
        switch (group->code) {
        case MUSTER_E_STATUS:
                return advice_for_status(group->status);
        case MUSTER_E_TIMEOUT:
                return advice_for_timeout(facts, group->stage);
        case MUSTER_E_CONNECT:
                return "Check whether a server listens at this host and port";
        case MUSTER_E_RESOLVE:
                return "Check the host's name and the name server (/etc/resolv.conf)";
        case MUSTER_E_TLS:
        case MUSTER_E_TLS_VERIFY:
                return library_or_own(facts,
                        "Check the server's certificate and TLS versions (--cacert names who signed it)",
                        "Check the server's certificate and TLS versions (SSL_CERT_FILE names who signed it)");
        case MUSTER_E_CLOSED:
        case MUSTER_E_SEND:
                return "Look into the server's error log: it closed connections before it had answered";
        default:
                return library_or_own(facts, "Find out why first: the result lines have the errors",
                        "Find out why first: print the exceptions");
        }
}

/* Another try may help: some were answered, and others failed by what passes. */
static bool may_pass(const struct failures *failures)
{
        const struct failure_group *group = &failures->groups[0];

        return failures->n < failures->n_requests &&
               (group->code == MUSTER_E_TIMEOUT || group->code == MUSTER_E_CLOSED ||
                       group->status == 500 || group->status == 502 || group->status == 504);
}

static void remedy_failures(struct finding *finding, const struct facts *facts,
        const struct failures *failures)
{
        const char *first = advice(facts, &failures->groups[0]);

        switch (usually_withheld(failures)) {
        case TRACE_WITHHELD_BUDGET:
                finding_remedy(finding,
                        "%s; if the server can take more load, --retry-budget none allows more retries.",
                        first);
                if (failures->n_saved)
                        finding_option(finding, "--retry-budget none");
                return;
        case TRACE_WITHHELD_UNSAFE:
                finding_remedy(finding,
                        "%s; if repeating them does no harm, --retry-unsafe allows it.", first);
                return;
        case TRACE_WITHHELD_TIME:
        case TRACE_WITHHELD_MAX_TIME:
                finding_remedy(finding,
                        "%s; more time (--max-time, --retry-max-time) leaves room for retries.",
                        first);
                return;
        case TRACE_WITHHELD_LONG:
        case TRACE_WITHHELD_BODY:
        case TRACE_NOT_WITHHELD:
        case TRACE_N_WITHHELD:
                break;
        }
        if (!facts->record->run.options.max_retries && may_pass(failures))
                finding_remedy(finding, "%s; %s.", first,
                        library_or_own(facts, "--retry 3 tries again where that may help",
                                "trying again, with a pause that grows, may help"));
        else
                finding_remedy(finding, "%s.", first);
}

/* --- the rules ------------------------------------------------------------------------------- */

static bool is_by_budget(const struct failures *failures)
{
        return failures->n_withheld[TRACE_WITHHELD_BUDGET] &&
               (double)failures->n_withheld[TRACE_WITHHELD_BUDGET] >=
                       (double)failures->n * MOST_OF_THEM;
}

static void tell(struct finding *finding, const struct facts *facts,
        const struct failures *failures)
{
        enum trace_withheld why = usually_withheld(failures);
        uint64_t most = facts->record->run.options.max_retries;
        char title[FINDING_TEXT];

        finding->n_failed_by_it = failures->n;
        title_failures(title, failures, facts);
        if (why)
                finding_title(finding, "%s; %s not retried, because %s", title,
                        words_counted(failures->n_withheld[why], "was", "were").text,
                        withheld_words(why));
        else if (failures->n_at_limit)
                finding_title(finding, "%s; %s tried %s, which is all that --retry allows", title,
                        words_counted(failures->n_at_limit, "was", "were").text,
                        words_counted(most + 1, "time", "times").text);
        else
                finding_title(finding, "%s", title);
        tell_groups(finding, facts, failures);
        tell_retries(finding, facts, failures);
        remedy_failures(finding, facts, failures);
}

static bool failures(const struct facts *facts, struct finding *finding)
{
        struct failures found;

        failures_find(&found, facts);
        if (!failures_are_many(&found) || is_by_budget(&found))
                return false;
        tell(finding, facts, &found);
        return true;
}

static bool retries_withheld(const struct facts *facts, struct finding *finding)
{
        struct failures found;

        failures_find(&found, facts);
        if (!found.n_withheld[TRACE_WITHHELD_BUDGET] ||
                (failures_are_many(&found) && !is_by_budget(&found)))
                return false;
        tell(finding, facts, &found);
        return true;
}

const struct cause cause_failures[] = {
        { "failures", MUSTER_GRADE_A, failures },
        { 0 },
};

const struct cause causes_failed[] = {
        { "retries-withheld", MUSTER_GRADE_A, retries_withheld, CAUSE_OF_OURS },
        { 0 },
};
