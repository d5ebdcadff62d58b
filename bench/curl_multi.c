/* SPDX-License-Identifier: MIT */
/*
 * libcurl as its fastest users drive it: multi, socket action, epoll, handles used again
 *
 *      curl_multi URL CONCURRENCY REQUESTS [CONNECTIONS CA]
 *
 * With CONNECTIONS it speaks HTTP/2, and requests share so many; CA may be empty.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

static int epoll_fd;
static long timeout_ms = -1;
static unsigned long n_started, n_done, n_wanted;
static unsigned long long n_bytes;

static size_t count(char *at, size_t size, size_t n, void *userdata)
{
        (void)at;
        (void)userdata;
        n_bytes += size * n;
        return size * n;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *known)
{
        struct epoll_event event = { .data.fd = fd };
        CURLM *multi = userdata;

        (void)easy;
        if (what == CURL_POLL_REMOVE) {
                epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
                return 0;
        }
        event.events =
                (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
        epoll_ctl(epoll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
        curl_multi_assign(multi, fd, multi);
        return 0;
}

static int on_timer(CURLM *multi, long ms, void *userdata)
{
        (void)multi;
        (void)userdata;
        timeout_ms = ms;
        return 0;
}

static void die(CURLcode code)
{
        fprintf(stderr, "%s, after %lu requests\n", curl_easy_strerror(code), n_done);
        exit(1);
}

static void collect(CURLM *multi)
{
        CURLMsg *message;
        int left;

        while ((message = curl_multi_info_read(multi, &left))) {
                CURL *easy = message->easy_handle;

                if (message->msg != CURLMSG_DONE || message->data.result != CURLE_OK)
                        die(message->data.result);
                n_done++;
                curl_multi_remove_handle(multi, easy);
                if (n_started < n_wanted) {
                        n_started++;
                        curl_multi_add_handle(multi, easy);
                }
        }
}

/* HTTP/2 without asking, and wait for a stream rather than open another connection. */
static void set_http2(CURL *easy, const char *ca)
{
        curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
        curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
        if (*ca)
                curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
}

int main(int argc, char **argv)
{
        struct epoll_event events[512];
        unsigned long concurrency;
        CURLM *multi;
        int running;

        if (argc != 4 && argc != 6)
                return 2;
        concurrency = strtoul(argv[2], NULL, 10);
        n_wanted = strtoul(argv[3], NULL, 10);
        epoll_fd = epoll_create1(0);
        curl_global_init(CURL_GLOBAL_ALL);
        multi = curl_multi_init();
        curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
        curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, multi);
        curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
        curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, concurrency);
        if (argc == 6)
                curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, atol(argv[4]));
        for (unsigned long i = 0; i < concurrency && n_started < n_wanted; i++, n_started++) {
                CURL *easy = curl_easy_init();

                curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
                curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, count);
                if (argc == 6)
                        set_http2(easy, argv[5]);
                curl_multi_add_handle(multi, easy);
        }
        while (n_done < n_wanted) {
                int n = epoll_wait(epoll_fd, events, 512, (int)timeout_ms);

                if (n <= 0) {
                        timeout_ms = -1;
                        curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
                }
                for (int i = 0; i < n; i++)
                        curl_multi_socket_action(multi, events[i].data.fd,
                                (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                                        (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0),
                                &running);
                collect(multi);
        }
        printf("%lu %llu\n", n_done, n_bytes);
        return 0;
}
