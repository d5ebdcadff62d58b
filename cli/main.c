/* SPDX-License-Identifier: MIT */
/*
 * muster: the command
 */
#include "command.h"

#include <fcntl.h>
#include <muster/version.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
        const char *name;
        const char *help;
        int (*run)(int argc, char **argv);
} commands[] = {
        { "fetch", "fetch many URLs at once; one line of JSON per result", fetch_main },
        { "watch", "run a program unchanged and say why it is slow, and which line to change",
                watch_main },
        { "explain", "why a recorded run was slow, what to change, and what that gains",
                explain_main },
        { "compare",
                "the same requests one by one, with threads and with an event loop: which is faster, and why",
                compare_main },
        { "sweep", "throughput and latency at rising concurrency, and the limit to use",
                sweep_main },
        { "lab", "a test server and a network with adjustable conditions", lab_main },
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *to)
{
        fprintf(to, "usage: muster COMMAND [options]\n\n");
        for (size_t i = 0; i < N_COMMANDS; i++)
                fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].help);
        fprintf(to,
                "\nmuster COMMAND --help shows the options of a command, muster --version the version.\n");
}

/*
 * Where one of the standard descriptors is closed, the next file that is opened would get its
 * number, and what is printed. In its place comes one that nothing can be read from or written to.
 */
static int fill_standard(void)
{
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
                if (fcntl(fd, F_GETFD) < 0 &&
                        open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
                        return -1;
        return 0;
}

int main(int argc, char **argv)
{
        if (fill_standard() < 0)
                return EXIT_COULD_NOT_RUN; /* there is nowhere to say so */
        signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error as a full disk is */
        if (argc < 2) {
                usage(stderr);
                return EXIT_USAGE;
        }
        if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
                strcmp(argv[1], "help") == 0) {
                usage(stdout);
                return EXIT_ALL_SUCCEEDED;
        }
        if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
                printf("muster %s\n", muster_version());
                return EXIT_ALL_SUCCEEDED;
        }
        for (size_t i = 0; i < N_COMMANDS; i++)
                if (strcmp(argv[1], commands[i].name) == 0)
                        return commands[i].run(argc - 2, argv + 2);
        fprintf(stderr, "muster: unknown command \"%s\"; muster --help lists the commands\n",
                argv[1]);
        if (strncmp(argv[1], "http", 4) == 0)
                fprintf(stderr, "muster: to fetch this URL, write: muster fetch %s\n", argv[1]);
        return EXIT_USAGE;
}
