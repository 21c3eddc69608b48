/* What a power cut would leave of a folder, kept beside it while a program writes.
 *
 *   cc -shared -fPIC -O1 -o powercut.so powercut.c -ldl
 *   LD_PRELOAD=powercut.so POWERCUT_FOLDER=/data POWERCUT_KEPT=/kept program
 *
 * At each fsync and fdatasync of a file in the folder its bytes are copied, whole, to the file of the same name among
 * what is kept; nothing else is. So what was written and not synced isn't there, whatever the program believes. The
 * copy is made after the real sync and before it returns: a kill between the two loses what nobody was told of yet.
 * What is unlinked is gone at once; SQLite syncs the folder before it goes on. Files in folders below are left alone.
 *
 * It is loaded into a program of tests, and is no part of the service.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
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

static void keep(int fd) {
  char link[64], path[PATH_MAX], kept[PATH_MAX], half[PATH_MAX + 32];
  static __thread char piece[1 << 16];
  const char *shelf = getenv("POWERCUT_KEPT");
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (!shelf || length < 0) return;
  path[length] = 0;
  const char *name = name_of(path);
  if (!name) return;
  if (snprintf(kept, sizeof kept, "%s/%s", shelf, name) >= (int)sizeof kept) give_up("a long name");
  snprintf(half, sizeof half, "%s.%ld.half", kept, syscall(SYS_gettid));
  int to = open(half, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (to < 0) give_up(half);
  /* By the same descriptor: closing another one would drop the program's locks (POSIX). */
  off_t at = 0;
  for (;;) {
    ssize_t size = pread(fd, piece, sizeof piece, at);
    if (size < 0) give_up(path);
    if (size == 0) break;
    if (write(to, piece, size) != size) give_up(half);
    at += size;
  }
  close(to);
  if (rename(half, kept)) give_up(kept);
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
