@testable import HTTPQuery

/// Feeds a parser in pieces and writes down what comes out, a line a step: `POST /a/b?k=v "body"`, or the status of a refusal.
struct RequestReader: ~Copyable {
  private var parser: RequestParser
  private let bodyLimit: Int
  private(set) var found: [String] = []

  init(bodyLimit: Int = 1_000, memo: HeadMemo? = nil) {
    self.bodyLimit = bodyLimit
    parser = RequestParser(memo: memo)
  }

  var unreadCount: Int { parser.unreadCount }
  var heldBytes: Int { parser.input.count }

  mutating func feed(_ bytes: some Collection<UInt8>) {
    parser.append(Array(bytes).span)
    while true {
      switch parser.next(bodyLimit: { _ in bodyLimit }) {
      case .needsMore: return
      case .expectsContinue: continue
      case .request(let request): found.append(Self.describe(request))
      case .refused(let status):
        found.append("\(status.rawValue)")
        return
      }
    }
  }

  /// What a stream cut at the given places is read as.
  static func read(_ stream: [UInt8], cutAt places: [Int] = []) -> [String] {
    var reader = RequestReader()
    var start = 0
    for end in places + [stream.count] {
      reader.feed(stream[start..<end])
      if reader.found.last.map({ Int($0) != nil }) == true { break }
      start = end
    }
    return reader.found
  }

  static func describe(_ request: Request) -> String {
    var text = "\(request.method.rawValue) "
    text += request.isAboutServer ? "*" : "/" + request.path.joined(separator: "|")
    for (place, pair) in request.query.enumerated() {
      text += "\(place == 0 ? "?" : "&")\(pair.name)=\(String(decoding: pair.value, as: UTF8.self))"
    }
    if !request.body.isEmpty { text += " \"\(String(decoding: request.body, as: UTF8.self))\"" }
    if !request.keepsAlive { text += " close" }
    return text
  }
}
