/* What a power cut would leave of a folder, kept beside it while a program writes.
 *
 *   cc -shared -fPIC -O1 -o powercut.so powercut.c -ldl
 *   LD_PRELOAD=powercut.so POWERCUT_FOLDER=/data POWERCUT_KEPT=/kept program
 *
 * At each fsync and fdatasync of a file in the folder its bytes are copied to the file of the same name among what is
 * kept: all that differ the first time, and then what was written since. Nothing else is. So what was written and not
 * synced isn't there, whatever the program believes. The copy is made after the real sync and before it returns: a kill
 * between the two, or in the middle, keeps none or a part of what nobody was told of yet, as a disk does.
 * What is unlinked is gone at once; SQLite syncs the folder before it goes on. Files in folders below are left alone.
 *
 * It is loaded into a program of tests, and is no part of the service.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/* The file's name in the folder, or none. */
static const char *name_of(const char *path) {
  const char *folder = getenv("POWERCUT_FOLDER");
  size_t length = folder ? strlen(folder) : 0;
  if (!length || strncmp(path, folder, length) || path[length] != '/') return NULL;
  const char *name = path + length + 1;
  return *name && !strchr(name, '/') ? name : NULL;
}

/* Says what went wrong and ends the program: a test must not pass because nothing was kept. */
static void give_up(const char *what) {
  fprintf(stderr, "powercut: %s: %s\n", what, strerror(errno));
  _exit(70);
}

static ssize_t real_pwrite(int fd, const void *bytes, size_t size, off_t at) {
  static ssize_t (*real)(int, const void *, size_t, off_t);
  if (!real) real = (ssize_t (*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite");
  return real(fd, bytes, size, at);
}

/* As many bytes of a piece as there are. */
static size_t read_piece(int fd, char *piece, size_t size, off_t at, const char *path) {
  size_t have = 0;
  while (have < size) {
    ssize_t more = pread(fd, piece + have, size - have, at + have);
    if (more < 0) give_up(path);
    if (more == 0) break;
    have += more;
  }
  return have;
}

/* What was written to a file of this process since it was last synced. */
static struct written {
  dev_t device;
  ino_t number;
  off_t from, to;
} written[64];
static int files;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Notes more, or takes what was noted; whether the file had been synced by this process before. */
static int note(const struct stat *file, off_t from, off_t to, off_t *taken_from, off_t *taken_to) {
  int at = 0;
  pthread_mutex_lock(&lock);
  while (at < files && (written[at].device != file->st_dev || written[at].number != file->st_ino)) at++;
  int known = at < files;
  if (!known && taken_to && files < 64) {
    written[files++] = (struct written){file->st_dev, file->st_ino, 0, 0};
  } else if (known && taken_to) {
    *taken_from = written[at].from;
    *taken_to = written[at].to;
    written[at].from = written[at].to = 0;
  } else if (known) {
    struct written *one = &written[at];
    int none = one->from == one->to;
    if (none || from < one->from) one->from = from;
    if (none || to > one->to) one->to = to;
  }
  pthread_mutex_unlock(&lock);
  return known;
}

static void keep(int fd) {
  char link[64], path[PATH_MAX], kept[PATH_MAX];
  static __thread char now[1 << 16], then[1 << 16];
  const char *shelf = getenv("POWERCUT_KEPT");
  struct stat file;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (!shelf || length < 0) return;
  path[length] = 0;
  const char *name = name_of(path);
  if (!name) return;
  if (snprintf(kept, sizeof kept, "%s/%s", shelf, name) >= (int)sizeof kept) give_up("a long name");
  int to = open(kept, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (to < 0 || fstat(fd, &file)) give_up(kept);
  off_t at = 0, end = 0;
  int everything = !note(&file, 0, 0, &at, &end);
  if (everything || end > file.st_size) end = file.st_size;
  while (at < end) {
    size_t wanted = end - at < (off_t)sizeof now ? (size_t)(end - at) : sizeof now;
    /* By the same descriptor: closing another one would drop the program's locks (POSIX). */
    size_t size = read_piece(fd, now, wanted, at, path);
    if (size == 0) break;
    size_t had = everything ? read_piece(to, then, size, at, kept) : 0;
    if (had != size || memcmp(now, then, size)) {
      if (real_pwrite(to, now, size, at) != (ssize_t)size) give_up(kept);
    }
    at += size;
  }
  if (ftruncate(to, file.st_size)) give_up(kept);
  close(to);
}

static int synced(const char *function, int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, function);
  int outcome = real(fd);
  int error = errno;
  if (outcome == 0) keep(fd);
  errno = error;
  return outcome;
}

int fsync(int fd) { return synced("fsync", fd); }

int fdatasync(int fd) { return synced("fdatasync", fd); }

int unlink(const char *path) {
  int (*real)(const char *) = (int (*)(const char *))dlsym(RTLD_NEXT, "unlink");
  char kept[PATH_MAX];
  const char *name = name_of(path), *shelf = getenv("POWERCUT_KEPT");
  if (name && shelf && snprintf(kept, sizeof kept, "%s/%s", shelf, name) < (int)sizeof kept) real(kept);
  return real(path);
}

static void wrote(int fd, off_t from, off_t to) {
  struct stat file;
  int error = errno;
  if (fstat(fd, &file) == 0 && S_ISREG(file.st_mode)) note(&file, from, to, NULL, NULL);
  errno = error;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) {
  ssize_t done = real_pwrite(fd, bytes, size, at);
  if (done > 0) wrote(fd, at, at + done);
  return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t at) { return pwrite(fd, bytes, size, at); }

/* Wherever it is. */
ssize_t write(int fd, const void *bytes, size_t size) {
  static ssize_t (*real)(int, const void *, size_t);
  if (!real) real = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
  ssize_t done = real(fd, bytes, size);
  if (done > 0) wrote(fd, 0, LONG_MAX);
  return done;
}

ssize_t writev(int fd, const struct iovec *pieces, int count) {
  static ssize_t (*real)(int, const struct iovec *, int);
  if (!real) real = (ssize_t (*)(int, const struct iovec *, int))dlsym(RTLD_NEXT, "writev");
  ssize_t done = real(fd, pieces, count);
  if (done > 0) wrote(fd, 0, LONG_MAX);
  return done;
}
