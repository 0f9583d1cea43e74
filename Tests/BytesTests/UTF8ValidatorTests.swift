import Testing

@testable import Bytes

@Suite struct `a UTF-8 validator` {
  @Test func `agrees with the standard library on every three bytes`() {
    // Of each class of bytes the first and the last: more would only repeat.
    let edges: [UInt8] = [
      0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0,
      0xF1, 0xF3,
      0xF4, 0xF5, 0xFF,
    ]
    for first in UInt8.min...UInt8.max {
      expectAgreement([first])
      for second in UInt8.min...UInt8.max {
        expectAgreement([first, second])
        for third in edges { expectAgreement([first, second, third]) }
      }
    }
    for first in UInt8(0xF0)...0xF5 {
      for second in edges {
        for third in edges { for fourth in edges { expectAgreement([first, second, third, fourth]) } }
      }
    }
  }

  @Test func `goes on behind what is wrong`() {
    var validator = UTF8Validator()
    // A cut character, the byte that cuts it (not looked at again), and a good character.
    let accepted = [0xE2, 0x61, 0xC3, 0xA9].map { validator.accept($0) }
    #expect(accepted == [true, false, true, true])
    #expect(validator.isComplete)
  }

  private func expectAgreement(_ bytes: [UInt8]) {
    var validator = UTF8Validator()
    let isValid = bytes.allSatisfy { validator.accept($0) } && validator.isComplete
    if isValid != (String(validating: bytes, as: UTF8.self) != nil) { Issue.record("\(bytes)") }
  }
}
