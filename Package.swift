// swift-tools-version: 6.2
import PackageDescription

/// Who may import whom: `CLinux, Assets, Bytes` ← `Platform, Protocol` ← `Aggregation` ← `Storage, HTTPQuery` ← `Agent`. The build checks it
/// (`--explicit-target-dependency-import-check error` in Tests/run), and a test holds this table against the imports.
let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
  name: "footfall",
  products: [.executable(name: "footfall", targets: ["Agent"])],
  targets: [
    .target(name: "CLinux"),
    .target(name: "Assets", exclude: ["pages"]),
    .target(name: "Bytes", swiftSettings: strict, linkerSettings: [.linkedLibrary("m")]),
    .target(name: "Platform", dependencies: ["CLinux", "Bytes"], swiftSettings: strict),
    .target(name: "Protocol", dependencies: ["CLinux", "Bytes"], swiftSettings: strict),
    .target(name: "Aggregation", dependencies: ["CLinux", "Bytes", "Platform", "Protocol"], swiftSettings: strict),
    .target(name: "Storage", dependencies: ["Platform", "Protocol", "Aggregation"], swiftSettings: strict),
    .target(
      name: "HTTPQuery", dependencies: ["Assets", "Bytes", "Platform", "Protocol", "Aggregation"], swiftSettings: strict
    ),
    .executableTarget(
      name: "Agent", dependencies: ["Bytes", "Platform", "Protocol", "Aggregation", "HTTPQuery", "Storage"],
      swiftSettings: strict),
    .executableTarget(
      name: "Benchmark",
      dependencies: ["CLinux", "Bytes", "Platform", "Protocol", "Aggregation", "AllocationCounter"],
      exclude: ["README.md", "thresholds.json"], swiftSettings: strict),
    .testTarget(name: "BytesTests", dependencies: ["Bytes"]),
    .testTarget(name: "PlatformTests", dependencies: ["Platform"]),
    .testTarget(name: "ProtocolTests", dependencies: ["Protocol", "Bytes", "Randomness"]),
    .target(name: "Randomness", path: "Tests/Support/Randomness"),
    .target(name: "AllocationCounter", path: "Tests/Support/AllocationCounter"),
    .testTarget(
      name: "AggregationTests",
      dependencies: ["Aggregation", "Protocol", "Bytes", "Platform", "AllocationCounter", "Randomness"]),
    .testTarget(
      name: "HTTPQueryTests", dependencies: ["HTTPQuery", "Aggregation", "Protocol", "Platform", "Bytes", "Randomness"]),
    .testTarget(
      name: "StorageTests", dependencies: ["Storage", "Aggregation", "Protocol", "Platform", "Randomness"]),
    .testTarget(name: "AgentTests", dependencies: ["Agent", "HTTPQuery", "Storage"]),
    .testTarget(
      name: "FuzzTests",
      dependencies: ["Agent", "HTTPQuery", "Storage", "Aggregation", "Protocol", "Platform", "Bytes", "Randomness"],
      path: "Tests/Fuzz", exclude: ["Entry", "LibFuzzer", "run"]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu2x
)

/// `FUZZ=1` (Tests/Fuzz/run): the same sources instrumented for libFuzzer, with assertions, and one executable that runs the checks of
/// Tests/Fuzz on them; nothing else is built. Of the agent, whose entry would be a second one, there is what reads its options.
if Context.environment["FUZZ"] == "1" {
  package.products = []
  package.targets.removeAll {
    $0.type == .test || ["Agent", "Benchmark", "AllocationCounter", "Randomness"].contains($0.name)
  }
  package.targets += [
    .target(
      name: "Agent", dependencies: ["Bytes", "Platform", "HTTPQuery", "Storage"],
      sources: [
        "Configuration.swift", "Configuration+ListenAddress.swift", "Log.swift", "Log+Escaping.swift",
        "MemoryNeeds.swift",
        "Options.swift",
        "Options+Entry.swift", "Options+Fault.swift", "Options+Help.swift", "Options+Invocation.swift",
        "Options+Reader.swift", "Options+Value.swift", "Options+VisitCounter.swift",
      ]),
    .target(name: "LibFuzzer", path: "Tests/Fuzz/LibFuzzer"),
    .executableTarget(
      name: "Fuzz",
      dependencies: ["Agent", "HTTPQuery", "Storage", "Aggregation", "Protocol", "Platform", "Bytes", "LibFuzzer"],
      path: "Tests/Fuzz", exclude: ["LibFuzzer", "Suite", "run"],
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]),
  ]
  // Under AddressSanitizer too, since a byte read too far is what a fuzzer is best at finding.
  let fuzzed = ["-sanitize=fuzzer,address", "-enable-testing", "-assert-config", "Debug", "-parse-as-library"]
  for target in package.targets where !["CLinux", "Assets", "LibFuzzer"].contains(target.name) {
    target.swiftSettings = (target.name == "Fuzz" ? [] : strict) + [.unsafeFlags(fuzzed)]
  }
}
