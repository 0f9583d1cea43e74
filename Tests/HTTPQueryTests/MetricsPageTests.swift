import Bytes
import Testing

@testable import Aggregation
@testable import HTTPQuery

@Suite struct `a page of metrics` {
  @Test func `has a family for each name and kind, in both languages`() throws {
    let counted = try Counted()
    counted.count(
      "visit:page1|c", "visit:page2:5|c", "visit:page1|c", "load:0.5|g", "users:bob|s", "users:eve|s",
      "size:7|h|#zone:eu", "done_total:3|c")
    #expect(
      counted.samples() == """
        # TYPE visit_total counter
        visit_total{page="page1"} 2
        visit_total{page="page2"} 5
        # TYPE load gauge
        load 0.5
        # TYPE users gauge
        users 2
        # TYPE size summary
        size{zone="eu",quantile="0.5"} 7
        size{zone="eu",quantile="0.99"} 7
        size_sum{zone="eu"} 7
        size_count{zone="eu"} 1
        # TYPE done_total counter
        done_total 3

        """)
    #expect(
      counted.samples(.openMetrics).hasPrefix(
        """
        # TYPE visit counter
        visit_total{page="page1"} 2
        visit_total{page="page2"} 5
        # TYPE load gauge
        """))
    #expect(counted.samples(.openMetrics).hasSuffix("# TYPE done counter\ndone_total 3\n# EOF\n"))
  }

  @Test func `says what a family is`() throws {
    let counted = try Counted()
    counted.count("a\\b:1|c", "t:1|ms")
    #expect(counted.page().contains("# HELP a_b_total Counter a\\\\b as received.\n# TYPE a_b_total counter\n"))
    #expect(counted.page(.openMetrics).contains("# HELP a_b Counter a\\\\b as received.\n# TYPE a_b counter\n"))
    #expect(counted.page().contains("# HELP t_seconds Timer t as received, in seconds.\n"))
  }

  @Test func `shows milliseconds as seconds, and nothing in a window without samples`() throws {
    let counted = try Counted()
    counted.count("lat:250|ms", "lat:750|ms")
    counted.gather(later: 200)
    #expect(
      counted.samples() == """
        # TYPE lat_seconds summary
        lat_seconds{quantile="0.5"} NaN
        lat_seconds{quantile="0.99"} NaN
        lat_seconds_sum 1
        lat_seconds_count 2

        """)
  }

  @Test func `cumulates buckets in the exported unit and ends them at infinity`() throws {
    let counted = try Counted(buckets: [0.1, 1])
    counted.count("lat:50|ms|@0.4", "lat:500|ms", "lat:5000|ms")
    counted.count("size:0.1|h", "size:1|h")
    let text = """
      # TYPE lat_seconds histogram
      lat_seconds_bucket{le="0.1"} 2.5
      lat_seconds_bucket{le="1.0"} 3.5
      lat_seconds_bucket{le="+Inf"} 4.5
      lat_seconds_sum 5.625
      lat_seconds_count 4.5
      # TYPE size histogram
      size_bucket{le="0.1"} 1
      size_bucket{le="1.0"} 2
      size_bucket{le="+Inf"} 2
      size_sum 1.1
      size_count 2

      """
    #expect(counted.samples() == text)
    // OpenMetrics has whole counts only.
    #expect(counted.samples(.openMetrics).contains("{le=\"0.1\"} 3\nlat_seconds_bucket{le=\"1.0\"} 4\n"))
  }

  @Test func `escapes what stands in values`() throws {
    let counted = try Counted()
    counted.count("a:1|c|#path:C:\\x,say:\"hi\",list:x", "visit:k,1|c", "b;x=1,2:1|c")
    #expect(counted.samples().contains(#"a_total{list="x",path="C:\\x",say="\"hi\""} 1"#))
    #expect(counted.samples().contains(#"visit_total{page="k,1"} 1"#))
    #expect(counted.samples().contains(#"b_total{x="1,2"} 1"#))
  }

  @Test func `makes names plain, or quotes them for who asks`() throws {
    let counted = try Counted()
    counted.count("my.hits:1|c|#my.zone:eu,host:a", "9lives:1|g", "t.x:1|h|#le:5")
    #expect(counted.samples().contains("# TYPE my_hits_total counter\nmy_hits_total{host=\"a\",my_zone=\"eu\"} 1\n"))
    #expect(counted.samples().contains("# TYPE _9lives gauge\n_9lives 1\n"))
    #expect(counted.samples().contains("t_x_sum{exported_le=\"5\"} 1\n"))
    let quoted = counted.samples(quotesNames: true)
    #expect(
      quoted.contains("# TYPE \"my.hits_total\" counter\n{\"my.hits_total\",host=\"a\",\"my.zone\"=\"eu\"} 1\n"))
    #expect(quoted.contains("# TYPE \"9lives\" gauge\n{\"9lives\"} 1\n"))
    #expect(quoted.contains("{\"t.x\",exported_le=\"5\",quantile=\"0.5\"} 1\n"))
    #expect(quoted.contains("{\"t.x_sum\",exported_le=\"5\"} 1\n"))
    #expect(counted.samples(.openMetrics, quotesNames: true).contains("# TYPE \"my.hits\" counter\n{\"my.hits_total\""))
  }

  @Test func `joins the values of labels whose names meet`() throws {
    let counted = try Counted()
    counted.count("a:1|c|#x.y:1,x_y:2", "b:1|g|#__z:1,exported___z:2")
    #expect(counted.samples().contains("a_total{x_y=\"1,2\"} 1\n"))
    #expect(counted.samples().contains("b{exported___z=\"1,2\"} 1\n"))
    #expect(counted.samples(quotesNames: true).contains("a_total{\"x.y\"=\"1\",x_y=\"2\"} 1\n"))
  }

  @Test func `shows one of two series whose labels have become the same`() throws {
    let counted = try Counted()
    counted.count("a:1|c|#x_y:1", "a:2|c|#x_y:2", "a:4|c|#x.y:2", "a:8|c|#x.y:3", "a:16|c|#x_y:3", "a:32|c|#x-y:4")
    #expect(
      counted.samples() == """
        # TYPE a_total counter
        a_total{x_y="1"} 1
        a_total{x_y="2"} 2
        a_total{x_y="3"} 8
        a_total{x_y="4"} 32

        """)
    #expect(counted.samples(quotesNames: true).components(after: "\n").count == 7)
  }

  @Test func `keeps families with very many label names whole`() throws {
    let counted = try Counted()
    let lines = (0..<200).map { "a:\($0)|c|#l.\($0):v" } + ["a:1|c|#l_7:v"]
    counted.count(text: lines.joined(separator: "\n"))
    let samples = counted.samples()
    for number in 0..<200 { #expect(samples.contains("a_total{l_\(number)=\"v\"} \(number)\n")) }
    #expect(samples.components(after: "l_7=").count == 1)
  }

  @Test func `has a counter that fell below zero as one in text and as unknown in OpenMetrics`() throws {
    let counted = try Counted()
    counted.count("a:5|c|#x:1", "a:-2|c|#x:2", "b:0.5|c")
    #expect(counted.samples().contains("# TYPE a_total counter\na_total{x=\"1\"} 5\na_total{x=\"2\"} -2\n"))
    #expect(
      counted.samples(.openMetrics) == """
        # TYPE a_total unknown
        a_total{x="1"} 5
        a_total{x="2"} -2
        # TYPE b counter
        b_total 0.5
        # EOF

        """)
  }

  @Test func `leaves out what OpenMetrics forbids of a timer`() throws {
    let counted = try Counted()
    counted.count("t:-3|h|@0.4")
    #expect(counted.samples().contains("t{quantile=\"0.5\"} -3\n"))
    #expect(counted.samples().contains("t_sum -7.5\nt_count 2.5\n"))
    #expect(counted.samples(.openMetrics) == "# TYPE t summary\nt_count 3\n# EOF\n")
  }

  @Test func `holds only what is asked for`() throws {
    let counted = try Counted()
    counted.count("visit:a|c", "visits:1|g", "x.y:1|c")
    func page(_ glob: String) -> String {
      String(decoding: counted.pieces(ExpositionFormat(), metric: glob).joined(), as: UTF8.self)
    }
    #expect(page("visit").components(after: "# TYPE ").map { $0.prefix(11) } == ["visit_total"])
    #expect(page("visit*").components(after: "# TYPE ").count == 2)
    #expect(page("x_y_total").components(after: "# TYPE ").count == 1)
    #expect(page("footfall_build_info").components(after: "# TYPE ").count == 1)
    #expect(page("nothing") == "")
  }

  @Test func `comes in pieces of bounded size, and holds the view only while it lives`() throws {
    let counted = try Counted()
    counted.count(text: (0..<100_000).map { "visit:page-number-\($0)|c" }.joined(separator: "\n"))
    let pieces = counted.pieces(ExpositionFormat())
    #expect(pieces.count > 20)
    #expect(pieces.allSatisfy { $0.count < 128 * 1_024 })
    let lines = String(decoding: pieces.joined(), as: UTF8.self).split(separator: "\n").filter {
      $0.hasPrefix("visit_total{")
    }
    #expect(Set(lines).count == 100_000)
    #expect(counted.state.view.pins == 0)
  }

  @Test func `lets the view go when its client does`() throws {
    let counted = try Counted()
    counted.count(text: (0..<100_000).map { "visit:page-number-\($0)|c" }.joined(separator: "\n"))
    do {
      let page = MetricsPage(counted.state, ExpositionFormat())
      var writer = ByteWriter()
      _ = page.produce(&writer)
      #expect(counted.state.view.pins == 1)
      // What leaves meanwhile waits.
      counted.forget()
      #expect(counted.state.view.seriesCount == 100_000)
    }
    #expect(counted.state.view.pins == 0)
    #expect(counted.state.view.seriesCount < 100_000)
  }

  @Test func `is whole though series come and go while it is under way`() throws {
    let counted = try Counted()
    counted.count(text: (0..<3_000).map { "visit:\($0)-page|c" }.joined(separator: "\n"))
    let page = MetricsPage(counted.state, ExpositionFormat(language: .openMetrics))
    var text = ""
    var isFinished = false
    var turn = 0
    while !isFinished {
      var piece = ByteWriter()
      if case .finished = page.produce(&piece) { isFinished = true }
      text += String(decoding: piece.bytes, as: UTF8.self)
      turn += 1
      counted.count("visit:later\(turn)|c", "visit:0-page:-9|c", "other\(turn):1|g")
      if turn == 2 { counted.forget() }
    }
    #expect(text.components(after: "# TYPE visit counter\n").count == 1)
    for number in 1..<3_000 { #expect(text.contains("visit_total{page=\"\(number)-page\"} 1\n")) }
    #expect(text.hasSuffix("# EOF\n"))
  }
}
