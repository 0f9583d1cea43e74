import Platform
import Testing

@testable import HTTPQuery

/// Header fields, lower case, as a request would bring them.
func headers(_ fields: [(String, String)]) -> HeaderFields {
  var headers = HeaderFields()
  for (name, value) in fields {
    let start = headers.storage.count
    headers.storage += Array(name.utf8) + Array(value.utf8)
    headers.fields.append(
      .init(name: start..<start + name.utf8.count, value: start + name.utf8.count..<headers.storage.count))
  }
  return headers
}

@Suite struct `the time of an event` {
  static let times: [(name: String, value: String, second: Int64?)] = [
    ("x-timestamp", "2025-06-27T20:14:12Z", 1_751_055_252),
    ("timestamp", "2025-06-27T20:14:12.999999", 1_751_055_252),
    ("x-request-time", "2025-06-27 22:14:12.5+02:00", 1_751_055_252),
    ("x-client-time", "2025-06-27T15:44:12-0430", 1_751_055_252),
    ("x-client-time", "1751055252", 1_751_055_252), ("x-client-time", "1751055252.75", 1_751_055_252),
    ("X-Timestamp", "1970-01-01T00:00:00z", 0), ("x-timestamp", "2024-02-29T00:00:00Z", 1_709_164_800),
    ("x-request-start", "1751055252", 1_751_055_252), ("x-request-start", "t=1751055252.123", 1_751_055_252),
    ("x-request-start", "1751055252123", 1_751_055_252), ("x-queue-start", "1751055252123456", 1_751_055_252),
    ("x-request-received", "t=1751055252123", 1_751_055_252), ("x-forwarded-start", "1751055252", 1_751_055_252),
    ("x-timestamp", "", nil), ("x-timestamp", "yesterday", nil), ("x-timestamp", "2025-13-01T00:00:00Z", nil),
    ("x-timestamp", "2025-06-27", nil), ("x-timestamp", "2025-06-27T20:14:12+", nil),
    ("x-timestamp", "2025-06-27T20:14:12.Z", nil), ("x-timestamp", "2025-06-27T20:14:12Zx", nil),
    ("x-client-time", "-5", nil), ("x-client-time", "1e9", nil), ("x-client-time", "1.2.3", nil),
    ("x-client-time", "99999999999999999999", nil), ("x-request-start", "2025-06-27T20:14:12Z", nil),
    ("x-request-start", "t=", nil), ("x-request-start", "999999999999999999999", nil),
  ]

  @Test(arguments: times) func `is read in every form`(_ name: String, _ value: String, _ second: Int64?) {
    var read: Int64?
    do throws(EventTime.Bad) { read = try EventTime.read(headers([("host", "h"), (name, value)])) } catch {}
    #expect(read == second)
  }

  @Test func `is the sender's before a proxy's, and now where nobody says`() throws {
    #expect(try EventTime.read(headers([("x-request-start", "9"), ("x-client-time", "5")])) == 5)
    #expect(try EventTime.read(headers([("host", "h"), ("accept", "*/*")])) == nil)
  }

  @Test func `that is bad is counted and ignored, and one too far off is told`() throws {
    let counted = try Counted()
    #expect(counted.post("/visit", fields: "x-timestamp: soon\r\n").body == #"{"visits":1}"#)
    #expect(counted.post("/visit", fields: "x-timestamp: 2001-01-01T00:00:00Z\r\n").body == #"{"visits":2}"#)
    #expect(
      counted.post("/visit", fields: "x-client-time: \(Clock.wall() / 1_000_000_000)\r\n").body == #"{"visits":3}"#)
    let page = counted.page()
    #expect(page.contains("\nfootfall_bad_event_times_total 1\n"))
    #expect(page.contains("\nfootfall_out_of_window_total 1\n"))
  }
}

@Suite struct `the client's address` {
  static let peer = "10.0.0.9"
  static let cases: [(fields: [(String, String)], client: String)] = [
    ([], peer),
    ([("x-forwarded-for", "203.0.113.7")], "203.0.113.7"),
    // Who is not trusted may have written what stands before it.
    ([("x-forwarded-for", "1.1.1.1, 203.0.113.7, 10.1.2.3")], "203.0.113.7"),
    ([("x-forwarded-for", "1.1.1.1"), ("X-Forwarded-For", "203.0.113.7")], "203.0.113.7"),
    ([("x-forwarded-for", "10.1.1.1, 10.1.2.3")], "10.1.1.1"),
    ([("x-forwarded-for", "1.1.1.1, unknown, 10.1.2.3")], "10.1.2.3"),
    ([("x-forwarded-for", "203.0.113.7:4711")], "203.0.113.7"),
    ([("x-forwarded-for", "")], peer),
    ([("x-forwarded-for", "[2001:db8::7]:80")], "2001:db8::7"),
    ([("x-forwarded-for", "2001:db8::7")], "2001:db8::7"),
    ([("forwarded", "for=1.1.1.1, For=\"[2001:db8::7]:80\";proto=https, for=10.1.2.3")], "2001:db8::7"),
    ([("forwarded", "proto=https")], peer),
    ([("forwarded", "for=203.0.113.7"), ("x-forwarded-for", "203.0.113.8")], "203.0.113.8"),
    ([("x-real-ip", "203.0.113.7")], "203.0.113.7"),
    ([("x-real-ip", "nobody")], peer),
  ]

  @Test(arguments: cases) func `is whom trusted proxies name`(_ fields: [(String, String)], _ client: String) throws {
    let peer = try #require(SenderAddress(Self.peer))
    let trusted = [try #require(AddressRange("10.0.0.0/8"))]
    #expect(ClientAddress.of(headers(fields), peer: peer, trusted: trusted).description == client)
    #expect(ClientAddress.of(headers(fields), peer: peer, trusted: []).description == Self.peer)
    let stranger = try #require(SenderAddress("11.0.0.1"))
    #expect(ClientAddress.of(headers(fields), peer: stranger, trusted: trusted).description == "11.0.0.1")
  }
}
