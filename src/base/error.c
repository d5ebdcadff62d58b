/* SPDX-License-Identifier: MIT */
#include "error.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *muster_code_name(enum muster_code code)
{
        switch (code) {
        case MUSTER_OK:
                return "ok";
        case MUSTER_E_INVALID:
                return "invalid";
        case MUSTER_E_URL:
                return "url";
        case MUSTER_E_INPUT:
                return "input";
        case MUSTER_E_RESOLVE:
                return "resolve";
        case MUSTER_E_CONNECT:
                return "connect";
        case MUSTER_E_TLS:
                return "tls";
        case MUSTER_E_TLS_VERIFY:
                return "tls_verify";
        case MUSTER_E_SEND:
                return "send";
        case MUSTER_E_CLOSED:
                return "closed";
        case MUSTER_E_PROTOCOL:
                return "protocol";
        case MUSTER_E_TIMEOUT:
                return "timeout";
        case MUSTER_E_TOO_LARGE:
                return "too_large";
        case MUSTER_E_DECODE:
                return "decode";
        case MUSTER_E_REDIRECT:
                return "redirect";
        case MUSTER_E_STATUS:
                return "status";
        case MUSTER_E_CANCELLED:
                return "cancelled";
        case MUSTER_E_PROCESS:
                return "process";
        case MUSTER_E_RESOURCE:
                return "resource";
        case MUSTER_E_INTERNAL:
                return "internal";
        case MUSTER_E_PROXY:
                return "proxy";
        case MUSTER_E_DENIED:
                return "denied";
        }
        return "unknown";
}

const char *muster_phase_name(enum muster_phase phase)
{
        switch (phase) {
        case MUSTER_PHASE_QUEUE:
                return "queue";
        case MUSTER_PHASE_BACKOFF:
                return "backoff";
        case MUSTER_PHASE_DNS:
                return "dns";
        case MUSTER_PHASE_TCP:
                return "tcp";
        case MUSTER_PHASE_TLS:
                return "tls";
        case MUSTER_PHASE_SEND:
                return "send";
        case MUSTER_PHASE_WAIT:
                return "wait";
        case MUSTER_PHASE_LAG:
                return "lag";
        case MUSTER_PHASE_RECEIVE:
                return "receive";
        case MUSTER_PHASE_DECODE:
                return "decode";
        case MUSTER_PHASE_PROCESS:
                return "process";
        case MUSTER_PHASE_DELIVER:
                return "deliver";
        case MUSTER_PHASE_TUNNEL:
                return "tunnel";
        case MUSTER_N_PHASES:
                break;
        }
        return "unknown";
}

enum muster_phase phase_in_order(int i)
{
        static const enum muster_phase order[MUSTER_N_PHASES] = {
                MUSTER_PHASE_QUEUE,
                MUSTER_PHASE_BACKOFF,
                MUSTER_PHASE_DNS,
                MUSTER_PHASE_TCP,
                MUSTER_PHASE_TUNNEL,
                MUSTER_PHASE_TLS,
                MUSTER_PHASE_SEND,
                MUSTER_PHASE_WAIT,
                MUSTER_PHASE_LAG,
                MUSTER_PHASE_RECEIVE,
                MUSTER_PHASE_DECODE,
                MUSTER_PHASE_PROCESS,
                MUSTER_PHASE_DELIVER,
        };

        assert(i >= 0 && i < MUSTER_N_PHASES);
        return order[i];
}

static void make_printable(char *text)
{
        for (; *text; text++)
                if ((unsigned char)*text < 0x20 || *text == 0x7f)
                        *text = '?';
}

/*
 * End a cut text in "...". A cut may fall inside a UTF-8 sequence: what is left of that is dropped.
 */
static void mark_cut(char *text, size_t size)
{
        size_t end = size - 4;

        assert(size > 4);
        while (end && ((unsigned char)text[end] & 0xc0) == 0x80)
                end--;
        memcpy(text + end, "...", 4);
}

int error_set(struct muster_error *error, enum muster_code code, enum muster_phase stage, int sys,
        const char *format, ...)
{
        va_list args;
        int n;

        assert(code != MUSTER_OK);
        if (!error || error->code)
                return code;
        *error = (struct muster_error){ .code = code, .stage = stage, .sys = sys };
        va_start(args, format);
        n = vsnprintf(error->text, sizeof(error->text), format, args);
        va_end(args);
        if (n >= (int)sizeof(error->text))
                mark_cut(error->text, sizeof(error->text));
        make_printable(error->text);
        return code;
}

void error_add_text(struct muster_error *error, struct muster_str text)
{
        size_t len = strlen(error->text), room = sizeof(error->text) - len;
        int n = snprintf(error->text + len, room, "%.*s", STR_ARGS(text));

        assert(error->code != MUSTER_OK);
        if (n >= (int)room)
                mark_cut(error->text, sizeof(error->text));
        make_printable(error->text);
}

int error_set_memory(struct muster_error *error, enum muster_phase stage)
{
        return error_set(error, MUSTER_E_RESOURCE, stage, ENOMEM,
                "resource: out of memory; lower the concurrency or the body cap");
}

void error_clear(struct muster_error *error)
{
        error->code = MUSTER_OK;
        error->sys = 0;
        error->text[0] = '\0';
}

const char *error_sys_text(int sys)
{
        const char *text;

        switch (sys) {
        case ECONNREFUSED:
                return "connection refused";
        case ECONNRESET:
                return "connection reset by the peer";
        case ECONNABORTED:
                return "connection aborted";
        case ETIMEDOUT:
                return "no answer in the kernel's time";
        case EHOSTUNREACH:
                return "no route to the host";
        case ENETUNREACH:
                return "network unreachable";
        case EADDRNOTAVAIL:
                return "no local port or address left";
        case EMFILE:
                return "this process may open no more files";
        case ENFILE:
                return "this machine may open no more files";
        case EPIPE:
                return "connection closed by the peer";
        case EACCES:
        case EPERM:
                return "not permitted";
        }
        text = strerrordesc_np(sys);
        return text ? text : "unknown error";
}

bool error_sys_is_shortage(int sys)
{
        return sys == EMFILE || sys == ENFILE || sys == ENOBUFS || sys == ENOMEM ||
               sys == EADDRNOTAVAIL;
}
