//! A folder in which the command runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use burn_pooling::run::Report;
use tempfile::{TempDir, tempdir};

use super::{few_images, write_sets};

/// A folder with a small data set of real images, where the command runs.
pub struct Place(TempDir);

impl Place {
    pub fn new(train: usize, test: usize) -> Self {
        let folder = tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        write_sets(&folder.path().join("data"), &few_images(train, test));
        Self(folder)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The command, with words separated by spaces.
    pub fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_burn-pooling"));
        command.current_dir(self.0.path()).args(words.split_whitespace());
        #[cfg(unix)]
        listen_to_signals(&mut command);
        command
    }

    /// Training on the small data set.
    pub fn training(&self, words: &str) -> Command {
        self.command(&format!("--data-dir data --valid-size 20 --batch-size 16 {words}"))
    }

    /// The command with so much address space.
    #[cfg(unix)]
    pub fn limited(&self, kilobytes: usize, words: &str) -> Command {
        let mut shell = Command::new("sh");
        let script = format!("ulimit -v {kilobytes}; exec {} {words}", env!("CARGO_BIN_EXE_burn-pooling"));
        shell.current_dir(self.0.path()).args(["-c", &script]);
        shell
    }

    /// Runs the command, which succeeds, and returns what it printed.
    pub fn succeed(&self, words: &str) -> String {
        exit(self.command(words), 0).0
    }

    /// Trains on the small data set, and returns what was printed.
    pub fn train(&self, words: &str) -> String {
        exit(self.training(words), 0).0
    }

    /// Runs the command, which exits with `code` and an error that contains `message`.
    pub fn fail(&self, words: &str, code: i32, message: &str) -> String {
        let (_, error) = exit(self.command(words), code);
        assert!(error.contains(message), "{words}: {message} in {error}");
        error
    }

    pub fn report(&self, run: &str) -> Report {
        serde_json::from_slice(&fs::read(self.path(run).join("report.json")).unwrap()).unwrap()
    }
}

/// Lets signals reach a command also where the tests themselves were started to ignore them.
#[cfg(unix)]
fn listen_to_signals(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    let reset = || {
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            // SAFETY: sets the default action, which runs nothing of this process.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
        Ok(())
    };
    // SAFETY: `signal` may be called between fork and exec.
    unsafe { command.pre_exec(reset) };
}

/// The standard output and error of a command that exits with `code`.
pub fn exit(mut command: Command, code: i32) -> (String, String) {
    let output = command.output().unwrap();
    let [printed, error] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert_eq!(output.status.code(), Some(code), "{command:?}: {printed}{error}");
    (printed, error)
}

/// The checkpointed weights of a whole run of the given length.
pub fn whole_run(place: &Place, words: &str) -> Vec<u8> {
    place.train(&format!("{words} --quiet --out whole"));
    fs::read(place.path("whole/model.safetensors")).unwrap()
}

pub fn start(command: &mut Command) -> std::process::Child {
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

pub fn wait_for(path: &Path) {
    let start = Instant::now();
    while !path.exists() && start.elapsed() < Duration::from_secs(30) {
        thread::sleep(Duration::from_millis(1));
    }
}
