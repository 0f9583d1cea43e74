import Glibc

/// A system call that failed: which one, on what, and errno(3).
package struct SystemError: Error, Equatable, CustomStringConvertible {
  /// The call that failed.
  package let call: String
  /// What it was about: an address, a path.
  package let subject: String
  /// errno.
  package let number: Int32
  private var hint: String?

  /// EPROTO: the other side does not keep to what was agreed.
  package static let protocolFault: Int32 = EPROTO

  /// Takes errno as it is now.
  package init(_ call: StaticString, _ subject: String = "") {
    self.init(call, subject, number: errno)
  }

  package init(_ call: StaticString, _ subject: String, number: Int32) {
    self.call = call.description
    self.subject = subject
    self.number = number
  }

  /// The same with a hint at what mends it: `bind 127.0.0.1:8125: Address already in use; set --udp`.
  package func hinting(_ hint: String) -> SystemError {
    var copy = self
    copy.hint = hint
    return copy
  }

  /// `bind 127.0.0.1:8125: Address already in use`.
  package var description: String {
    // Safe: strerror_r would be needed only with locales of several threads; the text of a known number is constant.
    let reason = unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
    let ending = hint.map { "; \($0)" } ?? ""
    return subject.isEmpty ? "\(call): \(reason)\(ending)" : "\(call) \(subject): \(reason)\(ending)"
  }
}

/// Repeats a call that a signal interrupted: the one place that knows EINTR.
@inline(__always)
func retryingInterrupts<Result: FixedWidthInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}

/// Numbers that others than this target decide by.
extension SystemError {
  /// ENOENT.
  package static let noEntry = ENOENT
  /// EEXIST.
  package static let exists = EEXIST
  /// ENOSPC.
  package static let noSpace = ENOSPC
  /// EIO.
  package static let inputOutput = EIO
  /// EINTR.
  package static let interrupted = EINTR
}
