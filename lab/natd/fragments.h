/* ---- fragments: put together, translated as one packet, cut again by the kernel ------------------ */

#define RN 64
static struct reasm {
  uint32_t src, dst;
  uint16_t id;
  uint8_t used;
  uint64_t at;
  int have, total; /* payload bytes so far; payload length once the last fragment is known */
  uint8_t head[60], map[8192];
  int ihl;
  uint8_t data[65536];
} *reasm;

/* takes a fragment; returns the length of the whole packet (put into out), or 0 */
static int fragment(const uint8_t *pk, int len, int ihl, uint8_t *out) {
  uint16_t fo = rd16(pk + 6);
  int off = (fo & 0x1fff) * 8, n = len - ihl, more = fo & 0x2000;
  uint32_t src = rd32(pk + 12), dst = rd32(pk + 16);
  uint16_t id = rd16(pk + 4);
  if (n <= 0 || off + n > 65515 || (more && n % 8)) return 0;
  if (!reasm) reasm = calloc(RN, sizeof *reasm);
  struct reasm *r = NULL, *oldest = reasm;
  for (int i = 0; i < RN; i++) {
    struct reasm *x = &reasm[i];
    if (x->used && now_ms - x->at > 3000) x->used = 0;
    if (x->used && x->src == src && x->dst == dst && x->id == id) r = x;
    if (!x->used || (oldest->used && x->at < oldest->at)) oldest = x;
  }
  if (!r) {
    r = oldest;
    memset(r, 0, offsetof(struct reasm, data));
    r->used = 1;
    r->src = src;
    r->dst = dst;
    r->id = id;
    r->at = now_ms;
  }
  for (int u = off / 8; u < (off + n + 7) / 8; u++) {
    if (r->map[u]) { /* overlap: refuse the lot */
      r->used = 0;
      return 0;
    }
    r->map[u] = 1;
  }
  memcpy(r->data + off, pk + ihl, n);
  r->have += n;
  if (!off) memcpy(r->head, pk, r->ihl = ihl);
  if (!more) r->total = off + n;
  if (!r->total || r->have != r->total || !r->ihl) return 0;
  memcpy(out, r->head, r->ihl);
  memcpy(out + r->ihl, r->data, r->total);
  int whole = r->ihl + r->total;
  out[2] = whole >> 8;
  out[3] = whole;
  out[6] = out[7] = 0;
  out[10] = out[11] = 0;
  uint16_t c = csum(out, r->ihl);
  memcpy(out + 10, &c, 2);
  r->used = 0;
  return whole;
}

static void packet(uint8_t *pk, int len) {
  static uint8_t whole[65600];
  if (len < 20 || (pk[0] >> 4) != 4) return;
  int ihl = (pk[0] & 15) * 4;
  if (len < ihl) return;
  if (rd16(pk + 6) & 0x3fff) {
    if (!(len = fragment(pk, len, ihl, whole))) return;
    pk = whole;
    ihl = (pk[0] & 15) * 4;
  }
  uint32_t src = rd32(pk + 12), dst = rd32(pk + 16);
  if (pk[9] == 1) {
    if (dst == wan_ip) icmp_in(pk, len, ihl);
    return;
  }
  if (pk[9] != 17 || len < ihl + 8) {
    st.bad++;
    return;
  }
  uint16_t sp = rd16(pk + ihl), dp = rd16(pk + ihl + 2);
  /* The source tells the direction: a LAN address leaves (or hairpins), anything else comes in. */
  int from_lan = (src & lan_mask) == lan_net;
  if (from_lan) {
    if (dst == wan_ip && !cfg.hairpin) {
      st.drop_hairpin++;
      return;
    }
    int ext = nat_out(src, sp, dst, dp);
    if (ext < 0) return;
    st.out++;
    rewrite(pk, ihl, 12, 0, wan_ip, ext);
    if (dst != wan_ip) {
      ttl_up(pk);
      emit(pk, len);
      return;
    }
    st.hairpin++;
    src = wan_ip;
    sp = ext;
  }
  if (dst != wan_ip) {
    st.bad++;
    return;
  }
  mapping *m = nat_in(dp, src, sp);
  if (!m) return;
  st.in_ok++;
  rewrite(pk, ihl, 16, 2, m->in_ip, m->in_port);
  ttl_up(pk);
  emit(pk, len);
}

/* ---- port mappings of the IGD ---------------------------------------------------------------- */
