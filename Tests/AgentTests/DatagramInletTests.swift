import Testing

@testable import Agent

@Suite struct DatagramInletTests {
  private static let megabyte = 1 << 20

  @Test func `a nap lasts until about 500 small datagrams have come at the rate seen`() {
    var inlet = DatagramInlet(bufferBytes: 8 * Self.megabyte)
    inlet.becomeBusy(now: 0)
    // A million a second: a hundred in 100 µs.
    #expect(inlet.nap(charged: DatagramInlet.charge(messages: 100, bytes: 0), now: 100_000) == 512_000)
    // Two million a second.
    #expect(inlet.nap(charged: DatagramInlet.charge(messages: 200, bytes: 0), now: 200_000) == 256_000)
    // A thousand a second would take half a second.
    #expect(inlet.nap(charged: DatagramInlet.charge(messages: 1, bytes: 0), now: 1_200_000) == 2_000_000)
    // Nothing at all came, or the clock stood still.
    #expect(inlet.nap(charged: 0, now: 1_300_000) == inlet.longestNap)
    #expect(inlet.nap(charged: 1 << 20, now: 1_300_000) == DatagramInlet.shortest)
  }

  /// Four bytes of buffer a nanosecond is the fastest sender; a sleep may be 100 µs late.
  @Test(arguments: [4 << 10, 64 << 10, 208 << 10, 1 << 20, 4 << 20, 8 << 20, 1 << 30])
  func `no nap outlasts half of the buffer at any rate`(_ bufferBytes: Int) {
    var inlet = DatagramInlet(bufferBytes: bufferBytes)
    #expect(inlet.longestNap == 0 || inlet.longestNap >= DatagramInlet.shortest)
    var now: Int64 = 0
    for charged in [1, 1_024, 100_000, 10_000_000, .max] {
      for elapsed: Int64 in [0, 1, 1_000, 1_000_000, 1_000_000_000_000] {
        now += elapsed
        #expect(inlet.nap(charged: charged, now: now) * 4 <= bufferBytes)
      }
    }
  }

  @Test func `a socket is silent when two naps in a row brought nothing`() {
    var inlet = DatagramInlet(bufferBytes: Self.megabyte)
    inlet.becomeBusy(now: 0)
    #expect([0, 1, 0, 5, 0].map { inlet.isSilent(messages: $0) } == [false, false, false, false, false])
    let isSilent = inlet.isSilent(messages: 0)
    #expect(isSilent)
    inlet.becomeBusy(now: 0)
    let isSilentAgain = inlet.isSilent(messages: 0)
    #expect(!isSilentAgain)
  }

  @Test func `of long messages few are taken at once, and of short ones all slots are used again`() {
    var inlet = DatagramInlet(bufferBytes: Self.megabyte)
    #expect(inlet.messagesAtOnce == 64)
    inlet.noteBatch(messages: 64, bytes: 64 * 1_432)
    #expect(inlet.messagesAtOnce == 64)
    inlet.noteBatch(messages: 2, bytes: 2 * 64_440)
    #expect(inlet.messagesAtOnce == 16)
    inlet.noteBatch(messages: 16, bytes: 16 * 20)
    #expect(inlet.messagesAtOnce == 64)
  }

  @Test func `a socket that holds a handful of datagrams is never left alone`() {
    #expect(DatagramInlet(bufferBytes: 0).longestNap == 0)
    #expect(DatagramInlet(bufferBytes: 4_096).longestNap == 0)
  }

  @Test func `of runs, the kernel's drops are one each, and the rest is reckoned by what came through`() {
    var inlet = DatagramInlet(bufferBytes: Self.megabyte)
    #expect(!inlet.hasRuns)
    inlet.noteDrops(5)
    // Ten runs of 45 came through while two were dropped: 90 datagrams, of which the kernel told 2.
    #expect(inlet.dropsWithinRuns(drops: 7, messages: 10, datagrams: 450) == 88)
    #expect(inlet.hasRuns)
    #expect(inlet.dropsWithinRuns(drops: 7, messages: 10, datagrams: 450) == 0)
    // Single datagrams are counted by the kernel.
    #expect(inlet.dropsWithinRuns(drops: 1_007, messages: 64, datagrams: 64) == 0)
    // The kernel's number goes round at 2^32.
    inlet.noteDrops(.max)
    #expect(inlet.dropsWithinRuns(drops: 1, messages: 1, datagrams: 64) == 2 * 63)
  }
}
