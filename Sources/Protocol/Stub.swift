import Bytes
package struct KeyLabels: Sendable { package init() {} }
package enum SeriesSpelling {
  package static func normalise(_ bytes: PaddedBytes, name: Range<Int>, tags: Range<Int>, kind: SampleKind, keyLabels: KeyLabels, into: inout [UInt8]) -> LineFault? {
    into.removeAll(keepingCapacity: true); into += bytes.copy(name); if !tags.isEmpty { into += Array("|#".utf8); into += bytes.copy(tags) }; return nil }
  package static func metricName(of: [UInt8], into: inout [UInt8]) { into = Array(of.prefix { $0 != 58 && $0 != 124 }) }
  package static func write(name: [UInt8], keyValue: [UInt8], kind: SampleKind, keyLabels: KeyLabels, into: inout [UInt8]) { into = name + [58] + keyValue }
}
