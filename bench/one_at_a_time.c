/* SPDX-License-Identifier: MIT */
/*
 * Requests one behind the other on one connection, by calls that block: one_at_a_time N PORT PATH
 *
 * Nothing is cheaper for a request, so that what watching adds shows most (bench/watched).
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char text[65536];

/* The whole response, whose body has a Content-Length. */
static int await(int fd)
{
        size_t n = 0, length = 0;

        do {
                ssize_t r = recv(fd, text + n, sizeof text - 1 - n, 0);
                const char *end;

                if (r <= 0)
                        return -1;
                n += (size_t)r;
                text[n] = '\0';
                end = strstr(text, "\r\n\r\n");
                if (end && length == 0) {
                        const char *field = strstr(text, "Content-Length: ");

                        length = (size_t)(end + 4 - text) +
                                 (field ? strtoul(field + 16, NULL, 10) : 0);
                }
        } while (length == 0 || n < length);
        return 0;
}

int main(int argc, char **argv)
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        char request[300];
        int fd = socket(AF_INET, SOCK_STREAM, 0), size;

        if (argc != 4)
                return 2;
        address.sin_port = htons((uint16_t)atoi(argv[2]));
        size = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", argv[3]);
        if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
                return 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
        for (int i = atoi(argv[1]); i > 0; i--)
                if (send(fd, request, (size_t)size, 0) != size || await(fd) < 0)
                        return 1;
        return 0;
}
