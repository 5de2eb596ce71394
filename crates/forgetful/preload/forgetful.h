// The forgetful disk, inside the process under test. See docs/decisions/0010-forgetful-disk.md.
//
// main.c  a filter in the kernel that sends every call which could change the disk to us, whoever makes it
// calls.c what each of these calls does here
// undo.c  what was there before, written down outside of the process
// raw.c   the one instruction that the filter lets pass

#pragma once
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#define PATH_BYTES 4096
#define NAME_BYTES 256
#define ENDING_BYTES 32

// What the harness says and hears, in shared memory: it survives the process. Its layout is known to control.rs.
struct control {
  int64_t fail_syncs;    // So many of the next syncs fail.
  int64_t space;         // So many bytes can still be written; negative: as many as one likes.
  int64_t die_after;     // The process is killed before the operation after so many; negative: never.
  int64_t operations;    // Calls that changed something below the root, or synced it.
  int64_t syncs;         // Of these, those that synced a file or folder and succeeded.
  int64_t escapes;       // Writable shared mappings of files, whose changes nobody sees.
  int64_t ignore_syncs;  // Not 0: syncs say that they succeeded, and make nothing durable.
  int64_t die_at_sync;   // The process is killed before the so-manieth of the next syncs; 0: never.
  int64_t free;          // So many bytes are said to be free; negative: as many as are.
  // What is asked of syncs is asked of files whose paths end so.
  char syncs_of[ENDING_BYTES];
};
extern struct control *control;

extern char root[PATH_BYTES];
extern size_t root_len;
extern dev_t root_dev;
extern int shadow;  // The folder of what is written down.

// raw.c
long raw(long nr, long a, long b, long c, long d, long e, long f);
extern char raw_return[];
#define RAW0(nr) raw(nr, 0, 0, 0, 0, 0, 0)
#define RAW1(nr, a) raw(nr, (long)(a), 0, 0, 0, 0, 0)
#define RAW2(nr, a, b) raw(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define RAW3(nr, a, b, c) raw(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define RAW4(nr, a, b, c, d) raw(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define RAW5(nr, a, b, c, d, e) raw(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
char *number(uint64_t n, char *out);         // Writes its digits, returns their end.
void proc_link(int fd, char link[40]);       // The name of a descriptor in /proc.
long path_of(int fd, char path[PATH_BYTES]);  // Where an open file is; its length, or an error.
int below_root(const char *path);
void lock(void);
void unlock(void);
void die(const char *why) __attribute__((noreturn));

// undo.c: the files. An entry is written before what it undoes is done.
int is_tracked(ino_t ino);
void track(ino_t ino);
void save_write(int fd, ino_t ino, uint64_t offset, uint64_t len, uint64_t size);
void save_resize(int fd, ino_t ino, uint64_t new_size, uint64_t size);
uint64_t undo_len(ino_t ino);
void mark_synced(ino_t ino, uint64_t upto, int failed);
void mark_all_synced(void);

// undo.c: the folders.
enum entry { CANCEL, CREATE, REMOVE, MKDIR, RMDIR, RENAME, SYNC_DIR };
struct place {
  int inside;             // Whether it lies below the root.
  int exists;
  ino_t dir;              // The folder's number.
  struct stat what;       // If it exists.
  char name[NAME_BYTES];  // In the folder.
};
void locate(int dirfd, const char *path, struct place *place);
uint64_t log_entry(enum entry kind, const struct place *a, const struct place *b);
void cancel_entry(uint64_t entry);
uint64_t entries(void);
void log_dir_sync(ino_t dir, uint64_t upto);
void keep_removed(int dirfd, const char *path, const struct place *place);

// calls.c
long perform(long nr, const long a[6]);
