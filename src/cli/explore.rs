//! `burn-pooling explore [RUN...]`: a page that shows what pooling does.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::Instant;

use anyhow::Context;
use burn::tensor::backend::AutodiffBackend;
use burn_pooling::backend::{BackendTask, run_on};
use burn_pooling::explore::{Answer, Engine, Request, Server};
use burn_pooling::run::{RunConfig, RunFolder};
use clap::Args;

use super::options::{CheckArgs, DataArgs, DeviceArgs, LoadedData};
use super::terminal;

#[derive(Args, Debug)]
pub struct ExploreArgs {
    /// Folders of runs to show; without any, the four variants are trained on the page
    #[arg(value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Port of the page; 0 takes any that is free
    #[arg(long, value_name = "N", default_value = "8765")]
    port: u16,
    /// Address of the page; any but that of this machine lets others use it
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Do not open a browser
    #[arg(long)]
    no_open: bool,
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    check: CheckArgs,
}

/// Serves the page until it is interrupted.
pub fn run(args: ExploreArgs) -> anyhow::Result<ExitCode> {
    let runs = args.check.open_all(&args.runs)?;
    let first = runs.first().map(|(_, _, config)| config);
    let backend = match first {
        Some(config) => args.device.backend_of(config)?,
        None => args.device.backend(None)?,
    };
    let data = args.data.load(first.map(|config| &config.data))?;
    let threads = args.device.thread_pool()?;
    if !args.host.is_loopback() {
        terminal::print_note(format_args!("{} can be reached by other machines: they can use the page too", args.host));
    }
    let mut answerer = threads.install(|| run_on(backend, Task { runs, data }))??;
    let address = SocketAddr::new(args.host, args.port);
    let server = Server::bind(address)
        .with_context(|| format!("{address}: cannot be listened on; try another --port, or --port 0 for any"))?;
    // An unspecified address is every address of this machine, and none that a browser can open.
    let page = match args.host.is_unspecified() {
        true => format!("http://localhost:{}/", server.address().port()),
        false => format!("http://{}/", server.address()),
    };
    terminal::print(format_args!("page: {page}  (Ctrl-C ends it)"));
    if !args.no_open && open::that_detached(&page).is_err() {
        terminal::print_note("no browser could be opened: open the address yourself");
    }
    server.run(move |request| threads.install(|| answerer(request)))?;
    Ok(ExitCode::SUCCESS)
}

type Answerer = Box<dyn FnMut(Request) -> Answer + Send>;

struct Task {
    runs: Vec<(String, RunFolder, RunConfig)>,
    data: LoadedData,
}

impl BackendTask for Task {
    type Output = anyhow::Result<Answerer>;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Self::Output {
        let Self { runs, data: LoadedData { sets, config: data } } = self;
        let placement = super::predict::placement(&data);
        if runs.is_empty() {
            let mut engine = Engine::<B>::new(sets, device, seconds)?.with_placement(placement);
            return Ok(Box::new(move |request| engine.answer(request)));
        }
        let mut networks = Vec::new();
        for (name, folder, config) in runs {
            let network = folder.load_model(config.model.init::<B>(&device)?)?;
            networks.push((name, config.model, network));
        }
        let engine = Engine::<B>::of_networks(networks, sets, device, seconds).context("a run of other images")?;
        let mut engine = engine.with_placement(placement);
        Ok(Box::new(move |request| engine.answer(request)))
    }
}

/// Seconds since the first call.
fn seconds() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64()
}
