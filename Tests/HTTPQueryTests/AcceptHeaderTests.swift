import Testing

@testable import HTTPQuery

@Suite struct `the choice of a language for metrics` {
  static let text = ExpositionFormat(language: .text)
  static let quotedText = ExpositionFormat(language: .text, quotesNames: true)
  static let openMetrics = ExpositionFormat(language: .openMetrics)
  static let quotedOpenMetrics = ExpositionFormat(language: .openMetrics, quotesNames: true)

  static let headers: [(String, ExpositionFormat)] = [
    // Prometheus 2.42, with and without native histograms.
    (
      "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
        + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", openMetrics
    ),
    (
      "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,"
        + "application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,"
        + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", openMetrics
    ),
    // Prometheus 3.14.
    (
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,"
        + "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
      quotedOpenMetrics
    ),
    // curl, a browser, nobody.
    ("*/*", text),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", text),
    ("", text),
    // Weights.
    ("application/openmetrics-text;q=0.4, text/plain;q=0.5", text),
    ("application/openmetrics-text;q=0.501, text/plain;q=0.5", openMetrics),
    ("text/plain;q=0.5, application/openmetrics-text;q=0.6", openMetrics),
    ("application/openmetrics-text;q=0, text/plain;q=0", text),
    ("text/plain;q=0, application/openmetrics-text;q=0.1", openMetrics),
    ("application/openmetrics-text;q=0, */*", text),
    ("application/openmetrics-text;q=0.000, */*;q=0.1", text),
    ("application/openmetrics-text;q=2, text/plain;q=0.1", text),
    ("application/openmetrics-text;q=x, text/plain;q=0.1", text),
    ("application/openmetrics-text;q=1.000, text/plain;q=0.999", openMetrics),
    ("application/openmetrics-text;q=0.5, */*;q=0.9", text),
    ("application/openmetrics-text;q=0.5, text/*;q=0.6", text),
    // The most specific range decides for its language, wherever it stands.
    ("text/plain;q=0.1, application/openmetrics-text;q=0.5, */*", openMetrics),
    ("*/*, text/plain;version=0.0.4;q=0.1, application/openmetrics-text;q=0.5", openMetrics),
    // The same weight: named before wildcard, then the first.
    ("application/openmetrics-text, text/plain", openMetrics),
    ("text/plain, application/openmetrics-text", text),
    ("*/*, application/openmetrics-text", openMetrics),
    // What is not ours.
    ("application/openmetrics-text;version=2.0.0", text),
    ("application/openmetrics-text;version=0.0.1, text/plain;version=0.0.4;q=0.1", text),
    ("text/plain;version=1.0.0, application/openmetrics-text;version=1.0.0;q=0.1", openMetrics),
    ("application/json", text),
    ("application/*", text),
    // The ways to write it.
    ("Application/OpenMetrics-Text ; Version=\"1.0.0\" ; Q=0.9 , text/plain;q=0.8", openMetrics),
    ("application/openmetrics-text; charset=utf-8; version=1.0.0", openMetrics),
    ("text/plain;note=\"a,application/openmetrics-text;\\\"\";q=0.5", text),
    (",,application/openmetrics-text,", openMetrics),
    ("nonsense, application/openmetrics-text", openMetrics),
    // Escaping.
    ("application/openmetrics-text;version=1.0.0;escaping=underscores", openMetrics),
    ("application/openmetrics-text;version=1.0.0;escaping=dots", openMetrics),
    ("application/openmetrics-text;escaping=allow-utf-8;q=0.1, text/plain", text),
    ("text/plain;version=0.0.4;escaping=allow-utf-8", quotedText),
  ]

  @Test(arguments: headers)
  func `follows the highest weight that can be served`(_ header: String, _ expected: ExpositionFormat) {
    #expect(ExpositionFormat(AcceptHeader(Array(header.utf8))) == expected)
  }

  @Test func `names its content type with version and escaping`() {
    #expect("\(Self.text.contentType)" == "text/plain; version=0.0.4; charset=utf-8")
    #expect("\(Self.quotedText.contentType)" == "text/plain; version=0.0.4; charset=utf-8; escaping=allow-utf-8")
    #expect(
      "\(Self.openMetrics.contentType)"
        == "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores")
    #expect(
      "\(Self.quotedOpenMetrics.contentType)"
        == "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8")
  }

  static let browsers: [(String, Bool)] = [
    ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
    ("TEXT/HTML; q=0.1", true),
    ("text/html;q=0", false),
    ("*/*", false),
    ("text/*", false),
    ("application/json", false),
    ("", false),
  ]

  @Test(arguments: browsers)
  func `sees a browser by its asking for HTML by name`(_ header: String, _ expected: Bool) {
    #expect(AcceptHeader(Array(header.utf8)).wantsHTML == expected)
  }
}
