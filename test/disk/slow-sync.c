/* LD_PRELOAD: a disk that stalls. Every sync takes $SLOW_MS longer, and each 50th $SLOW_BIG_MS. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

typedef int (*sync_call)(int);

static int slowly(sync_call real, int fd) {
  static atomic_int syncs;
  const char *ms = getenv(++syncs % 50 == 0 ? "SLOW_BIG_MS" : "SLOW_MS");
  int result = real(fd);
  usleep((ms ? atoi(ms) : 0) * 1000);
  return result;
}

int fsync(int fd) {
  static sync_call real;
  if (!real) real = (sync_call)dlsym(RTLD_NEXT, "fsync");
  return slowly(real, fd);
}

int fdatasync(int fd) {
  static sync_call real;
  if (!real) real = (sync_call)dlsym(RTLD_NEXT, "fdatasync");
  return slowly(real, fd);
}
