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
  /// The route of the request that is being answered, and when it came.
  var route = RequestCounts.noRoute
  var arrived: UInt64 = 0

  init(
    _ descriptor: Descriptor, from address: SenderAddress, token: UInt64, limits: ConnectionLimits, memo: HeadMemo,
    nanoseconds: UInt64
  ) {
    self.descriptor = descriptor
    self.address = address
    self.token = token
    connection = Connection(limits: limits, memo: memo, nanoseconds: nanoseconds)
  }
}
