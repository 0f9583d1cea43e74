import LibFuzzer

/// One check under libFuzzer: the first argument names it, the others are libFuzzer's own.
@main
struct Fuzz {
  /// Set once, before libFuzzer calls back: its callback carries no context. One thread runs all of it.
  nonisolated(unsafe) private static var body = FuzzBody.canary

  static func main() {
    guard CommandLine.arguments.count > 1, let named = FuzzBody(rawValue: CommandLine.arguments[1]) else {
      fatalError("want one of \(FuzzBody.allCases.map(\.rawValue).joined(separator: ", ")), then libFuzzer's arguments")
    }
    // Safe: set before any thread but this one exists.
    unsafe body = named
    var count = CommandLine.argc - 1
    // Safe: the arguments live as long as the process; without the name of the check the rest begins one place later, and its first
    // element stands for the program's name.
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv + 1
    _ = unsafe LLVMFuzzerRunDriver(&count, &arguments) { bytes, count in
      // Safe: libFuzzer lends `count` bytes for the length of this call.
      let input = unsafe [UInt8](UnsafeBufferPointer(start: bytes, count: count))
      do {
        try unsafe Fuzz.body.check(input)
      } catch {
        fatalError("\(error)")
      }
      return 0
    }
  }
}
