/* SPDX-License-Identifier: MIT */
#include "tun.h"

#include "link_error.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NETMASK      "255.255.255.0"
#define IPV6_PREFIX  64
#define DEVICE       "/dev/net/tun"
#define DEVICE_MAKES "modprobe tun, or mknod " DEVICE " c 10 200"

/* --- the device ------------------------------------------------------------------------------ */

static const char *open_advice(int sys)
{
        switch (sys) {
        case ENOENT:
        case ENODEV:
        case ENXIO:
                return DEVICE_MAKES;
        case EACCES:
                return "chmod 666 " DEVICE ", or run as root";
        case EPERM:
                return "give the container the device: --device " DEVICE;
        }
        return NULL;
}

static struct ifreq request_for(const char *name)
{
        struct ifreq request = { 0 };

        snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
        return request;
}

static int open_device(const char *name, int *ret_fd, struct muster_error *error)
{
        struct ifreq request = request_for(name);
        int fd = open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC), r;

        if (fd < 0)
                return link_fail(error, errno, "no " DEVICE, open_advice(errno));
        request.ifr_flags = IFF_TUN | IFF_NO_PI;
        if (ioctl(fd, TUNSETIFF, &request) < 0) {
                r = link_fail(error, errno, "cannot create a TUN device",
                        "it needs CAP_NET_ADMIN in the network namespace");
                close(fd);
                return r;
        }
        *ret_fd = fd;
        return 0;
}

/* --- its settings ---------------------------------------------------------------------------- */

static int set_up(int socket_fd, const char *name, struct muster_error *error)
{
        struct ifreq request = request_for(name);

        if (ioctl(socket_fd, SIOCGIFFLAGS, &request) < 0)
                return link_fail(error, errno, "cannot read the interface's state", NULL);
        request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
        if (ioctl(socket_fd, SIOCSIFFLAGS, &request) < 0)
                return link_fail(error, errno, "cannot bring the interface up", NULL);
        return 0;
}

static int set_mtu(int socket_fd, const char *name, size_t mtu, struct muster_error *error)
{
        struct ifreq request = request_for(name);

        request.ifr_mtu = (int)mtu;
        if (ioctl(socket_fd, SIOCSIFMTU, &request) < 0)
                return link_fail(error, errno, "cannot set the interface's MTU", NULL);
        return 0;
}

/*
 * SIOCSIFTXQLEN is only for the root of the machine, netlink also for the root of the namespace. If
 * it is refused the queue is half as long, which few bursts fill: not an error.
 */
static void set_queue(const char *name)
{
        struct {
                struct nlmsghdr header;
                struct ifinfomsg info;
                struct rtattr attribute;
                uint32_t n_packets;
        } message = {
                .header = { .nlmsg_len = sizeof(message),
                        .nlmsg_type = RTM_NEWLINK,
                        .nlmsg_flags = NLM_F_REQUEST },
                .info = { .ifi_family = AF_UNSPEC, .ifi_index = (int)if_nametoindex(name) },
                .attribute = { .rta_len = RTA_LENGTH(sizeof(uint32_t)), .rta_type = IFLA_TXQLEN },
                .n_packets = TUN_QUEUE_PACKETS,
        };
        int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

        if (fd < 0)
                return;
        send(fd, &message, sizeof(message), 0); /* done when this returns */
        close(fd);
}

static int set_ipv4(int socket_fd, const char *name, unsigned long operation, const char *address,
        struct muster_error *error)
{
        struct ifreq request = request_for(name);
        struct sockaddr_in at = { .sin_family = AF_INET };

        inet_pton(AF_INET, address, &at.sin_addr);
        memcpy(&request.ifr_addr, &at, sizeof(at));
        if (ioctl(socket_fd, operation, &request) < 0)
                return link_fail(error, errno, "cannot set the interface's IPv4 address", NULL);
        return 0;
}

static int set_all(int socket_fd, const struct tun_options *o, struct muster_error *error)
{
        int r = set_mtu(socket_fd, o->name, o->mtu, error);

        if (r == 0)
                r = set_ipv4(socket_fd, o->name, SIOCSIFADDR, o->ipv4, error);
        if (r == 0)
                r = set_ipv4(socket_fd, o->name, SIOCSIFNETMASK, NETMASK, error);
        if (r == 0)
                r = set_up(socket_fd, o->name, error);
        if (r == 0)
                r = set_up(socket_fd, "lo", error);
        return r;
}

/*
 * A new namespace may have it switched off as the machine has. What fails here shows in the ioctl
 * that follows.
 */
static void enable_ipv6(const char *name)
{
        char path[80];
        int fd;

        snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return;
        if (write(fd, "0", 1) < 0)
                errno = 0;
        close(fd);
}

/*
 * Not every kernel has IPv6, and a link without it is of use: nothing of this is an error. A TUN
 * device does no neighbour discovery, so its addresses can be used at once, without looking for
 * duplicates.
 */
static void set_ipv6(const struct tun_options *o)
{
        struct in6_ifreq request = { .ifr6_prefixlen = IPV6_PREFIX };
        int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        if (fd < 0)
                return;
        enable_ipv6(o->name);
        request.ifr6_ifindex = (int)if_nametoindex(o->name);
        inet_pton(AF_INET6, o->ipv6, &request.ifr6_addr);
        ioctl(fd, SIOCSIFADDR, &request);
        close(fd);
}

int tun_open(const struct tun_options *options, int *ret_fd, struct muster_error *error)
{
        int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), fd = -1, r;

        if (socket_fd < 0)
                return link_fail(error, errno, "cannot open a socket", NULL);
        r = open_device(options->name, &fd, error);
        if (r == 0)
                r = set_all(socket_fd, options, error);
        if (r == 0)
                set_queue(options->name);
        close(socket_fd);
        if (r < 0) {
                if (fd >= 0)
                        close(fd);
                return r;
        }
        if (options->mtu >= TUN_IPV6_MTU_MIN)
                set_ipv6(options);
        *ret_fd = fd;
        return 0;
}
