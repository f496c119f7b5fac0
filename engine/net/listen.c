// SPDX-License-Identifier: Apache-2.0
#include "engine/net/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096

static int resolve(const char *host, uint16_t port, struct addrinfo **ret, struct err_info *info)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV | AI_NUMERICHOST};
    char service[8];
    int err;

    snprintf(service, sizeof service, "%u", port);
    err = getaddrinfo(host, service, &hints, ret);
    if (err == EAI_NONAME) {
        hints.ai_flags &= ~AI_NUMERICHOST;
        err = getaddrinfo(host, service, &hints, ret);
    }
    if (!err) return 0;
    return err_set(info, ERR_CONFIG,
                   "cannot listen on '%s': %s; give an address of this machine (try: ip -br addr)",
                   host, gai_strerror(err));
}

static int explain(const char *host, uint16_t port, int error, struct err_info *info)
{
    switch (error) {
    case EADDRINUSE:
        return err_set(info, ERR_SYSTEM,
                       "port %u on %s is taken, perhaps by an engine that still runs; try: "
                       "ss -ltnp 'sport = :%u', which names who holds it",
                       port, host, port);
    case EACCES:
        return err_set(info, ERR_SYSTEM,
                       "port %u may be bound by root only; try: one above 1023, or setcap "
                       "cap_net_bind_service=+ep on the program",
                       port);
    case EADDRNOTAVAIL:
        return err_set(info, ERR_SYSTEM, "%s is no address of this machine; try: ip -br addr",
                       host);
    default:
        return err_set(info, ERR_SYSTEM, "cannot listen on %s port %u: %s", host, port,
                       strerror(error));
    }
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage addr;
    socklen_t size = sizeof addr;

    if (getsockname(fd, (struct sockaddr *)&addr, &size) != 0) return 0;
    if (addr.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&addr)->sin6_port);
    return ntohs(((struct sockaddr_in *)&addr)->sin_port);
}

int listen_check(const char *host, uint16_t port, struct err_info *info)
{
    struct addrinfo *found;
    int fd, on = 1, err;

    err = resolve(host, port, &found, info);
    if (err) return err;
    // without SO_REUSEPORT the kernel refuses a port that anybody listens on
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, found->ai_addr, found->ai_addrlen) != 0)
        err = explain(host, port, errno, info);
    freeaddrinfo(found);
    if (fd >= 0) close(fd);
    return err;
}

int listen_open(const char *host, uint16_t port, uint16_t *ret_port, struct err_info *info)
{
    struct addrinfo *found;
    int fd, on = 1, err;

    err = resolve(host, port, &found, info);
    if (err) return err;
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    // TCP_NODELAY is inherited by what is accepted
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0)
        err = explain(host, port, errno, info);
    freeaddrinfo(found);
    if (err) {
        if (fd >= 0) close(fd);
        return err;
    }
    *ret_port = port_of(fd);
    return fd;
}
