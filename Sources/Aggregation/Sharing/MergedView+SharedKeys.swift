import Protocol

/// Series and metrics by the keys under which agents share them.
extension MergedView {
  /// The key of a series; nil for a kind that is not shared.
  package func sharedKey(of id: SeriesID) -> SharedKey? {
    let kind = series[Int(id)].kind
    if !kind.isCounted { return nil }
    return withSpelling(of: id) { spelling in
      let pieces = SeriesLabels(of: spelling)
      func plain(_ text: Span<UInt8>) -> [UInt8] { text.indices.map { SeriesLabels.plain(text[$0]) } }
      var labels: [(name: [UInt8], value: [UInt8])] = []
      pieces.forEach(in: spelling, keyLabels: keyLabels) { labels.append((plain($0), plain($1))) }
      return SharedKey(kind, metric: plain(spelling.extracting(pieces.name)), labels: labels)
    }
  }

  /// The key of a metric; nil for a kind that is not shared.
  package func sharedKey(ofFamily id: FamilyID, _ part: SharedKey.Part = .total) -> SharedKey? {
    let kind = families[Int(id)].kind
    return kind.isShared ? SharedKey(kind, metric: name(of: id), part) : nil
  }

  /// An owner waits, changed or not: a reset elsewhere is to be learned of.
  /// - Returns: false if there is none, or it could not be shared a moment ago and waits for `retryUnshared`.
  @discardableResult
  package mutating func share(_ key: SharedKey) -> Bool {
    guard sharing.isOn, key.kind.isShared, let (metric, labels) = key.pieces else { return false }
    if labels == nil {
      guard let family = findFamily(metric, key.kind) else { return false }
      sharing.families.mark(Int(family))
      return !sharing.families.isParked(Int(family))
    }
    guard let id = series(sharedAs: key) else { return false }
    sharing.series.mark(Int(id))
    return !sharing.series.isParked(Int(id))
  }

  /// The series of a key, if it lives here.
  package func series(sharedAs key: SharedKey) -> SeriesID? {
    guard key.kind.isCounted, let (metric, labels) = key.pieces, let labels else { return nil }
    var spelling: [UInt8] = []
    SeriesSpelling.write(metric, labels, kind: key.kind, keyLabels: keyLabels, into: &spelling)
    return series(spelled: spelling, kind: key.kind)
  }
}

extension SharedKey {
  /// Metric and labels that the tag was made of, without labels for a metric; nil if it is no tag.
  var pieces: (metric: [UInt8], labels: [(key: [UInt8], value: [UInt8])]?)? {
    var pieces: [[UInt8]] = [[]]
    var marks: [UInt8] = []
    var isEscaped = false
    for byte in tag {
      if isEscaped {
        pieces[pieces.count - 1].append(byte)
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else if "|,=".utf8.contains(byte) {
        marks.append(byte)
        pieces.append([])
      } else {
        pieces[pieces.count - 1].append(byte)
      }
    }
    if isEscaped || pieces[0].isEmpty { return nil }
    if marks.isEmpty { return (pieces[0], nil) }
    if marks == Array("|".utf8) && pieces[1].isEmpty { return (pieces[0], []) }
    let areMarks = marks.indices.allSatisfy { marks[$0] == Self.mark(at: $0) }
    if !areMarks || marks.count % 2 == 1 { return nil }
    return (pieces[0], stride(from: 1, to: pieces.count, by: 2).map { (pieces[$0], pieces[$0 + 1]) })
  }

  /// What stands behind so many pieces: | = , = , = …
  private static func mark(at place: Int) -> UInt8 {
    if place == 0 { return UInt8(ascii: "|") }
    return place % 2 == 1 ? UInt8(ascii: "=") : UInt8(ascii: ",")
  }
}
