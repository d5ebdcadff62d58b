/* SPDX-License-Identifier: MIT */
/*
 * libmuster: many HTTP requests at once, and an account of where the time went
 *
 *      client.h        the engine: submit requests, take results
 *      request.h       what is asked for
 *      form.h          a body of several parts, as web forms send them
 *      result.h        what came of it: status, headers, body, error, timing
 *      record.h        keep where the time goes, in a file or in memory
 *      explain.h       why a batch took so long, what to change, what it gains
 *      cookie.h        a jar of cookies that clients share, and its file
 *      hsts.h          hosts that want https only, and their file
 *      error.h         codes, phases, and the value that every failure is
 */
#ifndef MUSTER_MUSTER_H
#define MUSTER_MUSTER_H

#include <muster/client.h>
#include <muster/cookie.h>
#include <muster/error.h>
#include <muster/explain.h>
#include <muster/form.h>
#include <muster/hsts.h>
#include <muster/record.h>
#include <muster/request.h>
#include <muster/result.h>
#include <muster/version.h>
#include <muster/watch.h>

#endif
