// What was there before, written down in the shadow folder: `f<ino>` holds the entries of a file, `dirs` those of all folders,
// `i<ino>` is a removed file itself. Their layout is known to undo.rs. All of this is called with the lock held.

#include "forgetful.h"

#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AT_FLAGS (O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC)
#define CHUNK 65536

enum { WRITE = 1, RESIZE, CUT, SYNCED, FAILED };

// An entry of a file, followed by `saved` bytes from `offset` on; what lies after them in the range was zero.
struct undo {
  uint32_t kind;
  uint32_t saved;
  uint64_t offset;  // SYNCED, FAILED: the length of the entries that were there when the sync began.
  uint64_t len;
  uint64_t size;  // Of the file, before.
};

static char chunk[CHUNK];

#define TRACKED_MAX (1u << 17)
static ino_t tracked[TRACKED_MAX];

static ino_t *slot(ino_t ino) {
  for (uint64_t i = ino * 0x9E3779B97F4A7C15ull >> 47, n = 0; n < TRACKED_MAX; i++, n++) {
    ino_t *at = &tracked[i % TRACKED_MAX];
    ino_t there = __atomic_load_n(at, __ATOMIC_ACQUIRE);
    if (there == ino || there == 0) return at;
  }
  die("too many files");
}

int is_tracked(ino_t ino) { return *slot(ino) == ino; }
void track(ino_t ino) { __atomic_store_n(slot(ino), ino, __ATOMIC_RELEASE); }

static void name_of(char kind, ino_t ino, char out[24]) {
  out[0] = kind;
  number(ino, out + 1);
}

static int open_undo(ino_t ino) {
  char name[24];
  name_of('f', ino, name);
  long fd = RAW4(SYS_openat, shadow, name, AT_FLAGS, 0600);
  if (fd < 0) die("the shadow cannot be written");
  return fd;
}

static void put(int fd, const void *bytes, size_t len) {
  for (size_t done = 0; done < len;) {
    long n = RAW3(SYS_write, fd, (const char *)bytes + done, len - done);
    if (n <= 0) die("the shadow cannot be written");
    done += n;
  }
}

// Writes an entry for at most CHUNK bytes that are there now.
static void save_chunk(int undo, int kind, int fd, uint64_t offset, uint64_t len, uint64_t size) {
  uint64_t have = offset >= size ? 0 : size - offset < len ? size - offset : len;
  size_t saved = 0;
  while (saved < have) {
    long n = RAW4(SYS_pread64, fd, chunk + saved, have - saved, offset + saved);
    if (n <= 0) die("a file cannot be read");
    saved += n;
  }
  while (saved > 0 && chunk[saved - 1] == 0) saved--;
  struct undo entry = {kind, saved, offset, len, size};
  put(undo, &entry, sizeof entry);
  put(undo, chunk, saved);
}

// The file may be open for writing only: then it is read through another descriptor.
static int readable(int fd) {
  char link[40];
  proc_link(fd, link);
  long other = RAW4(SYS_openat, AT_FDCWD, link, O_RDONLY | O_CLOEXEC, 0);
  if (other < 0) die("a file cannot be read");
  return other;
}

void save_write(int fd, ino_t ino, uint64_t offset, uint64_t len, uint64_t size) {
  int undo = open_undo(ino), from = readable(fd);
  for (uint64_t done = 0; done < len;) {
    uint64_t n = len - done < CHUNK ? len - done : CHUNK;
    save_chunk(undo, WRITE, from, offset + done, n, size);
    done += n;
  }
  RAW1(SYS_close, from);
  RAW1(SYS_close, undo);
}

void save_resize(int fd, ino_t ino, uint64_t new_size, uint64_t size) {
  int undo = open_undo(ino), from = readable(fd);
  for (uint64_t at = new_size; at < size;) {
    long data = RAW3(SYS_lseek, from, at, SEEK_DATA);
    if (data < 0) break;  // Nothing but a hole up to the end.
    uint64_t n = size - data < CHUNK ? size - data : CHUNK;
    save_chunk(undo, CUT, from, data, n, size);
    at = data + n;
  }
  struct undo entry = {RESIZE, 0, new_size, 0, size};
  put(undo, &entry, sizeof entry);
  RAW1(SYS_close, from);
  RAW1(SYS_close, undo);
}

uint64_t undo_len(ino_t ino) {
  int undo = open_undo(ino);
  long len = RAW3(SYS_lseek, undo, 0, SEEK_END);
  RAW1(SYS_close, undo);
  return len;
}

void mark_synced(ino_t ino, uint64_t upto, int failed) {
  int undo = open_undo(ino);
  uint64_t len = RAW3(SYS_lseek, undo, 0, SEEK_END);
  struct undo entry = {failed ? FAILED : SYNCED, 0, upto, 0, 0};
  if (len > 0) put(undo, &entry, sizeof entry);
  RAW1(SYS_close, undo);
}

void mark_all_synced(void) {
  for (unsigned i = 0; i < TRACKED_MAX; i++)
    if (tracked[i]) mark_synced(tracked[i], UINT64_MAX, 0);
}

// An entry of `dirs`.
struct dir_undo {
  uint64_t kind;
  uint64_t dir, dir2;  // SYNC_DIR: dir2 is the number of entries that were there when the sync began.
  uint64_t ino, ino2;  // What was removed, or moved; what was there where it moved to.
  char name[NAME_BYTES], name2[NAME_BYTES];
};

static int open_dirs(void) {
  long fd = RAW4(SYS_openat, shadow, "dirs", AT_FLAGS, 0600);
  if (fd < 0) die("the shadow cannot be written");
  return fd;
}

uint64_t entries(void) {
  int fd = open_dirs();
  uint64_t len = RAW3(SYS_lseek, fd, 0, SEEK_END);
  RAW1(SYS_close, fd);
  return len / sizeof(struct dir_undo);
}

uint64_t log_entry(enum entry kind, const struct place *a, const struct place *b) {
  struct dir_undo entry = {.kind = kind, .dir = a->dir, .ino = a->exists ? a->what.st_ino : 0};
  memcpy(entry.name, a->name, NAME_BYTES);
  if (b) {
    entry.dir2 = b->dir;
    entry.ino2 = b->exists ? b->what.st_ino : 0;
    memcpy(entry.name2, b->name, NAME_BYTES);
  }
  uint64_t number = entries();
  int fd = open_dirs();
  put(fd, &entry, sizeof entry);
  RAW1(SYS_close, fd);
  return number;
}

void cancel_entry(uint64_t number) {
  struct dir_undo entry = {.kind = CANCEL, .dir2 = number};
  int fd = open_dirs();
  put(fd, &entry, sizeof entry);
  RAW1(SYS_close, fd);
}

void log_dir_sync(ino_t dir, uint64_t upto) {
  struct dir_undo entry = {.kind = SYNC_DIR, .dir = dir, .dir2 = upto};
  int fd = open_dirs();
  put(fd, &entry, sizeof entry);
  RAW1(SYS_close, fd);
}

// A file that loses its name keeps another here, until it is known whether it has really lost it.
void keep_removed(int dirfd, const char *path, const struct place *place) {
  char name[24];
  name_of('i', place->what.st_ino, name);
  long kept = RAW5(SYS_linkat, dirfd, path, shadow, name, 0);
  if (kept < 0 && kept != -EEXIST) die("a removed file cannot be kept: is the shadow on the same file system?");
}

// Where a path leads, but for a symbolic link at its end.
void locate(int dirfd, const char *path, struct place *place) {
  memset(place, 0, sizeof *place);
  char parent[PATH_BYTES];
  size_t len = strnlen(path, PATH_BYTES);
  while (len > 1 && path[len - 1] == '/') len--;
  size_t cut = len;
  while (cut > 0 && path[cut - 1] != '/') cut--;
  if (len == 0 || len >= PATH_BYTES || len - cut >= NAME_BYTES) return;
  memcpy(parent, path, cut);
  memcpy(parent + cut, ".", 2);
  long dir = RAW4(SYS_openat, dirfd, parent, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  if (dir < 0) return;
  place->inside = path_of(dir, parent) >= 0 && below_root(parent);
  if (place->inside) {
    memcpy(place->name, path + cut, len - cut);
    struct stat dir_stat;
    if (RAW2(SYS_fstat, dir, &dir_stat) < 0) die("a folder cannot be looked at");
    place->dir = dir_stat.st_ino;
    place->exists = RAW4(SYS_newfstatat, dir, place->name, &place->what, AT_SYMLINK_NOFOLLOW) == 0;
  }
  RAW1(SYS_close, dir);
}
