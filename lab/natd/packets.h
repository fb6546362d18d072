/* ---- packets --------------------------------------------------------------------------------- */

static uint16_t csum_fix(uint16_t c, const void *oldp, const void *newp, int words) {
  uint16_t o[2], n[2];
  uint32_t s = (uint16_t)~c;
  memcpy(o, oldp, 2 * words);
  memcpy(n, newp, 2 * words);
  for (int i = 0; i < words; i++) s += (uint16_t)~o[i] + n[i];
  while (s >> 16) s = (s & 0xffff) + (s >> 16);
  return ~s;
}
static uint16_t csum(const void *p, int len) {
  const uint16_t *w = p;
  uint32_t s = 0;
  for (; len > 1; len -= 2) s += *w++;
  if (len) s += *(const uint8_t *)w;
  while (s >> 16) s = (s & 0xffff) + (s >> 16);
  return ~s;
}

/* rewrite an address and a port (network order in packet); fixes IP and UDP checksums */
static void rewrite(uint8_t *pk, int ihl, int ip_off, int port_off, uint32_t ip, uint16_t port) {
  uint32_t nip = htonl(ip), oip;
  uint16_t np = htons(port), op;
  memcpy(&oip, pk + ip_off, 4);
  memcpy(&op, pk + ihl + port_off, 2);
  uint16_t *ic = (uint16_t *)(pk + 10), *uc = (uint16_t *)(pk + ihl + 6);
  *ic = csum_fix(*ic, &oip, &nip, 2);
  if (*uc) {
    uint16_t c = csum_fix(*uc, &oip, &nip, 2);
    c = csum_fix(c, &op, &np, 1);
    *uc = c ? c : 0xffff;
  }
  memcpy(pk + ip_off, &nip, 4);
  memcpy(pk + ihl + port_off, &np, 2);
}

/* the kernel forwards the packet twice; give one hop back so that the router costs one hop in all */
static void ttl_up(uint8_t *pk) {
  uint16_t o, n;
  memcpy(&o, pk + 8, 2);
  if (pk[8] < 255) pk[8]++;
  memcpy(&n, pk + 8, 2);
  uint16_t *ic = (uint16_t *)(pk + 10);
  *ic = csum_fix(*ic, &o, &n, 1);
}

static void emit(uint8_t *pk, int len) {
  if (write(tun_fd, pk, len) < 0) st.bad++;
}

static uint32_t rd32(const uint8_t *p) { uint32_t v; memcpy(&v, p, 4); return ntohl(v); }
static uint16_t rd16(const uint8_t *p) { uint16_t v; memcpy(&v, p, 2); return ntohs(v); }

/* ICMP error about a packet of ours: hand it to the inside endpoint it concerns */
static void icmp_in(uint8_t *pk, int len, int ihl) {
  uint8_t *ic = pk + ihl, *ip2 = ic + 8;
  if (len < ihl + 8 + 28) return;
  int ihl2 = (ip2[0] & 15) * 4;
  if (len < ihl + 8 + ihl2 + 8 || ip2[9] != 17 || rd32(ip2 + 12) != wan_ip) return;
  uint16_t ext = rd16(ip2 + ihl2), rp = rd16(ip2 + ihl2 + 2);
  uint32_t rip = rd32(ip2 + 16);
  for (mapping *m = t_ext[ext]; m; m = m->ext_next) {
    flow *f = find_in(m, rip, rp);
    if (!f || !f->from_inside) continue;
    uint32_t nip = htonl(m->in_ip);
    uint16_t np = htons(m->in_port);
    memcpy(ip2 + 12, &nip, 4);
    memcpy(ip2 + ihl2, &np, 2);
    memset(ip2 + ihl2 + 6, 0, 2);
    memset(ip2 + 10, 0, 2);
    uint16_t c = csum(ip2, ihl2);
    memcpy(ip2 + 10, &c, 2);
    memset(ic + 2, 0, 2);
    c = csum(ic, len - ihl);
    memcpy(ic + 2, &c, 2);
    memcpy(pk + 16, &nip, 4);
    memset(pk + 10, 0, 2);
    c = csum(pk, ihl);
    memcpy(pk + 10, &c, 2);
    ttl_up(pk);
    st.icmp++;
    emit(pk, len);
    return;
  }
}

/* ---- fragments: put together, translated as one packet, cut again by the kernel ------------------ */

