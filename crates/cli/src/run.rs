//! From parsed arguments to the command that was meant.

use clap::CommandFactory;
use trireme_domain::{Code, Fault};
use trireme_server::open;

use crate::args::{Cli, Command, Serve};
use crate::commands::{classify, embed, eval, info, pack, serve, similarity};
use crate::host;
use crate::output::{self, Output};

/// Runs a command to its end.
pub fn run(cli: Cli, output: &Output) -> Result<(), Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Fault::new(Code::Internal, format!("no runtime: {e}")))?;
    runtime.block_on(dispatch(cli, *output))
}

async fn dispatch(cli: Cli, output: Output) -> Result<(), Fault> {
    let settings = host::settings(&cli.global, output);
    match cli.command.unwrap_or_else(|| Command::Serve(Serve::default())) {
        Command::Serve(args) => serve::run(&args, settings, output).await,
        Command::Embed(args) => embed::run(args, &open(&settings).await?, output).await,
        Command::Classify(args) => classify::run(args, &open(&settings).await?, output).await,
        Command::Similarity(args) => similarity::run(args, &open(&settings).await?, output).await,
        Command::Eval(args) => eval::run(args, &open(&settings).await?, output).await,
        Command::Info => info::run(&open(&settings).await?, output),
        Command::Pack(args) => pack::run(args, &settings, output).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "trireme", &mut script);
            output::write(None, &script)
        }
        Command::Man => {
            let mut page = Vec::new();
            let done = clap_mangen::Man::new(Cli::command()).render(&mut page);
            done.map_err(|e| Fault::new(Code::Internal, e.to_string()))?;
            output::write(None, &page)
        }
    }
}
