/* SPDX-License-Identifier: MIT */
/*
 * Throughput against concurrency: where it bends, and what bent it
 *
 * The knee is the smallest concurrency that has 95 % of the greatest throughput: more costs latency
 * and brings nothing. What bent the curve is told by what grew beyond the knee, as more requests in
 * flight with the same throughput take longer (Little's law), and they take it somewhere: in the
 * server, on the way, or here.
 */
#ifndef CLI_MEASURE_CURVE_H
#define CLI_MEASURE_CURVE_H

#include "step.h"
#include "usl.h"

#define CURVE_STEPS_MAX 32   /* as many as a list of them may have */
#define CURVE_KNEE      0.95 /* of the greatest throughput */
#define CURVE_BUSY      0.90 /* of the time: a thread that is at its limit */
#define CURVE_BAD_MAX   0.05 /* of the requests: more, and it is no use going on */
/* a throughput that is lower by more than this has fallen; the rest is noise */
#define CURVE_FALLS 0.03
#define CURVE_FITS  0.20 /* a law that is off by more than this says nothing */
#define CURVE_DRIFT 0.10 /* the same step again differs by this: something else changed meanwhile */

enum curve_limit {
        CURVE_LIMIT_NONE,        /* throughput still grew at the last step */
        CURVE_LIMIT_MACHINE,     /* this program, or this machine's processors */
        CURVE_LIMIT_SERVER,      /* requests waited there, or on the way there */
        CURVE_LIMIT_BANDWIDTH,   /* bytes came, or went, no faster */
        CURVE_LIMIT_CONNECTIONS, /* DNS, TCP or TLS */
        CURVE_LIMIT_ERRORS,      /* more was answered with errors */
};

enum curve_end {
        CURVE_END_LADDER,      /* all steps were made */
        CURVE_END_FELL,        /* throughput fell for two steps */
        CURVE_END_BAD,         /* too many failed, or were turned down */
        CURVE_END_INTERRUPTED, /* by the user, before any of these */
};

struct curve {
        struct step steps[CURVE_STEPS_MAX]; /* ascending */
        struct step again
                [CURVE_STEPS_MAX]; /* the same measured once more; `concurrency` 0: it was not */
        size_t n_steps, n_planned;
        enum curve_end end;
        bool was_interrupted; /* while it climbed (then `end` says so, too), or at a second look */

        /* From here on what follows from them. */
        double throughput[CURVE_STEPS_MAX]; /* means of both looks, where the second went well */
        size_t best, knee;                  /* indices */
        enum curve_limit limit;
        size_t limit_at; /* the step that shows it */
        double drift;    /* the greatest difference of two looks, as a share */
        bool has_fit;
        struct usl usl;
        /* the fit has one near the best step, and throughput was seen to fall past it */
        bool has_peak;
};

/* Was the last step one too many? Then `end` says why. */
bool curve_has_ended(struct curve *curve);

/*
 * The steps with the greatest throughput, best first; their number. A step that was too much for
 * the server is none of them.
 */
size_t curve_best_few(const struct curve *curve, size_t *indices, size_t most);

/*
 * Is this second look one that tells a throughput? Not where too many failed, or where there is
 * none.
 */
bool curve_has_looked_again(const struct curve *curve, size_t i);

/* All steps are there that there will be: find out the rest. */
void curve_finish(struct curve *curve);

/*
 * Is the knee a limit to use? Not where nothing worked, or most of the first step did not; nor
 * where the user ended a climb that still gained: the knee is further up then.
 */
bool curve_has_knee(const struct curve *curve);

#endif
