import Testing

@testable import HTTPQuery

/// Answers that FastAPI 0.165 with pydantic 2.14 gave to the same bodies.
@Suite struct `a body` {
  static func detail(_ faults: String...) -> String { #"{"detail":["# + faults.joined(separator: ",") + "]}" }
  static func fault(_ type: String, _ location: String, _ message: String, _ input: String, _ context: String = "")
    -> String
  {
    #"{"type":"\#(type)","loc":["body"\#(location)],"msg":"\#(message)","input":\#(input)\#(context)}"#
  }
  static func missing(_ name: String, _ input: String) -> String {
    fault("missing", ",\"\(name)\"", "Field required", input)
  }
  static func noObject(_ input: String) -> String {
    detail(
      fault(
        "model_attributes_type", "", "Input should be a valid dictionary or object to extract fields from", input))
  }

  static let visits: [(body: String, type: String?, status: UInt16, answer: String)] = [
    ("{}", "application/json", 422, detail(missing("user_id", "{}"), missing("page_url", "{}"))),
    (#"{"page_url":"/a"}"#, "application/json", 422, detail(missing("user_id", #"{"page_url":"/a"}"#))),
    (
      #"{"user_id":1,"page_url":null,"user_agent":[2],"ip_address":null,"referrer":{"b":1.5,"a":true}}"#,
      "application/json", 422,
      detail(
        fault("string_type", ",\"user_id\"", "Input should be a valid string", "1"),
        fault("string_type", ",\"page_url\"", "Input should be a valid string", "null"),
        fault("string_type", ",\"user_agent\"", "Input should be a valid string", "[2]"),
        fault("string_type", ",\"referrer\"", "Input should be a valid string", #"{"a":true,"b":1.5}"#))
    ),
    ("[1]", "application/json", 422, noObject("[1]")),
    ("null", "application/json", 422, noObject("null")),
    (#"{"a":1}"#, "application/x-www-form-urlencoded", 422, noObject(#""{\"a\":1}""#)),
    (#"{"a":1}"#, nil, 422, noObject(#""{\"a\":1}""#)),
    (#"{"a":1}"#, "application/jsonx", 422, noObject(#""{\"a\":1}""#)),
    (
      #"{"é":}"#, "application/json", 422,
      detail(fault("json_invalid", ",5", "JSON decode error", "{}", #","ctx":{"error":"Expecting value"}"#))
    ),
    (
      #"{"user_id":"\ud800"}"#, "application/json", 422,
      detail(fault("json_invalid", ",0", "JSON decode error", "{}", #","ctx":{"error":"Expecting value"}"#))
    ),
  ]

  @Test(arguments: visits)
  func `of a visit is refused as FastAPI would`(_ body: String, _ type: String?, _ status: UInt16, _ wanted: String)
    throws
  {
    let counted = try Counted()
    let answer = counted.post("/visit", body, type: type)
    #expect(answer.status == status)
    #expect(answer.body == wanted)
    #expect(counted.get("/stats").body.contains(#""total_visits":0,"#))
  }

  @Test(arguments: ["application/json", "APPLICATION/JSON; charset=utf-8", "application/vnd.api+json"])
  func `is JSON if it says so`(_ type: String) throws {
    #expect(try Counted().post("/visit", #"{"user_id":"u","page_url":"/a"}"#, type: type).status == 200)
  }

  @Test func `that is no text is 400`() throws {
    let counted = try Counted()
    let answer = counted.post("/buy", "{\u{FFFD}", type: "text/plain")
    #expect(answer.status == 422)
    var request = Request()
    request.body = [0x7B, 0xFF]
    guard case .refused(let response) = BodyFields.read(request) else {
      Issue.record("it was read")
      return
    }
    #expect(response.status == .badRequest)
  }

  static let numbers: [(text: String, value: Int64?, fault: String)] = [
    ("1", 1, ""), ("1.0", 1, ""), ("1e3", 1_000, ""), ("true", 1, ""), (#""12""#, 12, ""),
    (#"" +1_000.00 ""#, 1_000, ""),
    ("9223372036854775807", .max, ""), (#""00012""#, 12, ""), (#""-7""#, -7, ""),
    ("1.5", nil, "int_from_float"), ("null", nil, "int_type"), ("[]", nil, "int_type"), ("{}", nil, "int_type"),
    (#""abc""#, nil, "int_parsing"), (#""""#, nil, "int_parsing"), (#""1.5""#, nil, "int_parsing"),
    (#""1.""#, nil, "int_parsing"), (#""1__0""#, nil, "int_parsing"), (#""_1""#, nil, "int_parsing"),
    (#""0x10""#, nil, "int_parsing"), (#""1e3""#, nil, "int_parsing"), (#""９""#, nil, "int_parsing"),
    (#""+""#, nil, "int_parsing"), (#""--1""#, nil, "int_parsing"),
    ("9223372036854775808", nil, "int_parsing_size"), ("1e30", nil, "int_parsing_size"),
    (#""9223372036854775808""#, nil, "int_parsing_size"),
  ]

  @Test(arguments: numbers) func `has whole numbers in several spellings`(
    _ text: String, _ value: Int64?, _ fault: String
  ) throws {
    var request = Request()
    request.body = Array("{\"n\":\(text)}".utf8)
    request.headers.storage = Array("content-typeapplication/json".utf8)
    request.headers.fields = [.init(name: 0..<12, value: 12..<28)]
    guard case .fields(var fields) = BodyFields.read(request) else {
      Issue.record("it was refused")
      return
    }
    let number = fields.integer("n")
    #expect(fields.faults.map { "\($0.type)" } == (fault.isEmpty ? [] : [fault]))
    if let value { #expect(number == value) }
  }

  @Test func `of a purchase needs a quantity above 0, and names every fault in order`() throws {
    let counted = try Counted()
    let whole = #"{"product_id":"x","product_quantity":0,"user_id":1.5}"#
    let answer = counted.post("/buy", #"{"user_id":1.5,"product_quantity":0,"product_id":"x"}"#)
    #expect(
      answer.body
        == Self.detail(
          Self.fault(
            "int_from_float", ",\"user_id\"", "Input should be a valid integer, got a number with a fractional part",
            "1.5"),
          Self.missing("promotion_id", whole),
          Self.fault(
            "int_parsing", ",\"product_id\"",
            "Input should be a valid integer, unable to parse string as an integer", "\"x\""),
          Self.fault(
            "greater_than", ",\"product_quantity\"", "Input should be greater than 0", "0", #","ctx":{"gt":0}"#)))
    #expect(answer.status == 422)
    #expect(counted.post("/buy").body == Self.detail(Self.fault("missing", "", "Field required", "null")))
  }
}
