// Counts the calling thread's allocations: the C functions below take the place of glibc's in the whole process and hand on to them.
// Only test targets link this. Under a sanitizer, which must own these functions itself, nothing is counted.
#pragma once
#include <stdint.h>

// Calls of malloc, calloc, realloc, posix_memalign and aligned_alloc by this thread since it began.
uint64_t footfall_test_allocations(void);
