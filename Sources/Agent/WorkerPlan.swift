import Aggregation
import Platform
import Synchronization

/// What one worker listens to.
struct WorkerPlan: Sendable {
  struct Source: Sendable {
    let descriptor: Descriptor
    let books: ListenerBooks
    /// A unix stream: packets may stand behind their length.
    var mayBePrefixed = false
    /// What the kernel granted a datagram socket. 0 at a unix socket, which holds a handful of datagrams (net.unix.max_dgram_qlen) and so
    /// must not be left alone.
    var receiveBufferBytes = 0
    /// The kernel may join datagrams of a sender (`Socket.joinDatagrams`).
    var joinsDatagrams = false
    /// Several workers wait at this one descriptor.
    var isShared = false
  }

  let index: Int
  var datagrams: [Source] = []
  var listeners: [Source] = []
}

/// What all workers share.
final class WorkerShare: Sendable {
  /// Stream connections open over all workers.
  let streamConnections = Atomic<Int>(0)
  let streamConnectionLimit: Int
  /// Nanoseconds; nil: never.
  let streamIdle: Int64?
  let isDraining = Atomic<Bool>(false)

  init(streamConnectionLimit: Int, streamIdle: Int64?) {
    self.streamConnectionLimit = streamConnectionLimit
    self.streamIdle = streamIdle
  }
}
