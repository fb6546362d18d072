/* ---- tables ---------------------------------------------------------------------------------- */

static flow *find_out(uint32_t ip, uint16_t p, uint32_t rip, uint16_t rp) {
  for (flow *f = t_out[h_map(ip, p, rip, rp)]; f; f = f->out_next)
    if (f->m->in_ip == ip && f->m->in_port == p && f->rip == rip && f->rport == rp) return f;
  return NULL;
}
static flow *find_in(mapping *m, uint32_t rip, uint16_t rp) {
  for (flow *f = t_in[h_in(m, rip, rp)]; f; f = f->in_next)
    if (f->m == m && f->rip == rip && f->rport == rp) return f;
  return NULL;
}
static addrperm *find_addr(mapping *m, uint32_t rip) {
  for (addrperm *a = t_addr[h_in(m, rip, 0)]; a; a = a->next)
    if (a->m == m && a->rip == rip) return a;
  return NULL;
}
static void addr_add(mapping *m, uint32_t rip) {
  addrperm *a = find_addr(m, rip);
  if (!a) {
    a = calloc(1, sizeof *a);
    a->m = m;
    a->rip = rip;
    uint32_t h = h_in(m, rip, 0);
    a->next = t_addr[h];
    t_addr[h] = a;
  }
  a->count++;
}
static void addr_del(mapping *m, uint32_t rip) {
  addrperm **pp = &t_addr[h_in(m, rip, 0)];
  for (; *pp; pp = &(*pp)->next)
    if ((*pp)->m == m && (*pp)->rip == rip) {
      if (--(*pp)->count == 0) {
        addrperm *a = *pp;
        *pp = a->next;
        free(a);
      }
      return;
    }
}

static mapping *find_map(uint32_t ip, uint16_t p, uint32_t dip, uint16_t dp) {
  for (mapping *m = t_map[h_map(ip, p, dip, dp)]; m; m = m->out_next)
    if (m->in_ip == ip && m->in_port == p && m->d_ip == dip && m->d_port == dp) return m;
  return NULL;
}

static void map_list_out(mapping *m) {
  uint32_t h = h_map(m->in_ip, m->in_port, m->d_ip, m->d_port);
  m->out_next = t_map[h];
  t_map[h] = m;
  m->out_listed = 1;
}
static void map_unlist_out(mapping *m) {
  if (!m->out_listed) return;
  for (mapping **pp = &t_map[h_map(m->in_ip, m->in_port, m->d_ip, m->d_port)]; *pp; pp = &(*pp)->out_next)
    if (*pp == m) {
      *pp = m->out_next;
      break;
    }
  m->out_listed = 0;
}
static void map_free(mapping *m) {
  map_unlist_out(m);
  for (mapping **pp = &t_ext[m->ext]; *pp; pp = &(*pp)->ext_next)
    if (*pp == m) {
      *pp = m->ext_next;
      break;
    }
  free(m);
  n_map--;
}

static void flow_free(flow *f) {
  mapping *m = f->m;
  if (f->in_out_table)
    for (flow **pp = &t_out[h_map(m->in_ip, m->in_port, f->rip, f->rport)]; *pp; pp = &(*pp)->out_next)
      if (*pp == f) {
        *pp = f->out_next;
        break;
      }
  for (flow **pp = &t_in[h_in(m, f->rip, f->rport)]; *pp; pp = &(*pp)->in_next)
    if (*pp == f) {
      *pp = f->in_next;
      break;
    }
  if (f->from_inside) addr_del(m, f->rip);
  if (f->m_prev) f->m_prev->m_next = f->m_next;
  else m->flows = f->m_next;
  if (f->m_next) f->m_next->m_prev = f->m_prev;
  m->nflows--;
  n_flow--;
  free(f);
  if (m->nflows == 0 && !m->is_static) map_free(m);
}

static int flow_expired(flow *f) {
  uint64_t t = (f->from_inside && f->replied) ? cfg.timeout : cfg.unreplied;
  return now_ms - f->last > t;
}

static void list_flow_out(flow *f) {
  uint32_t h = h_map(f->m->in_ip, f->m->in_port, f->rip, f->rport);
  f->out_next = t_out[h];
  t_out[h] = f;
  f->in_out_table = 1;
}

static flow *flow_new(mapping *m, uint32_t rip, uint16_t rp, int out_table) {
  if (n_flow >= cfg.max_flows) {
    st.drop_full++;
    return NULL;
  }
  flow *f = calloc(1, sizeof *f);
  f->m = m;
  f->rip = rip;
  f->rport = rp;
  f->last = f->created = now_ms;
  uint32_t h = h_in(m, rip, rp);
  f->in_next = t_in[h];
  t_in[h] = f;
  if (out_table) list_flow_out(f);
  f->m_next = m->flows;
  if (m->flows) m->flows->m_prev = f;
  m->flows = f;
  m->nflows++;
  if (++n_flow > peak_flow) peak_flow = n_flow;
  return f;
}

static void sweep(void) {
  for (int p = 0; p < 65536; p++)
    for (mapping *m = t_ext[p], *mn; m; m = mn) {
      mn = m->ext_next;
      for (flow *f = m->flows, *fn; f; f = fn) {
        fn = f->m_next;
        int last = fn == NULL && m->nflows == 1;
        if (flow_expired(f)) {
          st.expired++;
          flow_free(f); /* may free m */
          if (last) break;
        }
      }
    }
}

/* expire the stale flows of one inside endpoint before it is used, so that timers are exact */
static void expire_mapping(mapping *m) {
  for (flow *f = m->flows, *fn; f; f = fn) {
    fn = f->m_next;
    int last = fn == NULL && m->nflows == 1;
    if (flow_expired(f)) {
      st.expired++;
      flow_free(f);
      if (last) return;
    }
  }
}

static void flush_all(void) {
  for (int p = 0; p < 65536; p++)
    for (mapping *m = t_ext[p], *mn; m; m = mn) {
      mn = m->ext_next;
      while (m->nflows) {
        int last = m->nflows == 1 && !m->is_static;
        flow_free(m->flows);
        if (last) break;
      }
    }
}
