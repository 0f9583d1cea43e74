/// Numbers from a fixed seed: xorshift64 (Marsaglia, "Xorshift RNGs", 2003).
struct Xorshift: RandomNumberGenerator {
  private var state: UInt64 = 88_172_645_463_325_252

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
