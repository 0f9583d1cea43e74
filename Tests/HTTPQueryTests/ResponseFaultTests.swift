import Bytes
import Testing

@testable import HTTPQuery

@Suite struct `a fault` {
  private func text(_ response: Response) -> String {
    guard case .whole(let bytes) = response.body else { return "" }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func `says what is wrong as FastAPI does`() {
    #expect(text(.fault(.notFound)) == #"{"detail":"Not Found"}"#)
    #expect(text(.fault(.notFound, "Page not found")) == #"{"detail":"Page not found"}"#)
    #expect(text(.fault(.badRequest, "a \"quote\"")) == #"{"detail":"a \"quote\""}"#)
    #expect(Response.fault(.notFound).status == .notFound)
    #expect("\(Response.fault(.notFound).contentType ?? "")" == "application/json")
  }

  @Test func `of the method names those that would do`() {
    let response = Response.methodNotAllowed(allow: [.get, .head, .delete])
    #expect(text(response) == #"{"detail":"Method Not Allowed"}"#)
    #expect(response.fields.contains { "\($0.name)" == "Allow" && $0.value == "GET, HEAD, DELETE" })
  }

  @Test func `that passes says when to come again`() {
    let response = Response.fault(.serviceUnavailable, retryAfterSeconds: 5)
    #expect(response.fields.contains { "\($0.name)" == "Retry-After" && $0.value == "5" })
  }

  @Test func `of the input lists every place, with what stood there`() {
    var nothing = ByteWriter()
    nothing.append("null" as StaticString)
    let response = Response.invalid([
      InputFault(
        "greater_than_equal", query: "timeframe_hours", message: "Input should be greater than or equal to 0.1",
        input: Array("0\"".utf8)),
      InputFault("missing", at: [.name("body"), .index(1)], message: "Field required", input: nothing),
    ])
    #expect(response.status == .unprocessableContent)
    #expect(
      text(response)
        == #"{"detail":[{"type":"greater_than_equal","loc":["query","timeframe_hours"],"#
        + #""msg":"Input should be greater than or equal to 0.1","input":"0\""},"#
        + #"{"type":"missing","loc":["body",1],"msg":"Field required","input":null}]}"#)
  }
}
