/* SPDX-License-Identifier: MIT */
#include "library.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdbool.h>

#include "log.h"
#include "shim.h"

#define N_LIBRARIES 8
#define N_CALLERS   256 /* places that call, by their address */

static struct library libraries[N_LIBRARIES];
static uint32_t n_libraries, locked_by; /* a process's generation */

/* (address << 8 | which + 1); atomic */
static uint64_t callers[N_CALLERS];

#define ENTRY(name)                                                                                \
        {                                                                                          \
#name, offsetof(struct library, name)                                              \
        }

static const struct {
        const char *name;
        size_t at;
} entries[] = {
        ENTRY(SSL_connect),
        ENTRY(SSL_accept),
        ENTRY(SSL_do_handshake),
        ENTRY(SSL_read),
        ENTRY(SSL_read_ex),
        ENTRY(SSL_write),
        ENTRY(SSL_write_ex),
        ENTRY(SSL_shutdown),
        ENTRY(SSL_free),
        ENTRY(SSL_CTX_new),
        ENTRY(SSL_CTX_load_verify_locations),
        ENTRY(SSL_CTX_load_verify_file),
        ENTRY(SSL_CTX_load_verify_dir),
        ENTRY(SSL_CTX_load_verify_store),
        ENTRY(SSL_CTX_set_default_verify_paths),
        ENTRY(SSL_CTX_set_default_verify_file),
        ENTRY(SSL_CTX_set_default_verify_dir),
        ENTRY(SSL_get_fd),
        ENTRY(SSL_get_error),
        ENTRY(SSL_is_server),
};

/* Where an address lies; 0: nowhere. */
static uintptr_t base_of(const void *address)
{
        Dl_info info;

        return address && dladdr(address, &info) ? (uintptr_t)info.dli_fbase : 0;
}

static bool is_ours(const void *address)
{
        return base_of(address) == base_of((const void *)(uintptr_t)&is_ours);
}

/* A function of libssl as that object, loaded already, sees it. */
static void *look_in(const char *object)
{
        void *handle = dlopen(object, RTLD_LAZY | RTLD_NOLOAD), *found;

        if (!handle)
                return NULL;
        found = dlsym(handle, "SSL_CTX_new");
        dlclose(handle);
        return found && !is_ours(found) ? found : NULL;
}

/* A function of the libssl for this caller. */
static void *look_for(const void *caller)
{
        static const char *const names[] = { "libssl.so.3", "libssl.so.1.1" };
        struct link_map *object;
        Dl_info info;
        void *found = NULL;

        /* The program itself has an empty name. */
        if (dladdr1(caller, &info, (void **)&object, RTLD_DL_LINKMAP) && object &&
                object->l_name[0])
                found = look_in(object->l_name);
        if (!found)
                found = dlsym(RTLD_NEXT, "SSL_CTX_new");
        for (size_t i = 0; !found && i < sizeof names / sizeof names[0]; i++)
                found = look_in(names[i]);
        return found;
}

/* It stays loaded from now on. */
static void fill(struct library *library, const char *file, uintptr_t base)
{
        void *handle = dlopen(file, RTLD_LAZY | RTLD_NOLOAD);

        *library = (struct library){ .base = base };
        for (size_t i = 0; handle && i < sizeof entries / sizeof entries[0]; i++)
                *(void **)((uintptr_t)library + entries[i].at) = dlsym(handle, entries[i].name);
}

/* A few stores, no call of the linker: who waits here may hold its lock. A child of fork() finds no lock of its parent's. */
static void lock(void)
{
        uint32_t mine = process_own()->generation, other = 0;

        while (!__atomic_compare_exchange_n(&locked_by, &other, mine, false, __ATOMIC_ACQUIRE,
                __ATOMIC_RELAXED))
                if (other == mine)
                        other = 0;
}

/* Which one that is now; N_LIBRARIES: there are too many. */
static uint32_t add(const struct library *library)
{
        uint32_t which = 0;

        lock();
        while (which < n_libraries && libraries[which].base != library->base)
                which++;
        if (which == n_libraries && which < N_LIBRARIES) {
                libraries[which] = *library;
                n_libraries++;
        }
        __atomic_store_n(&locked_by, 0, __ATOMIC_RELEASE);
        return which;
}

/* Which of the libraries; negative: none. */
static int find(const void *caller)
{
        struct library library;
        uint32_t which;
        Dl_info info;
        void *found = look_for(caller);

        if (!found || !dladdr(found, &info))
                return -1;
        fill(&library, info.dli_fname, (uintptr_t)info.dli_fbase);
        which = add(&library);
        return which < N_LIBRARIES ? (int)which : -1;
}

const struct library *library_of(const void *caller)
{
        uint64_t *kept = &callers[((uintptr_t)caller ^ (uintptr_t)caller >> 8) % N_CALLERS];
        uint64_t key = __atomic_load_n(kept, __ATOMIC_ACQUIRE);
        int which, sys;

        if (LIKELY(key >> 8 == (uintptr_t)caller))
                return &libraries[(key & 0xff) - 1];
        sys = errno;
        which = find(caller);
        errno = sys;
        if (which < 0)
                return NULL;
        __atomic_store_n(kept, (uint64_t)(uintptr_t)caller << 8 | (unsigned)(which + 1),
                __ATOMIC_RELEASE);
        return &libraries[which];
}
