/* ---- port mappings of a router that takes them over IGD: a lease file, as miniupnpd writes it ------- */

static const char *lease_path;

static void load_leases(void) {
  static uint8_t seen[65536];
  memset(seen, 0, sizeof seen);
  FILE *fh = fopen(lease_path, "r");
  char line[512];
  while (fh && fgets(line, sizeof line, fh)) {
    unsigned ep, ip;
    char proto[8], addr[64];
    if (sscanf(line, "%7[^:]:%u:%63[^:]:%u:", proto, &ep, addr, &ip) != 4 || strcmp(proto, "UDP")) continue;
    struct in_addr a;
    if (!inet_aton(addr, &a) || ep > 65535 || ip > 65535) continue;
    uint32_t in = ntohl(a.s_addr);
    seen[ep] = 1;
    mapping *m;
    for (m = t_ext[ep]; m && !m->is_static; m = m->ext_next)
      ;
    if (m && m->in_ip == in && m->in_port == ip) continue;
    /* the port belongs to the IGD now: whatever used it is gone */
    for (mapping *x = t_ext[ep], *xn; x; x = xn) {
      xn = x->ext_next;
      x->is_static = 0;
      if (!x->nflows) map_free(x);
      else while (x->nflows) {
        int last = x->nflows == 1;
        flow_free(x->flows);
        if (last) break;
      }
    }
    m = map_new(in, ip, 0, 0, ep);
    m->is_static = 1;
    int so = cfg.static_out >= 0 ? cfg.static_out : cfg.map == MAP_EIM;
    if (so && cfg.map == MAP_EIM) {
      mapping *old = find_map(in, ip, 0, 0);
      if (old) map_unlist_out(old); /* flows already there keep their mapping */
      map_list_out(m);
    }
  }
  if (fh) fclose(fh);
  for (int p = 0; p < 65536; p++)
    for (mapping *m = t_ext[p], *mn; m; m = mn) {
      mn = m->ext_next;
      if (!m->is_static || seen[p]) continue;
      m->is_static = 0;
      if (!m->nflows) map_free(m);
      else while (m->nflows) {
        int last = m->nflows == 1;
        flow_free(m->flows);
        if (last) break;
      }
    }
}

/* ---- control ---------------------------------------------------------------------------------- */
