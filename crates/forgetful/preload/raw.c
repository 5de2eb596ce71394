// The one instruction that the filter lets pass, and what can be done with nothing else.

#include "forgetful.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
__asm__(
    ".text\n"
    ".globl raw\n.hidden raw\n.type raw,@function\n"
    "raw:\n"
    "  mov %rdi, %rax\n  mov %rsi, %rdi\n  mov %rdx, %rsi\n  mov %rcx, %rdx\n"
    "  mov %r8, %r10\n  mov %r9, %r8\n  mov 8(%rsp), %r9\n"
    "  syscall\n"
    ".globl raw_return\n.hidden raw_return\n"
    "raw_return:\n"
    "  ret\n"
    ".size raw, .-raw\n");
#elif defined(__aarch64__)
__asm__(
    ".text\n"
    ".globl raw\n.hidden raw\n.type raw,@function\n"
    "raw:\n"
    "  mov x8, x0\n  mov x0, x1\n  mov x1, x2\n  mov x2, x3\n"
    "  mov x3, x4\n  mov x4, x5\n  mov x5, x6\n"
    "  svc 0\n"
    ".globl raw_return\n.hidden raw_return\n"
    "raw_return:\n"
    "  ret\n"
    ".size raw, .-raw\n");
#else
#error "the forgetful disk knows x86-64 and aarch64"
#endif

static int locked;

// All signals are held back while this is locked, so nobody can meet himself here.
void lock(void) {
  while (__atomic_exchange_n(&locked, 1, __ATOMIC_ACQUIRE)) RAW0(SYS_sched_yield);
}

void unlock(void) { __atomic_store_n(&locked, 0, __ATOMIC_RELEASE); }

void die(const char *why) {
  RAW3(SYS_write, 2, "forgetful disk: ", 16);
  RAW3(SYS_write, 2, why, strlen(why));
  RAW3(SYS_write, 2, "\n", 1);
  RAW2(SYS_kill, RAW0(SYS_getpid), SIGKILL);
  for (;;) {
  }
}

char *number(uint64_t n, char *out) {
  char digits[20];
  int len = 0;
  do digits[len++] = '0' + n % 10;
  while (n /= 10);
  while (len) *out++ = digits[--len];
  *out = 0;
  return out;
}

void proc_link(int fd, char link[40]) {
  memcpy(link, "/proc/self/fd/", 14);
  number(fd, link + 14);
}

long path_of(int fd, char path[PATH_BYTES]) {
  char link[40];
  proc_link(fd, link);
  long len = RAW4(SYS_readlinkat, AT_FDCWD, link, path, PATH_BYTES - 1);
  path[len < 0 ? 0 : len] = 0;
  return len;
}

int below_root(const char *path) {
  return !strncmp(path, root, root_len) && (path[root_len] == 0 || path[root_len] == '/');
}
