/*
 * natd - a userspace UDP NAT with exact RFC 4787 mapping and filtering behaviour.
 *
 * It owns one TUN device inside a router's network namespace.  The router's kernel sends it every
 * UDP packet that has to cross the NAT, in either direction; it rewrites the packet and writes it
 * back to the same TUN device, and the kernel routes it on.  Anything that is refused is dropped.
 *
 * Vocabulary
 *   mapping   (inside address:port [, destination key]) <-> external port
 *             destination key: none for eim, the address for adm, address:port for edm
 *   flow      one remote address:port seen on one mapping; carries the timers and the permissions
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MAP_EIM, MAP_ADM, MAP_EDM };
enum { FLT_OPEN, FLT_ADDR, FLT_PORT };
enum { AL_PRESERVE, AL_RANDOM, AL_SEQUENTIAL, AL_BLOCK };

static const char *map_names[] = {"eim", "adm", "edm"};
static const char *flt_names[] = {"open", "addr", "port"};
static const char *alloc_names[] = {"preserve", "random", "sequential", "block"};

static struct {
  int map, filter, alloc;
  int lo, hi;         /* external port range */
  int step;           /* sequential allocation step */
  int block;          /* ports per block for alloc=block */
  uint64_t timeout;   /* ms, flow that saw traffic both ways */
  uint64_t unreplied; /* ms, flow that saw traffic one way only */
  int refresh_in;     /* inbound packets refresh timers */
  int hairpin;
  int reply_session;  /* answer of an accepted inbound packet leaves by the mapping it came in on */
  int overload;       /* an external port may serve several destinations (edm/port only) */
  int static_out;     /* outbound traffic of a port-mapped inside endpoint uses the mapped port; -1: only eim */
  long max_flows;
} cfg = {MAP_EIM, FLT_PORT, AL_RANDOM, 1024, 65535, 1, 512, 120000, 30000, 1, 0, 1, 0, -1, 1000000};

static uint32_t wan_ip, lan_net, lan_mask;
static int tun_fd = -1;
static int cur_seq = -1;

typedef struct flow flow;
typedef struct mapping mapping;

struct mapping {
  uint32_t in_ip, d_ip;
  uint16_t in_port, d_port, ext;
  uint8_t is_static, gone, out_listed;
  int nflows;
  mapping *out_next;  /* T_map chain */
  mapping *ext_next;  /* T_ext chain */
  flow *flows;
  uint64_t created;
};

struct flow {
  mapping *m;
  uint32_t rip;
  uint16_t rport;
  uint8_t from_inside, replied, in_out_table;
  uint64_t last, created, pk_out, pk_in;
  flow *out_next, *in_next; /* hash chains */
  flow *m_next, *m_prev;    /* list in mapping */
};

typedef struct addrperm {
  mapping *m;
  uint32_t rip;
  int count;
  struct addrperm *next;
} addrperm;

#define HB 17
#define HN (1u << HB)
static mapping *t_map[HN];
static mapping *t_ext[65536];
static flow *t_out[HN], *t_in[HN];
static addrperm *t_addr[HN];
static long n_map, n_flow, peak_map, peak_flow;

static struct {
  uint64_t out, in_ok, drop_nomap, drop_filter, drop_full, drop_noport, drop_hairpin, hairpin, icmp, bad, expired;
} st;

static uint64_t now_ms;

static uint64_t clock_ms(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (uint64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static uint64_t rng_s[2];
static uint64_t rng(void) { /* xorshift128+ */
  uint64_t a = rng_s[0], b = rng_s[1];
  rng_s[0] = b;
  a ^= a << 23;
  rng_s[1] = a ^ b ^ (a >> 17) ^ (b >> 26);
  return rng_s[1] + b;
}

static uint32_t mix(uint64_t a, uint64_t b) {
  uint64_t h = a * 0x9E3779B97F4A7C15ull ^ (b + 0x7F4A7C15ull) * 0xC2B2AE3D27D4EB4Full;
  h ^= h >> 29;
  h *= 0xBF58476D1CE4E5B9ull;
  h ^= h >> 32;
  return (uint32_t)h & (HN - 1);
}
static uint32_t h_map(uint32_t ip, uint16_t p, uint32_t dip, uint16_t dp) {
  return mix(((uint64_t)ip << 16) | p, ((uint64_t)dip << 16) | dp);
}
static uint32_t h_in(mapping *m, uint32_t rip, uint16_t rp) { return mix((uintptr_t)m >> 4, ((uint64_t)rip << 16) | rp); }
