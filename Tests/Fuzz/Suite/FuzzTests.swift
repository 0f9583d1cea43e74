import Testing

/// What libFuzzer runs for hours (`Tests/Fuzz/run`), here for a second each.
@Suite struct `any bytes` {
  /// Changed inputs a seed: some tenths of a second each in a debug build.
  static let rounds: [FuzzBody: Int] = [
    .lines: 500, .framer: 2_000, .numbers: 10_000, .requests: 300, .configuration: 200, .journal: 200,
    .replies: 500, .slots: 50, .redirections: 5_000, .urls: 2_000,
  ]

  @Test(arguments: FuzzBody.allCases.filter { $0 != .canary })
  func `that the corpus holds break nothing`(_ body: FuzzBody) throws {
    let corpus = try body.corpus
    #expect(corpus.count >= 3)
    for input in corpus { #expect(throws: Never.self, "\(input)") { try body.check(input) } }
  }

  @Test(arguments: FuzzBody.allCases.filter { $0 != .canary }, [1, 2] as [UInt64])
  func `made from the corpus break nothing`(_ body: FuzzBody, _ seed: UInt64) throws {
    let fault = fault(of: body, from: try body.corpus, seed: seed, rounds: try #require(Self.rounds[body]))
    #expect(fault == nil)
  }

  @Test func `that break a check are found`() {
    // Three bytes of four: one change of 1,024 that a byte can take leads to the last.
    let fault = fault(of: .canary, from: [[0xF0, 0x07, 0xFA, 0x12]], seed: 1, rounds: 100_000)
    #expect(fault?.contains("[240, 7, 250, 17") == true)
  }

  /// Runs `body` over changed inputs.
  /// - Returns: what broke first, with the seed, the round and the input.
  private func fault(of body: FuzzBody, from corpus: [[UInt8]], seed: UInt64, rounds: Int) -> String? {
    var inputs = SeededInputs(of: corpus, seed: seed)
    for round in 0..<rounds {
      let input = inputs.next()
      do throws(Broken) {
        try body.check(input)
      } catch {
        return "\(body), seed \(seed), round \(round): \(error.description), of \(input)"
      }
    }
    return nil
  }
}
