/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/child.h"
#include "base/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct running {
    struct running *next;
    struct tv_children *owner;
    int64_t ticket;
    pid_t pid;
    int input_fd; /* -1: all written */
    char *input;
    size_t input_len, written;
    sd_event_source *exit, *timer, *writable;
    bool timed_out;
};

struct tv_children {
    sd_event *loop;
    struct running *list;
    void (*done)(void *ctx, int64_t ticket, bool ok, const char *reason);
    void *ctx;
};

struct tv_children *tv_children_new(
    sd_event *loop, void (*done)(void *ctx, int64_t ticket, bool ok, const char *reason), void *ctx)
{
    struct tv_children *children = tv_xcalloc(1, sizeof *children);
    *children = (struct tv_children){.loop = loop, .done = done, .ctx = ctx};
    return children;
}

static void close_input(struct running *run)
{
    run->writable = sd_event_source_disable_unref(run->writable);
    if (run->input_fd >= 0)
        close(run->input_fd);
    run->input_fd = -1;
}

static void free_running(struct running *run)
{
    struct running **at = &run->owner->list;
    while (*at && *at != run)
        at = &(*at)->next;
    if (*at)
        *at = run->next;
    close_input(run);
    sd_event_source_disable_unref(run->exit);
    sd_event_source_disable_unref(run->timer);
    free(run->input);
    free(run);
}

/* The whole group, and nothing is left of the child itself. */
static void end_child(pid_t pid)
{
    kill(-pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

static int on_exit_status(sd_event_source *source, const siginfo_t *info, void *ctx)
{
    (void)source;
    struct running *run = ctx;
    struct tv_children *owner = run->owner;
    int64_t ticket = run->ticket;
    bool ok = info->si_code == CLD_EXITED && info->si_status == 0 && !run->timed_out;
    char reason[96] = "";
    if (run->timed_out)
        snprintf(reason, sizeof reason, "the command ran past its time limit and was killed");
    else if (!ok)
        snprintf(reason, sizeof reason, "the command ended with %s %d",
                 info->si_code == CLD_EXITED ? "status" : "signal", info->si_status);
    free_running(run);
    owner->done(owner->ctx, ticket, ok, reason);
    return 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *ctx)
{
    (void)source;
    (void)usec;
    struct running *run = ctx;
    run->timed_out = true;
    kill(-run->pid, SIGKILL); /* the whole process group */
    return 0;
}

static int on_writable(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
    (void)source;
    struct running *run = ctx;
    ssize_t n = events & EPOLLERR
                    ? -1
                    : write(fd, run->input + run->written, run->input_len - run->written);
    if (n > 0)
        run->written += (size_t)n;
    if ((n < 0 && errno != EAGAIN && errno != EINTR) || run->written == run->input_len)
        close_input(run); /* a child that does not read it all may still succeed */
    return 0;
}

/* Our environment and what is added to it; the result is malloc'd, its strings are borrowed. */
static char **environment_with(const char *const *added)
{
    size_t ours = 0, more = 0;
    while (environ[ours])
        ours++;
    while (added && added[more])
        more++;
    char **all = tv_xcalloc(ours + more + 1, sizeof(char *));
    memcpy(all, environ, ours * sizeof(char *));
    for (size_t i = 0; i < more; i++)
        all[ours + i] = (char *)added[i];
    return all;
}

static int spawn(const struct tv_child *child, int input, pid_t *ret)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, defaults;
    char **environment = environment_with(child->environment);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attributes);
    sigemptyset(&none);
    sigfillset(&defaults);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
    int error = posix_spawnp(ret, child->argv[0], &actions, &attributes, (char *const *)child->argv,
                             environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    free(environment);
    return error;
}

enum tv_status tv_children_start(struct tv_children *children, const struct tv_child *child,
                                 int64_t ticket, struct tv_error *reterr)
{
    int pipe_fds[2];
    pid_t pid;
    if (pipe2(pipe_fds, O_CLOEXEC) != 0)
        return tv_fail(reterr, TV_EIO, "no pipe for %.80s: %s", child->argv[0],
                       strerrordesc_np(errno));
    int error = spawn(child, pipe_fds[0], &pid);
    close(pipe_fds[0]);
    if (error) {
        close(pipe_fds[1]);
        return tv_fail(reterr, TV_EIO, "%.80s cannot be started: %s", child->argv[0],
                       strerrordesc_np(error));
    }
    fcntl(pipe_fds[1], F_SETFL, O_NONBLOCK);
    struct running *run = tv_xcalloc(1, sizeof *run);
    *run = (struct running){.next = children->list,
                            .owner = children,
                            .ticket = ticket,
                            .pid = pid,
                            .input_fd = pipe_fds[1],
                            .input = tv_xstrndup(child->input, child->input_len),
                            .input_len = child->input_len};
    children->list = run;
    int r = sd_event_add_child(children->loop, &run->exit, pid, WEXITED, on_exit_status, run);
    if (r >= 0)
        r = sd_event_add_time_relative(children->loop, &run->timer, CLOCK_MONOTONIC,
                                       (uint64_t)(child->timeout * 1e6), 0, on_timeout, run);
    if (r >= 0)
        r = sd_event_add_io(children->loop, &run->writable, run->input_fd, EPOLLOUT, on_writable,
                            run);
    if (r < 0) {
        free_running(run);
        end_child(pid);
        return tv_fail(reterr, TV_EIO, "%.80s cannot be waited for: %s", child->argv[0],
                       strerrordesc_np(-r));
    }
    return TV_OK;
}

size_t tv_children_running(const struct tv_children *children)
{
    size_t n = 0;
    for (const struct running *run = children->list; run; run = run->next)
        n++;
    return n;
}

void tv_children_free(struct tv_children *children)
{
    for (struct running *run = children ? children->list : NULL, *next; run; run = next) {
        pid_t pid = run->pid;
        next = run->next;
        free_running(run);
        end_child(pid);
    }
    free(children);
}
