import Assets
import Bytes

/// A file that the program carries in itself: a page, or what a page loads.
struct Asset: Sendable {
  let name: String
  let contentType: StaticString
  /// Strong (RFC 9110, section 8.8.3): another program's file is another file, of the same bytes or not.
  let entityTag: String
  private let row: Int

  static let all = (0..<footfall_asset_count).map { Asset(row: $0) }

  /// Nil if there is none of this name.
  init?(named name: String) {
    guard let found = Self.all.first(where: { $0.name == name }) else { return nil }
    self = found
  }

  private init(row: Int) {
    self.row = row
    // Safe: a row of the table, whose name is a C string and whose bytes are `count` in number.
    name = unsafe String(cString: footfall_assets[row].name)
    contentType = Self.contentType(of: name)
    entityTag = "\"\(String(Self.hash(Self.bytes(row)), radix: 36))\""
  }

  /// A copy of the file.
  var bytes: [UInt8] { Self.bytes(row) }

  private static func bytes(_ row: Int) -> [UInt8] {
    // Safe: a row of the table; the bytes are constants of the program.
    let asset = unsafe footfall_assets[row]
    return unsafe Array(UnsafeBufferPointer(start: asset.bytes, count: asset.count))
  }

  private static func contentType(of name: String) -> StaticString {
    switch name.split(separator: ".").last {
    case "html": "text/html; charset=utf-8"
    case "css": "text/css; charset=utf-8"
    case "js": "text/javascript; charset=utf-8"
    case "svg": "image/svg+xml"
    case "woff2": "font/woff2"
    default: "application/json"
    }
  }

  /// FNV-1a, 64 bits (Fowler, Noll, Vo): it tells one build's file from the next one's, and nobody gains by a collision.
  private static func hash(_ bytes: [UInt8]) -> UInt64 {
    bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}
