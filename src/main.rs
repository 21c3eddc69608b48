use std::process::ExitCode;

fn main() -> ExitCode {
    backchannel::cli::main()
}
