/// Hands settings that change while the program runs to one thread: whoever changes them puts new ones in and wakes the thread, which
/// takes them out when it wakes. The thread's own copy is what its loop reads.
package final class SettingsBox<Value: Sendable>: Sendable {
  private let waiting = Guarded<Value?>(nil)

  /// Empty.
  package init() {}

  /// Puts settings in; those that nobody has taken yet are replaced.
  package func put(_ value: Value) { waiting.withLock { $0 = value } }

  /// Takes the settings out; nil if there are no new ones.
  package func take() -> Value? {
    waiting.withLock { waiting in
      defer { waiting = nil }
      return waiting
    }
  }
}
