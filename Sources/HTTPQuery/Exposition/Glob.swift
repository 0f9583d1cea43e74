/// A pattern of the parameters `metric=GLOB` and `match=label:glob`: `*` stands for any characters, `?` for one, all else for itself.
///
/// Patterns and texts are UTF-8; `?` takes a whole character.
/// - Complexity: matching is O(pattern × text) at worst and O(text) as a rule: only the last `*` is ever tried again, since what an
///   earlier one took can stay as short as it was.
package struct Glob: Sendable {
  /// Longest pattern, in characters: as long as any key, and short enough that a million series can be held against it.
  package static let longest = 512

  private let pattern: [UInt8]

  /// Nil for a pattern longer than `longest`.
  package init?(_ pattern: [UInt8]) {
    if pattern.count > Self.longest, pattern.count(where: { $0 & 0xC0 != 0x80 }) > Self.longest { return nil }
    self.pattern = pattern
  }

  /// Whether all of `text` fits.
  package func matches(_ text: Span<UInt8>) -> Bool {
    let pattern = pattern.span
    var (place, at) = (0, 0)
    var star: (next: Int, taken: Int)?
    while at < text.count {
      if place < pattern.count && pattern[place] == UInt8(ascii: "*") {
        place += 1
        star = (place, at)
      } else if place < pattern.count && pattern[place] == UInt8(ascii: "?") {
        place += 1
        at = Self.nextCharacter(text, at)
      } else if place < pattern.count && pattern[place] == text[at] {
        place += 1
        at += 1
      } else if let (next, taken) = star {
        at = Self.nextCharacter(text, taken)
        place = next
        star = (next, at)
      } else {
        return false
      }
    }
    while place < pattern.count && pattern[place] == UInt8(ascii: "*") { place += 1 }
    return place == pattern.count
  }

  /// Behind the character that begins at `place`: past its continuation bytes.
  private static func nextCharacter(_ text: Span<UInt8>, _ place: Int) -> Int {
    var next = place + 1
    while next < text.count && text[next] & 0xC0 == 0x80 { next += 1 }
    return next
  }
}
