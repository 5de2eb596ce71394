// A filter in the kernel sends every call that could change the disk to us, as a signal, from whatever code it comes: the C
// library, a raw system call in some crate, an inlined instruction. It lets pass what comes from the one instruction in raw.c.
// So nothing can escape, but for writable mappings, which are counted. The filter holds for all threads and cannot be taken
// off again; a process under test must not start others, since they would inherit it without us.

#include "forgetful.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

struct control *control;
char root[PATH_BYTES];
size_t root_len;
dev_t root_dev;
int shadow;

// Calls that always come here.
static const int always[] = {
    SYS_openat2,   SYS_write,     SYS_pwrite64, SYS_writev,     SYS_pwritev,  SYS_pwritev2,        SYS_truncate,
    SYS_ftruncate, SYS_fallocate, SYS_fsync,    SYS_fdatasync,  SYS_syncfs,   SYS_sync,            SYS_unlinkat,
    SYS_renameat2, SYS_mkdirat,   SYS_linkat,   SYS_symlinkat,  SYS_mknodat,  SYS_copy_file_range, SYS_splice,
    SYS_sendfile,  SYS_statfs,    SYS_fstatfs,
#ifdef SYS_renameat
    SYS_renameat,
#endif
#ifdef __x86_64__
    SYS_creat,     SYS_unlink,    SYS_rmdir,    SYS_rename,     SYS_mkdir,    SYS_link,            SYS_symlink,
    SYS_mknod,
#endif
};

static struct sock_filter filter[256];
static unsigned filter_len;

static void add(uint16_t code, uint8_t yes, uint8_t no, uint32_t k) {
  if (filter_len == sizeof filter / sizeof *filter) die("the filter is too long");
  filter[filter_len++] = (struct sock_filter){code, yes, no, k};
}

#define LOAD(offset) add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offset)
#define RETURN(what) add(BPF_RET | BPF_K, 0, 0, what)
#define UNLESS(test, k, skip) add(BPF_JMP | test | BPF_K, 0, skip, k)
#define DATA(field) offsetof(struct seccomp_data, field)

// This call comes here if this argument has one of these bits.
static void trap_if(int nr, int argument, uint32_t bits) {
  UNLESS(BPF_JEQ, nr, 4);
  LOAD(DATA(args) + 8 * argument);
  UNLESS(BPF_JSET, bits, 1);
  RETURN(SECCOMP_RET_TRAP);
  RETURN(SECCOMP_RET_ALLOW);
}

static void build_filter(void) {
  const uint64_t pass = (uintptr_t)raw_return;
  const uint32_t changes = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;
  LOAD(DATA(instruction_pointer));
  UNLESS(BPF_JEQ, (uint32_t)pass, 3);
  LOAD(DATA(instruction_pointer) + 4);
  UNLESS(BPF_JEQ, pass >> 32, 1);
  RETURN(SECCOMP_RET_ALLOW);
  LOAD(DATA(nr));
  for (unsigned i = 0; i < sizeof always / sizeof *always; i++) {
    UNLESS(BPF_JEQ, always[i], 1);
    RETURN(SECCOMP_RET_TRAP);
  }
  // Other ways to write, which everybody can do without.
  UNLESS(BPF_JEQ, SYS_io_uring_setup, 1);
  RETURN(SECCOMP_RET_ERRNO | ENOSYS);
  UNLESS(BPF_JEQ, SYS_io_setup, 1);
  RETURN(SECCOMP_RET_ERRNO | ENOSYS);
  trap_if(SYS_openat, 2, changes);
#ifdef __x86_64__
  trap_if(SYS_open, 1, changes);
#endif
  trap_if(SYS_mmap, 3, MAP_SHARED);
  // Files that share their blocks.
  UNLESS(BPF_JEQ, SYS_ioctl, 5);
  LOAD(DATA(args) + 8);
  UNLESS(BPF_JEQ, FICLONE, 1);
  RETURN(SECCOMP_RET_ERRNO | EOPNOTSUPP);
  UNLESS(BPF_JEQ, FICLONERANGE, 1);
  RETURN(SECCOMP_RET_ERRNO | EOPNOTSUPP);
  RETURN(SECCOMP_RET_ALLOW);
}

static void on_call(int signal, siginfo_t *info, void *context) {
  (void)signal;
#if defined(__x86_64__)
  greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
  r[REG_RAX] = perform(info->si_syscall, (long[6]){r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10], r[REG_R8], r[REG_R9]});
#elif defined(__aarch64__)
  unsigned long long *r = ((ucontext_t *)context)->uc_mcontext.regs;
  r[0] = perform(info->si_syscall, (long[6]){r[0], r[1], r[2], r[3], r[4], r[5]});
#endif
}

__attribute__((constructor)) static void start(void) {
  const char *root_path = getenv("KLATCH_FORGETFUL_ROOT"), *shadow_path = getenv("KLATCH_FORGETFUL_SHADOW");
  if (!root_path || !shadow_path) return;
  if (strlen(root_path) >= PATH_BYTES) die("the root's path is too long");
  strcpy(root, root_path);
  root_len = strlen(root);
  struct stat what;
  if (stat(root, &what) < 0) die("there is no root");
  root_dev = what.st_dev;
  int low = open(shadow_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  // Out of the way of whoever counts on low numbers.
  shadow = fcntl(low, F_DUPFD_CLOEXEC, 500);
  close(low);
  int fd = openat(shadow, "control", O_RDWR | O_CLOEXEC);
  if (shadow < 0 || fd < 0) die("there is no shadow");
  control = mmap(0, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (control == MAP_FAILED) die("the shadow cannot be shared");

  struct sigaction action = {.sa_sigaction = on_call, .sa_flags = SA_SIGINFO};
  sigfillset(&action.sa_mask);
  build_filter();
  struct sock_fprog program = {filter_len, filter};
  if (sigaction(SIGSYS, &action, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
    die("the kernel takes no filter");
}
