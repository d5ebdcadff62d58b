/* SPDX-License-Identifier: MIT */
#include "expect.h"

#include "deadline.h"
#include "engine.h"
#include <assert.h>

#define EXPECTATION_FAILED 417

static uint64_t body_bytes(const struct muster_request *request)
{
        return request_has_upload(request) ? request->upload.total_bytes : request->body.len;
}

/* The caller's own field; NULL: there is none. */
static const struct request_field *own_field(const struct muster_request *request)
{
        size_t n = request->fields.len / sizeof(struct request_field);

        for (size_t i = 0; i < n; i++) {
                const struct request_field *field =
                        &((const struct request_field *)(const void *)request->fields.at)[i];

                if (field->name_len == 6 &&
                        str_is_nocase((struct muster_str){ request->text.at + field->name_at, 6 },
                                "Expect"))
                        return field;
        }
        return NULL;
}

static bool is_wanted(const struct muster_request *request)
{
        const struct request_field *field = own_field(request);

        if (!field)
                return body_bytes(request) > request->engine->settings->expect_above_bytes &&
                       !request->origin->refuses_expect;
        return !field->is_removed &&
               str_is_nocase((struct muster_str){ request->text.at + field->value_at,
                                     field->value_len },
                       "100-continue");
}

void expect_begin(struct muster_request *request, bool can_wait)
{
        struct expect *expect = &request->expect;

        assert(request->state == REQUEST_RUNNING && request->origin);
        expect->state = EXPECT_NONE;
        expect->is_sent = expect->is_held = false;
        expect->until_ns = UINT64_MAX;
        if (!can_wait || !request_sends_body(request) || request->limits.http_1_0 ||
                expect->is_refused || !body_bytes(request) || !is_wanted(request))
                return;
        expect->state = EXPECT_ASKED;
        expect->is_sent = true;
        expect->is_held = !request_has_upload(request);
}

static void begin_to_wait(struct muster_request *request, uint64_t now_ns)
{
        struct expect *expect = &request->expect;

        assert(expect->state == EXPECT_ASKED);
        expect->state = EXPECT_WAITING;
        expect->until_ns = clock_after(now_ns, request->engine->settings->expect_timeout_ns);
        request->attempt.expect_start_ns = now_ns;
        request->attempt.stage = MUSTER_PHASE_WAIT;
        /* Without memory for the timer, the read timeout still stands. */
        (void)deadline_arm(request);
}

bool expect_waits(struct muster_request *request, uint64_t now_ns)
{
        switch (request->expect.state) {
        case EXPECT_ASKED:
                begin_to_wait(request, now_ns);
                return true;
        case EXPECT_MET:
                request->expect.state = EXPECT_NONE;
                return false;
        case EXPECT_WAITING:
        case EXPECT_UNWANTED:
                return true;
        case EXPECT_NONE:
                break;
        }
        return false;
}

bool expect_over(struct muster_request *request, uint64_t now_ns)
{
        struct expect *expect = &request->expect;

        if (expect->state == EXPECT_ASKED) {
                expect->state = EXPECT_MET;
                return false;
        }
        if (expect->state != EXPECT_WAITING)
                return false;
        request->notes.is_unheard = expect->until_ns <= now_ns;
        expect->state = EXPECT_NONE;
        expect->until_ns = UINT64_MAX;
        request->attempt.expect_end_ns = now_ns;
        request->attempt.stage = MUSTER_PHASE_SEND;
        deadline_received(request, now_ns);
        (void)deadline_arm(request);
        return true;
}

bool expect_answered(struct muster_request *request, int status)
{
        struct expect *expect = &request->expect;

        if (!expect->is_sent)
                return false;
        if (expect->state != EXPECT_NONE)
                expect->state = EXPECT_UNWANTED;
        expect->until_ns = UINT64_MAX;
        if (status != EXPECTATION_FAILED || expect->is_refused)
                return false;
        request->origin->refuses_expect = true;
        if (!request_can_repeat(request))
                return false;
        expect->is_refused = true;
        return true;
}
