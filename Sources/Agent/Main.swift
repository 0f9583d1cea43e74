import Platform

/// The program `footfall`: reads what it is asked for and does it.
@main
struct Footfall {
  static let version = "0.1.0"

  static func main() {
    let environment = Environment.all()
    do throws(Options.Faults) {
      let invocation = try Options.invocation(
        arguments: Array(CommandLine.arguments.dropFirst()), environment: environment, read: readConfiguration)
      switch invocation {
      case .serve(let configuration): Program.exit(status: Service.run(configuration, environment: environment))
      case .explain(let configuration): Program.exit(status: ExplainCommand.run(configuration))
      case .journal(let action, let configuration):
        Program.exit(status: JournalCommand.run(action, configuration, environment: environment))
      case .checkConfig(let configuration): check(configuration)
      case .help: StandardOutput.write(Array(Options.help.utf8))
      case .version: StandardOutput.write(Array("footfall \(version)\n".utf8))
      }
    } catch {
      StandardError.write(Array(error.description.utf8))
      Program.exit(status: error.exitStatus)
    }
  }

  /// `check-config`, of what the options say themselves nothing being wrong.
  private static func check(_ configuration: Configuration) {
    do throws(SecretFault) {
      _ = try TokenFile.read(configuration)
      _ = try PasswordFile.read(configuration)
    } catch {
      StandardError.write(Array("footfall: \(error)\n".utf8))
      Program.exit(status: Service.configurationStatus)
    }
    StandardOutput.write(Array("the configuration holds\n".utf8))
  }

  /// A configuration is a few kilobytes; a device or a log given by mistake must not fill the memory.
  static func readConfiguration(_ path: String) throws(SystemError) -> [UInt8] {
    try File.read(path, limit: 1 << 20)
  }
}
