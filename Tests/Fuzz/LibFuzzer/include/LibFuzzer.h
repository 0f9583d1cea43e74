/// libFuzzer's entry for programs that have a main function of their own (LLVM, "libFuzzer", section "Using libFuzzer as a library").
/// The fuzzer is linked by `-sanitize=fuzzer`; this header only declares it to Swift.
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*check)(const uint8_t *bytes, size_t count));
