import Glibc
import Platform

/// Asks an agent over HTTP.
struct HTTPClient {
  let port: UInt16

  struct Answer {
    var status: Int
    /// Without the head; empty if it was not kept.
    var body: [UInt8]
    var bodyBytes: Int
  }

  /// One request on a connection of its own.
  /// - Parameter keeps: whether the body is kept; that of a scrape of a million series is only counted.
  func get(_ path: String, keeps: Bool = true) throws(SystemError) -> Answer {
    let socket = try ClientSocket.connected(to: .tcp(port: port))
    // HTTP/1.0: the end of the connection is the end of the body.
    try Self.send("GET \(path) HTTP/1.0\r\nHost: localhost\r\n\r\n", to: socket)
    var head: [UInt8] = []
    var body: [UInt8] = []
    var bodyBytes = 0
    var isInBody = false
    var room = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      // Safe: only what was read is looked at.
      let transfer = unsafe room.withUnsafeMutableBytes { unsafe socket.read(into: $0) }
      guard case .bytes(let count) = transfer else {
        if case .failed(let number) = transfer { throw SystemError("read", path, number: number) }
        break
      }
      if isInBody {
        bodyBytes += count
        if keeps { body += room[..<count] }
        continue
      }
      head += room[..<count]
      if let end = Self.endOfHead(head) {
        isInBody = true
        bodyBytes = head.count - end
        if keeps { body = Array(head[end...]) }
        head.removeSubrange(end...)
      }
    }
    let words = String(decoding: head, as: UTF8.self).split(separator: " ", maxSplits: 2)
    return Answer(status: words.count > 1 ? Int(words[1]) ?? 0 : 0, body: body, bodyBytes: bodyBytes)
  }

  /// Text of an answer.
  func text(_ path: String) throws(SystemError) -> String { String(decoding: try get(path).body, as: UTF8.self) }

  /// A connection that is kept: asks for a small answer again and again.
  struct Kept {
    private let socket: Descriptor

    init(port: UInt16) throws(SystemError) { socket = try ClientSocket.connected(to: .tcp(port: port)) }

    /// Sends the request and reads one answer, of a few hundred bytes.
    func ask(_ path: String) throws(SystemError) {
      try HTTPClient.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n", to: socket)
      var answer: [UInt8] = []
      var room = [UInt8](repeating: 0, count: 4_096)
      while true {
        let transfer = unsafe room.withUnsafeMutableBytes { unsafe socket.read(into: $0) }
        guard case .bytes(let count) = transfer else { throw SystemError("read", path, number: EPIPE) }
        answer += room[..<count]
        guard let end = HTTPClient.endOfHead(answer) else { continue }
        if answer.count >= end + HTTPClient.contentLength(answer[..<end]) { return }
      }
    }
  }

  private static func send(_ request: String, to socket: Descriptor) throws(SystemError) {
    if case .failed(let number) = socket.write(Array(request.utf8).span) {
      throw SystemError("send", "", number: number)
    }
  }

  private static func endOfHead(_ bytes: [UInt8]) -> Int? {
    let end = Array("\r\n\r\n".utf8)
    guard bytes.count >= 4 else { return nil }
    return (0...bytes.count - 4).first { bytes[$0..<$0 + 4].elementsEqual(end) }.map { $0 + 4 }
  }

  private static func contentLength(_ head: ArraySlice<UInt8>) -> Int {
    for line in String(decoding: head, as: UTF8.self).split(whereSeparator: \.isNewline) {
      if line.lowercased().hasPrefix("content-length:") {
        return Int(line.dropFirst(15).filter { $0 != " " }) ?? 0
      }
    }
    return 0
  }
}
