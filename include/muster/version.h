/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_VERSION_H
#define MUSTER_VERSION_H

#if defined(__GNUC__)
#define MUSTER_PUBLIC __attribute__((visibility("default")))
#else
#define MUSTER_PUBLIC
#endif

#define MUSTER_VERSION_MAJOR 0
#define MUSTER_VERSION_MINOR 1
#define MUSTER_VERSION_PATCH 0

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that is running, as "0.1.0"; a constant. */
MUSTER_PUBLIC const char *muster_version(void);

#ifdef __cplusplus
}
#endif

#endif
