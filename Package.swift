// swift-tools-version: 6.2
import PackageDescription

/// Who may import whom: `CLinux, Bytes` ← `Platform, Protocol` ← `Aggregation` ← `HTTPQuery` ← `Agent`. The build checks it
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
    .target(name: "Bytes", swiftSettings: strict, linkerSettings: [.linkedLibrary("m")]),
    .target(name: "Platform", dependencies: ["CLinux", "Bytes"], swiftSettings: strict),
    .target(name: "Protocol", dependencies: ["CLinux", "Bytes"], swiftSettings: strict),
    .target(name: "Aggregation", dependencies: ["CLinux", "Bytes", "Platform", "Protocol"], swiftSettings: strict),
    .target(name: "HTTPQuery", dependencies: ["Bytes", "Platform", "Protocol", "Aggregation"], swiftSettings: strict),
    .executableTarget(
      name: "Agent", dependencies: ["Bytes", "Platform", "Protocol", "Aggregation", "HTTPQuery"], swiftSettings: strict),
    .executableTarget(
      name: "Benchmark", dependencies: ["Bytes", "Platform", "Protocol", "Aggregation"], swiftSettings: strict),
    .testTarget(name: "BytesTests", dependencies: ["Bytes"]),
    .testTarget(name: "PlatformTests", dependencies: ["Platform"]),
    .testTarget(name: "ProtocolTests", dependencies: ["Protocol", "Bytes"]),
    .target(name: "AllocationCounter", path: "Tests/Support/AllocationCounter"),
    .testTarget(
      name: "AggregationTests", dependencies: ["Aggregation", "Protocol", "Bytes", "Platform", "AllocationCounter"]),
    .testTarget(name: "HTTPQueryTests", dependencies: ["HTTPQuery", "Aggregation", "Protocol", "Platform", "Bytes"]),
    .testTarget(name: "AgentTests", dependencies: ["Agent"]),
  ],
  swiftLanguageModes: [.v6]
)
