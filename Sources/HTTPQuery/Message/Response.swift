import Bytes

/// What a route answers: status, type, further fields, and a body that is there whole or comes piece by piece.
package struct Response {
  package enum Body {
    case whole([UInt8])
    case stream(BodyStream)
  }

  package var status: Status
  /// Nil where there is no body to describe (204, 304).
  package var contentType: StaticString?
  package var body: Body
  /// Fields beyond those that every answer has. What would end a line within a value is written as a space.
  package var fields: [(name: StaticString, value: String)] = []
  /// It is about the present moment, and nobody on the way shall keep it (RFC 9111, section 5.2.2.5).
  var isLive = false

  package init(_ status: Status = .ok, type contentType: StaticString?, body: Body) {
    self.status = status
    self.contentType = contentType
    self.body = body
  }

  /// JSON about the present moment: not to be kept by anyone on the way.
  package static func json(_ body: consuming ByteWriter, status: Status = .ok) -> Response {
    var response = Response(status, type: "application/json", body: .whole(body.bytes))
    response.isLive = true
    return response
  }
}

/// A body made while it is sent: asked for its next piece only when most of the last one has gone out.
package struct BodyStream {
  package enum Step {
    /// There is more: ask again when there is room.
    case more
    /// Nothing to send at the moment; whoever knows of news calls `Connection.produce`.
    case waiting
    /// That was the last piece.
    case finished
  }

  /// Appends the next piece and says how to go on. One call is one slice of the loop's time.
  package let produce: (inout ByteWriter) -> Step

  package init(_ produce: @escaping (inout ByteWriter) -> Step) { self.produce = produce }
}
