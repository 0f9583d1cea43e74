/// Which label the key of a keyed count goes to, by metric: `visit:page1` is `visit{page="page1"}`.
///
/// - Complexity: a look-up compares with each metric named here, a handful at most.
package struct KeyLabels: Equatable, Sendable {
  /// A metric's name as a normal spelling writes it, and its label.
  private struct Entry: Equatable {
    var name: [UInt8]
    var label: [UInt8]
  }

  private var entries: [Entry] = []
  /// The label of metrics that are not named.
  private static let other = Array("key".utf8)

  /// `visit` has `page`, `buy` has `promotion`, every other metric `key`.
  package init() {
    self["visit"] = "page"
    self["buy"] = "promotion"
  }

  /// The label of the metric `name`; writing replaces it.
  package subscript(name: String) -> String {
    get { String(decoding: label(of: Self.normal(name).span), as: UTF8.self) }
    set {
      let entry = Entry(name: Self.normal(name), label: Array(newValue.utf8))
      entries.removeAll { $0.name == entry.name }
      entries.append(entry)
    }
  }

  /// The label of the metric whose normal spelling begins with `normalName`.
  package func label(of normalName: Span<UInt8>) -> [UInt8] {
    for entry in entries where entry.name.span.order(to: normalName) == 0 { return entry.label }
    return Self.other
  }

  private static func normal(_ name: String) -> [UInt8] {
    var spelling: [UInt8] = []
    NormalSpelling.appendName(name.utf8, to: &spelling)
    return spelling
  }
}
