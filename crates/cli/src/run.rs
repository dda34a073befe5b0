//! From parsed arguments to the command that was meant.

use clap::CommandFactory;
use trireme_domain::{Code, Fault};

use crate::args::{Cli, Command, Serve, Train};
use crate::commands::{
    batch, bench, classify, config, distill, embed, eval, info, pack, quantize, serve, similarity,
    state, train,
};
use crate::host;
use crate::output::{self, Output};

/// Runs a command to its end.
pub fn run(cli: Cli, output: &Output) -> Result<(), Fault> {
    let runtime = trireme_server::runtime()
        .map_err(|e| Fault::new(Code::Internal, format!("no runtime: {e}")))?;
    let done = runtime.block_on(dispatch(cli, *output));
    // A download that nobody waits for any more must not keep the process.
    runtime.shutdown_background();
    done
}

async fn dispatch(cli: Cli, output: Output) -> Result<(), Fault> {
    let (settings, device) = (host::settings(&cli.global, output), cli.global.device);
    if !matches!(cli.command, Some(Command::Train(_) | Command::Distill(_))) {
        host::answers(device)?;
    }
    match cli.command.unwrap_or_else(|| Command::Serve(Serve::alone())) {
        Command::Serve(args) => serve::run(*args, &cli.global, output).await,
        Command::Config(options) => config::run(options, &cli.global, output),
        Command::Key(args) => config::key(&args, output),
        Command::State(keep) => state::run(keep, output).await,
        Command::Embed(args) => {
            embed::run(args, &host::open(&settings, output).await?, output).await
        }
        Command::Classify(args) => {
            classify::run(args, &host::open(&settings, output).await?, output).await
        }
        Command::Batch(args) => batch::run(*args, &settings, output).await,
        Command::Similarity(args) => {
            similarity::run(args, &host::open(&settings, output).await?, output).await
        }
        Command::Eval(args) => eval::run(args, &host::open(&settings, output).await?, output).await,
        Command::Info => info::run(&host::open(&settings, output).await?, output),
        Command::Pack(args) => pack::run(args, &settings, output).await,
        Command::Quantize(args) => quantize::run(args, &settings, output).await,
        Command::Bench(args) => bench::run(args, &cli.global, &settings, output).await,
        Command::Train(Train::Classify(args)) => {
            train::classify(args, &settings, host::place(device)?, output).await
        }
        Command::Train(Train::Embed(args)) => {
            train::embed::embed(args, &settings, host::place(device)?, output).await
        }
        Command::Distill(args) => distill::run(args, &settings, host::place(device)?, output).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "trireme", &mut script);
            output::write(None, &script)
        }
        Command::Man => {
            let pages = man().map_err(|e| Fault::new(Code::Internal, e.to_string()))?;
            output::write(None, &pages)
        }
    }
}

/// The manual: the page of `trireme`, then one for each command, as it refers to them.
fn man() -> std::io::Result<Vec<u8>> {
    let mut trireme = Cli::command();
    trireme.build();
    let mut pages = Vec::new();
    clap_mangen::Man::new(trireme.clone()).render(&mut pages)?;
    for command in trireme.get_subcommands().filter(|command| command.get_name() != "help") {
        clap_mangen::Man::new(command.clone()).render(&mut pages)?;
    }
    Ok(pages)
}
