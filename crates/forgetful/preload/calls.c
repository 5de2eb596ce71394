// What each call that could change the disk does here: below the root it is written down how to undo it, then it is done;
// anywhere else it is just done.

#include "forgetful.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>

static void lose_process(void) { RAW2(SYS_kill, RAW0(SYS_getpid), SIGKILL); }

// Counts an operation below the root, and ends the process where that was asked for.
static void operation(void) {
  if (control->die_after >= 0 && control->operations >= control->die_after) lose_process();
  control->operations++;
}

static int is_file(int fd, struct stat *what) {
  if (RAW2(SYS_fstat, fd, what) < 0 || !S_ISREG(what->st_mode)) return 0;
  return what->st_dev == root_dev && is_tracked(what->st_ino);
}

static int is_inside(int fd) {
  char path[PATH_BYTES];
  return path_of(fd, path) >= 0 && below_root(path);
}

// Below the lock: the file is made this long.
static long resize(int fd, const struct stat *what, uint64_t size) {
  operation();
  save_resize(fd, what->st_ino, size, what->st_size);
  return RAW2(SYS_ftruncate, fd, size);
}

static long do_open(int dirfd, const char *path, long flags, long mode) {
  struct place place;
  lock();
  locate(dirfd, path, &place);
  int creates = place.inside && (flags & O_CREAT) && (flags & O_TMPFILE) != O_TMPFILE && !place.exists;
  uint64_t entry = 0;
  if (creates) {
    operation();
    entry = log_entry(CREATE, &place, 0);
  }
  long fd = RAW4(SYS_openat, dirfd, path, place.inside ? flags & ~O_TRUNC : flags, mode);
  if (fd < 0 && creates) cancel_entry(entry);
  struct stat what;
  if (fd >= 0 && RAW2(SYS_fstat, fd, &what) == 0 && S_ISREG(what.st_mode) && what.st_dev == root_dev && is_inside(fd)) {
    track(what.st_ino);
    if ((flags & O_TRUNC) && what.st_size > 0) resize(fd, &what, 0);
  }
  unlock();
  return fd;
}

// How many of these bytes the disk still takes.
static long space_for(long len) {
  if (control->space < 0 || len == 0) return len;
  if (control->space == 0) return -ENOSPC;
  return control->space < len ? control->space : len;
}

struct write {
  long nr;
  const long *args;
  int fd;
  uint64_t len;
  int64_t offset;  // Negative: where the descriptor stands.
};

static long do_write(struct write w) {
  struct stat what;
  if (!is_file(w.fd, &what)) return raw(w.nr, w.args[0], w.args[1], w.args[2], w.args[3], w.args[4], w.args[5]);
  lock();
  operation();
  RAW2(SYS_fstat, w.fd, &what);
  long flags = RAW3(SYS_fcntl, w.fd, F_GETFL, 0);
  uint64_t offset = flags & O_APPEND ? what.st_size : w.offset >= 0 ? w.offset : RAW3(SYS_lseek, w.fd, 0, SEEK_CUR);
  long done = space_for(w.len);
  // Of several pieces none is written where not all of them fit.
  if (done >= 0 && done < (long)w.len && w.nr != SYS_write && w.nr != SYS_pwrite64) done = -ENOSPC;
  if (done >= 0) {
    save_write(w.fd, what.st_ino, offset, done, what.st_size);
    long len = w.nr == SYS_write || w.nr == SYS_pwrite64 ? done : w.args[2];
    done = raw(w.nr, w.args[0], w.args[1], len, w.args[3], w.args[4], w.args[5]);
    if (done > 0 && control->space > 0) control->space -= done;
    if (done > 0 && (flags & O_DSYNC)) mark_synced(what.st_ino, undo_len(what.st_ino), 0);
  }
  unlock();
  return done;
}

static uint64_t total(const struct iovec *pieces, long count) {
  uint64_t sum = 0;
  for (long i = 0; i < count; i++) sum += pieces[i].iov_len;
  return sum;
}

static long do_truncate(int fd, const char *path, uint64_t size) {
  struct stat what;
  int own = fd < 0 ? RAW4(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0) : fd;
  if (own < 0) return own;
  if (fd < 0 && RAW2(SYS_fstat, own, &what) == 0 && what.st_dev == root_dev && is_inside(own)) track(what.st_ino);
  long done;
  if (is_file(own, &what)) {
    lock();
    RAW2(SYS_fstat, own, &what);
    done = resize(own, &what, size);
    unlock();
  } else {
    done = RAW2(SYS_ftruncate, own, size);
  }
  if (fd < 0) RAW1(SYS_close, own);
  return done;
}

static long do_fallocate(int fd, long mode, uint64_t offset, uint64_t len) {
  struct stat what;
  if (!is_file(fd, &what)) return RAW4(SYS_fallocate, fd, mode, offset, len);
  if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) return -EOPNOTSUPP;
  lock();
  operation();
  RAW2(SYS_fstat, fd, &what);
  if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) save_write(fd, what.st_ino, offset, len, what.st_size);
  if (!(mode & FALLOC_FL_KEEP_SIZE) && offset + len > (uint64_t)what.st_size)
    save_resize(fd, what.st_ino, offset + len, what.st_size);
  long done = space_for(len) < (long)len ? -ENOSPC : RAW4(SYS_fallocate, fd, mode, offset, len);
  unlock();
  return done;
}

// Whether what is asked of syncs is asked of this one.
static int is_meant(int fd) {
  long end = strnlen(control->syncs_of, ENDING_BYTES);
  if (end == 0) return 1;
  char path[PATH_BYTES];
  long len = path_of(fd, path);
  return len >= end && !memcmp(path + len - end, control->syncs_of, end);
}

// A sync makes durable what was done before it began, and it may fail: then what was not durable may be lost, whatever later
// syncs say, since the system takes it for written.
static long do_sync(long nr, int fd) {
  struct stat what;
  if (RAW2(SYS_fstat, fd, &what) < 0) return RAW1(nr, fd);
  int file = is_file(fd, &what), dir = S_ISDIR(what.st_mode) && is_inside(fd);
  if (!file && !dir) return RAW1(nr, fd);
  lock();
  operation();
  uint64_t upto = file ? undo_len(what.st_ino) : entries();
  int meant = is_meant(fd), fails = meant && control->fail_syncs > 0, ignored = meant && control->ignore_syncs;
  if (meant && control->die_at_sync > 0 && --control->die_at_sync == 0) lose_process();
  if (fails) {
    control->fail_syncs--;
    if (file) mark_synced(what.st_ino, upto, 1);
  }
  unlock();
  if (fails) return -EIO;
  if (ignored) return 0;
  // Here a disk would be busy, and others would go on. Nobody takes the power of the machine itself, so there is no need to
  // wait for it.
  RAW0(SYS_sched_yield);
  lock();
  if (file) mark_synced(what.st_ino, upto, 0);
  if (dir) log_dir_sync(what.st_ino, upto);
  control->syncs++;
  unlock();
  return 0;
}

static long do_remove(int dirfd, const char *path, long flags) {
  struct place place;
  lock();
  locate(dirfd, path, &place);
  uint64_t entry = 0;
  int known = place.inside && place.exists;
  if (known) {
    operation();
    if (!(flags & AT_REMOVEDIR) && !S_ISDIR(place.what.st_mode)) keep_removed(dirfd, path, &place);
    entry = log_entry(flags & AT_REMOVEDIR ? RMDIR : REMOVE, &place, 0);
  }
  long done = RAW3(SYS_unlinkat, dirfd, path, flags);
  if (known && done < 0) cancel_entry(entry);
  unlock();
  return done;
}

static long do_rename(int from_dir, const char *from, int to_dir, const char *to, long flags) {
  struct place a, b;
  if (flags & ~RENAME_NOREPLACE) return -EINVAL;
  lock();
  locate(from_dir, from, &a);
  locate(to_dir, to, &b);
  if (a.inside != b.inside) die("something is moved into the root, or out of it");
  uint64_t entry = 0;
  int known = a.inside && a.exists;
  if (known) {
    operation();
    if (b.exists && !S_ISDIR(b.what.st_mode)) keep_removed(to_dir, to, &b);
    entry = log_entry(RENAME, &a, &b);
  }
  long done = RAW5(SYS_renameat2, from_dir, from, to_dir, to, flags);
  if (known && done < 0) cancel_entry(entry);
  unlock();
  return done;
}

// Whatever else makes a name: `at` says which, `nr` and `args` how.
static long do_create(enum entry kind, int dirfd, const char *path, long nr, const long a[5]) {
  struct place place;
  lock();
  locate(dirfd, path, &place);
  int known = place.inside && !place.exists;
  uint64_t entry = 0;
  if (known) {
    operation();
    entry = log_entry(kind, &place, 0);
  }
  long done = RAW5(nr, a[0], a[1], a[2], a[3], a[4]);
  if (known && done < 0) cancel_entry(entry);
  unlock();
  return done;
}

// What is written through a mapping is not seen. The one that is known to do no harm is SQLite's index of its write-ahead
// log, which is never synced and made anew from the log.
static long do_mmap(const long a[6]) {
  struct stat what;
  if ((a[2] & PROT_WRITE) && is_file(a[4], &what)) {
    char path[PATH_BYTES];
    long len = path_of(a[4], path);
    if (len < 4 || memcmp(path + len - 4, "-shm", 4)) control->escapes++;
  }
  return raw(SYS_mmap, a[0], a[1], a[2], a[3], a[4], a[5]);
}

// Copies inside the kernel are refused below the root, so that the caller reads and writes.
static long do_copy(long nr, const long a[6], int to, long refusal) {
  struct stat what;
  return is_file(to, &what) ? refusal : raw(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static long do_statfs(long nr, const long a[6]) {
  struct statfs *said = (void *)a[1];
  long done = RAW2(nr, a[0], a[1]);
  if (done == 0 && control->free >= 0)
    said->f_bfree = said->f_bavail = control->free / (said->f_frsize ? said->f_frsize : said->f_bsize);
  return done;
}

static long do_make(long nr, const long a[6]) {
#define AT(kind, dirfd, path, number, ...) do_create(kind, dirfd, (const char *)(path), number, (long[5]){__VA_ARGS__})
  switch (nr) {
    case SYS_mkdirat: return AT(MKDIR, a[0], a[1], nr, a[0], a[1], a[2]);
    case SYS_symlinkat: return AT(CREATE, a[1], a[2], nr, a[0], a[1], a[2]);
    case SYS_linkat: return AT(CREATE, a[2], a[3], nr, a[0], a[1], a[2], a[3], a[4]);
    case SYS_mknodat: return AT(CREATE, a[0], a[1], nr, a[0], a[1], a[2], a[3]);
#ifdef __x86_64__
    case SYS_mkdir: return AT(MKDIR, AT_FDCWD, a[0], SYS_mkdirat, AT_FDCWD, a[0], a[1]);
    case SYS_symlink: return AT(CREATE, AT_FDCWD, a[1], SYS_symlinkat, a[0], AT_FDCWD, a[1]);
    case SYS_mknod: return AT(CREATE, AT_FDCWD, a[0], SYS_mknodat, AT_FDCWD, a[0], a[1], a[2]);
    case SYS_link: return AT(CREATE, AT_FDCWD, a[1], SYS_linkat, AT_FDCWD, a[0], AT_FDCWD, a[1]);
#endif
    default: die("a call was sent here that is not known");
  }
}

long perform(long nr, const long a[6]) {
  switch (nr) {
    case SYS_openat: return do_open(a[0], (char *)a[1], a[2], a[3]);
    case SYS_openat2: {
      const struct open_how *how = (void *)a[2];
      return do_open(a[0], (char *)a[1], how->flags, how->mode);
    }
    case SYS_write: return do_write((struct write){nr, a, a[0], a[2], -1});
    case SYS_pwrite64: return do_write((struct write){nr, a, a[0], a[2], a[3]});
    case SYS_writev: return do_write((struct write){nr, a, a[0], total((void *)a[1], a[2]), -1});
    case SYS_pwritev: return do_write((struct write){nr, a, a[0], total((void *)a[1], a[2]), a[3]});
    case SYS_pwritev2: return do_write((struct write){nr, a, a[0], total((void *)a[1], a[2]), a[3]});
    case SYS_truncate: return do_truncate(-1, (char *)a[0], a[1]);
    case SYS_ftruncate: return do_truncate(a[0], 0, a[1]);
    case SYS_fallocate: return do_fallocate(a[0], a[1], a[2], a[3]);
    case SYS_fsync:
    case SYS_fdatasync: return do_sync(nr, a[0]);
    case SYS_syncfs:
    case SYS_sync:
      lock();
      mark_all_synced();
      unlock();
      return RAW1(nr, a[0]);
    case SYS_unlinkat: return do_remove(a[0], (char *)a[1], a[2]);
    case SYS_renameat2: return do_rename(a[0], (char *)a[1], a[2], (char *)a[3], a[4]);
#ifdef SYS_renameat
    case SYS_renameat: return do_rename(a[0], (char *)a[1], a[2], (char *)a[3], 0);
#endif
    case SYS_copy_file_range: return do_copy(nr, a, a[2], -EXDEV);
    case SYS_splice: return do_copy(nr, a, a[2], -EINVAL);
    case SYS_sendfile: return do_copy(nr, a, a[0], -EINVAL);
    case SYS_mmap: return do_mmap(a);
    case SYS_statfs:
    case SYS_fstatfs: return do_statfs(nr, a);
#ifdef __x86_64__
    case SYS_open: return do_open(AT_FDCWD, (char *)a[0], a[1], a[2]);
    case SYS_creat: return do_open(AT_FDCWD, (char *)a[0], O_CREAT | O_WRONLY | O_TRUNC, a[1]);
    case SYS_unlink: return do_remove(AT_FDCWD, (char *)a[0], 0);
    case SYS_rmdir: return do_remove(AT_FDCWD, (char *)a[0], AT_REMOVEDIR);
    case SYS_rename: return do_rename(AT_FDCWD, (char *)a[0], AT_FDCWD, (char *)a[1], 0);
#endif
    default: return do_make(nr, a);
  }
}
