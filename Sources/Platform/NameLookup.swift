import Glibc
import Synchronization

/// The addresses of a host, looked up by a thread of its own: getaddrinfo(3) may take many seconds, and cannot be stopped.
package final class NameLookup: Sendable {
  /// What came out.
  package enum Answer: Sendable {
    /// Still looking.
    case pending
    /// In the order in which they should be tried; at least one.
    case addresses([SocketAddress])
    /// As gai_strerror(3) has it.
    case failed(String)
  }

  private let state = Mutex(Answer.pending)

  /// What is known so far.
  package var answer: Answer { state.withLock(\.self) }

  /// Starts looking.
  /// - Parameter done: called once, on the other thread, when there is an answer.
  package init(_ host: String, port: UInt16, done: @escaping @Sendable () -> Void) throws(SystemError) {
    let thread = try Thread("lookup") { [self] in
      let found = Self.look(host, port)
      state.withLock { $0 = found }
      done()
    }
    thread.detach()
  }

  /// An address in numbers, v4 or v6; nil for a name.
  package static func literal(_ host: String, port: UInt16) -> SocketAddress? {
    SocketAddress(v4: host, port: port) ?? SocketAddress(v6: host, port: port)
  }

  private static func look(_ host: String, _ port: UInt16) -> Answer {
    // Safe: the hints hold no pointer.
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    unsafe hints.ai_family = AF_UNSPEC
    // Safe: the list is read before it is freed, and each entry says how long its address is.
    var list: UnsafeMutablePointer<addrinfo>?
    let status = unsafe getaddrinfo(host, nil, &hints, &list)
    if status != 0 { return .failed(unsafe String(cString: gai_strerror(status))) }
    defer { unsafe freeaddrinfo(list) }
    var found: [SocketAddress] = []
    var entry = unsafe list
    while let one = unsafe entry {
      var address = SocketAddress()
      address.length = unsafe one.pointee.ai_addrlen
      if let bytes = unsafe one.pointee.ai_addr, Int(address.length) <= MemoryLayout<sockaddr_storage>.size {
        unsafe withUnsafeMutableBytes(of: &address.storage) {
          unsafe $0.copyMemory(from: UnsafeRawBufferPointer(start: bytes, count: Int(address.length)))
        }
        if let address = address.replacing(port: port) { found.append(address) }
      }
      unsafe entry = one.pointee.ai_next
    }
    return found.isEmpty ? .failed("no address") : .addresses(found)
  }
}
