import Platform

/// A connection with its socket.
final class QueryClient {
  let descriptor: Descriptor
  let token: UInt64
  let address: SenderAddress
  var connection: Connection
  /// What the poll waits for at the moment.
  var wantsInput = true
  var wantsOutput = false
  /// The end of what is written has been sent.
  var hasShutDown = false
  /// It came when all connections were in use: it may ask for one of the few things that are always answered.
  let isReserved: Bool
  /// It came by a listener that others than this machine reach.
  let isBeyondLoopback: Bool
  /// Fields of its answers that let another site's page read them.
  var sharing: [(name: StaticString, value: String)] = []
  /// The bytes of its last request's body, until that is answered.
  var requestBytes = 0
  /// The most that is read from it at once, in bytes.
  var readSize = Connection.usualReadSize
  /// What it was last found to hold, in bytes, of `QueryState.heldBytes`.
  var heldBytes = 0
  /// What its answer waits for from the shared store; 0: nothing.
  var parked: UInt64 = 0
  /// The route of the request that is being answered, and when it came.
  var route = RequestCounts.noRoute
  var arrived: UInt64 = 0

  init(
    _ descriptor: Descriptor, from address: SenderAddress, token: UInt64, isReserved: Bool, isBeyondLoopback: Bool,
    limits: ConnectionLimits, memo: HeadMemo, nanoseconds: UInt64
  ) {
    self.descriptor = descriptor
    self.address = address
    self.token = token
    self.isReserved = isReserved
    self.isBeyondLoopback = isBeyondLoopback
    connection = Connection(limits: limits, memo: memo, nanoseconds: nanoseconds)
    if isReserved { connection.limitToOneAnswer() }
  }
}
