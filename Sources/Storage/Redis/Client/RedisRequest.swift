/// Why a command has no answer.
enum RedisFailure: Error, Equatable, CustomStringConvertible {
  /// Nothing was sent: the server is not there.
  case unavailable(String)
  /// It was sent, and whether it was carried out nobody knows.
  case lost(String)
  /// The server asks for patience, and has it had: loading, failing over, moving the key.
  case patience(String)
  /// The server's own words.
  case refused(String)
  /// Too many commands are under way.
  case full

  /// Whether the server cannot be reached.
  var isAway: Bool {
    switch self {
    case .unavailable, .lost: true
    case .patience, .refused, .full: false
    }
  }

  /// Whether it may have been carried out all the same.
  var mayBeDone: Bool { if case .lost = self { true } else { false } }

  var description: String {
    switch self {
    case .unavailable(let reason): "not connected: \(reason)"
    case .lost(let reason): "connection lost: \(reason)"
    case .patience(let reason), .refused(let reason): reason
    case .full: "too many commands are under way"
    }
  }
}

/// A command under way, and what becomes of it. All of them may be sent twice: what they do twice is done once.
final class RedisRequest {
  typealias Completion = (Result<RESPValue, RedisFailure>, _ from: RedisURL.Place?) -> Void

  private(set) var command: RESPCommand
  /// The same with the whole script, for a server that does not know its digest.
  private var spare: (() -> RESPCommand)?
  /// Where the key lives; nil: a command about the server itself, never sent anywhere else.
  let place: KeyPlace?
  /// To be preceded by ASKING: the key's slot is about to come to that server.
  var isAsking = false
  /// Sent once without an answer: it may be done, whatever comes of it when it is sent again.
  var wasLost = false
  var backoff = Backoff(first: 20_000_000, longest: 1_000_000_000)
  private let completion: Completion

  init(
    _ command: RESPCommand, spare: (() -> RESPCommand)? = nil, at place: KeyPlace?, _ completion: @escaping Completion
  ) {
    self.command = command
    self.spare = spare
    self.place = place
    self.completion = completion
  }

  /// Replaces the digest by the script.
  /// - Returns: false if that is what was sent already.
  func sendsScript() -> Bool {
    guard let spare else { return false }
    command = spare()
    self.spare = nil
    return true
  }

  func complete(_ result: Result<RESPValue, RedisFailure>, from place: RedisURL.Place?) { completion(result, place) }
}
