import Bytes
import Testing

@testable import Protocol

@Suite struct `a line reader` {
  /// A line, and the inside of `"samples":[…]`.
  static let accepted: [(String, String)] = [
    // Keyed counts.
    ("visit:page1|c", #"{"name":"visit","type":"counter","value":1,"tags":{"page":"page1"}}"#),
    ("visit:page1:5|c", #"{"name":"visit","type":"counter","value":5,"tags":{"page":"page1"}}"#),
    ("visit:page1:-2.5|c", #"{"name":"visit","type":"counter","value":-2.5,"tags":{"page":"page1"}}"#),
    ("visit:404|c", #"{"name":"visit","type":"counter","value":404}"#),
    (
      "visit:https://shop.example/a|c",
      #"{"name":"visit","type":"counter","value":1,"tags":{"page":"https://shop.example/a"}}"#
    ),
    ("a::b|c", #"{"name":"a","type":"counter","value":1,"tags":{"key":":b"}}"#),
    ("a:nan:x|c", #"{"name":"a","type":"counter","value":1,"tags":{"key":"nan:x"}}"#),
    ("a:1:x:3|c", #"{"name":"a","type":"counter","value":3,"tags":{"key":"1:x"}}"#),
    ("visit:a:b:3|c", #"{"name":"visit","type":"counter","value":3,"tags":{"page":"a:b"}}"#),
    ("visit:/index|c", #"{"name":"visit","type":"counter","value":1,"tags":{"page":"/index"}}"#),
    ("visit:Seite ä|c", #"{"name":"visit","type":"counter","value":1,"tags":{"page":"Seite ä"}}"#),
    (
      "buy:summer|c|@0.5|#env:prod",
      #"{"name":"buy","type":"counter","value":1,"rate":0.5,"tags":{"promotion":"summer","env":"prod"}}"#
    ),
    ("a:2024-11-21|c", #"{"name":"a","type":"counter","value":1,"tags":{"key":"2024-11-21"}}"#),
    ("a:1.5.2|c", #"{"name":"a","type":"counter","value":1,"tags":{"key":"1.5.2"}}"#),
    ("a:3d-printer|c", #"{"name":"a","type":"counter","value":1,"tags":{"key":"3d-printer"}}"#),
    ("a:information|c", #"{"name":"a","type":"counter","value":1,"tags":{"key":"information"}}"#),
    ("a:infinite|c", #"{"name":"a","type":"counter","value":1,"tags":{"key":"infinite"}}"#),
    ("a:1:0x1f:3|c", #"{"name":"a","type":"counter","value":3,"tags":{"key":"1:0x1f"}}"#),
    ("a:nan:3|c", #"{"name":"a","type":"counter","value":3,"tags":{"key":"nan"}}"#),
    ("a:nano|c", #"{"name":"a","type":"counter","value":1,"tags":{"key":"nano"}}"#),
    ("a:new|c", #"{"name":"a","type":"counter","value":1,"tags":{"key":"new"}}"#),
    ("a:1_|c", #"{"name":"a","type":"counter","value":1,"tags":{"key":"1_"}}"#),
    ("a:1,b|c", #"{"name":"a","type":"counter","value":1,"tags":{"key":"1,b"}}"#),
    ("a:0xyz|c", #"{"name":"a","type":"counter","value":1,"tags":{"key":"0xyz"}}"#),
    ("a:-x|c", #"{"name":"a","type":"counter","value":1,"tags":{"key":"-x"}}"#),
    ("a:--x|c", #"{"name":"a","type":"counter","value":1,"tags":{"key":"--x"}}"#),
    ("a:.|c", #"{"name":"a","type":"counter","value":1,"tags":{"key":"."}}"#),
    ("visit,env=prod:page1|c", #"{"name":"visit","type":"counter","value":1,"tags":{"page":"page1","env":"prod"}}"#),
    // Numbers.
    ("a:1e3|c", #"{"name":"a","type":"counter","value":1000}"#),
    ("a:12345678|c", #"{"name":"a","type":"counter","value":12345678}"#),
    ("a:123456789|c", #"{"name":"a","type":"counter","value":123456789}"#),
    ("a:007|c", #"{"name":"a","type":"counter","value":7}"#),
    ("a:1.|c", #"{"name":"a","type":"counter","value":1}"#),
    ("a:.5|c", #"{"name":"a","type":"counter","value":0.5}"#),
    ("a:-9223372036854775808|c", #"{"name":"a","type":"counter","value":-9223372036854775808}"#),
    ("a:9223372036854775807|c", #"{"name":"a","type":"counter","value":9223372036854775807}"#),
    ("a:9223372036854775808|c", #"{"name":"a","type":"counter","value":9.223372036854776e+18}"#),
    // Types.
    ("a:3|g", #"{"name":"a","type":"gauge","value":3}"#),
    ("a:-3|g", #"{"name":"a","type":"gauge","value":-3,"relative":true}"#),
    ("a:+3|g", #"{"name":"a","type":"gauge","value":3,"relative":true}"#),
    ("a:3.25|ms", #"{"name":"a","type":"timer","value":3.25}"#),
    ("a:-3|h", #"{"name":"a","type":"histogram","value":-3}"#),
    ("a:3|d", #"{"name":"a","type":"distribution","value":3}"#),
    ("a:3|s", #"{"name":"a","type":"set","value":"3"}"#),
    ("a:b:c|s", #"{"name":"a","type":"set","value":"b:c"}"#),
    ("a:::|s", #"{"name":"a","type":"set","value":"::"}"#),
    // Packed values.
    ("a:1:2|c", #"{"name":"a","type":"counter","value":1},{"name":"a","type":"counter","value":2}"#),
    ("a:-1:+2|g", #"{"name":"a","type":"gauge","value":-1},{"name":"a","type":"gauge","value":2}"#),
    (
      "a:1::2:|ms|@0.1",
      #"{"name":"a","type":"timer","value":1,"rate":0.1},{"name":"a","type":"timer","value":2,"rate":0.1}"#
    ),
    ("a:1:|c", #"{"name":"a","type":"counter","value":1}"#),
    (
      "a:1|c:-2|g|@0.5:x:y|s",
      #"{"name":"a","type":"counter","value":1},{"name":"a","type":"gauge","value":-2,"relative":true,"rate":0.5},"#
        + #"{"name":"a","type":"set","value":"x:y"}"#
    ),
    (
      "a:1|c|@0.5:2|c",
      #"{"name":"a","type":"counter","value":1,"rate":0.5},{"name":"a","type":"counter","value":2}"#
    ),
    (
      "a:x|s|@0.5:-3|g|@0.1:4|c|@2",
      #"{"name":"a","type":"set","value":"x","rate":0.5},{"name":"a","type":"gauge","value":-3,"relative":true,"#
        + #""rate":0.1},{"name":"a","type":"counter","value":4,"rate":2}"#
    ),
    // Sections.
    ("a:1|c|@2", #"{"name":"a","type":"counter","value":1,"rate":2}"#),
    ("a:1|c|@0.5|@0.1", #"{"name":"a","type":"counter","value":1,"rate":0.5}"#),
    ("a:1|c|@1e-9", #"{"name":"a","type":"counter","value":1,"rate":1e-09}"#),
    ("a:1|c|T1656581400|@0.5", #"{"name":"a","type":"counter","value":1,"rate":0.5,"timestamp":1656581400}"#),
    ("a:1|c||c:1|e:2|card:low|x:y|:|", #"{"name":"a","type":"counter","value":1}"#),
    // Tags.
    ("a:1|c|#b:1,a,b:2,,c:", #"{"name":"a","type":"counter","value":1,"tags":{"a":null,"b":["1","2"],"c":""}}"#),
    ("a:1|c|#u:http://x", #"{"name":"a","type":"counter","value":1,"tags":{"u":"http://x"}}"#),
    ("a:1|c|#", #"{"name":"a","type":"counter","value":1}"#),
    ("a,x=1,y=b=c:1|c", #"{"name":"a","type":"counter","value":1,"tags":{"x":"1","y":"b=c"}}"#),
    ("a#x=1:1|c", #"{"name":"a","type":"counter","value":1,"tags":{"x":"1"}}"#),
    ("a[x=1,flag]b:1|c", #"{"name":"ab","type":"counter","value":1,"tags":{"x":"1"}}"#),
    ("a;x=1,2;y=:1|c", #"{"name":"a","type":"counter","value":1,"tags":{"x":"1,2","y":""}}"#),
    ("a,b:1|c", #"{"name":"a,b","type":"counter","value":1}"#),
    ("a,=b:1|c", #"{"name":"a,=b","type":"counter","value":1}"#),
    ("a[x=1:1|c", #"{"name":"a[x=1","type":"counter","value":1}"#),
    ("a;b:1|c|#k:v", #"{"name":"a;b","type":"counter","value":1,"tags":{"k":"v"}}"#),
    // Events and service checks.
    (
      "_e{3,4}:a|b|x\\ny|d:21|k:q|k:r|t:e|p:low|s:src|h:web|#env:prod|c:id|new:1",
      #"{"name":"a|b","type":"event","value":"x\ny","tags":{"env":"prod"},"timestamp":21,"#
        + #""fields":{"hostname":"web","aggregation_key":"r","priority":"low","source_type":"src","alert_type":"e"}}"#
    ),
    ("_e{1,1}:5|c", #"{"name":"5","type":"event","value":"c"}"#),
    // Text that nothing here depends on: what Datadog's own agent does not know it leaves out, and takes the event.
    (
      "_e{1,1}:a|b|p:urgent|t:none",
      #"{"name":"a","type":"event","value":"b","fields":{"priority":"urgent","alert_type":"none"}}"#
    ),
    ("_e{1,0}:a|", #"{"name":"a","type":"event","value":""}"#),
    (
      "_sc|db.up|2|m:gone\\n|h:web|#a,b:1|d:7",
      #"{"name":"db.up","type":"service_check","value":2,"tags":{"a":null,"b":"1"},"timestamp":7,"#
        + #""fields":{"hostname":"web","message":"gone\\n"}}"#
    ),
    ("_private:1|c", #"{"name":"_private","type":"counter","value":1}"#),
    ("_e:1|c", #"{"name":"_e","type":"counter","value":1}"#),
    // Ends.
    ("a:1|c\r", #"{"name":"a","type":"counter","value":1}"#),
    ("a:b|c\r\n", #"{"name":"a","type":"counter","value":1,"tags":{"key":"b"}}"#),
    ("", ""), ("\r\n", ""), ("\n", ""),
  ]

  @Test(arguments: accepted)
  func `takes what clients send`(_ line: String, _ samples: String) {
    #expect(reading(line) == #"{"samples":[\#(samples)]}"#)
  }

  static let refused: [(String, Refusal, Int)] = [
    (":1|c", .emptyName, 0), (",a=b:1|c", .emptyName, 0), ("[a=b]:1|c", .emptyName, 0), ("_e{0,1}:|a", .emptyName, 8),
    ("_sc||0", .emptyName, 4), (":page|c", .emptyName, 0),
    ("a\u{1}:1|c", .badName, 1), ("a\u{7F}b:k|c", .badName, 1), ("a\r:1|c", .badName, 1),
    ("_e{3,1}:a\u{2}b|c", .badName, 9),
    ("_sc|a\tb|0", .badName, 5),
    ("a", .noValue, 1), ("a:", .noValue, 2), ("a|c", .noValue, 1), ("a|b:1|c", .noValue, 1), ("a:\r", .noValue, 2),
    ("_sc|a", .noValue, 5),
    // Near-numbers.
    ("a:|c", .badValue, 2), ("a:+|c", .badValue, 2), ("a:--|c", .badValue, 2), ("a:nan|c", .badValue, 2),
    ("a:-NaN|c", .badValue, 2),
    ("a:Inf|c", .badValue, 2), ("a:INFINITY|c", .badValue, 2), ("a:+infinity|c", .badValue, 2),
    ("a:0x10|c", .badValue, 2),
    ("a:-0XfF|c", .badValue, 2), ("a:0x|c", .badValue, 2), ("a:1_000|c", .badValue, 2), ("a:1,000.5|c", .badValue, 2),
    ("a:--1|c", .badValue, 2), ("a:+-.5|c", .badValue, 2), ("a:--1x|c", .badValue, 2), ("a:1e999|c", .badValue, 2),
    ("a:-1e999|c", .badValue, 2), ("a:1:nan|c", .badValue, 4), ("a:nan:0x|c", .badValue, 2),
    ("a:1:0x1f:0x|c", .badValue, 4),
    ("a:1:2::1_000:|c", .badValue, 7),
    // Other values.
    ("a::1|c", .badValue, 2), ("a::|c", .badValue, 2), ("a:::1|c", .badValue, 2), ("a:x|g", .badValue, 2),
    ("a:1e999|g", .badValue, 2),
    ("a:|s", .badValue, 2),
    ("a:1:x|ms", .badValue, 4), ("a::1|h", .badValue, 2), ("a:1x|d", .badValue, 2), ("a:x\u{1}|s", .badValue, 3),
    ("a:k\u{1}|c", .badValue, 3), ("_sc|a|4", .badValue, 6), ("_sc|a|01", .badValue, 6), ("_sc|a||m:x", .badValue, 6),
    ("_e{1,3}:a|b\u{1}c", .badValue, 11), ("_e{1,1}:a|b|h:\u{1}", .badValue, 14), ("a:1|c:x|ms", .badValue, 6),
    ("a:1:2|c:3|ms", .badValue, 2),
    ("a:1", .badType, 3), ("a:1|", .badType, 4), ("a:1|q", .badType, 4), ("a:1|C", .badType, 4), ("a:1|m", .badType, 4),
    ("a:1|cc", .badType, 4), ("a:1||c", .badType, 4), ("a:1|c:2", .badType, 7), ("a:1|c:2|x", .badType, 8),
    ("a:1|c|@0", .badRate, 7), ("a:1|c|@", .badRate, 7), ("a:1|c|@-1", .badRate, 7), ("a:1|c|@nan", .badRate, 7),
    ("a:1|c|@1e999", .badRate, 7), ("a:1|c|@1e-999", .badRate, 7), ("a:1|c|@0.5|@x", .badRate, 12),
    ("a:1|c|@.1.", .badRate, 7), ("a:1|c|@0.5|@0.1:2|c", .badRate, 12), ("a:1|c:2|c|@0.5x", .badRate, 11),
    ("a:1|c|@0.1x|#k", .badRate, 7), ("a:1|c:2|ms|@0", .badRate, 12),
    ("a:1|c|#:v", .badTags, 7), ("a:1|c|#a,:v", .badTags, 9), ("a:1|c|#a|#b", .badTags, 9),
    ("a,b=c:1|c|#d", .badTags, 11),
    ("visit:p|c|#page:q", .badTags, 11), ("visit,page=q:p|c", .badTags, 6), ("a:1|c|#k:\u{1}", .badTags, 9),
    ("_e{1,1}:a|b|#\u{1}", .badTags, 13),
    ("a:1|c|T", .badTimestamp, 7), ("a:1|c|T-1", .badTimestamp, 7), ("a:1|c|T1.5", .badTimestamp, 7),
    ("a:1|c|Tx:y", .badTimestamp, 7),
    ("a:1|c|T9223372036854775808", .badTimestamp, 7), ("_e{1,1}:a|b|d:x", .badTimestamp, 14),
    ("_sc|a|0|d:", .badTimestamp, 10),
    ("a:1|c:2|ms|#k:v", .malformed, 11), ("a:1|c:2|c|T5", .malformed, 10), ("a:1|c:2|c|@0.5|#k:v", .malformed, 15),
    ("a:1|c|@0.5:2|c|x:y", .malformed, 15), ("a:1|c:2|c|", .malformed, 10),
    ("a:1:2|c|@0.5:3|c", .badValue, 2), ("a:k|c|@0.5:3|c", .badValue, 2), ("a:1|c|@0.5:", .badType, 11),
    ("a:1|c|x", .malformed, 6), ("a:1|c|0.1", .malformed, 6), ("_e{1}:a|b", .malformed, 4),
    ("_e{,1}:a|b", .malformed, 3),
    ("_e{1,1}a|b", .malformed, 6), ("_e{2,1}:a|b", .malformed, 10), ("_e{1,2}:a|b", .malformed, 11),
    ("_e{9999,1}:a|b", .malformed, 14),
    ("_e{99999999999999999999,1}:a|b", .malformed, 30), ("_e{1,1}:a|bc", .malformed, 11),
    ("_e{1,1}:a|b|x", .malformed, 12),
    ("_sc|a|0|x", .malformed, 8),
  ]

  @Test(arguments: refused)
  func `refuses with one reason and its place`(_ line: String, _ reason: Refusal, _ offset: Int) {
    #expect(fault(line.utf8) == LineFault(reason, at: offset), "\(line.debugDescription): \(reading(line))")
  }

  @Test func `refuses what is not UTF-8 by where it stands`() {
    #expect(fault([0x61, 0xFF, 0x3A, 0x31, 0x7C, 0x63]) == LineFault(.badName, at: 1))
    #expect(fault(Array("visit:p".utf8) + [0xC3] + Array("|c".utf8)) == LineFault(.badValue, at: 7))
    #expect(fault(Array("a:m".utf8) + [0xE2, 0x82] + Array("|s".utf8)) == LineFault(.badValue, at: 3))
    #expect(fault(Array("a:1|c|#k:".utf8) + [0xED, 0xA0, 0x80]) == LineFault(.badTags, at: 9))
  }

  @Test func `takes keys of 512 bytes and no longer ones`() {
    let key = String(repeating: "k", count: 512)
    #expect(fault("a:\(key)|c".utf8) == nil)
    #expect(fault("a:\(key)k|c".utf8) == LineFault(.badValue, at: 2))
    #expect(fault("a:\(key)k:1|c".utf8) == LineFault(.badValue, at: 2))
  }

  @Test func `takes lines of 8192 bytes and goes on behind a longer one`() {
    for tail in [":1|c", ":12345678|c", ":k|c", ":1|c|#k:v"] {
      let name = String(repeating: "n", count: LineReader.longestLine - tail.utf8.count)
      for end in ["", "\n", "\r\n"] {
        let read = samples(of: name + tail + end + (end.isEmpty ? "" : "b:2|c"))
        #expect(read.first?.form != .refused)
        let long = samples(of: "n" + name + tail + end + (end.isEmpty ? "" : "b:2|c"))
        #expect(long.first?.fault == LineFault(.tooLong, at: LineReader.longestLine))
        if !end.isEmpty { #expect(long.last?.integer == 2) }
      }
    }
  }

  @Test func `measures the line and not only its name`() {
    let name = String(repeating: "n", count: 8000)
    let key = String(repeating: "k", count: LineReader.longestLine - 8003)
    #expect(samples(of: "\(name):\(key)|c\n").first?.form == .single)
    #expect(samples(of: "\(name):\(key)k|c\n").first?.fault == LineFault(.tooLong, at: LineReader.longestLine))
  }

  @Test func `refuses keyed counts when strict and takes packed ones`() {
    let strict = LineReader(strict: true)
    for line in ["visit:page1|c", "visit:page1:5|c", "visit:a|c|#x", "visit:x:y|c"] {
      #expect(fault(line.utf8, strict) == LineFault(.badValue, at: 6), "\(line)")
    }
    for line in ["visit:1|c", "visit:1234|c", "visit:1:2|c", "a:b:c|s"] {
      #expect(fault(line.utf8, strict) == nil, "\(line)")
    }
  }

  @Test func `takes signed gauges as they are when told so`() {
    let absolute = LineReader(signedGaugesAreDeltas: false)
    #expect(!reading("a:-3|g", absolute).contains("relative"))
    #expect(!reading("a:1|c:-3|g", absolute).contains("relative"))
  }

  @Test(arguments: ["a:|c", "a:|c|#k", "a::1|c", "a:nan|c", "a:--1|c", "a:|s", ":1|c", "a|c"])
  func `leaves no fault of structure to the spelling`(_ line: String) {
    #expect(samples(of: line).map(\.form) == [.refused])
  }

  @Test func `finds every line of a text whatever ends it`() {
    let read = samples(of: "a:1|c\n\r\nb:2|g\r\n\nc:k|c\nbad\nd:10|ms|@0.5\n_sc|e|3")
    #expect(read.map(\.form) == [.single, .empty, .single, .empty, .single, .refused, .single, .single])
    #expect(read.map(\.integer) == [1, 0, 2, 0, 1, 0, 10, 3])
    #expect(read.map(\.lineStart) == [0, 6, 8, 15, 16, 22, 26, 39])
  }

  @Test func `counts the sections that it does not know`() {
    #expect(samples(of: "a:1|c|x:1|c:2|#t|y:|").first?.skippedSections == 2)
    #expect(samples(of: "_e{1,1}:a|b|x:1|h:2").first?.skippedSections == 1)
  }
}
