import Bytes

// Faults in the shape that FastAPI gives them: `{"detail": …}`.

/// One thing wrong with a request's input, as pydantic would name it.
package struct InputFault {
  package enum Step {
    case name(String)
    case index(Int)
  }

  /// pydantic's name of the fault: `missing`, `greater_than_equal`, `int_parsing`.
  package var type: StaticString
  /// Where it is: `query`, `timeframe_hours`; `body`, 1.
  package var location: [Step]
  package var message: String
  /// What stood there, as JSON; `null` if nothing did.
  package var input: ByteWriter
  /// What the message was made with: `"gt"`, 0.
  var context: (name: StaticString, value: JSONValue)?

  package init(_ type: StaticString, at location: [Step], message: String, input: ByteWriter) {
    self.type = type
    self.location = location
    self.message = message
    self.input = input
  }

  /// A fault of a query parameter; its input is a string, whatever it was meant to be.
  package init(_ type: StaticString, query name: String, message: String, input text: [UInt8]) {
    var input = ByteWriter()
    input.appendJSON(text)
    self.init(type, at: [.name("query"), .name(name)], message: message, input: input)
  }
}

extension Response {
  /// `{"detail":"Not Found"}`, or with a text of the caller's.
  package static func fault(_ status: Status, _ detail: String? = nil) -> Response {
    var body = ByteWriter(capacity: 64)
    body.append("{\"detail\":" as StaticString)
    body.appendJSON(detail ?? "\(status.reason)")
    body.append("}" as StaticString)
    return .json(body, status: status)
  }

  /// 405, and what the path does take (RFC 9110, section 10.2.1).
  package static func methodNotAllowed(allow methods: [Method]) -> Response {
    var response = fault(.methodNotAllowed)
    response.fields.append(("Allow", list(methods)))
    return response
  }

  /// The answer to OPTIONS: 204, and what the path takes.
  package static func options(allow methods: [Method]) -> Response {
    var response = Response(.noContent, type: nil, body: .whole([]))
    response.fields.append(("Allow", list(methods)))
    return response
  }

  /// 429 or 503, and when to come again.
  package static func fault(_ status: Status, _ detail: String? = nil, retryAfterSeconds: Int) -> Response {
    var response = fault(status, detail)
    response.fields.append(("Retry-After", "\(retryAfterSeconds)"))
    return response
  }

  /// 422: `{"detail":[{"type":…,"loc":[…],"msg":…,"input":…}]}`, all faults in one list.
  package static func invalid(_ faults: [InputFault]) -> Response {
    var body = ByteWriter(capacity: 256)
    body.append("{\"detail\":[" as StaticString)
    for (place, fault) in faults.enumerated() {
      if place > 0 { body.append(UInt8(ascii: ",")) }
      body.append("{\"type\":" as StaticString)
      body.appendJSON("\(fault.type)")
      body.append(",\"loc\":[" as StaticString)
      for (place, step) in fault.location.enumerated() {
        if place > 0 { body.append(UInt8(ascii: ",")) }
        switch step {
        case .name(let name): body.appendJSON(name)
        case .index(let index): body.append(Int64(index))
        }
      }
      body.append("],\"msg\":" as StaticString)
      body.appendJSON(fault.message)
      body.append(",\"input\":" as StaticString)
      body.append(fault.input.bytes)
      if let context = fault.context {
        body.append(",\"ctx\":{\"" as StaticString)
        body.append(context.name)
        body.append("\":" as StaticString)
        body.append(context.value.text.text.bytes)
        body.append("}" as StaticString)
      }
      body.append("}" as StaticString)
    }
    body.append("]}" as StaticString)
    return .json(body, status: .unprocessableContent)
  }

  private static func list(_ methods: [Method]) -> String {
    methods.map(\.rawValue).joined(separator: ", ")
  }
}
