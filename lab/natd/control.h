/* ---- control -------------------------------------------------------------------------------------- */

static int name_index(const char **names, int n, const char *v) {
  for (int i = 0; i < n; i++)
    if (!strcmp(names[i], v)) return i;
  return -1;
}

static int set_option(const char *k, const char *v) {
  int i;
  if (!strcmp(k, "map")) {
    if ((i = name_index(map_names, 3, v)) < 0) return -1;
    cfg.map = i;
  } else if (!strcmp(k, "filter")) {
    if ((i = name_index(flt_names, 3, v)) < 0) return -1;
    cfg.filter = i;
  } else if (!strcmp(k, "alloc")) {
    if ((i = name_index(alloc_names, 4, v)) < 0) return -1;
    cfg.alloc = i;
  } else if (!strcmp(k, "range")) {
    if (sscanf(v, "%d-%d", &cfg.lo, &cfg.hi) != 2 || cfg.lo < 1 || cfg.hi > 65535 || cfg.lo > cfg.hi) return -1;
  } else if (!strcmp(k, "step")) cfg.step = atoi(v);
  else if (!strcmp(k, "block")) cfg.block = atoi(v);
  else if (!strcmp(k, "timeout")) cfg.timeout = atof(v) * 1000;
  else if (!strcmp(k, "unreplied")) cfg.unreplied = atof(v) * 1000;
  else if (!strcmp(k, "refresh")) cfg.refresh_in = !strcmp(v, "both");
  else if (!strcmp(k, "hairpin")) cfg.hairpin = atoi(v);
  else if (!strcmp(k, "reply")) cfg.reply_session = !strcmp(v, "session");
  else if (!strcmp(k, "overload")) cfg.overload = atoi(v);
  else if (!strcmp(k, "static_out")) cfg.static_out = atoi(v);
  else if (!strcmp(k, "max_flows")) cfg.max_flows = atol(v);
  else if (!strcmp(k, "wan")) {
    struct in_addr a;
    if (!inet_aton(v, &a)) return -1;
    wan_ip = ntohl(a.s_addr);
  } else return -1;
  return 0;
}

static const char *ips(uint32_t ip) {
  static char b[4][16];
  static int k;
  k = (k + 1) & 3;
  snprintf(b[k], 16, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
  return b[k];
}

static void control(int s) {
  int c = accept(s, NULL, NULL);
  if (c < 0) return;
  struct timeval tv = {1, 0};
  setsockopt(c, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
  setsockopt(c, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
  char line[256];
  int n = read(c, line, sizeof line - 1);
  FILE *o = fdopen(c, "w");
  if (!o) {
    close(c);
    return;
  }
  if (n > 0) {
    line[n] = 0;
    line[strcspn(line, "\r\n")] = 0;
    char k[64] = "", v[128] = "";
    if (!strcmp(line, "stats")) {
      fprintf(o,
              "{\"mappings\":%ld,\"flows\":%ld,\"peak_mappings\":%ld,\"peak_flows\":%ld,\"out\":%lu,\"in_ok\":%lu,"
              "\"drop_nomap\":%lu,\"drop_filter\":%lu,\"drop_full\":%lu,\"drop_noport\":%lu,\"drop_hairpin\":%lu,"
              "\"hairpin\":%lu,\"icmp\":%lu,\"bad\":%lu,\"expired\":%lu,\"map\":\"%s\",\"filter\":\"%s\",\"alloc\":\"%s\"}\n",
              n_map, n_flow, peak_map, peak_flow, st.out, st.in_ok, st.drop_nomap, st.drop_filter, st.drop_full,
              st.drop_noport, st.drop_hairpin, st.hairpin, st.icmp, st.bad, st.expired, map_names[cfg.map],
              flt_names[cfg.filter], alloc_names[cfg.alloc]);
    } else if (!strcmp(line, "dump")) {
      for (int p = 0; p < 65536; p++)
        for (mapping *m = t_ext[p]; m; m = m->ext_next) {
          if (!m->flows) fprintf(o, "%d %s:%d static\n", p, ips(m->in_ip), m->in_port);
          for (flow *f = m->flows; f; f = f->m_next)
            fprintf(o, "%d %s:%d %s:%d out=%lu in=%lu idle=%.1fs%s%s\n", p, ips(m->in_ip), m->in_port, ips(f->rip),
                    f->rport, f->pk_out, f->pk_in, (now_ms - f->last) / 1000.0, f->from_inside ? "" : " inbound-only",
                    m->is_static ? " static" : "");
        }
    } else if (!strcmp(line, "flush")) {
      flush_all();
      cur_seq = -1;
      n_blocks = 0;
      fprintf(o, "ok\n");
    } else if (!strcmp(line, "leases")) {
      if (lease_path) load_leases();
      fprintf(o, "ok\n");
    } else if (sscanf(line, "set %63[^= ]%*1[= ]%127s", k, v) == 2)
      fprintf(o, set_option(k, v) ? "error: bad option\n" : "ok\n");
    else
      fprintf(o, "error: stats | dump | flush | leases | set KEY=VALUE\n");
  }
  fclose(o);
}

static void die(const char *what) {
  perror(what);
  exit(1);
