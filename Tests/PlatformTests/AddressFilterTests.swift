import Testing

@testable import Platform

@Suite struct `a filter of addresses` {
  private func address(_ text: String) throws -> SenderAddress { try #require(SenderAddress(text)) }

  @Test func `of no ranges hears everybody and is off`() throws {
    var filter = AddressFilter()
    #expect(!filter.isOn)
    for text in ["10.0.0.1", "2001:db8::1"] {
      let isHeard = filter.hears(try address(text))
      #expect(isHeard)
    }
  }

  @Test func `hears those of its ranges, whoever was asked for before, and this machine`() throws {
    var filter = AddressFilter(try ["10.0.0.0/8", "2001:db8::/32"].map { try #require(AddressRange($0)) })
    let verdicts: [(String, Bool)] = [
      ("10.1.2.3", true), ("10.1.2.3", true), ("11.0.0.1", false), ("11.0.0.1", false), ("::ffff:10.9.9.9", true),
      ("2001:db8::1", true), ("2001:db9::1", false), ("10.1.2.3", true),
    ]
    #expect(filter.isOn)
    for (text, verdict) in verdicts {
      let isHeard = filter.hears(try address(text))
      #expect(isHeard == verdict, "\(text)")
      let isLocalHeard = filter.hears(.local)
      #expect(isLocalHeard)
    }
  }

  @Test func `an address's network is itself, or 64 bits of IPv6`() throws {
    #expect(try address("10.0.0.1").network == address("10.0.0.1"))
    #expect(try address("2001:db8:1:2:3::4").network == address("2001:db8:1:2::"))
  }
}

@Suite struct `a box of settings` {
  @Test func `gives out the newest once`() {
    let box = SettingsBox<Int>()
    #expect(box.take() == nil)
    box.put(1)
    box.put(2)
    #expect(box.take() == 2)
    #expect(box.take() == nil)
  }
}
