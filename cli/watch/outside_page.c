/* SPDX-License-Identifier: MIT */
#include "outside_page.h"

#include "../output/json.h"
#include <base/error.h>
#include <base/words.h>
#include <errno.h>
#include <string.h>

static struct sighted_sums sums_of(const struct lookout *lookout)
{
        struct sighted_sums sums = { 0 };

        sightings_sum(&lookout->seen, &sums);
        return sums;
}

/* --- which programs -------------------------------------------------------------------------- */

#define NAMES_SHOWN 3

/* Programs that were seen, each name once. */
struct names {
        const struct sighted_process *of[NAMES_SHOWN];
        size_t n, n_more;
};

static struct names names_of(const struct lookout *lookout)
{
        struct names names = { .n = 0 };

        for (size_t i = 0; i < lookout->seen.n_processes; i++) {
                const struct sighted_process *process = &lookout->seen.processes[i];
                size_t j = 0;

                while (j < names.n && strcmp(names.of[j]->name, process->name) != 0)
                        j++;
                if (!process->is_outside || j < names.n)
                        continue;
                if (names.n == NAMES_SHOWN)
                        names.n_more++;
                else
                        names.of[names.n++] = process;
        }
        return names;
}

static const char *file_name(const char *path)
{
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

/* --- in a sentence --------------------------------------------------------------------------- */

static const char *trouble_words(int why)
{
        switch (why) {
        case 0:
                return "--no-filter was given";
        case ENOSYS:
        case EINVAL:
                return "this kernel cannot tell us of its connections, which needs Linux 5.6";
        case EMFILE:
                return "more of them ran at once than can be watched";
        case EBUSY:
                return "another program already watches its system calls";
        default:
                return "the kernel does not let us watch its system calls";
        }
}

struct outside_words outside_unseen(const struct lookout *lookout)
{
        const struct unseen_program *first = &lookout->unseen[0];
        struct outside_words words = { "" };

        if (lookout->n_unseen)
                snprintf(words.text, sizeof(words.text), "%s %s, and %s%s%s%s", first->name,
                        executable_unseen_words(first->kind), trouble_words(first->why),
                        first->why ? " (" : "", first->why ? error_sys_text(first->why) : "",
                        first->why ? ")" : "");
        return words;
}

bool outside_has_conns(const struct lookout *lookout)
{
        return sums_of(lookout).n_conns > 0;
}

void outside_verdict(const struct lookout *lookout, const struct executable *executable,
        char text[OUTSIDE_TEXT])
{
        struct names names = names_of(lookout);

        if (names.n && outside_has_conns(lookout))
                snprintf(text, OUTSIDE_TEXT,
                        "The program's connections were seen, and not its requests: %.60s %s.",
                        names.of[0]->name, executable_unseen_words(names.of[0]->kind));
        else if (lookout->n_unseen)
                snprintf(text, OUTSIDE_TEXT,
                        "Nothing could be seen of this program: %s. muster fetch measures the same requests.",
                        outside_unseen(lookout).text);
        else
                snprintf(text, OUTSIDE_TEXT,
                        "The program opened no connection. Nothing else can be seen: %.60s %s.",
                        file_name(executable->path), executable_unseen_words(executable->kind));
}

/* --- rows ------------------------------------------------------------------------------------ */

static void print_conns(const struct sighted_sums *sums, const struct page *page)
{
        char failed[160] = "", closed[160] = "";

        if (sums->n_failed)
                snprintf(failed, sizeof(failed), "; %s could not be opened",
                        words_count(sums->n_failed).text);
        if (sums->n_closed_by_server)
                snprintf(closed, sizeof(closed), "; the server closed %s first",
                        words_count(sums->n_closed_by_server).text);
        page_row(page, 0, "connections", "%s opened to %s, at most %s open at once%s%s",
                words_count(sums->n_conns).text,
                words_counted(sums->n_addresses, "address", "addresses").text,
                words_count(sums->most_open).text, failed, closed);
}

static void print_times(const struct sighted_sums *sums, const struct page *page)
{
        if (sums->connect_max_ns)
                page_row(page, 0, "", "opening one typically took %s, at most %s; a round trip %s",
                        words_ns(sums->connect_p50_ns).text, words_ns(sums->connect_max_ns).text,
                        words_ns(sums->rtt_p50_us * UINT64_C(1000)).text);
        if (sums->life_p50_ns)
                page_row(page, 0, "", "one was open for %s, typically",
                        words_ns(sums->life_p50_ns).text);
}

static void print_traffic(const struct sighted_sums *sums, const struct page *page)
{
        char lost[200] = "";

        if (sums->n_retransmits)
                snprintf(lost, sizeof(lost), "; %s of %s segments were sent again",
                        words_count(sums->n_retransmits).text,
                        words_count(sums->n_segments_sent).text);
        if (sums->n_sent || sums->n_received)
                page_row(page, 0, "traffic", "%s sent, %s received, in %s of sending and answer%s",
                        words_bytes(sums->n_sent).text, words_bytes(sums->n_received).text,
                        words_counted(sums->n_exchanges, "turn", "turns").text, lost);
        if (sums->n_lookups)
                page_row(page, 0, "", "%s of its own%s%s",
                        words_counted(sums->n_lookups, "DNS question", "DNS questions").text,
                        sums->lookup_max_ns ? ", answered typically after " : "",
                        sums->lookup_max_ns ? words_ns(sums->lookup_p50_ns).text : "");
}

static void print_names(const struct names *names, const struct page *page)
{
        for (size_t i = 0; i < names->n; i++)
                page_row(page, 0, i ? "" : "not seen", "%.60s %s.", names->of[i]->name,
                        executable_unseen_words(names->of[i]->kind));
        if (names->n_more)
                page_row(page, 0, "", "So it is with %s.",
                        words_counted(names->n_more, "program more", "programs more").text);
}

static void print_unknown(const struct sighted_sums *sums, const struct lookout *lookout,
        const struct page *page)
{
        struct names names = names_of(lookout);

        print_names(&names, page);
        page_row(page, 0, "",
                "So it is not known what was asked and answered there (method, URL, status), how long requests waited in the program, how TLS handshakes went, and which line of code it was.");
        if (sums->refused)
                page_row(page, 0, "",
                        "What its connections carried could not be read either: the kernel refused its descriptors (%s).",
                        error_sys_text(sums->refused));
        if (sums->n_lost)
                page_row(page, 0, "", "%s more were opened than are kept.",
                        words_counted(sums->n_lost, "connection", "connections").text);
}

/* Whatever else was seen: these may have made most of the requests. */
static void print_unseen(const struct lookout *lookout, const struct page *page)
{
        for (size_t i = 0; i < lookout->n_unseen; i++) {
                const struct unseen_program *program = &lookout->unseen[i];

                page_row(page, 0, i ? "" : "not seen",
                        "%s ran %s, and nothing was seen of it: it %s, and %s.", program->name,
                        program->n_times == 1
                                ? "once"
                                : words_counted(program->n_times, "time", "times").text,
                        executable_unseen_words(program->kind), trouble_words(program->why));
        }
        if (lookout->n_more_unseen)
                page_row(page, 0, "", "Others ran %s, and were not seen either.",
                        words_counted(lookout->n_more_unseen, "time", "times").text);
}

void outside_print(const struct lookout *lookout, bool with_unseen, const struct page *page)
{
        struct sighted_sums sums = sums_of(lookout);

        if (sums.n_conns) {
                fputc('\n', page->to);
                page_paragraph(page, 0, "From outside were seen:");
                print_conns(&sums, page);
                print_times(&sums, page);
                print_traffic(&sums, page);
                print_unknown(&sums, lookout, page);
        }
        if (with_unseen)
                print_unseen(lookout, page);
}

/* --- the object ------------------------------------------------------------------------------ */

static void add_unseen(struct json_writer *w, const struct lookout *lookout)
{
        json_write(w, "\"unseen_programs\":[");
        for (size_t i = 0; i < lookout->n_unseen; i++) {
                const struct unseen_program *program = &lookout->unseen[i];

                json_write(w, i ? ",{\"name\":" : "{\"name\":");
                json_write_string(w, str_of(program->name));
                json_write(w, ",\"times\":");
                json_write_u64(w, program->n_times);
                json_write(w, ",\"why\":");
                json_write_string(w, str_of(trouble_words(program->why)));
                json_write(w, "}");
        }
        json_write(w, "]");
}

int outside_json(const struct lookout *lookout, struct buf *to)
{
        struct sighted_sums sums = sums_of(lookout);
        struct json_writer w = { to, 0 };
        const struct {
                const char *name;
                uint64_t value;
        } members[] = {
                { "processes", sums.n_processes },
                { "connections", sums.n_conns },
                { "failed", sums.n_failed },
                { "addresses", sums.n_addresses },
                { "open_most", sums.most_open },
                { "closed_by_server", sums.n_closed_by_server },
                { "exchanges", sums.n_exchanges },
                { "single", sums.n_single },
                { "sent_bytes", sums.n_sent },
                { "received_bytes", sums.n_received },
                { "retransmits", sums.n_retransmits },
                { "connect_ns", sums.connect_p50_ns },
                { "connect_most_ns", sums.connect_max_ns },
                { "open_ns", sums.life_p50_ns },
                { "rtt_ns", sums.rtt_p50_us * UINT64_C(1000) },
                { "lookups", sums.n_lookups },
                { "lookup_ns", sums.lookup_p50_ns },
        };

        add_unseen(&w, lookout);
        if (!sums.n_processes) {
                json_write(&w, ",\"outside\":null");
                return w.r;
        }
        json_write(&w, ",\"outside\":{");
        for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
                json_write(&w, i ? ",\"" : "\"");
                json_write(&w, members[i].name);
                json_write(&w, "\":");
                json_write_u64(&w, members[i].value);
        }
        json_write(&w, "}");
        return w.r;
}
