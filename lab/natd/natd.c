/* The NAT itself: one program, one file for each subject. state.h says what it does. */
#include "state.h"
#include "tables.h"
#include "mapping.h"
#include "packets.h"
#include "fragments.h"
#include "leases.h"
#include "control.h"

}

int main(int argc, char **argv) {
  const char *tun = "nat0", *ns = NULL, *ctl = NULL;
  signal(SIGPIPE, SIG_IGN);
  if (getrandom(rng_s, sizeof rng_s, 0) != sizeof rng_s) die("getrandom");
  for (int i = 1; i < argc; i++) {
    char *eq = strchr(argv[i], '=');
    if (!eq) {
      fprintf(stderr, "usage: natd KEY=VALUE...\n");
      return 2;
    }
    *eq = 0;
    const char *k = argv[i], *v = eq + 1;
    if (!strcmp(k, "tun")) tun = v;
    else if (!strcmp(k, "netns")) ns = v;
    else if (!strcmp(k, "ctl")) ctl = v;
    else if (!strcmp(k, "leases")) lease_path = v;
    else if (!strcmp(k, "seed")) { rng_s[0] = strtoull(v, 0, 10) * 0x9E3779B97F4A7C15ull + 1; rng_s[1] = rng_s[0] ^ 0xdeadbeefcafef00dull; for (int j = 0; j < 20; j++) rng(); }
    else if (!strcmp(k, "lan")) {
      char a[64];
      int bits;
      struct in_addr ia;
      if (sscanf(v, "%63[^/]/%d", a, &bits) != 2 || !inet_aton(a, &ia)) return 2;
      lan_mask = bits ? ~0u << (32 - bits) : 0;
      lan_net = ntohl(ia.s_addr) & lan_mask;
    } else if (set_option(k, v)) {
      fprintf(stderr, "natd: bad option %s=%s\n", k, v);
      return 2;
    }
    *eq = '=';
  }
  if (cfg.overload && !(cfg.map == MAP_EDM && cfg.filter == FLT_PORT)) {
    fprintf(stderr, "natd: overload needs map=edm filter=port\n");
    return 2;
  }
  int cs = -1;
  if (ctl) {
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    if (strlen(ctl) >= sizeof un.sun_path) die("ctl path too long");
    strcpy(un.sun_path, ctl);
    unlink(ctl);
    cs = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(cs, (void *)&un, sizeof un)) die("ctl");
  }
  int ino = -1;
  if (lease_path) {
    int fd = open(lease_path, O_CREAT | O_RDONLY, 0644);
    if (fd >= 0) close(fd);
    ino = inotify_init1(IN_NONBLOCK);
    char dir[512];
    snprintf(dir, sizeof dir, "%s", lease_path);
    char *sl = strrchr(dir, '/');
    if (sl) *sl = 0;
    else strcpy(dir, ".");
    if (inotify_add_watch(ino, dir, IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE) < 0) die("inotify");
  }
  if (ns) {
    int fd = open(ns, O_RDONLY);
    if (fd < 0 || setns(fd, CLONE_NEWNET)) die("netns");
    close(fd);
  }
  tun_fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  if (tun_fd < 0) die("tun");
  struct ifreq ifr;
  memset(&ifr, 0, sizeof ifr);
  ifr.ifr_flags = IFF_TUN | IFF_NO_PI;
  strncpy(ifr.ifr_name, tun, IFNAMSIZ - 1);
  if (ioctl(tun_fd, TUNSETIFF, &ifr)) die("TUNSETIFF");
  now_ms = clock_ms();
  if (lease_path) load_leases();
  if (cs >= 0 && listen(cs, 8)) die("listen");
  fprintf(stderr, "natd: ready %s/%s/%s on %s\n", map_names[cfg.map], flt_names[cfg.filter], alloc_names[cfg.alloc], ips(wan_ip));

  static uint8_t buf[65600];
  uint64_t next_sweep = now_ms + 1000;
  for (;;) {
    struct pollfd pf[3] = {{tun_fd, POLLIN, 0}, {cs, POLLIN, 0}, {ino, POLLIN, 0}};
    int r = poll(pf, 3, 500);
    now_ms = clock_ms();
    if (r > 0 && (pf[0].revents & POLLIN)) {
      for (int i = 0; i < 256; i++) {
        int n = read(tun_fd, buf, sizeof buf);
        if (n <= 0) break;
        packet(buf, n);
      }
    }
    if (r > 0 && (pf[0].revents & (POLLERR | POLLHUP))) return 0;
    if (r > 0 && cs >= 0 && (pf[1].revents & POLLIN)) control(cs);
    if (r > 0 && ino >= 0 && (pf[2].revents & POLLIN)) {
      char eb[4096];
      while (read(ino, eb, sizeof eb) > 0)
        ;
      load_leases();
    }
    if (now_ms >= next_sweep) {
      sweep();
      next_sweep = now_ms + 1000;
    }
  }
}
