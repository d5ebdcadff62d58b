/* SPDX-License-Identifier: MIT */
#include "netns.h"

#include "link_error.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESOLV_CONF "/etc/resolv.conf"

static int write_text(int fd, const char *text)
{
        size_t len = strlen(text);
        ssize_t n = write(fd, text, len);

        if (n == (ssize_t)len)
                return 0;
        return n < 0 ? errno : EIO;
}

/* --- network --------------------------------------------------------------------------------- */

static int write_map(const char *path, const char *text, struct muster_error *error)
{
        int fd = open(path, O_WRONLY | O_CLOEXEC), sys = errno;

        if (fd >= 0) {
                sys = write_text(fd, text);
                close(fd);
                if (!sys)
                        return 0;
        }
        return link_fail(error, sys, path,
                "run as root, or sysctl kernel.apparmor_restrict_unprivileged_userns=0");
}

/*
 * Map root inside to our user outside. Groups can be mapped only after setgroups(2) was disabled
 * (user_namespaces(7)).
 */
static int become_root(uid_t uid, gid_t gid, struct muster_error *error)
{
        char uid_map[40], gid_map[40];
        int r;

        snprintf(uid_map, sizeof(uid_map), "0 %u 1\n", uid);
        snprintf(gid_map, sizeof(gid_map), "0 %u 1\n", gid);
        r = write_map("/proc/self/uid_map", uid_map, error);
        if (r == 0)
                r = write_map("/proc/self/setgroups", "deny\n", error);
        if (r == 0)
                r = write_map("/proc/self/gid_map", gid_map, error);
        return r;
}

static const char *unshare_advice(int sys)
{
        switch (sys) {
        case EPERM:
        case EACCES:
                return "run as root, or allow namespaces to users: sysctl kernel.unprivileged_userns_clone=1 or kernel.apparmor_restrict_unprivileged_userns=0";
        case ENOSPC:
        case EUSERS:
                return "raise sysctl user.max_user_namespaces and user.max_net_namespaces";
        case EINVAL:
        case ENOSYS:
                return "this kernel is built without them (CONFIG_NET_NS, CONFIG_USER_NS)";
        }
        return NULL;
}

int netns_enter(struct muster_error *error)
{
        uid_t uid = geteuid();
        gid_t gid = getegid();

        if (unshare(CLONE_NEWNET) == 0)
                return 0;
        if (errno == EPERM && unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0)
                return become_root(uid, gid, error);
        return link_fail(error, errno, "cannot create a network namespace", unshare_advice(errno));
}

/* --- names ----------------------------------------------------------------------------------- */

/* `advice` may be NULL. */
static int fail_names(struct muster_error *error, int sys, const char *what, const char *advice)
{
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, sys,
                "link: COMMAND uses this machine's name server, not the lab's: %s: %s%s%s", what,
                error_sys_text(sys), advice ? "; " : "", advice ? advice : "");
}

static const char *temporary_parent(void)
{
        const char *folder = getenv("TMPDIR");

        return folder && folder[0] == '/' ? folder : "/tmp";
}

static int make_file(char path[PATH_MAX], const char *address, struct muster_error *error)
{
        char text[100];
        int fd, sys;

        snprintf(path, PATH_MAX, "%s/muster-resolv-XXXXXX", temporary_parent());
        fd = mkostemp(path, O_CLOEXEC);
        if (fd < 0)
                return fail_names(error, errno, "cannot create a temporary " RESOLV_CONF,
                        "set TMPDIR to a writable directory");
        snprintf(text, sizeof(text), "nameserver %s\n", address);
        sys = write_text(fd, text);
        if (!sys && fchmod(fd, 0644) < 0)
                sys = errno;
        close(fd);
        if (!sys)
                return 0;
        unlink(path);
        return fail_names(error, sys, path, NULL);
}

static const char *unshare_mounts_advice(int sys)
{
        return sys == EPERM || sys == EACCES ? "give the container CAP_SYS_ADMIN" : NULL;
}

static const char *mount_advice(int sys)
{
        switch (sys) {
        case EINVAL:
                return "in a chroot, / must be a mount point: mount --bind DIR DIR, then chroot DIR";
        case EPERM:
        case EACCES:
                return "the container's security profile (AppArmor, seccomp) must allow mounts";
        }
        return NULL;
}

/* Our mounts must not show in the parent namespace. */
static int enter_mounts(struct muster_error *error)
{
        if (unshare(CLONE_NEWNS) < 0)
                return fail_names(error, errno, "cannot create a mount namespace",
                        unshare_mounts_advice(errno));
        if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return fail_names(error, errno, "cannot make mounts private", mount_advice(errno));
        return 0;
}

int netns_resolve_at(const char *address, struct muster_error *error)
{
        char path[PATH_MAX], target[PATH_MAX];
        int r;

        /* /etc/resolv.conf is often a link into /run; a link cannot be mounted over. */
        if (!realpath(RESOLV_CONF, target))
                return fail_names(error, errno, RESOLV_CONF, "create that file; it may be empty");
        r = enter_mounts(error);
        if (r == 0)
                r = make_file(path, address, error);
        if (r < 0)
                return r;
        if (mount(path, target, NULL, MS_BIND, NULL) < 0)
                r = fail_names(error, errno, target, mount_advice(errno));
        /* The mount keeps the file; its name is not needed any more. */
        unlink(path);
        return r;
}
