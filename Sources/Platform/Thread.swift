import CLinux
import Glibc

/// A plain thread with a name, as `top -H` and a debugger show it.
@safe
package struct Thread: Sendable {
  private let handle: pthread_t

  private final class Start {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  /// Starts `body` on a thread of its own. Signals that the caller has blocked are blocked there too.
  /// - Parameter name: at most 15 bytes (pthread_setname_np(3)).
  package init(_ name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
    var handle = pthread_t()
    let start = unsafe Unmanaged.passRetained(Start(body))
    // Safe: the thread takes the reference over, once; if none is made, it is given back here.
    let status = unsafe pthread_create(
      &handle, nil,
      { context in
        unsafe Unmanaged<Start>.fromOpaque(context!).takeRetainedValue().body()
        return nil
      }, start.toOpaque())
    if status != 0 {
      unsafe start.release()
      throw SystemError("pthread_create", name, number: status)
    }
    unsafe _ = footfall_pthread_setname(handle, name)
    self.handle = handle
  }

  /// Lets the calling thread have a tenth of a processor that others want too, from now on (nice 10; setpriority(2), which on Linux is for
  /// one thread). No privilege is needed, and without one it is for good. Where the call is filtered nothing changes.
  package static func standBack() { _ = setpriority(Int32(PRIO_PROCESS.rawValue), 0, 10) }

  /// Waits until the thread has ended. Call once.
  package func join() { _ = pthread_join(handle, nil) }

  /// Lets the thread end by itself, in the place of `join`.
  package func detach() { _ = pthread_detach(handle) }
}
