/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include <stdarg.h>
#include <stdio.h>

#define KEEP_BYTES     2048 /* of a buffer, from one request to the next */
#define INTERNAL_ERROR 2    /* RFC 9113 section 7: what a server says that has no better word */

void plan_begin(struct plan *plan)
{
        struct buf fields = plan->fields, text = plan->text;

        buf_recycle(&fields, KEEP_BYTES);
        buf_recycle(&text, KEEP_BYTES);
        *plan = (struct plan){
                .status = 200, .fields = fields, .text = text, .reset_code = INTERNAL_ERROR
        };
}

void plan_deinit(struct plan *plan)
{
        buf_deinit(&plan->fields);
        buf_deinit(&plan->text);
}

void plan_say(struct plan *plan, int status, const char *format, ...)
{
        char text[1024];
        va_list arguments;
        int n;

        va_start(arguments, format);
        n = vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        if (n >= (int)sizeof(text))
                n = sizeof(text) - 1;
        plan->status = status;
        plan->type = "text/plain; charset=utf-8";
        plan->blob = NULL;
        plan->has_filling = false;
        plan->text.len = 0;
        (void)buf_add(&plan->text, text, n > 0 ? (size_t)n : 0);
}

static bool may_stand(struct muster_str value)
{
        for (size_t i = 0; i < value.len; i++)
                if ((unsigned char)value.at[i] < 0x20 || value.at[i] == 0x7f)
                        return false;
        return true;
}

void plan_add_field(struct plan *plan, const char *name, struct muster_str value)
{
        size_t before = plan->fields.len;

        if (!may_stand(value))
                value.len = 0;
        if (buf_add_text(&plan->fields, name) < 0 || buf_add_text(&plan->fields, ": ") < 0 ||
                buf_add_str(&plan->fields, value) < 0 || buf_add_text(&plan->fields, "\r\n") < 0)
                plan->fields.len = before;
}

uint64_t plan_body_bytes(const struct plan *plan)
{
        if (plan->has_filling)
                return plan->filling_bytes;
        return plan->blob ? plan->blob->bytes.len : plan->text.len;
}

const char *status_reason(int status)
{
        static const struct {
                int status;
                const char *reason;
        } reasons[] = {
                { 100, "Continue" },
                { 102, "Processing" },
                { 103, "Early Hints" },
                { 200, "OK" },
                { 201, "Created" },
                { 202, "Accepted" },
                { 204, "No Content" },
                { 206, "Partial Content" },
                { 301, "Moved Permanently" },
                { 302, "Found" },
                { 303, "See Other" },
                { 304, "Not Modified" },
                { 307, "Temporary Redirect" },
                { 308, "Permanent Redirect" },
                { 400, "Bad Request" },
                { 401, "Unauthorized" },
                { 403, "Forbidden" },
                { 404, "Not Found" },
                { 405, "Method Not Allowed" },
                { 408, "Request Timeout" },
                { 410, "Gone" },
                { 413, "Content Too Large" },
                { 418, "I'm a Teapot" },
                { 425, "Too Early" },
                { 429, "Too Many Requests" },
                { 431, "Request Header Fields Too Large" },
                { 500, "Internal Server Error" },
                { 501, "Not Implemented" },
                { 502, "Bad Gateway" },
                { 503, "Service Unavailable" },
                { 504, "Gateway Timeout" },
                { 507, "Insufficient Storage" },
        };

        for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
                if (reasons[i].status == status)
                        return reasons[i].reason;
        return "";
}
