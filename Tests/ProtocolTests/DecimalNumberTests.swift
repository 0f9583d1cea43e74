import Bytes
import Foundation
import Randomness
import Testing

@testable import Protocol

@Suite struct `a decimal number` {
  static let whole: [(String, Int64)] = [
    ("0", 0), ("-0", 0), ("-0.0", 0), ("+7", 7), ("1.0", 1), ("1.", 1), ("1e3", 1000), ("1.5E+1", 15), ("1200e-2", 12),
    ("0.000000000000000000000000e5", 0), ("0e999999999999", 0), ("00000000000000000000000000042", 42),
    ("9223372036854775807", .max), ("-9223372036854775808", .min), ("9223372036854775807.000", .max),
    ("922337203685477580.7e1", .max),
    ("1000000000000000000000e-3", 1_000_000_000_000_000_000), ("0.00000000000000000000123e23", 123),
  ]

  @Test(arguments: whole)
  func `is exact when it is whole`(_ text: String, _ expected: Int64) {
    let number = parse(text)
    #expect(number?.isInteger == true && number?.integer == expected && number?.double == Double(expected))
  }

  static let fractions = [
    "0.1", "-0.5", "9223372036854775808", "-9223372036854775809", "18446744073709551616", "1.7976931348623157e308",
    "5e-324",
    "2.2250738585072011e-308", "2.2250738585072014e-308", "2.47032822920623272e-324", "4.9406564584124654e-324",
    // Halfway and next to it.
    "9007199254740993.5", "9007199254740992.5000000000000000000001",
    "0.50000000000000011102230246251565404236316680908203125",
    "1.00000000000000011102230246251565404236316680908203124",
    "1.00000000000000011102230246251565404236316680908203126",
    "6631236846766476e-316", "3.2378839133029012895883524125015321748630094239425e-72",
    "123456789012345678901234567890",
    "0.000000000000000000000000000000000000000000000000000000000000000000000000000000000001", "1e23", "8.5e22", "1e22",
    "1e-22",
  ]

  @Test(arguments: fractions)
  func `is the nearest double when it is not`(_ text: String) {
    let number = parse(text)
    #expect(number?.isInteger == false && number?.double.bitPattern == strtod(text, nil).bitPattern)
  }

  @Test(arguments: [
    "", "+", ".", "-.", "e5", ".e5", "1e", "1e+", "1x", "0x10", "nan", "inf", "1 ", " 1", "1..", "1e999", "--1",
    "1e5.5",
  ])
  func `is not read where none stands`(_ text: String) {
    #expect(parse(text) == nil)
  }

  /// FOOTFALL_NUMBER_STRINGS sets how many; the full run is of 5,000,000, optimised.
  @Test func `agrees with strtod on random strings`() {
    let count = ProcessInfo.processInfo.environment["FOOTFALL_NUMBER_STRINGS"].flatMap { Int($0) } ?? 300_000
    var random = SplitMix(seed: 7)
    for _ in 0..<count {
      var text = random.pick(["", "", "-", "+"])
      text += digits(random.pick([1, 3, 8, 17, 19, 20, 25]), &random)
      if random.below(2) == 0 { text += "." + digits(random.pick([1, 3, 8, 17, 25]), &random) }
      if random.below(3) == 0 {
        text += random.pick(["e", "E", "e-", "e+"]) + "\(random.below(random.pick([5, 30, 340])))"
      }
      let expected = strtod(text, nil)
      let number = parse(text)
      #expect((number == nil) == !expected.isFinite, "\(text)")
      if let number { #expect(number.double == expected, "\(text)") }
    }
  }

  private func digits(_ most: Int, _ random: inout SplitMix) -> String {
    (0...random.below(most)).reduce(into: "") { text, _ in text += "\(random.below(10))" }
  }

  private func parse(_ text: String) -> DecimalNumber? {
    PaddedText(text.utf8).read { DecimalNumber($0, from: 0, to: $0.count) }
  }
}
