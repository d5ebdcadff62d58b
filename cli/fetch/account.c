/* SPDX-License-Identifier: MIT */
#include "account.h"

#include "../temporary.h"
#include "../text/layout.h"
#include <base/error.h>
#include <base/words.h>
#include <string.h>

/* attempts in memory; all of them, but of the largest runs; for a proof, too */
#define KEEP_FOR_ASSERTIONS 1000000
#define QUICK_TO_READ       200000 /* requests of a file; more would keep people waiting */

static bool confirms(const struct account *account)
{
        return confirm_is_wanted(&account->options->explain.confirm);
}

static size_t n_assertions(const struct account *account)
{
        return account->options->explain.assertions.n;
}

/* Is there anything to explain at the end? */
static bool is_explained(const struct account *account)
{
        return account->shows_verdict || n_assertions(account) || confirms(account);
}

/* --- the beginning --------------------------------------------------------------------------- */

static int start_recording(struct account *account, enum muster_input input,
        enum muster_output output, struct muster_error *error)
{
        struct muster_record_options options = { .size = sizeof(options),
                .file = account->options->record,
                .overwrite = true,
                .input = input,
                .output = output };
        struct buf command = { 0 };
        int r = invocation_to_json(&account->invocation, &command);

        if (n_assertions(account) || confirms(account))
                options.keep = KEEP_FOR_ASSERTIONS;
        options.command = command.at;
        if (r == 0)
                r = muster_record(account->client, &options, error);
        else
                error_set_memory(error, MUSTER_PHASE_QUEUE);
        buf_deinit(&command);
        return r;
}

int account_begin(struct account *account, struct account_options *options,
        struct muster_client *client, bool shows_verdict, enum muster_input input,
        enum muster_output output, int argc, char **argv, struct muster_error *error)
{
        int r;

        *account = (struct account){
                .options = options, .shows_verdict = shows_verdict, .all_hold = true
        };
        if (!options->record && !is_explained(account))
                return 0;
        account->client = client;
        r = invocation_parse(&account->invocation, argc, argv, error);
        if (r == 0 && confirms(account))
                r = confirm_check(&account->invocation,
                        account->options->explain.confirm.allows_unsafe, error);
        return r == 0 ? start_recording(account, input, output, error) : r;
}

int account_set_login(struct account *account, const struct login_options *login,
        struct muster_error *error)
{
        struct buf both = { 0 };
        int r = 0;

        if (!invocation_has(&account->invocation, "user") || !login->user)
                return 0;
        if (buf_add_text(&both, login->user) < 0 || buf_add_char(&both, ':') < 0 ||
                buf_add_text(&both, login->password) < 0 || buf_terminate(&both) < 0)
                r = error_set_memory(error, MUSTER_PHASE_QUEUE);
        invocation_leave_out(&account->invocation, "user");
        if (r == 0)
                r = invocation_add(&account->invocation, "user", both.at, error);
        buf_wipe(&both);
        return r;
}

int account_input(struct account *account, const struct input *input, const struct input_item *item,
        struct muster_error *error)
{
        if (!account->client || !confirms(account))
                return 0;
        if (item->is_unsafe && !account->first_unsafe_line)
                account->first_unsafe_line = item->line;
        return input_copies_add(&account->copies, input, item, error);
}

void account_count(struct account *account, uint64_t output_stalled_us, unsigned n_stops)
{
        if (!account->client)
                return;
        (void)muster_record_count(account->client, MUSTER_PROGRAM_OUTPUT_STALLED_US,
                output_stalled_us);
        (void)muster_record_count(account->client, MUSTER_PROGRAM_STOPS, n_stops);
}

/* --- the end --------------------------------------------------------------------------------- */

static int explain_run(struct account *account, struct muster_error *error)
{
        return account->options->record
                       ? muster_explain_file(&account->explanation, account->options->record, error)
                       : muster_explain_client(&account->explanation, account->client, error);
}

int account_end(struct account *account, uint64_t n_requests, bool was_interrupted,
        struct muster_error *error)
{
        bool is_must = n_assertions(account) || (confirms(account) && !was_interrupted);
        int r;

        account->was_interrupted = was_interrupted;
        if (!account->client)
                return 0;
        r = muster_record_end(account->client, error);
        if (r < 0 || !is_explained(account))
                return r;
        account->is_too_long = !is_must && account->options->record && n_requests > QUICK_TO_READ;
        if (account->is_too_long)
                return 0;
        r = explain_run(account, is_must ? error : NULL);
        if (r < 0)
                return is_must ? r : 0;
        account->all_hold =
                assertions_check(&account->options->explain.assertions, account->explanation);
        return 0;
}

const char *account_verdict(const struct account *account)
{
        if (account->explanation)
                return muster_explanation_verdict(account->explanation);
        return account->is_too_long ? "run muster explain on the record; it takes a few seconds"
                                    : "";
}

void account_tell(const struct account *account)
{
        struct muster_run run;

        if (!account->explanation || !n_assertions(account))
                return;
        muster_explanation_run(account->explanation, &run, sizeof(run));
        if (run.n_dropped)
                fprintf(stderr,
                        "muster: assert: durations cover only the newest requests, without %s older attempts; --record FILE keeps all\n",
                        words_count(run.n_dropped).text);
        assertions_tell(&account->options->explain.assertions, stderr);
}

/* --- the proof ------------------------------------------------------------------------------- */

/* Rows were copied as the lines of JSON that they are read as. */
static void leave_out_format(struct invocation *invocation)
{
        const char *name = invocation_value(invocation, "input-format");
        const struct input_format *format = name ? input_format_find(name) : NULL;

        if (format && format->delimiter)
                invocation_leave_out(invocation, "input-format");
        invocation_leave_out(invocation, "url-column");
}

/* Inputs are read from their copies. */
static int use_copies(struct account *account, struct muster_error *error)
{
        int r = input_copies_end(&account->copies, error);

        invocation_leave_out(&account->invocation, "input");
        leave_out_format(&account->invocation);
        for (size_t i = 0; r == 0 && i < account->copies.n; i++) {
                char path[32];

                temporary_file_path(fileno(account->copies.list[i].file), path);
                r = invocation_add(&account->invocation, "input", path, error);
        }
        return r;
}

static int check_lines(const struct account *account, struct muster_error *error)
{
        if (!account->first_unsafe_line || account->options->explain.confirm.allows_unsafe)
                return 0;
        return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                "confirm: the request in line %llu may change something on the server, so no request is repeated; --confirm-unsafe allows it",
                (unsigned long long)account->first_unsafe_line);
}

static void print_proof(const char *text)
{
        const struct page page = page_on(stderr);

        page_label(&page, "confirm");
        fprintf(stderr, "%s\n", text);
}

static void tell_confirmation(const struct account *account)
{
        struct buf words = { 0 };

        if (confirm_words(&account->confirmation, &words) == 0 && buf_terminate(&words) == 0)
                print_proof(words.at);
        buf_deinit(&words);
}

int account_confirm(struct account *account, struct muster_error *error)
{
        unsigned n_rounds = account->options->explain.confirm.n_rounds;
        int r;

        if (!account->explanation || !confirms(account))
                return 0;
        if (account->was_interrupted)
                return CONFIRM_STOPPED;
        r = check_lines(account, error);
        if (r == 0)
                r = use_copies(account, error);
        if (r == 0)
                r = confirm_run(&account->confirmation, &account->invocation, account->explanation,
                        n_rounds ? n_rounds : 1, error);
        if (r == 0)
                tell_confirmation(account);
        else if (r == CONFIRM_NOTHING)
                print_proof(confirm_nothing);
        return r;
}

void account_deinit(struct account *account)
{
        muster_explanation_free(account->explanation);
        invocation_deinit(&account->invocation);
        input_copies_deinit(&account->copies);
        *account = (struct account){ 0 };
}
