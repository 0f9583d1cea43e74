// What `import Glibc` lacks of the kernel's interface, and three things that Swift cannot spell: a prefetch, a spin-wait hint and a
// 16-byte compare. Header only. glibc declares the calls below under _GNU_SOURCE, which this header must not define: it would change
// `fd_set` for every other importer of Glibc in the build. So each call is declared here under a name of its own.
#pragma once
#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>

// recvmmsg(2), sendmmsg(2): one element of their vector.
struct footfall_mmsghdr {
  struct msghdr header;
  unsigned int length;
};
_Static_assert(sizeof(struct footfall_mmsghdr) == 64, "recvmmsg(2) takes elements of 64 bytes");

// The control message that comes with a run of datagrams which the kernel has joined (UDP_GRO): how long each of them was.
struct footfall_segment_message {
  size_t length;
  int level, type;
  int bytes;
};
_Static_assert(sizeof(struct footfall_segment_message) == CMSG_SPACE(sizeof(int)), "a cmsghdr (cmsg(3)) and a number");

int footfall_recvmmsg(int fd, struct footfall_mmsghdr *messages, unsigned int count, int flags, struct timespec *timeout)
    __asm__("recvmmsg");
int footfall_sendmmsg(int fd, struct footfall_mmsghdr *messages, unsigned int count, int flags) __asm__("sendmmsg");
int footfall_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) __asm__("accept4");
int footfall_affinity(pid_t process, size_t bytes, void *mask) __asm__("sched_getaffinity");
int footfall_set_affinity(pid_t thread, size_t bytes, const void *mask) __asm__("sched_setaffinity");
// ptrace(2), which glibc declares with an ellipsis.
long footfall_ptrace(int request, pid_t thread, void *address, void *data) __asm__("ptrace");
int footfall_pthread_setname(pthread_t thread, const char *name) __asm__("pthread_setname_np");

// Enumerators that Swift would import as types of their own.
#define FOOTFALL_CONSTANT(name, value) static const int32_t name = value
FOOTFALL_CONSTANT(footfall_msg_dontwait, MSG_DONTWAIT);
FOOTFALL_CONSTANT(footfall_msg_trunc, MSG_TRUNC);
FOOTFALL_CONSTANT(footfall_msg_nosignal, MSG_NOSIGNAL);
FOOTFALL_CONSTANT(footfall_nonblocking_socket, SOCK_NONBLOCK | SOCK_CLOEXEC);
FOOTFALL_CONSTANT(footfall_nonblocking_event, EFD_NONBLOCK | EFD_CLOEXEC);
FOOTFALL_CONSTANT(footfall_signal_cloexec, SFD_CLOEXEC);

enum {
  FOOTFALL_SO_RCVBUFFORCE = 33,
  FOOTFALL_SO_ATTACH_FILTER = 26,
  FOOTFALL_SO_MEMINFO = 55,
  FOOTFALL_SOL_UDP = 17,
  FOOTFALL_UDP_GRO = 104,      // linux/udp.h; since 5.0
  FOOTFALL_MEMINFO_WORDS = 9,  // SK_MEMINFO_VARS, linux/sock_diag.h
  FOOTFALL_MEMINFO_DROPS = 8,  // SK_MEMINFO_DROPS
};

#define FOOTFALL_INLINE static inline __attribute__((always_inline))

FOOTFALL_INLINE void footfall_prefetch(const void *address) { __builtin_prefetch(address); }
FOOTFALL_INLINE void footfall_prefetch_write(const void *address) { __builtin_prefetch(address, 1); }

FOOTFALL_INLINE void footfall_spin_wait(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

typedef uint8_t footfall_u8x16 __attribute__((ext_vector_type(16)));
typedef _Bool footfall_b16 __attribute__((ext_vector_type(16)));

// Bit i is set where byte i of the 16 at `bytes` equals `byte`. Reads all 16.
FOOTFALL_INLINE uint32_t footfall_equal16(const void *bytes, uint8_t byte) {
  footfall_u8x16 vector;
  memcpy(&vector, bytes, 16);
  footfall_b16 equal = __builtin_convertvector(vector == (footfall_u8x16)(byte), footfall_b16);
  uint16_t mask;
  memcpy(&mask, &equal, 2);
  return mask;
}

// The same of 32 bytes. Reads all 32.
FOOTFALL_INLINE uint32_t footfall_equal32(const void *bytes, uint8_t byte) {
  return footfall_equal16(bytes, byte) | footfall_equal16((const char *)bytes + 16, byte) << 16;
}

// 10 to the power of 0 to 7: a table that the caller's code has at hand, where a constant of another Swift module is a call away.
FOOTFALL_INLINE double footfall_power_of_ten(uint32_t exponent) {
  static const double powers[8] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7};
  return powers[exponent & 7];
}

// strtod(3) on text that the caller has checked to be a plain decimal number followed by a byte that cannot continue one.
FOOTFALL_INLINE double footfall_decimal(const void *text) { return strtod((const char *)text, NULL); }
