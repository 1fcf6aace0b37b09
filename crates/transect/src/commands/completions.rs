//! `transect completions`.

use clap::CommandFactory;

use crate::args::{Cli, CompletionsArgs};
use crate::console;

pub(crate) fn run(args: &CompletionsArgs) {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "transect", &mut script);
    console::result(String::from_utf8_lossy(&script).trim_end());
}
