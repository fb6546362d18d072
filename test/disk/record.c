/*
 * LD_PRELOAD: writes down in the file $DISK_RECORD, in order, what a process does to its database (*.db), its
 * write-ahead log (*-wal) and its notes (files called "acks" and "commits"). power-loss.ts reads it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum kind { WRITE = 1, TRUNCATE = 2, SYNC_BEGIN = 3, SYNC_END = 4 };
enum file { OTHER = 0, DATABASE = 1, LOG = 2, ACKS = 3, COMMITS = 4 };
enum flag { MAIN_THREAD = 1, FDATASYNC = 2 };

/* Followed by `length` bytes. `offset` is a size for TRUNCATE, and the number of the sync for both of its ends. */
struct entry {
  uint8_t kind, file;
  uint16_t flags;
  uint32_t length;
  uint64_t offset;
};

/* A sync takes up to so many microseconds, so that much is written while it is under way. */
#define SYNC_MICROS 20000

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

static int ends_with(const char *path, const char *end) {
  size_t length = strlen(path), tail = strlen(end);
  return length >= tail && strcmp(path + length - tail, end) == 0;
}

static enum file which(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return OTHER;
  path[length] = 0;
  if (ends_with(path, "-wal")) return LOG;
  if (ends_with(path, ".db")) return DATABASE;
  if (ends_with(path, "/acks")) return ACKS;
  if (ends_with(path, "/commits")) return COMMITS;
  return OTHER;
}

/* To be called with `order` held. */
static void put(enum kind kind, enum file file, int flags, uint64_t offset, const void *data, uint32_t length) {
  static int out = -2;
  if (out == -2) {
    const char *path = getenv("DISK_RECORD");
    out = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
  }
  if (out < 0) return;
  struct entry entry = {kind, file, flags | (gettid() == getpid() ? MAIN_THREAD : 0), length, offset};
  /* Not write(), which is ours. */
  if (syscall(SYS_write, out, &entry, sizeof entry) < 0) abort();
  if (length > 0 && syscall(SYS_write, out, data, length) < 0) abort();
}

#define REAL(name, result, ...)           \
  static result (*real)(__VA_ARGS__);     \
  if (!real) real = dlsym(RTLD_NEXT, #name)

typedef ssize_t (*pwrite_call)(int, const void *, size_t, off_t);
typedef int (*truncate_call)(int, off_t);
typedef int (*sync_call)(int);

static ssize_t record_pwrite(pwrite_call real, int fd, const void *data, size_t length, off_t offset) {
  enum file file = which(fd);
  if (file != DATABASE && file != LOG) return real(fd, data, length, offset);
  pthread_mutex_lock(&order);
  ssize_t written = real(fd, data, length, offset);
  if (written > 0) put(WRITE, file, 0, offset, data, written);
  pthread_mutex_unlock(&order);
  return written;
}

static int record_truncate(truncate_call real, int fd, off_t size) {
  enum file file = which(fd);
  if (file != DATABASE && file != LOG) return real(fd, size);
  pthread_mutex_lock(&order);
  int result = real(fd, size);
  put(TRUNCATE, file, 0, size, NULL, 0);
  pthread_mutex_unlock(&order);
  return result;
}

static int record_sync(sync_call real, int fd, int flags) {
  static uint64_t syncs;
  enum file file = which(fd);
  if (file != DATABASE && file != LOG) return real(fd);
  pthread_mutex_lock(&order);
  uint64_t number = ++syncs;
  put(SYNC_BEGIN, file, flags, number, NULL, 0);
  pthread_mutex_unlock(&order);
  usleep(rand() % SYNC_MICROS);
  int result = real(fd);
  pthread_mutex_lock(&order);
  if (result == 0) put(SYNC_END, file, flags, number, NULL, 0);
  pthread_mutex_unlock(&order);
  return result;
}

ssize_t write(int fd, const void *data, size_t length) {
  REAL(write, ssize_t, int, const void *, size_t);
  enum file file = which(fd);
  if (file != ACKS && file != COMMITS) return real(fd, data, length);
  pthread_mutex_lock(&order);
  ssize_t written = real(fd, data, length);
  if (written > 0) put(WRITE, file, 0, 0, data, written);
  pthread_mutex_unlock(&order);
  return written;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
  REAL(pwrite, ssize_t, int, const void *, size_t, off_t);
  return record_pwrite(real, fd, data, length, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off_t offset) {
  REAL(pwrite64, ssize_t, int, const void *, size_t, off_t);
  return record_pwrite(real, fd, data, length, offset);
}

int ftruncate(int fd, off_t size) {
  REAL(ftruncate, int, int, off_t);
  return record_truncate(real, fd, size);
}

int ftruncate64(int fd, off_t size) {
  REAL(ftruncate64, int, int, off_t);
  return record_truncate(real, fd, size);
}

int fsync(int fd) {
  REAL(fsync, int, int);
  return record_sync(real, fd, 0);
}

int fdatasync(int fd) {
  REAL(fdatasync, int, int);
  return record_sync(real, fd, FDATASYNC);
}
