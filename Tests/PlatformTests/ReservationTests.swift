import Glibc
import Testing

@testable import Platform

@Suite struct ReservationTests {
  @Test(arguments: [0, 1, 4_096, 4_097, 3 << 20, 64 << 20])
  func `reserved bytes are zero, rounded up to whole pages, and writable to the last`(byteCount: Int) throws {
    let memory = try Reservation(byteCount: byteCount, usesHugePages: byteCount > 1 << 20)
    #expect(memory.byteCount % 4_096 == 0)
    #expect((max(byteCount, 1)..<byteCount + 4_097).contains(memory.byteCount))
    #expect(Int(bitPattern: unsafe memory.base) % 4_096 == 0)
    let last = unsafe memory.base + (memory.byteCount - 1)
    #expect(unsafe last.load(as: UInt8.self) == 0)
    unsafe last.storeBytes(of: 9, as: UInt8.self)
    #expect(unsafe last.load(as: UInt8.self) == 9)
  }

  @Test func `far more than the machine has may be reserved, as long as it is not touched`() throws {
    let memory = try Reservation(byteCount: 1 << 38)
    let middle = unsafe memory.base + (1 << 37)
    unsafe middle.storeBytes(of: 1, as: UInt64.self)
    #expect(unsafe middle.load(as: UInt64.self) == 1)
  }

  @Test func `what the address space has no room for is an error`() {
    let error = #expect(throws: SystemError.self) { _ = try Reservation(byteCount: 1 << 60) }
    #expect(error?.number == ENOMEM)
  }

  @Test func `pages given back read as zero, what stands on pages beside them stays`() throws {
    let memory = try Reservation(byteCount: 4 * 4_096)
    for place in stride(from: 0, to: memory.byteCount, by: 8) {
      unsafe memory.base.storeBytes(of: 7, toByteOffset: place, as: Int.self)
    }
    memory.discard(from: 4_097, to: 3 * 4_096)
    let kept = stride(from: 0, to: memory.byteCount, by: 8).filter {
      unsafe memory.base.load(fromByteOffset: $0, as: Int.self) == 7
    }
    #expect(kept.allSatisfy { $0 < 2 * 4_096 || $0 >= 3 * 4_096 })
    #expect(kept.count == 3 * 512)
    memory.discard(from: 0, to: 0)
    #expect(unsafe memory.base.load(as: Int.self) == 7)
  }
}
