/// What an error of a server asks the client to do.
enum Redirection: Equatable {
  /// The slot lives there now.
  case moved(slot: Int, to: RedisURL.Place)
  /// This key is to be asked for there, this once.
  case ask(RedisURL.Place)
  /// The same again, later. `asksMap`: where slots are may have changed.
  case later(asksMap: Bool)
  /// The server does not know the script by its digest.
  case unknownScript
  /// It will not do, however often it is sent.
  case refused

  /// - Parameter asked: the host that answered: it stands for one that is empty (`MOVED 1 :6379`) or unknown (`?:6379`).
  init(_ error: String, asked: String) {
    let words = error.split(separator: " ", omittingEmptySubsequences: true)
    switch words.first {
    case "MOVED":
      guard words.count >= 3, let slot = Int(words[1]), 0..<KeyPlace.slots ~= slot,
        let place = Self.place(words[2], asked: asked)
      else { break }
      self = .moved(slot: slot, to: place)
      return
    case "ASK":
      guard words.count >= 3, let place = Self.place(words[2], asked: asked) else { break }
      self = .ask(place)
      return
    case "NOSCRIPT":
      self = .unknownScript
      return
    case "TRYAGAIN", "LOADING", "BUSY":
      self = .later(asksMap: false)
      return
    case "CLUSTERDOWN", "READONLY", "MASTERDOWN", "UNBLOCKED", "NOREPLICAS":
      self = .later(asksMap: true)
      return
    default: break
    }
    self = .refused
  }

  /// `host:port`; the host may hold colons itself.
  private static func place(_ text: Substring, asked: String) -> RedisURL.Place? {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
      return nil
    }
    let host = text[..<colon]
    return .tcp(host: host.isEmpty || host == "?" ? asked : String(host), port: port)
  }
}
