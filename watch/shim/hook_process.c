/* SPDX-License-Identifier: MIT */
/*
 * Processes and threads
 *
 * A child of fork() finds out by itself that it is one (log.h); here it is only told so at once, and
 * the parent tells of it. A child of vfork() runs in its parent's memory and on its stack, so that
 * function is to be written without one.
 */
#include <alloca.h>
#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "next.h"
#include "outside.h"
#include "raw.h"
#include "stamp.h"
#include "thread.h"

static void forked(uint64_t at_ns, pid_t child)
{
        int sys = errno;

        if (child > 0)
                log_event(WATCH_FORK, -1, at_ns, shim_since(at_ns), child, 0);
        errno = sys;
}

/* --- fork ------------------------------------------------------------------------------------ */

static pid_t fork_by(pid_t (*real)(void))
{
        uint64_t at_ns;
        pid_t child;

        if (!shim_watches())
                return real();
        at_ns = shim_now();
        child = real();
        if (child == 0)
                process_adopt_child();
        else
                forked(at_ns, child);
        return child;
}

HOOK pid_t fork(void)
{
        return fork_by(NEXT(fork));
}

HOOK pid_t _Fork(void)
{
        if (UNLIKELY(!NEXT(_Fork))) {
                errno = ENOSYS;
                return -1;
        }
        return fork_by(NEXT(_Fork));
}

/*
 * The return address lies on the stack, and the child, which returns first, writes over it: it is kept in a
 * register. shim_vforked() is jumped to, so that it returns to the caller, in both processes.
 */
#if defined(__x86_64__)
__asm__(".text\n"
        ".globl vfork\n"
        ".type vfork, @function\n"
        "vfork:\n"
        "        .cfi_startproc\n"
        "        endbr64\n"
        "        popq %rdi\n"
        "        .cfi_adjust_cfa_offset -8\n"
        "        .cfi_register %rip, %rdi\n"
        "        movl $58, %eax\n"
        "        syscall\n"
        "        pushq %rdi\n"
        "        .cfi_adjust_cfa_offset 8\n"
        "        movq %rax, %rdi\n"
        "        jmp shim_vforked\n"
        "        .cfi_endproc\n"
        ".size vfork, .-vfork\n");
#elif defined(__aarch64__)
__asm__(".text\n"
        ".globl vfork\n"
        ".type vfork, %function\n"
        "vfork:\n"
        "        .cfi_startproc\n"
        "        hint 34\n"
        "        mov x0, 0x4111\n" /* CLONE_VM | CLONE_VFORK | SIGCHLD */
        "        mov x1, 0\n"
        "        mov x8, 220\n" /* clone */
        "        svc 0\n"
        "        b shim_vforked\n"
        "        .cfi_endproc\n"
        ".size vfork, .-vfork\n");
#endif

__attribute__((visibility("hidden"), used)) pid_t shim_vforked(long result);

pid_t shim_vforked(long result)
{
        if (result == 0) {
                this_thread.is_vforked = true;
                return 0;
        }
        this_thread.is_vforked = false;
        if (result < 0) {
                errno = (int)-result;
                return -1;
        }
        if (shim_watches())
                forked(shim_now(), (pid_t)result);
        return (pid_t)result;
}

/* --- spawn ----------------------------------------------------------------------------------- */

typedef int spawn_function(pid_t *ret_child, const char *name,
        const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *settings,
        char *const arguments[], char *const environment[]);

struct spawning {
        spawn_function *function;
        pid_t *ret_child;
        const char *name;
        const posix_spawn_file_actions_t *actions;
        const posix_spawnattr_t *settings;
        char *const *arguments, *const *environment;
        const struct outside *outside;
        int r;
};

static int do_spawn(const struct spawning *spawning)
{
        return spawning->function(spawning->ret_child, spawning->name, spawning->actions,
                spawning->settings, spawning->arguments, spawning->environment);
}

static void *spawn_outside(void *data)
{
        struct spawning *spawning = data;

        outside_become(spawning->outside);
        spawning->r = do_spawn(spawning);
        return NULL;
}

/*
 * There is no place of ours between spawn and exec. But what is said to the kernel for a program that
 * is to be seen from outside is said for a thread, and its children have it from that: so a thread
 * of its own spawns it, and is gone then.
 */
static int spawn_by(struct spawning *spawning, bool in_path)
{
        struct outside *outside = shim_watches() ? outside_look(spawning->name, in_path) : NULL;
        pthread_t thread;

        spawning->outside = outside;
        if (outside && NEXT(pthread_create)(&thread, NULL, spawn_outside, spawning) == 0)
                pthread_join(thread, NULL);
        else
                spawning->r = do_spawn(spawning);
        outside_free(outside);
        return spawning->r;
}

HOOK int posix_spawn(pid_t *ret_child, const char *path, const posix_spawn_file_actions_t *actions,
        const posix_spawnattr_t *settings, char *const arguments[], char *const environment[])
{
        uint64_t at_ns = shim_watches() ? shim_now() : 0;
        pid_t child;
        struct spawning spawning = { NEXT(posix_spawn), &child, path, actions, settings, arguments,
                environment, NULL, 0 };
        int r = spawn_by(&spawning, false);

        if (r == 0 && ret_child)
                *ret_child = child;
        if (r == 0 && at_ns)
                forked(at_ns, child);
        return r;
}

HOOK int posix_spawnp(pid_t *ret_child, const char *name, const posix_spawn_file_actions_t *actions,
        const posix_spawnattr_t *settings, char *const arguments[], char *const environment[])
{
        uint64_t at_ns = shim_watches() ? shim_now() : 0;
        pid_t child;
        struct spawning spawning = { NEXT(posix_spawnp), &child, name, actions, settings, arguments,
                environment, NULL, 0 };
        int r = spawn_by(&spawning, true);

        if (r == 0 && ret_child)
                *ret_child = child;
        if (r == 0 && at_ns)
                forked(at_ns, child);
        return r;
}

/* --- exec ------------------------------------------------------------------------------------ */

/* The event is there before the call, which mostly does not return; NULL: there is none. */
static struct watch_event *exec_begin(const char *path)
{
        struct watch_event *event;
        size_t size;
        int sys = errno;

        if (!shim_watches() || !path || !process_is_itself())
                return NULL;
        stamp_unset_inherited();
        size = strnlen(path, 1024);
        event = log_begin(WATCH_EXEC, -1, shim_now(), 0, (uint32_t)size);
        if (event) {
                memcpy(event->data, path, size);
                log_finish(event, WATCH_EXEC);
        }
        errno = sys;
        return event;
}

/* It has returned, so it has failed. */
static int exec_failed(struct watch_event *event, int r)
{
        if (event)
                event->value = -errno;
        return r;
}

HOOK int execve(const char *path, char *const arguments[], char *const environment[])
{
        struct watch_event *event = exec_begin(path);

        outside_exec(path, false);
        return exec_failed(event, NEXT(execve)(path, arguments, environment));
}

HOOK int execv(const char *path, char *const arguments[])
{
        struct watch_event *event = exec_begin(path);

        outside_exec(path, false);
        return exec_failed(event, NEXT(execv)(path, arguments));
}

HOOK int execvp(const char *name, char *const arguments[])
{
        struct watch_event *event = exec_begin(name);

        outside_exec(name, true);
        return exec_failed(event, NEXT(execvp)(name, arguments));
}

HOOK int execvpe(const char *name, char *const arguments[], char *const environment[])
{
        struct watch_event *event = exec_begin(name);

        outside_exec(name, true);
        return exec_failed(event, NEXT(execvpe)(name, arguments, environment));
}

HOOK int fexecve(int fd, char *const arguments[], char *const environment[])
{
        struct watch_event *event = exec_begin("");

        return exec_failed(event, NEXT(fexecve)(fd, arguments, environment));
}

HOOK int execveat(int folder, const char *path, char *const arguments[], char *const environment[],
        int flags)
{
        struct watch_event *event = exec_begin(path);

        if (UNLIKELY(!NEXT(execveat))) {
                errno = ENOSYS;
                return exec_failed(event, -1);
        }
        return exec_failed(event, NEXT(execveat)(folder, path, arguments, environment, flags));
}

/* How many words there are behind the first, up to the NULL. */
static size_t count_words(va_list words)
{
        size_t n = 0;

        while (va_arg(words, char *))
                n++;
        return n;
}

/* The words from `first` to the NULL, as an array on the stack of whom this is written into. */
#define WORDS(first, array, words)                                                                 \
        do {                                                                                       \
                size_t n;                                                                          \
                                                                                                   \
                va_start(words, first);                                                            \
                n = count_words(words);                                                            \
                va_end(words);                                                                     \
                array = alloca((n + 2) * sizeof *array);                                           \
                va_start(words, first);                                                            \
                array[0] = (char *)(uintptr_t)first;                                               \
                for (size_t i = 1; i <= n + 1; i++)                                                \
                        array[i] = va_arg(words, char *);                                          \
        } while (0)

HOOK int execl(const char *path, const char *first, ...)
{
        va_list words;
        char **arguments;

        WORDS(first, arguments, words);
        va_end(words);
        return execv(path, arguments);
}

HOOK int execlp(const char *name, const char *first, ...)
{
        va_list words;
        char **arguments;

        WORDS(first, arguments, words);
        va_end(words);
        return execvp(name, arguments);
}

HOOK int execle(const char *path, const char *first, ...)
{
        va_list words;
        char **arguments;
        char **environment;

        WORDS(first, arguments, words);
        environment = va_arg(words, char **);
        va_end(words);
        return execve(path, arguments, environment);
}

/* --- threads --------------------------------------------------------------------------------- */

/*
 * What a new thread is to call, until it has taken it. Were there more threads at once about to begin,
 * the others are told of when they do something.
 */
static struct begin {
        uint32_t is_taken; /* atomic */
        void *(*function)(void *);
        void *argument;
} begins[256];

static struct begin *take_begin(void)
{
        for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
                uint32_t no = 0;

                if (__atomic_compare_exchange_n(&begins[i].is_taken, &no, 1, false,
                            __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
                        return &begins[i];
        }
        return NULL;
}

static void *begin_thread(void *argument)
{
        struct begin *mine = argument;
        struct begin begin = *mine;

        __atomic_store_n(&mine->is_taken, 0, __ATOMIC_RELEASE);
        if (shim_watches())
                thread_own();
        return begin.function(begin.argument);
}

HOOK int pthread_create(pthread_t *ret_thread, const pthread_attr_t *settings,
        void *(*function)(void *), void *argument)
{
        struct begin *begin = shim_watches() ? take_begin() : NULL;
        int r;

        if (!begin)
                return NEXT(pthread_create)(ret_thread, settings, function, argument);
        begin->function = function;
        begin->argument = argument;
        r = NEXT(pthread_create)(ret_thread, settings, begin_thread, begin);
        if (r != 0)
                __atomic_store_n(&begin->is_taken, 0, __ATOMIC_RELEASE);
        return r;
}
