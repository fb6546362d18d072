/* ---- external port allocation ---------------------------------------------------------------- */

static struct { uint32_t ip; int base; } blocks[4096];
static int n_blocks;

static int port_free(int p, uint32_t rip, uint16_t rp) {
  for (mapping *m = t_ext[p]; m; m = m->ext_next) {
    if (!cfg.overload || m->is_static) return 0;
    if (m->d_ip == rip && m->d_port == rp) return 0;
  }
  return 1;
}

static int pick_in(int lo, int hi, uint32_t rip, uint16_t rp) {
  int n = hi - lo + 1;
  for (int i = 0; i < 64; i++) {
    int p = lo + rng() % n;
    if (port_free(p, rip, rp)) return p;
  }
  int s = rng() % n;
  for (int i = 0; i < n; i++) {
    int p = lo + (s + i) % n;
    if (port_free(p, rip, rp)) return p;
  }
  return -1;
}

static int alloc_port(uint32_t ip, uint16_t inport, uint32_t rip, uint16_t rp) {
  int n = cfg.hi - cfg.lo + 1;
  switch (cfg.alloc) {
    case AL_PRESERVE:
      if (inport >= cfg.lo && inport <= cfg.hi && port_free(inport, rip, rp)) return inport;
      return pick_in(cfg.lo, cfg.hi, rip, rp);
    case AL_SEQUENTIAL:
      if (cur_seq < 0) cur_seq = rng() % n;
      for (int i = 0; i < n; i++) {
        cur_seq = (cur_seq + (i ? 1 : cfg.step)) % n;
        if (port_free(cfg.lo + cur_seq, rip, rp)) return cfg.lo + cur_seq;
      }
      return -1;
    case AL_BLOCK: {
      for (int i = 0; i < n_blocks; i++)
        if (blocks[i].ip == ip) return pick_in(blocks[i].base, blocks[i].base + cfg.block - 1, rip, rp);
      int nb = n / cfg.block;
      for (int t = 0; t < 10000 && n_blocks < 4096; t++) {
        int base = cfg.lo + (int)(rng() % nb) * cfg.block, used = 0;
        for (int i = 0; i < n_blocks; i++) used |= blocks[i].base == base;
        if (used) continue;
        blocks[n_blocks].ip = ip;
        blocks[n_blocks++].base = base;
        return pick_in(base, base + cfg.block - 1, rip, rp);
      }
      return -1;
    }
    default:
      return pick_in(cfg.lo, cfg.hi, rip, rp);
  }
}

static mapping *map_new(uint32_t ip, uint16_t p, uint32_t dip, uint16_t dp, int ext) {
  mapping *m = calloc(1, sizeof *m);
  m->in_ip = ip;
  m->in_port = p;
  m->d_ip = dip;
  m->d_port = dp;
  m->ext = ext;
  m->created = now_ms;
  m->ext_next = t_ext[ext];
  t_ext[ext] = m;
  if (++n_map > peak_map) peak_map = n_map;
  return m;
}

/* ---- the NAT itself -------------------------------------------------------------------------- */

/* outbound packet inside -> remote; returns external port or -1 */
static int nat_out(uint32_t ip, uint16_t p, uint32_t rip, uint16_t rp) {
  flow *f = find_out(ip, p, rip, rp);
  if (f && flow_expired(f)) {
    flow_free(f);
    f = NULL;
  }
  if (!f) {
    uint32_t dip = cfg.map == MAP_EIM ? 0 : rip;
    uint16_t dp = cfg.map == MAP_EDM ? rp : 0;
    mapping *m = find_map(ip, p, dip, dp);
    if (m && !m->is_static) {
      expire_mapping(m);
      m = find_map(ip, p, dip, dp);
    }
    if (!m) {
      if (n_flow >= cfg.max_flows) {
        st.drop_full++;
        return -1;
      }
      int ext = alloc_port(ip, p, rip, rp);
      if (ext < 0) {
        st.drop_noport++;
        return -1;
      }
      m = map_new(ip, p, dip, dp, ext);
      map_list_out(m);
    }
    f = find_in(m, rip, rp); /* reply=new: an inbound-only flow may already sit on this mapping */
    if (f) {
      if (!f->in_out_table) list_flow_out(f);
    } else if (!(f = flow_new(m, rip, rp, 1))) {
      if (m->nflows == 0 && !m->is_static) map_free(m);
      return -1;
    }
  }
  if (!f->from_inside) {
    f->from_inside = 1;
    addr_add(f->m, f->rip);
    if (f->pk_in) f->replied = 1;
  }
  f->last = now_ms;
  f->pk_out++;
  return f->m->ext;
}

/* inbound packet remote -> external port; returns the mapping it is delivered to, or NULL */
static mapping *nat_in(uint16_t ext, uint32_t rip, uint16_t rp) {
  if (!t_ext[ext]) {
    st.drop_nomap++;
    return NULL;
  }
  for (mapping *m = t_ext[ext], *mn; m; m = mn) {
    mn = m->ext_next;
    flow *f = find_in(m, rip, rp);
    if (f && flow_expired(f)) {
      int last = m->nflows == 1 && !m->is_static;
      flow_free(f);
      f = NULL;
      if (last) continue;
    }
    int ok = m->is_static || (f && f->from_inside);
    if (!ok && cfg.filter == FLT_OPEN)
      for (flow *g = m->flows; g && !ok; g = g->m_next) ok = !flow_expired(g);
    if (!ok && cfg.filter == FLT_ADDR && find_addr(m, rip))
      for (flow *g = m->flows; g && !ok; g = g->m_next) ok = g->from_inside && g->rip == rip && !flow_expired(g);
    if (!ok) continue;
    if (!f) f = find_in(m, rip, rp);
    if (!f) {
      int sticky = (cfg.reply_session || m->is_static) && !find_out(m->in_ip, m->in_port, rip, rp);
      if (!(f = flow_new(m, rip, rp, sticky))) return NULL;
    }
    f->pk_in++;
    if (f->from_inside) f->replied = 1;
    if (cfg.refresh_in) f->last = now_ms;
    return m;
  }
  if (!t_ext[ext]) st.drop_nomap++;
  else st.drop_filter++;
  return NULL;
}

