import Aggregation

/// What an answer wants of the store that several agents share.
enum SharedAsk {
  /// What is held under a key; what is known of it from a short while ago will do.
  case read(SharedKey)
  /// What is held under a key now.
  case readAnew(SharedKey)
  /// That this agent's own total, as it is now, is written. For what the view has a series or a metric of.
  case write(SharedKey)
  /// That the base of every agent is set to its total; `own` is what this agent has written of its own, nil if it has none.
  case reset(SharedKey, own: SharedNumber?)

  var key: SharedKey {
    switch self {
    case .read(let key), .readAnew(let key), .write(let key), .reset(let key, _): key
    }
  }
}

/// What came of a `SharedAsk`.
enum SharedReply {
  /// `served`: by which server; nil: it was known from a short while ago.
  case holding(SharedHolding, served: String?)
  /// The total that was written; the journal has it too.
  case written(SharedNumber)
  case reset(served: String)
  /// It could not be done.
  case failed
  /// Of a reset: no answer came, it may have been done.
  case unanswered
}

/// What came of all that an answer asked for.
struct SharedReplies {
  private var replies: [SharedKey: SharedReply] = [:]

  /// What came of what was asked under a key; nothing, if nobody asked.
  subscript(key: SharedKey) -> SharedReply {
    get { replies[key] ?? .failed }
    set { replies[key] = newValue }
  }
}
