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

int footfall_pipe2(int ends[2], int flags) __asm__("pipe2");
int footfall_memfd_create(const char *name, unsigned int flags) __asm__("memfd_create");

// The other end of a unix connection (unix(7), SO_PEERCRED).
struct footfall_credentials {
  pid_t process;
  uid_t user;
  gid_t group;
};
// flock(2): in Swift its name is that of the structure of fcntl(2).
int footfall_flock(int fd, int operation) __asm__("flock");

// Enumerators that Swift would import as types of their own.
#define FOOTFALL_CONSTANT(name, value) static const int32_t name = value
FOOTFALL_CONSTANT(footfall_msg_dontwait, MSG_DONTWAIT);
FOOTFALL_CONSTANT(footfall_msg_trunc, MSG_TRUNC);
FOOTFALL_CONSTANT(footfall_msg_nosignal, MSG_NOSIGNAL);
FOOTFALL_CONSTANT(footfall_nonblocking_socket, SOCK_NONBLOCK | SOCK_CLOEXEC);
FOOTFALL_CONSTANT(footfall_nonblocking_event, EFD_NONBLOCK | EFD_CLOEXEC);
FOOTFALL_CONSTANT(footfall_signal_cloexec, SFD_CLOEXEC);
FOOTFALL_CONSTANT(footfall_sequenced_socket, SOCK_SEQPACKET | SOCK_CLOEXEC);

enum {
  FOOTFALL_SO_RCVBUFFORCE = 33,
  FOOTFALL_SO_ATTACH_FILTER = 26,
  FOOTFALL_SO_PEERCRED = 17,
  FOOTFALL_SO_MEMINFO = 55,
  FOOTFALL_SO_COOKIE = 57,
  FOOTFALL_SOL_UDP = 17,
  FOOTFALL_UDP_GRO = 104,      // linux/udp.h; since 5.0
  FOOTFALL_MEMINFO_WORDS = 9,   // SK_MEMINFO_VARS, linux/sock_diag.h
  FOOTFALL_MEMINFO_QUEUED = 0,  // SK_MEMINFO_RMEM_ALLOC
  FOOTFALL_MEMINFO_DROPS = 8,   // SK_MEMINFO_DROPS
  FOOTFALL_MFD_CLOEXEC = 1,
  FOOTFALL_MOST_DESCRIPTORS = 253,  // SCM_MAX_FD: more do not go with one message
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

// sendmsg(2) with descriptors (unix(7), SCM_RIGHTS), at most FOOTFALL_MOST_DESCRIPTORS of them; `to` may be NULL on a connection.
static inline ssize_t footfall_send_descriptors(int socket, const void *bytes, size_t count, const int *descriptors,
                                                size_t descriptor_count, const struct sockaddr *to, socklen_t to_length) {
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(FOOTFALL_MOST_DESCRIPTORS * sizeof(int))];
  } control;
  struct iovec vector = {.iov_base = (void *)bytes, .iov_len = count};
  struct msghdr message = {.msg_name = (void *)to, .msg_namelen = to_length, .msg_iov = &vector, .msg_iovlen = 1};
  if (descriptor_count > 0) {
    memset(&control, 0, sizeof control);
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(descriptor_count * sizeof(int));
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(descriptor_count * sizeof(int));
    memcpy(CMSG_DATA(&control.header), descriptors, descriptor_count * sizeof(int));
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL);
}

// recvmsg(2) with descriptors, which have room for FOOTFALL_MOST_DESCRIPTORS and are closed on exec; `descriptor_count` is how many came.
// `cut` is set if the message was longer than the room.
static inline ssize_t footfall_receive_descriptors(int socket, void *bytes, size_t room, int *descriptors,
                                                   size_t *descriptor_count, int *cut) {
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(FOOTFALL_MOST_DESCRIPTORS * sizeof(int))];
  } control;
  struct iovec vector = {.iov_base = bytes, .iov_len = room};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  *descriptor_count = 0;
  ssize_t count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (count < 0) return count;
  for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part != NULL; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    size_t more = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(descriptors + *descriptor_count, CMSG_DATA(part), more * sizeof(int));
    *descriptor_count += more;
  }
  *cut = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
  return count;
}
