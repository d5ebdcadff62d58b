/* SPDX-License-Identifier: MIT */
/*
 * libmuster: many HTTP requests at once, and an account of where the time went
 *
 *      client.h        the engine: submit requests, take results
 *      request.h       what is asked for
 *      result.h        what came of it: status, headers, body, error, timing
 *      error.h         codes, phases, and the value that every failure is
 */
#ifndef MUSTER_MUSTER_H
#define MUSTER_MUSTER_H

#include <muster/client.h>
#include <muster/error.h>
#include <muster/request.h>
#include <muster/result.h>
#include <muster/version.h>

#endif
